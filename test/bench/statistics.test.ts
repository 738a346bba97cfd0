import { expect, test } from "vitest";
import { median, pairedRatios, quantile } from "../../bench/driver/statistics.mjs";

test.each([
  { given: [], want: Number.NaN },
  { given: [3], want: 3 },
  { given: [9, 1, 5], want: 5 },
  { given: [4, 1, 2, 3], want: 2.5 },
  { given: [10, 9, Number.NaN, 100], want: 10 },
])("median() of $given is $want", ({ given, want }) => {
  expect(median(given)).toBe(want);
});

test.each([
  { q: 0, want: 1 },
  { q: 0.5, want: 5 },
  { q: 0.99, want: 10 },
  { q: 1, want: 10 },
])("quantile() takes the nearest rank at $q", ({ q, want }) => {
  expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], q)).toBe(want);
});

test("pairedRatios() compares only samples of the same repetition", () => {
  const above = new Map([
    [0, 10],
    [1, 30],
    [3, 7],
  ]);
  const below = new Map([
    [0, 20],
    [1, 10],
    [2, 5],
    [3, 0],
  ]);
  expect(pairedRatios(above, below)).toEqual([0.5, 3]);
});
