/** Nodes, and sorting them: what is known of an entry where its place among others is all that counts. */
import { heapTake } from "../memory/heap";

/** One entry: u64 key, and two words of whoever sorts. */
export const NODE_BYTES: u32 = 16;
/** Entries that are sorted by insertion before blocks are merged. */
const BLOCK: u32 = 8;

/** Nodes that sortFew() takes, and the room that it needs beside them; 0: not taken yet. */
export const FEW_MAX: u32 = 128;
let fewRoom: u32 = 0;

/** Forgets the room; the pool has been laid out anew. */
export function nodesInit(): void {
  fewRoom = 0;
}

/** Sorts FEW_MAX nodes at most where they are, as sortNodes() does. Returns false where memory is used up. */
export function sortFew(at: u32, count: u32): bool {
  if (fewRoom === 0) fewRoom = heapTake(FEW_MAX * NODE_BYTES);
  if (fewRoom === 0) return false;
  if (sortNodes(at, fewRoom, count) !== at) nodesCopy(at, fewRoom, fewRoom + count * NODE_BYTES);
  return true;
}

/**
 * Sorts `count` nodes at `from` by their first word of eight bytes, those with equal ones in their order. `to`: as much room; returns
 * where of the two they are then.
 */
export function sortNodes(from: u32, to: u32, count: u32): u32 {
  const bytes = count * NODE_BYTES;
  for (let at: u32 = 0; at < bytes; at += BLOCK * NODE_BYTES)
    insertAll(from + at, from + min<u32>(at + BLOCK * NODE_BYTES, bytes));
  for (let width = BLOCK * NODE_BYTES; width < bytes; width *= 2) {
    for (let at: u32 = 0; at < bytes; at += width * 2)
      merge(from + at, from + min<u32>(at + width, bytes), from + min<u32>(at + width * 2, bytes), to + at);
    const other = from;
    from = to;
    to = other;
  }
  return from;
}

function insertAll(from: u32, end: u32): void {
  for (let at = from + NODE_BYTES; at < end; at += NODE_BYTES) {
    const key = load<u64>(at);
    const node = v128.load(at);
    let place = at;
    for (; place > from && load<u64>(place - NODE_BYTES) > key; place -= NODE_BYTES)
      v128.store(place, v128.load(place - NODE_BYTES));
    v128.store(place, node);
  }
}

/** Merges the sorted nodes [one, other) and [other, end). */
function merge(one: u32, other: u32, end: u32, to: u32): void {
  const oneEnd = other;
  // Often nothing is to be done: what came first is no less urgent.
  if (other >= end || load<u64>(other - NODE_BYTES) <= load<u64>(other)) {
    nodesCopy(to, one, end);
    return;
  }
  while (one < oneEnd && other < end) {
    const takesOther = load<u64>(other) < load<u64>(one);
    v128.store(to, v128.load(select<u32>(other, one, takesOther)));
    other += select<u32>(NODE_BYTES, 0, takesOther);
    one += select<u32>(0, NODE_BYTES, takesOther);
    to += NODE_BYTES;
  }
  nodesCopy(to, one, oneEnd);
  nodesCopy(to + (oneEnd - one), other, end);
}

/** A bulk copy of few nodes costs more in the call than in the copy. */
const BULK_BYTES: u32 = 1024;

/** Copies the nodes [from, end), which lie elsewhere than `to`. */
function nodesCopy(to: u32, from: u32, end: u32): void {
  if (end - from > BULK_BYTES) {
    memory.copy(to, from, end - from);
    return;
  }
  for (; from < end; from += NODE_BYTES) {
    v128.store(to, v128.load(from));
    to += NODE_BYTES;
  }
}
