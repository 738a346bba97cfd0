/**
 * The outbox of a source: what was accepted and can't leave yet, because a sink's inbox of policy `block` is full.
 *
 * It is as large as the credit that its source was granted. An event gets its sequence when it leaves, and its
 * `source` when it enters, since its session may be gone by then.
 *
 *   node: u32 next │ u32 event bytes │ f64 accepted at, ms │ u32 cancelled │ u32 connection │ event
 */
import {
  EVENT_BYTES_MAX,
  SOURCE_CREDIT_BYTES,
  SOURCE_CREDIT_EVENTS,
  STATUS_EVENT_TOO_LARGE,
  STATUS_NO_CREDIT,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { SCAN_SOURCE, scanEvent, scanFlags, scanKeyAt, scanKeyBytes } from "../event/scan";
import { eventTimeUs } from "../event/time";
import { varintBytes, varintWrite } from "../event/wire";
import { bytesEqual } from "../memory/bytes";
import { heapGive, heapTake } from "../memory/heap";
import { resultStatus } from "../result";

/** One event that waits in an outbox; its bytes follow the record. */
@unmanaged
export class OutboxNode {
  next: u32;
  bytes: u32;
  acceptedMs: f64;
  cancelled: u32;
  connection: u32;
}
export const NODE_BYTES: u32 = offsetof<OutboxNode>();

/** `time_us`, `deliver_by_us` and `priority`, which may be appended when the event leaves. */
const APPENDED_BYTES_MAX: u32 = 9 + 9 + 2;

/** Appends an event that was scanned just now. Returns a status. */
export function outboxPush(
  source: Member,
  channel: Channel,
  at: u32,
  bytes: u32,
  sourceAt: u32,
  sourceBytes: u32,
  acceptedMs: f64,
): u32 {
  const extra = (scanFlags & SCAN_SOURCE) !== 0 ? 0 : 1 + varintBytes(sourceBytes) + sourceBytes;
  const final = bytes + extra + APPENDED_BYTES_MAX;
  if (final > EVENT_BYTES_MAX) return resultStatus(STATUS_EVENT_TOO_LARGE, final, EVENT_BYTES_MAX);
  if (source.outboxEvents >= SOURCE_CREDIT_EVENTS || source.outboxBytes + bytes + extra > SOURCE_CREDIT_BYTES) {
    return resultStatus(STATUS_NO_CREDIT, source.outboxEvents, SOURCE_CREDIT_EVENTS - source.outboxEvents);
  }
  const address = heapTake(NODE_BYTES + bytes + extra);
  if (address === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const node = changetype<OutboxNode>(address);
  node.next = 0;
  node.bytes = bytes + extra;
  node.acceptedMs = acceptedMs;
  node.cancelled = 0;
  node.connection = source.connection;
  memory.copy(address + NODE_BYTES, at, bytes);
  if (extra !== 0) {
    store<u8>(address + NODE_BYTES + bytes, 0x12);
    memory.copy(varintWrite(address + NODE_BYTES + bytes + 1, sourceBytes), sourceAt, sourceBytes);
  }
  if (source.outboxEvents === 0) {
    source.outboxHead = address;
    outboxList(channel, source);
  } else {
    changetype<OutboxNode>(source.outboxTail).next = address;
  }
  source.outboxTail = address;
  source.outboxEvents++;
  source.outboxBytes += node.bytes;
  return STATUS_OK;
}

/** Removes the first event of an outbox. */
export function outboxShift(source: Member): void {
  const address = source.outboxHead;
  const node = changetype<OutboxNode>(address);
  source.outboxHead = node.next;
  source.outboxEvents--;
  source.outboxBytes -= node.bytes;
  if (source.outboxEvents === 0) source.outboxTail = 0;
  heapGive(address, NODE_BYTES + node.bytes);
}

/** Puts a source at the end of its channel's list of filled outboxes. */
export function outboxList(channel: Channel, source: Member): void {
  const at = changetype<u32>(source);
  source.nextOutbox = 0;
  if (channel.outboxes === 0) channel.outboxes = at;
  else changetype<Member>(channel.outboxesTail).nextOutbox = at;
  channel.outboxesTail = at;
}

/** Takes the first source off its channel's list. */
export function outboxUnlistFirst(channel: Channel): Member {
  const source = changetype<Member>(channel.outboxes);
  channel.outboxes = source.nextOutbox;
  if (channel.outboxes === 0) channel.outboxesTail = 0;
  return source;
}

/** Marks the events of a key in all outboxes of a channel as cancelled; returns how many. */
export function outboxesCancel(channel: Channel, keyAt: u32, keyBytes: u32, atUs: i64): u32 {
  let cancelled: u32 = 0;
  for (let at = channel.outboxes; at !== 0; at = changetype<Member>(at).nextOutbox) {
    for (
      let address = changetype<Member>(at).outboxHead;
      address !== 0;
      address = changetype<OutboxNode>(address).next
    ) {
      const node = changetype<OutboxNode>(address);
      scanEvent(address + NODE_BYTES, node.bytes);
      if (eventTimeUs(address + NODE_BYTES, node.bytes, <i64>(node.acceptedMs * 1000)) > atUs) continue;
      if (node.cancelled === 0 && bytesEqual(scanKeyAt, scanKeyBytes, keyAt, keyBytes)) {
        node.cancelled = 1;
        cancelled++;
      }
    }
  }
  return cancelled;
}
