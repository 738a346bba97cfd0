/**
 * `/v1/channels/{channel}/filters/{stage}`: who gets the events of a channel, as routes or by a filter module.
 *
 * The tag is of the binding alone, not of what is counted, so that two operators who bind at the same time can tell.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { SluiceError } from "../../errors.ts";
import { noCounters } from "../../filter/bound.ts";
import { type Binding, bindingFromJson, bindingJson, sameBinding } from "../../filter/route.ts";
import { bindingSchema, routeSchema, type Stage, stages } from "../../filter/schema.ts";
import { bindingSummary, routeSummary } from "../../filter/summary.ts";
import { assertPreconditions, etagOf, isUnchanged } from "../etag.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import type { ControlChannel } from "../service.ts";
import { nameOf } from "./channels.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const path = "/v1/channels/{channel}/filters/{stage}";
const params = channelParameter.extend({
  stage: z.enum(stages).openapi({
    param: { name: "stage", in: "path" },
    description: "`out`: once per event, over all candidate sinks; `in`: before the inboxes of each host",
  }),
});

const count = z.int().min(0);
/** What is counted of a route, for `/v1/stats` too. */
export const countersSchema = z
  .object({
    route: z.string().openapi({ description: "The route in one line" }),
    events: count.openapi({ description: "Events that it decided, since it was bound" }),
    sinks: count.openapi({ description: "Sinks that it selected for them" }),
    nobody: count.openapi({ description: "Events that it selected nobody for" }),
    duplicates: count.openapi({ description: "Events whose key `unique` had seen" }),
    evicted: count.openapi({ description: "Keys that were forgotten for want of room" }),
    unanswered: count.openapi({ description: "Responses to what nobody is known to have asked" }),
    keys: count.openapi({ description: "Keys that are remembered now" }),
  })
  .meta({ id: "RouteCounters" });

const shown = bindingSchema
  .omit({ route: true })
  .extend({
    channel: z.string(),
    stage: z.enum(stages),
    routes: z.array(routeSchema).optional(),
    summary: z.string().openapi({ description: "All of it in one line" }),
    counters: z.array(countersSchema).openapi({ description: "What is counted of each route, in their order" }),
  })
  .meta({ id: "Filter" });

/** What GET shows besides the binding; PUT takes and ignores it, so that what was got can be put back. */
const readOnly = ["channel", "stage", "summary", "counters"];

const routes = {
  get: createRoute({
    method: "get",
    path,
    summary: "Shows the filter of a stage, and what it has done",
    request: { params },
    responses: {
      200: { description: "The filter", content: jsonContent(shown) },
      304: { description: "Unchanged; what is counted does not matter" },
      ...problemAnswers(400, 404, 422),
    },
  }),
  put: createRoute({
    method: "put",
    path,
    summary: "Binds a filter, from the next event on",
    description:
      "Routes are tried in order; the first whose `when` holds decides, and where none does all candidates get the event. " +
      "One that means the same as what is bound changes nothing: counters and what is remembered stay. Otherwise counters " +
      "begin at 0; what `unique` remembers stays where the new routes have the same `unique`.",
    request: { params, body: { content: jsonContent(bindingSchema), required: true } },
    responses: {
      200: { description: "Replaced", content: jsonContent(shown) },
      201: { description: "Bound; Location says where", content: jsonContent(shown) },
      ...problemAnswers(400, 404, 412, 413, 415, 422, 503),
    },
  }),
  delete: createRoute({
    method: "delete",
    path,
    summary: "Takes a filter away: all candidates get events again",
    request: { params },
    responses: { 204: { description: "Unbound" }, ...problemAnswers(400, 404, 412, 422, 503) },
  }),
};

/** Adds the routes. */
export function addFilterRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const { channels } = service;

  app.route(routes.get, (context) => {
    const { channel, stage, binding } = bound(context, "inForce");
    readQuery(context, []);
    const etag = tagOf(binding);
    if (isUnchanged(context, etag)) return context.body(null, 304, { ETag: etag });
    return context.json(view(channel, stage, binding), 200, { ETag: etag });
  });

  app.route(routes.put, async (context) => {
    const name = nameOf(context);
    const stage = stageOf(context);
    readQuery(context, []);
    const binding = bindingFromJson(writable(await readJsonBody(context, limits.bodyBytes, ["application/json"])));
    // Looked up behind the body, which may have taken its time: nothing is awaited between here and the change.
    const present = known(name).definition.filters[stage];
    assertPreconditions(context, `${stage} filter of ${name}`, present === null ? undefined : tagOf(present));
    const channel = channels.setFilter(name, stage, binding);
    await app.persisted();
    // Of what was put: somebody else may have bound another one while the disk was busy.
    const kept = present !== null && sameBinding(present, binding) ? present : binding;
    const headers = { ETag: tagOf(kept) };
    if (present !== null) return context.json(view(channel, stage, kept), 200, headers);
    const location = `/v1/channels/${encodeURIComponent(name)}/filters/${stage}`;
    return context.json(view(channel, stage, kept), 201, { ...headers, Location: location });
  });

  app.route(routes.delete, async (context) => {
    const { channel, stage, binding } = bound(context, "definition");
    readQuery(context, []);
    assertPreconditions(context, `${stage} filter of ${channel.name}`, tagOf(binding));
    channels.setFilter(channel.name, stage, null);
    await app.persisted();
    return context.body(null, 204);
  });

  /** What the address means. @throws {SluiceError} `channel_unknown`, `not_found` where nothing is bound. */
  function bound(
    context: ControlContext,
    of: "definition" | "inForce",
  ): { channel: ControlChannel; stage: Stage; binding: Binding } {
    const channel = known(nameOf(context));
    const stage = stageOf(context);
    const binding = channel[of].filters[stage];
    if (binding !== null) return { channel, stage, binding };
    throw new SluiceError("not_found", `Cannot find an ${stage} filter of channel "${channel.name}", none is bound`, {
      value: stage,
    });
  }

  function known(name: string): ControlChannel {
    const channel = channels.get(name);
    if (channel !== undefined) return channel;
    throw new SluiceError("channel_unknown", `Cannot find a channel "${name}"`, { value: name });
  }
}

/** What is counted of the routes of a binding, beside their summaries. */
function countersOf(channel: ControlChannel, stage: Stage, binding: Binding) {
  const counters = channel.routeCounters(stage);
  // None where it was replaced while an answer waited for the disk.
  return binding.routes.map((route, index) => ({ route: routeSummary(route), ...(counters[index] ?? noCounters) }));
}

/** The stage in the address. @throws {SluiceError} `not_found`. */
function stageOf(context: ControlContext): Stage {
  const given = context.req.param("stage") ?? "";
  const stage = stages.find((known) => known === given);
  if (stage !== undefined) return stage;
  throw new SluiceError("not_found", `Cannot find a stage "${given.slice(0, 32)}", it must be in or out`, {
    value: given.slice(0, 32),
    limit: stages,
  });
}

function view(channel: ControlChannel, stage: Stage, binding: Binding) {
  return {
    channel: channel.name,
    stage,
    ...bindingJson(binding),
    summary: bindingSummary(binding),
    counters: countersOf(channel, stage, binding),
  };
}

function tagOf(binding: Binding): string {
  return etagOf(bindingJson(binding));
}

/** A body without what only GET shows. */
function writable(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => !readOnly.includes(name)));
}
