/**
 * `POST /v1/channels/{channel}/events`: publishes one event or an array of them.
 *
 * A body that is wrong anywhere is refused as a whole and nothing is published; what only the core can know of an event
 * (its type is not taken, its sinks are full) is told per event. Publishing is synchronous: the answer tells what is done.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { codes, problemCore, SluiceError } from "../../errors.ts";
import { createBodyReader } from "../../socket/json/codec.ts";
import { eventSchema, eventsSchema } from "../../socket/json/schema/event.ts";
import { resultSchema } from "../../socket/json/schema/host.ts";
import { assertMediaType, readBody, readQuery } from "../request.ts";
import type { ControlResult } from "../service.ts";
import { nameOf } from "./channels.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const receipts = ["accepted", "linked", "stored"] as const;

const publish = createRoute({
  method: "post",
  path: "/v1/channels/{channel}/events",
  summary: "Publishes one event or an array of events",
  description:
    "An array is answered with one result per event. A single event that is refused is answered with its problem.",
  request: {
    params: channelParameter,
    query: z.object({ receipt: z.enum(receipts).optional() }),
    body: { content: jsonContent(z.union([eventSchema, eventsSchema])), required: true },
  },
  responses: {
    200: {
      description: "What became of each event",
      content: jsonContent(z.object({ results: z.array(resultSchema) })),
    },
    ...problemAnswers(400, 404, 409, 413, 415, 422, 429, 503),
  },
});

/** Adds the route. The reader is made once: it keeps its buffer from request to request. */
export function addEventRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const read = createBodyReader();

  app.route(publish, async (context) => {
    const name = nameOf(context);
    assertReceipt(readQuery(context, ["receipt"]).receipt);
    if (context.req.header("idempotency-key") !== undefined) {
      // Taken and not honoured, it would turn a careful client's retry into a duplicate.
      throw new SluiceError("not_supported", "Cannot take an Idempotency-Key, this version remembers none", {
        value: "idempotency-key",
      });
    }
    assertMediaType(context, ["application/json"]);
    const body = read(await readBody(context, limits.bodyBytes));
    if (!body.ok) throw body.error;
    const results = service.publish(name, body.value.events);
    // One event that is refused is a request that failed; within an array it is one result among others.
    const [first] = results;
    if (!body.value.many && first !== undefined && "problem" in first) throw first.problem;
    return context.json({ results: results.map(shown) });
  });
}

/** @throws {SluiceError} for a receipt that this version cannot give: better none than one that promises too much. */
function assertReceipt(receipt: string | undefined): void {
  if (receipt === undefined || receipt === "accepted") return;
  if (receipts.some((known) => known === receipt)) {
    throw new SluiceError("not_supported", `Cannot give the receipt "${receipt}", this version has only "accepted"`, {
      value: "query.receipt",
      limit: ["accepted"],
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

/** A result as the answer has it. */
function shown(result: ControlResult) {
  if (!("problem" in result)) return result;
  return { problem: { ...problemCore(result.problem), status: codes[result.problem.code].status } };
}
