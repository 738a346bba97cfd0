/**
 * `/v1/inboxes`: mailboxes that are polled, as resources; and those of sockets, for operators to look at and to hold.
 *
 * An inbox that is polled has an id that cannot be guessed, since whoever polls it takes its events. It is nobody's state to
 * keep: it ends with the host, or when nobody used it for `idleMs`.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { inboxUnknown } from "../../session/mailbox.ts";
import type { MailboxView } from "../../session/mailbox-view.ts";
import { assertPreconditions, etagOf, isUnchanged } from "../etag.ts";
import {
  inboxResource,
  inboxSchema,
  listedInbox,
  settingsFromJson,
  settingsFromPatch,
  settingsResource,
  shownInbox,
} from "../inbox-resource.ts";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import { type ControlApp, jsonContent, problemAnswers } from "./kit.ts";

const JSON_TYPES = ["application/json"];
const PATCH_TYPES = ["application/merge-patch+json", "application/json"];

/** The `inbox` of a path. */
export const inboxParameter = z.object({
  inbox: z.string().openapi({ param: { name: "inbox", in: "path" }, example: "s1" }),
});

const path = "/v1/inboxes/{inbox}";
const settable = inboxSchema.meta({ id: "InboxSettings" });

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/inboxes",
    summary: "Lists all mailboxes by id",
    description: "Those that are polled, and those of sockets, which begin with s.",
    request: { query: pageQuery },
    responses: {
      200: { description: "One page", content: jsonContent(pageSchema(shownInbox)) },
      ...problemAnswers(400, 422),
    },
  }),
  create: createRoute({
    method: "post",
    path: "/v1/inboxes",
    summary: "Creates an inbox to be polled",
    description: "It ends when nobody joins, changes or polls it for `idleMs`.",
    request: { body: { content: jsonContent(settable) } },
    responses: {
      201: { description: "Created; Location says where", content: jsonContent(shownInbox) },
      ...problemAnswers(400, 413, 415, 422, 503),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a mailbox and its joins",
    request: { params: inboxParameter },
    responses: {
      200: { description: "The mailbox", content: jsonContent(shownInbox) },
      304: { description: "Its settings are unchanged" },
      ...problemAnswers(400, 404),
    },
  }),
  patch: createRoute({
    method: "patch",
    path,
    summary: "Changes settings of a mailbox by a merge patch (RFC 7396); `held` pauses any",
    request: {
      params: inboxParameter,
      body: { content: { "application/merge-patch+json": { schema: settable } } },
    },
    responses: {
      200: { description: "Changed", content: jsonContent(shownInbox) },
      ...problemAnswers(400, 404, 412, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Ends an inbox; what waits in it is discarded",
    request: { params: inboxParameter },
    responses: { 204: { description: "Ended" }, ...problemAnswers(400, 404, 405, 412, 503) },
  }),
};

/** Adds the routes. */
export function addInboxRoutes(app: ControlApp): void {
  const { inboxes } = app.service;
  const { bodyBytes } = app.limits;

  app.route(routes.list, (context) => {
    const page = pageFrom(inboxes.list(), readPage(context, app, "inboxes"), app, "inboxes", ({ id }) => id);
    return context.json({ ...page, data: page.data.map(listedInbox) });
  });

  app.route(routes.create, async (context) => {
    readQuery(context, []);
    const inbox = inboxes.open(settingsFromJson(await readJsonBody(context, bodyBytes, JSON_TYPES)));
    const headers = { ETag: tagOf(inbox), Location: `/v1/inboxes/${inbox.id}` };
    return context.json(inboxResource(inbox), 201, headers);
  });

  app.route(routes.get, (context) => {
    const inbox = known(context);
    readQuery(context, []);
    const etag = tagOf(inbox);
    if (isUnchanged(context, etag)) return context.body(null, 304, { ETag: etag });
    return context.json(inboxResource(inbox), 200, { ETag: etag });
  });

  app.route(routes.patch, async (context) => {
    known(context);
    readQuery(context, []);
    const patch = await readJsonBody(context, bodyBytes, PATCH_TYPES);
    // Looked up behind the body, which may have taken its time: nothing is awaited between here and the change.
    const present = known(context);
    assertPreconditions(context, present.id, tagOf(present));
    const { settings, idleMs, held } = present;
    const changed = inboxes.patch(present.id, settingsFromPatch({ ...settings, idleMs, held }, patch));
    return context.json(inboxResource(changed), 200, { ETag: tagOf(changed) });
  });

  app.route(routes.delete, (context) => {
    const inbox = known(context);
    readQuery(context, []);
    assertPreconditions(context, inbox.id, tagOf(inbox));
    if (!inboxes.close(inbox.id)) {
      context.header("Allow", "GET, HEAD, OPTIONS, PATCH");
      throw new SluiceError("method_not_allowed", `Cannot DELETE inbox ${inbox.id}, it ends with its session`, {
        value: "DELETE",
        limit: ["GET", "HEAD", "OPTIONS", "PATCH"],
      });
    }
    return context.body(null, 204);
  });

  function known(context: ControlContext): MailboxView {
    const id = inboxOf(context);
    const inbox = inboxes.get(id);
    if (inbox === undefined) throw inboxUnknown(id);
    return inbox;
  }
}

/** The id in the address. */
export function inboxOf(context: ControlContext): string {
  return context.req.param("inbox") ?? "";
}

/** Of the settings only: what waits changes all the time. */
function tagOf(inbox: MailboxView): string {
  return etagOf(settingsResource(inbox));
}
