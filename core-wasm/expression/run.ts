/** The machine: runs a verified program on the event and sink of the view. What each operation does stands in code.ts. */
import { arithmetic } from "./arithmetic";
import {
  ERROR_CAST,
  ERROR_MATH,
  EXPRESSION_CESQL,
  OP_ADD,
  OP_AGE,
  OP_BETWEEN,
  OP_CALL,
  OP_CONSTANT,
  OP_DIVIDE,
  OP_EQUAL,
  OP_EXISTS,
  OP_FAIL,
  OP_GREATER,
  OP_GREATER_EQUAL,
  OP_IN_EQUAL,
  OP_IN_NOT,
  OP_IS_MISSING,
  OP_JUMP_FALSE,
  OP_JUMP_TRUE,
  OP_LESS,
  OP_LESS_EQUAL,
  OP_LIKE,
  OP_MULTIPLY,
  OP_NAME,
  OP_NEGATE,
  OP_NIP,
  OP_NOT,
  OP_NOT_BETWEEN,
  OP_NOT_EQUAL,
  OP_NOT_LIKE,
  OP_REMAINDER,
  OP_SUBTRACT,
  OP_TO_BOOLEAN,
  OP_TO_INTEGER,
  OP_TO_TEXT,
  OP_XOR,
  TYPE_INTEGER,
  TYPE_MISSING,
  TYPE_TEXT,
} from "./code";
import { between, compare, equalAs } from "./compare";
import { call } from "./functions";
import { codeAt, constantAt } from "./layout";
import { agePut, constantPut, nameExists, namePut } from "./load";
import { errorAdd, outcomeBegin, strict } from "./outcome";
import { Program } from "./program";
import { scratchReset } from "./scratch";
import {
  castBoolean,
  castFailed,
  castInteger,
  castNumeric,
  castText,
  putBoolean,
  putInteger,
  putNumber,
  putZero,
  SLOT_BYTES,
  stackAt,
  textAt,
  textBytes,
  typeOf,
} from "./stack";
import { likeExceeded, likeMatches } from "./texts";

