/** Late events on their way to another channel (mailbox/diverted.ts) get there. */
import { channelFind } from "../channel/channel";
import { nowMs } from "../clock";
import { entryChannel } from "../event/entry";
import { DIVERTED_HEAD_BYTES, Diverted, divertedFree, divertedShift } from "../mailbox/diverted";
import { divert } from "./publish";

/** Publishes all late events that are on their way to another channel. Only where no range or fan-out is under way. */
export function divertLate(): void {
  for (let at = divertedShift(); at !== 0; at = divertedShift()) {
    const entry = at + DIVERTED_HEAD_BYTES;
    const channel = channelFind(entryChannel(entry));
    if (channel !== null) divert(channel, changetype<Diverted>(at).connection, entry, nowMs, true, 0);
    divertedFree(at);
  }
}
