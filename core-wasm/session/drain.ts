/**
 * The way out: what one connection may be sent now, as one contiguous piece. Answers come first, then notices of
 * drops and credit, then deliveries, as far as credit reaches. A plain run leaves as one copy.
 */
import {
  CONNECTION_WEBSOCKET,
  OUT_SLOT_BYTES,
  REASON_DECIDE,
  REASON_DONE,
  RESULT_COUNT,
  RESULT_DELIVERIES,
  RESULT_NUMBER_HIGH,
  RESULT_NUMBER_LOW,
  RESULT_REASON,
  RESULT_STATUS,
  RESULT_VALUE,
  STATISTIC_BYTES_OUT,
  STATISTIC_DELIVERIES,
} from "../abi";
import { nowMs } from "../clock";
import { entrySize } from "../event/entry";
import { parkedEvents } from "../filter/parked";
import { divertedAny } from "../mailbox/diverted";
import { metaDead } from "../mailbox/fate";
import { depthCount, waitCount, waitsCount } from "../mailbox/histograms";
import { pendingWaits } from "../mailbox/kept-due";
import { tombstonesEver } from "../mailbox/keys";
import { lateLook, lateTake, metCount } from "../mailbox/late";
import { orderFirst, orderLate, orderServed } from "../mailbox/order";
import { pendingAgainBytes, pendingAgainTake, pendingKeep } from "../mailbox/pending";
import { Mailbox, META_CANCELLED, metaAt, Run, runFrontHasMeta, Slab } from "../mailbox/records";
import { inboxRest, inboxWake } from "../mailbox/reorder";
import { runAdvance, runRemove } from "../mailbox/run";
import { SORTED_MAX, sortEntry, sortEntryBytes, sortInbox, sortReserve } from "../mailbox/sort";
import { startedNote } from "../mailbox/started";
import { divertLate } from "../match/divert";
import { inboxReleaseIfDrained } from "../match/membership";
import { copyBytes } from "../memory/copy";
import { resultSet } from "../result";
import { statisticAdd } from "../statistics";
import { Connection, CREDIT_NONE, CREDIT_PACED } from "./connection";
import { controlTake } from "./control";
import { noticesAny, noticesPush } from "./notices";
import { paceSent } from "./pace";
import { WS_BINARY, WS_HEADER_BYTES_MAX, wsHeaderWrite } from "./websocket-out";

/** See CoreExports.drain(). */
export function connectionDrain(connection: Connection, out: u32, bytesMax: u32): u32 {
  if (bytesMax > OUT_SLOT_BYTES) bytesMax = OUT_SLOT_BYTES;
  const inbox = changetype<Mailbox>(connection.inbox);
  // Misses first, so that they and what they drop can be told in this very drain.
  lateLook(inbox);
  deadDrop(inbox);
  if (noticesAny(connection)) noticesPush(connection);
  let used: u32 = 0;
  if (connection.controlBytes !== 0) used = controlTake(connection, out, bytesMax);
  const first = connection.delivered + 1;
  const credit = connection.creditBytes;
  shortOfRoom = false;
  if (connection.controlBytes === 0 && (connection.held | connection.gathering) === 0 && connection.fault === 0) {
    if (connection.pending !== 0) used = againTake(connection, out, used, bytesMax);
    if (!shortOfRoom) {
      if (inbox.lazy !== 0 && inbox.events > 1) {
        if (sortedFits(connection, inbox, used, bytesMax)) used = sortedTake(connection, inbox, out, used);
        else inboxWake(inbox);
      }
      if (inbox.order === 0) used = deliveriesTake(connection, inbox, out, used, bytesMax);
      else used = orderedTake(connection, inbox, out, used, bytesMax);
      inboxRest(inbox);
    }
  }
  if (connection.credit === CREDIT_PACED)
    used = paceSent(connection, out, used, <u32>(credit - connection.creditBytes));
  // Whoever stopped for want of room must come back: nothing else would mark the connection dirty again.
  resultSet(RESULT_VALUE, <u32>(shortOfRoom || (used !== 0 && connection.controlBytes !== 0)));
  drained(connection, inbox, first, used);
  return used;
}

