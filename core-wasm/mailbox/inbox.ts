/**
 * The inbox of a session: what it has yet to get, oldest first, bounded in events and bytes.
 *
 * What overflows is never silent: it is counted per member and reason, told with the next drain, and the policy decides
 * what gives way (docs/adr/0005).
 */
import {
  DROPPED_CONFLATED,
  DROPPED_LATE,
  DROPPED_OVERFLOW,
  OVERFLOW_BLOCK,
  OVERFLOW_DISCONNECT,
  OVERFLOW_DROP_LOWEST,
  OVERFLOW_DROP_OLDEST,
  OVERFLOW_KEEP_LATEST,
  ROLE_SINK,
  STATUS_DISCONNECT,
} from "../abi";
import { channelAt } from "../channel/channel";
import { lossCount } from "../channel/losses";
import { Member, pairWithRole } from "../channel/member";
import { nowMs } from "../clock";
import { entryChannel, entrySize } from "../event/entry";
import { heapGive, heapTakeZero } from "../memory/heap";
import { Connection, dirtyPush } from "../session/connection";
import { accountOf } from "./accounts";
import { histogramsFree } from "./histograms";
import { latestOf } from "./latest";
import { orderAdd, orderFree, orderLowest, orderSame } from "./order";
import { Mailbox, META_CANCELLED, metaAt, Order, Run, Slab } from "./records";
import { ringDropThrough } from "./ring";
import { runAdvance, runAppend, runFrontHasMeta, runRemove, runSwap } from "./run";

/** What an inbox has that did not say: docs/operating.md, Limits. */
const CAPACITY_EVENTS: u32 = 65536;
const CAPACITY_BYTES: u32 = 16777216;

/** Makes the inbox of a connection; 0 where memory is used up. */
export function inboxNew(connection: Connection): u32 {
  const at = heapTakeZero(offsetof<Mailbox>());
  if (at === 0) return 0;
  const inbox = changetype<Mailbox>(at);
  inbox.connection = changetype<u32>(connection);
  inbox.capacityEvents = CAPACITY_EVENTS;
  inbox.capacityBytes = CAPACITY_BYTES;
  return at;
}

/** Frees an inbox that is empty. */
export function inboxFree(inbox: Mailbox): void {
  if (inbox.order !== 0) orderFree(changetype<Order>(inbox.order));
  histogramsFree(inbox);
  heapGive(changetype<u32>(inbox), offsetof<Mailbox>());
}

/** Whether one more event of that size stays within capacity. */
export function inboxHasRoom(inbox: Mailbox, bytes: u32): bool {
  return inbox.events < inbox.capacityEvents && inbox.bytes + bytes <= inbox.capacityBytes;
}

/** Puts neighbouring entries at the end; what does not fit is dealt with by the policy. */
export function inboxAppend(
  inbox: Mailbox,
  slab: Slab,
  at: u32,
  bytes: u32,
  events: u32,
  metaFirst: u32,
  metas: u32,
  deadline: f64,
): void {
  const connection = changetype<Connection>(inbox.connection);
  if (inbox.overflow === OVERFLOW_KEEP_LATEST && metas !== 0 && latestTakes(inbox, slab, at, bytes, metaFirst)) {
    inboxTrim(inbox);
    dirtyPush(connection);
    return;
  }
  if (!inboxYields(inbox) && !inboxHasRoom(inbox, bytes)) {
    // Fan-outs to such inboxes carry one event at a time. `reject` was told to the publisher already.
    if (inbox.overflow === OVERFLOW_DISCONNECT) connection.fault = STATUS_DISCONNECT;
    dropEntries(connection, at, events);
    return;
  }
  if (!runAppend(inbox, slab, at, bytes, events, metaFirst, metas, deadline) || !orderTail(inbox)) {
    dropEntries(connection, at, events);
    return;
  }
  inbox.events += events;
  inbox.bytes += bytes;
  if (inbox.events > inbox.capacityEvents || inbox.bytes > inbox.capacityBytes) {
    if (inbox.overflow !== OVERFLOW_BLOCK) inboxTrim(inbox);
  }
  if (inbox.overflow === OVERFLOW_BLOCK && inbox.stalled === 0 && inboxOverStallMark(inbox)) inboxStall(inbox);
  dirtyPush(connection);
}

/**
 * Has an event take the place of the one of its key that waits, if there is one. Returns whether it stands there now; where it
 * belongs elsewhere in the order, the older one has gone and it is to be put in like any other.
 */
function latestTakes(inbox: Mailbox, slab: Slab, at: u32, bytes: u32, metaFirst: u32): bool {
  const order = changetype<Order>(inbox.order);
  const found = latestOf(order, metaAt(slab, metaFirst));
  if (found === 0) return false;
  const run = changetype<Run>(found);
  if (!orderSame(order, run.at, at)) {
    inboxDropFirst(inbox, run, DROPPED_CONFLATED);
    return false;
  }
  runSwap(inbox, run, slab, at, bytes, metaFirst);
  dropCount(changetype<Connection>(inbox.connection), entryChannel(at), DROPPED_CONFLATED, 1);
  return true;
}

/** Whether an inbox beyond its capacity takes what comes: something older gives way, or its publishers wait. */
export function inboxYields(inbox: Mailbox): bool {
  const overflow = inbox.overflow;
  return overflow === OVERFLOW_DROP_OLDEST || overflow === OVERFLOW_BLOCK || overflow >= OVERFLOW_DROP_LOWEST;
}

