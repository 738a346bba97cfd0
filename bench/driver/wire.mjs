// A raw TCP connection: during set-up its bytes are kept until understood, afterwards each chunk goes to a consumer.
import { once } from "node:events";
import net from "node:net";
import { HOST } from "./process.mjs";

const READ_BYTES = 262_144;
const ANSWER_MS = 30_000;

/**
 * Something that counts what arrives. It must take `b[from, to)` before it returns: the buffer is used again.
 *
 * @typedef {{ consume(b: Buffer, from: number, to: number): void }} Consumer
 */

export class Wire {
  /** @type {Buffer} */ #kept = Buffer.alloc(0);
  /** @type {Consumer | null} */ #consumer = null;
  /** @type {(() => void) | null} */ #check = null;
  #reading = true;
  #closing = false;
  /** What went wrong with this connection, if anything did. @type {Error | null} */
  failure = null;
  /** Called after each chunk that a consumer took. @type {(() => void) | null} */
  onProgress = null;

  /**
   * @param {number} port On loopback.
   * @param {number} [readBytes] Size of the one read buffer.
   */
  constructor(port, readBytes = READ_BYTES) {
    const buffer = Buffer.allocUnsafeSlow(readBytes);
    // `onread` reads every chunk into the same buffer: no garbage, so that the driver is never what is measured.
    const callback = (/** @type {number} */ bytes) => {
      this.#take(buffer, bytes);
      return this.#reading;
    };
    this.socket = net.connect({ port, host: HOST, noDelay: true, onread: { buffer, callback } });
    this.socket.on("error", (error) => this.fail(error));
    this.socket.on("close", () => this.fail(new Error(`The peer on port ${port} closed the connection`)));
  }

  /** Resolves once the connection stands. */
  async open() {
    if (this.socket.connecting) await once(this.socket, "connect");
    return this;
  }

  /** @param {Error} error Kept as `failure` unless close() was called. */
  fail(error) {
    if (this.#closing) return;
    this.failure ??= error;
    this.#check?.();
  }

  /** @param {Buffer} buffer @param {number} bytes */
  #take(buffer, bytes) {
    if (this.#consumer === null) {
      this.#kept = Buffer.concat([this.#kept, buffer.subarray(0, bytes)]);
      this.#check?.();
      return;
    }
    try {
      this.#consumer.consume(buffer, 0, bytes);
    } catch (error) {
      this.fail(/** @type {Error} */ (error));
    }
    this.onProgress?.();
  }

  /**
   * Waits for an answer during set-up.
   *
   * @param {(kept: Buffer) => number} find Bytes to consume, or -1 for "not yet".
   * @returns {Promise<Buffer>} The consumed bytes.
   * @throws {Error} After 30 s, or when the connection fails first.
   */
  answer(find) {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#check = null;
      };
      const timer = setTimeout(() => {
        settle();
        reject(
          new Error(`No answer within ${ANSWER_MS} ms, only ${JSON.stringify(this.#kept.toString("latin1", 0, 200))}`),
        );
      }, ANSWER_MS);
      this.#check = () => {
        try {
          if (this.failure) throw this.failure;
          const bytes = find(this.#kept);
          if (bytes < 0) return;
          settle();
          const answer = this.#kept.subarray(0, bytes);
          this.#kept = this.#kept.subarray(bytes);
          resolve(answer);
        } catch (error) {
          settle();
          reject(error);
        }
      };
      this.#check();
    });
  }

  /** Waits for a text and consumes it and all before it. @param {string} text */
  answerText(text) {
    return this.answer((kept) => {
      const at = kept.indexOf(text, 0, "latin1");
      return at < 0 ? -1 : at + text.length;
    });
  }

  /** From now on every chunk goes to `consumer`, what was kept first. @param {Consumer} consumer */
  stream(consumer) {
    this.#consumer = consumer;
    const kept = this.#kept;
    this.#kept = Buffer.alloc(0);
    if (kept.length > 0) consumer.consume(kept, 0, kept.length);
  }

  /** Stops reading, as a reader that hangs does; resume() goes on. */
  pause() {
    this.#reading = false;
    this.socket.pause();
  }

  resume() {
    this.#reading = true;
    this.socket.resume();
  }

  close() {
    this.#closing = true;
    this.socket.destroy();
  }
}
