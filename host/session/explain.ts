/**
 * `explain`: what would become of an event at each sink of a channel, and why. The verdicts are the core's, from the same
 * tables that publishing reads; only the words of an expression that decided are found here.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import * as abi from "../../core-wasm/abi.ts";
import { EXPLAIN_BY_DECIDER } from "../../core-wasm/filter/abi.ts";
import type { ChannelDefinition } from "../channel/definition.ts";
import { placeScratch } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import type { CoreViews } from "../core/views.ts";
import { SluiceError } from "../errors.ts";
import { type Decisive, decisiveOf } from "../expression/decisive.ts";
import { parse } from "../expression/parse.ts";
import { viewOf } from "../expression/view.ts";
import type { Route } from "../filter/route.ts";
import type { Stage as FilterStage } from "../filter/schema.ts";
import { routeSummary } from "../filter/summary.ts";
import { type Event, EventSchema } from "../gen/sluice/v1/event_pb.ts";
import type { Engine } from "./engine.ts";
import { type AskedModule, answerFor } from "./explain-module.ts";
import type { OwnFilters } from "./own-filters.ts";
import { reasonNamed, reasonOf, type Stage } from "./reasons.ts";
import type { Roster, RosterMember } from "./roster.ts";

/** What becomes of an event at a sink. */
export type Verdict = "delivered" | "rejected" | "held" | "dropped" | "unknown";

const verdicts: readonly (Verdict | undefined)[] = [undefined, "delivered", "rejected", "held", "dropped", "unknown"];

/** What would become of the event at one sink. */
export interface Explained {
  readonly member: RosterMember;
  readonly verdict: Verdict;
  /** Where it was decided; null for what is delivered. */
  readonly stage: Stage | null;
  readonly reason: string | null;
  readonly meaning: string | null;
  /** The part of its expression, or of the route's `where`, that decided. */
  readonly decisive?: Decisive;
  /** The route that decided, and how this sink stood in it; absent where none did. */
  readonly route?: ExplainedRoute;
  /** The filter module that had the last word, in the place of a route. */
  readonly module?: AskedModule;
  /** What waits in its inbox before the event. */
  readonly depth: { readonly events: number; readonly bytes: number; readonly position: number };
}

/** How a sink stood in the route that decided. */
export interface ExplainedRoute {
  /** Whose filter it is in: the channel's, or one that the submitter brought for its own events. */
  readonly of: "channel" | "source";
  readonly stage: FilterStage;
  /** Its place in that filter, from 0. */
  readonly index: number;
  /** The route in one line. */
  readonly summary: string;
  /** Place among the sinks that qualify, from 1. */
  readonly rank: number | undefined;
  /** What it is ranked by, as it is. */
  readonly value: number | undefined;
  /** What its selections add to that. */
  readonly charge: number | undefined;
  /** How old that value is. */
  readonly ageMs: number | undefined;
  /** How often routes have chosen it since its last update. */
  readonly selections: number;
}

/** The dry run of one event. */
export interface Explanation {
  /** The event as sinks would get it, but for its id. */
  readonly event: Event;
  /** The channel would not take it at all. */
  readonly refused?: SluiceError;
  /** In join order. */
  readonly sinks: readonly Explained[];
  /** Filter modules that were asked, in the order in which they decide. */
  readonly modules: readonly AskedModule[];
}

/** Who submits, for `echo`. */
export interface ExplainOptions {
  /** A member of the channel; the host itself where absent, which has no sinks. */
  readonly as?: number;
}

/**
 * Explains.
 *
 * @throws {SluiceError} `channel_unknown` (a dry run makes no channel), `member_unknown` for `as`, and what the event itself
 *   can be refused for.
 */
