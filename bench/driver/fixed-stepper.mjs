// Counts deliveries of a protocol whose delivered frame has one known size: step, look at the first byte, step.

export class FixedStepper {
  /** Deliveries so far. */
  count = 0;
  /** Where the next frame begins, relative to the next chunk. */
  #next = 0;
  #frameBytes;
  #first;
  #other;

  /**
   * @param {object} frame
   * @param {number} frame.frameBytes What one delivery takes on the wire.
   * @param {number} frame.first First byte of every delivery.
   * @param {(buffer: Buffer, at: number, to: number) => number} [frame.other] Takes protocol noise at `at`; returns its bytes, 0 to refuse.
   */
  constructor({ frameBytes, first, other }) {
    this.#frameBytes = frameBytes;
    this.#first = first;
    this.#other = other ?? (() => 0);
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to @throws {Error} At a byte that begins no frame. */
  consume(buffer, from, to) {
    const frameBytes = this.#frameBytes;
    const first = this.#first;
    let at = from + this.#next;
    while (at < to) {
      if (buffer[at] === first) {
        at += frameBytes;
        this.count++;
        continue;
      }
      const bytes = this.#other(buffer, at, to);
      if (bytes === 0)
        throw new Error(`No frame begins with ${JSON.stringify(buffer.toString("latin1", at, Math.min(at + 60, to)))}`);
      at += bytes;
    }
    this.#next = at - to;
  }
}
