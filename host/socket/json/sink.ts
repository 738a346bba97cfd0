/**
 * Where JSON text is written as UTF-8 bytes: the lowest layer of the fast way out.
 *
 * Methods that take foreign bytes see to room themselves; `ascii()` and `whole()` leave it to the caller, who asks once
 * for a group of small parts.
 */
import { BACKSLASH, bytesOf, QUOTE } from "./scan.ts";

/** What one byte may grow to: a control character is written as \u and four digits. */
const ESCAPED_BYTES_MAX = 6;
/** Below this a loop copies faster than the call that sets up TypedArray.set(). */
const LOOP_BYTES_MAX = 48;
/** Largest whole number that is written digit by digit; more go by way of a string. */
const DIGITS_MAX = 0x7fff_ffff;

const hexDigits = bytesOf("0123456789abcdef");
const base64Characters = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
/** The letter after the backslash for bytes below 0x20; 0 where it takes \u00XX. */
const shortEscapes = new Uint8Array(32);
for (const [byte, letter] of ["\bb", "\tt", "\nn", "\ff", "\rr"].map((pair) => bytesOf(pair)))
  shortEscapes[byte as number] = letter as number;

/** A buffer that grows. */
export class Sink {
  bytes: Uint8Array;
  /** Where the next byte goes. */
  at = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `more` bytes. */
  room(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.at + more));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  /** Appends bytes that are JSON already. The caller has seen to room. */
  ascii(part: Uint8Array): void {
    const { bytes } = this;
    let { at } = this;
    for (let index = 0; index < part.length; index += 1) bytes[at++] = part[index] as number;
    this.at = at;
  }

  /** Appends [from, end) of `source`, which is JSON already. */
  copy(source: Uint8Array, from: number, end: number): void {
    this.room(end - from);
    const { bytes } = this;
    let { at } = this;
    if (end - from > LOOP_BYTES_MAX) {
      bytes.set(source.subarray(from, end), at);
      at += end - from;
    } else {
      for (let index = from; index < end; index += 1) bytes[at++] = source[index] as number;
    }
    this.at = at;
  }

  /** Appends a whole number below 2^53, in at most 16 bytes for which the caller has seen to room. */
  whole(value: number): void {
    if (value > DIGITS_MAX) {
      this.latin(String(value));
      return;
    }
    let digits = 1;
    for (let bound = 10; bound <= value; bound *= 10) digits += 1;
    let rest = value;
    for (let index = this.at + digits - 1; index >= this.at; index -= 1) {
      const next = (rest / 10) | 0;
      this.bytes[index] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.at += digits;
  }

  /** Appends a short string of ASCII that needs no escapes. */
  latin(text: string): void {
    this.room(text.length);
    for (let index = 0; index < text.length; index += 1) this.bytes[this.at++] = text.charCodeAt(index);
  }

  /** Appends [from, end) of `source`, which is UTF-8, as a JSON string; escaped as JSON.stringify() would. */
  text(source: Uint8Array, from: number, end: number): void {
    this.room(textRoom(source, from, end));
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = QUOTE;
    for (let index = from; index < end; index += 1) {
      const byte = source[index] as number;
      if (byte < 0x20) {
        at = escapeControl(bytes, at, byte);
        continue;
      }
      if (byte === QUOTE || byte === BACKSLASH) bytes[at++] = BACKSLASH;
      bytes[at++] = byte;
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }

  /** Appends [from, end) of `source` as a JSON string of padded base64. */
  base64(source: Uint8Array, from: number, end: number): void {
    this.room(Math.ceil((end - from) / 3) * 4 + 2);
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = QUOTE;
    for (let index = from; index < end; index += 3) {
      const left = end - index;
      const three =
        ((source[index] as number) << 16) |
        ((left > 1 ? (source[index + 1] as number) : 0) << 8) |
        (left > 2 ? (source[index + 2] as number) : 0);
      bytes[at++] = base64Characters[three >> 18] as number;
      bytes[at++] = base64Characters[(three >> 12) & 63] as number;
      bytes[at++] = left > 1 ? (base64Characters[(three >> 6) & 63] as number) : 0x3d;
      bytes[at++] = left > 2 ? (base64Characters[three & 63] as number) : 0x3d;
    }
    bytes[at++] = QUOTE;
    this.at = at;
  }
}

/** Room for a text with its quotes: the worst case for short ones, counted for long ones. */
function textRoom(source: Uint8Array, from: number, end: number): number {
  if (end - from < 4_096) return ESCAPED_BYTES_MAX * (end - from) + 2;
  let bytes = end - from + 2;
  for (let index = from; index < end; index += 1) {
    const byte = source[index] as number;
    if (byte < 0x20) bytes += ESCAPED_BYTES_MAX - 1;
    else if (byte === QUOTE || byte === BACKSLASH) bytes += 1;
  }
  return bytes;
}

function escapeControl(bytes: Uint8Array, from: number, byte: number): number {
  let at = from;
  bytes[at++] = BACKSLASH;
  const letter = shortEscapes[byte] as number;
  if (letter !== 0) {
    bytes[at++] = letter;
    return at;
  }
  bytes[at++] = 0x75;
  bytes[at++] = 0x30;
  bytes[at++] = 0x30;
  bytes[at++] = hexDigits[byte >> 4] as number;
  bytes[at++] = hexDigits[byte & 15] as number;
  return at;
}
