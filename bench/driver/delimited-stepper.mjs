// Counts deliveries in a stream of size-delimited HostFrames, as Sluice sends them over TCP and in WebSocket messages.
//
// The sequence inside a frame is a varint, so frame sizes vary: every size prefix is read, and the byte after it says what
// the frame is. One frame per chunk is looked into, so that a lost, doubled or reordered event is found at once.

/** First byte of a HostFrame that holds deliveries: field 1, length-delimited. */
export const TAG_DELIVER = 0x0a;
/** Longest size prefix of a frame that is at most FRAME_BYTES_MAX, and the tag after it. */
const HEAD_BYTES_MAX = 5;

/**
 * @typedef {object} DelimitedHandlers
 * @property {(frame: Buffer) => void} other Takes a whole frame that is no delivery, without its size prefix.
 * @property {(buffer: Buffer, from: number, to: number, index: number) => void} [inspect] Looks at one whole delivery,
 *   the `index`-th of the stream from 0, without its size prefix.
 */

export class DelimitedStepper {
  /** Deliveries whose first bytes have arrived. */
  count = 0;
  /** Bytes that still belong to the delivery before. */
  #skip = 0;
  /** A head or a rare frame that was split between chunks. */
  #split = Buffer.alloc(0);
  #handlers;

  /** @param {DelimitedHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  consume(buffer, from, to) {
    if (this.#split.length === 0) {
      this.#step(buffer, from, to);
      return;
    }
    // Rare: at most one chunk in a few dozen ends within a head. A copy is cheaper than a state machine per byte.
    const joined = Buffer.concat([this.#split, buffer.subarray(from, to)]);
    this.#split = Buffer.alloc(0);
    this.#step(joined, 0, joined.length);
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  #step(buffer, from, to) {
    const { inspect } = this.#handlers;
    let at = from + this.#skip;
    this.#skip = 0;
    let looked = inspect === undefined;
    while (at < to) {
      if (to - at < HEAD_BYTES_MAX && !hasHead(buffer, at, to)) {
        this.#split = Buffer.from(buffer.subarray(at, to));
        return;
      }
      let size = /** @type {number} */ (buffer[at]);
      let body = at + 1;
      if (size >= 128) {
        size = (size & 127) | (Number(buffer[body++]) << 7);
        if (size >= 16384) {
          size = (size & 16383) | (Number(buffer[body++]) << 14);
          if (size >= 2097152) throw new Error(`A frame of more than 2 MiB at delivery ${this.count}`);
        }
      }
      const end = body + size;
      if (buffer[body] === TAG_DELIVER) {
        if (!looked && end <= to) {
          looked = true;
          inspect?.(buffer, body, end, this.count);
        }
        this.count++;
        at = end;
        continue;
      }
      if (end > to) {
        this.#split = Buffer.from(buffer.subarray(at, to));
        return;
      }
      this.#handlers.other(Buffer.from(buffer.subarray(body, end)));
      at = end;
    }
    this.#skip = at - to;
  }
}

/** Whether the whole size prefix and the byte after it lie before `to`. @param {Buffer} buffer @param {number} at @param {number} to */
function hasHead(buffer, at, to) {
  while (at < to && /** @type {number} */ (buffer[at]) >= 128) at++;
  return at + 1 < to;
}
