/** The credit of a source, which is the room of its outbox (docs/adr/0005): what leaves may be sent again. */
import { CONNECTION_LOCAL, SOURCE_CREDIT_BYTES, SOURCE_CREDIT_EVENTS } from "../abi";
import { Member } from "../channel/member";
import { Mailbox } from "../mailbox/records";
import { Connection, dirtyPush } from "../session/connection";

/** Notes that events have left the outbox; half of the credit is given back at a time. */
export function creditSpend(connection: Connection, source: Member, events: u32, bytes: u32): void {
  source.spentEvents += events;
  source.spentBytes += bytes;
  if (source.granting !== 0) return;
  const own = source.outbox;
  const allEvents = own === 0 ? SOURCE_CREDIT_EVENTS : changetype<Mailbox>(own).capacityEvents;
  const allBytes = own === 0 ? SOURCE_CREDIT_BYTES : changetype<Mailbox>(own).capacityBytes;
  // Less than nothing: room was taken away, and what leaves does not make up for it yet.
  if (<i32>source.spentEvents < <i32>((allEvents + 1) / 2) && <i32>source.spentBytes < <i32>((allBytes + 1) / 2))
    return;
  grant(connection, source);
}

/** The same for what nobody waits for to add up: events that were dropped, room that was added (or taken away, below zero). */
export function creditGive(connection: Connection, source: Member, events: u32, bytes: u32): void {
  creditSpend(connection, source, events, bytes);
  if (source.granting === 0 && (<i32>source.spentEvents > 0 || <i32>source.spentBytes > 0)) grant(connection, source);
}

function grant(connection: Connection, source: Member): void {
  if (connection.kind === CONNECTION_LOCAL) {
    source.spentEvents = source.spentBytes = 0;
    return;
  }
  source.granting = 1;
  source.nextGrant = connection.grants;
  connection.grants = changetype<u32>(source);
  dirtyPush(connection);
}
