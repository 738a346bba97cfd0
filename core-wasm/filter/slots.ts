/**
 * Slots: the numbers by which modules know the sinks of a channel. A sink has its slot from the moment at which the channel
 * gets a decider, or at which it joins, until it leaves; the slot that has been free longest is given again first.
 *
 *   record │ bitmap of the slots in use      members: address of the Member, or (next free << 1) | 1
 */

import { Channel } from "../channel/channel";
import { Live, liveTake } from "../channel/live";
import { Member } from "../channel/member";
import { joinedSink } from "../channel/sinks";
import { heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { DECIDER_SINKS_MAX } from "./abi";

/** The slots of one channel. */
@unmanaged
export class Slots {
  membersAt: u32;
  capacity: u32;
  /** Slots ever used: all are below it. */
  high: u32;
  /** First and last free slot, plus 1; 0: none. */
  freeFirst: u32;
  freeLast: u32;
  reserved: u32;
}
const HEAD_BYTES: u32 = offsetof<Slots>();
/** A bitmap by slot. */
export const SLOT_BITS_BYTES: u32 = DECIDER_SINKS_MAX / 8;
const CAPACITY_MIN: u32 = 16;

/** The bitmap of the slots in use. */
export function slotsUsed(slots: Slots): u32 {
  return changetype<u32>(slots) + HEAD_BYTES;
}

/** Words of a bitmap for the slots that were ever used. */
export function slotWords(slots: Slots): u32 {
  return (slots.high + 31) >> 5;
}

/** Address of the Member in a slot, 0 where it is free. */
export function slotMember(slots: Slots, slot: u32): u32 {
  const at = load<u32>(slots.membersAt + slot * 4);
  return (at & 1) !== 0 ? 0 : at;
}

/** Slots for the sinks of a channel, in join order; 0 where memory is used up. */
export function slotsNew(channel: Channel): u32 {
  const address = heapTakeZero(HEAD_BYTES + SLOT_BITS_BYTES);
  if (address === 0) return 0;
  const slots = changetype<Slots>(address);
  for (let place: u32 = 0; place < channel.joined; place++) {
    const sink = joinedSink(channel, place);
    if (sink === 0 || slotTake(slots, changetype<Member>(sink))) continue;
    slotsFree(address);
    return 0;
  }
  return address;
}

/** Frees the slots of a channel. */
export function slotsFree(address: u32): void {
  const slots = changetype<Slots>(address);
  if (slots.membersAt !== 0) heapGive(slots.membersAt, slots.capacity * 4);
  heapGive(address, HEAD_BYTES + SLOT_BITS_BYTES);
}

/** The slot of a sink that has one. */
export function slotOf(member: Member): u32 {
  return changetype<Live>(member.live).slot;
}

/** Gives a sink a slot. Returns false where memory is used up. */
export function slotTake(slots: Slots, member: Member): bool {
  if (liveTake(member) === 0) return false;
  let slot = slots.high;
  if (slots.freeFirst !== 0) {
    slot = slots.freeFirst - 1;
    slots.freeFirst = load<u32>(slots.membersAt + slot * 4) >> 1;
    if (slots.freeFirst === 0) slots.freeLast = 0;
  } else {
    if (slot === slots.capacity && !grow(slots)) return false;
    slots.high++;
  }
  store<u32>(slots.membersAt + slot * 4, changetype<u32>(member));
  const word = slotsUsed(slots) + (slot >> 5) * 4;
  store<u32>(word, load<u32>(word) | ((<u32>1) << (slot & 31)));
  changetype<Live>(member.live).slot = slot;
  return true;
}

/** Frees a sink's slot. */
export function slotGive(slots: Slots, slot: u32): void {
  store<u32>(slots.membersAt + slot * 4, 1);
  if (slots.freeLast === 0) slots.freeFirst = slot + 1;
  else store<u32>(slots.membersAt + (slots.freeLast - 1) * 4, ((slot + 1) << 1) | 1);
  slots.freeLast = slot + 1;
  const word = slotsUsed(slots) + (slot >> 5) * 4;
  store<u32>(word, load<u32>(word) & ~((<u32>1) << (slot & 31)));
}

function grow(slots: Slots): bool {
  const capacity = slots.capacity === 0 ? CAPACITY_MIN : slots.capacity * 2;
  const at = heapTake(capacity * 4);
  if (at === 0) return false;
  if (slots.membersAt !== 0) {
    memory.copy(at, slots.membersAt, slots.capacity * 4);
    heapGive(slots.membersAt, slots.capacity * 4);
  }
  slots.membersAt = at;
  slots.capacity = capacity;
  return true;
}
