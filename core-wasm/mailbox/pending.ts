/**
 * Deliveries that may have to be made again (docs/delivery.md): those of an inbox with `ack: explicit`, until they are
 * acknowledged, and the last ones of a session that said that it may come back.
 *
 * A connection without either has no Pending record, and its way out asks for one word.
 */
import { DROPPED_LATE, DROPPED_LEFT, ROLE_SINK, STATISTIC_REDELIVERIES, STATUS_OK, STATUS_STORE_FULL } from "../abi";
import { lossCount } from "../channel/losses";
import { pairWithRole } from "../channel/member";
import { nowMs } from "../clock";
import { entryChannel, entryEvent, entryEventBytes, entrySize } from "../event/entry";
import { scanEvent, scanKeyAt, scanKeyBytes, scanTimeUs } from "../event/scan";
import { cursor, varintBytes, varintRead, varintWrite } from "../event/wire";
import { bytesEqual } from "../memory/bytes";
import { heapGive, heapTakeZero } from "../memory/heap";
import { resultStatus } from "../result";
import { Connection, CREDIT_GRANTED, dirtyPush } from "../session/connection";
import { statisticAdd } from "../statistics";
import { lateDrops } from "./fate";
import { dropCount } from "./inbox";
import {
  KEPT_BYTES,
  Kept,
  keptFind,
  keptFree,
  keptNew,
  PENDING_BYTES,
  Pending,
  QUEUE_AGAIN,
  QUEUE_DEAD,
  QUEUE_LEVELS,
  QUEUE_WINDOW,
  queueAdd,
  queueFirst,
  queueRemove,
} from "./kept";
import { keptDone, keptDue } from "./kept-due";
import { Mailbox, metaAt, Run, Slab } from "./records";

/** A time between two deliveries at most, whatever `redeliverMs` has become by doubling: a week. */
const REDELIVER_MS_MAX: f64 = 604800000;

/** What the connection keeps of its deliveries, made where it is not there yet; null where memory is used up. */
function pendingOf(connection: Connection): Pending | null {
  if (connection.pending === 0) {
    connection.pending = heapTakeZero(PENDING_BYTES);
    if (connection.pending === 0) return null;
    const pending = changetype<Pending>(connection.pending);
    const inbox = changetype<Mailbox>(connection.inbox);
    pending.connection = connection.number;
    pending.capacityEvents = inbox.capacityEvents;
    pending.capacityBytes = inbox.capacityBytes;
    pending.lost = connection.delivered;
    pending.dueMs = Infinity;
  }
  return changetype<Pending>(connection.pending);
}

/** Frees the record, once nothing needs it. */
function pendingGive(connection: Connection): void {
  const pending = changetype<Pending>(connection.pending);
  if (pending.explicit !== 0 || pending.windowEvents !== 0) return;
  heapGive(connection.pending, PENDING_BYTES);
  connection.pending = 0;
}

/**
 * Has deliveries wait for acknowledgements, or no longer. Those that wait when they need not any more count as
 * acknowledged. Returns a status.
 */
export function pendingExplicit(connection: Connection, explicit: u32, redeliverMs: f64, attempts: u32): u32 {
  if (explicit === 0 && connection.pending === 0) return STATUS_OK;
  const found = pendingOf(connection);
  if (found === null) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const pending = found as Pending;
  pending.redeliverMs = redeliverMs;
  pending.attempts = attempts;
  if (pending.explicit === explicit) return STATUS_OK;
  // What was delivered under the other rule is neither waited for nor kept.
  if (pending.explicit !== 0) pendingAckThrough(connection, u64.MAX_VALUE);
  pendingClear(pending);
  pending.explicit = explicit;
  pending.lost = connection.delivered;
  capacityCharge(connection);
  pendingGive(connection);
  return STATUS_OK;
}

/** Keeps the last deliveries for a session that comes back, at most so many; 0: no longer. Returns a status. */
export function pendingWindow(connection: Connection, events: u32, bytes: u32): u32 {
  if (events === 0 && connection.pending === 0) return STATUS_OK;
  const found = pendingOf(connection);
  if (found === null) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const pending = found as Pending;
  pending.windowEvents = events;
  pending.windowBytes = bytes;
  if (pending.explicit === 0) windowTrim(pending, 0);
  pendingGive(connection);
  return STATUS_OK;
}

/** Forgets all that is kept. */
function pendingClear(pending: Pending): void {
  while (pending.head !== 0) keptFree(pending, changetype<Kept>(pending.head));
}