/** Tells and counts what has left since delivery `first`, and lets go of what the inbox held up. */
export function drained(connection: Connection, inbox: Mailbox, first: u64, used: u32): void {
  const deliveries = <u32>(connection.delivered + 1 - first);
  resultSet(RESULT_STATUS, connection.fault);
  resultSet(RESULT_DELIVERIES, deliveries);
  resultSet(RESULT_NUMBER_LOW, <u32>first);
  resultSet(RESULT_NUMBER_HIGH, <u32>(first >> 32));
  if (inbox.stalled !== 0) inboxReleaseIfDrained(inbox);
  if (divertedAny()) divertLate();
  resultSet(RESULT_COUNT, parkedEvents());
  resultSet(RESULT_REASON, parkedEvents() === 0 ? REASON_DONE : REASON_DECIDE);
  if (deliveries !== 0) depthCount(inbox, inbox.events + deliveries);
  statisticAdd(STATISTIC_DELIVERIES, deliveries);
  statisticAdd(STATISTIC_BYTES_OUT, used);
}

/** Whether deliveriesTake() left something that may go, because it did not fit behind what is there. */
let shortOfRoom: bool = false;
let prefixBytes: u32 = 0;
let prefixEvents: u32 = 0;
let prefixMetas: u32 = 0;

/** Copies deliveries behind the `used` bytes; returns how many are used then. */
function deliveriesTake(connection: Connection, inbox: Mailbox, out: u32, used: u32, bytesMax: u32): u32 {
  const framed = connection.kind === CONNECTION_WEBSOCKET;
  const header: u32 = framed ? WS_HEADER_BYTES_MAX : 0;
  const explicit = connection.credit !== CREDIT_NONE;
  while (inbox.head !== 0) {
    const run = changetype<Run>(inbox.head);
    const whole = !explicit || (<i64>run.events <= connection.creditEvents && <i64>run.bytes <= connection.creditBytes);
    if (whole && used + header + run.bytes <= bytesMax && runPlain(run)) {
      prefixBytes = run.bytes;
      prefixEvents = run.events;
      prefixMetas = run.metas;
    } else {
      if (explicit && (connection.creditEvents <= 0 || connection.creditBytes <= 0)) break;
      prefixTake(connection, run, used + header < bytesMax ? bytesMax - used - header : 0, explicit);
      if (prefixEvents === 0) {
        if (frontDead(run)) {
          lateTake(inbox, run);
          continue;
        }
        if (used !== 0) {
          shortOfRoom = true;
          break;
        }
        // A single entry larger than asked for comes alone: it fits a slot by the limit on events.
        prefixBytes = entrySize(run.at);
        prefixEvents = 1;
        prefixMetas = runFrontHasMeta(run) ? 1 : 0;
      }
    }
    if (connection.pending !== 0 && !prefixKeep(connection, run)) break;
    let to = out + used;
    if (framed) to = wsHeaderWrite(to, WS_BINARY, prefixBytes);
    copyBytes(to, run.at, prefixBytes);
    used = to + prefixBytes - out;
    if (explicit) {
      connection.creditEvents -= prefixEvents;
      connection.creditBytes -= prefixBytes;
    }
    waitsCount(inbox, run, prefixEvents);
    connection.delivered += prefixEvents;
    if (prefixMetas !== 0) metasLeave(connection, run, prefixMetas);
    runAdvance(inbox, run, prefixBytes, prefixEvents, prefixMetas);
  }
  return used;
}

