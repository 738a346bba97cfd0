/**
 * Slabs: where entries lie. A slab of the store is shared by all mailboxes; a chunk belongs to one mailbox, which has
 * been left behind and holds copies of its own there.
 *
 *   base                                                        base + bytes
 *   ├── entries, one after another → ──┤ used      ┤── ← metas, 56 B each ──┤
 *
 * An entry has a meta only if it has a key or a deadline that counts; runs without any leave as one copy.
 * A slab is free when no run is in it and nothing pins it: the list of runs is the reference count.
 */
import { OVERFLOW_BLOCK, PAGE_BYTES, SLAB_BYTES } from "../abi";
import { heapGive, heapTakeZero } from "../memory/heap";
import { PAGES_MAILBOX, PAGES_STORE, pagesGive, pagesLeft, pagesTake } from "../memory/pages";
import { keysForget } from "./keys";
import { Mailbox, Slab } from "./records";

/** Oldest and newest slab of the store's log. */
let oldest: u32 = 0;
let newest: u32 = 0;
/** The slab that is being filled. */
let current: u32 = 0;
/** Free slabs of SLAB_BYTES, last in first out: the last one is warm in the cache. */
let freeSlabs: u32 = 0;
let slabs: u32 = 0;
/** Slabs of SLAB_BYTES that exist, free ones included, and how many may. */
let made: u32 = 0;
let madeMax: u32 = 0;

/** Forgets all slabs; at most `slabsMax` of SLAB_BYTES will be made. */
export function slabsInit(slabsMax: u32): void {
  oldest = newest = current = freeSlabs = slabs = made = 0;
  madeMax = slabsMax;
  // The records of the first slabs are there from the beginning: where others use up the pool, events still come through.
  const first = heapTakeZero(offsetof<Slab>());
  if (first !== 0) heapGive(first, offsetof<Slab>());
}

/** Slabs of the store that hold something. */
export function slabsLive(): u32 {
  return slabs;
}

/** The slab that is being filled, 0 where there is none. */
export function slabCurrent(): u32 {
  return current;
}

/** The oldest slab that may be evacuated, 0 where there is none. */
export function slabOldest(): u32 {
  let at = oldest;
  while (at !== 0 && (at === current || changetype<Slab>(at).pins !== 0)) at = changetype<Slab>(at).next;
  return at;
}

/** Takes a slab for `need` bytes into the log, as far as quota and pool allow; 0 where they do not. */
export function slabNew(need: u32): u32 {
  let at: u32 = 0;
  if (need <= SLAB_BYTES && freeSlabs !== 0) {
    at = freeSlabs;
    freeSlabs = changetype<Slab>(at).next;
  } else {
    const common = need <= SLAB_BYTES;
    if (common && made === madeMax) return 0;
    at = slabMake(PAGES_STORE, common ? SLAB_BYTES : ((need + PAGE_BYTES - 1) / PAGE_BYTES) * PAGE_BYTES);
    if (at === 0) return 0;
    if (common) made++;
  }
  const slab = changetype<Slab>(at);
  slab.next = 0;
  slab.previous = newest;
  if (newest === 0) oldest = at;
  else changetype<Slab>(newest).next = at;
  newest = at;
  slabs++;
  return at;
}

function slabMake(pageClass: u32, bytes: u32): u32 {
  const at = heapTakeZero(offsetof<Slab>());
  if (at === 0) return 0;
  const slab = changetype<Slab>(at);
  slab.base = pagesTake(pageClass, bytes / PAGE_BYTES);
  slab.bytes = bytes;
  if (slab.base !== 0) return at;
  heapGive(at, offsetof<Slab>());
  return 0;
}

/** Makes a slab the one to fill; the former one is freed if it holds nothing. */
export function slabFill(at: u32): void {
  const former = current;
  current = at;
  if (former !== 0) slabIdle(changetype<Slab>(former));
}

/**
 * A mailbox may have so many times as much of the common room as is left of it: one alone gets four fifths, two get four ninths
 * each, and there is always something left for those who have little. Source: A. K. Choudhury, E. L. Hahne, "Dynamic queue length
 * thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998.
 */
const SHARE: u32 = 4;

/** Takes a chunk of at least `need` bytes for a mailbox; 0 where its share, the quota or the pool is used up. */
export function chunkNew(mailbox: Mailbox, need: u32): u32 {
  const pages = (need + PAGE_BYTES - 1) / PAGE_BYTES;
  const left = pagesLeft(PAGES_MAILBOX);
  // What blocks its publishers never gives way, and would have them refused instead; whoever has nothing takes what there is.
  const exempt = mailbox.overflow === OVERFLOW_BLOCK || mailbox.chunkPages === 0;
  const fair = exempt || (left >= pages && mailbox.chunkPages + pages <= SHARE * (left - pages));
  const at = fair ? slabMake(PAGES_MAILBOX, pages * PAGE_BYTES) : 0;
  if (at === 0) return 0;
  changetype<Slab>(at).owner = changetype<u32>(mailbox);
  mailbox.chunkPages += pages;
  return at;
}

/** Frees a slab that holds nothing any more; does nothing to one that does. */
export function slabIdle(slab: Slab): void {
  if (slab.runs !== 0 || slab.pins !== 0) return;
  keysForget(slab);
  slab.used = slab.metas = 0;
  const at = changetype<u32>(slab);
  // The one being filled starts again at its beginning, which is warm in the cache.
  if (at === current) return;
  if (slab.owner !== 0) {
    changetype<Mailbox>(slab.owner).chunkPages -= slab.bytes / PAGE_BYTES;
    pagesGive(PAGES_MAILBOX, slab.base, slab.bytes / PAGE_BYTES);
    heapGive(at, offsetof<Slab>());
    return;
  }
  if (slab.previous === 0) oldest = slab.next;
  else changetype<Slab>(slab.previous).next = slab.next;
  if (slab.next === 0) newest = slab.previous;
  else changetype<Slab>(slab.next).previous = slab.previous;
  slabs--;
  if (slab.bytes !== SLAB_BYTES) {
    slabUnmake(slab);
    return;
  }
  slab.next = freeSlabs;
  freeSlabs = at;
}

function slabUnmake(slab: Slab): void {
  if (slab.bytes === SLAB_BYTES) made--;
  pagesGive(PAGES_STORE, slab.base, slab.bytes / PAGE_BYTES);
  heapGive(changetype<u32>(slab), offsetof<Slab>());
}

/** Gives the pages of free slabs back to the pool, so that a larger slab can have them. */
export function slabsTrim(): void {
  while (freeSlabs !== 0) {
    const slab = changetype<Slab>(freeSlabs);
    freeSlabs = slab.next;
    slabUnmake(slab);
  }
}