/** Frees all; the connection is about to end. */
export function pendingFree(connection: Connection): void {
  const pending = changetype<Pending>(connection.pending);
  if (pending.explicit !== 0) {
    for (let at = pending.head; at !== 0; at = changetype<Kept>(at).next)
      lossCount(changetype<Kept>(at).channel, DROPPED_LEFT, 1);
  }
  pendingClear(pending);
  heapGive(connection.pending, PENDING_BYTES);
  connection.pending = 0;
}

/** Notes the capacity that was set for an inbox whose deliveries wait for acknowledgements. */
export function pendingCapacity(connection: Connection, events: u32, bytes: u32): void {
  const pending = changetype<Pending>(connection.pending);
  pending.capacityEvents = events;
  pending.capacityBytes = bytes;
  capacityCharge(connection);
}

/** What is kept until it is acknowledged leaves that much less room for what waits. */
function capacityCharge(connection: Connection): void {
  const pending = changetype<Pending>(connection.pending);
  const inbox = changetype<Mailbox>(connection.inbox);
  const events: u32 = pending.explicit === 0 ? 0 : pending.events;
  const bytes: u32 = pending.explicit === 0 ? 0 : pending.bytes;
  inbox.keptEvents = events;
  inbox.keptBytes = bytes;
  inbox.capacityEvents = pending.capacityEvents > events ? pending.capacityEvents - events : 0;
  inbox.capacityBytes = pending.capacityBytes > bytes ? pending.capacityBytes - bytes : 0;
}

/** Forgets the oldest of a window until `bytes` more fit. */
function windowTrim(pending: Pending, bytes: u32): void {
  while (pending.head !== 0) {
    const more: u32 = bytes === 0 ? 0 : 1;
    if (pending.events + more <= pending.windowEvents && pending.bytes + bytes <= pending.windowBytes) return;
    windowShift(pending);
  }
}

function windowShift(pending: Pending): void {
  const oldest = changetype<Kept>(pending.head);
  pending.lost = oldest.number;
  keptFree(pending, oldest);
}

/**
 * Keeps the first `events` entries of a run, which are about to leave as the next deliveries.
 * Returns how many may leave: those that wait for acknowledgements may not without being kept.
 */
export function pendingKeep(connection: Connection, run: Run, events: u32): u32 {
  const pending = changetype<Pending>(connection.pending);
  const slab = changetype<Slab>(run.slab);
  let at = run.at;
  let metas: u32 = 0;
  let number = connection.delivered;
  let done: u32 = 0;
  while (done < events) {
    const bytes = entrySize(at);
    number++;
    if (pending.explicit === 0) windowTrim(pending, bytes);
    let address = pending.explicit === 0 && bytes > pending.windowBytes ? 0 : keptNew(pending, at, number);
    // A window gives way to itself: what is kept for others is not its business.
    while (address === 0 && pending.explicit === 0 && pending.head !== 0) {
      windowShift(pending);
      address = bytes > pending.windowBytes ? 0 : keptNew(pending, at, number);
    }
    if (address === 0) {
      if (pending.explicit !== 0) {
        pending.starved = 1;
        break;
      }
      pending.lost = number;
    } else {
      const kept = changetype<Kept>(address);
      kept.sentMs = nowMs;
      kept.channel = entryChannel(at);
      if (metas < run.metas && metaAt(slab, run.metaFirst + metas).entryAt === at)
        keptDue(connection, kept, metaAt(slab, run.metaFirst + metas));
      queueAdd(pending, kept, pending.explicit === 0 ? QUEUE_WINDOW : 0);
    }
    if (metas < run.metas && metaAt(slab, run.metaFirst + metas).entryAt === at) metas++;
    at += bytes;
    done++;
  }
  if (pending.explicit !== 0) capacityCharge(connection);
  return done;
}

/** Acknowledges one delivery, if it is still kept. */
export function pendingAck(connection: Connection, number: u64): void {
  const pending = changetype<Pending>(connection.pending);
  const address = keptFind(pending, number);
  if (address !== 0) keptDone(connection, changetype<Kept>(address));
}

/** Acknowledges all deliveries up to a number. */
export function pendingAckThrough(connection: Connection, number: u64): void {
  const pending = changetype<Pending>(connection.pending);
  while (pending.head !== 0 && changetype<Kept>(pending.head).number <= number)
    keptDone(connection, changetype<Kept>(pending.head));
}

