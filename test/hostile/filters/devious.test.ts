/**
 * Goal: no answer of a module hurts its host or loses an event. Method: modules that lie are put to work as the host does it, with
 * batches that they are awake for; every event gets a decision, the fault is counted by its cause, and what follows begins well.
 */
import { describe, expect, test } from "vitest";
import type { ModuleBatch } from "../../../host/filter/module/batch.ts";
import { Decisions } from "../../../host/filter/module/decisions.ts";
import { faultCauses } from "../../../host/filter/module/fault.ts";
import { RunningModule, type RunOptions } from "../../../host/filter/module/running.ts";
import { batchOf, createBench, moduleText, versionOf } from "../../host/filter/module/kit.ts";
import { deviousModules, successor } from "./devious.ts";

const OUT: RunOptions = { hook: "out", onError: "pass" };
const SINKS = 3;
const ALL = 1;

/** The decisions of a batch: 1 is "all", a list or a bitmap gives its sinks. */
function decide(running: RunningModule, batch: ModuleBatch): (number | undefined)[] {
  const decisions = new Decisions();
  running.decide(batch, OUT, decisions);
  expect(decisions.firstOpen()).toBe(batch.count);
  return [...decisions.words.subarray(0, batch.count)];
}

describe("a module that lies", () => {
  test.each(deviousModules)("$name", ({ text, cause }) => {
    const bench = createBench();
    const running = bench.run(text);
    expect(running.start()).toBeUndefined();
    for (let event = 0; event < 3; event++) {
      if (cause === undefined || !running.counters.faults[cause])
        expect(decide(running, batchOf(1, SINKS))).toEqual([ALL]);
    }
    decide(running, batchOf(64, SINKS));
    const state = running.save();
    const { faults } = running.counters;
    const found = faultCauses.filter((one) => faults[one] > 0);
    // Where the stack ends is the engine's to say: it or the fuel may end first.
    if (cause === "stack") expect(["fuel", "stack"]).toContain(found[0]);
    else expect(found).toEqual(cause === undefined ? [] : [cause]);
    expect(bench.pool.instances).toBeLessThanOrEqual(1);
    running.end();
    expect(bench.pool).toMatchObject({ instances: 0, bytes: 0 });
    const next = new RunningModule(versionOf(successor, { version: 2 }), new Uint8Array(2), bench.deps, state);
    next.start();
    expect(decide(next, batchOf(64, SINKS))).toEqual(Array(64).fill(ALL));
    expect(next.counters).toMatchObject({ live: 1, failed: 0 });
  });
});

test("a trap on one event of a batch costs that event only", () => {
  const text = moduleText({
    word: "(block (result i32) (if (f64.eq (f64.load offset=16 (local.get $record)) (f64.const 40)) (then unreachable)) (i32.const 0))",
  });
  const running = createBench().run(text);
  const words = decide(running, batchOf(64, SINKS));
  expect(words).toEqual(Array.from({ length: 64 }, (_, event) => (event === 40 ? ALL : 0)));
  expect(running.counters).toMatchObject({ failed: 1, skipped: 0, faults: { trap: 1 } });
});
