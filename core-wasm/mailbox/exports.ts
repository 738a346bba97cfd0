/** The part of the ABI that is about inboxes and deliveries which may have to be made again; promised in host/core/exports.ts. */
import {
  DROPPED_REASONS,
  STATUS_ACK_UNKNOWN,
  STATUS_LIMIT,
  STATUS_MEMBER_UNKNOWN,
  STATUS_OK,
  STATUS_RESUME_GAP,
} from "../abi";
import { lossCount } from "../channel/losses";
import { clockSet } from "../clock";
import { inboxConfigure, inboxReleaseIfDrained } from "../match/membership";
import { resultStatus } from "../result";
import { Connection, connectionFind } from "../session/connection";
import { connectionMove, connectionPark } from "../session/move";
import { paceBegin } from "../session/pace";
import { connectionPick } from "../session/pick";
import { LATE_DIVERT } from "./abi";
import { dueAgain } from "./due";
import { inboxEmpty, inboxRipeIn } from "./empty";
import { keptFind, Pending } from "./kept";
import {
  pendingCovers,
  pendingDead,
  pendingExplicit,
  pendingLost,
  pendingResume,
  pendingTick,
  pendingWindow,
} from "./pending";
import { Mailbox } from "./records";

/** Sets how much an inbox holds, what gives way, and what leaves first. */
export function inboxSet(
  number: u32,
  capacityEvents: u32,
  capacityBytes: u32,
  overflow: u32,
  ordering: u32,
  serviceMs: f64,
): u32 {
  const connection = connectionFind(number);
  if (connection === null) return STATUS_MEMBER_UNKNOWN;
  return inboxConfigure(connection, capacityEvents, capacityBytes, overflow, ordering, serviceMs);
}

/** Sets from which share of its capacity on an inbox that blocks does so, and down to which. */
export function inboxMarks(number: u32, stall: f64, release: f64): u32 {
  const connection = connectionFind(number);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  if (!(stall > 0 && stall <= 1 && release >= 0 && release < stall)) return resultStatus(STATUS_LIMIT, 0, 1);
  const inbox = changetype<Mailbox>(connection.inbox);
  inbox.stallMark = <f32>stall;
  inbox.releaseMark = <f32>release;
  inboxReleaseIfDrained(inbox);
  return STATUS_OK;
}

/** Sets what becomes of late events in an inbox; what waits is looked at by that. */
export function inboxLate(number: u32, late: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  if (late > LATE_DIVERT) return resultStatus(STATUS_LIMIT, late, LATE_DIVERT);
  const inbox = changetype<Mailbox>(connection.inbox);
  if (inbox.late === late) return STATUS_OK;
  inbox.late = late;
  dueAgain(inbox);
  return STATUS_OK;
}

/** Whether a delivery waits for its acknowledgement. */
export function inboxKeeps(number: u32, delivery: f64): u32 {
  const connection = connectionFind(number);
  if (connection === null || connection.pending === 0) return 0;
  return keptFind(changetype<Pending>(connection.pending), <u64>delivery) === 0 ? 0 : 1;
}

/** Has deliveries wait for acknowledgements, or no longer. */
export function inboxAcks(number: u32, explicit: u32, redeliverMs: f64, attempts: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  return pendingExplicit(connection, explicit, redeliverMs, attempts);
}

/** Deliveries that wait for an acknowledgement. */
export function inboxKept(number: u32): u32 {
  const connection = connectionFind(number);
  return connection === null ? 0 : changetype<Mailbox>(connection.inbox).keptEvents;
}

/** Moves on what was not acknowledged in time. */
export function inboxTick(number: u32, now: f64): f64 {
  const connection = connectionFind(number);
  if (connection === null || connection.pending === 0) return -1;
  clockSet(now);
  return pendingTick(connection);
}

