/**
 * The seam for filters that run outside of the core: events of a channel with a decider are parked as a batch, the
 * host runs the module over it and answers in words, decide() carries them out. Layouts are in abi.ts.
 *
 * Parked events are stored and sequenced already; their slab is pinned until they are decided. Own sinks of the
 * submitter are no candidates: they follow the channel's `echo`.
 */
import {
  DECIDE_CANDIDATES,
  DECIDE_CANDIDATES_AT,
  DECIDE_CANDIDATES_MAX,
  DECIDE_CANDIDATES_OFFSET,
  DECIDE_CHANNEL,
  DECIDE_CONNECTION,
  DECIDE_DECIDER,
  DECIDE_EVENT_AT,
  DECIDE_EVENT_BYTES,
  DECIDE_EVENTS_MAX,
  DECIDE_OFFSET,
  DECIDE_RECORD_BYTES,
  DECIDE_WORDS_OFFSET,
  DECISION_ALL,
  DECISION_BITMAP,
  DECISION_DROP,
  RECEIPT_RECORD_BYTES,
  RECEIPT_REFUSED,
  RECEIPT_SINKS,
  RECEIPTS_OFFSET,
  ROLE_SINK,
  SLAB_BYTES,
  STATUS_DECISION,
  STATUS_OK,
} from "../abi";
import { Channel, channelFind } from "../channel/channel";
import { Member, memberFind } from "../channel/member";
import { viewEvent } from "../expression/view";
import { Slab } from "../mailbox/records";
import { slabIdle } from "../mailbox/slab";
import { collectedAt, collectMatching, collectSort } from "../match/collect";
import { fanBegin, fanEnd, fanMember, fanRefused, fanSinks, fanStore } from "../match/fan-out";
import { fanOwn } from "../match/routed";

/** What the core remembers of a parked event besides its record for the host. */
@unmanaged
class Parked {
  deadline: f64;
  slab: u32;
  at: u32;
  bytes: u32;
  metaFirst: u32;
  metas: u32;
  receipt: u32;
  /** Number of the event's type among those that filters name. */
  type: u32;
  reserved: u32;
}
const PARKED_BYTES: u32 = 40;
const parkedAt: u32 = <u32>memory.data(2560, 8);
if (offsetof<Parked>() !== PARKED_BYTES) ERROR("Parked is not 40 bytes");
if (DECIDE_EVENTS_MAX * PARKED_BYTES !== 2560) ERROR("Parked has not room for a batch");

/** Most sinks of a channel with a decider: what its candidate bitmap may hold. */
export const DECIDER_SINKS_MAX: u32 = 4096;
/** No record of RECEIPTS waits for the decision. */
export const NO_RECEIPT: u32 = 0xffffffff;

let count: u32 = 0;
let bytesParked: u32 = 0;
let candidatesUsed: u32 = 0;

/** Forgets the batch. */
export function decideInit(): void {
  count = bytesParked = candidatesUsed = 0;
}

/** Events that wait for a decision. */
export function parkedEvents(): u32 {
  return count;
}

/** Whether the batch must be decided before another event may be parked. */
export function parkedFull(): bool {
  return (
    count === DECIDE_EVENTS_MAX ||
    bytesParked >= SLAB_BYTES ||
    candidatesUsed + DECIDER_SINKS_MAX > DECIDE_CANDIDATES_MAX
  );
}

/** Parks a stored entry of a channel with a decider. */
export function park(
  channel: Channel,
  connection: u32,
  type: u32,
  slab: Slab,
  at: u32,
  bytes: u32,
  eventAt: u32,
  eventBytes: u32,
  metaFirst: u32,
  metas: u32,
  deadline: f64,
  receipt: u32,
): void {
  const parked = changetype<Parked>(parkedAt + count * PARKED_BYTES);
  parked.deadline = deadline;
  parked.slab = changetype<u32>(slab);
  parked.at = at;
  parked.bytes = bytes;
  parked.metaFirst = metaFirst;
  parked.metas = metas;
  parked.receipt = receipt;
  parked.type = type;
  slab.pins++;
  const record = DECIDE_OFFSET + count * DECIDE_RECORD_BYTES;
  const candidatesAt = DECIDE_CANDIDATES_OFFSET + candidatesUsed * 4;
  const candidates = candidatesWrite(channel, connection, type, candidatesAt);
  store<u32>(record + DECIDE_EVENT_AT * 4, eventAt);
  store<u32>(record + DECIDE_EVENT_BYTES * 4, eventBytes);
  store<u32>(record + DECIDE_CHANNEL * 4, channel.number);
  store<u32>(record + DECIDE_CONNECTION * 4, connection);
  store<u32>(record + DECIDE_CANDIDATES_AT * 4, candidatesAt);
  store<u32>(record + DECIDE_CANDIDATES * 4, candidates);
  store<u32>(record + DECIDE_DECIDER * 4, channel.decider);
  candidatesUsed += candidates;
  bytesParked += bytes;
  count++;
}

function candidatesWrite(channel: Channel, connection: u32, type: u32, to: u32): u32 {
  const candidates = collectMatching(channel, connection, type);
  // Whoever decides may tell candidates by their places: they are in join order.
  collectSort(candidates);
  for (let i: u32 = 0; i < candidates; i++) {
    store<u32>(to + i * 4, changetype<Member>(load<u32>(collectedAt + i * 4)).number);
  }
  return candidates;
}

