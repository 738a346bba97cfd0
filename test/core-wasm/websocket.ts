/**
 * The client's half of RFC 6455 framing, kept apart from every library so that wrong frames can be made as well.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
import { join, utf8 } from "./wire.ts";

export const OPCODE_CONTINUATION = 0;
export const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;
export const OPCODE_CLOSE = 8;
export const OPCODE_PING = 9;
export const OPCODE_PONG = 10;

/** How a frame departs from a plain, final, masked one. */
export interface FrameOptions {
  /** Default true. */
  readonly fin?: boolean;
  /** Three bits, default 0. */
  readonly reserved?: number;
  /** Default true, as clients must. */
  readonly masked?: boolean;
  /** Four bytes; default a fixed key without zeros. */
  readonly key?: Uint8Array;
  /** Bytes of the length: 0, 2 or 8; default the shortest. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** Length told, where it shall lie. */
  readonly length?: bigint;
}

const DEFAULT_KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

function lengthField(length: bigint, lengthBytes: 0 | 2 | 8, maskBit: number): Uint8Array {
  if (lengthBytes === 0) return Uint8Array.of(maskBit | Number(length & 127n));
  const out = new Uint8Array(1 + lengthBytes);
  out[0] = maskBit | (lengthBytes === 2 ? 126 : 127);
  const view = new DataView(out.buffer);
  if (lengthBytes === 2) view.setUint16(1, Number(length & 0xffffn), false);
  else view.setBigUint64(1, BigInt.asUintN(64, length), false);
  return out;
}

/**
 * One WebSocket frame as a client sends it.
 *
 * @param opcode One of OPCODE_…, or a wrong one (0…15).
 * @param payload Unmasked bytes.
 * @param options Departures from a plain frame.
 * @returns The bytes on the wire.
 */
export function clientFrame(opcode: number, payload: Uint8Array, options: FrameOptions = {}): Uint8Array {
  const masked = options.masked ?? true;
  const length = options.length ?? BigInt(payload.length);
  const lengthBytes = options.lengthBytes ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const key = options.key ?? DEFAULT_KEY;
  const first = ((options.fin ?? true) ? 0x80 : 0) | ((options.reserved ?? 0) << 4) | opcode;
  const body = masked ? payload.map((byte, index) => byte ^ (key[index & 3] as number)) : payload;
  const head = lengthField(length, lengthBytes, masked ? 0x80 : 0);
  return join(Uint8Array.of(first), head, masked ? key : new Uint8Array(0), body);
}

/** A complete binary message. */
export function binaryMessage(payload: Uint8Array): Uint8Array {
  return clientFrame(OPCODE_BINARY, payload);
}

/** A complete text message. */
export function textMessage(text: string): Uint8Array {
  return clientFrame(OPCODE_TEXT, utf8(text));
}

/**
 * A close frame.
 *
 * @param code Absent: an empty body, which stands for 1005.
 */
export function closeMessage(code?: number, reason = ""): Uint8Array {
  if (code === undefined) return clientFrame(OPCODE_CLOSE, new Uint8Array(0));
  return clientFrame(OPCODE_CLOSE, join(Uint8Array.of(code >> 8, code & 255), utf8(reason)));
}

/** A frame as it came from the host. */
export interface ServerFrame {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/**
 * Parses what the core writes for a WebSocket.
 *
 * @param bytes Must end on a frame boundary.
 * @returns The frames, payloads as views.
 * @throws {RangeError} for a masked frame, a length that is not the shortest form, or a cut frame.
 */
export function serverFrames(bytes: Uint8Array): ServerFrame[] {
  const frames: ServerFrame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) throw new RangeError(`WebSocket head is cut at ${at} of ${bytes.length}`);
    const first = view.getUint8(at);
    const second = view.getUint8(at + 1);
    if (second >= 128) throw new RangeError(`A host must not mask, at ${at}`);
    let length = second;
    let start = at + 2;
    if (second === 126) {
      length = view.getUint16(start, false);
      if (length < 126) throw new RangeError(`Length ${length} is not in its shortest form at ${at}`);
      start += 2;
    } else if (second === 127) {
      length = Number(view.getBigUint64(start, false));
      if (length < 65536) throw new RangeError(`Length ${length} is not in its shortest form at ${at}`);
      start += 8;
    }
    if (start + length > bytes.length) throw new RangeError(`WebSocket frame of ${length} bytes is cut at ${at}`);
    frames.push({
      fin: first >= 128,
      reserved: (first >> 4) & 7,
      opcode: first & 15,
      payload: bytes.subarray(start, start + length),
    });
    at = start + length;
  }
  return frames;
}

/**
 * Puts fragments together.
 *
 * @param frames Frames in order, control frames between fragments allowed.
 * @returns Messages and control frames, each as `{ opcode, payload }`, in the order in which they end.
 * @throws {RangeError} for a wrong continuation, reserved bits or an open message at the end.
 */
export function serverMessages(frames: readonly ServerFrame[]): { opcode: number; payload: Uint8Array }[] {
  const messages: { opcode: number; payload: Uint8Array }[] = [];
  let open: { opcode: number; parts: Uint8Array[] } | undefined;
  for (const frame of frames) {
    if (frame.reserved !== 0) throw new RangeError("Reserved bits are set though no extension was negotiated");
    if (frame.opcode >= OPCODE_CLOSE) {
      if (!frame.fin || frame.payload.length > 125) throw new RangeError("A control frame is fragmented or too long");
      messages.push({ opcode: frame.opcode, payload: frame.payload });
      continue;
    }
    if ((frame.opcode === OPCODE_CONTINUATION) !== (open !== undefined)) throw new RangeError("Wrong continuation");
    open ??= { opcode: frame.opcode, parts: [] };
    open.parts.push(frame.payload);
    if (frame.fin) {
      messages.push({ opcode: open.opcode, payload: join(...open.parts) });
      open = undefined;
    }
  }
  if (open !== undefined) throw new RangeError("The last message is not finished");
  return messages;
}
