/**
 * Who takes an event: the members that want the event of the view, gathered in one place before anything is done with them.
 *
 * The room for them is taken when sinks join, so that matching never fails for want of memory.
 */
import { CHANNEL_SCANNED, ROLE_SINK } from "../abi";
import { Channel } from "../channel/channel";
import { Member, pairWithRole } from "../channel/member";
import { joinedSink, plainSinks, SINK_BYTES, Sink } from "../channel/sinks";
import { Mailbox } from "../mailbox/records";
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { Connection } from "../session/connection";
import { indexLook } from "./index/look";
import { memberTakes } from "./select";

/** Where the functions here leave the addresses of Members, u32 each. */
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
 * Gathers the sinks that take the event of the view at `collectedAt`, each once: in join order where a session may be there
 * twice, else in none (see collectSort()). Sinks of the connection `skip` are left out (0: nobody's). `type`: number of the event's type, 0 where
 * no filter names it. Returns how many there are. They are overwritten by the next call.
 */
export function collectMatching(channel: Channel, skip: u32, type: u32): u32 {
  let to = collectedAt;
  const end = channel.plainAt + plainSinks(channel) * SINK_BYTES;
  for (let at = channel.plainAt; at < end; at += SINK_BYTES) {
    if (changetype<Sink>(at).connection === skip) continue;
    store<u32>(to, changetype<Sink>(at).member);
    to += 4;
  }
  const count = (selective(channel, skip, type, to) - collectedAt) >> 2;
  // Of several memberships of one session the first is the one that a delivery names.
  if (channel.doubleSinks !== 0) collectSort(count);
  return count;
}

/** The same without the sinks that want everything. */
export function collectSelective(channel: Channel, skip: u32, type: u32): u32 {
  return (selective(channel, skip, type, collectedAt) - collectedAt) >> 2;
}

/** Writes the selective sinks that take the event from `to` on; returns the address behind the last. */
function selective(channel: Channel, skip: u32, type: u32, to: u32): u32 {
  if (channel.selectiveSinks === 0) return to;
  if ((channel.flags & CHANNEL_SCANNED) !== 0) return scan(channel, skip, type, to);
  // Publishers mostly are no sinks of the channel: then nobody need be asked whose sink he is.
  if (skip !== 0 && pairWithRole(skip, channel.number, ROLE_SINK) === 0) skip = 0;
  return indexLook(channel.index, skip, type, to);
}

/** The same without the index: asks every selective sink. */
function scan(channel: Channel, skip: u32, type: u32, to: u32): u32 {
  for (let place: u32 = 0; place < channel.joined; place++) {
    const at = joinedSink(channel, place);
    if (at === 0) continue;
    const member = changetype<Member>(at);
    if ((member.types | member.where) === 0 || member.connection === skip || !memberTakes(member, type)) continue;
    store<u32>(to, at);
    to += 4;
  }
  return to;
}

/** Addresses of so many members are read ahead at a time. */
export const WARM_BYTES: u32 = 128;
/** What was read ahead, so that the reads are not left out. */
let warmth: u32 = 0;

/**
 * Reads what appending to the inboxes of the next members will read. With many sinks each of these reads waits for memory; here
 * none waits for another, where one append after another does.
 */
export function collectWarm(from: u32, end: u32): void {
  end = min<u32>(from + WARM_BYTES, end);
  let read = warmth;
  for (let at = from; at < end; at += 4) {
    const inbox = changetype<Mailbox>(changetype<Member>(load<u32>(at)).inbox);
    read ^= inbox.tail ^ inbox.order;
  }
  for (let at = from; at < end; at += 4) {
    const inbox = changetype<Mailbox>(changetype<Member>(load<u32>(at)).inbox);
    read ^= changetype<Connection>(inbox.connection).dirty;
  }
  warmth = read;
}

/** Puts `count` members at `collectedAt` in join order, by heap sort: it needs no room. */
export function collectSort(count: u32): void {
  for (let i = count >> 1; i-- > 0; ) sift(i, count);
  for (let end = count; end-- > 1; ) {
    const last = load<u32>(collectedAt + end * 4);
    store<u32>(collectedAt + end * 4, load<u32>(collectedAt));
    store<u32>(collectedAt, last);
    sift(0, end);
  }
}

function sift(index: u32, count: u32): void {
  const sinking = load<u32>(collectedAt + index * 4);
  const order = changetype<Member>(sinking).order;
  while (true) {
    let child = index * 2 + 1;
    if (child >= count) break;
    if (child + 1 < count && orderAt(child + 1) > orderAt(child)) child++;
    if (orderAt(child) <= order) break;
    store<u32>(collectedAt + index * 4, load<u32>(collectedAt + child * 4));
    index = child;
  }
  store<u32>(collectedAt + index * 4, sinking);
}

function orderAt(index: u32): u32 {
  return changetype<Member>(load<u32>(collectedAt + index * 4)).order;
}
