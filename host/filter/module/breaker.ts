/**
 * Keeps a module that fails from being asked again and again: after some faults it is let alone for a while, then tried,
 * then let alone for twice as long; one that never recovers is given up.
 */
import type { Clock } from "../../clock.ts";

/** Faults one after the other, without a batch between them that went well, that open it. */
const CONSECUTIVE = 3;
/** Faults within a minute that do. */
const WITHIN = 5;
const WITHIN_MS = 60_000;
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 300_000;
/** After so many openings a revision is given up. */
const OPENINGS_MAX = 10;
/** An hour without a fault, and what was before counts no more: rare faults of a long life are not a broken module. */
const FORGET_MS = 3_600_000;

/** `half-open`: the next batch is a trial. */
export type BreakerState = "closed" | "open" | "half-open" | "disabled";

/** See the head of this file. */
export class Breaker {
  /** How often it opened since the last long quiet. */
  openings = 0;
  readonly #clock: Clock;
  #state: BreakerState = "closed";
  #consecutive = 0;
  /** Moments of the last faults, at most {@link WITHIN}. */
  #faults: number[] = [];
  #pauseMs = PAUSE_MS;
  #openedAt = 0;

  /** @param clock Of the service. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What it does now. */
  get state(): BreakerState {
    return this.#state === "open" && this.retryInMs === 0 ? "half-open" : this.#state;
  }

  /** How long the module is let alone yet; Infinity where it was given up. */
  get retryInMs(): number {
    if (this.#state === "disabled") return Number.POSITIVE_INFINITY;
    return this.#state === "open" ? Math.max(0, this.#openedAt + this.#pauseMs - this.#clock.now()) : 0;
  }

  /** Whether the module may be asked now. */
  allows(): boolean {
    return this.#state === "closed" || this.retryInMs === 0;
  }

  /** A batch went well. */
  succeeded(): void {
    this.#consecutive = 0;
    this.#state = "closed";
  }

  /** The module failed. @returns Whether that opened it. */
  failed(): boolean {
    const now = this.#clock.now();
    const last = this.#faults.at(-1);
    if (last !== undefined && now - last >= FORGET_MS) {
      this.openings = 0;
      this.#pauseMs = PAUSE_MS;
    }
    this.#faults = [...this.#faults.filter((at) => now - at < WITHIN_MS), now].slice(-WITHIN);
    this.#consecutive++;
    const isTrial = this.#state !== "closed";
    if (!isTrial && this.#consecutive < CONSECUTIVE && this.#faults.length < WITHIN) return false;
    if (this.openings > 0) this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2);
    this.openings++;
    this.#openedAt = now;
    this.#state = this.openings >= OPENINGS_MAX ? "disabled" : "open";
    return true;
  }
}
