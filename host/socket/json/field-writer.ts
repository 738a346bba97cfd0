/**
 * Writes protobuf fields from JSON values, bytes to bytes: the middle layer of the fast way in.
 *
 * As in cursor.ts, false means that the value is not plainly what the field takes.
 */
import { Cursor } from "./cursor.ts";
import { MOMENT_US_MAX, MOMENT_US_MIN, microsFromBytes, microsFromMoment } from "./moment.ts";
import { bytesOf } from "./scan.ts";

/** Below this a loop copies faster than the call that sets up TypedArray.set(). */
const LOOP_BYTES_MAX = 96;
/** Texts that fill the output at most double: a name of one letter with a short number (7 bytes) takes 16. */
const GROWTH = 2;
/** What is kept between texts; larger buffers go after use. */
const KEPT_BYTES = 262_144;

/** Reads from `input` and writes to `out`. */
export class FieldWriter extends Cursor {
  out: Uint8Array = new Uint8Array(KEPT_BYTES);
  /** Where the next byte goes. */
  to = 0;
  view = new DataView(this.out.buffer);

  /** Begins with a new text; `head` bytes at the beginning of `out` are left free. */
  override start(input: Uint8Array, head = 0): void {
    super.start(input);
    const room = GROWTH * input.length + head + 64;
    if (room > this.out.length || this.out.length > KEPT_BYTES) {
      this.out = new Uint8Array(Math.max(room, KEPT_BYTES));
      this.view = new DataView(this.out.buffer);
    }
    this.to = head;
  }

  /** Writes a whole number below 2^53. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.out[this.to++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.out[this.to++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.out[this.to++] = rest;
  }

  /** Writes the last text as a field. */
  writeText(tag: number): void {
    this.out[this.to++] = tag;
    this.varint(this.textEnd - this.textAt);
    this.copy(this.text, this.textAt, this.textEnd);
  }

  /** A text of at most `bytesMax` bytes; an empty one is absent. */
  textField(tag: number, bytesMax: number): boolean {
    if (!this.readText()) return false;
    const bytes = this.textEnd - this.textAt;
    if (bytes > bytesMax) return false;
    if (bytes > 0) this.writeText(tag);
    return true;
  }

  /** An RFC 3339 moment, as microseconds of 64 bits. */
  momentField(tag: number): boolean {
    if (!this.readText()) return false;
    const micros = microsFromBytes(this.text, this.textAt, this.textEnd);
    if (micros >= 0) {
      this.out[this.to] = tag;
      this.view.setUint32(this.to + 1, micros >>> 0, true);
      this.view.setUint32(this.to + 5, micros / 0x1_0000_0000, true);
      this.to += 9;
      return true;
    }
    const us = microsFromMoment(this.textString());
    if (us === undefined || us < MOMENT_US_MIN || us > MOMENT_US_MAX) return false;
    this.out[this.to++] = tag;
    this.view.setBigInt64(this.to, us, true);
    this.to += 8;
    return true;
  }

  /** A whole number from 0 to `max`. */
  wholeField(tag: number, max: number): boolean {
    if (!this.readNumber()) return false;
    const value = this.number;
    if (!(value >= 0 && value <= max && Number.isInteger(value))) return false;
    this.out[this.to++] = tag;
    this.varint(value);
    return true;
  }

  /** The bytes that a text stands for: padded base64 without stray bits (RFC 4648 §4). */
  base64Field(tag: number): boolean {
    if (!this.readText()) return false;
    const { text, textAt: from, textEnd: end } = this;
    const characters = end - from;
    if (characters % 4 !== 0) return false;
    const padding = characters === 0 || text[end - 1] !== 0x3d ? 0 : text[end - 2] === 0x3d ? 2 : 1;
    this.out[this.to++] = tag;
    this.varint((characters / 4) * 3 - padding);
    const { out } = this;
    let bits = 0;
    for (let index = from; index < end - padding; index += 1) {
      const six = sixBits[text[index] as number] as number;
      if (six === 64) return false;
      bits = ((bits << 6) | six) & 0xff_ffff;
      // Where in its group of four the character stands decides how many bytes are complete.
      const place = (index - from) & 3;
      if (place > 0) out[this.to++] = (bits >> (6 - 2 * place)) & 0xff;
    }
    return padding === 0 || (bits & (padding === 1 ? 3 : 15)) === 0;
  }

  /** Appends bytes. */
  copy(source: Uint8Array, from: number, end: number): void {
    const { out } = this;
    let { to } = this;
    if (end - from > LOOP_BYTES_MAX) {
      out.set(source.subarray(from, end), to);
      to += end - from;
    } else {
      for (let index = from; index < end; index += 1) out[to++] = source[index] as number;
    }
    this.to = to;
  }
}

/** Value of each base64 character, 64 for others. */
const sixBits = new Uint8Array(256).fill(64);
bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").forEach((byte, value) => {
  sixBits[byte] = value;
});

/** Bytes of a varint below 2^53. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}
