/**
 * Reads protobuf where it lies. A host is believed to write well-formed frames; what is not ends the session, and never reads
 * beyond its bytes.
 */
import { SluiceError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** Below it a loop over bytes is faster than a call of the decoder. */
const SHORT_BYTES = 24;

/** Behind what was read last. One reader is at work at a time, and asks at once. */
export let readEnd = 0;

/** A varint as a number, exact to 2^53. @throws {SluiceError} `malformed` beyond `end`. */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  if (first < 0x80 && at < end) {
    readEnd = at + 1;
    return first;
  }
  let value = 0;
  let factor = 1;
  for (let index = at; index < end && index < at + 10; index++) {
    const byte = bytes[index] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      readEnd = index + 1;
      return value;
    }
    factor *= 128;
  }
  throw malformed(at);
}

/** A length, of which so much is there. @returns Its end; the part begins at `readEnd`. */
export function readLength(bytes: Uint8Array, at: number, end: number): number {
  const length = readVarint(bytes, at, end);
  if (length > end - readEnd) throw malformed(at);
  return readEnd + length;
}

/** Behind a field whose tag was read. */
export function skipField(bytes: Uint8Array, at: number, end: number, wire: number): number {
  if (wire === 0) {
    readVarint(bytes, at, end);
    return readEnd;
  }
  const next = wire === 2 ? readLength(bytes, at, end) : wire === 1 ? at + 8 : wire === 5 ? at + 4 : end + 1;
  if (next > end) throw malformed(at);
  return next;
}

/** A text. @param decoder One that refuses what is no UTF-8, where that is asked. */
export function readText(bytes: Uint8Array, at: number, end: number, decoder = utf8): string {
  if (end - at > SHORT_BYTES) return decoder.decode(bytes.subarray(at, end));
  let text = "";
  for (let index = at; index < end; index++) {
    const byte = bytes[index] as number;
    if (byte > 0x7f) return decoder.decode(bytes.subarray(at, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** 64 bits with a sign, least byte first. */
export function readFixed64(bytes: Uint8Array, at: number): bigint {
  return viewOf(bytes).getBigInt64(at, true);
}

/** A double. */
export function readDouble(bytes: Uint8Array, at: number): number {
  return viewOf(bytes).getFloat64(at, true);
}

/** A varint in zigzag form, exact to 2^53: a double has no room for the sign beside that, so it is told apart first. */
export function readZigzag(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  const rest = first < 0x80 ? 0 : readVarint(bytes, at + 1, end);
  const value = rest * 64 + ((first & 0x7f) >> 1);
  return (first & 1) === 0 ? value : -value - 1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What the host has sent is no frame. */
export function malformed(at: number): SluiceError {
  return new SluiceError("malformed", `Cannot read a frame of the host at byte ${at}; is it of this version?`, {
    value: at,
  });
}
