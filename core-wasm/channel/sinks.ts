/**
 * The sinks of a channel, twice:
 *
 *   joined   Member | Member | 0 | Member | …     all, in join order; a place stays empty until half of them are
 *   plain    Sink | Sink | …                      those that want everything, side by side for the fan-out, in no order
 *
 * A Member knows its places, so that adding and removing one costs the same among ten as among a million.
 */
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { Channel } from "./channel";
import { Member } from "./member";

/** What the fan-out needs of a sink, so that it need not visit every member. */
@unmanaged
export class Sink {
  member: u32;
  inbox: u32;
  connection: u32;
}
export const SINK_BYTES: u32 = offsetof<Sink>();

/** Empty places that are not worth moving the others. */
const EMPTY_PLACES: u32 = 16;

/** Address of the Member at a place in join order, below channel.joined; 0 where it has left. */
export function joinedSink(channel: Channel, place: u32): u32 {
  return load<u32>(channel.joinedAt + place * 4);
}

/** How many sinks want everything. */
export function plainSinks(channel: Channel): u32 {
  return channel.sinks - channel.selectiveSinks;
}

/** Frees the arrays. */
export function sinksFree(channel: Channel): void {
  if (channel.plainAt !== 0) heapGive(channel.plainAt, channel.plainCapacity * SINK_BYTES);
  if (channel.joinedAt !== 0) heapGive(channel.joinedAt, channel.joinedCapacity * 4);
}

let grownAt: u32 = 0;
let grownBytes: u32 = 0;

/** Makes room for one more record; false where memory is used up. */
function grow(at: u32, bytes: u32, record: u32): bool {
  grownBytes = heapBlockBytes(bytes === 0 ? record : bytes * 2);
  grownAt = heapTake(grownBytes);
  if (grownAt === 0) return false;
  if (at === 0) return true;
  memory.copy(grownAt, at, bytes);
  heapGive(at, bytes);
  return true;
}

/** Adds a sink that wants everything. Returns false where memory is used up. */
export function sinkJoin(channel: Channel, member: Member): bool {
  if (channel.joined === channel.joinedCapacity) {
    if (!grow(channel.joinedAt, channel.joinedCapacity * 4, 4)) return false;
    channel.joinedAt = grownAt;
    channel.joinedCapacity = grownBytes >> 2;
  }
  // Room for all, so that a sink that comes to want everything again never lacks it.
  if (channel.sinks === channel.plainCapacity) {
    if (!grow(channel.plainAt, channel.plainCapacity * SINK_BYTES, SINK_BYTES)) return false;
    channel.plainAt = grownAt;
    channel.plainCapacity = grownBytes / SINK_BYTES;
  }
  member.place = channel.joined;
  store<u32>(channel.joinedAt + channel.joined++ * 4, changetype<u32>(member));
  plainAdd(channel, member, plainSinks(channel));
  channel.sinks++;
  return true;
}

/** Removes a sink, which wants everything again. The others keep their order. */
export function sinkLeave(channel: Channel, member: Member): void {
  plainRemove(channel, member, plainSinks(channel));
  channel.sinks--;
  store<u32>(channel.joinedAt + member.place * 4, 0);
  while (channel.joined !== 0 && joinedSink(channel, channel.joined - 1) === 0) channel.joined--;
  if (channel.joined > channel.sinks * 2 + EMPTY_PLACES) closeUp(channel);
}

/** Moves all to the front. As many have left as stay, so each of them has paid for one move. */
function closeUp(channel: Channel): void {
  let to: u32 = 0;
  for (let place: u32 = 0; place < channel.joined; place++) {
    const at = joinedSink(channel, place);
    if (at === 0) continue;
    changetype<Member>(at).place = to;
    store<u32>(channel.joinedAt + to++ * 4, at);
  }
  channel.joined = to;
}

/** Puts a member behind the `count` sinks that want everything. */
function plainAdd(channel: Channel, member: Member, count: u32): void {
  const sink = changetype<Sink>(channel.plainAt + count * SINK_BYTES);
  sink.member = changetype<u32>(member);
  sink.inbox = member.inbox;
  sink.connection = member.connection;
  member.indexed = count;
}

/** Takes a member off the `count` sinks that want everything; the last one takes its place. */
function plainRemove(channel: Channel, member: Member, count: u32): void {
  const last = channel.plainAt + (count - 1) * SINK_BYTES;
  memory.copy(channel.plainAt + member.indexed * SINK_BYTES, last, SINK_BYTES);
  changetype<Member>(changetype<Sink>(last).member).indexed = member.indexed;
}

/** A sink that wanted everything does not any more; member.indexed is the caller's from now on. */
export function sinkSelects(channel: Channel, member: Member): void {
  plainRemove(channel, member, plainSinks(channel));
  channel.selectiveSinks++;
}

/** A sink wants everything again. */
export function sinkSelectsNot(channel: Channel, member: Member): void {
  plainAdd(channel, member, plainSinks(channel));
  channel.selectiveSinks--;
}
