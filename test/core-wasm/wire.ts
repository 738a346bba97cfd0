/**
 * Protobuf bytes by hand, for what protobuf-es would never write: other field orders, padded varints, repeated
 * singular fields, wrong wire types, lengths that lie.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/
 */

/** Wire types of a tag. */
export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_GROUP_START = 3;
export const WIRE_GROUP_END = 4;
export const WIRE_FIXED32 = 5;

const encoder = new TextEncoder();

/**
 * Joins byte strings.
 *
 * @param parts Copied in order.
 * @returns A new array of their bytes.
 */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Bytes from numbers, for short literals.
 *
 * @param values Each 0…255.
 * @returns The bytes.
 */
export function raw(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

/**
 * UTF-8 of a string.
 *
 * @param text Any string.
 * @returns Its bytes.
 */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * A varint, padded with continuation bytes where asked.
 *
 * @param value Taken modulo 2^64.
 * @param bytesMin Least number of bytes; beyond the shortest form the rest is 0x80 … 0x00, which decoders must accept
 *   up to 10 bytes in all.
 * @returns The bytes.
 */
export function varint(value: number | bigint, bytesMin = 1): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest > 127n || out.length + 1 < bytesMin) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

/**
 * A tag.
 *
 * @param field Field number.
 * @param wireType One of WIRE_….
 * @param bytesMin Padding, as in varint().
 */
export function tag(field: number, wireType: number, bytesMin = 1): Uint8Array {
  return varint((BigInt(field) << 3n) | BigInt(wireType), bytesMin);
}

/** A varint field. */
export function varintField(field: number, value: number | bigint, bytesMin = 1): Uint8Array {
  return join(tag(field, WIRE_VARINT), varint(value, bytesMin));
}

/** A length-delimited field; text is written as UTF-8. */
export function bytesField(field: number, value: Uint8Array | string, lengthBytesMin = 1): Uint8Array {
  const bytes = typeof value === "string" ? utf8(value) : value;
  return join(tag(field, WIRE_BYTES), varint(bytes.length, lengthBytesMin), bytes);
}

/** A 64-bit field, little-endian. */
export function fixed64Field(field: number, value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
  return join(tag(field, WIRE_FIXED64), out);
}

/** A 32-bit field, little-endian. */
export function fixed32Field(field: number, value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value, true);
  return join(tag(field, WIRE_FIXED32), out);
}

/**
 * Precedes a frame by its size, as on TCP.
 *
 * @param frame The frame.
 * @param lengthBytesMin Padding, as in varint().
 */
export function sizeDelimited(frame: Uint8Array, lengthBytesMin = 1): Uint8Array {
  return join(varint(frame.length, lengthBytesMin), frame);
}

/**
 * Reads one varint.
 *
 * @returns Its value (below 2^53) and the offset behind it; undefined where the bytes end within it.
 * @throws {RangeError} beyond 10 bytes or 2^53.
 */
export function readVarint(bytes: Uint8Array, offset: number): { value: number; next: number } | undefined {
  let value = 0n;
  for (let index = 0; index < 10; index++) {
    const byte = bytes[offset + index];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 127) << BigInt(7 * index);
    if (byte < 128) {
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`Varint ${value} at ${offset} is too large`);
      return { value: Number(value), next: offset + index + 1 };
    }
  }
  throw new RangeError(`Varint at ${offset} has more than 10 bytes`);
}

/**
 * Splits a stream of size-delimited frames.
 *
 * @param bytes Must end on a frame boundary: what drain() writes always does.
 * @returns Views of the frames without their sizes.
 * @throws {RangeError} where a frame is cut.
 */
export function splitSizeDelimited(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const size = readVarint(bytes, offset);
    if (size === undefined || size.next + size.value > bytes.length) {
      throw new RangeError(`A frame is cut at offset ${offset} of ${bytes.length} bytes`);
    }
    frames.push(bytes.subarray(size.next, size.next + size.value));
    offset = size.next + size.value;
  }
  return frames;
}
