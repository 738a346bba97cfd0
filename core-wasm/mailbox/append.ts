/** The way into an inbox: what is late is told, what does not fit is dealt with by the overflow policy, the rest takes its place. */
import {
  DROPPED_CONFLATED,
  DROPPED_OVERFLOW,
  OVERFLOW_BLOCK,
  OVERFLOW_DISCONNECT,
  OVERFLOW_KEEP_LATEST,
  STATUS_DISCONNECT,
} from "../abi";
import { nowMs } from "../clock";
import { entryChannel, entrySize } from "../event/entry";
import { factPriority, factsRead, factsReadRange } from "../event/facts";
import { Connection, dirtyPush, dirtyUrge } from "../session/connection";
import { dueNote } from "./due";
import {
  dropCount,
  inboxDropFirst,
  inboxHasRoom,
  inboxOverStallMark,
  inboxStall,
  inboxTrim,
  inboxYields,
} from "./inbox";
import { ARRIVES, ARRIVES_LATE, ARRIVES_NEVER, lateOnArrival } from "./late";
import { latestOf } from "./latest";
import { orderAdd, orderSame } from "./order";
import { Mailbox, META_BYTES, Meta, metaAt, Order, Run, Slab } from "./records";
import { runAppend, runOne, runRemove, runSwap } from "./run";

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
  if (deadline < nowMs + inbox.serviceMs) lateArrive(inbox, slab, at, bytes, metaFirst, metas);
  else inboxTake(inbox, slab, at, bytes, events, metaFirst, metas, deadline);
}

/** Some of what comes is late already, or cannot be in time: it is decided over one by one. */
function lateArrive(inbox: Mailbox, slab: Slab, at: u32, bytes: u32, metaFirst: u32, metas: u32): void {
  const end = at + bytes;
  while (at < end) {
    const size = entrySize(at);
    const meta = metaAt(slab, metaFirst);
    const hasMeta = metas !== 0 && meta.entryAt === at;
    const arrives = hasMeta ? lateOnArrival(inbox, at, meta) : ARRIVES;
    if (arrives !== ARRIVES_NEVER) {
      const deadline = arrives === ARRIVES_LATE || !hasMeta ? Infinity : meta.deadline;
      inboxTake(inbox, slab, at, size, 1, metaFirst, hasMeta ? 1 : 0, deadline);
    }
    if (hasMeta) {
      metaFirst++;
      metas--;
    }
    at += size;
  }
}

function inboxTake(
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
    dueNote(inbox, deadline);
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
  if (inbox.order !== 0) {
    entriesTake(inbox, slab, at, bytes, events, metaFirst, metas);
  } else if (runAppend(inbox, slab, at, bytes, events, metaFirst, metas, deadline)) {
    inbox.events += events;
    inbox.bytes += bytes;
  } else {
    dropEntries(connection, at, events);
    return;
  }
  dueNote(inbox, deadline);
  if (inbox.events > inbox.capacityEvents || inbox.bytes > inbox.capacityBytes) {
    if (inbox.overflow !== OVERFLOW_BLOCK) inboxTrim(inbox);
  }
  if (inbox.overflow === OVERFLOW_BLOCK && inbox.stalled === 0 && inboxOverStallMark(inbox)) inboxStall(inbox);
  // A plain fifo inbox puts nothing first, so nothing of it is asked.
  if ((inbox.order | inbox.lazy) !== 0 && events === 1 && isUrgent(at)) dirtyUrge(connection);
  else dirtyPush(connection);
}

/** Puts one entry, or those of the range under way, into an ordered inbox: a run for each. */
function entriesTake(inbox: Mailbox, slab: Slab, at: u32, bytes: u32, events: u32, metaFirst: u32, metas: u32): void {
  const order = changetype<Order>(inbox.order);
  const end = at + bytes;
  let meta = changetype<u32>(metaAt(slab, metaFirst));
  for (let place: u32 = 0; at < end; place++) {
    const size = entrySize(at);
    const has: u32 = metas !== 0 && changetype<Meta>(meta).entryAt === at ? 1 : 0;
    if (events === 1) factsRead(at);
    else factsReadRange(place, at);
    const run = runOne(inbox, slab, at, size, metaFirst, has);
    if (run !== 0 && orderTake(inbox, order, changetype<Run>(run))) {
      inbox.events++;
      inbox.bytes += size;
    } else {
      dropCount(changetype<Connection>(inbox.connection), entryChannel(at), DROPPED_OVERFLOW, 1);
    }
    metaFirst += has;
    metas -= has;
    meta -= has * META_BYTES;
    at += size;
  }
}

/** Priorities from here on have their receivers drained before others. */
export const URGENT_PRIORITY: u32 = 8;

function isUrgent(at: u32): bool {
  factsRead(at);
  return factPriority >= URGENT_PRIORITY;
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

/** Enters the newest run into the order. Returns false, and takes it back, where memory is used up. */
function orderTake(inbox: Mailbox, order: Order, run: Run): bool {
  if (orderAdd(order, inbox, run, nowMs)) return true;
  inbox.order = 0;
  runRemove(inbox, run);
  inbox.order = changetype<u32>(order);
  return false;
}

/** Counts neighbouring entries that the inbox did not take. */
function dropEntries(connection: Connection, at: u32, events: u32): void {
  for (let i: u32 = 0; i < events; i++) {
    dropCount(connection, entryChannel(at), DROPPED_OVERFLOW, 1);
    at += entrySize(at);
  }
}
