/** What may not be delivered any more, and where it goes instead. */
import { CHANNEL_LATE_DIVERT, CHANNEL_LATE_DROP } from "../abi";
import { channelFind } from "../channel/channel";
import { nowMs } from "../clock";
import { LATE_CHANNEL, LATE_DELIVER, LATE_DIVERT } from "./abi";
import { Mailbox, META_CANCELLED, Meta } from "./records";

/** Whether an inbox does not deliver what is late of a channel. */
export function lateDrops(inbox: Mailbox, channel: u32): bool {
  return inbox.late === LATE_CHANNEL ? channelHas(channel, CHANNEL_LATE_DROP) : inbox.late !== LATE_DELIVER;
}

/** Whether what an inbox does not deliver of a channel, because it is late, goes to another channel. */
export function lateDiverts(inbox: Mailbox, channel: u32): bool {
  return inbox.late === LATE_CHANNEL ? channelHas(channel, CHANNEL_LATE_DIVERT) : inbox.late === LATE_DIVERT;
}

/** Whether a channel is there and has a CHANNEL_… bit. */
function channelHas(channel: u32, flag: u32): bool {
  const found = channelFind(channel);
  return found !== null && (found.flags & flag) !== 0;
}

/** Whether the entry of a meta must not be delivered from an inbox any more. */
export function metaDead(inbox: Mailbox, meta: Meta): bool {
  return (meta.flags & META_CANCELLED) !== 0 || (meta.deadline < nowMs && lateDrops(inbox, meta.channel));
}
