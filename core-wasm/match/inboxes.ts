/** The part of the ABI that is about inboxes by themselves; index.ts hands it on. */
import { STATUS_MEMBER_UNKNOWN } from "../abi";
import { Pending } from "../mailbox/kept";
import { Mailbox } from "../mailbox/records";
import { connectionFind } from "../session/connection";
import { inboxConfigure } from "./membership";

/** See CoreExports.inboxSet(). */
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

/** See CoreExports.inboxEvents(). */
export function inboxEvents(number: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return 0;
  const again: u32 = connection.pending === 0 ? 0 : changetype<Pending>(connection.pending).againEvents;
  return changetype<Mailbox>(connection.inbox).events + again;
}

/** See CoreExports.inboxBytes(). */
export function inboxBytes(number: u32): u32 {
  const connection = connectionFind(number);
  if (connection === null) return 0;
  const again: u32 = connection.pending === 0 ? 0 : changetype<Pending>(connection.pending).againBytes;
  return changetype<Mailbox>(connection.inbox).bytes + again;
}
