/** `POST /v1/channels/{channel}/explain`: who would get an event, who would not, and why. A dry run, which changes nothing. */
import { fromBinary } from "@bufbuild/protobuf";
import { createRoute, z } from "@hono/zod-openapi";
import { checkWith } from "../../check.ts";
import { problemCore, SluiceError } from "../../errors.ts";
import { type Event, EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import type { Explained, ExplainedRoute } from "../../session/explain.ts";
import type { AskedModule } from "../../session/explain-module.ts";
import { stages } from "../../session/reasons.ts";
import { jsonFromEvent } from "../../socket/json/codec.ts";
import { eventSchema } from "../../socket/json/schema/event.ts";
import { problemSchema } from "../../socket/json/schema/host.ts";
import { member as memberName, memberNumber } from "../../socket/json/schema/parts.ts";
import { createEventsReader, eventModeOf } from "../cloudevents/mode.ts";
import { pageFrom, pageQuery, pageSchema, pageWanted } from "../list.ts";
import { type ControlContext, readBody, readQuery } from "../request.ts";
import { nameOf } from "./channels.ts";
import { type ControlApp, channelParameter, jsonContent, problemAnswers } from "./kit.ts";

const count = z.int().min(0);
const filterOf = z
  .enum(["channel", "source"])
  .openapi({ description: "`source`: one that the submitter brought itself" });
/** What tells a module apart. */
const moduleNamed = { of: filterOf, stage: z.enum(["in", "out"]), name: z.string(), version: count };
const askedModule = z
  .object({
    ...moduleNamed,
    digest: z.string(),
    decision: z.enum(["all", "some", "drop", "divert"]).nullable().openapi({
      description: "null: it could not be asked, `unasked` says why",
    }),
    candidates: count.openapi({ description: "Sinks that it may choose from" }),
    chosen: count,
    unasked: z.string().optional(),
    fault: z
      .object({ cause: z.string(), text: z.string() })
      .optional()
      .openapi({ description: "Why `onError` decides, where `failed`" }),
    failed: z.boolean().openapi({ description: "The decision is that of `onError`" }),
    fuel: count.openapi({ description: "Of the call, and of making the instance" }),
    approximate: z.boolean().openapi({
      description: "It has state, and the module at work may know more than what was saved last",
    }),
    stateAgeMs: z.number().nullable().openapi({ description: "Age of that state; null: there was none" }),
    log: z.array(z.object({ level: z.string(), text: z.string() })).openapi({ description: "What it said meanwhile" }),
  })
  .meta({ id: "AskedModule" });

const shown = z
  .object({
    member: z.string(),
    host: z.string(),
    verdict: z.enum(["delivered", "rejected", "held", "dropped", "unknown"]),
    stage: z.enum(stages).nullable().openapi({ description: "Where it was decided" }),
    reason: z.string().nullable(),
    detail: z.string().nullable().openapi({ description: "The reason as a sentence" }),
    expression: z
      .object({ text: z.string(), line: count, column: count, missing: z.array(z.string()) })
      .optional()
      .openapi({ description: "The part of the sink's expression that decided, and the attributes that it missed" }),
    route: z
      .object({
        of: filterOf,
        stage: z.enum(["in", "out"]),
        index: count.openapi({ description: "Place in its filter, from 0" }),
        summary: z.string(),
        value: z.number().nullable().openapi({ description: "What the sink is ranked by" }),
        charge: z.number().nullable().openapi({ description: "What its selections add to that" }),
        ageMs: z.number().nullable().openapi({ description: "How old that value is" }),
        selections: count.openapi({ description: "How often routes have chosen it since its last update" }),
      })
      .optional()
      .openapi({ description: "The route that decided, and how the sink stood in it; absent: none did" }),
    module: z
      .object(moduleNamed)
      .optional()
      .openapi({ description: "The filter module that had the last word, in the place of a route" }),
    rank: count.nullable().openapi({ description: "Place among the sinks that qualify for the route, from 1" }),
    region: z.null(),
    inbox: z.object({
      id: z.string().nullable(),
      depth: count.openapi({ description: "Events that wait in it" }),
      position: count.nullable().openapi({ description: "Place that the event would get, from 1" }),
    }),
  })
  .meta({ id: "Explained" });

const explain = createRoute({
  method: "post",
  path: "/v1/channels/{channel}/explain",
  summary: "Explains who would get an event, who would not, and why",
  description:
    "A dry run: nothing is published, no channel comes into being. `as` names the member that would submit it.",
  request: {
    params: channelParameter,
    query: pageQuery.extend({ as: z.string().optional().openapi({ example: "m17" }) }),
    body: { content: jsonContent(eventSchema), required: true },
  },
  responses: {
    200: {
      description: "One entry per sink, in join order",
      content: jsonContent(
        pageSchema(shown).extend({
          event: eventSchema,
          sinks: count.openapi({ description: "Sinks that would get it, now or later" }),
          modules: z.array(askedModule).openapi({ description: "Filter modules that were asked, in their order" }),
          refused: problemSchema
            .omit({ ref: true })
            .optional()
            .openapi({ description: "Why the channel would not take it" }),
        }),
      ),
    },
    ...problemAnswers(400, 404, 413, 415, 422),
  },
});

/** Digits of the largest index, so that indexes sort like text. */
const INDEX_DIGITS = 10;

/** Adds the route. */
export function addExplainRoute(app: ControlApp): void {
  const { service, limits } = app;
  const readEvents = createEventsReader();

  app.route(explain, async (context) => {
    const channel = nameOf(context);
    const { as, ...query } = readQuery(context, ["limit", "cursor", "as"]);
    const list = `explain/${channel}`;
    const wanted = pageWanted(query, app, list);
    const submitter =
      as === undefined ? undefined : (memberNumber(checkWith(memberName, as, ["query", "as"])) as number);
    const given = await readOneEvent(context, readEvents, limits.bodyBytes);
    const { event, refused, sinks, modules } = service.explain(
      channel,
      given,
      submitter === undefined ? {} : { as: submitter },
    );
    const places = sinks.map((explained, index) => ({ explained, place: String(index).padStart(INDEX_DIGITS, "0") }));
    const page = pageFrom(places, wanted, app, list, ({ place }) => place);
    return context.json({
      event: jsonFromEvent(event),
      sinks: sinks.filter(({ verdict }) => verdict === "delivered" || verdict === "held").length,
      modules: modules.map(moduleView),
      ...(refused === undefined ? {} : { refused: problemCore(refused) }),
      data: page.data.map(({ explained }) => resourceOf(explained, service.hostId)),
      next: page.next,
    });
  });
}

/**
 * Reads the one event that a body is to have.
 *
 * @throws {SluiceError} where it cannot be read, and `invalid_value` for none or more than one.
 */
export async function readOneEvent(
  context: ControlContext,
  readEvents: ReturnType<typeof createEventsReader>,
  bytesMax: number,
): Promise<Event> {
  const mode = eventModeOf(context);
  const { entries, many } = readEvents(context, mode, await readBody(context, bytesMax));
  const [entry] = entries;
  if (many || entry === undefined)
    throw new SluiceError("invalid_value", `Cannot take ${entries.length} events at once, limit is 1`, {
      value: entries.length,
      limit: 1,
    });
  if (entry instanceof Error) throw entry;
  return decoded(entry);
}

/** @throws {SluiceError} `not_utf8`: when publishing, it is the core that looks at the bytes of texts. */
function decoded(entry: Uint8Array): Event {
  try {
    return fromBinary(EventSchema, entry);
  } catch (cause) {
    throw new SluiceError("not_utf8", "Cannot take an event with a text that is not UTF-8", { cause });
  }
}

function resourceOf(explained: Explained, host: string) {
  const { member, verdict, stage, reason, meaning, decisive, route, module, depth } = explained;
  const waits = verdict === "delivered" || (verdict === "held" && stage === "inbox");
  return {
    member: `m${member.member}`,
    host,
    verdict,
    stage,
    reason,
    detail: meaning,
    ...(decisive === undefined ? {} : { expression: decisive }),
    ...(route === undefined ? {} : { route: routeView(route) }),
    ...(module === undefined ? {} : { module: named(module) }),
    rank: route?.rank ?? null,
    region: null,
    inbox: { id: member.inbox, depth: depth.events, position: waits ? depth.position : null },
  };
}

function named({ of, stage, name, version }: AskedModule) {
  return { of, stage, name, version };
}

function moduleView(module: AskedModule) {
  const { digest, decision, candidates, chosen, unasked, fault, failed, fuel, approximate, stateAgeMs, log } = module;
  return {
    ...named(module),
    digest,
    decision: decision ?? null,
    candidates,
    chosen,
    ...(unasked === undefined ? {} : { unasked }),
    ...(fault === undefined ? {} : { fault }),
    failed,
    fuel,
    approximate,
    stateAgeMs: stateAgeMs ?? null,
    log: [...log],
  };
}

/** Infinities, which binary clients can send, are null: JSON has no word for them. */
function routeView({ of, stage, index, summary, value, charge, ageMs, selections }: ExplainedRoute) {
  const shown = (number: number | undefined) => (number !== undefined && Number.isFinite(number) ? number : null);
  return { of, stage, index, summary, value: shown(value), charge: shown(charge), ageMs: shown(ageMs), selections };
}
