/**
 * A stored entry: the very bytes in which one event is delivered, a size-delimited HostFrame with one Delivery.
 *
 *   varint frame size │ 0A varint │ 0A varint │ 08 channel │ 10 sequence │ 1A varint │ event │ appended │ [20 member]
 *                       deliver     events      (Delivery fields)          event field
 *
 * Nothing in it differs per sink but `member`, which only sessions with several memberships of a channel get in a
 * copy of their own. Source: schemas/sluice/v1/frame.proto, HostFrame and Delivery.
 */
import { cursor, varintBytes, varintRead, varintWrite } from "./wire";

/** Bytes of the Delivery, set by entryBytes(). */
let deliveryBytes: u32 = 0;

/** Bytes of the whole entry for an event of `eventBytes`, what is appended included. `member` 0: none. */
export function entryBytes(channel: u32, sequence: u64, eventBytes: u32, member: u32): u32 {
  let bytes = 3 + varintBytes(channel) + varintBytes(sequence) + varintBytes(eventBytes) + eventBytes;
  if (member !== 0) bytes += 1 + varintBytes(member);
  deliveryBytes = bytes;
  const deliver = 1 + varintBytes(bytes) + bytes;
  const frame = 1 + varintBytes(deliver) + deliver;
  return varintBytes(frame) + frame;
}

/** Writes what stands before the event, after entryBytes() with the same arguments; returns where the event goes. */
export function entryHeadWrite(at: u32, channel: u32, sequence: u64, eventBytes: u32): u32 {
  const deliver = 1 + varintBytes(deliveryBytes) + deliveryBytes;
  at = varintWrite(at, 1 + varintBytes(deliver) + deliver);
  store<u8>(at, 0x0a);
  at = varintWrite(at + 1, deliver);
  store<u8>(at, 0x0a);
  at = varintWrite(at + 1, deliveryBytes);
  store<u8>(at, 0x08);
  at = varintWrite(at + 1, channel);
  store<u8>(at, 0x10);
  at = varintWrite(at + 1, sequence);
  store<u8>(at, 0x1a);
  return varintWrite(at + 1, eventBytes);
}

/**
 * The head last written by entryPrepare(). Events of one source mostly have one size, so all of it but channel and
 * sequence is the same again: it is copied and those two are put in.
 */
const lastHeadAt: u32 = <u32>memory.data(48);
let lastChannelBytes: u32 = 0;
let lastEventBytes: u32 = 0;
let lastSequenceBytes: u32 = 0;
let lastHeadBytes: u32 = 0;
let lastSize: u32 = 0;
let lastChannelOffset: u32 = 0;

/** Bytes of the entry of an event, as entryBytes() without a member, prepared for entryHeadCopy(). */
export function entryPrepare(channel: u32, sequence: u64, eventBytes: u32): u32 {
  const channelBytes = varintBytes(channel);
  const sequenceBytes = varintBytes(sequence);
  if (eventBytes === lastEventBytes && channelBytes === lastChannelBytes && sequenceBytes === lastSequenceBytes)
    return lastSize;
  lastSize = entryBytes(channel, sequence, eventBytes, 0);
  lastHeadBytes = entryHeadWrite(lastHeadAt, channel, sequence, eventBytes) - lastHeadAt;
  lastChannelBytes = channelBytes;
  lastEventBytes = eventBytes;
  lastSequenceBytes = sequenceBytes;
  lastChannelOffset = lastHeadBytes - varintBytes(eventBytes) - 2 - sequenceBytes - channelBytes;
  return lastSize;
}

/** Writes the head that was prepared, which is shorter than 32 bytes; returns where the event goes. */
export function entryHeadCopy(at: u32, channel: u32, sequence: u64): u32 {
  v128.store(at, v128.load(lastHeadAt));
  v128.store(at, v128.load(lastHeadAt, 16), 16);
  varintWrite(varintWrite(at + lastChannelOffset, channel) + 1, sequence);
  return at + lastHeadBytes;
}

/** Writes the member after the event. */
export function entryMemberWrite(at: u32, member: u32): void {
  store<u8>(at, 0x20);
  varintWrite(at + 1, member);
}

/** Size of the entry at `at`, its own size prefix included. Entries are ours and well-formed. */
export function entrySize(at: u32): u32 {
  const first = <u32>load<u8>(at);
  if (first < 0x80) return first + 1;
  const second = <u32>load<u8>(at, 1);
  if (second < 0x80) return ((second << 7) | (first & 0x7f)) + 2;
  const frame = <u32>varintRead(at, at + 10);
  return cursor - at + frame;
}

/** Address behind the varint at `at`, which is whole. */
function varintEnd(at: u32): u32 {
  while (load<u8>(at) >= 0x80) at++;
  return at + 1;
}

/** Channel number of the entry at `at`; leaves `cursor` at the sequence's tag. */
export function entryChannel(at: u32): u32 {
  at = varintEnd(varintEnd(varintEnd(at) + 1) + 1) + 1;
  return <u32>varintRead(at, at + 8);
}

/** Sequence and size of the event that entryEvent() found. */
export let entrySequence: u64 = 0;
export let entryEventBytes: u32 = 0;

/** Address of the event in the entry at `at`; leaves sequence and size in entrySequence and entryEventBytes. */
export function entryEvent(at: u32): u32 {
  entryChannel(at);
  entrySequence = varintRead(cursor + 1, cursor + 16);
  entryEventBytes = <u32>varintRead(cursor + 1, cursor + 16);
  return cursor;
}
