/**
 * Who takes an event: the members that want the event of the view, gathered in one place before anything is done with them.
 *
 * The room for them is taken when sinks join, so that matching never fails for want of memory.
 */
import { Channel, SINK_BYTES, Sink } from "../channel/channel";
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { sinkTakes } from "./select";

/** Where collectMatching() leaves the addresses of Members, u32 each. */
export let collectedAt: u32 = 0;
let room: u32 = 0;

/** Forgets the room; the pool has been laid out anew. */
export function collectInit(): void {
  collectedAt = room = 0;
}

/** Sees to it that a channel may have so many sinks. Returns false where memory is used up. */
export function collectReserve(sinks: u32): bool {
  if (sinks <= room) return true;
  const bytes = heapBlockBytes(max<u32>(sinks * 4, 1024));
  const at = heapTake(bytes);
  if (at === 0) return false;
  if (room !== 0) heapGive(collectedAt, room * 4);
  collectedAt = at;
  room = bytes >> 2;
  return true;
}

/**
 * Gathers the sinks that take the event of the view at `collectedAt`, in no order that counts, each once. Sinks of the
 * connection `skip` are left out (0: nobody's). `type`: number of the event's type, 0 where no filter names it.
 * Returns how many there are. They are overwritten by the next call.
 */
export function collectMatching(channel: Channel, skip: u32, type: u32): u32 {
  let count: u32 = 0;
  const end = channel.sinksAt + channel.sinks * SINK_BYTES;
  for (let at = channel.sinksAt; at < end; at += SINK_BYTES) {
    const sink = changetype<Sink>(at);
    if (sink.connection !== skip && sinkTakes(sink, type)) store<u32>(collectedAt + count++ * 4, sink.member);
  }
  return count;
}
