/**
 * Whoever has too much to do: it takes one event at a time, and lets the host choose which.
 */

/** @typedef {{ channel: string, number: number, waitedMs: number, withinMs: number | null }} Taken An event as it came: how long after its source said it, and how long it might take; null: it keeps. */

/** A receiver over a session. */
export class Receiver {
  /** @type {Taken[]} */
  taken = [];
  /** What the host has told of as dropped, by channel. @type {Map<string, number>} */
  dropped = new Map();
  #session;
  #clock;
  #workMs;

  /**
   * @param {import("../lib/session.mjs").Session} session
   * @param {import("../lib/clock.mjs").Clock} clock
   * @param {{ ordering: string, serviceMs: number, workMs: number }} options `serviceMs`: what it tells the host that an event takes;
   *   `workMs`: its own part of that.
   */
  constructor(session, clock, { ordering, serviceMs, workMs }) {
    this.#session = session;
    this.#clock = clock;
    this.#workMs = workMs;
    session.onDropped = (channel, count) => this.dropped.set(channel, (this.dropped.get(channel) ?? 0) + count);
    session.inbox({ ordering, serviceMs });
    // One event, and the next one when that is done. What is not asked for waits in the host, where an ordering acts on it.
    session.credit(1);
  }

  /** @param {string} channel @param {() => void} [onJoined] */
  join(channel, onJoined = () => {}) {
    this.#session.join({ channel, onEvent: (event) => this.#take(channel, event), onJoined });
  }

  /** @param {string} channel @param {import("sluice").ReceivedEvent} event */
  #take(channel, { data }) {
    const { number, at, withinMs } = /** @type {{ number: number, at: number, withinMs: number | null }} */ (data);
    this.taken.push({ channel, number, waitedMs: this.#clock.now() - at, withinMs });
    this.#clock.setTimer(() => this.#session.credit(1), this.#workMs);
  }
}
