/** Reads the protobuf wire format in place, for the fast way out. Source: https://protobuf.dev/programming-guides/encoding/ */

/**
 * A place in encoded fields.
 *
 * Whatever is not plainly readable sets `failed`; the slow way, protobuf-es, then decides. Bytes of the core are
 * well-formed, so in practice that means numbers beyond 2^53.
 */
export class FieldReader {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  failed = false;

  /** Goes to [at, …) of `bytes`. */
  start(bytes: Uint8Array, at: number): void {
    this.bytes = bytes;
    this.at = at;
    this.failed = false;
  }

  /** Reads a varint: a tag, a length, or a number below 2^53. */
  varint(): number {
    const { bytes } = this;
    const first = bytes[this.at++] as number;
    if (first < 0x80) return first;
    const second = bytes[this.at++] as number;
    if (second < 0x80) return (first & 0x7f) | (second << 7);
    let value = (first & 0x7f) | ((second & 0x7f) << 7);
    let scale = 16_384;
    for (let count = 2; count < 10; count += 1) {
      const byte = bytes[this.at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    this.failed = true;
    return 0;
  }

  /** Skips the value of a field by its tag. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 2) {
      // Not in one expression: `at` would be read before varint() moves it.
      const size = this.varint();
      this.at += size;
    } else if (wireType === 5) this.at += 4;
    else this.failed = true;
  }
}
