/**
 * WebSocket frames that the host writes itself: JSON text, which it renders, and a goodbye when the core is gone.
 * All other framing is the core's. Servers do not mask. Source: RFC 6455 §5.2, §5.5.1.
 */

/** A final frame of text. */
export const OPCODE_TEXT = 1;
/** A final frame of binary data. */
export const OPCODE_BINARY = 2;
/** A close frame. */
export const OPCODE_CLOSE = 8;

/** Largest header that a server writes. */
export const HEADER_BYTES_MAX = 10;

/** Bytes of the header before a payload of `bytes` bytes. */
export function headerBytes(bytes: number): number {
  return bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
}

/**
 * Writes the header of a final frame.
 *
 * @param target Has room for {@link headerBytes} at `at`.
 * @param bytes Of the payload, below 2^32.
 * @returns Where the payload goes.
 */
export function writeHeader(target: Uint8Array, at: number, opcode: number, bytes: number): number {
  target[at] = 0x80 | opcode;
  if (bytes < 126) {
    target[at + 1] = bytes;
    return at + 2;
  }
  if (bytes < 65_536) {
    target[at + 1] = 126;
    target[at + 2] = bytes >>> 8;
    target[at + 3] = bytes & 255;
    return at + 4;
  }
  target[at + 1] = 127;
  target.fill(0, at + 2, at + 6);
  for (let index = 0; index < 4; index++) target[at + 6 + index] = (bytes >>> (24 - 8 * index)) & 255;
  return at + 10;
}

/** A complete final frame. */
export function websocketFrame(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(headerBytes(payload.length) + payload.length);
  frame.set(payload, writeHeader(frame, 0, opcode, payload.length));
  return frame;
}

/** The payloads of the binary frames among final frames without masks, one behind another. */
export function binaryPayloads(frames: Uint8Array): Uint8Array<ArrayBuffer> {
  const payloads = new Uint8Array(frames.length);
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
  let end = 0;
  for (let at = 0; at < frames.length; ) {
    const short = view.getUint8(at + 1);
    const bytes = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const payload = frames.subarray(at + headerBytes(bytes), at + headerBytes(bytes) + bytes);
    if (view.getUint8(at) === (0x80 | OPCODE_BINARY)) {
      payloads.set(payload, end);
      end += bytes;
    }
    at += headerBytes(bytes) + bytes;
  }
  return payloads.subarray(0, end);
}

/**
 * A close frame.
 *
 * @param code 1000 to 4999.
 * @param reason Cut at 123 bytes, as the protocol wants.
 */
export function closeFrame(code: number, reason: string): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(125);
  payload[0] = code >>> 8;
  payload[1] = code & 255;
  const { written } = new TextEncoder().encodeInto(reason, payload.subarray(2));
  return websocketFrame(OPCODE_CLOSE, payload.subarray(0, 2 + written));
}
