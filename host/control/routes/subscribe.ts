/**
 * `GET /v1/channels/{channel}/events`: a subscription as server-sent events.
 *
 * The route makes the session; its bytes go the way of all sessions, past Hono. Where the runtime can hand over the socket
 * under a response it does so, and otherwise the body is a stream of the web platform.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { LateCarrier, StreamCarrier } from "../../socket/sse/carrier.ts";
import type { ControlContext } from "../request.ts";
import { readStreamQuery, streamFormats } from "../stream-query.ts";
import { nameOrPatternOf } from "./channels.ts";
import { type ControlApp, channelParameter, problemAnswers } from "./kit.ts";

const MEDIA_TYPE = "text/event-stream";

const subscribe = createRoute({
  method: "get",
  path: "/v1/channels/{channel}/events",
  summary: "Subscribes, as server-sent events",
  description:
    "An event is one `data:` line, with its position as `id:`. What is no event of the channel has a name: `gap` comes first " +
    "where events after `Last-Event-ID` are missing, `dropped` tells of deliveries that the inbox had no room for, `left` " +
    "of the end of the channel, `drain` of the end of the host, `problem` of anything else, such as a channel for which a " +
    "pattern has no room. `attr.NAME=VALUE` sets a live attribute of the sink. A pattern in the place of the channel (`sensors.*`, `user%2F%3E`) " +
    "follows all channels whose names match, those to come included; `format=delivery` then tells of which channel an event " +
    "is. A position is one in a single channel, so a stream of a pattern that comes back begins with `gap`.",
  request: {
    params: channelParameter,
    query: z.object({
      type: z.array(z.string()).optional().openapi({ description: "Only these types; may be repeated" }),
      lastEventId: z.string().optional().openapi({ description: "Instead of the header field" }),
      replay: z.enum(["true", "false"]).optional().openapi({ description: "false: nothing that was stored before" }),
      format: z.enum(streamFormats).optional().openapi({ description: "How `data:` tells an event" }),
      ordering: z
        .enum(["fifo", "lifo", "priority", "deadline", "priority+deadline", "window", "time"])
        .optional()
        .openapi({ description: "Which waiting event leaves first" }),
      where: z.string().optional().openapi({ description: "Only events of which this expression holds" }),
      dialect: z.string().optional().openapi({ description: "Language of `where`" }),
    }),
    headers: z.object({
      "last-event-id": z
        .string()
        .optional()
        .openapi({ description: "The last `id:` of an earlier stream, to go on behind it" }),
    }),
  },
  responses: {
    200: {
      description: "Events as they come",
      headers: z.object({
        "sluice-recovered": z.enum(["true", "false"]).optional().openapi({
          description: "Where a last event id was given: whether nothing after it is missing",
        }),
      }),
      content: { [MEDIA_TYPE]: { schema: z.string() } },
    },
    ...problemAnswers(400, 404, 415, 422, 429, 503),
  },
});

/** Which form of stream tells events in a format. */
const kindOf = Object.freeze({ native: "sse", cloudevents: "sse-cloudevents", delivery: "sse-delivery" } as const);

/** Of every answer. Proxies that buffer (nginx) or rewrite would hold events back. */
const fields = Object.freeze({
  "Content-Type": MEDIA_TYPE,
  "Cache-Control": "no-cache",
  "X-Accel-Buffering": "no",
});

/** Adds the route. */
export function addSubscribeRoute(app: ControlApp): void {
  const { service, clock } = app;
  const encoder = new TextEncoder();

  app.route(subscribe, (context) => {
    const channel = nameOrPatternOf(context);
    const { format, lastEventId, ...query } = readStreamQuery(context);
    assertAccepted(context);
    // Hono asks the route of GET for HEAD, too: that opens nothing.
    if (context.req.method === "HEAD") return context.body(null, 200, fields);
    const late = new LateCarrier();
    const opened = service.openStream(kindOf[format], late, {
      ...query,
      channel,
      lastEventId: context.req.header("last-event-id") ?? lastEventId,
    });
    const { connection, recovered } = opened;
    late.connection = connection;
    const preamble = encoder.encode(opened.preamble);
    const headers = { ...fields, ...(recovered === undefined ? {} : { "Sluice-Recovered": String(recovered) }) };
    const handOver = context.env?.handOver;
    if (handOver !== undefined) {
      handOver({ connection, begin: (carrier) => late.attach(carrier, preamble) });
      return context.body(null, 200, headers);
    }
    const carrier = new StreamCarrier(clock);
    carrier.connection = connection;
    // Some runtimes cancel the body of a client that is gone, some only tell the request.
    context.req.raw.signal.addEventListener("abort", () => carrier.gone(), { once: true });
    late.attach(carrier, preamble);
    return context.body(carrier.body, 200, headers);
  });
}

/** @throws {SluiceError} `media_type` for a client that wants something else. */
function assertAccepted({ req }: ControlContext): void {
  const accept = req.header("accept") ?? "*/*";
  const ranges = accept.split(",").map((range) => (range.split(";")[0] ?? "").trim().toLowerCase());
  if (ranges.some((range) => range === MEDIA_TYPE || range === "text/*" || range === "*/*")) return;
  throw new SluiceError(
    "media_type",
    `Cannot answer as "${accept.slice(0, 64)}", a subscription is ${MEDIA_TYPE}; POST publishes`,
    { value: accept.slice(0, 256), limit: [MEDIA_TYPE] },
  );
}
