import { expect, test } from "vitest";
import { nanosecondsPer } from "../../bench/core/batches.mjs";

test("nanosecondsPer() runs at least one batch and divides by its steps", () => {
  let calls = 0;
  const wait = () => {
    calls++;
    const end = performance.now() + 2;
    while (performance.now() < end);
  };
  const perStep = nanosecondsPer(wait, 1000, 0);
  expect(calls).toBe(1);
  expect(perStep).toBeGreaterThanOrEqual(1_900);
});
