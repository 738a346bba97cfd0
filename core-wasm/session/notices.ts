/** What the core tells a session of its own accord: deliveries it will not get, and credit for its sources. */
import { DROPPED_CANCELLED, DROPPED_CONFLATED, DROPPED_LATE, DROPPED_OVERFLOW } from "../abi";
import { Member } from "../channel/member";
import { cursor, varintBytes, varintRead, varintWrite } from "../event/wire";
import { heapGive } from "../memory/heap";
import { Connection } from "./connection";
import { controlFrame, ENTRY_HEAD_BYTES } from "./control";

/** Room for one frame: two tags and lengths, three varints, the longest reason. */
const frameAt: u32 = <u32>memory.data(96);
const TAG_CREDIT: u8 = 0x12;
const TAG_DROPPED: u8 = 0x22;

/** The reasons as docs/frames.md names them, each with its length before it. */
const reasonsAt: u32 = <u32>memory.data<u8>([
  8,
  0x6f,
  0x76,
  0x65,
  0x72,
  0x66,
  0x6c,
  0x6f,
  0x77, // "overflow"
  4,
  0x6c,
  0x61,
  0x74,
  0x65, // "late"
  9,
  0x63,
  0x61,
  0x6e,
  0x63,
  0x65,
  0x6c,
  0x6c,
  0x65,
  0x64, // "cancelled"
  9,
  0x63,
  0x6f,
  0x6e,
  0x66,
  0x6c,
  0x61,
  0x74,
  0x65,
  0x64, // "conflated"
]);

/** Where the word of a reason lies. */
function reasonOf(reason: u32): u32 {
  if (reason === DROPPED_OVERFLOW) return reasonsAt;
  return reasonsAt + (reason === DROPPED_LATE ? 9 : reason === DROPPED_CANCELLED ? 14 : 24);
}

/** Whether a connection has something to tell of its own accord. */
export function noticesAny(connection: Connection): bool {
  return (connection.notices | connection.grants | connection.awayBytes) !== 0;
}

/** Queues all notices that wait on a connection: what it could not be told while its carrier was gone comes first. */
export function noticesPush(connection: Connection): void {
  const end = connection.awayAt + connection.awayBytes;
  for (let at = connection.awayAt; at < end; ) {
    const bytes = load<u32>(at);
    const size = <u32>varintRead(at + ENTRY_HEAD_BYTES, end);
    controlFrame(connection, cursor, size);
    at += ENTRY_HEAD_BYTES + bytes;
  }
  awayFree(connection);
  while (connection.notices !== 0) {
    const member = changetype<Member>(connection.notices);
    connection.notices = member.nextNotice;
    member.noticed = member.nextNotice = 0;
    droppedPush(connection, member.channel, DROPPED_OVERFLOW, member.droppedOverflow);
    droppedPush(connection, member.channel, DROPPED_LATE, member.droppedLate);
    droppedPush(connection, member.channel, DROPPED_CANCELLED, member.droppedCancelled);
    droppedPush(connection, member.channel, DROPPED_CONFLATED, member.droppedConflated);
    member.droppedOverflow = member.droppedLate = member.droppedCancelled = member.droppedConflated = 0;
  }
  while (connection.grants !== 0) {
    const source = changetype<Member>(connection.grants);
    connection.grants = source.nextGrant;
    source.granting = source.nextGrant = 0;
    creditPush(connection, source);
  }
}

/** Forgets what was to be told. */
export function awayFree(connection: Connection): void {
  if (connection.awayAt !== 0) heapGive(connection.awayAt, connection.awayCapacity);
  connection.awayAt = connection.awayBytes = connection.awayCapacity = 0;
}

/** HostFrame{dropped{channel_number 2, count 3, reason 4}}. */
function droppedPush(connection: Connection, channel: u32, reason: u32, count: u32): void {
  if (count === 0) return;
  const reasonAt = reasonOf(reason);
  const reasonBytes = <u32>load<u8>(reasonAt) + 1;
  const body = 3 + varintBytes(channel) + varintBytes(count) + reasonBytes;
  let at = frameAt;
  store<u8>(at, TAG_DROPPED);
  at = varintWrite(at + 1, body);
  store<u8>(at, 0x10);
  at = varintWrite(at + 1, channel);
  store<u8>(at, 0x18);
  at = varintWrite(at + 1, count);
  store<u8>(at, 0x22);
  memory.copy(at + 1, reasonAt, reasonBytes);
  controlFrame(connection, frameAt, at + 1 + reasonBytes - frameAt);
}

/** HostFrame{credit{channel_number 2, events 3, bytes 4}}: what left the outbox may be sent again. */
function creditPush(connection: Connection, source: Member): void {
  // Below zero: room was taken away that the source has credit for.
  const events = <u32>max<i32>(<i32>source.spentEvents, 0);
  const bytes = <u32>max<i32>(<i32>source.spentBytes, 0);
  if ((events | bytes) === 0) return;
  const body = 3 + varintBytes(source.channel) + varintBytes(events) + varintBytes(bytes);
  let at = frameAt;
  store<u8>(at, TAG_CREDIT);
  at = varintWrite(at + 1, body);
  store<u8>(at, 0x10);
  at = varintWrite(at + 1, source.channel);
  store<u8>(at, 0x18);
  at = varintWrite(at + 1, events);
  store<u8>(at, 0x20);
  at = varintWrite(at + 1, bytes);
  source.spentEvents -= events;
  source.spentBytes -= bytes;
  controlFrame(connection, frameAt, at - frameAt);
}
