/**
 * The heap of an order: runs by a key of one word, those with equal keys as they came; four children per node.
 *
 *   node, 16 B:   u64 key │ u32 run │ u32 turn                 children of node i: 4i + 1 … 4i + 4
 *   array:        ├── heap ── count ┤ gap ├── fresh ──┤
 *
 * Four children are 64 B that begin where a cache line does, and what is compared lies in them: on the way down a line is read for
 * each level, and no run is visited. So runs do not know their places. One that leaves before it is the first stays here as a
 * husk (`mailbox` 0) and is given back when it comes up, or when there are more husks than others.
 *
 * What came since the last one left is fresh: it is sorted at once, and leaves from there where it comes before all in the heap. What
 * is urgent mostly leaves soon after it came, and never goes through the heap; the rest joins it before more comes.
 */
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { FEW_MAX, NODE_BYTES, sortFew } from "./nodes";
import { Mailbox, Run } from "./records";

/** It lies within the record of an order. */
@unmanaged
export class OrderHeap {
  at: u32;
  /** Nodes of the heap; those that are fresh lie at `freshFrom` and the places behind it, in order where `sorted`. */
  count: u32;
  freshFrom: u32;
  fresh: u32;
  sorted: u32;
  /** In nodes; 0: `at` is nothing. */
  capacity: u32;
  husks: u32;
  /** That of the next run: of equal keys the lower one leaves first. */
  turn: u32;
}

/** The root has no siblings, but the room of three: its children begin a cache line then. */
const LEAD_BYTES: u32 = 48;
const BYTES_MIN: u32 = 1024;
/** An array larger than that is given back when the heap is empty: what a peak needed must not stay. */
const KEPT_BYTES_MAX: u32 = 65536;
const HUSKS_MIN: u32 = 32;
/** Turns begin shortly before they are used up, so that what is done then is done early on. */
const TURN_FIRST: u32 = 0xfffff000;

/**
 * Makes an empty one of a record of zeros. `count`: runs that are put in at once, which have turns without renumbering: until all are
 * in, the field that this writes says of the others when they came.
 */
export function orderHeapInit(heap: OrderHeap, count: u32): void {
  heap.turn = TURN_FIRST - count;
}

/** Makes room for `count` runs in all. Returns false where memory is used up. */
export function orderHeapReserve(heap: OrderHeap, count: u32): bool {
  if (count <= heap.capacity) return true;
  const bytes = heapBlockBytes(max<u32>(BYTES_MIN, LEAD_BYTES + count * NODE_BYTES));
  const at = heapTake(bytes);
  if (at === 0) return false;
  if (heap.capacity !== 0) memory.copy(at, heap.at, LEAD_BYTES + (heap.freshFrom + heap.fresh) * NODE_BYTES);
  arrayGive(heap);
  heap.at = at;
  heap.capacity = (bytes - LEAD_BYTES) / NODE_BYTES;
  return true;
}

function arrayGive(heap: OrderHeap): void {
  if (heap.capacity !== 0) heapGive(heap.at, LEAD_BYTES + heap.capacity * NODE_BYTES);
  heap.at = heap.capacity = 0;
}

/** Frees the array and the husks; what else is in it is the mailbox's. */
export function orderHeapFree(heap: OrderHeap): void {
  if (heap.husks !== 0) sweep(heap);
  heap.count = heap.fresh = heap.freshFrom = 0;
  arrayGive(heap);
}

/** Adds a run that came after all others. Returns false where memory is used up. */
export function orderHeapAdd(heap: OrderHeap, inbox: Mailbox, key: u64, run: Run): bool {
  if (heap.sorted !== 0) join(heap);
  if (heap.husks > HUSKS_MIN && heap.husks > (heap.count + heap.fresh) >> 1) sweep(heap);
  if (heap.fresh === 0) heap.freshFrom = heap.count;
  const place = heap.freshFrom + heap.fresh;
  if (place === heap.capacity && !orderHeapReserve(heap, place * 2 + 1)) return false;
  heap.fresh++;
  put(nodeAt(heap, place), key, ((<u64>heap.turn) << 32) | changetype<u32>(run));
  if (++heap.turn === 0) renumber(heap, inbox);
  return true;
}

