/**
 * Goal: quantiles are exact while few samples are in the window, and within the stated error of exact ones beyond that.
 * Reference: all samples of the window, sorted.
 */
import { describe, expect, test } from "vitest";
import { QUANTILE_ERROR, QUANTILE_EXACT, SlidingQuantile } from "../../../host/condition/quantile.ts";

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = randomFrom(7);
const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const shapes: Record<string, () => number> = {
  uniform: () => random() * 1_000,
  "long-tailed": () => Math.exp(gauss() * 2),
  "of both signs": () => gauss() * 50,
  "of two heaps": () => (random() < 0.9 ? 1 + random() : 5_000 + random()),
  "all alike": () => 42,
  "with zeros": () => (random() < 0.5 ? 0 : 1e9 * random()),
};
const shares = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

/** Nearest rank. */
const exactly = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(1, Math.ceil(share * sorted.length - 1e-9)) - 1] as number;

const near = (found: number | undefined, wanted: number): boolean =>
  found !== undefined && Math.abs(found - wanted) <= QUANTILE_ERROR * Math.abs(wanted) + 1e-6;

describe("quantile", () => {
  test.each(Object.entries(shapes))("of samples %s is within its error", (_, draw) => {
    const sketch = new SlidingQuantile(1_000);
    const samples = Array.from({ length: 5_000 }, draw);
    samples.forEach((sample, index) => {
      sketch.add(sample, index / 10);
    });
    const sorted = samples.toSorted((a, b) => a - b);
    for (const share of shares)
      expect({ share, near: near(sketch.at(share, 500), exactly(sorted, share)) }).toEqual({ share, near: true });
  });

  test("is exact while the samples are few", () => {
    const sketch = new SlidingQuantile(1_000);
    expect(sketch.at(0.5, 0)).toBeUndefined();
    for (let i = QUANTILE_EXACT; i > 0; i--) sketch.add(i / 3, 0);
    expect(shares.map((share) => sketch.at(share, 1_000))).toEqual(
      shares.map((share) => Math.max(1, Math.ceil(share * QUANTILE_EXACT)) / 3),
    );
    expect(sketch.at(0.5, 1_001)).toBeUndefined();
  });

  test("slides: what has left the window, by an eighth of it at most, does not count", () => {
    const sketch = new SlidingQuantile(800);
    const kept: { at: number; value: number }[] = [];
    for (let now = 0; now < 8_000; now++) {
      const value = now < 4_000 ? 1_000 + random() : 10 + random();
      sketch.add(value, now);
      kept.push({ at: now, value });
      if (now % 97 !== 0) continue;
      const within = (ms: number): number[] =>
        kept.flatMap((one) => (now - one.at <= ms ? [one.value] : [])).sort((a, b) => a - b);
      const bounds = [exactly(within(800), 0.5), exactly(within(900), 0.5)];
      const found = sketch.at(0.5, now) as number;
      expect(found).toBeGreaterThanOrEqual(Math.min(...bounds) * (1 - QUANTILE_ERROR));
      expect(found).toBeLessThanOrEqual(Math.max(...bounds) * (1 + QUANTILE_ERROR));
    }
    // And then there are few again: exact, to the millisecond.
    sketch.add(7, 8_700);
    expect(sketch.at(0, 8_700)).toBe(7);
    expect(sketch.at(1, 9_500)).toBe(7);
    expect(sketch.at(1, 9_501)).toBeUndefined();
  });

  test("takes samples of any size", () => {
    const sketch = new SlidingQuantile(1_000);
    for (let i = 0; i < 2_000; i++) sketch.add([1e-300, -1e300, 1e300, 0][i % 4] as number, 0);
    // Beyond the bins the nearest one counts.
    expect(sketch.at(0, 0)).toBeCloseTo(-1e12, -11);
    expect(sketch.at(0.5, 0)).toBe(0);
    expect(sketch.at(1, 0)).toBeGreaterThan(0.98e12);
  });
});
