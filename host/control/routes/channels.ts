/**
 * `/v1/channels`: channels as resources.
 *
 * A change is checked whole (name, query, body, preconditions) before anything happens, and answered when it is on disk.
 * All of it but the reading of the body and the waiting for the disk is one turn of the event loop, so what a precondition
 * compared with is what is replaced.
 */
import { createRoute, z } from "@hono/zod-openapi";
import {
  assertChannelName,
  channelResource,
  channelSchema,
  definitionFromFields,
  definitionFromPatch,
} from "../../channel/definition.ts";
import { overlayOf } from "../../channel/overlays.ts";
import { assertPattern, isPattern } from "../../channel/pattern.ts";
import { SluiceError } from "../../errors.ts";
import { assertPreconditions, etagOf, isUnchanged } from "../etag.ts";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import type { ControlChannel } from "../service.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

/** PUT takes JSON only; PATCH also under the name of its format (RFC 7396). */
const JSON_TYPES = ["application/json"];
const PATCH_TYPES = ["application/merge-patch+json", "application/json"];

const shown = channelSchema.meta({ id: "Channel" });
const LIST = "channels";
const path = "/v1/channels/{channel}";

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/channels",
    summary: "Lists channels by name",
    request: { query: pageQuery },
    responses: {
      200: { description: "One page", content: jsonContent(pageSchema(shown)) },
      ...problemAnswers(400, 422),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a channel",
    request: { params: channelParameter },
    responses: {
      200: { description: "The channel", content: jsonContent(shown) },
      304: { description: "Unchanged" },
      ...problemAnswers(404, 422),
    },
  }),
  put: createRoute({
    method: "put",
    path,
    summary: "Creates a channel or replaces its settings",
    request: { params: channelParameter, body: { content: jsonContent(shown) } },
    responses: {
      200: { description: "Replaced", content: jsonContent(shown) },
      201: { description: "Created; Location says where", content: jsonContent(shown) },
      ...problemAnswers(400, 412, 413, 415, 422, 503),
    },
  }),
  patch: createRoute({
    method: "patch",
    path,
    summary: "Changes some settings of a channel by a merge patch (RFC 7396)",
    request: {
      params: channelParameter,
      body: { content: { "application/merge-patch+json": { schema: z.object({}) } } },
    },
    responses: {
      200: { description: "Changed", content: jsonContent(shown) },
      ...problemAnswers(400, 404, 412, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Removes a channel and its members",
    request: { params: channelParameter },
    responses: { 204: { description: "Removed" }, ...problemAnswers(404, 409, 412, 422, 503) },
  }),
};

/** Adds the routes. */
export function addChannelRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const { channels, templates } = service;

  app.route(routes.list, (context) => {
    const page = pageFrom(channels.list(), readPage(context, app, LIST), app, LIST, ({ name }) => name);
    return context.json({ data: page.data.map(view), next: page.next });
  });

  app.route(routes.get, (context) => {
    const channel = known(nameOf(context));
    readQuery(context, []);
    const etag = tagOf(channel);
    if (isUnchanged(context, etag)) return context.body(null, 304, { ETag: etag });
    return context.json(view(channel), 200, { ETag: etag });
  });

  // Idempotent: the body is the whole definition, and what it leaves out gets the default of templates or of the host.
  app.route(routes.put, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const body = await readJsonBody(context, limits.bodyBytes, JSON_TYPES);
    const definition = definitionFromFields(body, name, templates.fieldsFor(name));
    // Looked up behind the body, which may have taken its time: nothing is awaited between here and the change.
    const present = channels.get(name);
    assertPreconditions(context, name, present && tagOf(present));
    const { created, channel } = channels.put(name, definition);
    await app.persisted();
    const headers = { ETag: tagOf(channel) };
    if (!created) return context.json(view(channel), 200, headers);
    return context.json(view(channel), 201, { ...headers, Location: `/v1/channels/${encodeURIComponent(name)}` });
  });

  app.route(routes.patch, async (context) => {
    const name = nameOf(context);
    readQuery(context, []);
    const patch = await readJsonBody(context, limits.bodyBytes, PATCH_TYPES);
    // Looked up behind the body, which may have taken its time: nothing is awaited between here and the change.
    const present = known(name);
    assertPreconditions(context, name, tagOf(present));
    const channel = channels.patch(
      name,
      definitionFromPatch(name, present.definition, patch, templates.fieldsFor(name)),
    );
    await app.persisted();
    return context.json(view(channel), 200, { ETag: tagOf(channel) });
  });

  app.route(routes.delete, async (context) => {
    const channel = known(nameOf(context));
    readQuery(context, []);
    assertPreconditions(context, channel.name, tagOf(channel));
    channels.remove(channel.name);
    await app.persisted();
    return context.body(null, 204);
  });

  function known(name: string): ControlChannel {
    const channel = channels.get(name);
    if (channel === undefined)
      throw new SluiceError("channel_unknown", `Cannot find a channel "${name}"`, { value: name });
    return channel;
  }
}

/** The name in the address, decoded once: `a%2Fb` is the channel `a/b`. */
export function nameOf(context: ControlContext): string {
  const name = context.req.param("channel") ?? "";
  assertChannelName(name);
  return name;
}

/** The name in the address, or the pattern, for what may follow several channels: `sensors.*`, `user%2F%3E`. */
export function nameOrPatternOf(context: ControlContext): string {
  const name = context.req.param("channel") ?? "";
  if (isPattern(name)) assertPattern(name);
  else assertChannelName(name);
  return name;
}

/** The resource and what is counted about it. */
function view(channel: ControlChannel) {
  const counted = {
    sinks: channel.sinks(),
    sources: channel.sources(),
    sequence: channel.sequence(),
    stored: channel.stored(),
  };
  return { ...settingsOf(channel), ...counted };
}

/** The definition and, apart from it, what contracts lay over it. */
function settingsOf({ name, definition, inForce, layers }: ControlChannel) {
  const resource = channelResource(name, definition);
  if (layers.length === 0) return resource;
  const overlay = overlayOf(layers, { ...channelResource(name, inForce) });
  return { ...resource, governedBy: layers.map(({ by }) => by), overlay };
}

/** Of the settings only: what is counted changes all the time. */
function tagOf(channel: ControlChannel): string {
  return etagOf(settingsOf(channel));
}
