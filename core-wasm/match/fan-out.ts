/**
 * From a stored entry to the inboxes of its sinks.
 *
 * Events that follow one another on a channel whose sinks all want everything are fanned out as one range: the cost
 * per event and sink is then next to nothing. Where a sink is selective, has a strict inbox or a second membership, each
 * event goes its own way.
 */
import { CHANNEL_ECHO, CHANNEL_SCANNED, CHANNEL_STORES, DROPPED_OVERFLOW, OVERFLOW_REJECT, ROLE_SINK } from "../abi";
import { Channel, SINK_BYTES, Sink } from "../channel/channel";
import { Member, pairWithRole } from "../channel/member";
import {
  entryBytes,
  entryEvent,
  entryEventBytes,
  entryHeadWrite,
  entryMemberWrite,
  entrySequence,
} from "../event/entry";
import { factsForget } from "../event/facts";
import { dropCount, inboxAppend, inboxHasRoom } from "../mailbox/inbox";
import { Mailbox, META_BYTES, metaAt, Slab } from "../mailbox/records";
import { ringAppend } from "../mailbox/ring";
import { slabIdle } from "../mailbox/slab";
import { chunkWithRoom, metaAdd } from "../mailbox/store";
import { Connection } from "../session/connection";
import { bucketEnd, bucketSinks, found0, found1, found2, Index, indexLook } from "./index";
import { sinkTakes } from "./select";

/** The range under way: rangeEvents 0 means there is none. */
let rangeChannel: u32 = 0;
let rangeConnection: u32 = 0;
/** The only inbox that gets it, 0: all sinks of the channel. One inbox may share a range between channels. */
let rangeInbox: u32 = 0;
let rangeSlab: u32 = 0;
let rangeAt: u32 = 0;
let rangeBytes: u32 = 0;
let rangeEvents: u32 = 0;
let rangeMetaFirst: u32 = 0;
let rangeMetas: u32 = 0;
let rangeDeadline: f64 = 0;

/** Forgets the range. */
export function fanOutInit(): void {
  rangeEvents = 0;
}

/** Whether ranges may be used: selective sinks get their events one by one, all others in ranges. */
export function channelPlain(channel: Channel): bool {
  return (channel.decider | channel.strictSinks | channel.doubleSinks) === 0;
}

/** Adds an entry to the range, beginning a new one where it does not follow on. */
export function rangeExtend(
  channel: Channel,
  connection: u32,
  slab: Slab,
  at: u32,
  bytes: u32,
  metas: u32,
  deadline: f64,
): void {
  const channelAddress = changetype<u32>(channel);
  const follows = rangeEvents !== 0 && rangeAt + rangeBytes === at && rangeSlab === changetype<u32>(slab);
  if (!follows || rangeChannel !== channelAddress || rangeConnection !== connection) {
    const inbox = onlyInbox(channel, connection);
    if (!follows || inbox === 0 || inbox !== rangeInbox) rangeBegin(inbox, slab, at);
    rangeChannel = channelAddress;
    rangeConnection = connection;
  }
  if (rangeMetas === 0) rangeMetaFirst = slab.metas - metas;
  rangeBytes += bytes;
  rangeEvents++;
  rangeMetas += metas;
  if (deadline < rangeDeadline) rangeDeadline = deadline;
}

function rangeBegin(inbox: u32, slab: Slab, at: u32): void {
  // Nobody holds this entry yet: neither the end of the range before it nor an inbox that overflows meanwhile may
  // free its slab.
  slab.pins++;
  rangeFlush();
  rangeInbox = inbox;
  rangeSlab = changetype<u32>(slab);
  rangeAt = at;
  rangeBytes = rangeMetas = 0;
  rangeDeadline = Infinity;
}

/** The inbox of a channel with one sink that wants everything, 0 on others: many channels often lead to one session. */
function onlyInbox(channel: Channel, connection: u32): u32 {
  if (channel.sinks !== 1 || channel.selectiveSinks !== 0 || (channel.flags & CHANNEL_STORES) !== 0) return 0;
  const sink = changetype<Sink>(channel.sinksAt);
  return sink.connection === connection && (channel.flags & CHANNEL_ECHO) === 0 ? 0 : sink.inbox;
}

/** Fans the range out. Must run before the slab, the channel or its members change. */
export function rangeFlush(): void {
  if (rangeEvents === 0) return;
  const events = rangeEvents;
  rangeEvents = 0;
  const slab = changetype<Slab>(rangeSlab);
  if (rangeInbox !== 0) {
    rangeAppend(rangeInbox, slab, events);
  } else {
    const channel = changetype<Channel>(rangeChannel);
    const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : rangeConnection;
    const end = channel.sinksAt + channel.sinks * SINK_BYTES;
    for (let at = channel.sinksAt; at < end; at += SINK_BYTES) {
      const sink = changetype<Sink>(at);
      if (sink.connection !== skip && (sink.types | sink.where) === 0) rangeAppend(sink.inbox, slab, events);
    }
    if ((channel.flags & CHANNEL_STORES) !== 0) {
      const ring = changetype<Mailbox>(channel.ring);
      ringAppend(ring, slab, rangeAt, rangeBytes, events, rangeMetaFirst, rangeMetas, rangeDeadline);
    }
  }
  slab.pins--;
  if (slab.runs === 0) slabIdle(slab);
}

