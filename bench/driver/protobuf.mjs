// A protobuf writer and reader of the size that a load driver needs. Held against protobuf-es by test/bench.
// The driver does not use the generated code, so that a fault there cannot hide in both ends.

/** @param {number} value A safe non-negative integer. @returns {Buffer} */
export function varint(value) {
  const bytes = [];
  while (value >= 128) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
  return Buffer.from(bytes);
}

const WIRE_VARINT = 0;
const WIRE_64 = 1;
const WIRE_BYTES = 2;
const WIRE_32 = 5;

/** @param {number} field @param {number} value A safe non-negative integer. */
export const integerField = (field, value) => Buffer.concat([varint(field * 8 + WIRE_VARINT), varint(value)]);

/** @param {number} field @param {bigint} value */
export function fixed64Field(field, value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return Buffer.concat([varint(field * 8 + WIRE_64), bytes]);
}

/** @param {number} field @param {number} value */
export function doubleField(field, value) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + WIRE_64), bytes]);
}

/** @param {number} field @param {Buffer | string} value Text becomes UTF-8. */
export function bytesField(field, value) {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(field * 8 + WIRE_BYTES), varint(bytes.length), bytes]);
}

/** Puts the size before a frame. @param {Buffer} frame */
export const sizeDelimited = (frame) => Buffer.concat([varint(frame.length), frame]);

/**
 * Reads a varint.
 *
 * @param {Buffer} buffer @param {number} at
 * @returns {{ value: number, next: number } | null} Null where it is not complete.
 */
export function readVarint(buffer, at) {
  let value = 0;
  let scale = 1;
  for (let i = at; i < buffer.length; i++) {
    const byte = /** @type {number} */ (buffer[i]);
    value += (byte & 127) * scale;
    if (byte < 128) return { value, next: i + 1 };
    scale *= 128;
  }
  return null;
}

/**
 * Reads the fields of one message; a repeated field keeps its last value.
 *
 * @param {Buffer} message
 * @returns {Map<number, number | Buffer>} Field number → integer, or the bytes of anything else.
 * @throws {Error} Where it is no protobuf.
 */
export function readFields(message) {
  const fields = new Map();
  let at = 0;
  const next = () => {
    const read = readVarint(message, at);
    if (read === null) throw new Error(`Truncated varint at ${at} of ${message.length} bytes`);
    at = read.next;
    return read.value;
  };
  while (at < message.length) {
    const key = next();
    const wire = key % 8;
    if (wire === WIRE_VARINT) {
      fields.set(key >>> 3, next());
      continue;
    }
    const bytes = wire === WIRE_BYTES ? next() : wire === WIRE_64 ? 8 : wire === WIRE_32 ? 4 : -1;
    if (bytes < 0 || at + bytes > message.length)
      throw new Error(`Field ${key >>> 3} at ${at} does not fit its message`);
    fields.set(key >>> 3, message.subarray(at, at + bytes));
    at += bytes;
  }
  return fields;
}
