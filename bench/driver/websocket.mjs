// Just enough of RFC 6455 for a load driver: the upgrade, masked frames outwards, and counting inwards.
import { randomBytes } from "node:crypto";

export const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;
const CONTROL_BYTES_MAX = 125;
const HEAD_BYTES_MAX = 10;

/**
 * Makes one masked WebSocket message of one frame.
 *
 * @param {number} opcode OPCODE_…
 * @param {Buffer} payload Left as it is.
 * @param {Buffer} [mask] Four bytes. Random by default, as every client must; the cost of unmasking is the same for all.
 * @returns {Buffer}
 */
export function maskedMessage(opcode, payload, mask = randomBytes(4)) {
  const bytes = payload.length;
  const head = Buffer.alloc(bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (head.length === 2) head[1] = 0x80 | bytes;
  else if (head.length === 4) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(bytes, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(bytes), 2);
  }
  const masked = Buffer.from(payload);
  for (let i = 0; i < bytes; i++) masked[i] = /** @type {number} */ (masked[i]) ^ /** @type {number} */ (mask[i & 3]);
  return Buffer.concat([head, mask, masked]);
}

/**
 * Turns a raw connection into a WebSocket.
 *
 * @param {import('./wire.mjs').Wire} wire
 * @param {string} path
 * @param {string} [protocol] Subprotocol to ask for; the answer must name it.
 * @throws {Error} With the status line when the server refuses.
 */
export async function upgrade(wire, path, protocol) {
  const lines = [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    "Sec-WebSocket-Version: 13",
  ];
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  wire.socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const answer = (await wire.answerText("\r\n\r\n")).toString("latin1");
  const agreed = protocol === undefined || answer.toLowerCase().includes(`sec-websocket-protocol: ${protocol}`);
  if (!answer.startsWith("HTTP/1.1 101") || !agreed)
    throw new Error(`No upgrade to ${protocol ?? "WebSocket"}: ${answer.split("\r\n")[0]}`);
}

/**
 * @typedef {object} MessageHandlers
 * @property {(buffer: Buffer, from: number, to: number) => void} [part] Takes the part of a message that has arrived.
 * @property {() => void} [end] A message is complete.
 */

/** Takes the bytes that a server sends, tells messages apart and answers pings. */
export class WebSocketStepper {
  /** Messages whose head has arrived. */
  messages = 0;
  #left = 0;
  #split = Buffer.alloc(0);
  #wire;
  #part;
  #end;

  /** @param {import('./wire.mjs').Wire} wire @param {MessageHandlers} [handlers] */
  constructor(wire, handlers = {}) {
    this.#wire = wire;
    this.#part = handlers.part;
    this.#end = handlers.end;
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  consume(buffer, from, to) {
    if (this.#split.length > 0) {
      const joined = Buffer.concat([this.#split, buffer.subarray(from, to)]);
      this.#split = Buffer.alloc(0);
      this.#step(joined, 0, joined.length);
    } else this.#step(buffer, from, to);
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  #step(buffer, from, to) {
    let at = from;
    for (;;) {
      if (this.#left > 0) {
        const stop = Math.min(at + this.#left, to);
        this.#part?.(buffer, at, stop);
        this.#left -= stop - at;
        at = stop;
        if (this.#left > 0) return;
        this.#end?.();
      }
      if (at >= to) return;
      const head = headOf(buffer, at, to);
      if (head === null) break;
      const opcode = /** @type {number} */ (buffer[at]) & 15;
      if (opcode < OPCODE_CLOSE) {
        this.messages++;
        this.#left = head.bytes;
        at = head.body;
        continue;
      }
      if (head.body + head.bytes > to) break;
      this.#control(opcode, buffer.subarray(head.body, head.body + head.bytes));
      at = head.body + head.bytes;
    }
    this.#split = Buffer.from(buffer.subarray(at, to));
  }

  /** @param {number} opcode @param {Buffer} payload */
  #control(opcode, payload) {
    if (opcode === OPCODE_PING) this.#wire.socket.write(maskedMessage(OPCODE_PONG, payload));
    else if (opcode === OPCODE_CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      throw new Error(`The server closes the WebSocket with ${code} ${payload.toString("utf8", 2)}`);
    }
  }
}

/**
 * Reads the head of an unmasked frame.
 *
 * @param {Buffer} buffer @param {number} at @param {number} to
 * @returns {{ body: number, bytes: number } | null} Null where it is not complete.
 */
function headOf(buffer, at, to) {
  if (to - at < 2) return null;
  const short = /** @type {number} */ (buffer[at + 1]);
  if (short <= CONTROL_BYTES_MAX) return { body: at + 2, bytes: short };
  if (short > 127) throw new Error("A server must not mask");
  if (short === 126) return to - at < 4 ? null : { body: at + 4, bytes: buffer.readUInt16BE(at + 2) };
  return to - at < HEAD_BYTES_MAX ? null : { body: at + HEAD_BYTES_MAX, bytes: Number(buffer.readBigUInt64BE(at + 2)) };
}
