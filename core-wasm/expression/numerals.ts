/** Numbers written as text. */

export const READ_NONE: u32 = 0;
export const READ_INTEGER: u32 = 1;
export const READ_NUMBER: u32 = 2;

/** What numberReadKind() found, and the value. */
export let numberRead: u32 = 0;
export let readInteger: i64 = 0;
export let readNumber: f64 = 0;

/** Digits that a 64-bit mantissa holds. */
const DIGITS_MAX: u32 = 18;
/** Powers of ten that a double holds exactly. */
const EXACT_POWER: i32 = 22;
const powersAt: u32 = <u32>(
  memory.data<f64>([
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ])
);

/**
 * Reads `[+-]digits`, and unless `whole` also fractions and exponents. A whole number beyond 64 bits (32 where `whole`) is
 * none. Up to 15 digits and powers of ten within ±22 are exact; beyond, the last bits of a number may differ.
 */
export function numberReadKind(at: u32, bytes: u32, whole: bool): void {
  numberRead = READ_NONE;
  const end = at + bytes;
  if (at === end) return;
  const sign = load<u8>(at);
  const negative = sign === 0x2d;
  if (negative || sign === 0x2b) at++;
  let mantissa: u64 = 0;
  let digits: u32 = 0;
  let exponent: i32 = 0;
  let overflow = false;
  let seen = false;
  let plain = true;
  while (at < end && isDigit(load<u8>(at))) {
    seen = true;
    const digit = load<u8>(at++) - 0x30;
    if (digits < DIGITS_MAX || (digits === DIGITS_MAX && mantissa <= (u64.MAX_VALUE - digit) / 10)) {
      mantissa = mantissa * 10 + digit;
      if (mantissa !== 0) digits++;
    } else {
      overflow = true;
      exponent++;
    }
  }
  if (!whole && at < end && load<u8>(at) === 0x2e) {
    at++;
    plain = false;
    while (at < end && isDigit(load<u8>(at))) {
      seen = true;
      const digit = load<u8>(at++) - 0x30;
      if (digits >= DIGITS_MAX) continue;
      mantissa = mantissa * 10 + digit;
      if (mantissa !== 0) digits++;
      exponent--;
    }
  }
  if (!seen) return;
  if (!whole && at < end && (load<u8>(at) | 0x20) === 0x65) {
    at++;
    plain = false;
    let down = false;
    if (at < end && (load<u8>(at) === 0x2d || load<u8>(at) === 0x2b)) down = load<u8>(at++) === 0x2d;
    if (at === end) return;
    let power: i32 = 0;
    for (; at < end && isDigit(load<u8>(at)); at++) power = min<i32>(power * 10 + (load<u8>(at) - 0x30), 9999);
    exponent += down ? -power : power;
  }
  if (at !== end) return;
  if (plain) {
    const most: u64 = whole ? 0x80000000 : 0x8000000000000000;
    if (overflow || mantissa > (negative ? most : most - 1)) {
      if (whole) return;
    } else {
      readInteger = negative ? -(<i64>mantissa) : <i64>mantissa;
      numberRead = READ_INTEGER;
      return;
    }
  }
  readNumber = scaled(<f64>mantissa, exponent) * (negative ? -1 : 1);
  numberRead = READ_NUMBER;
}

function isDigit(c: u8): bool {
  return c - 0x30 <= 9;
}

/** value × 10^exponent. */
function scaled(value: f64, exponent: i32): f64 {
  if (value === 0) return 0;
  while (exponent > 0 && value < Infinity) {
    const step = min<i32>(exponent, EXACT_POWER);
    value *= load<f64>(powersAt + step * 8);
    exponent -= step;
  }
  while (exponent < 0 && value > 0) {
    const step = min<i32>(-exponent, EXACT_POWER);
    value /= load<f64>(powersAt + step * 8);
    exponent += step;
  }
  return value;
}
