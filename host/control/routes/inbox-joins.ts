/**
 * `/v1/inboxes/{inbox}/joins/{channel}`: what an inbox that is polled subscribes to.
 */
import { create } from "@bufbuild/protobuf";
import { createRoute, z } from "@hono/zod-openapi";
import { ROLE_SINK } from "../../../core-wasm/abi.ts";
import { checkWith } from "../../check.ts";
import { SluiceError } from "../../errors.ts";
import { type Join, JoinSchema } from "../../gen/sluice/v1/frame_pb.ts";
import { inboxUnknown } from "../../session/mailbox.ts";
import { joinFromChecked } from "../../socket/json/client.ts";
import { clientKinds } from "../../socket/json/schema/client.ts";
import { admissionSchema } from "../../socket/json/schema/host.ts";
import { attributes } from "../../socket/json/schema/parts.ts";
import { joinResource } from "../inbox-resource.ts";
import { readJsonBody, readQuery } from "../request.ts";
import { nameOrPatternOf } from "./channels.ts";
import { inboxOf, inboxParameter } from "./inboxes.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const path = "/v1/inboxes/{inbox}/joins/{channel}";
const params = inboxParameter.extend(channelParameter.shape);

/** A join without what the address says. An inbox only receives. */
const joinSchema = clientKinds.join.omit({ channel: true, role: true }).meta({ id: "InboxJoin" });
const shownSchema = z
  .object({
    channel: z.string(),
    member: z.string().describe("In this epoch of the host"),
    role: z.literal("sink"),
    where: z.string().optional(),
    dialect: z.string().optional(),
    types: z.array(z.string()),
    attributes,
    admission: admissionSchema.optional(),
    recovered: z.boolean().optional().describe("Where a replay was asked for: whether nothing of it is missing"),
  })
  .meta({ id: "InboxJoined" });

const routes = {
  put: createRoute({
    method: "put",
    path,
    summary: "Subscribes an inbox to a channel, or changes its types and attributes",
    description:
      "What waits in the inbox stays. `after` and `replay` count where it joins anew. A pattern in the place of the channel " +
      "(`sensors.*`, `user%2F%3E`) follows all channels whose names match, those to come included.",
    request: { params, body: { content: jsonContent(joinSchema) } },
    responses: {
      200: { description: "It was subscribed; what it asks for is changed", content: jsonContent(shownSchema) },
      201: { description: "Subscribed", content: jsonContent(shownSchema) },
      ...problemAnswers(400, 404, 409, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Ends a subscription; what waits of that channel is discarded",
    request: { params },
    responses: { 204: { description: "Ended" }, ...problemAnswers(400, 404, 422, 503) },
  }),
};

/** Adds the routes. */
export function addInboxJoinRoutes(app: ControlApp): void {
  const { inboxes } = app.service;

  app.route(routes.put, async (context) => {
    const id = inboxOf(context);
    const channel = nameOrPatternOf(context);
    assertPolled(id);
    readQuery(context, []);
    const body = await readJsonBody(context, app.limits.bodyBytes, ["application/json"]);
    const frame: Join = create(JoinSchema, joinFromChecked({ ...checkWith(joinSchema, body), channel }));
    const { created, member, recovered, admission } = inboxes.join(id, frame);
    const shown = { ...joinResource({ channel, member, role: ROLE_SINK, frame }), recovered, admission };
    if (!created) return context.json(shown, 200);
    return context.json(shown, 201, { Location: `/v1/inboxes/${id}/joins/${encodeURIComponent(channel)}` });
  });

  app.route(routes.delete, (context) => {
    const id = inboxOf(context);
    const channel = nameOrPatternOf(context);
    assertPolled(id);
    readQuery(context, []);
    if (!inboxes.leave(id, channel)) {
      throw new SluiceError("member_unknown", `Inbox ${id} has not joined "${channel}"`, { value: channel });
    }
    return context.body(null, 204);
  });

  function assertPolled(id: string): void {
    assertPolledInbox(app, id);
  }
}

/**
 * Checks that an inbox is one that is polled.
 *
 * @throws {SluiceError} `inbox_unknown`; `not_found` for one that has its owner in this host or at a socket, who alone joins and receives.
 */
export function assertPolledInbox(app: ControlApp, id: string): void {
  const inbox = app.service.inboxes.get(id);
  if (inbox === undefined) throw inboxUnknown(id);
  if (inbox.kind === "http") return;
  const owner = inbox.kind === "manager" ? "a service manager: it" : "a socket: its session";
  throw new SluiceError("not_found", `Inbox ${id} belongs to ${owner} joins, and gets its events`, { value: id });
}
