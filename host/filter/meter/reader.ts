/** Reads the binary format within bounds. Every method throws {@link Unreadable} and never reads beyond the end. */
import { Unreadable } from "./refusal.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A stretch of a module's bytes with a place to read at. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Offset of the byte to be read. */
  at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** One byte. */
  u8(): number {
    if (this.at >= this.end) throw new Unreadable(this.at, "it ends too early");
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 number of 32 bits. */
  u32(): number {
    const from = this.at;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      // The fifth byte has room for four bits: more, or a sixth byte, is no number of 32 bits.
      if (shift === 28 && byte > 0x0f) throw new Unreadable(from, "a number is longer than 32 bits");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /**
   * A signed LEB128 number.
   *
   * @param bits 32, 33 or 64.
   * @returns Its value where it has no more than 32 bits, else only those.
   */
  signed(bits: number): number {
    const from = this.at;
    const bytesMax = Math.ceil(bits / 7);
    let value = 0;
    for (let i = 0; i < bytesMax; i++) {
      const byte = this.u8();
      if (i < 5) value |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      if (i < 4 && (byte & 0x40) !== 0) value |= -1 << (7 * (i + 1));
      if (i === bytesMax - 1 && !isExtension(byte, bits - 7 * i)) break;
      return value;
    }
    throw new Unreadable(from, `a number is longer than ${bits} bits`);
  }

  /** Leaves out bytes. */
  skip(count: number): void {
    if (count > this.end - this.at) throw new Unreadable(this.at, `it ends before ${count} more bytes`);
    this.at += count;
  }

  /** A text: its length, then UTF-8. */
  name(): string {
    const count = this.u32();
    const from = this.at;
    this.skip(count);
    try {
      return utf8.decode(this.bytes.subarray(from, this.at));
    } catch {
      throw new Unreadable(from, "a name is not UTF-8");
    }
  }

  /** Holds that everything was read. */
  finish(): void {
    if (this.at !== this.end) throw new Unreadable(this.at, `${this.end - this.at} bytes follow its end`);
  }
}

/** Whether the bits of a last byte above the number's own repeat its sign. */
function isExtension(byte: number, ownBits: number): boolean {
  const above = (byte & 0x7f) >> (ownBits - 1);
  return above === 0 || above === 0x7f >> (ownBits - 1);
}
