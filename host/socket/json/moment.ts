/**
 * Moments: RFC 3339 text ↔ microseconds since 1970-01-01T00:00:00Z, which is how events carry them.
 *
 * Source: RFC 3339 §5.6. Narrower in one point: a leap second (:60) is refused, as in JavaScript, because the count of
 * microseconds has no place for it. Digits beyond the microsecond are cut off.
 */

/** 0001-01-01T00:00:00Z, the bound of the core. */
export const MOMENT_US_MIN = -62_135_596_800_000_000n;
/** 9999-12-31T23:59:59.999999Z, the bound of the core. */
export const MOMENT_US_MAX = 253_402_300_799_999_999n;

/** Days from 0000-03-01 to 1970-01-01 in the proleptic Gregorian calendar. */
const DAYS_TO_1970 = 719_468;
const SECONDS_OF_DAY = 86_400;

const moment = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads an RFC 3339 moment.
 *
 * @returns Microseconds, perhaps beyond MOMENT_US_MIN…MAX (year 0, offsets at the ends); undefined where it is none.
 */
export function microsFromMoment(text: string): bigint | undefined {
  const match = moment.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offset = (match[8] === "-" ? -1 : 1) * (offsetHours * 3_600 + offsetMinutes * 60);
  const seconds = daysFromDate(year, month, day) * SECONDS_OF_DAY + hour * 3_600 + minute * 60 + second - offset;
  const micros = Number((match[7] ?? "").slice(0, 6).padEnd(6, "0"));
  return BigInt(seconds) * 1_000_000n + BigInt(micros);
}

/** `2026-01-01T00:00:00` and how its separators lie. */
const SECOND_BYTES = 19;
const separators = [
  [4, 0x2d],
  [7, 0x2d],
  [10, 0x54],
  [13, 0x3a],
  [16, 0x3a],
] as const;

/**
 * Reads a moment of the usual form (UTC with a `Z`, at most six digits of the second, years 1970 to 2254) from bytes.
 *
 * @returns Microseconds, exact in a double; NaN for anything else, which {@link microsFromMoment} may take.
 */
export function microsFromBytes(bytes: Uint8Array, at: number, end: number): number {
  const fraction = end - at - SECOND_BYTES - 2;
  if (fraction > 6 || fraction === 0 || fraction < -1 || bytes[end - 1] !== 0x5a) return Number.NaN;
  for (const [offset, byte] of separators) if (bytes[at + offset] !== byte) return Number.NaN;
  const year = 100 * twoDigits(bytes, at) + twoDigits(bytes, at + 2);
  const month = twoDigits(bytes, at + 5);
  const day = twoDigits(bytes, at + 8);
  const hour = twoDigits(bytes, at + 11);
  const minute = twoDigits(bytes, at + 14);
  const second = twoDigits(bytes, at + 17);
  if (!(year >= 1970 && year <= 2254 && month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month)))
    return Number.NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
  let micros = 0;
  if (fraction > 0) {
    if (bytes[at + SECOND_BYTES] !== 0x2e) return Number.NaN;
    for (let index = 0; index < 6; index += 1) {
      const digit = index < fraction ? (bytes[at + SECOND_BYTES + 1 + index] as number) - 0x30 : 0;
      if (!(digit >= 0 && digit <= 9)) return Number.NaN;
      micros = micros * 10 + digit;
    }
  }
  return (daysFromDate(year, month, day) * SECONDS_OF_DAY + hour * 3_600 + minute * 60 + second) * 1_000_000 + micros;
}

/** NaN where they are no digits. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const high = (bytes[at] as number) - 0x30;
  const low = (bytes[at + 1] as number) - 0x30;
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? 10 * high + low : Number.NaN;
}

/**
 * Writes a moment in UTC with three digits of the second, or six where the microseconds are not whole milliseconds.
 *
 * @returns undefined beyond MOMENT_US_MIN…MAX, which RFC 3339 cannot say.
 */
export function momentFromMicros(us: bigint): string | undefined {
  if (us < MOMENT_US_MIN || us > MOMENT_US_MAX) return undefined;
  const micros = Number(((us % 1_000_000n) + 1_000_000n) % 1_000_000n);
  const seconds = Number((us - BigInt(micros)) / 1_000_000n);
  return secondText(seconds) + fractionText(micros);
}

/** `2026-01-01T00:00:00`, without fraction and zone. */
export function secondText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(0, 19);
}

/** `.123Z` or `.123456Z`. */
function fractionText(micros: number): string {
  const digits = String(micros).padStart(6, "0");
  return `.${digits.endsWith("000") ? digits.slice(0, 3) : digits}Z`;
}

/** Days since 1970-01-01, in a calendar whose year begins in March so that the leap day comes last. */
function daysFromDate(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const monthFromMarch = (month + 9) % 12;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return 365 * y + leapDays + Math.floor((153 * monthFromMarch + 2) / 5) + day - 1 - DAYS_TO_1970;
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
