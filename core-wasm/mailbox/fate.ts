/** What may not be delivered any more. */
import { CHANNEL_LATE_DROP } from "../abi";
import { channelFind } from "../channel/channel";
import { nowMs } from "../clock";
import { META_CANCELLED, Meta } from "./records";

/** Whether a channel does not deliver what is late. */
export function lateDrops(channel: u32): bool {
  const found = channelFind(channel);
  return found !== null && (found.flags & CHANNEL_LATE_DROP) !== 0;
}

/** Whether the entry of a meta must not be delivered any more. */
export function metaDead(meta: Meta): bool {
  return (meta.flags & META_CANCELLED) !== 0 || (meta.deadline < nowMs && lateDrops(meta.channel));
}
