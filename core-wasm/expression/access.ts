/**
 * The access key of a program: an equality that must hold for the whole to hold, such as the `zone = 'eu'` of
 * `zone = 'eu' AND load < 0.8`. Sinks are found by it (match/index.ts); their program is run all the same, so a key may be
 * missed but never wrong.
 *
 * It is read off the bytecode: a conjunction runs its operands one after another, each followed by OP_JUMP_FALSE to OP_END.
 * The same jump stands in an AND within an OR, but behind an OP_JUMP_TRUE to OP_END.
 */
import {
  EXPRESSION_CESQL,
  OP_CALL,
  OP_CONSTANT,
  OP_END,
  OP_EQUAL,
  OP_JUMP_FALSE,
  OP_JUMP_TRUE,
  OP_NAME,
  SCOPE_EVENT,
} from "./code";
import { codeAt, nameAt } from "./layout";
import { gives, operationBytes, takes } from "./verify";

/** Indexes of name and constant that accessFind() found. */
export let accessName: u32 = 0;
export let accessConstant: u32 = 0;

/** Finds the first key of a verified program that lies at `program`. Returns false where it has none. */
export function accessFind(program: u32): bool {
  // A cast that fails gives 0, "" or false in CESQL, which may equal the constant: such values have no key.
  if (load<u8>(program, 1) === EXPRESSION_CESQL) return false;
  let at = codeAt(program);
  const end = at + load<u32>(program, 8) - 1;
  while (at !== 0) {
    if (isKey(program, at, end)) {
      accessName = load<u16>(at, 1);
      accessConstant = load<u16>(at, 4);
      return true;
    }
    at = nextOperand(at, end);
  }
  return false;
}

/** Whether an operand that begins at `at` is a name of the event that must equal a constant. */
function isKey(program: u32, at: u32, end: u32): bool {
  if (end - at < 7 || load<u8>(at) !== OP_NAME || load<u8>(at, 3) !== OP_CONSTANT || load<u8>(at, 6) !== OP_EQUAL)
    return false;
  if (load<u8>(nameAt(program, load<u16>(at, 1))) !== SCOPE_EVENT) return false;
  return at + 7 === end || endsConjunct(at + 7, end);
}

/** Whether the operation at `at` ends the whole if what it sees is false. */
function endsConjunct(at: u32, end: u32): bool {
  return load<u8>(at) === OP_JUMP_FALSE && at + 3 + load<u16>(at, 1) === end;
}

/** Where the operand behind the one at `at` begins, 0 where it is the last. */
function nextOperand(at: u32, end: u32): u32 {
  let depth: u32 = 0;
  while (at < end) {
    const op = <u32>load<u8>(at);
    if (op === OP_END) return 0;
    const size = operationBytes(op);
    if (depth === 1 && endsConjunct(at, end)) return at + size;
    // Behind the first operand of an OR that is last, nothing must hold any more.
    if (op === OP_JUMP_TRUE && at + 3 + load<u16>(at, 1) === end) return 0;
    depth = depth - (op === OP_CALL ? <u32>load<u8>(at, 2) : takes) + gives;
    at += size;
  }
  return 0;
}
