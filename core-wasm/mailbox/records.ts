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
  /** Policy `block`: beyond the stall mark, so the channels of its sinks are blocked. */
  stalled: u32;
  /** Number of the last fan-out that reached it: one entry per event, however many memberships. */
  stamp: u32;
  /** Whether it refused that one. */
  stampRefused: u32;
  /** What chooses among its entries (order.ts); 0: the oldest leaves, and each run may hold many entries. Else a run holds one. */
  order: u32;
  /** What its client takes for one event; 0: unknown. */
  serviceMs: f64;
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
  /** Earliest deadline at which an entry of it must be dropped; Infinity: none. */
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
  metaFirst: u32;
  metas: u32;
  /** In an ordered mailbox: where the order finds it, see ranking.ts and order.ts. The block has room for them anyway. */
  place: u32;
  back: u32;
  dropPlace: u32;
}
if (offsetof<Run>() > 64) ERROR("Run is larger than its block");

/** What is known of an entry that is not plain; see the drawing in slab.ts. */
@unmanaged
export class Meta {
  /** Milliseconds on the service clock after which the entry is dropped; Infinity: never. */
  deadline: f64;
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
if (offsetof<Meta>() !== 32) ERROR("Meta is not 32 bytes");

/** The meta of that index in a slab. */
export function metaAt(slab: Slab, index: u32): Meta {
  return changetype<Meta>(slab.base + slab.bytes - META_BYTES * (index + 1));
}
