/**
 * A session that changes its carrier: what belongs to the way in and out goes over from the connection on which its peer
 * came back; members, inbox, counts and credit stay where they are, and with them the number of the connection.
 */
import { CONNECTION_STREAM } from "../abi";
import { Member } from "../channel/member";
import { Connection, CREDIT_NONE, CREDIT_PACED, dirtyPush } from "./connection";
import { controlFree } from "./control";
import { carryFree } from "./stream";

/** From here to the end of the record all is about WebSocket framing. */
const WS_OFFSET: u32 = offsetof<Connection>("wsRemaining");
const RECORD_BYTES: u32 = 512;

/**
 * The carrier is gone: forgets input that was cut off and answers that were not written, and holds deliveries back. What the core has to
 * tell meanwhile waits in the place of answers, framed for no carrier yet.
 */
export function connectionPark(connection: Connection): void {
  leave(connection);
  controlFree(connection);
  // Told last time, and not sent before the carrier was gone again.
  if (connection.awayBytes !== 0) {
    connection.controlAt = connection.awayAt;
    connection.controlBytes = connection.awayBytes;
    connection.controlCapacity = connection.awayCapacity;
    connection.awayAt = connection.awayBytes = connection.awayCapacity = 0;
  }
  connection.kind = CONNECTION_STREAM;
  connection.away = 1;
}

/** The way in and out of a connection is gone. */
function leave(connection: Connection): void {
  carryFree(connection);
  memory.fill(changetype<u32>(connection) + WS_OFFSET, 0, RECORD_BYTES - WS_OFFSET);
  connection.resumeAt = 0;
  if (connection.credit === CREDIT_PACED) connection.credit = CREDIT_NONE;
  connection.held = 1;
  // Nothing may come in: there is nobody who could send it.
  connection.closing = 1;
}

/** Gives a connection that was parked the way in and out of another one, which then has none and is to be closed. */
export function connectionMove(connection: Connection, from: Connection): void {
  if (connection.away === 0) connectionPark(connection);
  leave(connection);
  connection.away = 0;
  connection.awayAt = connection.controlAt;
  connection.awayBytes = connection.controlBytes;
  connection.awayCapacity = connection.controlCapacity;
  connection.kind = from.kind;
  connection.closing = from.closing;
  connection.carryAt = from.carryAt;
  connection.carryBytes = from.carryBytes;
  connection.carryCapacity = from.carryCapacity;
  connection.carryNeed = from.carryNeed;
  from.carryAt = from.carryBytes = from.carryCapacity = from.carryNeed = 0;
  connection.controlAt = from.controlAt;
  connection.controlBytes = from.controlBytes;
  connection.controlCapacity = from.controlCapacity;
  connection.controlRead = from.controlRead;
  from.controlAt = from.controlBytes = from.controlCapacity = from.controlRead = 0;
  memory.copy(changetype<u32>(connection) + WS_OFFSET, changetype<u32>(from) + WS_OFFSET, RECORD_BYTES - WS_OFFSET);
  // A window is the carrier's, what was granted is the session's.
  if (connection.credit === CREDIT_NONE && from.credit === CREDIT_PACED) {
    connection.credit = CREDIT_PACED;
    connection.creditEvents = from.creditEvents;
    connection.creditBytes = from.creditBytes;
  }
  from.closing = 1;
  creditForget(connection);
  dirtyPush(connection);
}

/** Credit that was told may be lost: the peer has its first credit again, and hears of what is spent from now on. */
function creditForget(connection: Connection): void {
  connection.grants = 0;
  for (let at = connection.members; at !== 0; at = changetype<Member>(at).nextOfConnection) {
    const member = changetype<Member>(at);
    member.granting = member.nextGrant = member.spentEvents = member.spentBytes = 0;
  }
}
