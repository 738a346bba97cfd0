/**
 * Events that wait for a sink: on a channel with `empty: hold`, those for which nobody was selected. They are sequenced
 * already, so they are kept as the entries that they were, with the routes that their source carried.
 *
 *   node: record │ entry (head and event)
 */
import {
  CHANNEL_LATE_DIVERT,
  DROPPED_LATE,
  EMPTY_HELD_MAX,
  STATISTIC_DROPPED_LEFT,
  STATISTIC_DROPPED_OVERFLOW,
} from "../abi";
import { Channel } from "../channel/channel";
import { nowMs } from "../clock";
import { entryEvent, entryEventBytes } from "../event/entry";
import { eventTimeUs } from "../event/time";
import { divertKeep } from "../mailbox/diverted";
import { bytesEqual } from "../memory/bytes";
import { heapGive, heapTake } from "../memory/heap";
import { statisticAdd } from "../statistics";
import { Filters, filtersMark } from "./bind";
import { heldDueEnd, heldDueNote } from "./held-due";
import { carryEnd, carryUse, parkedUnhold } from "./parking";

/** One event that waits; its entry follows the record. */
@unmanaged
export class HeldNode {
  /** When it is dropped from here, ms; Infinity: never. */
  deadline: f64;
  next: u32;
  bytes: u32;
  /** Where the key lies, from the entry, and its size; 0: none. */
  keyOffset: u32;
  keyBytes: u32;
  /** Of the submitter, who may have gone. */
  connection: u32;
  /** What its source carried, 0: nothing. */
  routesOut: u32;
  routesIn: u32;
  deciderOut: u32;
  deciderIn: u32;
  /** The channel keeps it in its ring already. */
  stored: u32;
  /** It waits for a decider again (parked.ts), and the last attempt that it was part of, as Filters.attempt counts. */
  parked: u32;
  attempt: u32;
}
export const HELD_HEAD_BYTES: u32 = offsetof<HeldNode>();

/** Channels whose held events are worth another attempt (list through Filters.nextRetry). */
let retries: u32 = 0;

/** Forgets everything. */
export function heldInit(): void {
  retries = 0;
}

/** Adds the entry at [at, at + bytes); the node, 0 where there are too many or memory is used up. */
export function heldPush(
  channel: Channel,
  at: u32,
  bytes: u32,
  routesOut: u32,
  routesIn: u32,
  deciderOut: u32,
  deciderIn: u32,
): u32 {
  const filters = changetype<Filters>(channel.filters);
  if (filters.held >= EMPTY_HELD_MAX) return 0;
  const address = heapTake(HELD_HEAD_BYTES + bytes);
  if (address === 0) return 0;
  const node = changetype<HeldNode>(address);
  memory.copy(address + HELD_HEAD_BYTES, at, bytes);
  node.next = 0;
  node.bytes = bytes;
  node.routesOut = routesOut;
  node.routesIn = routesIn;
  node.deciderOut = deciderOut;
  node.deciderIn = deciderIn;
  node.parked = 0;
  node.attempt = filters.attempt;
  carryUse(channel, routesOut, routesIn, deciderOut, deciderIn);
  if (filters.heldHead === 0) filters.heldHead = address;
  else changetype<HeldNode>(filters.heldTail).next = address;
  filters.heldTail = address;
  filters.held++;
  filtersMark(channel);
  return address;
}

/** Takes a node out, whose predecessor is `previous` (0: it is the first). */
export function heldRemove(channel: Channel, previous: u32, address: u32): void {
  const filters = changetype<Filters>(channel.filters);
  const node = changetype<HeldNode>(address);
  if (previous === 0) filters.heldHead = node.next;
  else changetype<HeldNode>(previous).next = node.next;
  if (filters.heldTail === address) filters.heldTail = previous;
  filters.held--;
  if (node.parked !== 0) parkedUnhold(address);
  carryEnd(node.routesOut, node.routesIn, node.deciderOut, node.deciderIn);
  heapGive(address, HELD_HEAD_BYTES + node.bytes);
  filtersMark(channel);
}

