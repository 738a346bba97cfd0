/**
 * The index of keys, for cancel: (channel, key) → metas of entries that are still stored.
 *
 * It is brought up to date only when a cancel comes, so that keyed events cost nothing where nobody cancels; each meta
 * enters at most once. Metas with equal hashes are chained.
 */
import { bytesEqual, hashBytes } from "../memory/bytes";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";
import { META_CANCELLED, Meta, metaAt, Slab } from "./records";

let index: u32 = 0;
let unindexed: u32 = 0;

/** Empties the index. Returns false where memory is too small. */
export function keysInit(): bool {
  unindexed = 0;
  index = mapNew();
  return index !== 0;
}

/** What stands for a key of a channel. Another key has the same one time in 2^64. */
export function keyHash(channel: u32, at: u32, bytes: u32): u64 {
  return hashBytes(at, bytes) ^ (<u64>channel * 0x9fb21c651e98df25);
}

/** Notes that a slab got a meta with a key. */
export function keysNote(slab: Slab): void {
  if (slab.keysListed !== 0) return;
  const at = changetype<u32>(slab);
  slab.keysListed = 1;
  slab.keysPrevious = 0;
  slab.keysNext = unindexed;
  if (unindexed !== 0) changetype<Slab>(unindexed).keysPrevious = at;
  unindexed = at;
}

function unlist(slab: Slab): void {
  if (slab.keysListed === 0) return;
  slab.keysListed = 0;
  if (slab.keysPrevious === 0) unindexed = slab.keysNext;
  else changetype<Slab>(slab.keysPrevious).keysNext = slab.keysNext;
  if (slab.keysNext !== 0) changetype<Slab>(slab.keysNext).keysPrevious = slab.keysPrevious;
}

/** Takes all metas of a slab out of the index; the slab is about to be used anew. */
export function keysForget(slab: Slab): void {
  unlist(slab);
  const map = changetype<Map64>(index);
  for (let i: u32 = 0; i < slab.metasIndexed; i++) {
    const meta = metaAt(slab, i);
    if (meta.keyBytes === 0) continue;
    if (meta.next !== 0) changetype<Meta>(meta.next).previous = meta.previous;
    if (meta.previous !== 0) {
      changetype<Meta>(meta.previous).next = meta.next;
      continue;
    }
    if (meta.next === 0) mapDelete(map, meta.hash);
    else mapSet(map, meta.hash, meta.next);
  }
  slab.metasIndexed = 0;
}

/** Brings the index up to date. */
function keysUpdate(): void {
  const map = changetype<Map64>(index);
  while (unindexed !== 0) {
    const slab = changetype<Slab>(unindexed);
    unlist(slab);
    for (let i = slab.metasIndexed; i < slab.metas; i++) {
      const meta = metaAt(slab, i);
      meta.next = meta.previous = 0;
      if (meta.keyBytes === 0) continue;
      const first = mapFind(map, meta.hash);
      // Without room in the index the event can't be cancelled any more; it is delivered, which loses nothing.
      if (!mapSet(map, meta.hash, changetype<u32>(meta))) {
        meta.keyBytes = 0;
        continue;
      }
      meta.next = first;
      if (first !== 0) changetype<Meta>(first).previous = changetype<u32>(meta);
    }
    slab.metasIndexed = slab.metas;
  }
}

/** Address of the first meta of the index with that hash of a key, 0: none; the others follow through Meta.next. */
export function keysFind(hash: u64): u32 {
  keysUpdate();
  return mapFind(changetype<Map64>(index), hash);
}

/** Whether a meta is that of a key of a channel. */
export function keyIs(meta: Meta, channel: u32, at: u32, bytes: u32): bool {
  return meta.channel === channel && bytesEqual(meta.entryAt + meta.keyOffset, meta.keyBytes, at, bytes);
}

/** Marks a stored entry as cancelled: whoever comes upon it passes it over. */
export function keyMark(meta: Meta): void {
  meta.flags |= META_CANCELLED;
}

/** An entry that was cancelled could not be taken out of an inbox. */
export function tombstoneLeft(): void {
  tombstonesEver++;
}

/** Cancelled entries that were ever left in inboxes; while it is 0 nobody has to look for any. */
export let tombstonesEver: u32 = 0;
