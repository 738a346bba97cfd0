/** What was added within the last so many milliseconds. */

/** At most so many entries are kept: what is added within one share of the window counts as added at its beginning. */
const SHARES = 1_024;

/** A sum over a window that slides. */
export class SlidingSum {
  readonly #windowMs: number;
  readonly #shareMs: number;
  readonly #entries: { readonly at: number; amount: number }[] = [];
  #sum = 0;

  /** @param windowMs What is older does not count. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
    this.#shareMs = Math.floor(windowMs / SHARES);
  }

  /** The sum, as of the last call. */
  get sum(): number {
    return this.#sum;
  }

  /** Adds an amount. @param now ms, never less than before. */
  add(amount: number, now: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && now - last.at <= this.#shareMs) last.amount += amount;
    else this.#entries.push({ at: now, amount });
    this.#sum += amount;
  }

  /** Forgets what has left the window. */
  sweep(now: number): void {
    const old = this.#entries.findIndex(({ at }) => now - at <= this.#windowMs);
    const left = this.#entries.splice(0, old === -1 ? this.#entries.length : old);
    for (const { amount } of left) this.#sum -= amount;
    // What rounding has left over must not stay for ever.
    if (this.#entries.length === 0) this.#sum = 0;
  }
}
