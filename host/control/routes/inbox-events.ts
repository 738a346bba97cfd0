/**
 * `/v1/inboxes/{inbox}/events` and `…/acks`: polls, short and long, in native JSON or as CloudEvents.
 *
 * What an answer brings has left the inbox. A client that is gone before the answer is made gets nothing taken away; one
 * that loses the answer on its way has lost the events, unless the inbox has `ack: explicit`: then they come again.
 */

import { fromBinary } from "@bufbuild/protobuf";
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith } from "../../check.ts";
import { SluiceError } from "../../errors.ts";
import { EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { limits } from "../../limits.ts";
import { assertTypes } from "../../session/join.ts";
import { inboxUnknown } from "../../session/mailbox.ts";
import type { InboxEntry, Polled, PollWanted } from "../../session/mailbox-view.ts";
import { whereFrom } from "../../session/where.ts";
import type { IdentifiedEvent } from "../../socket/cloudevents/write.ts";
import { PollRenderer } from "../../socket/json/poll.ts";
import { clientKinds } from "../../socket/json/schema/client.ts";
import { deliverySchema } from "../../socket/json/schema/host.ts";
import { count } from "../../socket/json/schema/parts.ts";
import { cloudEventsAnswer, eventFormatOf, eventsMaxOf } from "../cloudevents/answer.ts";
import { BATCH_TYPE, type EventMode, STRUCTURED_TYPE } from "../cloudevents/mode.ts";
import { type ControlContext, readJsonBody, readQuery, wholeFrom } from "../request.ts";
import { assertPolledInbox } from "./inbox-joins.ts";
import { inboxOf, inboxParameter } from "./inboxes.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const droppedSchema = z.object({
  channel: z.string(),
  reason: z.enum(["overflow", "late", "cancelled", "attempts", "drained", "conflated"]),
  count,
});
const polledSchema = z
  .object({
    data: z.array(deliverySchema),
    next: z.null(),
    dropped: z.array(droppedSchema).optional().describe("Deliveries that it will not get, since the last answer"),
  })
  .meta({ id: "Polled" });
const acksSchema = clientKinds.ack.meta({ id: "Acks" });

const routes = {
  poll: createRoute({
    method: "get",
    path: "/v1/inboxes/{inbox}/events",
    summary: "Takes events out of an inbox; waits for the first one up to waitMs",
    description:
      "At most `max` events, as many as the inbox's `select` says where that is absent. With `type` or `where` only what matches is " +
      "taken, in the order of the inbox, and the rest stays. `Accept` chooses CloudEvents: " +
      "application/cloudevents-batch+json for a batch, application/cloudevents+json and application/cloudevents for one " +
      "event in structured and binary mode, or 204.",
    request: {
      params: inboxParameter,
      query: z.object({
        max: z.coerce
          .number()
          .int()
          .optional()
          .openapi({ description: `Events at most, up to ${limits.pollEvents}` }),
        waitMs: z.coerce
          .number()
          .int()
          .optional()
          .openapi({
            description: `How long to wait for the first one, up to ${limits.pollWaitMs}; absent: not at all`,
          }),
        type: z
          .array(z.string())
          .optional()
          .openapi({ description: "Only events of this type, or of one of these: it may be given several times" }),
        where: z.string().optional().openapi({ description: "Only events of which this expression holds" }),
        dialect: z
          .enum(["", "cesql"])
          .optional()
          .openapi({ description: "Of `where`: `cesql` is the pure CloudEvents SQL" }),
      }),
    },
    responses: {
      200: {
        description: "What was waiting, oldest first; perhaps nothing",
        content: {
          ...jsonContent(polledSchema),
          [BATCH_TYPE]: { schema: z.array(z.looseObject({})) },
          [STRUCTURED_TYPE]: { schema: z.looseObject({}) },
        },
      },
      204: { description: "There was no event for a format that carries one" },
      ...problemAnswers(400, 404, 422, 429, 503),
    },
  }),
  drain: createRoute({
    method: "delete",
    path: "/v1/inboxes/{inbox}/events",
    summary: "Discards what waits in a mailbox, of a socket too; counted, and told to whom it was for",
    request: { params: inboxParameter },
    responses: {
      200: { description: "Discarded", content: jsonContent(z.object({ discarded: count })) },
      ...problemAnswers(400, 404, 503),
    },
  }),
  acks: createRoute({
    method: "post",
    path: "/v1/inboxes/{inbox}/acks",
    summary: "Acknowledges deliveries, these and all up to one; what is acknowledged already does no harm",
    request: { params: inboxParameter, body: { content: jsonContent(acksSchema), required: true } },
    responses: { 204: { description: "Acknowledged" }, ...problemAnswers(400, 404, 413, 415, 422, 503) },
  }),
};