/** As deliveriesTake(), in the order of an ordered inbox, whose runs hold one entry each. */
function orderedTake(connection: Connection, inbox: Mailbox, out: u32, used: u32, bytesMax: u32): u32 {
  const framed = connection.kind === CONNECTION_WEBSOCKET;
  const header: u32 = framed ? WS_HEADER_BYTES_MAX : 0;
  const explicit = connection.credit !== CREDIT_NONE;
  while (inbox.head !== 0) {
    const run = changetype<Run>(orderFirst(inbox));
    if (orderLate || (run.metas !== 0 && metaDead(inbox, metaAt(changetype<Slab>(run.slab), run.metaFirst)))) {
      lateTake(inbox, run);
      continue;
    }
    if (explicit && (connection.creditEvents <= 0 || connection.creditBytes <= 0)) break;
    const bytes = run.bytes;
    if (used !== 0 && used + header + bytes > bytesMax) {
      shortOfRoom = true;
      break;
    }
    if (connection.pending !== 0 && pendingKeep(connection, run, 1) === 0) break;
    let to = out + used;
    if (framed) to = wsHeaderWrite(to, WS_BINARY, bytes);
    copyBytes(to, run.at, bytes);
    used = to + bytes - out;
    if (explicit) {
      connection.creditEvents--;
      connection.creditBytes -= bytes;
    }
    orderedLeave(connection, inbox, run);
  }
  return used;
}

/** Whether all that waits in an inbox whose order was put off may leave now. */
function sortedFits(connection: Connection, inbox: Mailbox, used: u32, bytesMax: u32): bool {
  const header: u32 = connection.kind === CONNECTION_WEBSOCKET ? WS_HEADER_BYTES_MAX : 0;
  if (connection.pending !== 0 || inbox.events > SORTED_MAX || used + inbox.bytes + inbox.events * header > bytesMax)
    return false;
  if (
    connection.credit !== CREDIT_NONE &&
    (<i64>inbox.events > connection.creditEvents || <i64>inbox.bytes > connection.creditBytes)
  )
    return false;
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
    if (!runPlain(changetype<Run>(at))) return false;
  }
  return sortReserve();
}

/** Copies all that waits, in the order that was put off. */
function sortedTake(connection: Connection, inbox: Mailbox, out: u32, used: u32): u32 {
  const framed = connection.kind === CONNECTION_WEBSOCKET;
  const events = inbox.events;
  sortInbox(inbox, inbox.lazy);
  let to = out + used;
  for (let place: u32 = 0; place < events; place++) {
    const bytes = sortEntryBytes(place);
    if (framed) to = wsHeaderWrite(to, WS_BINARY, bytes);
    copyBytes(to, sortEntry(place), bytes);
    to += bytes;
  }
  if (connection.credit !== CREDIT_NONE) {
    connection.creditEvents -= events;
    connection.creditBytes -= inbox.bytes;
  }
  connection.delivered += events;
  while (inbox.head !== 0) {
    const run = changetype<Run>(inbox.head);
    waitsCount(inbox, run, run.events);
    if (run.metas !== 0) metasLeave(connection, run, run.metas);
    runAdvance(inbox, run, run.bytes, run.events, run.metas);
  }
  return to - out;
}

/** What is to be sent again goes before what was not sent yet, as far as credit reaches. Returns how many bytes are used. */
function againTake(connection: Connection, out: u32, used: u32, bytesMax: u32): u32 {
  const header: u32 = connection.kind === CONNECTION_WEBSOCKET ? WS_HEADER_BYTES_MAX : 0;
  const explicit = connection.credit !== CREDIT_NONE;
  while (!explicit || (connection.creditEvents > 0 && connection.creditBytes > 0)) {
    const bytes = pendingAgainBytes(connection);
    if (bytes === 0) break;
    if (used !== 0 && used + header + bytes > bytesMax) {
      shortOfRoom = true;
      break;
    }
    let to = out + used;
    if (header !== 0) to = wsHeaderWrite(to, WS_BINARY, bytes);
    pendingAgainTake(connection, to);
    used = to + bytes - out;
    if (!explicit) continue;
    connection.creditEvents--;
    connection.creditBytes -= bytes;
  }
  return used;
}

/** Keeps the prefix, or as much of it as there is memory for, which is the prefix then; false where that is nothing. */
function prefixKeep(connection: Connection, run: Run): bool {
  const kept = pendingKeep(connection, run, prefixEvents);
  if (kept === prefixEvents) return true;
  const slab = changetype<Slab>(run.slab);
  prefixBytes = prefixEvents = prefixMetas = 0;
  while (prefixEvents < kept) {
    const at = run.at + prefixBytes;
    if (prefixMetas < run.metas && metaAt(slab, run.metaFirst + prefixMetas).entryAt === at) prefixMetas++;
    prefixBytes += entrySize(at);
    prefixEvents++;
  }
  return kept !== 0;
}

