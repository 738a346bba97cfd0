/** Replaying what a channel stores to a sink that has just joined, before anything that comes later. */
import { CHANNEL_STORES, STATUS_OK, STATUS_STORE_FULL } from "../abi";
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { typeLookup } from "../channel/types";
import { entryEvent, entryEventBytes, entrySequence, entrySize } from "../event/entry";
import { scanEvent, scanTypeAt, scanTypeBytes } from "../event/scan";
import { viewEvent } from "../expression/view";
import { metaDead } from "../mailbox/fate";
import { Mailbox, metaAt, Run, Slab } from "../mailbox/records";
import { ringFirst, ringFree, ringNew, ringResize } from "../mailbox/ring";
import { resultStatus } from "../result";
import { fanBegin, fanEnd, fanMember } from "./fan-out";
import { memberTakes } from "./select";

/** Has a channel keep its last events, or no longer any with a capacity of 0. Returns a status. */
export function channelStoreSet(channel: Channel, capacityEvents: u32, capacityBytes: u32): u32 {
  const ring = changetype<Mailbox>(channel.ring);
  if (capacityEvents === 0) {
    if (channel.ring !== 0) ringFree(ring);
    channel.ring = 0;
    channel.flags &= ~CHANNEL_STORES;
    return STATUS_OK;
  }
  if (channel.ring !== 0) {
    ringResize(ring, capacityEvents, capacityBytes);
    return STATUS_OK;
  }
  channel.ring = ringNew(capacityEvents, capacityBytes);
  if (channel.ring === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  channel.flags |= CHANNEL_STORES;
  return STATUS_OK;
}

/** Events handed to the member by the last replay. */
let replayed: u32 = 0;

/**
 * Hands a sink what the ring holds after a sequence and its types take. What is late or was cancelled is skipped, as it
 * would be in an inbox. Returns whether nothing after that sequence is missing, neither in the ring nor in the inbox.
 */
export function replay(channel: Channel, member: Member, after: u64): bool {
  replayed = 0;
  // A place that was never reached is another channel's: whatever is stored may be new to this sink.
  const known = after <= channel.sequence;
  if (!known) after = 0;
  if (channel.ring === 0) return known && after === channel.sequence;
  const ring = changetype<Mailbox>(channel.ring);
  const first = ringFirst(ring);
  const inbox = changetype<Mailbox>(member.inbox);
  const before = inbox.events;
  // Nothing appends to the ring meanwhile, and its slabs cannot go: the ring itself holds them.
  for (let at = ring.head; at !== 0; at = changetype<Run>(at).next)
    replayRun(channel, member, changetype<Run>(at), after);
  // What the inbox had no room for is told as dropped, and is missing all the same.
  if (inbox.events - before !== replayed) return false;
  return known && (first === 0 ? after === channel.sequence : after + 1 >= first);
}

function replayRun(channel: Channel, member: Member, run: Run, after: u64): void {
  const slab = changetype<Slab>(run.slab);
  const end = run.at + run.bytes;
  let meta = <u32>run.metaFirst;
  const metaEnd = run.metaFirst + run.metas;
  let at = run.at;
  while (at < end) {
    const size = entrySize(at);
    let metas: u32 = 0;
    let deadline: f64 = Infinity;
    let dead = false;
    if (meta < metaEnd && metaAt(slab, meta).entryAt === at) {
      metas = 1;
      deadline = metaAt(slab, meta).deadline;
      dead = metaDead(changetype<Mailbox>(member.inbox), metaAt(slab, meta));
    }
    const eventAt = entryEvent(at);
    if (!dead && entrySequence > after && takes(member, eventAt, entryEventBytes)) {
      fanBegin(slab, at, size, meta, metas, deadline);
      fanMember(channel, member);
      fanEnd();
      replayed++;
    }
    meta += metas;
    at += size;
  }
}

function takes(member: Member, eventAt: u32, eventBytes: u32): bool {
  if ((member.types | member.where) === 0) return true;
  scanEvent(eventAt, eventBytes);
  viewEvent(eventAt, eventBytes);
  return memberTakes(member, typeLookup(scanTypeAt, scanTypeBytes));
}