/** Answers are for whoever polled, once. */
const fields = Object.freeze({ "Content-Type": "application/json", "Cache-Control": "no-store" });

const NUMBER_RANGES_MAX = 512;

/** Adds the routes. */
export function addInboxEventRoutes(app: ControlApp): void {
  const { inboxes } = app.service;
  const renderer = new PollRenderer();

  app.route(routes.poll, async (context) => {
    const id = inboxOf(context);
    assertPolledInbox(app, id);
    const format = eventFormatOf(context);
    const wanted = readPoll(context, format);
    // Hono asks the route of GET for HEAD, too: that takes nothing.
    if (context.req.method === "HEAD") return context.body(null, 200, fields);
    const polled = await inboxes.poll(id, { ...wanted, signal: context.req.raw.signal });
    if (format === "native") return context.body(renderer.render(polled), 200, fields);
    context.header("Cache-Control", "no-store");
    noteDropped(context, polled);
    if (inboxes.get(id)?.settings.acks.explicit === true) noteNumbers(context, polled);
    return cloudEventsAnswer(context, format, polled.entries.map(identified));
  });

  app.route(routes.drain, (context) => {
    const id = inboxOf(context);
    readQuery(context, []);
    const discarded = inboxes.drain(id);
    if (discarded === undefined) throw inboxUnknown(id);
    return context.json({ discarded }, 200);
  });

  app.route(routes.acks, async (context) => {
    const id = inboxOf(context);
    assertPolledInbox(app, id);
    readQuery(context, []);
    const acks = checkWith(acksSchema, await readJsonBody(context, app.limits.bodyBytes, ["application/json"]));
    inboxes.acknowledge(id, { through: acks.through, numbers: acks.numbers ?? [] });
    return context.body(null, 204);
  });
}

function readPoll(context: ControlContext, format: EventMode): PollWanted {
  const { max, waitMs, where = "", dialect = "" } = readQuery(context, ["max", "waitMs", "where", "dialect"], ["type"]);
  const types = context.req.queries("type") ?? [];
  assertTypes(types, "query.type");
  if (dialect !== "" && dialect !== "cesql")
    throw new SluiceError("invalid_value", `Cannot take query.dialect ${JSON.stringify(dialect.slice(0, 32))}`, {
      value: dialect.slice(0, 32),
      limit: ["cesql"],
    });
  const picks = types.length > 0 || where !== "";
  const eventsMax = wholeFrom("query.max", max, 1, limits.pollEvents);
  return {
    // One event fits a format that carries one, whatever the inbox's own settings.
    eventsMax: eventsMaxOf(format, limits.pollEvents) === 1 ? 1 : eventsMax,
    waitMs: wholeFrom("query.waitMs", waitMs, 0, limits.pollWaitMs) ?? 0,
    picked: picks ? { types, where: whereFrom(where, dialect) } : undefined,
  };
}

/** A body of CloudEvents has no room for it. */
function noteDropped(context: ControlContext, { dropped }: Polled): void {
  const count = dropped.reduce((sum, one) => sum + one.count, 0);
  if (count > 0) context.header("Sluice-Dropped", String(count));
}

/** Nor for the numbers by which they are acknowledged: `3-5,9`. */
function noteNumbers(context: ControlContext, { entries }: Polled): void {
  const ranges: [from: number, to: number][] = [];
  for (const { number } of entries) {
    const last = ranges.at(-1);
    // Clients take so much of a header; what is not told here comes again, and is told then.
    if (ranges.length === NUMBER_RANGES_MAX) break;
    if (last !== undefined && last[1] + 1 === number) last[1] = number;
    else ranges.push([number, number]);
  }
  const text = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
  if (text !== "") context.header("Sluice-Numbers", text);
}

function identified({ event, derivedId }: InboxEntry): IdentifiedEvent {
  const decoded = fromBinary(EventSchema, event);
  return { event: decoded, id: decoded.id || derivedId };
}
