/**
 * Time that is not waited for: a queue of what happens when, and a clock that jumps from one to the next.
 *
 * It has the shape of a host's clock, so host, servers and clients of a simulation live in one and the same time, and a minute
 * takes as long as the work in it. What happens at the same moment happens in the order in which it was asked for.
 */

/** @typedef {{ at: number, order: number, run: (() => void) | undefined }} Entry */

/** A clock for {@link import("sluice").Clocks}, and the loop that drives it. */
export class VirtualTime {
  #now = 0;
  #order = 0;
  /** A heap: each entry is due no later than those at 2i + 1 and 2i + 2. @type {Entry[]} */
  #heap = [];
  /** What a step has to do behind it, such as flushing the host. @type {() => void} */
  afterEach = () => {};

  /** @returns {number} Milliseconds since the beginning. */
  now() {
    return this.#now;
  }

  /** What waits, what was called off and is not due yet included. */
  get waiting() {
    return this.#heap.length;
  }

  /**
   * @param {() => void} run
   * @param {number} delayMs At least 0.
   * @returns {() => void} Calls it off; harmless when it has happened.
   */
  setTimer(run, delayMs) {
    /** @type {Entry} */
    const entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run };
    this.#push(entry);
    return () => {
      entry.run = undefined;
    };
  }

  /**
   * Lets happen what is due until a moment, then stands there.
   *
   * @param {number} untilMs
   * @param {number} [stepsMax] Something that sets itself again at the same moment must not hang the process.
   * @throws {Error} beyond that.
   */
  runUntil(untilMs, stepsMax = 100_000_000) {
    for (let steps = 0; ; ) {
      const [first] = this.#heap;
      if (first === undefined || first.at > untilMs) break;
      this.#pop();
      this.#now = first.at;
      if (first.run === undefined) continue;
      if (++steps > stepsMax) throw new Error(`More than ${stepsMax} steps until ${untilMs} ms, now at ${this.#now}`);
      first.run();
      this.afterEach();
    }
    this.#now = untilMs;
  }

  /** @param {Entry} entry */
  #push(entry) {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = /** @type {Entry} */ (heap[up]);
      if (isBefore(above, entry)) break;
      heap[at] = above;
      at = up;
    }
    heap[at] = entry;
  }

  #pop() {
    const heap = this.#heap;
    const last = /** @type {Entry} */ (heap.pop());
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const right = heap[down + 1];
      if (right !== undefined && isBefore(right, /** @type {Entry} */ (heap[down]))) down++;
      const below = heap[down];
      if (below === undefined || isBefore(last, below)) break;
      heap[at] = below;
      at = down;
    }
    heap[at] = last;
  }
}

/** @param {Entry} one @param {Entry} other */
function isBefore(one, other) {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
