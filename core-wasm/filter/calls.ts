/** What the host calls about routes; index.ts exports it. Described in host/core/exports.ts. */
import {
  EMPTY_DIVERT,
  STATUS_CHANNEL_UNKNOWN,
  STATUS_LIMIT,
  STATUS_MEMBER_UNKNOWN,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { channelAt, channelFind } from "../channel/channel";
import { memberFind } from "../channel/member";
import { rangeFlush } from "../match/fan-out";
import { resultStatus } from "../result";
import { channelDecide } from "./attach";
import { channelBind, channelEmptySet, filtersTake, memberBind } from "./bind";
import { heldWake } from "./held";
import { Routes, routeCounter, routesRelease, routesTake } from "./route";

/** Keeps a list of routes. */
export function routesAdd(at: u32, bytes: u32): u32 {
  return routesTake(at, bytes);
}

export { routesRelease };

/** A counter of a route. */
export function routesStatistic(routes: u32, route: u32, counter: u32): f64 {
  return routeCounter(changetype<Routes>(routes), route, counter);
}

/** Binds routes to a stage of a channel. */
export function channelRoutes(number: u32, stage: u32, routes: u32): u32 {
  const channel = channelFind(number);
  if (channel === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  rangeFlush();
  const status = channelBind(channel, stage, routes);
  if (status === STATUS_OK && routes !== 0) channelDecide(channel, stage, 0);
  if (status === STATUS_OK) heldWake(channel);
  return status;
}

/** Has a source carry routes. */
export function memberRoutes(number: u32, stage: u32, routes: u32): u32 {
  const member = memberFind(number);
  if (member === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  rangeFlush();
  return memberBind(member, channelAt(member.channel), stage, routes);
}

/** Says what becomes of events for nobody. */
export function channelEmpty(number: u32, policy: u32, divertTo: u32): u32 {
  const channel = channelFind(number);
  if (channel === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  if (policy > EMPTY_DIVERT) return resultStatus(STATUS_LIMIT, policy, EMPTY_DIVERT);
  if (filtersTake(channel) === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  rangeFlush();
  return channelEmptySet(channel, policy, divertTo);
}
