/** `POST /v1/channels/{channel}/cancel`: withdraws the undelivered events of a key, and tells whoever got it. */
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith, word } from "../../check.ts";
import { limits } from "../../limits.ts";
import { microsFromMoment } from "../../socket/json/moment.ts";
import { member as memberName, memberNumber, moment } from "../../socket/json/schema/parts.ts";
import { readJsonBody, readQuery } from "../request.ts";
import { nameOf } from "./channels.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const bodySchema = z.strictObject({
  key: word(limits.keyBytes, "key_too_long").describe("That of the events to withdraw"),
  at: moment.optional().describe("Only events that happened up to this moment; absent: now"),
  as: memberName.optional().describe("The member that cancels, such as `m17`; absent: the host, for everybody"),
});
const count = z.int().min(0);
const answerSchema = z.object({
  withdrawn: count.describe("Deliveries that will not be made; their sinks are told `dropped`"),
  forwarded: count.describe("Sinks that got the key already, and are told with an event of type `cancel`"),
});

const cancel = createRoute({
  method: "post",
  path: "/v1/channels/{channel}/cancel",
  summary: "Withdraws the undelivered events of a key, and tells whoever got it",
  description:
    "Of several members that got a key and cancel it to be the only one, the earliest stands, by `at` and then by the order of " +
    "joining; the others get 409 `cancelled`. Without `as` it is cancelled for all of them.",
  request: { params: channelParameter, body: { content: jsonContent(bodySchema), required: true } },
  responses: {
    200: { description: "What it did", content: jsonContent(answerSchema) },
    ...problemAnswers(400, 404, 409, 413, 415, 422, 503),
  },
});

/** Adds the route. */
export function addCancelRoute(app: ControlApp): void {
  const { service } = app;

  app.route(cancel, async (context) => {
    const channel = nameOf(context);
    readQuery(context, []);
    const { key, at, as } = checkWith(
      bodySchema,
      await readJsonBody(context, app.limits.bodyBytes, ["application/json"]),
    );
    const atUs = at === undefined ? undefined : microsFromMoment(at);
    return context.json(
      service.cancel(channel, key, {
        ...(atUs === undefined ? {} : { atUs }),
        ...(as === undefined ? {} : { as: memberNumber(as) as number }),
      }),
    );
  });
}
