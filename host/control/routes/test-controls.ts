/**
 * `/v1/test/…`: time in the hands of a test. The routes are there only where the host was started with test controls;
 * everywhere else these addresses are 404.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith } from "../../check.ts";
import type { ManualClock } from "../../clock.ts";
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { readJsonBody, readQuery } from "../request.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

/** What a host with test controls gives its control plane. */
export interface TestControls {
  /** The service clock. */
  readonly clock: ManualClock;
  /** Sends everything that can be sent. */
  settle(): void;
}

const advanceSchema = z
  .strictObject({ advanceMs: z.number().min(0).max(limits.testAdvanceMs) })
  .meta({ id: "TestClockAdvance" });

const advance = createRoute({
  method: "post",
  path: "/v1/test/clock",
  summary: "Moves the service clock",
  description: "Answers when every timer due has run in order, and mailboxes have been flushed to their sockets.",
  request: { body: { content: jsonContent(advanceSchema), required: true } },
  responses: {
    200: {
      description: "Moved",
      content: jsonContent(z.object({ nowMs: z.number(), timers: z.int().describe("How many ran") })),
    },
    ...problemAnswers(400, 413, 415, 422, 503),
  },
});

/** Adds the routes, where the host has test controls. */
export function addTestRoutes(app: ControlApp, controls: TestControls | undefined): void {
  if (controls === undefined) return;
  const { clock } = controls;

  app.route(advance, async (context) => {
    readQuery(context, []);
    const body = await readJsonBody(context, app.limits.bodyBytes, ["application/json"]);
    const { advanceMs } = checkWith(advanceSchema, body);
    const until = clock.now() + advanceMs;
    // What waits now is delivered now, not at the moment to which the clock is moved: that could be too late for it.
    controls.settle();
    const timers = clock.advance(advanceMs, limits.testTimers);
    controls.settle();
    if (clock.now() < until) {
      throw new SluiceError("limit_reached", `Stopped at ${clock.now()} ms, ${timers} timers ran by then`, {
        value: timers,
        limit: limits.testTimers,
      });
    }
    return context.json({ nowMs: clock.now(), timers });
  });
}
