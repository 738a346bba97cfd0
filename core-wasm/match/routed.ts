/** Events of channels or sources with filters: from what the stages have left to inboxes, or to where events wait. */
import {
  CHANNEL_ECHO,
  EMPTY_DIVERT,
  EMPTY_DROP,
  EMPTY_HELD_MAX,
  EMPTY_HOLD,
  ROLE_SINK,
  STAGE_IN,
  STAGE_OUT,
  STATUS_MAILBOX_FULL,
  STATUS_OK,
} from "../abi";
import { Channel } from "../channel/channel";
import { Live } from "../channel/live";
import { Member, pairFirst } from "../channel/member";
import { typeLookup } from "../channel/types";
import { entryEvent, entryEventBytes, entrySequence } from "../event/entry";
import { scanEvent, scanTimeUs, scanTypeAt, scanTypeBytes } from "../event/scan";
import { viewEvent } from "../expression/view";
import { Filters, filtersIn } from "../filter/bind";
import { candidateAt, candidates } from "../filter/candidates";
import { HELD_HEAD_BYTES, HeldNode, heldAgain, heldExpire, heldNextRetry, heldPush, heldRemove } from "../filter/held";
import { heldDueNote } from "../filter/held-due";
import { parkedFull } from "../filter/parked";
import { park, parkedCarry } from "../filter/parking";
import {
  carriedBy,
  RUN,
  RUN_QUIET,
  stageRun,
  stagesAccept,
  stagesBegin,
  stagesEmpty,
  stagesFilled,
  stagesLeft,
  stagesOwn,
  stagesOwnSinks,
} from "../filter/stages";
import { metaAt, Slab } from "../mailbox/records";
import { metaAdd, metaKey, storeAdvance, storeSlab, storeTake } from "../mailbox/store";
import { resultStatus } from "../result";
import { collectedAt, collectMatching } from "./collect";
import { fanBegin, fanEnd, fanMember, fanRefused, fanSinks, fanStore, rangeFlush, refusedLimit } from "./fan-out";
import { memberTakes } from "./select";

/** Whether the event of the last handRouted() goes to another channel, because nobody here is selected. */
export let routedDiverts: bool = false;
/** Sinks that OUT selected for that event, whatever IN has left of them. */
export let routedSinks: u32 = 0;

/**
 * Runs the filters over an entry, the event of the view, and hands it on to whom they select. `counts`: somebody asks how
 * many. Returns a status; routedSinks and fanRefused say how many.
 */
export function handRouted(
  channel: Channel,
  connection: u32,
  source: u32,
  type: u32,
  slab: Slab,
  entry: u32,
  size: u32,
  metas: u32,
  deadline: f64,
  counts: bool,
): u32 {
  fanBegin(slab, entry, size, slab.metas - metas, metas, deadline);
  stagesBegin(channel, connection, type, channel.sequence, RUN);
  stageRun(STAGE_OUT, carriedBy(source, STAGE_OUT));
  let status = STATUS_OK;
  routedSinks = 0;
  let empty = channel.filters === 0 ? EMPTY_DROP : changetype<Filters>(channel.filters).empty;
  if (empty !== EMPTY_DROP && !stagesEmpty()) empty = EMPTY_DROP;
  if (empty === EMPTY_HOLD) {
    const own = source === 0 ? 0 : changetype<Member>(source).live;
    const node = heldPush(
      channel,
      entry,
      size,
      own === 0 ? 0 : changetype<Live>(own).routesOut,
      own === 0 ? 0 : changetype<Live>(own).routesIn,
      0,
      0,
    );
    status = holdNote(channel, node, connection, slab, slab.metas - metas, metas, deadline);
  } else if (empty === EMPTY_DROP) {
    const carried = carriedBy(source, STAGE_IN);
    if (counts && (filtersIn(channel) | carried) !== 0) routedSinks = outSinks(channel, connection, type);
    stageRun(STAGE_IN, carried);
    fanRouted(channel, connection, type);
    routedSinks = max(routedSinks, fanSinks);
    if (fanSinks !== 0 && fanRefused === fanSinks) status = resultStatus(STATUS_MAILBOX_FULL, size, refusedLimit);
  }
  if (status === STATUS_OK) {
    // What was refused may come again, and is no duplicate then.
    stagesAccept(fanSinks);
    fanStore(channel);
  }
  fanEnd();
  routedDiverts = empty === EMPTY_DIVERT;
  return status;
}

/** How many sinks the stages have selected so far, own ones beside them included. */
export function outSinks(channel: Channel, connection: u32, type: u32): u32 {
  return (stagesFilled ? stagesLeft() : collectMatching(channel, connection, type)) + stagesOwnSinks();
}

/** Fills in what is known of an event that was just held; `node` 0: there was no room. Returns a status. */
export function holdNote(
  channel: Channel,
  at: u32,
  connection: u32,
  slab: Slab,
  metaFirst: u32,
  metas: u32,
  deadline: f64,
): u32 {
  if (at === 0) return resultStatus(STATUS_MAILBOX_FULL, EMPTY_HELD_MAX + 1, EMPTY_HELD_MAX);
  const node = changetype<HeldNode>(at);
  node.connection = connection;
  node.deadline = deadline;
  heldDueNote(changetype<Filters>(channel.filters), deadline);
  node.keyOffset = node.keyBytes = 0;
  node.stored = 1;
  if (metas === 0) return STATUS_OK;
  const meta = metaAt(slab, metaFirst);
  node.keyOffset = meta.keyOffset;
  node.keyBytes = meta.keyBytes;
  return STATUS_OK;
}

