/** What routes ask of the event and of sinks: programs run on the view, and their values as routes need them. */
import { ROUTE_DESCENDING } from "../abi";
import { Live } from "../channel/live";
import { Member } from "../channel/member";
import { nowMs } from "../clock";
import {
  FIELD_KEY,
  SCOPE_SINK,
  TYPE_BOOLEAN,
  TYPE_INTEGER,
  TYPE_MISSING,
  TYPE_NUMBER,
  TYPE_TEXT,
} from "../expression/code";
import { programHolds } from "../expression/holds";
import { nameAt } from "../expression/layout";
import { Program } from "../expression/program";
import { programRun } from "../expression/run";
import { castFailed, castNumeric, numberOf, stackAt, textAt, textBytes, typeOf } from "../expression/stack";
import { viewAt, viewBytes, viewField, viewSetMs, viewSink, viewSinkAttribute } from "../expression/view";
import { hashBytes } from "../memory/bytes";
import { mix64 } from "../memory/random";
import { Route } from "./route";
import { FRESH, STALE, UNKNOWN } from "./tree";

/** Whether a program is true of the event; 0 is no program, and true. */
export function eventHolds(program: u32): bool {
  return program === 0 || programHolds(changetype<Program>(program));
}

/** Whether a program is true of the event and a sink. */
export function sinkHolds(program: u32, member: u32): bool {
  if (program === 0) return true;
  viewSink(changetype<Member>(member));
  return programHolds(changetype<Program>(program));
}

export const NO_LIMIT: u32 = 0xffffffff;

/** How many sinks a route takes of this event; NO_LIMIT where it does not say, or says no number. */
export function limitOf(route: Route): u32 {
  if (route.limit === 0) return route.limitNumber;
  programRun(changetype<Program>(route.limit));
  if (!isNumber()) return NO_LIMIT;
  const limit = numberOf(stackAt);
  if (limit >= 4294967295.0 || !(limit >= -Infinity)) return NO_LIMIT;
  return limit < 1 ? 0 : <u32>limit;
}

/** Whether what a program gave is a number, or could be made one. */
function isNumber(): bool {
  const type = typeOf(stackAt);
  if (type === TYPE_INTEGER || type === TYPE_NUMBER) return true;
  if (type === TYPE_MISSING) return false;
  castNumeric(stackAt);
  return !castFailed;
}

/** What rankOf() found: the value, NaN for none; when its attributes were set, ms (Infinity: it has none); freshness. */
export let rankValue: f64 = 0;
export let rankSetMs: f64 = 0;
export let rankFreshness: u32 = 0;

/** Asks a route's ranking expression about a sink. */
export function rankOf(route: Route, member: u32): void {
  rankValue = 0;
  rankSetMs = Infinity;
  rankFreshness = FRESH;
  if (route.orderBy === 0) return;
  const program = changetype<Program>(route.orderBy);
  viewSink(changetype<Member>(member));
  if (route.maxAgeMs !== Infinity) rankSetMs = oldestOf(program);
  programRun(program);
  rankFreshness = nowMs - rankSetMs > route.maxAgeMs ? STALE : FRESH;
  if (isNumber()) {
    rankValue = numberOf(stackAt);
    // NaN is no place in an order.
    if (rankValue >= -Infinity) return;
  }
  rankValue = NaN;
  rankFreshness = UNKNOWN;
}

/** When the oldest of the sink's attributes that a program asks for was set; Infinity where it asks for none that is there. */
function oldestOf(program: Program): f64 {
  let oldest: f64 = Infinity;
  const names = <u32>load<u16>(program.at, 6);
  for (let i: u32 = 0; i < names; i++) {
    const name = nameAt(program.at, i);
    if (load<u8>(name) !== SCOPE_SINK) continue;
    viewSinkAttribute(program.at + load<u32>(name, 4), load<u16>(name, 2));
    if (viewAt !== 0) oldest = min<f64>(oldest, viewSetMs);
  }
  return oldest;
}

/** When the attributes by which a route ranks this sink were set, ms; NaN for none. For explain. */
export function rankedSetMs(route: Route, member: u32): f64 {
  if (route.orderBy === 0) return NaN;
  viewSink(changetype<Member>(member));
  const oldest = oldestOf(changetype<Program>(route.orderBy));
  return oldest === Infinity ? NaN : oldest;
}

/** How badly a sink stands with a route: what is smaller is preferred. */
export function badnessOf(route: Route, value: f64, selections: u32): f64 {
  // Without a value the tie rule alone decides.
  if (!(value >= -Infinity)) return 0;
  const charged = route.charge === 0 ? 0 : route.charge * selections;
  return ((route.flags & ROUTE_DESCENDING) !== 0 ? -value : value) + charged;
}

/** How often a sink has been chosen since its last update. */
export function selectionsOf(member: u32): u32 {
  const live = changetype<Member>(member).live;
  return live === 0 ? 0 : changetype<Live>(live).selections;
}

/** Hash of a program's value, of any type, for the event and a sink (0: none); 0 where it is missing. */
export function valueHash(program: u32, member: u32): u64 {
  if (member !== 0) viewSink(changetype<Member>(member));
  programRun(changetype<Program>(program));
  const type = typeOf(stackAt);
  if (type === TYPE_MISSING) return 0;
  // A number and a whole number that are equal are one value; texts and booleans are others.
  if (type === TYPE_TEXT) return hashBytes(textAt(stackAt), textBytes(stackAt));
  const hash =
    type === TYPE_BOOLEAN ? mix64(load<u64>(stackAt, 8) + 1) : mix64(reinterpret<u64>(numberOf(stackAt) + 0.0));
  return hash === 0 ? 1 : hash;
}

/** Hash of the event's key, 0 where it has none. */
export function keyHash(): u64 {
  viewField(FIELD_KEY);
  return viewAt === 0 ? 0 : hashBytes(viewAt, viewBytes);
}
