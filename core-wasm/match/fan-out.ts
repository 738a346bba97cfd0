/**
 * From a stored entry to the inboxes of its sinks.
 *
 * Events that follow one another on a channel whose sinks all want everything are fanned out as one range: the cost
 * per event and sink is then next to nothing, or what an order makes it. Where a sink is selective, has a strict inbox or a second membership, each
 * event goes its own way.
 */
import { CHANNEL_ECHO, CHANNEL_STORES, DROPPED_OVERFLOW, OVERFLOW_REJECT, ROLE_SINK } from "../abi";
import { Channel } from "../channel/channel";
import { Member, pairWithRole } from "../channel/member";
import { plainSinks, SINK_BYTES, Sink } from "../channel/sinks";
import {
  entryBytes,
  entryEvent,
  entryEventBytes,
  entryHeadWrite,
  entryMemberWrite,
  entrySequence,
} from "../event/entry";
import { factsForget, factsInit, factsRangeBegin, factsRangeNote, factsReadRange } from "../event/facts";
import { inboxAppend, URGENT_PRIORITY } from "../mailbox/append";
import { dropCount, inboxHasRoom, inboxOrdered } from "../mailbox/inbox";
import { Mailbox, META_BYTES, metaAt, Slab } from "../mailbox/records";
import { ringAppend } from "../mailbox/ring";
import { slabIdle } from "../mailbox/slab";
import { chunkWithRoom, metaCopy } from "../mailbox/store";
import { Connection, dirtyUrge } from "../session/connection";
import { chosenExtend, chosenFlush, chosenInit } from "./chosen";
import { collectedAt, collectMatching, collectSelective } from "./collect";

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
/** Whether one of its events is (see append.ts). */
let rangeUrgent: bool = false;

/** Forgets the range. */
export function fanOutInit(): void {
  rangeEvents = 0;
  chosenInit();
  factsInit();
}

/** Whether ranges may be used: selective sinks get their events one by one, all others in ranges. */
export function channelPlain(channel: Channel): bool {
  return (channel.strictSinks | channel.doubleSinks) === 0;
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
  priority: u32,
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
  rangeUrgent = rangeUrgent || priority >= URGENT_PRIORITY;
}

/** Hands the last entry of the range to the first `taken` members that were collected: the selective sinks that take it. */
export function rangeChosen(
  taken: u32,
  slab: Slab,
  at: u32,
  bytes: u32,
  metas: u32,
  deadline: f64,
  urgent: bool,
): void {
  chosenExtend(taken, rangeEvents - 1, slab, at, bytes, metas, deadline, urgent);
}

/** Notes what the last entry of the range says of itself, for orders. */
export function rangeFacts(priority: u32, deliverByUs: i64, timeUs: i64): void {
  factsRangeNote(rangeEvents - 1, priority, deliverByUs, timeUs);
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
  rangeUrgent = false;
  factsRangeBegin();
}

/** The inbox of a channel with one sink that wants everything, 0 on others: many channels often lead to one session. */
function onlyInbox(channel: Channel, connection: u32): u32 {
  if (channel.sinks !== 1 || channel.selectiveSinks !== 0 || (channel.flags & CHANNEL_STORES) !== 0) return 0;
  const sink = changetype<Sink>(channel.plainAt);
  return sink.connection === connection && (channel.flags & CHANNEL_ECHO) === 0 ? 0 : sink.inbox;
}

/** Fans the range out. Must run before the slab, the channel or its members change. */
export function rangeFlush(): void {
  if (rangeEvents === 0) return;
  const events = rangeEvents;
  rangeEvents = 0;
  const slab = changetype<Slab>(rangeSlab);
  factsForget();
  chosenFlush(slab);
  if (events === 1) factsReadRange(0, rangeAt);
  if (rangeInbox !== 0) {
    rangeAppend(rangeInbox, slab, events);
  } else {
    const channel = changetype<Channel>(rangeChannel);
    const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : rangeConnection;
    const end = channel.plainAt + plainSinks(channel) * SINK_BYTES;
    for (let at = channel.plainAt; at < end; at += SINK_BYTES) {
      const sink = changetype<Sink>(at);
      if (sink.connection !== skip) rangeAppend(sink.inbox, slab, events);
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
  if (rangeUrgent && inboxOrdered(mailbox)) dirtyUrge(changetype<Connection>(mailbox.connection));
}

/** Sinks that a range of that channel reaches, for receipts. */
export function rangeSinks(channel: Channel, connection: u32): u32 {
  const undemanding = plainSinks(channel);
  if ((channel.flags & CHANNEL_ECHO) !== 0) return undemanding;
  const own = pairWithRole(connection, channel.number, ROLE_SINK);
  return undemanding - (own === 0 || (changetype<Member>(own).types | changetype<Member>(own).where) !== 0 ? 0 : 1);
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
  if (fanMetas !== 0) {
    // The head of the copy may be longer or shorter than that of the entry.
    metaCopy(chunk, at, metaAt(changetype<Slab>(fanSlab), fanMetaFirst), to - at - (eventAt - fanAt));
  }
  chunk.pins++;
  inboxAppend(inbox, chunk, at, bytes, 1, metaFirst, fanMetas, fanDeadline);
  chunk.pins--;
  if (chunk.runs === 0) {
    if (inbox.chunk === chunkAt) inbox.chunk = 0;
    slabIdle(chunk);
  }
  return true;
}

/** Fans one entry, the event of the view, out to all sinks that take it. */
export function fanAll(channel: Channel, connection: u32, type: u32): void {
  const count = collectMatching(channel, (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : connection, type);
  const end = collectedAt + count * 4;
  for (let at = collectedAt; at < end; at += 4) fanMember(channel, changetype<Member>(load<u32>(at)));
}

/** Whether the event of the view, of that size, would be refused by every sink that wants it, and at least one does. */
export function allRefuse(channel: Channel, connection: u32, type: u32, bytes: u32): bool {
  const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : connection;
  refusedLimit = 0;
  // Those that want everything are asked first: if one of them takes it, nobody need be looked up.
  const end = channel.plainAt + plainSinks(channel) * SINK_BYTES;
  for (let at = channel.plainAt; at < end; at += SINK_BYTES) {
    const sink = changetype<Sink>(at);
    if (sink.connection !== skip && !refuses(sink.inbox, bytes)) return false;
  }
  const count = collectSelective(channel, skip, type);
  for (let i: u32 = 0; i < count; i++) {
    if (!refuses(changetype<Member>(load<u32>(collectedAt + i * 4)).inbox, bytes)) return false;
  }
  return refusedLimit !== 0;
}

function refuses(address: u32, bytes: u32): bool {
  const inbox = changetype<Mailbox>(address);
  if (inbox.overflow !== OVERFLOW_REJECT || inboxHasRoom(inbox, bytes)) return false;
  refusedLimit = inbox.capacityEvents + inbox.keptEvents;
  return true;
}

/** Capacity of the inbox that refused last. */
export let refusedLimit: u32 = 0;
