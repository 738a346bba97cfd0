/**
 * Binding: routes that come to a stage of a channel, or to a source for its own events, and what they replace. It happens
 * between two events, so each event is decided by exactly one list.
 */
import {
  CHANNEL_CANCELS,
  CHANNEL_FILTERED,
  CHOOSE_TIED,
  ROLE_FILTERED,
  STAGE_IN,
  STAGE_OUT,
  STATUS_LIMIT,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { Channel } from "../channel/channel";
import { Live, liveTake } from "../channel/live";
import { Member } from "../channel/member";
import { NOWHERE } from "../mailbox/due";
import { heapTakeZero } from "../memory/heap";
import { resultStatus } from "../result";
import { candidatesReserve } from "./candidates";
import { ranksBind, ranksUnbind } from "./ranks";
import { Routes, routeAt, routesInherit, routesRelease } from "./route";
import { Slots } from "./slots";

/** What is bound to a channel, and what waits for a sink there (empty.ts). */
@unmanaged
export class Filters {
  /** No later than the earliest deadline of what is held; Infinity: none has one (held-due.ts). */
  heldDueMs: f64;
  out: u32;
  in: u32;
  /** EMPTY_…, and the channel to divert to. */
  empty: u32;
  divertTo: u32;
  heldHead: u32;
  heldTail: u32;
  held: u32;
  /** Something has changed since the last attempt to deliver what is held; next channel of which that is so. */
  retry: u32;
  nextRetry: u32;
  /** Counts those attempts. */
  attempt: u32;
  /** Address of the Channel. */
  channel: u32;
  /** Deciders bound to the stages; 0: none, a stage with one has no routes. */
  deciderOut: u32;
  deciderIn: u32;
  /** All deciders of the channel, those that sources carry too (list through Decider.next), and how many. */
  deciders: u32;
  deciderCount: u32;
  /** Slots of the sinks (slots.ts), 0: none. There are some while there are deciders, or events that wait for one. */
  slots: u32;
  /** Events that wait for a decider, and whether outboxes wait for room among those (list through nextPump). */
  parked: u32;
  pump: u32;
  nextPump: u32;
  /** Its place among the channels by `heldDueMs`. */
  heldDuePlace: u32;
}

/** The slots of a channel that has some. */
export function filtersSlots(channel: Channel): Slots {
  return changetype<Slots>(changetype<Filters>(channel.filters).slots);
}

/** Routes bound to OUT, 0: none. */
export function filtersOut(channel: Channel): u32 {
  return channel.filters === 0 ? 0 : changetype<Filters>(channel.filters).out;
}

/** Routes bound to IN, 0: none. */
export function filtersIn(channel: Channel): u32 {
  return channel.filters === 0 ? 0 : changetype<Filters>(channel.filters).in;
}

/** The filters of a channel, made where there are none; 0 where memory is used up. */
export function filtersTake(channel: Channel): u32 {
  if (channel.filters !== 0) return channel.filters;
  channel.filters = heapTakeZero(offsetof<Filters>());
  if (channel.filters === 0) return 0;
  const filters = changetype<Filters>(channel.filters);
  filters.channel = changetype<u32>(channel);
  filters.heldDueMs = Infinity;
  filters.heldDuePlace = NOWHERE;
  return channel.filters;
}

/** Sets the mark that keeps events off the short ways, where there is a reason for it. */
export function filtersMark(channel: Channel): void {
  const filters = changetype<Filters>(channel.filters);
  const any = (filters.out | filters.in | filters.empty | filters.held) !== 0;
  channel.flags = any ? channel.flags | CHANNEL_FILTERED : channel.flags & ~CHANNEL_FILTERED;
}

/** Binds routes to a stage of a channel, 0: none; it takes over the caller's use of them. Returns a status. */
export function channelBind(channel: Channel, stage: u32, routes: u32): u32 {
  if (stage > STAGE_IN) return resultStatus(STATUS_LIMIT, stage, STAGE_IN);
  const address = filtersTake(channel);
  if (address === 0 || !candidatesReserve(channel.sinks + 1)) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const filters = changetype<Filters>(address);
  if (routes !== 0 && !ranksBind(routes, channel)) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const before = stage === STAGE_OUT ? filters.out : filters.in;
  if (stage === STAGE_OUT) filters.out = routes;
  else filters.in = routes;
  if (before !== 0) {
    if (routes !== 0) routesInherit(changetype<Routes>(routes), changetype<Routes>(before));
    ranksUnbind(before, channel);
    routesRelease(before);
  }
  if (routes !== 0 && ties(changetype<Routes>(routes))) channel.flags |= CHANNEL_CANCELS;
  filtersMark(channel);
  return STATUS_OK;
}

/** Whether one of the routes ties requests, which are cancelled when one of their sinks begins. */
function ties(routes: Routes): bool {
  for (let i: u32 = 0; i < routes.count; i++) {
    if (routeAt(routes, i).choose === CHOOSE_TIED) return true;
  }
  return false;
}

/** Says what becomes of events that nobody is selected for; what is held already waits on. Returns a status. */
export function channelEmptySet(channel: Channel, policy: u32, divertTo: u32): u32 {
  const filters = changetype<Filters>(channel.filters);
  if (!candidatesReserve(channel.sinks + 1)) return resultStatus(STATUS_STORE_FULL, 0, 0);
  filters.empty = policy;
  filters.divertTo = divertTo;
  filtersMark(channel);
  return STATUS_OK;
}

/** Has a source carry routes for its own events; as channelBind(). */
export function memberBind(member: Member, channel: Channel, stage: u32, routes: u32): u32 {
  if (stage > STAGE_IN) return resultStatus(STATUS_LIMIT, stage, STAGE_IN);
  const address = liveTake(member);
  // With the channel's record every sink that joins later makes room for itself.
  if (address === 0 || filtersTake(channel) === 0 || !candidatesReserve(channel.sinks + 1))
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  const live = changetype<Live>(address);
  const before = stage === STAGE_OUT ? live.routesOut : live.routesIn;
  if (stage === STAGE_OUT) live.routesOut = routes;
  else live.routesIn = routes;
  if (routes !== 0 && before !== 0) routesInherit(changetype<Routes>(routes), changetype<Routes>(before));
  routesRelease(before);
  carriesMark(member, live);
  return STATUS_OK;
}

/** Sets the mark of a source that carries filters. */
export function carriesMark(member: Member, live: Live): void {
  const any = (live.routesOut | live.routesIn | live.deciderOut | live.deciderIn) !== 0;
  member.role = any ? member.role | ROLE_FILTERED : member.role & ~ROLE_FILTERED;
}
