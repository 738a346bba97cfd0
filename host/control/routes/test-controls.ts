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

const pausing = z.strictObject({ paused: z.boolean().describe("Whether contracts are evaluated only by `step`") });
const stepping = z.strictObject({
  step: z.int().min(1).max(limits.contractPasses).describe("Passes over all marked contracts"),
});
const evaluatorSchema = z.union([pausing, stepping]).meta({ id: "TestEvaluator" });

const evaluator = createRoute({
  method: "post",
  path: "/v1/test/evaluator",
  summary: "Pauses the evaluation of contracts, or runs single passes",
  description: "A pass looks at every marked contract once, in the order of their creation.",
  request: { body: { content: jsonContent(evaluatorSchema), required: true } },
  responses: {
    200: {
      description: "How it is now",
      content: jsonContent(z.object({ paused: z.boolean(), passes: z.int().describe("That were run") })),
    },
    ...problemAnswers(400, 413, 415, 422, 503),
  },
});

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
  const { contracts } = app.service;

  app.route(evaluator, async (context) => {
    readQuery(context, []);
    const body = await readJsonBody(context, app.limits.bodyBytes, ["application/json"]);
    // Which of the two it is decides what is wrong with it.
    const isStep = typeof body === "object" && body !== null && "step" in body;
    const wanted = isStep ? checkWith(stepping, body) : checkWith(pausing, body);
    let passes = 0;
    if ("step" in wanted) passes = contracts.step(wanted.step);
    else contracts.pause(wanted.paused);
    controls.settle();
    return context.json({ paused: contracts.paused, passes });
  });

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
