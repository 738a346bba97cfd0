/** Writes the binary format into bytes that grow as needed. Its input has been read before, so it is bounded. */

const utf8 = new TextEncoder();

/** Bytes that are appended to. */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param room Bytes to begin with. */
  constructor(room = 256) {
    this.#bytes = new Uint8Array(room);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(...bytes: number[]): this {
    this.#need(bytes.length);
    for (const byte of bytes) this.#bytes[this.#length++] = byte;
    return this;
  }

  /** An unsigned LEB128 number below 2³². */
  u32(value: number): this {
    this.#need(5);
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** A signed LEB128 number of 32 bits. */
  s32(value: number): this {
    this.#need(5);
    let rest = value | 0;
    for (; rest > 63 || rest < -64; rest >>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest & 0x7f;
    return this;
  }

  /** Bytes of another array, from one offset to another. */
  raw(bytes: Uint8Array, from = 0, to = bytes.length): this {
    this.#need(to - from);
    this.#bytes.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), this.#length);
    this.#length += to - from;
    return this;
  }

  /** A text: its length, then UTF-8. */
  name(text: string): this {
    const bytes = utf8.encode(text);
    return this.u32(bytes.length).raw(bytes);
  }

  /** What another one has, behind its length. */
  sized(content: Writer): this {
    return this.u32(content.length).raw(content.view());
  }

  /** A section. */
  section(id: number, content: Writer): this {
    return this.u8(id).sized(content);
  }

  /** Begins anew and keeps the room. */
  clear(): this {
    this.#length = 0;
    return this;
  }

  /** What was written; valid until more is. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written, as bytes of its own. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #need(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.view());
    this.#bytes = larger;
  }
}