function rangeAppend(inbox: u32, slab: Slab, events: u32): void {
  const mailbox = changetype<Mailbox>(inbox);
  inboxAppend(mailbox, slab, rangeAt, rangeBytes, events, rangeMetaFirst, rangeMetas, rangeDeadline);
}

/** Sinks that a range of that channel reaches, for receipts. */
export function rangeSinks(channel: Channel, connection: u32): u32 {
  const undemanding = channel.sinks - channel.selectiveSinks;
  if ((channel.flags & CHANNEL_ECHO) !== 0) return undemanding;
  const own = pairWithRole(connection, channel.number, ROLE_SINK);
  return undemanding - (own === 0 || (changetype<Member>(own).types | changetype<Member>(own).where) !== 0 ? 0 : 1);
}

/** Hands one entry of a range, the event of the view, to those selective sinks that take it; returns how many do. */
export function fanSelective(
  channel: Channel,
  connection: u32,
  type: u32,
  slab: Slab,
  at: u32,
  bytes: u32,
  metas: u32,
  deadline: f64,
): u32 {
  const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : connection;
  selectedSlab = changetype<u32>(slab);
  selectedAt = at;
  selectedBytes = bytes;
  selectedMetas = metas;
  selectedDeadline = deadline;
  if ((channel.flags & CHANNEL_SCANNED) !== 0) return fanScanned(channel, skip, type);
  const scanned = channel.selectiveAt + channel.scannedSinks * SINK_BYTES;
  let taken = fanSome(channel.selectiveAt, scanned, skip, type);
  if (channel.index === 0) return taken;
  const names = changetype<Index>(channel.index).names;
  for (let place: u32 = 0; place < names; place++) {
    indexLook(channel.index, place);
    // Programs that run meanwhile use what indexLook() used: its findings are taken first.
    const first = found0;
    const second = found1;
    const third = found2;
    if (first !== 0) taken += fanSome(bucketSinks(first), bucketEnd(first), skip, type);
    if (second !== 0) taken += fanSome(bucketSinks(second), bucketEnd(second), skip, type);
    if (third !== 0) taken += fanSome(bucketSinks(third), bucketEnd(third), skip, type);
  }
  return taken;
}

/** The same without the index: asks every selective sink. */
function fanScanned(channel: Channel, skip: u32, type: u32): u32 {
  let taken: u32 = 0;
  for (let index: u32 = 0; index < channel.sinks; index++) {
    const at = channel.sinksAt + index * SINK_BYTES;
    if ((changetype<Sink>(at).types | changetype<Sink>(at).where) !== 0)
      taken += fanSome(at, at + SINK_BYTES, skip, type);
  }
  return taken;
}

/** The entry that fanSome() hands on. */
let selectedSlab: u32 = 0;
let selectedAt: u32 = 0;
let selectedBytes: u32 = 0;
let selectedMetas: u32 = 0;
let selectedDeadline: f64 = 0;

/** Hands the entry to those of neighbouring Sink records that take it; returns how many do. */
function fanSome(from: u32, end: u32, skip: u32, type: u32): u32 {
  const slab = changetype<Slab>(selectedSlab);
  const metaFirst = slab.metas - selectedMetas;
  let taken: u32 = 0;
  for (let at = from; at < end; at += SINK_BYTES) {
    const sink = changetype<Sink>(at);
    if (sink.connection === skip || !sinkTakes(sink, type)) continue;
    taken++;
    const inbox = changetype<Mailbox>(sink.inbox);
    inboxAppend(inbox, slab, selectedAt, selectedBytes, 1, metaFirst, selectedMetas, selectedDeadline);
  }
  return taken;
}

/** Members selected and members whose inbox refused, since fanBegin(). */
export let fanSinks: u32 = 0;
export let fanRefused: u32 = 0;
let fanStamp: u32 = 0;
let fanSlab: u32 = 0;
let fanAt: u32 = 0;
let fanBytes: u32 = 0;
let fanMetas: u32 = 0;
let fanMetaFirst: u32 = 0;
let fanDeadline: f64 = 0;

/** Begins the fan-out of one entry; ends with fanEnd(). */
export function fanBegin(slab: Slab, at: u32, bytes: u32, metaFirst: u32, metas: u32, deadline: f64): void {
  slab.pins++;
  rangeFlush();
  factsForget();
  fanSinks = fanRefused = 0;
  fanStamp++;
  fanSlab = changetype<u32>(slab);
  fanAt = at;
  fanBytes = bytes;
  fanMetaFirst = metaFirst;
  fanMetas = metas;
  fanDeadline = deadline;
}

/** Has the channel keep the entry, where it stores. */
export function fanStore(channel: Channel): void {
  if ((channel.flags & CHANNEL_STORES) === 0) return;
  const ring = changetype<Mailbox>(channel.ring);
  ringAppend(ring, changetype<Slab>(fanSlab), fanAt, fanBytes, 1, fanMetaFirst, fanMetas, fanDeadline);
}