/** The run that leaves next, 0: none. */
export function orderHeapFirst(heap: OrderHeap): u32 {
  while (heap.count + heap.fresh !== 0) {
    const run = load<u32>(firstAt(heap), 8);
    if (changetype<Run>(run).mailbox !== 0) return run;
    orderHeapRemove(heap, changetype<Run>(run));
    heap.husks--;
    heapGive(run, offsetof<Run>());
  }
  return 0;
}

/** Forgets a run that is in it. Returns whether it stays as a husk, which is to be marked as one and not to be given back. */
export function orderHeapRemove(heap: OrderHeap, run: Run): bool {
  const address = changetype<u32>(run);
  if (heap.fresh !== 0) {
    // The first one leaves, or the one that came last gives way.
    if (heap.sorted !== 0 && load<u32>(nodeAt(heap, heap.freshFrom), 8) === address) {
      freshRemove(heap, 1);
      return false;
    }
    if (load<u32>(nodeAt(heap, heap.freshFrom + heap.fresh - 1), 8) === address) {
      freshRemove(heap, 0);
      return false;
    }
  }
  if (heap.count !== 0 && load<u32>(nodeAt(heap, 0), 8) === address) {
    rootRemove(heap);
    return false;
  }
  heap.husks++;
  return true;
}

/** Where the first node is: the fresh one or that of the heap, which came before. There must be one. */
function firstAt(heap: OrderHeap): u32 {
  if (heap.fresh !== 0) {
    if (heap.sorted === 0) sort(heap);
    const fresh = nodeAt(heap, heap.freshFrom);
    if (heap.fresh !== 0 && (heap.count === 0 || load<u64>(fresh) < load<u64>(nodeAt(heap, 0)))) return fresh;
  }
  return nodeAt(heap, 0);
}

/** Takes the first (`first` 1) or the last of those that are fresh out. */
function freshRemove(heap: OrderHeap, first: u32): void {
  heap.freshFrom += first;
  if (--heap.fresh !== 0) return;
  heap.sorted = 0;
  if (heap.count === 0) emptied(heap);
}

function rootRemove(heap: OrderHeap): void {
  const last = nodeAt(heap, --heap.count);
  if (heap.count !== 0) down(heap, 0, load<u64>(last), load<u64>(last, 8));
  else if (heap.fresh === 0) emptied(heap);
}

function emptied(heap: OrderHeap): void {
  if (LEAD_BYTES + heap.capacity * NODE_BYTES > KEPT_BYTES_MAX) arrayGive(heap);
}

/** Puts what is fresh in order, or, where that is too much at once, into the heap. */
function sort(heap: OrderHeap): void {
  if (heap.fresh > FEW_MAX || !sortFew(nodeAt(heap, heap.freshFrom), heap.fresh)) join(heap);
  else heap.sorted = 1;
}

/** What is fresh becomes part of the heap: each is read before a node is written to where it was, or before. */
function join(heap: OrderHeap): void {
  let at = nodeAt(heap, heap.freshFrom);
  for (let rest = heap.fresh; rest !== 0; rest--) {
    up(heap, heap.count++, load<u64>(at), load<u64>(at, 8));
    at += NODE_BYTES;
  }
  heap.fresh = heap.sorted = 0;
}

/** How many runs leave before one that came now with that key. */
export function orderHeapAhead(heap: OrderHeap, key: u64): u32 {
  let ahead: u32 = 0;
  join(heap);
  for (let at = nodeAt(heap, 0); at < nodeAt(heap, heap.count); at += NODE_BYTES) {
    if (load<u64>(at) <= key && changetype<Run>(load<u32>(at, 8)).mailbox !== 0) ahead++;
  }
  return ahead;
}

function nodeAt(heap: OrderHeap, place: u32): u32 {
  return heap.at + LEAD_BYTES + place * NODE_BYTES;
}

