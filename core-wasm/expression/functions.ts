/** Calls: arguments are cast, the result lies in the first one's slot. A missing argument makes the result missing, or zero. */
import {
  ERROR_FUNCTION,
  ERROR_MATH,
  FUNCTION_ABS,
  FUNCTION_CONCAT,
  FUNCTION_CONCAT_WS,
  FUNCTION_LEFT,
  FUNCTION_LENGTH,
  FUNCTION_LOWER,
  FUNCTION_RIGHT,
  FUNCTION_SUBSTRING,
  FUNCTION_TRIM,
  FUNCTION_UPPER,
  TYPE_INTEGER,
  TYPE_MISSING,
  TYPE_TEXT,
} from "./code";
import { errorAdd, strict } from "./outcome";
import {
  castFailed,
  castInteger,
  castNumeric,
  castText,
  integerOf,
  numberOf,
  putInteger,
  putNumber,
  putZero,
  SLOT_BYTES,
  textAt,
  textBytes,
  typeOf,
} from "./stack";
import { charactersOf, putCase, putJoined, putSlice, putSubstring, putTrimmed } from "./texts";

/** Calls a function of `count` arguments from `first` on. */
export function call(callee: u32, first: u32, count: u32): void {
  const result = callee === FUNCTION_LENGTH || callee === FUNCTION_ABS ? TYPE_INTEGER : TYPE_TEXT;
  if (!argumentsCast(callee, first, count)) return putZero(first, result);
  if (callee === FUNCTION_LENGTH) return putInteger(first, charactersOf(textAt(first), textBytes(first)));
  if (callee === FUNCTION_CONCAT) return putJoined(first, first, count, 0);
  if (callee === FUNCTION_CONCAT_WS) return putJoined(first, first + SLOT_BYTES, count - 1, first);
  if (callee === FUNCTION_LOWER || callee === FUNCTION_UPPER) return putCase(first, callee === FUNCTION_UPPER);
  if (callee === FUNCTION_TRIM) return putTrimmed(first);
  if (callee === FUNCTION_ABS) return absolute(first);
  const number = integerOf(first + SLOT_BYTES);
  if (callee === FUNCTION_SUBSTRING) {
    return putSubstring(first, number, count === 3 ? integerOf(first + 2 * SLOT_BYTES) : i64.MAX_VALUE);
  }
  if (number < 0) return errorAdd(ERROR_FUNCTION);
  const length = charactersOf(textAt(first), textBytes(first));
  const taken = <u32>min<i64>(number, length);
  putSlice(first, callee === FUNCTION_RIGHT ? length - taken : 0, taken);
}

/** Casts all arguments; false where one is missing, or by default cannot be cast. */
function argumentsCast(callee: u32, first: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) if (typeOf(first + i * SLOT_BYTES) === TYPE_MISSING) return false;
  const positions = callee === FUNCTION_LEFT || callee === FUNCTION_RIGHT || callee === FUNCTION_SUBSTRING;
  for (let i: u32 = 0; i < count; i++) {
    const slot = first + i * SLOT_BYTES;
    if (callee === FUNCTION_ABS) castNumeric(slot);
    else if (positions && i !== 0) castInteger(slot);
    else castText(slot);
    if (castFailed && !strict) return false;
  }
  return true;
}

function absolute(slot: u32): void {
  if (typeOf(slot) !== TYPE_INTEGER) return putNumber(slot, Math.abs(numberOf(slot)));
  const value = integerOf(slot);
  if (strict && value === -2147483648) {
    errorAdd(ERROR_MATH);
    putInteger(slot, 2147483647);
  } else if (value === i64.MIN_VALUE) {
    putNumber(slot, 9223372036854775808.0);
  } else {
    putInteger(slot, value < 0 ? -value : value);
  }
}
