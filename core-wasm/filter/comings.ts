/** Sinks that come to a channel with filters and go again, and what goes with sources and channels that end. */
import { ROLE_SINK } from "../abi";
import { Channel } from "../channel/channel";
import { Live } from "../channel/live";
import { Member } from "../channel/member";
import { heapGive } from "../memory/heap";
import { detach, slotsJoin, slotsLeave } from "./attach";
import { Filters, filtersIn, filtersOut } from "./bind";
import { candidatesReserve } from "./candidates";
import { ranksJoin, ranksLeave } from "./ranks";
import { routesRelease } from "./route";

/** A sink has joined: room among the candidates, and its places in trees. Returns false where memory is used up. */
export function filtersJoin(channel: Channel, member: Member): bool {
  if (channel.filters === 0) return true;
  if (!candidatesReserve(channel.sinks)) return false;
  if (ranksJoin(filtersOut(channel), member) && ranksJoin(filtersIn(channel), member) && slotsJoin(channel, member))
    return true;
  ranksLeave(member, 0);
  return false;
}

/** A sink leaves: it has no place in trees, and no slot. */
export function filtersLeave(channel: Channel, member: Member): void {
  ranksLeave(member, 0);
  if ((member.role & ROLE_SINK) !== 0) slotsLeave(channel, member);
}

/** Frees what a source carries. */
export function filtersDrop(member: Member): void {
  if (member.live === 0) return;
  const live = changetype<Live>(member.live);
  routesRelease(live.routesOut);
  routesRelease(live.routesIn);
  live.routesOut = live.routesIn = 0;
  detach(live.deciderOut);
  detach(live.deciderIn);
  live.deciderOut = live.deciderIn = 0;
}

/** Frees the filters of a channel that has no sinks any more; nothing is held. */
export function filtersFree(channel: Channel): void {
  if (channel.filters === 0) return;
  const filters = changetype<Filters>(channel.filters);
  routesRelease(filters.out);
  routesRelease(filters.in);
  detach(filters.deciderOut);
  detach(filters.deciderIn);
  heapGive(channel.filters, offsetof<Filters>());
  channel.filters = 0;
}