/** Ends the fan-out of one entry. */
export function fanEnd(): void {
  const slab = changetype<Slab>(fanSlab);
  slab.pins--;
  if (slab.runs === 0) slabIdle(slab);
}

/** Hands the entry to one member, once per inbox. */
export function fanMember(channel: Channel, member: Member): void {
  fanSinks++;
  const inbox = changetype<Mailbox>(member.inbox);
  if (channel.doubleSinks !== 0) {
    if (inbox.stamp === fanStamp) {
      fanRefused += inbox.stampRefused;
      return;
    }
    inbox.stamp = fanStamp;
    inbox.stampRefused = 0;
  }
  if (inbox.overflow === OVERFLOW_REJECT && !inboxHasRoom(inbox, fanBytes)) {
    fanRefused++;
    inbox.stampRefused = 1;
    refusedLimit = inbox.capacityEvents;
    return;
  }
  const named = channel.doubleSinks !== 0 && sinksOfPair(member) > 1;
  // A chunk belongs to one mailbox: what a ring has there is replayed as a copy.
  const foreign = changetype<Slab>(fanSlab).owner !== 0;
  if ((named || foreign) && fanCopy(inbox, channel, named ? member.number : 0)) return;
  if (foreign) {
    dropCount(changetype<Connection>(inbox.connection), channel.number, DROPPED_OVERFLOW, 1);
    return;
  }
  inboxAppend(inbox, changetype<Slab>(fanSlab), fanAt, fanBytes, 1, fanMetaFirst, fanMetas, fanDeadline);
}

function sinksOfPair(member: Member): u32 {
  let count: u32 = 0;
  let at = pairWithRole(member.connection, member.channel, ROLE_SINK);
  while (at !== 0) {
    if ((changetype<Member>(at).role & ROLE_SINK) !== 0) count++;
    at = changetype<Member>(at).nextOfPair;
  }
  return count;
}

/** Gives an inbox an entry of its own, which names the member unless that is 0. False where there is no memory for it. */
function fanCopy(inbox: Mailbox, channel: Channel, member: u32): bool {
  const eventAt = entryEvent(fanAt);
  const eventBytes = entryEventBytes;
  const sequence = entrySequence;
  const bytes = entryBytes(channel.number, sequence, eventBytes, member);
  const chunkAt = chunkWithRoom(inbox, bytes + META_BYTES);
  if (chunkAt === 0) return false;
  const chunk = changetype<Slab>(chunkAt);
  const at = chunk.base + chunk.used;
  const to = entryHeadWrite(at, channel.number, sequence, eventBytes);
  memory.copy(to, eventAt, eventBytes);
  if (member !== 0) entryMemberWrite(to + eventBytes, member);
  chunk.used += bytes;
  const metaFirst = chunk.metas;
  if (fanMetas !== 0) copyMeta(chunk, at, to - eventAt);
  chunk.pins++;
  inboxAppend(inbox, chunk, at, bytes, 1, metaFirst, fanMetas, fanDeadline);
  chunk.pins--;
  if (chunk.runs === 0) {
    if (inbox.chunk === chunkAt) inbox.chunk = 0;
    slabIdle(chunk);
  }
  return true;
}

function copyMeta(chunk: Slab, entryAt: u32, shift: u32): void {
  const slab = changetype<Slab>(fanSlab);
  const meta = metaAt(slab, fanMetaFirst);
  metaAdd(chunk, entryAt, meta.deadline, fanAt + meta.keyOffset + shift - entryAt, meta.keyBytes, meta.channel);
}

/** Fans one entry, the event of the view, out to all sinks that take it. */
export function fanAll(channel: Channel, connection: u32, type: u32): void {
  const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : connection;
  const end = channel.sinksAt + channel.sinks * SINK_BYTES;
  for (let at = channel.sinksAt; at < end; at += SINK_BYTES) {
    const sink = changetype<Sink>(at);
    if (sink.connection !== skip && sinkTakes(sink, type)) fanMember(channel, changetype<Member>(sink.member));
  }
}

/** Whether the event of the view, of that size, would be refused by every sink that wants it, and at least one does. */
export function allRefuse(channel: Channel, connection: u32, type: u32, bytes: u32): bool {
  const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : connection;
  const end = channel.sinksAt + channel.sinks * SINK_BYTES;
  refusedLimit = 0;
  for (let at = channel.sinksAt; at < end; at += SINK_BYTES) {
    const sink = changetype<Sink>(at);
    if (sink.connection === skip || !sinkTakes(sink, type)) continue;
    const inbox = changetype<Mailbox>(sink.inbox);
    if (inbox.overflow !== OVERFLOW_REJECT || inboxHasRoom(inbox, bytes)) return false;
    refusedLimit = inbox.capacityEvents + inbox.keptEvents;
  }
  return refusedLimit !== 0;
}

/** Capacity of the inbox that refused last. */
export let refusedLimit: u32 = 0;
