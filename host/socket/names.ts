/** What renderers ask of a host: names and numbers that stand in what peers read, and not in what the core holds. */
import type { Channels } from "../channel/channels.ts";
import type { CoreHolder } from "../core/instance.ts";
import { derivedId } from "../session/receipt.ts";
import type { StreamNames } from "./sse/render.ts";

/** Those of a host, as they are whenever they are asked for. */
export function namesOf(host: CoreHolder & { readonly hostId: string; readonly channels: Channels }): StreamNames {
  return {
    hostId: host.hostId,
    channelName: (channelNumber) => host.channels.byNumber(channelNumber)?.name,
    incarnation: (channelNumber) => host.channels.byNumber(channelNumber)?.incarnation,
    derivedId: (channelNumber, sequence, epoch) => derivedId(host.hostId, epoch, channelNumber, sequence),
    epoch: () => host.core.epoch,
  };
}
