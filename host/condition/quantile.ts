/**
 * Quantiles of what was added within a window that slides, in bounded memory.
 *
 * As long as few samples are in the window they are kept, and the answer is exact. Beyond that they are counted in bins whose bounds
 * grow by a constant factor, as DDSketch does (Masson, Rim, Lee: PVLDB 12(12), 2019): the answer is within QUANTILE_ERROR of the sample
 * that it stands for, whatever the distribution. Unlike sketches that keep samples (KLL, t-digest), counts can be taken away again,
 * which is what a window needs.
 */

/** The answer is at most this share of the true sample beside it. */
export const QUANTILE_ERROR = 0.01;
/** So many samples in the window are kept as they are. */
export const QUANTILE_EXACT = 256;
/** The window moves on by so many parts of it. */
const SHARES = 8;
/** What is nearer to 0 counts as 0; what is beyond the most counts as the most. */
const LEAST = 1e-6;
const MOST = 1e12;

const GROWTH = (1 + QUANTILE_ERROR) / (1 - QUANTILE_ERROR);
/** Bins of one sign. */
const BINS = Math.ceil(Math.log(MOST / LEAST) / Math.log(GROWTH)) + 1;
/** The bin of 0; those of negative samples are before it. */
const ZERO = BINS;

/** The quantiles of a window that slides. */
export class SlidingQuantile {
  readonly #windowMs: number;
  readonly #times = new Float64Array(QUANTILE_EXACT);
  readonly #values = new Float64Array(QUANTILE_EXACT);
  #added = 0;
  /** There is one while the window has more samples than are kept. */
  #counts: Counts | undefined;

  /** @param windowMs What is older does not count. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Adds a finite sample. @param now ms, never less than before. */
  add(value: number, now: number): void {
    const slot = this.#added % QUANTILE_EXACT;
    if (this.#counts === undefined && this.#hasFull(now)) {
      this.#counts = new Counts(this.#windowMs);
      for (let i = 0; i < QUANTILE_EXACT; i++) {
        const kept = (slot + i) % QUANTILE_EXACT;
        this.#counts.add(this.#values[kept] as number, this.#times[kept] as number);
      }
    }
    this.#counts?.add(value, now);
    this.#times[slot] = now;
    this.#values[slot] = value;
    this.#added++;
  }

  /**
   * The smallest sample that is no less than a share of all of them.
   *
   * @param share 0 to 1; 0: the least one.
   * @returns Undefined where the window is empty.
   */
  at(share: number, now: number): number | undefined {
    if (this.#counts !== undefined && this.#hasFull(now)) return this.#counts.at(share, now);
    // Whatever is in the window is among those that are kept.
    this.#counts = undefined;
    const kept = this.#values.filter((_, slot) => slot < this.#added && this.#isIn(slot, now)).sort();
    return kept[rankOf(share, kept.length) - 1];
  }

  /** Whether all places are taken by samples of the window: the next one makes the oldest of them go. */
  #hasFull(now: number): boolean {
    return this.#added >= QUANTILE_EXACT && this.#isIn(this.#added % QUANTILE_EXACT, now);
  }

  #isIn(slot: number, now: number): boolean {
    return now - (this.#times[slot] as number) <= this.#windowMs;
  }
}

/** Samples counted by bins, in parts of the window. */
class Counts {
  readonly #windowMs: number;
  readonly #shareMs: number;
  readonly #total = new Uint32Array(2 * BINS + 1);
  readonly #shares: { readonly index: number; readonly bins: Map<number, number> }[] = [];
  #samples = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
    this.#shareMs = windowMs / SHARES;
  }

  add(value: number, now: number): void {
    const index = Math.floor(now / this.#shareMs);
    let share = this.#shares.at(-1);
    if (share?.index !== index) {
      this.#sweep(now);
      share = { index, bins: new Map() };
      this.#shares.push(share);
    }
    const bin = binOf(value);
    share.bins.set(bin, (share.bins.get(bin) ?? 0) + 1);
    this.#total[bin] = (this.#total[bin] as number) + 1;
    this.#samples++;
  }

  at(share: number, now: number): number | undefined {
    this.#sweep(now);
    let left = rankOf(share, this.#samples);
    for (let bin = 0; bin < this.#total.length; bin++) {
      left -= this.#total[bin] as number;
      if (left <= 0 && this.#samples > 0) return sampleOf(bin);
    }
    return undefined;
  }

  /** Takes away the parts of which nothing is in the window any more. */
  #sweep(now: number): void {
    for (let oldest = this.#shares[0]; oldest !== undefined; oldest = this.#shares[0]) {
      if ((oldest.index + 1) * this.#shareMs + this.#windowMs > now) return;
      this.#shares.shift();
      for (const [bin, count] of oldest.bins) {
        this.#total[bin] = (this.#total[bin] as number) - count;
        this.#samples -= count;
      }
    }
  }
}

/** From 1; the small amount is for shares such as 0.07 of 100, of which floating point makes more than 7. */
function rankOf(share: number, samples: number): number {
  return Math.max(1, Math.ceil(share * samples - 1e-9));
}

function binOf(value: number): number {
  const size = Math.abs(value);
  if (size < LEAST) return ZERO;
  const bin = Math.min(BINS, Math.max(1, Math.ceil(Math.log(size / LEAST) / Math.log(GROWTH))));
  return ZERO + Math.sign(value) * bin;
}

function sampleOf(bin: number): number {
  if (bin === ZERO) return 0;
  const size = (LEAST * 2 * GROWTH ** Math.abs(bin - ZERO)) / (GROWTH + 1);
  return Math.sign(bin - ZERO) * size;
}
