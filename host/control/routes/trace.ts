/**
 * `POST /v1/channels/{channel}/trace`: publishes one event and tells when it passed which stage; `GET /v1/traces` has the last ones.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { limits } from "../../limits.ts";
import type { Trace } from "../../session/tracing.ts";
import { eventSchema } from "../../socket/json/schema/event.ts";
import { createEventsReader } from "../cloudevents/mode.ts";
import { readQuery, wholeFrom } from "../request.ts";
import { nameOf } from "./channels.ts";
import { readOneEvent } from "./explain.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const count = z.int().min(0);
const ms = z.number();
const shown = z
  .object({
    id: z.string().openapi({ description: "Of the event; the host gives one where the source gave none" }),
    channel: z.string(),
    sequence: count.openapi({ description: "0: it waited in its outbox when it was accepted" }),
    epoch: count,
    sinks: count.openapi({ description: "Sinks that were selected when it was accepted" }),
    submittedAt: z.iso.datetime().openapi({ description: "All that follows is in milliseconds since then" }),
    encodedMs: ms.openapi({ description: "It was read, and is as the core takes it" }),
    queuedMs: ms.openapi({
      description: "One call of the core has stored, matched and filtered it, and put it in the inboxes",
    }),
    deliveries: z.array(
      z.object({
        inbox: z.string().nullable().openapi({ description: "null: a handler within the host" }),
        kind: z.string(),
        drainedMs: ms.openapi({ description: "It left the inbox" }),
        writtenMs: ms.nullable().openapi({ description: "The system, the poll or the handler has it; null: not yet" }),
        acknowledgedMs: ms.nullable().openapi({
          description: "Told by inboxes that are polled and by service managers; null: not yet, or nobody asked",
        }),
      }),
    ),
    complete: z.boolean().openapi({ description: "As many sinks have it as were selected" }),
  })
  .meta({ id: "Trace" });

const trace = createRoute({
  method: "post",
  path: "/v1/channels/{channel}/trace",
  summary: "Publishes one event, and tells when it passed which stage",
  description:
    `Answers when all selected sinks have the event, or after \`waitMs\`; it is followed for ${limits.traceMs / 1_000} s in ` +
    "any case, and `GET /v1/traces` tells what came later.",
  request: {
    params: channelParameter,
    query: z.object({
      waitMs: z.coerce
        .number()
        .int()
        .optional()
        .openapi({ description: `Up to ${limits.traceWaitMsMax}; absent: ${limits.traceWaitMs}` }),
    }),
    body: { content: jsonContent(eventSchema), required: true },
  },
  responses: {
    200: { description: "What is known by then", content: jsonContent(shown) },
    ...problemAnswers(400, 404, 409, 413, 415, 422, 429, 503),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/traces",
  summary: "Lists the last traced events, newest first",
  responses: {
    200: {
      description: `At most ${limits.traces}`,
      content: jsonContent(z.object({ data: z.array(shown), next: z.null() })),
    },
    ...problemAnswers(400),
  },
});

/** Adds the routes. */
export function addTraceRoutes(app: ControlApp): void {
  const { service, clock } = app;
  const readEvents = createEventsReader();

  app.route(trace, async (context) => {
    const submittedAt = clock.now();
    const channel = nameOf(context);
    const query = readQuery(context, ["waitMs"]);
    const waitMs = wholeFrom("query.waitMs", query.waitMs, 0, limits.traceWaitMsMax) ?? limits.traceWaitMs;
    const event = await readOneEvent(context, readEvents, app.limits.bodyBytes);
    return context.json(view(await service.tracing.trace(channel, event, { submittedAt, waitMs })));
  });

  app.route(list, (context) => {
    readQuery(context, []);
    return context.json({ data: service.tracing.list().map(view), next: null });
  });
}

function view({ submittedAt, encodedMs, queuedMs, deliveries, ...rest }: Trace) {
  return {
    ...rest,
    submittedAt: new Date(submittedAt).toISOString(),
    encodedMs: micros(encodedMs),
    queuedMs: micros(queuedMs),
    deliveries: deliveries.map(({ drainedMs, writtenMs, acknowledgedMs, ...delivery }) => ({
      ...delivery,
      drainedMs: micros(drainedMs),
      writtenMs: writtenMs === undefined ? null : micros(writtenMs),
      acknowledgedMs: acknowledgedMs === undefined ? null : micros(acknowledgedMs),
    })),
  };
}

/** The clock says no more. */
function micros(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
