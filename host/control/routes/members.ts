/** `/v1/channels/{channel}/members`: who is in a channel, for operators. Members are anonymous to one another. */
import { create } from "@bufbuild/protobuf";
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith } from "../../check.ts";
import { noCounters } from "../../filter/bound.ts";
import { bindingJson } from "../../filter/route.ts";
import { boundSchema, type Stage } from "../../filter/schema.ts";
import { routeSummary } from "../../filter/summary.ts";
import { OutboxSchema } from "../../gen/sluice/v1/frame_pb.ts";
import { outboxJson } from "../../session/outbox.ts";
import { outboxFromChecked } from "../../socket/json/client.ts";
import { outboxSchema } from "../../socket/json/schema/client.ts";
import type { ScalarValue } from "../../socket/json/schema/parts.ts";
import { attributeChanges, attributes, member as memberName, memberNumber } from "../../socket/json/schema/parts.ts";
import { scalarsFromValues, valuesFromScalars } from "../../socket/json/value.ts";
import { assertPreconditions, etagOf, isUnchanged } from "../etag.ts";
import { pageFrom, pageQuery, pageSchema, readPage } from "../list.ts";
import { type ControlContext, readJsonBody, readQuery } from "../request.ts";
import type { ControlMember } from "../service.ts";
import { nameOf } from "./channels.ts";
import { countersSchema } from "./filters.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const path = "/v1/channels/{channel}/members/{member}";
/** A change of live attributes is a merge patch by nature: what is left out stays, null takes away. */
const PATCH_TYPES = ["application/merge-patch+json", "application/json"];
/** Digits of the largest number of a member, so that numbers sort like text. */
const NUMBER_DIGITS = 10;

const shown = z
  .object({
    member: z.string().describe("As its session was told in `joined`"),
    channel: z.string(),
    role: z.enum(["sink", "source", "both"]),
    implicit: z.boolean().openapi({ description: "It became a source by publishing, without a join" }),
    inbox: z.string().nullable().openapi({ description: "Mailbox of its session; null within the host" }),
    pattern: z
      .string()
      .optional()
      .openapi({ description: "What its session has subscribed to, where a pattern brought it" }),
    where: z.string().optional().openapi({ description: "The expression that it joined with" }),
    dialect: z.enum(["cesql"]).optional(),
    outbox: outboxSchema
      .extend({ depth: z.object({ events: z.number(), bytes: z.number() }) })
      .optional()
      .openapi({
        description: "Of a source: the settings of its outbox, and what waits there, which is no part of the tag",
      }),
    attributes,
    ageMs: z
      .record(z.string(), z.number())
      .openapi({ description: "How long ago each live attribute was set; no part of the tag" }),
    filters: z
      .object({ in: boundSchema, out: boundSchema })
      .optional()
      .openapi({ description: "Filters that it brought for its own events" }),
    counters: z
      .object({ in: z.array(countersSchema), out: z.array(countersSchema) })
      .optional()
      .openapi({ description: "What is counted of each route of those filters; no part of the tag" }),
  })
  .meta({ id: "Member" });
const patchSchema = z.strictObject({
  attributes: attributeChanges.optional(),
  outbox: outboxSchema.optional().describe("Of a source: settings of its outbox; what is absent stays as it is"),
});
const params = channelParameter.extend({
  member: z.string().openapi({ param: { name: "member", in: "path" }, example: "m17" }),
});

const routes = {
  list: createRoute({
    method: "get",
    path: "/v1/channels/{channel}/members",
    summary: "Lists the members of a channel by their numbers",
    request: { params: channelParameter, query: pageQuery },
    responses: {
      200: { description: "One page", content: jsonContent(pageSchema(shown)) },
      ...problemAnswers(400, 404, 422),
    },
  }),
  get: createRoute({
    method: "get",
    path,
    summary: "Shows a member",
    request: { params },
    responses: {
      200: { description: "The member", content: jsonContent(shown) },
      304: { description: "Unchanged" },
      ...problemAnswers(400, 404, 422),
    },
  }),
  patch: createRoute({
    method: "patch",
    path,
    summary: "Changes live attributes of a member, where null removes one, and its outbox",
    request: { params, body: { content: jsonContent(patchSchema), required: true } },
    responses: {
      200: { description: "Changed", content: jsonContent(shown) },
      ...problemAnswers(400, 404, 412, 413, 415, 422, 503),
    },
  }),
};

