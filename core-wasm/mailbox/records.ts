/**
 * The records of mailboxes, in one place because they point at one another.
 *
 *   Mailbox ── head … tail ──▶ Run ─▶ Run ─▶ Run        each run: bytes [at, at + bytes) of one slab
 *   Slab ───── runs ─────────▶ Run ─▶ Run               all runs in that slab, of any mailbox
 *   Slab ───── metas ────────▶ Meta Meta Meta           entries with a key or a deadline that counts
 */

/** A mailbox. Its list of runs is in the order of arrival, whatever its ordering. */
@unmanaged
export class Mailbox {
  /** Address of the connection whose inbox this is; 0: it is the ring of a channel. */
  connection: u32;
  head: u32;
  tail: u32;
  events: u32;
  bytes: u32;
  /** What may wait now: less than was set by what is kept until it is acknowledged (mailbox/pending.ts). */
  capacityEvents: u32;
  capacityBytes: u32;
  keptEvents: u32;
  keptBytes: u32;
  /** OVERFLOW_…. */
  overflow: u32;
  /** Chunk for own copies that is being filled, 0: none. */
  chunk: u32;
  /** Pages of all its chunks. */
  chunkPages: u32;
  /** Policy `block`: beyond the stall mark, so the channels of its sinks are blocked. */
  stalled: u32;
  /** Number of the last fan-out that reached it: one entry per event, however many memberships. */
  stamp: u32;
  /** Whether it refused that one. */
  stampRefused: u32;
  /** What chooses among its entries (order.ts); 0: the oldest leaves, and each run may hold many entries. Else a run holds one. */
  order: u32;
  /** The ORDERING_… that was put off while there is no order (reorder.ts), 0: none. */
  lazy: u32;
  /** What its client takes for one event; 0: unknown. */
  serviceMs: f64;
  /** What was counted of its drains (histograms.ts), 0: nothing yet. */
  histograms: u32;
  /** No later than the earliest deadline in it whose miss was not told; Infinity: there is none (due.ts). */
  dueMs: f64;
  /** Misses of deadlines before that were told. */
  toldMs: f64;
  /** Events that had been delivered when its deadlines were looked at last. */
  looked: u64;
  /** Ranking of its runs by deadline, 0: it has none; and its own place among all inboxes. */
  due: u32;
  duePlace: u32;
  /** LATE_…: what becomes of late events in it. */
  late: u32;
  /** Policy `block`: shares of its capacity from which on its publishers wait, and down to which they do. */
  stallMark: f32;
  releaseMark: f32;
}

/** A stretch of memory for entries, or a chunk of one mailbox; see slab.ts. */
@unmanaged
export class Slab {
  base: u32;
  bytes: u32;
  used: u32;
  /** First and last run in it, oldest first. */
  runs: u32;
  runsLast: u32;
  /** Entries that are referred to by no run yet. */
  pins: u32;
  metas: u32;
  /** Metas before this one are in the index of keys. */
  metasIndexed: u32;
  /** The mailbox of a chunk; 0: the store. */
  owner: u32;
  next: u32;
  previous: u32;
  /** List of slabs with metas that are not in the index. */
  keysNext: u32;
  keysPrevious: u32;
  keysListed: u32;
}

/** Neighbouring entries of one slab in one mailbox; see run.ts. */
@unmanaged
export class Run {
  /** No later than any deadline of an entry in it that was not missed yet; Infinity: there is none. In an ordered mailbox: the
   *  number of its arrival. */
  deadline: f64;
  mailbox: u32;
  slab: u32;
  next: u32;
  previous: u32;
  slabNext: u32;
  slabPrevious: u32;
  at: u32;
  bytes: u32;
  events: u32;
  /** A slab has room for a few thousand of them. */
  metaFirst: u16;
  metas: u16;
  /** Its place in the ranking by deadlines; 0xffffffff: it is not in it. */
  duePlace: u32;
  /** In an ordered mailbox: where the order finds it, see order.ts, ranking.ts and latest.ts. The block has room for them anyway.
   *  In a plain one: when its first and its last entry came, on clock.nowQuarters. */
  place: u32;
  back: u32;
  dropPlace: u32;
}
if (offsetof<Run>() > 64) ERROR("Run is larger than its block");

