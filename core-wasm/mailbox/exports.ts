/** The part of the ABI that is about deliveries which may have to be made again; promised in host/core/exports.ts. */
import { DROPPED_REASONS, STATUS_MEMBER_UNKNOWN } from "../abi";
import { lossCount } from "../channel/losses";
import { clockSet } from "../clock";
import { resultStatus } from "../result";
import { connectionFind } from "../session/connection";
import { pendingDead, pendingExplicit, pendingTick } from "./pending";
import { Mailbox } from "./records";

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
