/**
 * Goal: the core does what the slow model does. Method: random steps on few connections and channels over a store of
 * four slabs with tiny inboxes, so that survivors are moved and inboxes overflow all the time.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { commandsArbitrary } from "./command.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";
import { World } from "./world.ts";

/** What must have happened in some of the runs. */
const HAPPENS = [
  abi.STATISTIC_EVACUATED_BYTES,
  abi.STATISTIC_DELIVERIES,
  abi.STATISTIC_REFUSED,
  abi.STATISTIC_DROPPED_OVERFLOW,
  abi.STATISTIC_DROPPED_LATE,
  abi.STATISTIC_DROPPED_CANCELLED,
  abi.STATISTIC_CANCELS,
  abi.STATISTIC_CANCELS_FORWARDED,
  abi.STATISTIC_DROPPED_LEFT,
];

test("random steps: the same deliveries, numbers, sequences, receipts, notices and counts as the model", {
  timeout: timeoutMs(60_000),
}, () => {
  const reached = new Map<number, number>();
  fc.assert(
    fc.property(commandsArbitrary, fc.boolean(), (commands, sparse) => {
      const world = new World(sparse);
      for (const command of commands) world.step(command);
      world.settle();
      for (const index of HAPPENS) reached.set(index, (reached.get(index) ?? 0) + world.harness.statistic(index));
    }),
    propertyParameters(70),
  );
  // A generator that makes only tame runs would prove nothing.
  if (process.env["SLUICE_PROPERTY_PATH"] === undefined) {
    for (const index of HAPPENS) expect(reached.get(index), `statistic ${index} over all runs`).toBeGreaterThan(0);
  }
});
