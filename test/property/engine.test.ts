/**
 * Goal: the core does what the slow model does. Method: random steps on few connections and channels over a store of
 * four slabs with tiny inboxes, so that survivors are moved and inboxes overflow all the time.
 */
import fc from "fast-check";
import { test } from "vitest";
import { commandsArbitrary } from "./command.ts";
import { propertyParameters } from "./runs.ts";
import { World } from "./world.ts";

test("random steps: the same deliveries, numbers, sequences, receipts, notices and counts as the model", {
  timeout: 600_000,
}, () => {
  fc.assert(
    fc.property(commandsArbitrary, (commands) => {
      const world = new World();
      for (const command of commands) world.step(command);
      world.settle();
    }),
    propertyParameters(150),
  );
});