/** The first entry of a run was written just now: counts it and takes it out. */
export function entryLeave(connection: Connection, inbox: Mailbox, run: Run, bytes: u32, metas: u32): void {
  if (inbox.order !== 0) {
    orderedLeave(connection, inbox, run);
    return;
  }
  waitsCount(inbox, run, 1);
  connection.delivered++;
  if (metas !== 0) metasLeave(connection, run, 1);
  runAdvance(inbox, run, bytes, 1, metas);
}

/** The same where a run holds one entry. */
function orderedLeave(connection: Connection, inbox: Mailbox, run: Run): void {
  waitCount(inbox, run);
  connection.delivered++;
  const ofStream = orderServed(inbox, run);
  if (run.metas !== 0) {
    if (ofStream) startedNote(connection, changetype<Slab>(run.slab), run.metaFirst, 1);
    else metasLeave(connection, run, 1);
  }
  inbox.events--;
  inbox.bytes -= run.bytes;
  runRemove(inbox, run);
}

/** Notes what leaves: keys for cancels, and deadlines that are met by that. */
function metasLeave(connection: Connection, run: Run, metas: u32): void {
  const slab = changetype<Slab>(run.slab);
  // What waits for its acknowledgement has met nothing yet.
  if (pendingWaits(connection) || metCount(connection.number, slab, run.metaFirst, metas))
    startedNote(connection, slab, run.metaFirst, metas);
}

/** Whether all of a run may leave: nothing in it is late or cancelled. */
function runPlain(run: Run): bool {
  if (run.metas === 0) return true;
  if (run.deadline < nowMs) return false;
  return tombstonesEver === 0 || !runHasCancelled(run);
}

function runHasCancelled(run: Run): bool {
  const slab = changetype<Slab>(run.slab);
  for (let i: u32 = 0; i < run.metas; i++) {
    if ((metaAt(slab, run.metaFirst + i).flags & META_CANCELLED) !== 0) return true;
  }
  return false;
}

/** Whether the first entry of a run must not be delivered any more. */
function frontDead(run: Run): bool {
  if (!runFrontHasMeta(run)) return false;
  return metaDead(changetype<Mailbox>(run.mailbox), metaAt(changetype<Slab>(run.slab), run.metaFirst));
}

/** Measures how much of the front of a run may go: live entries within room and credit. Sets prefix…. */
function prefixTake(connection: Connection, run: Run, room: u32, explicit: bool): void {
  const slab = changetype<Slab>(run.slab);
  const end = run.at + run.bytes;
  const creditBytes: u64 = explicit ? <u64>connection.creditBytes : u64.MAX_VALUE;
  const creditEvents: u64 = explicit ? <u64>connection.creditEvents : u64.MAX_VALUE;
  let at = run.at;
  prefixBytes = prefixEvents = prefixMetas = 0;
  while (at < end && prefixEvents < creditEvents) {
    const size = entrySize(at);
    // One event may overdraw the credit in bytes: else one larger than any credit would wait for ever.
    if (prefixBytes + size > room || (prefixEvents !== 0 && <u64>(prefixBytes + size) > creditBytes)) break;
    if (prefixMetas < run.metas) {
      const meta = metaAt(slab, run.metaFirst + prefixMetas);
      if (meta.entryAt === at) {
        if (metaDead(changetype<Mailbox>(run.mailbox), meta)) break;
        prefixMetas++;
      }
    }
    prefixBytes += size;
    prefixEvents++;
    at += size;
  }
}

/** Drops what is dead at the front, so that a notice of it can be told in this very drain. */
function deadDrop(inbox: Mailbox): void {
  while (true) {
    const first = inbox.order === 0 ? inbox.head : orderFirst(inbox);
    if (first === 0 || !(frontDead(changetype<Run>(first)) || (inbox.order !== 0 && orderLate))) return;
    lateTake(inbox, changetype<Run>(first));
  }
}