export function explain(
  engine: Engine,
  roster: Roster,
  name: string,
  given: Event,
  options: ExplainOptions = {},
): Explanation {
  const channel = engine.channels.get(name);
  if (channel === undefined) throw new SluiceError("channel_unknown", `There is no channel "${name}"`, { value: name });
  const { core, clocks } = engine;
  const submitter = options.as === undefined ? 0 : roster.connectionOf(name, options.as);
  const now = clocks.service.now();
  const event = filledIn(given, engine, channel.inForce.delivery, now);
  const bytes = toBinary(EventSchema, event);
  const members = new Map(roster.list(name).map((member) => [member.member, member]));
  const source = options.as === undefined ? undefined : roster.filtersOf(name, options.as);
  const bound: BoundFilters = { channel: channel.inForce.filters, source };
  const sinks: Explained[] = [];
  const modules: AskedModule[] = [];
  core.exports.explainForget();
  for (;;) {
    // Placed again for each page: a page of records is read before anything else uses the scratch.
    const at = placeScratch(core, bytes);
    const status = core.exports.explain(channel.number, submitter, at, bytes.length, sinks.length, now);
    const { result } = core.views;
    if (status !== abi.STATUS_OK) {
      const refused = errorFromStatus(status, result[abi.RESULT_VALUE] as number, result[abi.RESULT_LIMIT] as number);
      if (status !== abi.STATUS_TYPE_REFUSED) throw refused;
      return { event, refused, sinks: [], modules };
    }
    if (result[abi.RESULT_REASON] === abi.REASON_DECIDE) {
      const asked = answerFor(engine);
      if (asked !== undefined) modules.push(asked);
      continue;
    }
    const count = result[abi.RESULT_COUNT] as number;
    for (let index = 0; index < count; index++) {
      const explained = read(engine, index, members, event, bound, modules);
      if (explained !== undefined) sinks.push(explained);
    }
    if (count < abi.EXPLAIN_RECORDS_MAX) return { event, sinks, modules };
  }
}

/** The filters that an event passes. */
interface BoundFilters {
  readonly channel: OwnFilters;
  readonly source: OwnFilters | undefined;
}

/** One record of the core. */
function read(
  engine: Engine,
  index: number,
  members: ReadonlyMap<number, RosterMember>,
  event: Event,
  bound: BoundFilters,
  modules: readonly AskedModule[],
): Explained | undefined {
  const { words } = engine.core.views;
  const at = (abi.RECEIPTS_OFFSET + index * abi.EXPLAIN_RECORD_BYTES) / 4;
  const member = members.get(words[at + abi.EXPLAIN_MEMBER] as number);
  const verdict = verdicts[words[at + abi.EXPLAIN_VERDICT] as number];
  if (member === undefined || verdict === undefined) return undefined;
  const found = reasonOf(words[at + abi.EXPLAIN_REASON] as number);
  const place = placeOf(words, at, found?.stage);
  const passed = routeAt(engine.core.views, at, place, bound);
  const module = place.index + 1 === EXPLAIN_BY_DECIDER ? moduleOf(modules, place) : undefined;
  const decisive = decisiveAt(member, event, found?.reason, passed?.route);
  const row =
    found?.reason === "where" && decisive !== undefined && decisive.missing.length > 0 ? reasonNamed("missing") : found;
  return {
    member,
    verdict,
    stage: row?.stage ?? null,
    reason: row?.reason ?? null,
    meaning: row?.meaning ?? null,
    ...(decisive === undefined ? {} : { decisive }),
    ...(passed === undefined ? {} : { route: passed.explained }),
    ...(module === undefined ? {} : { module }),
    depth: {
      events: words[at + abi.EXPLAIN_EVENTS] as number,
      bytes: words[at + abi.EXPLAIN_BYTES] as number,
      position: words[at + abi.EXPLAIN_POSITION] as number,
    },
  };
}

/** Which filter had the last word about a sink. */
interface FilterPlace {
  readonly of: "channel" | "source";
  readonly stage: FilterStage;
  /** Of the route, from 0; -1: there was no filter. */
  readonly index: number;
}

