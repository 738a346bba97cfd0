/**
 * What a module may use over time. A module that stays just below the fuel of each call is legal per call, and would yet
 * take a whole core from all others.
 *
 * One unit of fuel stands for a nanosecond: ordinary code uses tens of units in that time, the worst that is known takes
 * some nanoseconds per unit. So both are looked at, and the larger counts.
 */
import type { Clock } from "../../clock.ts";

/** A fifth of a core. */
export const BUDGET_PER_SECOND = 200_000_000;
const NANOSECONDS = 1_000_000;

/** The account of one module; it begins full. */
export class Budget {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #left: number;
  #at: number;

  /**
   * @param clock The real one, which is what processors run by.
   * @param perSecond Fuel, or nanoseconds; as much again may be saved up.
   */
  constructor(clock: Clock, perSecond = BUDGET_PER_SECOND) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#left = perSecond;
    this.#at = clock.now();
  }

  /** Whether there is anything left. */
  allows(): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
    return this.#left > 0;
  }

  /** Takes what a call has used; it may leave a debt, which the next seconds pay. */
  spend(fuel: number, ms: number): void {
    this.#left -= Math.max(fuel, ms * NANOSECONDS);
  }
}