/** Room was made by acknowledgements. */
export function pendingAcked(connection: Connection): void {
  capacityCharge(connection);
  unstarve(connection);
}

function unstarve(connection: Connection): void {
  const pending = changetype<Pending>(connection.pending);
  if (pending.starved === 0) return;
  pending.starved = 0;
  dirtyPush(connection);
}

/** Forgets what was delivered of channels in which the connection has no sink any more. */
export function pendingDiscard(connection: Connection): void {
  const pending = changetype<Pending>(connection.pending);
  let at = pending.head;
  while (at !== 0) {
    const kept = changetype<Kept>(at);
    at = kept.next;
    if (pairWithRole(connection.number, kept.channel, ROLE_SINK) !== 0) continue;
    if (pending.explicit !== 0) lossCount(kept.channel, DROPPED_LEFT, 1);
    keptFree(pending, kept);
  }
  capacityCharge(connection);
}

/**
 * A key was cancelled: what was delivered of it, of events up to `atUs`, and waits for an acknowledgement is not delivered again.
 * Deliveries for a session that comes back are left alone: it was promised all of them.
 */
export function pendingCancel(connection: Connection, channel: u32, keyAt: u32, keyBytes: u32, atUs: i64): void {
  const pending = changetype<Pending>(connection.pending);
  if (pending.explicit === 0) return;
  let at = pending.head;
  while (at !== 0) {
    const kept = changetype<Kept>(at);
    at = kept.next;
    if (kept.channel !== channel) continue;
    scanEvent(entryEvent(changetype<u32>(kept) + KEPT_BYTES), entryEventBytes);
    if (scanTimeUs(0) <= atUs && bytesEqual(scanKeyAt, scanKeyBytes, keyAt, keyBytes)) keptFree(pending, kept);
  }
  capacityCharge(connection);
  unstarve(connection);
}

/** How long a delivery of that level waits for its acknowledgement: each time twice as long. */
function delayOf(pending: Pending, level: u32): f64 {
  return min<f64>(pending.redeliverMs * <f64>((<u32>1) << level), REDELIVER_MS_MAX);
}

/**
 * Moves what was not acknowledged in time to where it is sent again, or given up. Returns in how many milliseconds
 * there is something to do again; −1 where nothing waits.
 */
export function pendingTick(connection: Connection): f64 {
  const pending = changetype<Pending>(connection.pending);
  unstarve(connection);
  let next: f64 = -1;
  for (let level: u32 = 0; level < QUEUE_LEVELS; level++) {
    const delayMs = delayOf(pending, level);
    let at = queueFirst(pending, level);
    while (at !== 0 && changetype<Kept>(at).sentMs + delayMs <= nowMs) {
      const kept = changetype<Kept>(at);
      at = kept.queueNext;
      queueRemove(pending, kept);
      queueAdd(pending, kept, kept.attempts >= pending.attempts ? QUEUE_DEAD : QUEUE_AGAIN);
    }
    if (at === 0) continue;
    const restMs = changetype<Kept>(at).sentMs + delayMs - nowMs;
    if (next < 0 || restMs < next) next = restMs;
  }
  if (pending.againEvents !== 0) dirtyPush(connection);
  return next;
}

/** Copies the next delivery that is given up to `out` and forgets it; returns its bytes, 0 where there is none. */
export function pendingDead(connection: Connection, out: u32): u32 {
  const pending = changetype<Pending>(connection.pending);
  const at = queueFirst(pending, QUEUE_DEAD);
  if (at === 0) return 0;
  const kept = changetype<Kept>(at);
  againMeasure(kept, kept.attempts);
  againWrite(out, kept, kept.attempts);
  keptFree(pending, kept);
  capacityCharge(connection);
  return againBytes;
}

/** Where the Delivery of an entry lies, and the sizes of what againWrite() writes; set by againMeasure(). */
let bodyAt: u32 = 0;
let bodyBytes: u32 = 0;
let deliveryBytes: u32 = 0;
let deliverBytes: u32 = 0;
let frameBytes: u32 = 0;
let againBytes: u32 = 0;

/** Measures a delivery that says its number and attempt. */
function againMeasure(kept: Kept, attempt: u32): void {
  const end = changetype<u32>(kept) + KEPT_BYTES + kept.bytes;
  varintRead(changetype<u32>(kept) + KEPT_BYTES, end);
  varintRead(cursor + 1, end);
  bodyBytes = <u32>varintRead(cursor + 1, end);
  bodyAt = cursor;
  deliveryBytes = bodyBytes + 1 + varintBytes(attempt) + 1 + varintBytes(kept.number);
  deliverBytes = 1 + varintBytes(deliveryBytes) + deliveryBytes;
  frameBytes = 1 + varintBytes(deliverBytes) + deliverBytes;
  againBytes = varintBytes(frameBytes) + frameBytes;
}