/** What chooses among the entries of a mailbox; see order.ts, and window.ts for the streams. */
@unmanaged
export class Order {
  /** Counts arrivals: what came first wins among equals. */
  arrivals: f64;
  /** ORDERING_…. */
  ordering: u32;
  /** What is kept beside, for the overflow policy: DROPS_…. */
  drops: u32;
  /** Priorities whose list may hold something: bit 9 − priority. */
  filled: u32;
  /** The heap of what leaves (order-heap.ts), and the ranking of what gives way (ranking.ts). */
  main: u32;
  mainCount: u32;
  mainFreshFrom: u32;
  mainFresh: u32;
  mainSorted: u32;
  mainCapacity: u32;
  mainHusks: u32;
  mainTurn: u32;
  second: u32;
  secondCount: u32;
  secondCapacity: u32;
  secondOffset: u32;
  /** Streams that have something to send, as a heap of addresses, and all streams (list through Stream.next). */
  heapAt: u32;
  heapCount: u32;
  heapCapacity: u32;
  streams: u32;
  streamCount: u32;
  /** Map64 from keys to runs (latest.ts), 0: none was made yet. */
  latest: u32;
  /** Heads of ten lists follow, 8 bytes each, as the fields `place` and `back` of a run. */
}
/** Nothing; the second ranking, by who gives way first; which run has which key. */
export const DROPS_NONE: u32 = 0;
export const DROPS_LOWEST: u32 = 1;
export const DROPS_LATEST: u32 = 2;
export const ORDER_HEADS_OFFSET: u32 = 96;
if (offsetof<Order>() > ORDER_HEADS_OFFSET) ERROR("Order overlaps the heads of its lists");

/** Where the links of a list lie in a run. A head stands for a run in its ring, so nobody asks whether a run is the first or last. */
export const LINK_OFFSET: u32 = offsetof<Run>("place");
if (offsetof<Run>("back") !== LINK_OFFSET + 4) ERROR("The links of a run are not side by side");

/** The head of a list of an order, as if it were a run. */
export function orderHead(order: Order, list: u32): u32 {
  return changetype<u32>(order) + ORDER_HEADS_OFFSET + list * 8 - LINK_OFFSET;
}

/** Makes a list empty. */
export function listInit(head: u32): void {
  changetype<Run>(head).place = changetype<Run>(head).back = head;
}

/** Puts a run at the end of a list. */
export function listAdd(head: u32, run: Run): void {
  const last = changetype<Run>(head).back;
  run.place = head;
  run.back = last;
  changetype<Run>(last).place = changetype<Run>(head).back = changetype<u32>(run);
}

/** Takes a run out of its list, whichever that is. */
export function listRemove(run: Run): void {
  changetype<Run>(run.back).place = run.place;
  changetype<Run>(run.place).back = run.back;
}

/** The first run of a list, 0: none. */
export function listFirst(head: u32): u32 {
  const first = changetype<Run>(head).place;
  return first === head ? 0 : first;
}

/** How many runs are in a list. */
export function listCount(head: u32): u32 {
  let count: u32 = 0;
  for (let at = changetype<Run>(head).place; at !== head; at = changetype<Run>(at).place) count++;
  return count;
}

/** What is known of an entry that is not plain; see the drawing in slab.ts. */
@unmanaged
export class Meta {
  /** Milliseconds on the service clock after which the entry is late; Infinity: never. */
  deadline: f64;
  /** When the event happened, µs since 1970; like the key's hash only where it has a key. */
  timeUs: i64;
  hash: u64;
  /** Connection that submitted it, 0: nobody who is known. */
  submitter: u32;
  /** Address of its slab. */
  slab: u32;
  entryAt: u32;
  /** Where the key lies, from entryAt, and its size; 0 bytes: no key. */
  keyOffset: u32;
  keyBytes: u16;
  /** META_… bits. */
  flags: u16;
  channel: u32;
  /** Neighbours in the index of keys. */
  next: u32;
  previous: u32;
}

export const META_BYTES: u32 = offsetof<Meta>();
export const META_CANCELLED: u16 = 1;
/** It tells of a cancel: a later cancel of its key does not withdraw it. */
export const META_CONTROL: u16 = 2;
/** It tells of a cancel whose sender had begun with the key itself, see match/cancel.ts. */
export const META_CLAIM: u16 = 4;
/** Its source wants to hear of misses. */
export const META_MISSES: u16 = 8;
/** It was late, and has gone to another channel. */
export const META_DIVERTED: u16 = 16;
if (offsetof<Meta>() !== 56) ERROR("Meta is not 56 bytes");

/** Connection of the source of an event that wants to hear of misses; 0: nobody does. */
export function missesOf(meta: Meta): u32 {
  return (meta.flags & META_MISSES) === 0 ? 0 : meta.submitter;
}

/** The meta of that index in a slab. */
export function metaAt(slab: Slab, index: u32): Meta {
  return changetype<Meta>(slab.base + slab.bytes - META_BYTES * (index + 1));
}

/** Whether the first entry of a run has a meta: then it is the run's first one. */
export function runFrontHasMeta(run: Run): bool {
  return run.metas !== 0 && metaAt(changetype<Slab>(run.slab), run.metaFirst).entryAt === run.at;
}