/** Carries out `words` words of decisions for the whole batch. A wrong word means all candidates and STATUS_DECISION. */
export function decideBatch(words: u32): u32 {
  let status = STATUS_OK;
  const events = count;
  for (let i: u32 = 0; i < events; i++) {
    const parked = changetype<Parked>(parkedAt + i * PARKED_BYTES);
    const record = DECIDE_OFFSET + i * DECIDE_RECORD_BYTES;
    const found = channelFind(load<u32>(record + DECIDE_CHANNEL * 4));
    const slab = changetype<Slab>(parked.slab);
    if (found === null) {
      // The channel went while the event waited.
      slab.pins--;
      slabIdle(slab);
      continue;
    }
    const channel = found as Channel;
    fanBegin(slab, parked.at, parked.bytes, parked.metaFirst, parked.metas, parked.deadline);
    if (!decideOne(channel, record, i, events, words)) status = STATUS_DECISION;
    if (channel.selectiveSinks !== 0)
      viewEvent(load<u32>(record + DECIDE_EVENT_AT * 4), load<u32>(record + DECIDE_EVENT_BYTES * 4));
    fanOwn(channel, load<u32>(record + DECIDE_CONNECTION * 4), parked.type);
    fanStore(channel);
    slab.pins--;
    fanEnd();
    if (parked.receipt !== NO_RECEIPT) {
      const receipt = RECEIPTS_OFFSET + parked.receipt * RECEIPT_RECORD_BYTES;
      store<u32>(receipt + RECEIPT_SINKS * 4, fanSinks);
      store<u32>(receipt + RECEIPT_REFUSED * 4, fanRefused);
    }
  }
  decideInit();
  return status;
}

function decideOne(channel: Channel, record: u32, index: u32, events: u32, words: u32): bool {
  const candidatesAt = load<u32>(record + DECIDE_CANDIDATES_AT * 4);
  const candidates = load<u32>(record + DECIDE_CANDIDATES * 4);
  const word = index < words ? load<u32>(DECIDE_WORDS_OFFSET + index * 4) : 0xffffffff;
  const kind = word & 3;
  if (kind === DECISION_DROP) return true;
  const at = events + (word >> 2);
  if (kind === DECISION_BITMAP) {
    const size = (candidates + 31) >> 5;
    if (at + size > words || bitsBeyond(at, candidates)) return decideAll(channel, candidatesAt, candidates, false);
    for (let i: u32 = 0; i < candidates; i++) {
      if ((load<u32>(DECIDE_WORDS_OFFSET + (at + (i >> 5)) * 4) >> (i & 31)) & 1)
        decideMember(channel, candidatesAt, i);
    }
    return true;
  }
  if (kind === DECISION_ALL) return decideAll(channel, candidatesAt, candidates, true);
  if (!listValid(at, words, candidates)) return decideAll(channel, candidatesAt, candidates, false);
  const size = load<u32>(DECIDE_WORDS_OFFSET + at * 4);
  for (let i: u32 = 1; i <= size; i++) {
    const chosen = load<u32>(DECIDE_WORDS_OFFSET + (at + i) * 4);
    if (!namedBefore(at, i, chosen)) decideMember(channel, candidatesAt, chosen);
  }
  return true;
}

/** Whether a list names a candidate at an earlier place too. */
function namedBefore(at: u32, place: u32, candidate: u32): bool {
  for (let k: u32 = 1; k < place; k++) {
    if (load<u32>(DECIDE_WORDS_OFFSET + (at + k) * 4) === candidate) return true;
  }
  return false;
}

/** Whether the last word of a bitmap has a bit beyond the candidates. */
function bitsBeyond(at: u32, candidates: u32): bool {
  const used = candidates & 31;
  return used !== 0 && load<u32>(DECIDE_WORDS_OFFSET + (at + (candidates >> 5)) * 4) >> used !== 0;
}

function decideAll(channel: Channel, candidatesAt: u32, candidates: u32, asked: bool): bool {
  for (let i: u32 = 0; i < candidates; i++) decideMember(channel, candidatesAt, i);
  return asked;
}

function decideMember(channel: Channel, candidatesAt: u32, index: u32): void {
  // A candidate may have left while the event waited.
  const member = memberFind(load<u32>(candidatesAt + index * 4));
  if (member !== null && member.channel === channel.number && (member.role & ROLE_SINK) !== 0)
    fanMember(channel, member);
}

/** A list must lie within the words and name candidates. */
function listValid(at: u32, words: u32, candidates: u32): bool {
  if (at >= words) return false;
  const size = load<u32>(DECIDE_WORDS_OFFSET + at * 4);
  if (size > candidates || at + 1 + size > words) return false;
  for (let i: u32 = 1; i <= size; i++) {
    const index = load<u32>(DECIDE_WORDS_OFFSET + (at + i) * 4);
    if (index >= candidates) return false;
  }
  return true;
}

const decidedAt: u32 = <u32>memory.data(256);
if (DECIDE_EVENTS_MAX * 4 !== 256) ERROR("No room for the channels of a batch");

/** Remembers the channels of the batch beyond its decision; returns how many events it has. */
export function decidedNote(): u32 {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(decidedAt + i * 4, load<u32>(DECIDE_OFFSET + i * DECIDE_RECORD_BYTES + DECIDE_CHANNEL * 4));
  }
  return count;
}

/** Channel number of an event of the batch that decidedNote() saw. */
export function decidedChannel(index: u32): u32 {
  return load<u32>(decidedAt + index * 4);
}
