/**
 * A ranking: runs by a key of 128 bits, smallest first, as a heap with four children per node. Each run knows its place, so
 * that any of them can be taken out.
 *
 *   node, 24 B:   u64 high │ u64 low │ u32 run │ u32 0        children of node i: 4i + 1 … 4i + 4
 *
 * The keys lie in the nodes: what is compared are neighbours in memory, and runs are visited to note their places only.
 * Four children halve the depth of a heap of two, and lie in two cache lines.
 */
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";

/** A ranking's record; it lies within the record of an order. */
@unmanaged
export class Ranking {
  at: u32;
  count: u32;
  /** In nodes; 0: `at` is nothing. */
  capacity: u32;
  /** Where in a run its place is noted. */
  placeOffset: u32;
}

const NODE_BYTES: u32 = 24;
const CAPACITY_MIN: u32 = 64;
/** An array larger than that is given back when the ranking is empty: what a peak needed must not stay. */
const KEPT_NODES_MAX: u32 = 2730;

/** Makes room for `count` runs in all. Returns false where memory is used up. */
export function rankingReserve(ranking: Ranking, count: u32): bool {
  if (count <= ranking.capacity) return true;
  const bytes = heapBlockBytes(max<u32>(CAPACITY_MIN, count) * NODE_BYTES);
  const at = heapTake(bytes);
  if (at === 0) return false;
  memory.copy(at, ranking.at, ranking.count * NODE_BYTES);
  const count_ = ranking.count;
  rankingFree(ranking);
  ranking.count = count_;
  ranking.at = at;
  ranking.capacity = bytes / NODE_BYTES;
  return true;
}

/** Gives the array back; the ranking is empty then. */
export function rankingFree(ranking: Ranking): void {
  if (ranking.capacity !== 0) heapGive(ranking.at, ranking.capacity * NODE_BYTES);
  ranking.at = ranking.capacity = ranking.count = 0;
}

/** Makes room for one more. Returns false where memory is used up. */
export function rankingRoom(ranking: Ranking): bool {
  return ranking.count !== ranking.capacity || rankingReserve(ranking, ranking.count * 2 + 1);
}

/** Adds a run. Returns false where memory is used up. */
export function rankingAdd(ranking: Ranking, high: u64, low: u64, run: u32): bool {
  if (!rankingRoom(ranking)) return false;
  up(ranking, ranking.count++, high, low, run);
  return true;
}

/** The run with the smallest key, 0: none. */
export function rankingFirst(ranking: Ranking): u32 {
  return ranking.count === 0 ? 0 : load<u32>(ranking.at, 16);
}

/** Takes a run out that is in it. */
export function rankingRemove(ranking: Ranking, run: u32): void {
  const place = load<u32>(run + ranking.placeOffset);
  const last = ranking.at + --ranking.count * NODE_BYTES;
  if (place !== ranking.count) {
    const high = load<u64>(last);
    const low = load<u64>(last, 8);
    const moved = load<u32>(last, 16);
    // The last node may belong above the hole where that lies in another branch.
    if (place !== 0 && before(high, low, ranking.at + ((place - 1) >> 2) * NODE_BYTES)) {
      up(ranking, place, high, low, moved);
    } else {
      down(ranking, place, high, low, moved);
    }
  } else if (ranking.count === 0 && ranking.capacity > KEPT_NODES_MAX) {
    rankingFree(ranking);
  }
}

/** Whether a key comes before that of the node at `at`. */
function before(high: u64, low: u64, at: u32): bool {
  const other = load<u64>(at);
  return high < other || (high === other && low < load<u64>(at, 8));
}

function put(ranking: Ranking, place: u32, high: u64, low: u64, run: u32): void {
  const at = ranking.at + place * NODE_BYTES;
  store<u64>(at, high);
  store<u64>(at, low, 8);
  store<u32>(at, run, 16);
  store<u32>(run + ranking.placeOffset, place);
}

/** Moves the node at `from` to another place. */
function shift(ranking: Ranking, from: u32, place: u32): void {
  put(ranking, place, load<u64>(from), load<u64>(from, 8), load<u32>(from, 16));
}

/** Finds the place of a key from a hole upwards. */
function up(ranking: Ranking, place: u32, high: u64, low: u64, run: u32): void {
  while (place !== 0) {
    const parent = (place - 1) >> 2;
    const at = ranking.at + parent * NODE_BYTES;
    if (!before(high, low, at)) break;
    shift(ranking, at, place);
    place = parent;
  }
  put(ranking, place, high, low, run);
}

/** Finds the place of a key from a hole downwards. */
function down(ranking: Ranking, place: u32, high: u64, low: u64, run: u32): void {
  while (true) {
    const child = place * 4 + 1;
    if (child >= ranking.count) break;
    const end = ranking.at + min<u32>(child + 4, ranking.count) * NODE_BYTES;
    let best = ranking.at + child * NODE_BYTES;
    let bestHigh = load<u64>(best);
    let bestLow = load<u64>(best, 8);
    // Which child is the least is chance, so nothing here is worth a guess: values are selected, not branched for.
    for (let at = best + NODE_BYTES; at < end; at += NODE_BYTES) {
      const otherHigh = load<u64>(at);
      const otherLow = load<u64>(at, 8);
      const less = <u32>(otherHigh < bestHigh) | (<u32>(otherHigh === bestHigh) & <u32>(otherLow < bestLow));
      best = select<u32>(at, best, less);
      bestHigh = select<u64>(otherHigh, bestHigh, less);
      bestLow = select<u64>(otherLow, bestLow, less);
    }
    if (high < bestHigh || (high === bestHigh && low < bestLow)) break;
    put(ranking, place, bestHigh, bestLow, load<u32>(best, 16));
    place = (best - ranking.at) / NODE_BYTES;
  }
  put(ranking, place, high, low, run);
}