/** The filter that a record names. `reason`: stage that put the sink out; undefined where none did. */
function placeOf(words: Uint32Array, at: number, reason: Stage | undefined): FilterPlace {
  const places = words[at + abi.EXPLAIN_ROUTE] as number;
  // How OUT chose it says more of a sink than that IN let it through.
  const stage = reason === "in" || (places & 0xffff) === 0 ? "in" : "out";
  const index = (stage === "in" ? places >>> 16 : places & 0xffff) - 1;
  const own = (words[at + abi.EXPLAIN_STAGE_OWN] as number) & (stage === "in" ? 2 : 1);
  return { of: own === 0 ? "channel" : "source", stage, index };
}

function moduleOf(modules: readonly AskedModule[], { of, stage }: FilterPlace): AskedModule | undefined {
  return modules.find((module) => module.of === of && module.stage === stage);
}

/** The route of a record; undefined where none decided. */
function routeAt(
  { words, bytes }: CoreViews,
  at: number,
  { of, stage, index }: FilterPlace,
  bound: BoundFilters,
): { readonly explained: ExplainedRoute; readonly route: Route } | undefined {
  const route = bound[of]?.[stage]?.routes[index];
  if (route === undefined) return undefined;
  const view = new DataView(bytes.buffer, at * 4, abi.EXPLAIN_RECORD_BYTES);
  const number = (word: number): number | undefined => {
    const value = view.getFloat64(word * 4, true);
    return Number.isNaN(value) ? undefined : value;
  };
  const explained: ExplainedRoute = {
    of,
    stage,
    index,
    summary: routeSummary(route),
    rank: (words[at + abi.EXPLAIN_RANK] as number) || undefined,
    value: number(abi.EXPLAIN_VALUE),
    charge: number(abi.EXPLAIN_CHARGE),
    ageMs: number(abi.EXPLAIN_AGE),
    selections: words[at + abi.EXPLAIN_SELECTIONS] as number,
  };
  return { explained, route };
}

/** The part that decided of the expression that did: the sink's own, or the route's. */
function decisiveAt(
  member: RosterMember,
  event: Event,
  reason: string | undefined,
  route: Route | undefined,
): Decisive | undefined {
  const view = () => {
    const ages = member.ages();
    return viewOf(event, { attributes: member.attributes(), ageMs: (name) => ages[name] });
  };
  if (reason === "where" && member.where !== undefined) {
    const { text, dialect } = member.where;
    return decisiveOf(text, parse(text, dialect), view(), dialect);
  }
  if (reason !== "route.where" || route?.where === undefined) return undefined;
  const { source, tree, dialect } = route.where;
  return decisiveOf(source, tree, view(), dialect);
}

/** The last moment that an event can have, µs, to the next lower millisecond: more than that a float does not tell. */
const TIME_US_MAX = 253_402_300_799_999_000;

/** The earlier of the moments that an event says; its channel's where it says none. */
function deadlineOf({ deliverByUs, ttlMs }: Event, channelTtlMs: number | null, now: number): bigint | undefined {
  const ttl = ttlMs === undefined ? (deliverByUs === undefined && channelTtlMs) || null : Number(ttlMs);
  if (ttl === null) return deliverByUs;
  const byUs = BigInt(Math.floor(Math.min((now + ttl) * 1000, TIME_US_MAX)));
  return deliverByUs === undefined || byUs < deliverByUs ? byUs : deliverByUs;
}

/** What the core would append: expressions and modules may ask for it. */
function filledIn(
  given: Event,
  engine: Engine,
  { priority, ttlMs }: ChannelDefinition["delivery"],
  now: number,
): Event {
  const timeUs = given.timeUs ?? BigInt(Math.round(now * 1000));
  const deliverByUs = deadlineOf(given, ttlMs, now);
  return create(EventSchema, {
    ...given,
    timeUs,
    ...(deliverByUs === undefined ? {} : { deliverByUs }),
    source: given.source || `/host/${engine.options.hostId}`,
    ...(given.priority === undefined && priority !== 4 ? { priority } : {}),
  });
}
