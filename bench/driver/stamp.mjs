// Numbered payloads: a number says when it was sent, because publishers and subscribers are one process with one clock.
//
// Numbers, not times, so that every frame can be encoded before the clock runs: what is measured is the broker, not how long
// a protocol takes to encode. A number is found by its mark wherever a protocol puts the payload: one reader serves all peers.

const MARK = "@stamp:";
const DIGITS = 9;
const STAMP_BYTES = MARK.length + DIGITS;

/**
 * Makes a payload of printable bytes that begins with a number.
 *
 * @param {number} payloadBytes At least 16.
 * @param {number} number Below 10⁹.
 * @returns {Buffer}
 */
export function numberedPayload(payloadBytes, number) {
  const payload = Buffer.alloc(payloadBytes, "x");
  payload.write(MARK + String(number).padStart(DIGITS, "0"), 0, "latin1");
  return payload;
}

/**
 * Collects how old numbered payloads are when they arrive.
 *
 * A chunk is only copied when it arrives and understood afterwards, so that reading one subscriber's socket does not make
 * the next one's events older.
 */
export class StampReader {
  /** Microseconds from before the write to the read, in order of arrival. @type {number[]} */
  agesUs = [];
  #tail = Buffer.alloc(0);
  /** @type {{ at: number, chunk: Buffer }[]} */ #chunks = [];
  #sentAt;
  #then;

  /**
   * @param {readonly number[]} sentAt performance.now() by number.
   * @param {import('./wire.mjs').Consumer} then Gets each chunk afterwards.
   */
  constructor(sentAt, then) {
    this.#sentAt = sentAt;
    this.#then = then;
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  consume(buffer, from, to) {
    const at = performance.now();
    if (this.#chunks.push({ at, chunk: Buffer.from(buffer.subarray(from, to)) }) === 1)
      setImmediate(() => this.settle());
  }

  /** Understands what has arrived. */
  settle() {
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const { at, chunk } of chunks) {
      this.#find(at, Buffer.concat([this.#tail, chunk]));
      this.#then.consume(chunk, 0, chunk.length);
    }
  }

  /** @param {number} arrivedAt @param {Buffer} chunk */
  #find(arrivedAt, chunk) {
    let at = 0;
    for (;;) {
      const found = chunk.indexOf(MARK, at, "latin1");
      if (found < 0 || found + STAMP_BYTES > chunk.length) {
        // A mark may be split: keep what could be its beginning.
        this.#tail = Buffer.from(chunk.subarray(found < 0 ? Math.max(at, chunk.length - MARK.length + 1) : found));
        return;
      }
      at = found + STAMP_BYTES;
      const sentAt = this.#sentAt[Number(chunk.toString("latin1", found + MARK.length, at))] ?? Number.NaN;
      this.agesUs.push((arrivedAt - sentAt) * 1000);
    }
  }
}
