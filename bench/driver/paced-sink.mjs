// A subscriber that can do only so much: what arrives waits in it, so many events are taken each millisecond, and more is read only when
// there is little left. It is the same for every peer; one that knows credit is told what was taken.
import { numberedPayload } from "./stamp.mjs";

/** What a numbered payload begins with, and how long that is with its number. */
const STAMP = numberedPayload(32, 0).subarray(0, "@stamp:".length);
const STAMP_BYTES = STAMP.length + 9;
/** So many bytes wait in the subscriber before it stops reading. */
const WAITING_BYTES_MAX = 8_192;

export class PacedSink {
  /** Taken so far. */
  taken = 0;
  #waiting = Buffer.alloc(0);
  #wire;
  #then;
  #onEvent;

  /**
   * @param {import('./wire.mjs').Wire} wire
   * @param {import('./wire.mjs').Consumer} then Gets the bytes when they are taken.
   * @param {(number: number) => void} onEvent Gets each event's number when it is taken.
   */
  constructor(wire, then, onEvent) {
    this.#wire = wire;
    this.#then = then;
    this.#onEvent = onEvent;
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  consume(buffer, from, to) {
    this.#waiting = Buffer.concat([this.#waiting, buffer.subarray(from, to)]);
    if (this.#waiting.length > WAITING_BYTES_MAX) this.#wire.pause();
  }

  /** Takes at most so many events. @param {number} most @returns {number} How many there were. */
  take(most) {
    const waiting = this.#waiting;
    let at = 0;
    let taken = 0;
    while (taken < most) {
      const found = waiting.indexOf(STAMP, at);
      if (found < 0 || found + STAMP_BYTES > waiting.length) break;
      at = found + STAMP_BYTES;
      this.#onEvent(Number(waiting.toString("latin1", found + STAMP.length, at)));
      taken++;
    }
    // What follows the last number goes with the next one: whoever counts frames bears any cut.
    if (at > 0) this.#then.consume(waiting, 0, at);
    this.#waiting = waiting.subarray(at);
    if (this.#waiting.length <= WAITING_BYTES_MAX) this.#wire.resume();
    this.taken += taken;
    return taken;
  }
}
