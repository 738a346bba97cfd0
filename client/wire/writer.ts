/**
 * Writes protobuf into one growing buffer. Lengths of nested parts are put in front afterwards; most of them take one byte,
 * for which room is left.
 */
import { SluiceError } from "../errors.ts";

const utf8 = new TextEncoder();
/** Below it a loop over characters is faster than a call of the encoder. */
const SHORT_CHARACTERS = 48;

/** See the head of this file. */
export class Writer {
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the next byte goes. */
  at: number;

  /** @param head Bytes left free in front, for what is known only at the end. */
  constructor(capacity: number, head = 0) {
    this.bytes = new Uint8Array(capacity);
    this.at = head;
  }

  /** Makes room for so many more bytes. */
  need(count: number): void {
    const wanted = this.at + count;
    if (wanted <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.at));
    this.bytes = bytes;
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.need(10);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.at++] = rest;
  }

  /** A whole number with a sign, of at most 53 bits beside it, in zigzag form. */
  zigzag(value: number): void {
    const sign = value < 0 ? 1 : 0;
    const size = value < 0 ? -value - 1 : value;
    const rest = Math.floor(size / 64);
    this.need(1);
    this.bytes[this.at++] = (size % 64) * 2 + sign + (rest === 0 ? 0 : 0x80);
    if (rest > 0) this.varint(rest);
  }

  /** Microseconds, or any 64 bits with a sign, least byte first. */
  fixed64(value: bigint): void {
    this.need(8);
    new DataView(this.bytes.buffer).setBigInt64(this.at, value, true);
    this.at += 8;
  }

  double(value: number): void {
    this.need(8);
    new DataView(this.bytes.buffer).setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** Bytes behind their length. */
  chunk(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.need(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** A text behind its length. */
  text(text: string): void {
    const start = this.open();
    const { length } = text;
    this.need(length * 3);
    if (length < SHORT_CHARACTERS) {
      const { bytes } = this;
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code > 0x7f) break;
        bytes[start + index] = code;
      }
      if (index === length) {
        this.at = start + length;
        return this.close(start);
      }
    }
    if (!text.isWellFormed()) {
      throw new SluiceError("not_utf8", "Cannot send a text with half of a surrogate pair, it is not UTF-8", {
        value: text.slice(0, 64).toWellFormed(),
      });
    }
    this.at = start + utf8.encodeInto(text, this.bytes.subarray(start)).written;
    this.close(start);
  }

  /** Begins a part whose length is not known yet. @returns What close() wants. */
  open(): number {
    this.need(1);
    return ++this.at;
  }

  /** Puts the length in front of the part that began there. */
  close(start: number): void {
    const length = this.at - start;
    if (length < 0x80) {
      this.bytes[start - 1] = length;
      return;
    }
    const more = varintBytes(length) - 1;
    this.need(more);
    this.bytes.copyWithin(start + more, start, this.at);
    this.at = start - 1;
    this.varint(length);
    this.at += length;
  }

  /** What was written behind the head, as a view. */
  done(from = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(from, this.at);
  }
}

/** How many bytes a whole number takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}