/** Takes all husks out and gives them back. */
function sweep(heap: OrderHeap): void {
  join(heap);
  const end = nodeAt(heap, heap.count);
  let to = nodeAt(heap, 0);
  for (let at = to; at < end; at += NODE_BYTES) {
    const run = load<u32>(at, 8);
    if (changetype<Run>(run).mailbox === 0) {
      heapGive(run, offsetof<Run>());
      continue;
    }
    v128.store(to, v128.load(at));
    to += NODE_BYTES;
  }
  heap.count -= heap.husks;
  heap.husks = 0;
  for (let place = (heap.count + 2) >> 2; place-- !== 0; ) {
    const at = nodeAt(heap, place);
    down(heap, place, load<u64>(at), load<u64>(at, 8));
  }
}

/** Turns are used up: gives all runs new ones, which rise as they did. That changes nothing in their order. */
function renumber(heap: OrderHeap, inbox: Mailbox): void {
  sweep(heap);
  // The list of the mailbox has them as they came. Where a run of a list would have its link, one of a heap has nothing.
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) changetype<Run>(at).place = heap.turn++;
  for (let at = nodeAt(heap, 0); at < nodeAt(heap, heap.count); at += NODE_BYTES)
    store<u32>(at, changetype<Run>(load<u32>(at, 8)).place, 12);
}

function put(at: u32, key: u64, low: u64): void {
  store<u64>(at, key);
  store<u64>(at, low, 8);
}

/** Whether a node comes before the one at `at`. */
function before(key: u64, low: u64, at: u32): u32 {
  const other = load<u64>(at);
  return <u32>(key < other) | (<u32>(key === other) & <u32>(low < load<u64>(at, 8)));
}

/** Finds the place of a node from a hole upwards. */
function up(heap: OrderHeap, place: u32, key: u64, low: u64): void {
  while (place !== 0) {
    const parent = (place - 1) >> 2;
    const at = nodeAt(heap, parent);
    if (!before(key, low, at)) break;
    v128.store(nodeAt(heap, place), v128.load(at));
    place = parent;
  }
  put(nodeAt(heap, place), key, low);
}

/**
 * Finds the place of a node from a hole downwards: the hole goes down to where it has no children, the node up from there. It mostly
 * comes from the end and stays there, so nothing is gained by asking at each level. Which child is the least is chance, so
 * values are selected, not branched for.
 */
function down(heap: OrderHeap, from: u32, key: u64, low: u64): void {
  const count = heap.count;
  let place = from;
  let child = place * 4 + 1;
  let hole = nodeAt(heap, place);
  while (child + 3 < count) {
    const one = nodeAt(heap, child);
    const three = one + 2 * NODE_BYTES;
    const left = select<u32>(
      one + NODE_BYTES,
      one,
      before(load<u64>(one, NODE_BYTES), load<u64>(one, NODE_BYTES + 8), one),
    );
    const right = select<u32>(
      three + NODE_BYTES,
      three,
      before(load<u64>(three, NODE_BYTES), load<u64>(three, NODE_BYTES + 8), three),
    );
    const best = select<u32>(right, left, before(load<u64>(right), load<u64>(right, 8), left));
    v128.store(hole, v128.load(best));
    hole = best;
    place = child + (best - one) / NODE_BYTES;
    child = place * 4 + 1;
  }
  if (child < count) {
    let best = nodeAt(heap, child);
    const end = nodeAt(heap, count);
    for (let at = best + NODE_BYTES; at < end; at += NODE_BYTES)
      best = select<u32>(at, best, before(load<u64>(at), load<u64>(at, 8), best));
    v128.store(hole, v128.load(best));
    place = (best - nodeAt(heap, 0)) / NODE_BYTES;
  }
  while (place !== from) {
    const parent = (place - 1) >> 2;
    const at = nodeAt(heap, parent);
    if (!before(key, low, at)) break;
    v128.store(nodeAt(heap, place), v128.load(at));
    place = parent;
  }
  put(nodeAt(heap, place), key, low);
}
