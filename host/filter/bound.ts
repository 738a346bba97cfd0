/**
 * Filters in the core: programs and records as core-wasm/abi.ts has them, and what the core counts of each route.
 */
import * as abi from "../../core-wasm/abi.ts";
import { type Core, placeScratch } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import type { CompiledExpression } from "../expression/compile.ts";
import type { Binding, Choose, Route } from "./route.ts";
import type { Stage } from "./schema.ts";

/** STAGE_… by name. */
export const stageNumbers: { readonly [Name in Stage]: number } = { out: abi.STAGE_OUT, in: abi.STAGE_IN };

const chooseNumbers: { readonly [Name in Choose]: number } = {
  best: abi.CHOOSE_BEST,
  random: abi.CHOOSE_RANDOM,
  tied: abi.CHOOSE_TIED,
  hash: abi.CHOOSE_HASH,
};

/** What the core counts of one route, since it was bound. */
export interface RouteCounters {
  /** Events that it decided. */
  readonly events: number;
  /** Sinks that it selected. */
  readonly sinks: number;
  /** Events that it selected nobody for. */
  readonly nobody: number;
  /** Events whose key had been seen. */
  readonly duplicates: number;
  /** Keys that were forgotten for want of room. */
  readonly evicted: number;
  /** Responses to what nobody is known to have asked. */
  readonly unanswered: number;
  /** Keys that are remembered now. */
  readonly keys: number;
}

const counted: { readonly [Name in keyof RouteCounters]: number } = {
  events: abi.ROUTE_EVENTS,
  sinks: abi.ROUTE_SINKS,
  nobody: abi.ROUTE_NOBODY,
  duplicates: abi.ROUTE_DUPLICATES,
  evicted: abi.ROUTE_EVICTED,
  unanswered: abi.ROUTE_UNANSWERED,
  keys: abi.ROUTE_KEYS,
};

/** Names of the counters; all but `keys` only grow. */
export const counterNames = Object.freeze(Object.keys(counted) as (keyof RouteCounters)[]);

/** Counters of no events. */
export const noCounters: RouteCounters = Object.freeze({
  events: 0,
  sinks: 0,
  nobody: 0,
  duplicates: 0,
  evicted: 0,
  unanswered: 0,
  keys: 0,
});

/** Counters of several routes together. */
export function sumOf(all: Iterable<RouteCounters>): RouteCounters {
  const sum = { ...noCounters };
  for (const one of all) for (const name of counterNames) sum[name] += one[name];
  return sum;
}

const HEADER_BYTES = 8;

/**
 * Gives routes to the core.
 *
 * @returns Their handle, for channelRoutes() or memberRoutes().
 * @throws {SluiceError} `store_full`, `limit_reached`; nothing of them is in the core then.
 */
function addRoutes(core: Core, { routes }: Binding): number {
  const programs: number[] = [];
  const place = (expression: CompiledExpression | undefined): number => {
    if (expression === undefined) return 0;
    const { program } = expression;
    const handle = core.exports.expressionAdd(placeScratch(core, program), program.length);
    if (handle === 0) throw refusalOf(core);
    programs.push(handle);
    return handle;
  };
  try {
    const bytes = new Uint8Array(HEADER_BYTES + routes.length * abi.ROUTE_RECORD_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, routes.length, true);
    for (const [index, route] of routes.entries())
      writeRoute(view, HEADER_BYTES + index * abi.ROUTE_RECORD_BYTES, route, place);
    const handle = core.exports.routesAdd(placeScratch(core, bytes), bytes.length);
    if (handle === 0) throw refusalOf(core);
    return handle;
  } catch (error) {
    // The core owns them only once it has taken the routes.
    for (const program of programs) core.exports.expressionRelease(program);
    throw error;
  }
}

/**
 * Has a channel's events pass routes, from the next event on; null: none. What was bound before is gone, but for what
 * `unique` remembers where the new routes have the same.
 *
 * @returns The handle that counts them; 0 for none.
 * @throws {SluiceError} `store_full`, `limit_reached`; what was bound before stays then.
 */
export function bindChannel(core: Core, channel: number, stage: Stage, binding: Binding | null): number {
  return bind(core, binding, (handle) => core.exports.channelRoutes(channel, stageNumbers[stage], handle));
}

/** The same for the events that a member publishes itself; they go with it. */
export function bindMember(core: Core, member: number, stage: Stage, binding: Binding | null): number {
  return bind(core, binding, (handle) => core.exports.memberRoutes(member, stageNumbers[stage], handle));
}

function bind(core: Core, binding: Binding | null, set: (handle: number) => number): number {
  const handle = binding === null ? 0 : addRoutes(core, binding);
  const status = set(handle);
  if (status === abi.STATUS_OK) return handle;
  const refused = refusalOf(core, status);
  if (handle !== 0) core.exports.routesRelease(handle);
  throw refused;
}

/** Counters of one route of a handle that is bound. */
export function routeCounters(core: Core, handle: number, index: number): RouteCounters {
  const read = (statistic: number): number => core.exports.routesStatistic(handle, index, statistic);
  return Object.fromEntries(
    Object.entries(counted).map(([name, statistic]) => [name, read(statistic)]),
  ) as unknown as RouteCounters;
}

function writeRoute(
  view: DataView,
  at: number,
  route: Route,
  place: (expression: CompiledExpression | undefined) => number,
): void {
  const word = (index: number, value: number): void => view.setUint32(at + index * 4, value, true);
  const number = (index: number, value: number): void => view.setFloat64(at + index * 4, value, true);
  const { limit, unique, reply } = route;
  const flags =
    (route.descending ? abi.ROUTE_DESCENDING : 0) |
    (unique === undefined ? 0 : abi.ROUTE_HAS_UNIQUE) |
    (reply === undefined ? 0 : abi.ROUTE_HAS_REPLY);
  word(abi.ROUTE_FLAGS, flags);
  word(abi.ROUTE_CHOOSE, chooseNumbers[route.choose]);
  word(abi.ROUTE_WHEN, place(route.when));
  word(abi.ROUTE_WHERE, place(route.where));
  word(abi.ROUTE_ORDER_BY, place(route.orderBy));
  word(abi.ROUTE_LIMIT, typeof limit === "object" ? place(limit) : 0);
  word(abi.ROUTE_PER, place(route.per));
  word(abi.ROUTE_UNIQUE_BY, place(unique?.by));
  word(abi.ROUTE_RESPONSE, place(reply?.response));
  word(abi.ROUTE_LIMIT_NUMBER, typeof limit === "number" ? limit : abi.ROUTE_NO_LIMIT);
  word(abi.ROUTE_UNIQUE_KEYS, unique?.maxKeys ?? 0);
  word(abi.ROUTE_REPLY_KEYS, reply?.maxKeys ?? 0);
  number(abi.ROUTE_CHARGE, route.charge);
  number(abi.ROUTE_MAX_AGE_MS, route.maxAgeMs);
  number(abi.ROUTE_UNIQUE_MS, unique?.withinMs ?? 0);
  number(abi.ROUTE_REPLY_MS, reply?.withinMs ?? 0);
}

/** Why a call that has just returned 0 refused. */
function refusalOf(core: Core, status = core.views.result[abi.RESULT_STATUS] as number): Error {
  const { result } = core.views;
  return errorFromStatus(status, result[abi.RESULT_VALUE] as number, result[abi.RESULT_LIMIT] as number);
}
