/**
 * The records of what was delivered and is kept: until it is acknowledged, or for a session that may come back.
 *
 *   Connection ─ pending ─▶ Pending ── head … tail ──▶ Kept ⇄ Kept ⇄ Kept          by number
 *                                   ── queues[n] ────▶ Kept ─▶ Kept                by what it waits for
 *
 * A Kept record holds a copy of the entry: what one session has not acknowledged pins no slab, and its acknowledgements
 * may come in any order without splitting anybody's runs (docs/adr/0024).
 */
import { entrySize } from "../event/entry";
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";

/** Waits for an acknowledgement, after having been sent once, twice, … ; the last level is for all later times. */
export const QUEUE_LEVELS: u32 = 6;
/** Is to be sent again as soon as there is credit. */
export const QUEUE_AGAIN: u32 = 6;
/** Was sent as often as it may be. */
export const QUEUE_DEAD: u32 = 7;
/** Is only there for a session that comes back. */
export const QUEUE_WINDOW: u32 = 8;
const QUEUES: u32 = 9;

/** What a connection keeps of its deliveries. */
@unmanaged
export class Pending {
  redeliverMs: f64;
  /** Number of the last delivery that is not kept any more although nobody acknowledged it. */
  lost: u64;
  /** No later than the earliest deadline of what waits for an acknowledgement and was not missed yet. */
  dueMs: f64;
  connection: u32;
  /** Deliveries wait for an acknowledgement; else they are kept for a session that comes back. */
  explicit: u32;
  /** How often one event is sent at most. */
  attempts: u32;
  /** As they were set: what is kept counts against them. */
  capacityEvents: u32;
  capacityBytes: u32;
  /** Of what is kept for a session that comes back. */
  windowEvents: u32;
  windowBytes: u32;
  head: u32;
  tail: u32;
  events: u32;
  bytes: u32;
  againEvents: u32;
  againBytes: u32;
  /** Something could not be delivered, because there was no memory to keep it. */
  starved: u32;
  /** QUEUES pairs of head and tail follow. */
  queues: u32;
}

const QUEUES_OFFSET: u32 = offsetof<Pending>("queues");
/** Size of a Pending with its queues. */
export const PENDING_BYTES: u32 = QUEUES_OFFSET + QUEUES * 8;

/** One delivery; its entry follows. */
@unmanaged
export class Kept {
  number: u64;
  /** When it was sent last, on the service clock. */
  sentMs: f64;
  next: u32;
  previous: u32;
  queueNext: u32;
  queuePrevious: u32;
  queue: u32;
  /** How often it was sent. */
  attempts: u32;
  /** Of the entry. */
  bytes: u32;
  channel: u32;
  /** The moment by which it had to be done, ms; Infinity: it had none. */
  deadline: f64;
  /** Connection of its source, where that wants to hear of misses, else 0; and whether a miss of it was told. */
  source: u32;
  told: u32;
}
export const KEPT_BYTES: u32 = offsetof<Kept>();

/** By connection and number. */
let index: u32 = 0;
/** Memory of all kept deliveries, and how much it may be: the rest of the heap is for everything else. */
let usedBytes: u32 = 0;
let usedBytesMax: u32 = 0;
/** All kept deliveries. */
let count: u32 = 0;

/** Connections have numbers of at most 21 bits: what is left of a key is more deliveries than any will see. */
const NUMBER_BITS: u64 = 43;

/** Forgets everything; at most `bytesMax` will be taken. Returns false where memory is too small. */
export function keptInit(bytesMax: u32): bool {
  usedBytes = count = 0;
  usedBytesMax = bytesMax;
  index = mapNew();
  return index !== 0;
}

/** Deliveries that are kept now, of all connections. */
export function keptCount(): u32 {
  return count;
}

/** The memory that they take, bytes. */
export function keptMemory(): u32 {
  return usedBytes;
}

function keyOf(pending: Pending, number: u64): u64 {
  return ((<u64>pending.connection) << NUMBER_BITS) | number;
}

/** The delivery of that number, 0 where it is not kept. */
export function keptFind(pending: Pending, number: u64): u32 {
  return mapFind(changetype<Map64>(index), keyOf(pending, number));
}

/** Keeps a copy of the entry at `at` as delivery `number`, in no queue yet; 0 where there is no memory for it. */
export function keptNew(pending: Pending, at: u32, number: u64): u32 {
  const bytes = entrySize(at);
  const block = heapBlockBytes(KEPT_BYTES + bytes);
  if (usedBytes + block > usedBytesMax) return 0;
  const address = heapTake(KEPT_BYTES + bytes);
  if (address === 0) return 0;
  if (!mapSet(changetype<Map64>(index), keyOf(pending, number), address)) {
    heapGive(address, KEPT_BYTES + bytes);
    return 0;
  }
  const kept = changetype<Kept>(address);
  kept.number = number;
  kept.bytes = bytes;
  kept.attempts = 1;
  kept.deadline = Infinity;
  kept.source = kept.told = 0;
  memory.copy(address + KEPT_BYTES, at, bytes);
  kept.next = 0;
  kept.previous = pending.tail;
  if (pending.tail === 0) pending.head = address;
  else changetype<Kept>(pending.tail).next = address;
  pending.tail = address;
  pending.events++;
  pending.bytes += bytes;
  usedBytes += block;
  count++;
  return address;
}

/** Forgets a delivery. The inbox's capacity is the caller's. */
export function keptFree(pending: Pending, kept: Kept): void {
  queueRemove(pending, kept);
  if (kept.previous === 0) pending.head = kept.next;
  else changetype<Kept>(kept.previous).next = kept.next;
  if (kept.next === 0) pending.tail = kept.previous;
  else changetype<Kept>(kept.next).previous = kept.previous;
  mapDelete(changetype<Map64>(index), keyOf(pending, kept.number));
  pending.events--;
  pending.bytes -= kept.bytes;
  usedBytes -= heapBlockBytes(KEPT_BYTES + kept.bytes);
  count--;
  heapGive(changetype<u32>(kept), KEPT_BYTES + kept.bytes);
}

/** The first delivery of a queue, 0 where it is empty. */
export function queueFirst(pending: Pending, queue: u32): u32 {
  return load<u32>(changetype<u32>(pending) + QUEUES_OFFSET + queue * 8);
}

/** Puts a delivery that is in no queue at the end of one. */
export function queueAdd(pending: Pending, kept: Kept, queue: u32): void {
  const slot = changetype<u32>(pending) + QUEUES_OFFSET + queue * 8;
  const last = load<u32>(slot, 4);
  const at = changetype<u32>(kept);
  kept.queue = queue;
  kept.queueNext = 0;
  kept.queuePrevious = last;
  if (last === 0) store<u32>(slot, at);
  else changetype<Kept>(last).queueNext = at;
  store<u32>(slot, at, 4);
  if (queue !== QUEUE_AGAIN) return;
  pending.againEvents++;
  pending.againBytes += kept.bytes;
}

/** Takes a delivery out of its queue. */
export function queueRemove(pending: Pending, kept: Kept): void {
  const slot = changetype<u32>(pending) + QUEUES_OFFSET + kept.queue * 8;
  if (kept.queuePrevious === 0) store<u32>(slot, kept.queueNext);
  else changetype<Kept>(kept.queuePrevious).queueNext = kept.queueNext;
  if (kept.queueNext === 0) store<u32>(slot, kept.queuePrevious, 4);
  else changetype<Kept>(kept.queueNext).queuePrevious = kept.queuePrevious;
  if (kept.queue !== QUEUE_AGAIN) return;
  pending.againEvents--;
  pending.againBytes -= kept.bytes;
}