/** Adds the routes. */
export function addMemberRoutes(app: ControlApp): void {
  const { service, limits } = app;
  const { members } = service;

  app.route(routes.list, (context) => {
    const channel = nameOf(context);
    const list = `members/${channel}`;
    const page = pageFrom(members.list(channel), readPage(context, app, list), app, list, positionOf);
    return context.json({ data: page.data.map(view), next: page.next });
  });

  app.route(routes.get, (context) => {
    const member = members.get(nameOf(context), numberOf(context));
    readQuery(context, []);
    const etag = etagOf(resourceOf(member));
    if (isUnchanged(context, etag)) return context.body(null, 304, { ETag: etag });
    return context.json(view(member), 200, { ETag: etag });
  });

  app.route(routes.patch, async (context) => {
    const channel = nameOf(context);
    const number = numberOf(context);
    readQuery(context, []);
    const patch = checkWith(patchSchema, await readJsonBody(context, limits.bodyBytes, PATCH_TYPES));
    // Nothing is awaited between the comparison and the change.
    assertPreconditions(context, `m${number}`, etagOf(resourceOf(members.get(channel, number))));
    const outbox = patch.outbox && create(OutboxSchema, outboxFromChecked(patch.outbox));
    const member = members.update(channel, number, { ...changesFrom(patch.attributes ?? {}), outbox });
    return context.json(view(member), 200, { ETag: etagOf(resourceOf(member)) });
  });
}

/** The number in the address. @throws {SluiceError} `invalid_value` for what cannot be a member. */
function numberOf(context: ControlContext): number {
  const name = checkWith(memberName, context.req.param("member") ?? "", ["member"]);
  return memberNumber(name) as number;
}

function positionOf({ member }: ControlMember): string {
  return String(member).padStart(NUMBER_DIGITS, "0");
}

/** The resource with how old its attributes are and what was counted, which changes all the time. */
function view(member: ControlMember) {
  const ages = Object.entries(member.ages()).map(([name, ageMs]) => [name, Math.round(ageMs)]);
  const counters = (stage: Stage) => {
    const counted = member.counters(stage);
    return (member.filters?.[stage]?.routes ?? []).map((route, index) => ({
      route: routeSummary(route),
      ...(counted[index] ?? noCounters),
    }));
  };
  const { outbox, ...resource } = resourceOf(member);
  return {
    ...resource,
    ...(outbox === undefined ? {} : { outbox: { ...outbox, depth: member.outboxDepth() } }),
    ...(member.filters === undefined ? {} : { counters: { in: counters("in"), out: counters("out") } }),
    ageMs: Object.fromEntries(ages) as Record<string, number>,
  };
}

function resourceOf(member: ControlMember) {
  const { channel, role, implicit, inbox, pattern, where, filters, outbox } = member;
  const scalars = scalarsFromValues(member.attributes()) ?? {};
  // Integers beyond 2^53, which only binary clients can set, are rounded here like everywhere in JSON.
  const entries = Object.entries(scalars).map(([name, value]) => [
    name,
    typeof value === "bigint" ? Number(value) : value,
  ]);
  const filter = where && { where: where.text, ...(where.dialect === "cesql" ? { dialect: where.dialect } : {}) };
  const attributes = Object.fromEntries(entries);
  const own =
    filters === undefined
      ? {}
      : { filters: { in: filters.in && bindingJson(filters.in), out: filters.out && bindingJson(filters.out) } };
  const brought = pattern === undefined ? {} : { pattern };
  const sends = outbox === undefined ? {} : { outbox: outboxJson(outbox) };
  const named = { member: `m${member.member}`, channel, role, implicit, inbox };
  return { ...named, ...brought, ...filter, ...own, ...sends, attributes };
}

function changesFrom(changes: Readonly<Record<string, ScalarValue | null>>) {
  const set: Record<string, ScalarValue> = {};
  const remove: string[] = [];
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) remove.push(name);
    else set[name] = value;
  }
  return { attributes: valuesFromScalars(set), remove };
}
