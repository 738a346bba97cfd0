/**
 * Has the core look at deadlines when they have passed, whether or not anything leaves: one timer for all inboxes, on the service
 * clock. Most hosts have events without deadlines and never set it.
 */
import type { Engine } from "./engine.ts";

/** A miss is found at most that much later than it happens, and then as late as timers come; so often inboxes are looked at. */
const TICK_MS = 1;
/** Runtimes cannot wait for longer than 24 days; a look in vain costs nothing. */
const WAIT_MS_MAX = 3_600_000;

/** See the head of this file. */
export class DeadlineTimer {
  readonly #engine: Engine;
  #cancel: (() => void) | undefined = undefined;
  /** The moment at which the timer comes, on the service clock. */
  #atMs = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Something may have come into an inbox: sees to it that the timer comes early enough. Costs one call of the core. */
  look(): void {
    this.#watch(this.#engine.core.exports.deadlineNext());
  }

  /** The host ends: nothing is looked at any more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #watch(nextMs: number): void {
    if (nextMs < 0 || this.#stopped) return;
    const { service } = this.#engine.clocks;
    const now = service.now();
    const waitMs = Math.min(Math.max(0, Math.ceil(nextMs + TICK_MS - now)), WAIT_MS_MAX);
    if (now + waitMs >= this.#atMs) return;
    this.#cancel?.();
    this.#atMs = now + waitMs;
    this.#cancel = service.setTimer(() => this.#tick(), waitMs);
  }

  #tick(): void {
    this.#atMs = Number.POSITIVE_INFINITY;
    const { core, clocks, flusher } = this.#engine;
    try {
      this.#watch(core.exports.deadlineTick(clocks.service.now()));
    } catch (error) {
      this.#engine.fault(error, undefined);
    }
    flusher.schedule();
  }
}
