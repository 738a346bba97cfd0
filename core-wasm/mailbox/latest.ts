/**
 * Overflow `keep-latest`: which entry of a mailbox has which key, so that a newer event of that key takes its place.
 *
 *   Order.latest ── hash of (channel, key) ──▶ Run          at most one entry a key, so never more than what waits
 *
 * A run notes in `dropPlace` whether the map has it: the second ranking, whose place that is, belongs to another policy. Keys
 * with the same hash, one pair in 2^64, are told apart by their bytes; the older one is then not found any more, and stays.
 */
import { Map64, mapDelete, mapFind, mapFree, mapNew, mapSet } from "../memory/map";
import { keyIs } from "./keys";
import { META_CONTROL, Meta, metaAt, Order, Run, Slab } from "./records";

/** A map with more slots is given back when it is empty: what a peak needed must not stay. */
const KEPT_SLOTS_MAX: u32 = 4096;

/** Whether an event takes part: it has a key, and does not tell of a cancel, which is no newer state of anything. */
function isKeyed(meta: Meta): bool {
  return meta.keyBytes !== 0 && (meta.flags & META_CONTROL) === 0;
}

function metaOf(run: Run): Meta {
  return metaAt(changetype<Slab>(run.slab), run.metaFirst);
}

/** Address of the run that waits with the key of an event, 0: none. */
export function latestOf(order: Order, meta: Meta): u32 {
  if (order.latest === 0 || !isKeyed(meta)) return 0;
  const found = mapFind(changetype<Map64>(order.latest), meta.hash);
  if (found === 0) return 0;
  const same = keyIs(metaOf(changetype<Run>(found)), meta.channel, meta.entryAt + meta.keyOffset, meta.keyBytes);
  return same ? found : 0;
}

/** Notes the key of an entry. Without memory for that a newer event will come beside it, which loses nothing. */
export function latestNote(order: Order, run: Run): void {
  run.dropPlace = 0;
  if (run.metas === 0 || !isKeyed(metaOf(run))) return;
  if (order.latest === 0) order.latest = mapNew();
  if (order.latest === 0) return;
  const map = changetype<Map64>(order.latest);
  const hash = metaOf(run).hash;
  const older = mapFind(map, hash);
  if (!mapSet(map, hash, changetype<u32>(run))) return;
  if (older !== 0) changetype<Run>(older).dropPlace = 0;
  run.dropPlace = 1;
}

/** Forgets the key of an entry that leaves, however it does. */
export function latestForget(order: Order, run: Run): void {
  if (run.dropPlace === 0) return;
  const map = changetype<Map64>(order.latest);
  mapDelete(map, metaOf(run).hash);
  if (map.count === 0 && map.mask >= KEPT_SLOTS_MAX) latestFree(order);
}

/** Gives the map back. */
export function latestFree(order: Order): void {
  if (order.latest !== 0) mapFree(order.latest);
  order.latest = 0;
}