/** Runs a program; its value lies in the slot at stackAt, its errors in `errors`. */
export function programRun(program: Program): void {
  const base = program.at;
  outcomeBegin(load<u8>(base, 1) === EXPRESSION_CESQL);
  scratchReset();
  let pc = codeAt(base);
  /** The slot above the top. */
  let sp = stackAt;
  while (true) {
    const op = <u32>load<u8>(pc);
    switch (op) {
      case OP_CONSTANT: {
        constantPut(sp, base, constantAt(base, load<u16>(pc, 1)));
        sp += SLOT_BYTES;
        pc += 3;
        break;
      }
      case OP_NAME: {
        namePut(sp, base, program.numbersAt, load<u16>(pc, 1));
        sp += SLOT_BYTES;
        pc += 3;
        break;
      }
      case OP_EXISTS: {
        putBoolean(sp, nameExists(base, program.numbersAt, load<u16>(pc, 1)));
        sp += SLOT_BYTES;
        pc += 3;
        break;
      }
      case OP_AGE: {
        agePut(sp, base, load<u16>(pc, 1));
        sp += SLOT_BYTES;
        pc += 3;
        break;
      }
      case OP_IS_MISSING: {
        putBoolean(sp - SLOT_BYTES, typeOf(sp - SLOT_BYTES) === TYPE_MISSING);
        pc++;
        break;
      }
      case OP_NOT: {
        const slot = sp - SLOT_BYTES;
        const type = typeOf(slot);
        if (strict && type === TYPE_INTEGER) {
          // The conformance kit has NOT of a whole number as a cast that fails, although BOOL() casts it.
          errorAdd(ERROR_CAST);
          putBoolean(slot, true);
        } else {
          const missing = strict && type === TYPE_MISSING;
          putBoolean(slot, !missing && !castBoolean(slot));
        }
        pc++;
        break;
      }
      case OP_NEGATE: {
        negate(sp - SLOT_BYTES);
        pc++;
        break;
      }
      case OP_TO_BOOLEAN: {
        putBoolean(sp - SLOT_BYTES, castBoolean(sp - SLOT_BYTES));
        pc++;
        break;
      }
      case OP_TO_INTEGER: {
        const slot = sp - SLOT_BYTES;
        if (typeOf(slot) === TYPE_MISSING) putZero(slot, TYPE_INTEGER);
        else castInteger(slot);
        pc++;
        break;
      }
      case OP_TO_TEXT: {
        const slot = sp - SLOT_BYTES;
        if (typeOf(slot) === TYPE_MISSING) putZero(slot, TYPE_TEXT);
        else castText(slot);
        pc++;
        break;
      }
      case OP_EQUAL:
      case OP_NOT_EQUAL:
      case OP_LESS:
      case OP_LESS_EQUAL:
      case OP_GREATER:
      case OP_GREATER_EQUAL: {
        sp -= SLOT_BYTES;
        putBoolean(sp - SLOT_BYTES, compare(op, sp - SLOT_BYTES, sp));
        pc++;
        break;
      }
      case OP_ADD:
      case OP_SUBTRACT:
      case OP_MULTIPLY:
      case OP_DIVIDE:
      case OP_REMAINDER: {
        sp -= SLOT_BYTES;
        arithmetic(op, sp - SLOT_BYTES, sp);
        pc++;
        break;
      }
      case OP_XOR: {
        sp -= SLOT_BYTES;
        const slot = sp - SLOT_BYTES;
        const missing = strict && (typeOf(slot) === TYPE_MISSING || typeOf(sp) === TYPE_MISSING);
        putBoolean(slot, castBoolean(slot) !== castBoolean(sp) && !missing);
        pc++;
        break;
      }
      case OP_JUMP_FALSE:
      case OP_JUMP_TRUE: {
        const slot = sp - SLOT_BYTES;
        const value = castBoolean(slot);
        const skip = <u32>load<u16>(pc, 1);
        pc += 3;
        if (value === (op === OP_JUMP_TRUE)) {
          putBoolean(slot, value);
          pc += skip;
        } else {
          sp = slot;
        }
        break;
      }
      case OP_LIKE:
      case OP_NOT_LIKE: {
        like(sp - SLOT_BYTES, constantAt(base, load<u16>(pc, 1)), base, op === OP_LIKE);
        pc += 3;
        break;
      }
      case OP_IN_EQUAL: {
        putBoolean(sp - SLOT_BYTES, equalAs(sp - 2 * SLOT_BYTES, sp - SLOT_BYTES));
        pc++;
        break;
      }
      case OP_NIP: {
        sp -= SLOT_BYTES;
        slotCopy(sp - SLOT_BYTES, sp);
        pc++;
        break;
      }
      case OP_IN_NOT: {
        const found = castBoolean(sp - SLOT_BYTES);
        putBoolean(sp - SLOT_BYTES, typeOf(sp - 2 * SLOT_BYTES) !== TYPE_MISSING && !found);
        pc++;
        break;
      }
      case OP_BETWEEN:
      case OP_NOT_BETWEEN: {
        sp -= 2 * SLOT_BYTES;
        putBoolean(sp - SLOT_BYTES, between(sp - SLOT_BYTES, sp, sp + SLOT_BYTES, op === OP_BETWEEN));
        pc++;
        break;
      }
      case OP_CALL: {
        const count = <u32>load<u8>(pc, 2);
        const first = sp - count * SLOT_BYTES;
        call(load<u8>(pc, 1), first, count);
        sp = first + SLOT_BYTES;
        pc += 3;
        break;
      }
      case OP_FAIL: {
        errorAdd(load<u8>(pc, 1));
        putBoolean(sp, false);
        sp += SLOT_BYTES;
        pc += 2;
        break;
      }
      default:
        // OP_END: the verifier has let nothing else through.
        return;
    }
  }
}

function slotCopy(to: u32, from: u32): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}

function like(slot: u32, constant: u32, base: u32, wanted: bool): void {
  if (typeOf(slot) === TYPE_MISSING) {
    putBoolean(slot, false);
    return;
  }
  castText(slot);
  if (castFailed && !strict) {
    putBoolean(slot, false);
    return;
  }
  const matches = likeMatches(textAt(slot), textBytes(slot), base + load<u32>(constant, 8), load<u32>(constant, 12));
  // A question that was given up has no negation either.
  putBoolean(slot, !likeExceeded && matches === wanted);
}

function negate(slot: u32): void {
  if (typeOf(slot) === TYPE_MISSING) return putZero(slot, TYPE_INTEGER);
  castNumeric(slot);
  if (castFailed) return;
  if (typeOf(slot) !== TYPE_INTEGER) return putNumber(slot, -load<f64>(slot, 8));
  const value = load<i64>(slot, 8);
  if (strict && value === -2147483648) {
    errorAdd(ERROR_MATH);
    putInteger(slot, value);
  } else if (value === i64.MIN_VALUE) {
    putNumber(slot, 9223372036854775808.0);
  } else {
    putInteger(slot, -value);
  }
}