/** Hands the entry between fanBegin() and fanEnd() to those that the stages have left, and to own sinks beside them. */
export function fanRouted(channel: Channel, connection: u32, type: u32): void {
  if (stagesFilled) {
    for (let i: u32 = 0; i < candidates; i++) {
      const candidate = candidateAt(i);
      if (candidate.reason === 0) fanMember(channel, changetype<Member>(candidate.member));
    }
  } else {
    const count = collectMatching(channel, connection, type);
    for (let i: u32 = 0; i < count; i++) fanMember(channel, changetype<Member>(load<u32>(collectedAt + i * 4)));
  }
  if (stagesOwn) fanOwn(channel, connection, type);
}

/** Own sinks of the submitter receive beside the selection, where the channel echoes. */
export function fanOwn(channel: Channel, connection: u32, type: u32): void {
  if ((channel.flags & CHANNEL_ECHO) === 0) return;
  for (let at = pairFirst(connection, channel.number); at !== 0; at = changetype<Member>(at).nextOfPair) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) !== 0 && memberTakes(member, type)) fanMember(channel, member);
  }
}

/** Tries all held events of channels where something has changed, in their order. To be called once per turn. */
export function heldRetry(): void {
  while (!parkedFull()) {
    const channel = heldNextRetry();
    if (channel === null) return;
    heldExpire(channel as Channel);
    if (channel.parks !== 0) retryParking(channel as Channel);
    else retryChannel(channel as Channel);
  }
}

function retryChannel(channel: Channel): void {
  const filters = changetype<Filters>(channel.filters);
  let previous: u32 = 0;
  for (let at = filters.heldHead; at !== 0; ) {
    const node = changetype<HeldNode>(at);
    const next = node.next;
    if (deliver(channel, node)) heldRemove(channel, previous, at);
    else previous = at;
    at = next;
  }
}

/** The same where deciders are asked: as many as there is room for wait for their decision, and stay held until then. */
function retryParking(channel: Channel): void {
  const filters = changetype<Filters>(channel.filters);
  for (let at = filters.heldHead; at !== 0; at = changetype<HeldNode>(at).next) {
    const node = changetype<HeldNode>(at);
    if (node.parked !== 0 || node.attempt === filters.attempt) continue;
    if (parkedFull()) return heldAgain(filters);
    parkNode(channel, node);
  }
}

function parkNode(channel: Channel, node: HeldNode): void {
  const held = changetype<u32>(node) + HELD_HEAD_BYTES;
  const eventAt = entryEvent(held);
  const eventBytes = entryEventBytes;
  const sequence = entrySequence;
  scanEvent(eventAt, eventBytes);
  const type = typeLookup(scanTypeAt, scanTypeBytes);
  const parked = park(channel, node.connection, 0, type, null, held, node.bytes, eventAt, eventBytes, eventBytes);
  parked.sequence = sequence;
  parked.deadline = node.deadline;
  parked.held = changetype<u32>(node);
  parkedCarry(parked, channel, node.routesOut, node.routesIn, node.deciderOut, node.deciderIn);
  node.parked = 1;
  node.attempt = changetype<Filters>(channel.filters).attempt;
}

/** Delivers a held event if somebody is selected for it. */
function deliver(channel: Channel, node: HeldNode): bool {
  const held = changetype<u32>(node) + HELD_HEAD_BYTES;
  const eventAt = entryEvent(held);
  const eventBytes = entryEventBytes;
  const sequence = entrySequence;
  scanEvent(eventAt, eventBytes);
  const type = typeLookup(scanTypeAt, scanTypeBytes);
  viewEvent(eventAt, eventBytes);
  stagesBegin(channel, node.connection, type, sequence, RUN_QUIET);
  stageRun(STAGE_OUT, node.routesOut);
  if (stagesEmpty()) return false;
  if (!heldStore(channel, node, scanTimeUs(0))) return false;
  stagesBegin(channel, node.connection, type, sequence, RUN);
  stageRun(STAGE_OUT, node.routesOut);
  stageRun(STAGE_IN, node.routesIn);
  heldFanBegin(node);
  fanRouted(channel, node.connection, type);
  return heldFanEnd(channel, node);
}

/** Where heldStore() has put the entry, and how many metas it got. */
let storedAt: u32 = 0;
let storedMetas: u32 = 0;

/** Brings the entry of a held event back to the store; false where that is full. */
export function heldStore(channel: Channel, node: HeldNode, timeUs: i64): bool {
  const metas: u32 = node.keyBytes !== 0 || node.deadline !== Infinity ? 1 : 0;
  let entry = storeTake(node.bytes, metas);
  if (entry === 0) {
    rangeFlush();
    entry = storeAdvance(node.bytes, metas);
    if (entry === 0) return false;
  }
  const slab = changetype<Slab>(storeSlab);
  memory.copy(entry, changetype<u32>(node) + HELD_HEAD_BYTES, node.bytes);
  slab.used += node.bytes;
  if (metas !== 0) {
    const meta = metaAdd(slab, entry, node.deadline, channel.number, node.connection);
    if (node.keyBytes !== 0) metaKey(meta, node.keyOffset, node.keyBytes, timeUs);
  }
  storedAt = entry;
  storedMetas = metas;
  return true;
}

/** Begins the fan-out of what heldStore() has stored. */
export function heldFanBegin(node: HeldNode): void {
  const slab = changetype<Slab>(storeSlab);
  fanBegin(slab, storedAt, node.bytes, slab.metas - storedMetas, storedMetas, node.deadline);
}

/** Ends it; false where everybody has refused it, and it stays held. */
export function heldFanEnd(channel: Channel, node: HeldNode): bool {
  const refused = fanSinks !== 0 && fanRefused === fanSinks;
  if (!refused) stagesAccept(fanSinks);
  if (node.stored === 0) fanStore(channel);
  node.stored = 1;
  fanEnd();
  return !refused;
}
