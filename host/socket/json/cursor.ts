/**
 * A place in JSON text, moved by methods that read one thing each and say whether it was there.
 *
 * This is the base of the fast way in (event-writer.ts). It makes no values but numbers: a text is told by where its
 * bytes lie. Whatever it does not take, right or wrong, is left to reader.ts and the schemas, which also say why.
 */
import {
  BACKSLASH,
  DOT,
  escapedByte,
  hexDigit,
  isDigit,
  MINUS,
  QUOTE,
  skipNumber,
  skipSpace,
  skipString,
} from "./scan.ts";

/** 10^0 … 10^22: the powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Digits that a double always holds exactly. */
const EXACT_DIGITS_MAX = 15;

const NOTHING = new Uint8Array(0);

/** Reads from `input`, between `at` and `end`. */
export class Cursor {
  input: Uint8Array = NOTHING;
  at = 0;
  end = 0;
  /** The last text: its bytes, without quotes and escapes, lie at [textAt, textEnd) of `text`. */
  text: Uint8Array = NOTHING;
  textAt = 0;
  textEnd = 0;
  /** The last number. */
  number = 0;
  /** Where texts with escapes are written out. */
  #plain: Uint8Array = NOTHING;

  /** Begins with a new text. */
  start(input: Uint8Array): void {
    this.input = input;
    this.at = 0;
    this.end = input.length;
  }

  /** Moves over white space, and over `byte` if it is there. */
  takes(byte: number): boolean {
    this.space();
    if (this.at >= this.end || this.input[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }

  /** Moves over white space. */
  space(): void {
    const next = this.input[this.at];
    if (next !== undefined && next <= 0x20) this.at = skipSpace(this.input, this.at, this.end);
  }

  /** Reads a string into `text`. False also for a lone surrogate. */
  readText(): boolean {
    const { input, end } = this;
    let index = this.at;
    if (index >= end || input[index] !== QUOTE) return false;
    index += 1;
    while (index < end) {
      const byte = input[index] as number;
      if (byte === QUOTE) {
        this.text = input;
        this.textAt = this.at + 1;
        this.textEnd = index;
        this.at = index + 1;
        return true;
      }
      if (byte === BACKSLASH) return this.#readEscaped();
      if (byte < 0x20) return false;
      index += 1;
    }
    return false;
  }

  /** Reads a number into `number`. False also where it is beyond a double. */
  readNumber(): boolean {
    const { input, end } = this;
    let index = this.at;
    const negative = input[index] === MINUS;
    if (negative) index += 1;
    const first = index;
    let digits = 0;
    while (index < end && isDigit(input[index] as number)) {
      digits = digits * 10 + (input[index] as number) - 0x30;
      index += 1;
    }
    let count = index - first;
    if (count === 0 || (count > 1 && input[first] === 0x30)) return false;
    let power = 0;
    if (index < end && input[index] === DOT) {
      const point = ++index;
      while (index < end && isDigit(input[index] as number)) {
        digits = digits * 10 + (input[index] as number) - 0x30;
        index += 1;
      }
      power = index - point;
      if (power === 0) return false;
      count += power;
    }
    if (count > EXACT_DIGITS_MAX || power > 22 || (index < end && ((input[index] as number) | 0x20) === 0x65)) {
      return this.#readLongNumber();
    }
    // Both are exact, so the quotient is correctly rounded. Source: W. D. Clinger, How to read floating point numbers
    // accurately, PLDI 1990.
    const value = digits / (POWERS[power] as number);
    this.number = negative ? -value : value;
    this.at = index;
    return true;
  }

  /** Whether the last text is `word`. */
  textIs(word: Uint8Array): boolean {
    const { text, textAt } = this;
    if (this.textEnd - textAt !== word.length) return false;
    for (let index = 0; index < word.length; index += 1) {
      if (text[textAt + index] !== word[index]) return false;
    }
    return true;
  }

  /** The last text as a string. */
  textString(): string {
    return decoder.decode(this.text.subarray(this.textAt, this.textEnd));
  }

  /** More digits than a double holds exactly, or an exponent: JavaScript rounds correctly. */
  #readLongNumber(): boolean {
    const behind = skipNumber(this.input, this.at, this.end);
    if (behind < 0) return false;
    this.number = Number(decoder.decode(this.input.subarray(this.at, behind)));
    this.at = behind;
    return Number.isFinite(this.number);
  }

  /** A string with escapes, which are written out aside. `at` is its opening quote still. */
  #readEscaped(): boolean {
    const behind = skipString(this.input, this.at, this.end);
    if (behind < 0) return false;
    const bytes = behind - this.at;
    if (this.#plain.length < bytes) this.#plain = new Uint8Array(2 * bytes);
    const plain = this.#plain;
    const written = unescapeInto(this.input, this.at + 1, behind - 1, plain);
    if (written < 0) return false;
    this.text = plain;
    this.textAt = 0;
    this.textEnd = written;
    this.at = behind;
    return true;
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes the content of a string, which skipString() has passed, without escapes. It never grows.
 *
 * @returns Bytes written; -1 for a lone surrogate.
 */
function unescapeInto(input: Uint8Array, from: number, end: number, out: Uint8Array): number {
  let at = from;
  let to = 0;
  while (at < end) {
    const byte = input[at] as number;
    if (byte !== BACKSLASH) {
      out[to++] = byte;
      at += 1;
    } else if (input[at + 1] !== 0x75) {
      out[to++] = escapedByte(input[at + 1] as number);
      at += 2;
    } else {
      let point = hexAt(input, at + 2);
      at += 6;
      if (point >= 0xdc00 && point <= 0xdfff) return -1;
      if (point >= 0xd800 && point <= 0xdbff) {
        const low = at + 6 <= end && input[at] === BACKSLASH && input[at + 1] === 0x75 ? hexAt(input, at + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff) return -1;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
      to = utf8Into(out, to, point);
    }
  }
  return to;
}

/** Four hexadecimal digits, which skipString() has seen. */
function hexAt(input: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + 4; index += 1) value = (value << 4) | hexDigit(input[index] as number);
  return value;
}

/** One code point as UTF-8 (RFC 3629 §3). */
function utf8Into(out: Uint8Array, at: number, point: number): number {
  let to = at;
  if (point < 0x80) {
    out[to++] = point;
    return to;
  }
  if (point < 0x800) {
    out[to++] = 0xc0 | (point >> 6);
  } else {
    if (point < 0x10000) {
      out[to++] = 0xe0 | (point >> 12);
    } else {
      out[to++] = 0xf0 | (point >> 18);
      out[to++] = 0x80 | ((point >> 12) & 0x3f);
    }
    out[to++] = 0x80 | ((point >> 6) & 0x3f);
  }
  out[to++] = 0x80 | (point & 0x3f);
  return to;
}
