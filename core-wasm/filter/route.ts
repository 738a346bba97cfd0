/**
 * Routes: rules that say who gets an event, as the host has compiled them, with what they remember and count. A list of
 * them is bound to a stage of a channel or carried by a source; see stages.ts for how they are run.
 *
 *   Routes ── count × Route
 */
import {
  CHOOSE_BEST,
  CHOOSE_HASH,
  ROUTE_CHARGE,
  ROUTE_CHOOSE,
  ROUTE_DUPLICATES,
  ROUTE_EVENTS,
  ROUTE_EVICTED,
  ROUTE_FLAGS,
  ROUTE_HAS_REPLY,
  ROUTE_HAS_UNIQUE,
  ROUTE_KEYS,
  ROUTE_KEYS_MAX,
  ROUTE_LIMIT,
  ROUTE_LIMIT_NUMBER,
  ROUTE_MAX_AGE_MS,
  ROUTE_NO_LIMIT,
  ROUTE_NOBODY,
  ROUTE_ORDER_BY,
  ROUTE_PER,
  ROUTE_RECORD_BYTES,
  ROUTE_REPLY_KEYS,
  ROUTE_REPLY_MS,
  ROUTE_RESPONSE,
  ROUTE_SINKS,
  ROUTE_UNANSWERED,
  ROUTE_UNIQUE_BY,
  ROUTE_UNIQUE_KEYS,
  ROUTE_UNIQUE_MS,
  ROUTE_WHEN,
  ROUTE_WHERE,
  ROUTES_MAX,
  STATUS_LIMIT,
  STATUS_MALFORMED,
  STATUS_STORE_FULL,
} from "../abi";
import { OP_AGE, SCOPE_SINK } from "../expression/code";
import { codeAt, nameAt } from "../expression/layout";
import { Program, programRelease } from "../expression/program";
import { operationBytes } from "../expression/verify";
import { heapGive, heapTakeZero } from "../memory/heap";
import { resultStatus } from "../result";
import { Recent, recentFree, recentKeys, recentNew } from "./recent";

/** One rule. Programs are addresses, 0: none. */
@unmanaged
export class Route {
  charge: f64;
  maxAgeMs: f64;
  events: f64;
  sinks: f64;
  nobody: f64;
  duplicates: f64;
  unanswered: f64;
  flags: u32;
  choose: u32;
  when: u32;
  where: u32;
  orderBy: u32;
  limit: u32;
  limitNumber: u32;
  per: u32;
  uniqueBy: u32;
  response: u32;
  /** Memories of keys: what `unique` has seen, who asked; 0: none. */
  unique: u32;
  replies: u32;
  /** Root of the tree of sinks in order (tree.ts), and whether the route keeps one while it is bound to a channel. */
  root: u32;
  ordered: u32;
  /** `where` asks nothing of the sink: it holds of all or of none. */
  whereOfEvent: u32;
  reserved: u32;
}
export const ROUTE_BYTES: u32 = offsetof<Route>();

/** A list of routes, which follow the record. */
@unmanaged
export class Routes {
  references: u32;
  count: u32;
}
const HEAD_BYTES: u32 = offsetof<Routes>();

/** The route of that index. */
export function routeAt(routes: Routes, index: u32): Route {
  return changetype<Route>(changetype<u32>(routes) + HEAD_BYTES + index * ROUTE_BYTES);
}

/** Takes a list as abi.ts draws it; its address, 0 with RESULT_STATUS where it is refused. It takes over the programs. */
export function routesTake(at: u32, bytes: u32): u32 {
  const count: u32 = bytes < 8 ? 0 : load<u32>(at);
  if (bytes < 8 || count > ROUTES_MAX || bytes !== 8 + count * ROUTE_RECORD_BYTES) {
    resultStatus(count > ROUTES_MAX ? STATUS_LIMIT : STATUS_MALFORMED, count, ROUTES_MAX);
    return 0;
  }
  const address = heapTakeZero(HEAD_BYTES + count * ROUTE_BYTES);
  if (address === 0) {
    resultStatus(STATUS_STORE_FULL, 0, 0);
    return 0;
  }
  const routes = changetype<Routes>(address);
  routes.references = 1;
  routes.count = count;
  for (let i: u32 = 0; i < count; i++) {
    if (routeRead(routeAt(routes, i), at + 8 + i * ROUTE_RECORD_BYTES)) continue;
    memoriesFree(routes);
    heapGive(address, HEAD_BYTES + count * ROUTE_BYTES);
    return 0;
  }
  return address;
}