/** Writes one delivery that is given up. */
export function inboxDead(number: u32, out: u32): u32 {
  const connection = connectionFind(number);
  return connection === null || connection.pending === 0 ? 0 : pendingDead(connection, out);
}

/** Counts events that the host has given up. */
export function channelLose(number: u32, reason: u32, events: u32): void {
  if (reason < DROPPED_REASONS) lossCount(number, reason, events);
}

/** Keeps the last deliveries for a session that comes back. */
export function inboxWindow(number: u32, events: u32, bytes: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  return pendingWindow(connection, events, bytes);
}

/** The last event that the publisher has numbered. */
export function connectionPublished(number: u32): f64 {
  const connection = connectionFind(number);
  return connection === null ? 0 : <f64>connection.published;
}

/** The carrier is gone, the session stays. */
export function connectionDetach(number: u32): void {
  const connection = connectionFind(number);
  if (connection !== null) connectionPark(connection);
}

/** Whether a session can go on behind what its peer has received. */
export function connectionResumable(number: u32, received: f64): u32 {
  const connection = connectionFind(number);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  const last = <u64>received;
  if (last > connection.delivered) return resultStatus(STATUS_ACK_UNKNOWN, word(last), word(connection.delivered));
  if (pendingCovers(connection, last)) return STATUS_OK;
  return resultStatus(STATUS_RESUME_GAP, word(last), word(pendingLost(connection)));
}

function word(value: u64): u32 {
  return value > 0xffffffff ? 0xffffffff : <u32>value;
}

/** Goes on with a session on the carrier of another connection. */
export function connectionResume(number: u32, carrier: u32, received: f64, now: f64): u32 {
  const status = connectionResumable(number, received);
  if (status !== STATUS_OK) return status;
  const from = connectionFind(carrier);
  if (from === null || carrier === number) return resultStatus(STATUS_MEMBER_UNKNOWN, carrier, 0);
  const connection = connectionFind(number) as Connection;
  clockSet(now);
  connectionMove(connection, from);
  pendingResume(connection, <u64>received);
  return STATUS_OK;
}

/** Has a WebSocket whose client grants no credit paced by its pongs. */
export function connectionPace(number: u32, bytes: u32): void {
  const connection = connectionFind(number);
  if (connection !== null) paceBegin(connection, bytes);
}

/** Takes what is asked for out of an inbox. */
export function inboxPick(
  number: u32,
  typesAt: u32,
  types: u32,
  where: u32,
  eventsMax: u32,
  out: u32,
  bytesMax: u32,
  now: f64,
): u32 {
  const connection = connectionFind(number);
  if (connection === null) {
    resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
    return 0;
  }
  clockSet(now);
  return connectionPick(connection, typesAt, types, where, eventsMax, out, bytesMax);
}

/** Events that wait in an inbox. */
export function inboxEvents(number: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return 0;
  const again: u32 = connection.pending === 0 ? 0 : changetype<Pending>(connection.pending).againEvents;
  return changetype<Mailbox>(connection.inbox).events + again;
}

/** Bytes that wait in an inbox. */
export function inboxBytes(number: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return 0;
  const again: u32 = connection.pending === 0 ? 0 : changetype<Pending>(connection.pending).againBytes;
  return changetype<Mailbox>(connection.inbox).bytes + again;
}

/** Discards what waits in an inbox. */
export function inboxDrain(number: u32): u32 {
  const connection = connectionFind(number);
  return connection === null ? 0 : inboxEmpty(connection);
}

/** Has deliveries wait for more of them, or no longer. */
export function inboxGather(number: u32, gathering: u32): void {
  const connection = connectionFind(number);
  if (connection !== null) connection.gathering = gathering;
}

/** In how many milliseconds what waits should leave. */
export function inboxRipe(number: u32, events: u32, bytes: u32, now: f64): f64 {
  const connection = connectionFind(number);
  if (connection === null) return -1;
  clockSet(now);
  return inboxRipeIn(connection, events, bytes);
}
