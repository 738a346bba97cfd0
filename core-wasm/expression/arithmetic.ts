/** Arithmetic: total, on whole numbers and numbers. */
import {
  ERROR_MATH,
  OP_ADD,
  OP_DIVIDE,
  OP_MULTIPLY,
  OP_REMAINDER,
  OP_SUBTRACT,
  TYPE_INTEGER,
  TYPE_MISSING,
} from "./code";
import { errorAdd, strict } from "./outcome";
import {
  castFailed,
  castNumeric,
  integerOf,
  numberOf,
  putInteger,
  putMissing,
  putNumber,
  putZero,
  typeOf,
} from "./stack";

/** x op y, into x. */
export function arithmetic(op: u32, x: u32, y: u32): void {
  if (typeOf(x) === TYPE_MISSING || typeOf(y) === TYPE_MISSING) return putZero(x, TYPE_INTEGER);
  castNumeric(x);
  const failed = castFailed;
  castNumeric(y);
  if ((failed || castFailed) && !strict) return putZero(x, TYPE_INTEGER);
  if (typeOf(x) === TYPE_INTEGER && typeOf(y) === TYPE_INTEGER) return whole(op, x, integerOf(x), integerOf(y));
  const a = numberOf(x);
  const b = numberOf(y);
  if (op === OP_ADD) return putNumber(x, a + b);
  if (op === OP_SUBTRACT) return putNumber(x, a - b);
  if (op === OP_MULTIPLY) return putNumber(x, a * b);
  if (b === 0) {
    errorAdd(ERROR_MATH);
    return putMissing(x);
  }
  putNumber(x, op === OP_DIVIDE ? a / b : a % b);
}

/** On whole numbers; what does not fit becomes a number, in CESQL the low 32 bits with an error. */
function whole(op: u32, slot: u32, a: i64, b: i64): void {
  let result: i64 = 0;
  let fits = true;
  if (op === OP_ADD) {
    result = a + b;
    fits = ((a ^ result) & (b ^ result)) >= 0;
  } else if (op === OP_SUBTRACT) {
    result = a - b;
    fits = ((a ^ b) & (a ^ result)) >= 0;
  } else if (op === OP_MULTIPLY) {
    result = a * b;
    fits = a === 0 || (!(a === -1 && b === i64.MIN_VALUE) && result / a === b);
  } else if (b === 0) {
    errorAdd(ERROR_MATH);
    return putMissing(slot);
  } else if (op === OP_REMAINDER) {
    result = b === -1 ? 0 : a % b;
  } else if (a === i64.MIN_VALUE && b === -1) {
    fits = false;
  } else {
    result = a / b;
  }
  if (strict) {
    if (!fits || result !== <i64>(<i32>result)) errorAdd(ERROR_MATH);
    putInteger(slot, <i64>(<i32>result));
  } else if (fits) {
    putInteger(slot, result);
  } else {
    const x = <f64>a;
    const y = <f64>b;
    putNumber(slot, op === OP_ADD ? x + y : op === OP_SUBTRACT ? x - y : op === OP_MULTIPLY ? x * y : x / y);
  }
}