/** Enters the newest run into the order, where there is one. Returns false, and takes it back, where memory is used up. */
function orderTail(inbox: Mailbox): bool {
  if (inbox.order === 0) return true;
  const run = changetype<Run>(inbox.tail);
  if (orderAdd(changetype<Order>(inbox.order), inbox, run, nowMs)) return true;
  const order = inbox.order;
  inbox.order = 0;
  runRemove(inbox, run);
  inbox.order = order;
  return false;
}

/** Counts neighbouring entries that the inbox did not take. */
function dropEntries(connection: Connection, at: u32, events: u32): void {
  for (let i: u32 = 0; i < events; i++) {
    dropCount(connection, entryChannel(at), DROPPED_OVERFLOW, 1);
    at += entrySize(at);
  }
}

/** Drops the oldest, or the least urgent, until the inbox is within its capacity. */
export function inboxTrim(inbox: Mailbox): void {
  const lowest = inbox.overflow === OVERFLOW_DROP_LOWEST;
  while (inbox.events > inbox.capacityEvents || inbox.bytes > inbox.capacityBytes) {
    inboxDropFirst(inbox, changetype<Run>(lowest ? orderLowest(inbox) : inbox.head), DROPPED_OVERFLOW);
  }
}

/** Drops the first entry of a run and counts it; one that was cancelled was counted then. */
export function inboxDropFirst(inbox: Mailbox, run: Run, reason: u32): void {
  const hasMeta = runFrontHasMeta(run);
  const cancelled = hasMeta && (metaAt(changetype<Slab>(run.slab), run.metaFirst).flags & META_CANCELLED) !== 0;
  const channel = entryChannel(run.at);
  runAdvance(inbox, run, entrySize(run.at), 1, hasMeta ? 1 : 0);
  if (!cancelled) dropCount(changetype<Connection>(inbox.connection), channel, reason, 1);
}

/** Drops a whole run; used where there is no memory to keep it. */
export function inboxDropRun(inbox: Mailbox, run: Run): void {
  // A ring has no connection that could be told.
  if (inbox.connection === 0) {
    ringDropThrough(inbox, run);
    return;
  }
  const connection = changetype<Connection>(inbox.connection);
  while (run.events > 1) {
    const channel = entryChannel(run.at);
    runAdvance(inbox, run, entrySize(run.at), 1, runFrontHasMeta(run) ? 1 : 0);
    dropCount(connection, channel, DROPPED_OVERFLOW, 1);
  }
  const channel = entryChannel(run.at);
  runAdvance(inbox, run, run.bytes, 1, run.metas);
  dropCount(connection, channel, DROPPED_OVERFLOW, 1);
}

/** Counts drops and sees to it that the session is told with its next drain. */
export function dropCount(connection: Connection, channel: u32, reason: u32, events: u32): void {
  lossCount(channel, reason, events);
  if (reason === DROPPED_LATE) accountOf(connection.number, channel).dropped += events;
  dirtyPush(connection);
  const at = pairWithRole(connection.number, channel, ROLE_SINK);
  if (at === 0) return;
  const member = changetype<Member>(at);
  if (reason === DROPPED_OVERFLOW) member.droppedOverflow += events;
  else if (reason === DROPPED_LATE) member.droppedLate += events;
  else if (reason === DROPPED_CONFLATED) member.droppedConflated += events;
  else member.droppedCancelled += events;
  if (member.noticed !== 0) return;
  member.noticed = 1;
  member.nextNotice = connection.notices;
  connection.notices = at;
}

/** `block`: stall at half of the capacity, release at a quarter, so that the publisher is not switched per event. */
function inboxOverStallMark(inbox: Mailbox): bool {
  const events = inbox.events + inbox.keptEvents;
  const bytes = inbox.bytes + inbox.keptBytes;
  return events * 2 >= inbox.capacityEvents + inbox.keptEvents || bytes >= (inbox.capacityBytes + inbox.keptBytes) >> 1;
}

/** Whether a stalled inbox may take events again. */
export function inboxBelowReleaseMark(inbox: Mailbox): bool {
  if (inbox.overflow !== OVERFLOW_BLOCK) return true;
  const events = inbox.events + inbox.keptEvents;
  const bytes = inbox.bytes + inbox.keptBytes;
  return events * 4 <= inbox.capacityEvents + inbox.keptEvents && bytes <= (inbox.capacityBytes + inbox.keptBytes) >> 2;
}

function inboxStall(inbox: Mailbox): void {
  inbox.stalled = 1;
  let at = changetype<Connection>(inbox.connection).members;
  while (at !== 0) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) !== 0) channelAt(member.channel).blockedBy++;
    at = member.nextOfConnection;
  }
}

/** Ends a stall; the caller lets the outboxes of the channels go on. */
export function inboxRelease(inbox: Mailbox): void {
  inbox.stalled = 0;
  let at = changetype<Connection>(inbox.connection).members;
  while (at !== 0) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) !== 0) channelAt(member.channel).blockedBy--;
    at = member.nextOfConnection;
  }
}

/** Whether fan-out to that inbox must go event by event. */
export function inboxStrict(inbox: Mailbox): bool {
  return inbox.overflow !== OVERFLOW_DROP_OLDEST || inbox.order !== 0;
}
