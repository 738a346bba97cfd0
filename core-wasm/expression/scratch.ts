/** Scratch for the texts that one evaluation makes: taken one after another, all free again at the next evaluation. */
import { dtoa_buffered, itoa_buffered } from "util/number";
import { heapTake } from "../memory/heap";
import { ERROR_SCRATCH, EXPRESSION_SCRATCH_BYTES } from "./code";
import { errorAdd } from "./outcome";

let scratchAt: u32 = 0;
let used: u32 = 0;
/** Bytes of the text that the last function here wrote. */
export let scratchBytes: u32 = 0;
/** Where AssemblyScript's own formatting writes UTF-16. */
const wideAt: u32 = <u32>memory.data(128);

/** Forgets the room. */
export function scratchInit(): void {
  used = scratchAt = 0;
}

/** Takes the room, at the first program. Returns false where memory is used up. */
export function scratchMake(): bool {
  if (scratchAt === 0) scratchAt = heapTake(EXPRESSION_SCRATCH_BYTES);
  return scratchAt !== 0;
}

/** Frees all texts. */
export function scratchReset(): void {
  used = 0;
}

/** Room for a text; 0 with ERROR_SCRATCH where none is left. */
export function scratchTake(bytes: u32): u32 {
  if (bytes > EXPRESSION_SCRATCH_BYTES - used) {
    errorAdd(ERROR_SCRATCH);
    return 0;
  }
  const at = scratchAt + used;
  used += bytes;
  scratchBytes = bytes;
  return at;
}

/** `true` or `false`. */
export function scratchBoolean(value: bool): u32 {
  const at = scratchTake(value ? 4 : 5);
  if (at === 0) return 0;
  store<u32>(at, value ? 0x65757274 : 0x736c6166);
  if (!value) store<u8>(at, 0x65, 4);
  return at;
}

/** A whole number in base 10. */
export function scratchInteger(value: i64): u32 {
  return narrow(itoa_buffered<i64>(wideAt, value));
}

/** A number as ECMAScript writes it. */
export function scratchNumber(value: f64): u32 {
  let characters = dtoa_buffered<f64>(wideAt, value);
  // 1.0 is 1.
  if (
    characters > 2 &&
    load<u16>(wideAt + characters * 2 - 4) === 0x2e &&
    load<u16>(wideAt + characters * 2 - 2) === 0x30
  )
    characters -= 2;
  return narrow(characters);
}

function narrow(characters: u32): u32 {
  const at = scratchTake(characters);
  if (at === 0) return 0;
  for (let i: u32 = 0; i < characters; i++) store<u8>(at + i, load<u8>(wideAt + i * 2));
  return at;
}

/** A moment in RFC 3339, UTC, with milliseconds, or microseconds where they are not 0. */
export function scratchMoment(timeUs: i64): u32 {
  const at = scratchTake(27);
  if (at === 0) return 0;
  const DAY: i64 = 86400000000;
  let days = timeUs / DAY;
  let rest = timeUs % DAY;
  if (rest < 0) {
    rest += DAY;
    days--;
  }
  // Days to a date of the proleptic Gregorian calendar, counted from 0000-03-01 in eras of 400 years.
  days += 719468;
  const era = (days >= 0 ? days : days - 146096) / 146097;
  const dayOfEra = <u32>(days - era * 146097);
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shifted = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * shifted + 2) / 5 + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = <u32>(era * 400) + yearOfEra + (month <= 2 ? 1 : 0);
  const seconds = <u32>(rest / 1000000);
  const micros = <u32>(rest % 1000000);
  digits(at, year, 4);
  store<u8>(at, 0x2d, 4);
  digits(at + 5, month, 2);
  store<u8>(at, 0x2d, 7);
  digits(at + 8, day, 2);
  store<u8>(at, 0x54, 10);
  digits(at + 11, seconds / 3600, 2);
  store<u8>(at, 0x3a, 13);
  digits(at + 14, (seconds / 60) % 60, 2);
  store<u8>(at, 0x3a, 16);
  digits(at + 17, seconds % 60, 2);
  store<u8>(at, 0x2e, 19);
  const fine = micros % 1000 !== 0;
  digits(at + 20, fine ? micros : micros / 1000, fine ? 6 : 3);
  scratchBytes = fine ? 27 : 24;
  store<u8>(at + scratchBytes - 1, 0x5a);
  return at;
}

function digits(at: u32, value: u32, count: u32): void {
  for (let i = count; i-- > 0; ) {
    store<u8>(at + i, <u8>(0x30 + (value % 10)));
    value /= 10;
  }
}
