import { expect, test } from "vitest";
import { cpuMicroseconds, nanosecondsPer } from "../../bench/core/batches.mjs";

/** Computes until the process has used so much CPU time. */
function compute(forUs: number): void {
  const end = cpuMicroseconds() + forUs;
  while (cpuMicroseconds() < end);
}

test("nanosecondsPer() divides the CPU time of long batches by their steps", () => {
  let calls = 0;
  const run = () => {
    calls++;
    compute(2_000);
  };
  expect(nanosecondsPer(run, 1000, 0)).toBeGreaterThanOrEqual(2_000);
  expect(calls).toBe(1);
});

test("nanosecondsPer() groups batches that are too short for the clock", () => {
  let calls = 0;
  const perStep = nanosecondsPer(() => calls++, 1, 0);
  expect(calls).toBeGreaterThan(1_000);
  expect(perStep).toBeGreaterThan(0);
  expect(perStep).toBeLessThan(1_000);
});