function routeRead(route: Route, at: u32): bool {
  route.flags = load<u32>(at + ROUTE_FLAGS * 4);
  route.choose = load<u32>(at + ROUTE_CHOOSE * 4);
  route.when = load<u32>(at + ROUTE_WHEN * 4);
  route.where = load<u32>(at + ROUTE_WHERE * 4);
  route.orderBy = load<u32>(at + ROUTE_ORDER_BY * 4);
  route.limit = load<u32>(at + ROUTE_LIMIT * 4);
  route.limitNumber = load<u32>(at + ROUTE_LIMIT_NUMBER * 4);
  route.per = load<u32>(at + ROUTE_PER * 4);
  route.uniqueBy = load<u32>(at + ROUTE_UNIQUE_BY * 4);
  route.response = load<u32>(at + ROUTE_RESPONSE * 4);
  route.charge = load<f64>(at + ROUTE_CHARGE * 4);
  route.maxAgeMs = load<f64>(at + ROUTE_MAX_AGE_MS * 4);
  const uniqueKeys = load<u32>(at + ROUTE_UNIQUE_KEYS * 4);
  const replyKeys = load<u32>(at + ROUTE_REPLY_KEYS * 4);
  if (route.choose > CHOOSE_HASH || !Number.isFinite(route.charge) || !(route.maxAgeMs >= 0)) {
    resultStatus(STATUS_MALFORMED, route.choose, CHOOSE_HASH);
    return false;
  }
  route.ordered = isOrdered(route) ? 1 : 0;
  route.whereOfEvent = route.where !== 0 && asksSinks(changetype<Program>(route.where)) === 0 ? 1 : 0;
  if ((route.flags & ROUTE_HAS_UNIQUE) !== 0) {
    if (!keysValid(uniqueKeys)) return false;
    route.unique = recentNew(load<f64>(at + ROUTE_UNIQUE_MS * 4), uniqueKeys);
    if (route.unique === 0) return resultStatus(STATUS_STORE_FULL, 0, 0) === 0;
  }
  if ((route.flags & ROUTE_HAS_REPLY) !== 0) {
    if (!keysValid(replyKeys)) return false;
    route.replies = recentNew(load<f64>(at + ROUTE_REPLY_MS * 4), replyKeys);
    if (route.replies === 0) return resultStatus(STATUS_STORE_FULL, 0, 0) === 0;
  }
  return true;
}

function keysValid(keys: u32): bool {
  if (keys !== 0 && keys <= ROUTE_KEYS_MAX) return true;
  resultStatus(STATUS_LIMIT, keys, ROUTE_KEYS_MAX);
  return false;
}

/** Whether the order of sinks changes with their updates only, so that it can be kept. */
function isOrdered(route: Route): bool {
  if (route.choose !== CHOOSE_BEST || route.per !== 0) return false;
  if (route.limit === 0 && route.limitNumber === ROUTE_NO_LIMIT) return false;
  return route.orderBy === 0 || isOfSink(changetype<Program>(route.orderBy));
}

/** How many of a program's names are live attributes of a sink. */
function asksSinks(program: Program): u32 {
  const names = <u32>load<u16>(program.at, 6);
  let found: u32 = 0;
  for (let i: u32 = 0; i < names; i++) if (load<u8>(nameAt(program.at, i)) === SCOPE_SINK) found++;
  return found;
}

/** Whether a program asks for nothing but live attributes: neither the event nor the time changes its value. */
function isOfSink(program: Program): bool {
  if (asksSinks(program) !== load<u16>(program.at, 6)) return false;
  let at = codeAt(program.at);
  const end = at + load<u32>(program.at, 8);
  while (at < end) {
    const op = <u32>load<u8>(at);
    if (op === OP_AGE) return false;
    at += operationBytes(op);
  }
  return true;
}

/** Hands memories of keys on to routes that replace these, where they remember the same in the same way. */
export function routesInherit(routes: Routes, before: Routes): void {
  for (let i: u32 = 0; i < routes.count; i++) {
    const route = routeAt(routes, i);
    for (let k: u32 = 0; k < before.count; k++) {
      const old = routeAt(before, k);
      if (old.unique !== 0 && route.uniqueBy === old.uniqueBy && alike(route.unique, old.unique)) {
        recentFree(route.unique);
        route.unique = old.unique;
        old.unique = 0;
      }
      if (old.replies !== 0 && route.response === old.response && alike(route.replies, old.replies)) {
        recentFree(route.replies);
        route.replies = old.replies;
        old.replies = 0;
      }
    }
  }
}

/** Two memories remember alike, and the first has nothing to lose. */
function alike(a: u32, b: u32): bool {
  if (a === 0 || b === 0) return false;
  const mine = changetype<Recent>(a);
  const other = changetype<Recent>(b);
  return mine.withinMs === other.withinMs && mine.keysMax === other.keysMax && mine.used === 0;
}

function memoriesFree(routes: Routes): void {
  for (let i: u32 = 0; i < routes.count; i++) {
    recentFree(routeAt(routes, i).unique);
    recentFree(routeAt(routes, i).replies);
  }
}

/** Counts one use less; 0 is none. The last one frees the routes, whose trees are empty by then. */
export function routesRelease(address: u32): void {
  if (address === 0) return;
  const routes = changetype<Routes>(address);
  if (--routes.references !== 0) return;
  memoriesFree(routes);
  for (let i: u32 = 0; i < routes.count; i++) {
    const route = routeAt(routes, i);
    programRelease(route.when);
    programRelease(route.where);
    programRelease(route.orderBy);
    programRelease(route.limit);
    programRelease(route.per);
    programRelease(route.uniqueBy);
    programRelease(route.response);
  }
  heapGive(address, HEAD_BYTES + routes.count * ROUTE_BYTES);
}

/** A counter of a route, ROUTE_EVENTS and what follows it. */
export function routeCounter(routes: Routes, index: u32, counter: u32): f64 {
  if (index >= routes.count) return 0;
  const route = routeAt(routes, index);
  if (counter === ROUTE_EVENTS) return route.events;
  if (counter === ROUTE_SINKS) return route.sinks;
  if (counter === ROUTE_NOBODY) return route.nobody;
  if (counter === ROUTE_DUPLICATES) return route.duplicates;
  if (counter === ROUTE_UNANSWERED) return route.unanswered;
  if (counter === ROUTE_KEYS) return recentKeys(route.unique) + recentKeys(route.replies);
  if (counter !== ROUTE_EVICTED) return 0;
  const unique: f64 = route.unique === 0 ? 0 : changetype<Recent>(route.unique).evicted;
  return unique + (route.replies === 0 ? 0 : changetype<Recent>(route.replies).evicted);
}
