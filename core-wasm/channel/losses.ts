/**
 * What the sinks of a channel lost, by DROPPED_… reason: events that were taken and that they will not get.
 *
 * The counters are made with a channel's first loss, since most channels have none; where memory is used up by then, only the
 * totals of the host count on.
 */
import {
  DROPPED_ATTEMPTS,
  DROPPED_CONFLATED,
  DROPPED_LEFT,
  DROPPED_REASONS,
  STATISTIC_DROPPED_ATTEMPTS,
  STATISTIC_DROPPED_CONFLATED,
  STATISTIC_DROPPED_LEFT,
  STATISTIC_DROPPED_OVERFLOW,
} from "../abi";
import { heapGive, heapTakeZero } from "../memory/heap";
import { statisticAdd } from "../statistics";
import { Channel, channelFind } from "./channel";

const BYTES: u32 = DROPPED_REASONS * 8;

/** Counts losses of a channel, in total and by channel; one that is gone counts in total only. */
export function lossCount(number: u32, reason: u32, events: u32): void {
  statisticAdd(totalOf(reason), events);
  const found = channelFind(number);
  if (found === null) return;
  const channel = found as Channel;
  if (channel.losses === 0) channel.losses = heapTakeZero(BYTES);
  if (channel.losses === 0) return;
  const at = channel.losses + reason * 8;
  store<f64>(at, load<f64>(at) + events);
}

/** Where a loss is counted in total: those that came later stand elsewhere. */
function totalOf(reason: u32): u32 {
  if (reason === DROPPED_CONFLATED) return STATISTIC_DROPPED_CONFLATED;
  if (reason >= DROPPED_ATTEMPTS) return STATISTIC_DROPPED_ATTEMPTS + reason - DROPPED_ATTEMPTS;
  return reason === DROPPED_LEFT ? STATISTIC_DROPPED_LEFT : STATISTIC_DROPPED_OVERFLOW + reason;
}

/** How many events the sinks of a channel lost for that reason. */
export function lossesOf(channel: Channel, reason: u32): f64 {
  return channel.losses === 0 || reason >= DROPPED_REASONS ? 0 : load<f64>(channel.losses + reason * 8);
}

/** Frees the counters of a channel that goes. */
export function lossesFree(channel: Channel): void {
  if (channel.losses !== 0) heapGive(channel.losses, BYTES);
  channel.losses = 0;
}