/** Something has changed that may give held events a sink: they are tried again at the end of this turn. */
export function heldWake(channel: Channel): void {
  if (channel.filters === 0) return;
  const filters = changetype<Filters>(channel.filters);
  if (filters.held === 0) return;
  filters.attempt++;
  heldAgain(filters);
}

/** The attempt goes on at the end of this turn. */
export function heldAgain(filters: Filters): void {
  if (filters.retry !== 0) return;
  filters.retry = 1;
  filters.nextRetry = retries;
  retries = changetype<u32>(filters);
}

/** The node before another one of the channel, 0: that is the first. */
export function heldBefore(channel: Channel, address: u32): u32 {
  let before: u32 = 0;
  let at = changetype<Filters>(channel.filters).heldHead;
  while (at !== address) {
    before = at;
    at = changetype<HeldNode>(at).next;
  }
  return before;
}

/** Whether held events of any channel are to be tried again. */
export function heldDue(): bool {
  return retries !== 0;
}

/** The next channel whose held events are to be tried again, null where there is none. */
export function heldNextRetry(): Channel | null {
  if (retries === 0) return null;
  const filters = changetype<Filters>(retries);
  retries = filters.nextRetry;
  filters.retry = 0;
  return changetype<Channel>(filters.channel);
}

/** Removes those of a key that are not younger than `atUs`; returns how many. */
export function heldCancel(channel: Channel, keyAt: u32, keyBytes: u32, atUs: i64): u32 {
  if (channel.filters === 0) return 0;
  let removed: u32 = 0;
  let previous: u32 = 0;
  for (let at = changetype<Filters>(channel.filters).heldHead; at !== 0; ) {
    const node = changetype<HeldNode>(at);
    const next = node.next;
    const entry = at + HELD_HEAD_BYTES;
    const same = node.keyBytes !== 0 && bytesEqual(entry + node.keyOffset, node.keyBytes, keyAt, keyBytes);
    if (same && eventTimeUs(entryEvent(entry), entryEventBytes, 0) <= atUs) {
      heldRemove(channel, previous, at);
      removed++;
    } else {
      previous = at;
    }
    at = next;
  }
  return removed;
}

/** Drops, or diverts, what a channel holds and nobody may begin with any more, and finds the moment of the rest. */
export function heldExpire(channel: Channel): void {
  const filters = changetype<Filters>(channel.filters);
  heldDueEnd(filters);
  let previous: u32 = 0;
  for (let at = filters.heldHead; at !== 0; ) {
    const node = changetype<HeldNode>(at);
    const next = node.next;
    if (node.deadline < nowMs) {
      if ((channel.flags & CHANNEL_LATE_DIVERT) !== 0) divertKeep(at + HELD_HEAD_BYTES, 0);
      statisticAdd(STATISTIC_DROPPED_OVERFLOW + DROPPED_LATE, 1);
      heldRemove(channel, previous, at);
    } else {
      heldDueNote(filters, node.deadline);
      previous = at;
    }
    at = next;
  }
}

/** Discards and counts all that waits on a channel that ends. */
export function heldDrop(channel: Channel): void {
  if (channel.filters === 0) return;
  const filters = changetype<Filters>(channel.filters);
  statisticAdd(STATISTIC_DROPPED_LEFT, filters.held);
  heldDueEnd(filters);
  while (filters.heldHead !== 0) heldRemove(channel, 0, filters.heldHead);
  if (filters.retry === 0) return;
  if (retries === channel.filters) retries = filters.nextRetry;
  for (let at = retries; at !== 0; at = changetype<Filters>(at).nextRetry) {
    if (changetype<Filters>(at).nextRetry === channel.filters) changetype<Filters>(at).nextRetry = filters.nextRetry;
  }
}
