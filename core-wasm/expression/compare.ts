/** Comparisons. One with a missing value, or with one that cannot be cast by default, is false, its negation too. */
import {
  OP_EQUAL,
  OP_GREATER,
  OP_GREATER_EQUAL,
  OP_LESS,
  OP_LESS_EQUAL,
  OP_NOT_EQUAL,
  TYPE_BOOLEAN,
  TYPE_INTEGER,
  TYPE_MISSING,
  TYPE_TEXT,
} from "./code";
import { strict } from "./outcome";
import {
  castBoolean,
  castFailed,
  castNumeric,
  castText,
  integerOf,
  numberOf,
  SLOT_BYTES,
  textAt,
  textBytes,
  typeOf,
} from "./stack";

/** Whether the last comparison was false because a value could not be cast. */
let failed: bool = false;

/** x op y, where x is cast to the type of y. */
export function compare(op: u32, x: u32, y: u32): bool {
  failed = false;
  if (typeOf(x) === TYPE_MISSING || typeOf(y) === TYPE_MISSING) return false;
  const type = typeOf(y);
  // The pure language orders whole numbers only.
  if (strict && op !== OP_EQUAL && op !== OP_NOT_EQUAL) return numeric(op, x, y);
  if (type === TYPE_BOOLEAN) {
    const a = castBoolean(x);
    if (fails()) return false;
    const b = castBoolean(y);
    return verdict(op, a === b ? 0 : a ? 1 : -1);
  }
  if (type === TYPE_TEXT) {
    castText(x);
    if (fails()) return false;
    if (op === OP_EQUAL || op === OP_NOT_EQUAL) return textsEqual(x, y) === (op === OP_EQUAL);
    return verdict(op, textsOrder(x, y));
  }
  return numeric(op, x, y);
}

/** Whether the last cast failed and the dialect stops there. */
function fails(): bool {
  if (castFailed && !strict) failed = true;
  return failed;
}

function numeric(op: u32, x: u32, y: u32): bool {
  castNumeric(x);
  if (fails()) return false;
  castNumeric(y);
  if (fails()) return false;
  if (typeOf(x) === TYPE_INTEGER && typeOf(y) === TYPE_INTEGER) {
    const a = integerOf(x);
    const b = integerOf(y);
    return verdict(op, a === b ? 0 : a < b ? -1 : 1);
  }
  const a = numberOf(x);
  const b = numberOf(y);
  // Not by verdict(): a NaN is neither less, nor equal, nor greater.
  if (op === OP_EQUAL) return a === b;
  if (op === OP_NOT_EQUAL) return a < b || a > b;
  if (op === OP_LESS) return a < b;
  if (op === OP_LESS_EQUAL) return a <= b;
  return op === OP_GREATER ? a > b : a >= b;
}

function verdict(op: u32, order: i32): bool {
  if (op === OP_EQUAL) return order === 0;
  if (op === OP_NOT_EQUAL) return order !== 0;
  if (op === OP_LESS) return order < 0;
  if (op === OP_LESS_EQUAL) return order <= 0;
  return op === OP_GREATER ? order > 0 : order >= 0;
}

function textsEqual(x: u32, y: u32): bool {
  return textBytes(x) === textBytes(y) && memory.compare(textAt(x), textAt(y), textBytes(x)) === 0;
}

function textsOrder(x: u32, y: u32): i32 {
  const order = memory.compare(textAt(x), textAt(y), min<u32>(textBytes(x), textBytes(y)));
  return order !== 0 ? order : <i32>textBytes(x) - <i32>textBytes(y);
}

/** Whether y, cast to the type of x, equals it; x stays as it is. */
export function equalAs(x: u32, y: u32): bool {
  const type = typeOf(x);
  if (type === TYPE_MISSING || typeOf(y) === TYPE_MISSING) return false;
  if (type === TYPE_BOOLEAN) {
    const value = castBoolean(y);
    return (!castFailed || strict) && value === castBoolean(x);
  }
  if (type === TYPE_TEXT) {
    castText(y);
    return (!castFailed || strict) && textsEqual(x, y);
  }
  castNumeric(y);
  if (castFailed && !strict) return false;
  if (type === TYPE_INTEGER && typeOf(y) === TYPE_INTEGER) return integerOf(x) === integerOf(y);
  return numberOf(x) === numberOf(y);
}

/** A copy of x, which the first of two comparisons may cast. */
const copyAt: u32 = <u32>memory.data(16);
if (SLOT_BYTES !== 16) ERROR("A copy of a slot has not its size");

/** Whether low <= x <= high (or not, if not `wanted`); false where one is missing or cannot be cast. */
export function between(x: u32, low: u32, high: u32, wanted: bool): bool {
  if (typeOf(x) === TYPE_MISSING || typeOf(low) === TYPE_MISSING || typeOf(high) === TYPE_MISSING) return false;
  memory.copy(copyAt, x, SLOT_BYTES);
  const above = compare(OP_GREATER_EQUAL, copyAt, low);
  if (failed) return false;
  memory.copy(copyAt, x, SLOT_BYTES);
  const below = compare(OP_LESS_EQUAL, copyAt, high);
  if (failed) return false;
  return (above && below) === wanted;
}
