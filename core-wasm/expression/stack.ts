/**
 * The stack of the machine and the casts between its types. A slot: u32 TYPE_…, u32 bytes of a text, u64 payload (boolean 0
 * or 1, whole number, bits of a number, address of a text).
 *
 * A cast that fails says so in `errors` and gives what the dialect goes on with: "missing", or in CESQL the zero value.
 */
import {
  ERROR_CAST,
  EXPRESSION_STACK_MAX,
  TYPE_BOOLEAN,
  TYPE_INTEGER,
  TYPE_MISSING,
  TYPE_NUMBER,
  TYPE_TEXT,
} from "./code";
import { numberRead, numberReadKind, READ_INTEGER, READ_NONE, readInteger, readNumber } from "./numerals";
import { errorAdd, strict } from "./outcome";
import { scratchBoolean, scratchBytes, scratchInteger, scratchNumber } from "./scratch";

export const SLOT_BYTES: u32 = 16;
/** The first slot. */
export const stackAt: u32 = <u32>memory.data(1024, 16);
if (EXPRESSION_STACK_MAX * SLOT_BYTES !== 1024) ERROR("The stack has not the size of its slots");

/** The type of a slot. */
export function typeOf(slot: u32): u32 {
  return load<u32>(slot);
}

/** Puts "missing". */
export function putMissing(slot: u32): void {
  store<u32>(slot, TYPE_MISSING);
}

/** Puts a boolean. */
export function putBoolean(slot: u32, value: bool): void {
  store<u32>(slot, TYPE_BOOLEAN);
  store<u64>(slot, value ? 1 : 0, 8);
}

/** Puts a whole number. */
export function putInteger(slot: u32, value: i64): void {
  store<u32>(slot, TYPE_INTEGER);
  store<i64>(slot, value, 8);
}

/** Puts a number. */
export function putNumber(slot: u32, value: f64): void {
  store<u32>(slot, TYPE_NUMBER);
  store<f64>(slot, value, 8);
}

/** Puts a text that lies at `at`; it is not copied. */
export function putText(slot: u32, at: u32, bytes: u32): void {
  store<u32>(slot, TYPE_TEXT);
  store<u32>(slot, bytes, 4);
  store<u64>(slot, at, 8);
}

/** The whole number of a slot. */
export function integerOf(slot: u32): i64 {
  return load<i64>(slot, 8);
}

/** Where the text of a slot lies. */
export function textAt(slot: u32): u32 {
  return load<u32>(slot, 8);
}

/** Bytes of the text of a slot. */
export function textBytes(slot: u32): u32 {
  return load<u32>(slot, 4);
}

/** A numeric slot as a number. */
export function numberOf(slot: u32): f64 {
  return load<u32>(slot) === TYPE_INTEGER ? <f64>load<i64>(slot, 8) : load<f64>(slot, 8);
}

/** What goes on instead of a value that cannot be: "missing", in CESQL the given zero value. */
export function putZero(slot: u32, type: u32): void {
  if (!strict) putMissing(slot);
  else if (type === TYPE_BOOLEAN) putBoolean(slot, false);
  else if (type === TYPE_TEXT) putText(slot, stackAt, 0);
  else putInteger(slot, 0);
}

/** Whether the last cast failed. */
export let castFailed: bool = false;

function fail(slot: u32, type: u32): void {
  castFailed = true;
  errorAdd(ERROR_CAST);
  putZero(slot, type);
}

/** The slot as a boolean; missing is false. Sets castFailed. */
export function castBoolean(slot: u32): bool {
  castFailed = false;
  const type = load<u32>(slot);
  if (type === TYPE_BOOLEAN || type === TYPE_INTEGER) return load<u64>(slot, 8) !== 0;
  if (type === TYPE_NUMBER) {
    const value = load<f64>(slot, 8);
    return value < 0 || value > 0;
  }
  if (type === TYPE_TEXT) {
    const at = textAt(slot);
    if (textBytes(slot) === 4 && (load<u32>(at) | 0x20202020) === 0x65757274) return true;
    if (textBytes(slot) === 5 && (load<u32>(at) | 0x20202020) === 0x736c6166 && (load<u8>(at, 4) | 0x20) === 0x65)
      return false;
    castFailed = true;
    errorAdd(ERROR_CAST);
  }
  return false;
}

/** Makes a slot that is not missing numeric. Sets castFailed; then it is missing, or 0 in CESQL. */
export function castNumeric(slot: u32): void {
  castFailed = false;
  const type = load<u32>(slot);
  if (type === TYPE_INTEGER) return;
  if (type === TYPE_BOOLEAN) return putInteger(slot, <i64>load<u64>(slot, 8));
  if (type === TYPE_NUMBER) {
    // The pure language has no such type; an attribute that has it is text to it.
    if (!strict) return;
    castText(slot);
  }
  numberReadKind(textAt(slot), textBytes(slot), strict);
  if (numberRead === READ_NONE) fail(slot, TYPE_INTEGER);
  else if (numberRead === READ_INTEGER) putInteger(slot, readInteger);
  else putNumber(slot, readNumber);
}

/** Makes a slot that is not missing a whole number. Sets castFailed as castNumeric(). */
export function castInteger(slot: u32): void {
  castNumeric(slot);
  if (castFailed || load<u32>(slot) !== TYPE_NUMBER) return;
  const value = Math.trunc(load<f64>(slot, 8));
  if (value >= -9223372036854775808.0 && value < 9223372036854775808.0) putInteger(slot, <i64>value);
  else fail(slot, TYPE_INTEGER);
}

/** Makes a slot that is not missing a text. Where scratch is used up it is missing, or "" in CESQL. */
export function castText(slot: u32): void {
  castFailed = false;
  const type = load<u32>(slot);
  if (type === TYPE_TEXT) return;
  let at: u32;
  if (type === TYPE_BOOLEAN) at = scratchBoolean(load<u64>(slot, 8) !== 0);
  else if (type === TYPE_INTEGER) at = scratchInteger(load<i64>(slot, 8));
  else at = scratchNumber(load<f64>(slot, 8));
  if (at === 0) {
    castFailed = true;
    putZero(slot, TYPE_TEXT);
  } else {
    putText(slot, at, scratchBytes);
  }
}