/** Writes it: the entry as it was, with Delivery.attempt and Delivery.number behind it. */
function againWrite(to: u32, kept: Kept, attempt: u32): void {
  let at = varintWrite(to, frameBytes);
  store<u8>(at, 0x0a);
  at = varintWrite(at + 1, deliverBytes);
  store<u8>(at, 0x0a);
  at = varintWrite(at + 1, deliveryBytes);
  memory.copy(at, bodyAt, bodyBytes);
  at += bodyBytes;
  store<u8>(at, 0x30);
  at = varintWrite(at + 1, attempt);
  store<u8>(at, 0x38);
  varintWrite(at + 1, kept.number);
}

/** Size of what pendingAgainTake() would write next; 0: nothing is to be sent again. Drops what is too late by now. */
export function pendingAgainBytes(connection: Connection): u32 {
  const pending = changetype<Pending>(connection.pending);
  for (let at = queueFirst(pending, QUEUE_AGAIN); at !== 0; at = queueFirst(pending, QUEUE_AGAIN)) {
    const kept = changetype<Kept>(at);
    if (kept.deadline >= nowMs || !lateDrops(changetype<Mailbox>(connection.inbox), kept.channel)) {
      againMeasure(kept, kept.attempts + 1);
      return againBytes;
    }
    dropCount(connection, kept.channel, DROPPED_LATE, 1);
    keptFree(pending, kept);
    capacityCharge(connection);
  }
  return 0;
}

/** Address of the entry that pendingAgainBytes() has measured. */
export function pendingAgainEntry(connection: Connection): u32 {
  return queueFirst(changetype<Pending>(connection.pending), QUEUE_AGAIN) + KEPT_BYTES;
}

/** Puts what would be sent again next behind all that is to be sent again. */
export function pendingAgainDefer(connection: Connection): void {
  const pending = changetype<Pending>(connection.pending);
  const kept = changetype<Kept>(queueFirst(pending, QUEUE_AGAIN));
  queueRemove(pending, kept);
  queueAdd(pending, kept, QUEUE_AGAIN);
}

/** Writes what pendingAgainBytes() measured just now; it waits for its acknowledgement again. */
export function pendingAgainTake(connection: Connection, to: u32): void {
  const pending = changetype<Pending>(connection.pending);
  const kept = changetype<Kept>(queueFirst(pending, QUEUE_AGAIN));
  const attempt = kept.attempts + 1;
  againWrite(to, kept, attempt);
  kept.attempts = attempt;
  kept.sentMs = nowMs;
  queueRemove(pending, kept);
  queueAdd(pending, kept, pending.explicit === 0 ? QUEUE_WINDOW : min<u32>(attempt - 1, QUEUE_LEVELS - 1));
  statisticAdd(STATISTIC_REDELIVERIES, 1);
}

/** Number of the last delivery that cannot be made again. */
export function pendingLost(connection: Connection): u64 {
  return connection.pending === 0 ? connection.delivered : changetype<Pending>(connection.pending).lost;
}

/** Whether nothing behind `received` was given up, so that a session can go on from there. */
export function pendingCovers(connection: Connection, received: u64): bool {
  return received >= pendingLost(connection);
}

/**
 * The session is back and has all up to `received`: what comes after that is sent again, in order, and its credit given
 * back. What waits for an acknowledgement has its whole time again, since nobody could send one meanwhile.
 */
export function pendingResume(connection: Connection, received: u64): void {
  if (connection.pending === 0) return;
  const pending = changetype<Pending>(connection.pending);
  if (pending.explicit === 0) pendingAckThrough(connection, received);
  for (let at = pending.head; at !== 0; at = changetype<Kept>(at).next) {
    const kept = changetype<Kept>(at);
    if (kept.queue < QUEUE_LEVELS) kept.sentMs = nowMs;
    if (kept.number <= received) continue;
    if (kept.queue !== QUEUE_AGAIN && connection.credit === CREDIT_GRANTED) {
      connection.creditEvents++;
      connection.creditBytes += kept.bytes;
    }
    queueRemove(pending, kept);
    queueAdd(pending, kept, QUEUE_AGAIN);
  }
  dirtyPush(connection);
}
