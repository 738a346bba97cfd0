/**
 * `POST /v1/channels/{channel}/events`: publishes one event or many, native or as CloudEvents.
 *
 * A body that cannot be read is refused as a whole. An event that is wrong, or that the core does not take, is a result that
 * says so, and those beside it are published. Publishing is synchronous: the answer tells what is done.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { hashBytes, hashText } from "../../hash.ts";
import { cloudEventSchema } from "../../socket/cloudevents/schema.ts";
import { eventSchema, eventsSchema } from "../../socket/json/schema/event.ts";
import { resultSchema } from "../../socket/json/schema/host.ts";
import { BATCH_TYPE, createEventsReader, type EventMode, eventModeOf, STRUCTURED_TYPE } from "../cloudevents/mode.ts";
import { IdempotencyKeys, keyFromHeader } from "../idempotency.ts";
import { type ControlContext, readBody, readQuery } from "../request.ts";
import { publishedText } from "../results.ts";
import { nameOf } from "./channels.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const receipts = ["accepted", "linked", "stored"] as const;
/** Extensions stand beside the members that CloudEvents names. */
const cloudEvent = cloudEventSchema.loose().meta({ id: "CloudEvent" });

const publish = createRoute({
  method: "post",
  path: "/v1/channels/{channel}/events",
  summary: "Publishes one event or an array of events",
  description:
    "An array is answered with one result per event, in its order, and those that are wrong do not keep the others from being " +
    "published. A single event that is refused is answered with its problem. CloudEvents 1.0 are taken in structured and " +
    "batch mode by their media types, and in binary mode by `ce-` fields, with any body: `partitionkey` is the key, " +
    "`expirytime` is `deliverBy`, `priority` is the priority, other extensions are attributes.",
  request: {
    params: channelParameter,
    query: z.object({
      receipt: z.enum(receipts).optional().openapi({
        description:
          "What is to be true when the answer comes: taken, at every host that it goes to, or on disk (not yet)",
      }),
    }),
    headers: z.object({
      "idempotency-key": z
        .string()
        .optional()
        .openapi({
          description:
            "Remembered for five minutes: the same request with it is answered as the first time and publishes nothing, " +
            "another one is refused",
        }),
    }),
    body: {
      content: {
        ...jsonContent(z.union([eventSchema.meta({ id: "Event" }), eventsSchema])),
        [STRUCTURED_TYPE]: { schema: cloudEvent },
        [BATCH_TYPE]: { schema: z.array(cloudEvent) },
      },
      required: true,
    },
  },
  responses: {
    200: {
      description: "What became of each event",
      headers: z.object({
        "idempotency-replayed": z.enum(["true"]).optional().openapi({
          description: "The answer to an earlier request with that key",
        }),
      }),
      content: jsonContent(z.object({ results: z.array(resultSchema) })),
    },
    ...problemAnswers(400, 404, 409, 413, 415, 422, 429, 503),
  },
});

/** Adds the route. */
export function addEventRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const readEvents = createEventsReader();
  const keys = new IdempotencyKeys(service.clocks.service, limits);

  app.route(publish, async (context) => {
    const name = nameOf(context);
    const receipt = receiptOf(context);
    const header = context.req.header("idempotency-key");
    const mode = eventModeOf(context);
    // Nothing is awaited behind this: of two requests with one key, one publishes and the other finds its answer.
    const body = await readBody(context, limits.bodyBytes);
    if (header === undefined) return answer(context, publishedText(service, name, readEvents(context, mode, body)));
    const key = keyFromHeader(header, limits.idempotencyKeyBytes);
    const print = printOf(context, mode, receipt, body);
    const known = keys.find(name, service.channels.get(name), key, print);
    if (known !== undefined) return answer(context, known, { "Idempotency-Replayed": "true" });
    const text = publishedText(service, name, readEvents(context, mode, body));
    const channel = service.channels.get(name);
    if (channel !== undefined) keys.keep(channel, key, print, text);
    return answer(context, text);
  });
}

function answer(context: ControlContext, text: string, headers: Record<string, string> = {}): Response {
  return context.body(text, 200, { "Content-Type": "application/json", ...headers });
}

/** All that a repetition must have in common with the first request. */
function printOf(context: ControlContext, mode: EventMode, receipt: string, body: Uint8Array): string {
  const fields = mode === "binary" ? [...context.req.raw.headers.entries()].filter(isEventField).sort() : [];
  return hashText(JSON.stringify([mode, receipt, fields])) + hashBytes(body);
}

/** Whether a header field is part of an event in binary mode. */
function isEventField([name]: readonly [string, string]): boolean {
  return name === "content-type" || name.startsWith("ce-");
}

/**
 * Reads what is to be promised.
 *
 * @throws {SluiceError} for a receipt that this version cannot give: better none than one that promises too much.
 */
function receiptOf(context: ControlContext): "accepted" | "linked" {
  const { receipt } = readQuery(context, ["receipt"]);
  // This host is the only one, so it is every host that an event has to reach.
  if (receipt === undefined || receipt === "accepted" || receipt === "linked") return receipt ?? "accepted";
  if (receipt === "stored") {
    throw new SluiceError("not_supported", 'Cannot give the receipt "stored", this version keeps no events on disk', {
      value: "query.receipt",
      limit: ["accepted", "linked"],
    });
  }
  throw new SluiceError(
    "invalid_value",
    `Cannot take query.receipt ${JSON.stringify(receipt.slice(0, 32))}, it must be one of ${receipts.join(", ")}`,
    {
      value: receipt.slice(0, 32),
      limit: receipts,
    },
  );
}
