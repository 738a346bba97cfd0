/**
 * Goal: no module that a stranger uploads hurts its host. Method: every one is taken apart as at an upload, and is refused for the
 * reasons that it gives; or it runs, and its call ends with what it was given.
 */
import { describe, expect, test } from "vitest";
import { instrument, ModuleRefused } from "../../../host/filter/meter/index.ts";
import { containments } from "./contained.ts";
import { refusals } from "./refused.ts";

const FUEL = 2_000_000;

type Call = (...args: number[]) => number;

describe("a module is refused", () => {
  test.each(refusals)("$name", ({ bytes, reasons = [] }) => {
    let told: readonly string[] = [];
    try {
      instrument(bytes());
    } catch (error) {
      if (!(error instanceof ModuleRefused)) throw error;
      told = error.reasons;
    }
    expect(told.length).toBeGreaterThan(0);
    expect(told.join("\n")).not.toMatch(/cannot be instrumented|fault of this program/);
    for (const reason of reasons) expect(told).toContainEqual(expect.stringMatching(reason));
  });
});

describe("a module is contained", () => {
  const imports = {
    sluice: { log: () => undefined, now: () => 0, rand: () => 4, intern: () => 1 },
    env: { abort: () => undefined },
  };

  test.each(containments)("$name", ({ bytes, ends }) => {
    const { bytes: metered, hasStart } = instrument(bytes());
    const module = new WebAssembly.Module(metered);
    let left = 0;
    const run = (): void => {
      const { exports } = new WebAssembly.Instance(module, imports);
      try {
        if (hasStart) (exports["$sluice_start"] as Call)(FUEL);
        (exports["$sluice_in"] as Call)(FUEL, 0, 64, 0, 64);
      } finally {
        left = (exports["$sluice_fuel"] as Call)();
      }
    };
    if (ends === "well") expect(run).not.toThrow();
    // An overflow of the stack is a RangeError in some engines.
    else
      expect(run).toThrow(
        expect.toSatisfy((error) => error instanceof WebAssembly.RuntimeError || error instanceof RangeError),
      );
    expect(left < 0).toBe(ends === "fuel");
  });
});
