/**
 * Deadlines of deliveries that wait for their acknowledgement: one is met by that, and missed when it has not come by then. So what
 * a client takes and never gets done is no success, and is told at its moment like every other miss.
 */
import { nowMs } from "../clock";
import { Connection } from "../session/connection";
import { MISS_UNACKNOWLEDGED } from "../session/miss-frame";
import { missTell } from "../session/misses";
import { accountOf } from "./accounts";
import { dueNote } from "./due";
import { KEPT_BYTES, Kept, keptFree, Pending } from "./kept";
import { Mailbox, Meta, missesOf } from "./records";

/** Whether deliveries of a connection are over only when they are acknowledged. */
export function pendingWaits(connection: Connection): bool {
  return connection.pending !== 0 && changetype<Pending>(connection.pending).explicit !== 0;
}

/** Notes by when a delivery must be acknowledged. What left late was missed then. */
export function keptDue(connection: Connection, kept: Kept, meta: Meta): void {
  kept.deadline = meta.deadline;
  kept.source = missesOf(meta);
  if (meta.deadline < nowMs) kept.told = 1;
  else dueOf(connection, meta.deadline);
}

function dueOf(connection: Connection, deadlineMs: f64): void {
  const pending = changetype<Pending>(connection.pending);
  if (pending.explicit === 0 || deadlineMs >= pending.dueMs) return;
  pending.dueMs = deadlineMs;
  dueNote(changetype<Mailbox>(connection.inbox), deadlineMs);
}

/**
 * The last delivery is of a stream, which has deadlines of its own: it must be acknowledged by this one; Infinity: it was missed.
 * False where its acknowledgement is not waited for.
 */
export function pendingStream(connection: Connection, deadlineMs: f64): bool {
  if (!pendingWaits(connection)) return false;
  const last = changetype<Kept>(changetype<Pending>(connection.pending).tail);
  last.deadline = deadlineMs;
  last.told = <u32>(deadlineMs === Infinity);
  dueOf(connection, deadlineMs);
  return true;
}

/** Tells of deliveries whose deadline has passed while they waited for their acknowledgement; returns when the next one does. */
export function pendingLook(connection: Connection): f64 {
  if (!pendingWaits(connection)) return Infinity;
  const pending = changetype<Pending>(connection.pending);
  if (pending.dueMs >= nowMs) return pending.dueMs;
  pending.dueMs = Infinity;
  for (let at = pending.head; at !== 0; at = changetype<Kept>(at).next) {
    const kept = changetype<Kept>(at);
    if (kept.told !== 0) continue;
    if (kept.deadline >= nowMs) pending.dueMs = min<f64>(pending.dueMs, kept.deadline);
    else keptMiss(connection, kept);
  }
  return pending.dueMs;
}

function keptMiss(connection: Connection, kept: Kept): void {
  kept.told = 1;
  const entryAt = changetype<u32>(kept) + KEPT_BYTES;
  missTell(connection, kept.channel, entryAt, kept.source, nowMs - kept.deadline, MISS_UNACKNOWLEDGED);
}

/** A delivery is acknowledged: its deadline is met, or it is missed by now. */
export function keptDone(connection: Connection, kept: Kept): void {
  const pending = changetype<Pending>(connection.pending);
  if (pending.explicit !== 0 && kept.told === 0 && kept.deadline !== Infinity) {
    if (kept.deadline >= nowMs) accountOf(connection.number, kept.channel).met++;
    else keptMiss(connection, kept);
  }
  keptFree(pending, kept);
}
