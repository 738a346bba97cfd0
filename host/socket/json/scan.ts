/**
 * Walks over JSON text as bytes, without making values: the grammar of RFC 8259, no more and no less.
 *
 * Every function takes the index of the first byte and returns the index behind what it read, or, where the text is not
 * JSON, `~index` of the byte that cannot be (always negative). The bytes are UTF-8 already checked by the core or by a
 * TextDecoder. Payloads are only walked over and copied, so big numbers and odd escapes in `data` arrive as they left.
 */
import { limits } from "../../limits.ts";

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const BRACE_OPEN = 0x7b;
export const BRACE_CLOSE = 0x7d;
export const BRACKET_OPEN = 0x5b;
export const BRACKET_CLOSE = 0x5d;
export const MINUS = 0x2d;
export const DOT = 0x2e;

const encoder = new TextEncoder();
const TRUE = bytesOf("true");
const FALSE = bytesOf("false");
const NULL = bytesOf("null");

/** ASCII text as bytes, for comparisons. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Whether `word` lies at `at`. Reading past the end gives undefined, which equals no byte. */
export function wordAt(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index += 1) {
    if (bytes[at + index] !== word[index]) return false;
  }
  return true;
}

/** Index of the first byte from `at` that is no white space. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let index = at;
  while (index < end) {
    const byte = bytes[index] as number;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return index;
    index += 1;
  }
  return index;
}

/** Skips one value of any kind. `depth` counts the containers around it; beyond limits.jsonDepth it fails. */
export function skipValue(bytes: Uint8Array, at: number, end: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at, end);
    case BRACE_OPEN:
      return skipObject(bytes, at, end, depth + 1);
    case BRACKET_OPEN:
      return skipArray(bytes, at, end, depth + 1);
    case 0x74:
      return skipWord(bytes, at, end, TRUE);
    case 0x66:
      return skipWord(bytes, at, end, FALSE);
    case 0x6e:
      return skipWord(bytes, at, end, NULL);
    default:
      return skipNumber(bytes, at, end);
  }
}

/** Skips a string; `at` is its opening quote. */
export function skipString(bytes: Uint8Array, at: number, end: number): number {
  let index = at + 1;
  while (index < end) {
    const byte = bytes[index] as number;
    if (byte === QUOTE) return index + 1;
    if (byte < 0x20) return ~index;
    if (byte === BACKSLASH) {
      index = skipEscape(bytes, index, end);
      if (index < 0) return index;
    } else {
      index += 1;
    }
  }
  return ~end;
}

/** Skips a number. */
export function skipNumber(bytes: Uint8Array, at: number, end: number): number {
  let index = bytes[at] === MINUS ? at + 1 : at;
  // A leading zero stands alone: 07 is no number.
  index = bytes[index] === 0x30 && index < end ? index + 1 : skipDigits(bytes, index, end);
  if (index >= 0 && index < end && bytes[index] === DOT) index = skipDigits(bytes, index + 1, end);
  if (index >= 0 && index < end && ((bytes[index] as number) | 0x20) === 0x65) {
    const sign = bytes[index + 1];
    index = skipDigits(bytes, sign === 0x2b || sign === MINUS ? index + 2 : index + 1, end);
  }
  return index;
}

/**
 * Whether [at, end) is exactly one JSON value, white space around it allowed.
 * The bytes need not be UTF-8; the caller checks that where it matters.
 */
export function isJsonValue(bytes: Uint8Array, at: number, end: number): boolean {
  const behind = skipValue(bytes, skipSpace(bytes, at, end), end, 0);
  return behind > 0 && skipSpace(bytes, behind, end) === end;
}

/** `at` is the opening brace; `depth` counts this object too. */
function skipObject(bytes: Uint8Array, at: number, end: number, depth: number): number {
  if (depth > limits.jsonDepth) return ~at;
  let index = skipSpace(bytes, at + 1, end);
  if (index < end && bytes[index] === BRACE_CLOSE) return index + 1;
  while (index < end) {
    if (bytes[index] !== QUOTE) return ~index;
    index = skipString(bytes, index, end);
    if (index < 0) return index;
    index = skipSpace(bytes, index, end);
    if (index >= end || bytes[index] !== COLON) return ~index;
    index = skipValue(bytes, skipSpace(bytes, index + 1, end), end, depth);
    if (index < 0) return index;
    index = skipSpace(bytes, index, end);
    if (index >= end) break;
    if (bytes[index] === BRACE_CLOSE) return index + 1;
    if (bytes[index] !== COMMA) return ~index;
    index = skipSpace(bytes, index + 1, end);
  }
  return ~end;
}

/** `at` is the opening bracket; `depth` counts this array too. */
function skipArray(bytes: Uint8Array, at: number, end: number, depth: number): number {
  if (depth > limits.jsonDepth) return ~at;
  let index = skipSpace(bytes, at + 1, end);
  if (index < end && bytes[index] === BRACKET_CLOSE) return index + 1;
  while (index < end) {
    index = skipValue(bytes, index, end, depth);
    if (index < 0) return index;
    index = skipSpace(bytes, index, end);
    if (index >= end) break;
    if (bytes[index] === BRACKET_CLOSE) return index + 1;
    if (bytes[index] !== COMMA) return ~index;
    index = skipSpace(bytes, index + 1, end);
  }
  return ~end;
}

/** true, false or null. */
function skipWord(bytes: Uint8Array, at: number, end: number, word: Uint8Array): number {
  const behind = at + word.length;
  return behind <= end && wordAt(bytes, at, word) ? behind : ~at;
}

/** At least one digit. */
function skipDigits(bytes: Uint8Array, at: number, end: number): number {
  let index = at;
  while (index < end && isDigit(bytes[index] as number)) index += 1;
  return index === at ? ~at : index;
}

/** `at` is the backslash. */
function skipEscape(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return ~end;
  const byte = bytes[at + 1] as number;
  if (byte === 0x75) {
    for (let index = at + 2; index < at + 6; index += 1) {
      if (index >= end || hexDigit(bytes[index] as number) < 0) return ~index;
    }
    return at + 6;
  }
  return escapedByte(byte) < 0 ? ~(at + 1) : at + 2;
}

/** Whether `byte` is 0 to 9. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The byte that a backslash and `byte` stand for; -1 where they stand for nothing, or for `\u`. */
export function escapedByte(byte: number): number {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return byte;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return -1;
  }
}

/** 0 to 15, or -1. */
export function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
