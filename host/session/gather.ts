/**
 * `select.delayMs`: deliveries wait for more of them, until a batch is full, the first has waited that long, or one of them would
 * be late. What answers a client never waits.
 */
import { type Grouping, groupEvents } from "./inbox.ts";
import type { Session } from "./session.ts";

/** So long before a deadline what waits leaves: timers come late, and what is late would be dropped. */
const MARGIN_MS = 5;

/** See the head of this file. */
export class Gather {
  readonly #session: Session;
  #grouping: Grouping;
  #cancel: (() => void) | undefined = undefined;
  /** The moment at which the timer comes, on the service clock. */
  #dueMs = Number.POSITIVE_INFINITY;
  #ripe = false;

  constructor(session: Session, grouping: Grouping) {
    this.#session = session;
    this.#grouping = grouping;
  }

  /** Other settings are in force. */
  configure(grouping: Grouping): void {
    this.#grouping = grouping;
    this.stop();
  }

  /** Before a drain: lets deliveries leave, or wait. */
  before(): void {
    const { engine, id } = this.#session;
    const now = engine.clocks.service.now();
    const { bytes, delayMs } = this.#grouping;
    const restMs =
      delayMs === 0 || this.#ripe ? 0 : engine.core.exports.inboxRipe(id, groupEvents(this.#grouping), bytes, now);
    const waitMs = Math.min(restMs - MARGIN_MS, delayMs);
    engine.core.exports.inboxGather(id, restMs !== 0 && waitMs > 0 ? 1 : 0);
    if (restMs > 0 && waitMs > 0) this.#watch(now, waitMs);
    else this.stop();
  }

  /** Nothing is to be waited for any more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#ripe = false;
  }

  /** The timer stays where it comes early enough. */
  #watch(now: number, waitMs: number): void {
    if (now + waitMs >= this.#dueMs) return;
    this.#cancel?.();
    this.#dueMs = now + waitMs;
    this.#cancel = this.#session.engine.clocks.service.setTimer(() => {
      this.stop();
      this.#ripe = true;
      this.#session.engine.flusher.ready(this.#session);
    }, waitMs);
  }
}
