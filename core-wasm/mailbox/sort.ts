/**
 * The entries of an inbox whose order was put off, sorted: what leaves all at once needs no order that is kept up to date.
 *
 * Sinks of one channel mostly have the same entries waiting: what was sorted for one of them is there for the next.
 */
import { entrySize } from "../event/entry";
import { factsForget, factsRead } from "../event/facts";
import { heapTake } from "../memory/heap";
import { orderKey } from "./order";
import { Mailbox, Run, Slab } from "./records";
import { storeTurn } from "./store";

/** One entry: its key, u32 address, u32 bytes. */
export const NODE_BYTES: u32 = 16;
/** More entries than that are put in order one by one. */
export const SORTED_MAX: u32 = 8192;
/** Two halves, since merging goes from one to the other. */
const HALF_BYTES: u32 = SORTED_MAX * NODE_BYTES;
/** Entries that are sorted by insertion before blocks are merged. */
const BLOCK: u32 = 8;

/** The room; 0: not taken yet. */
let room: u32 = 0;
/** Address of the nodes that are sorted. */
let sortedAt: u32 = 0;
/** What they are: one whole run of the store, when so much had been stored. */
let sortedFrom: u32 = 0;
let sortedBytes: u32 = 0;
let sortedOrdering: u32 = 0;
let sortedTurn: u32 = 0;

/** Forgets the room; the pool has been laid out anew. */
export function sortInit(): void {
  room = sortedFrom = 0;
}

/** Takes the room. Returns false where memory is used up. */
export function sortReserve(): bool {
  if (room === 0) room = heapTake(HALF_BYTES * 2);
  return room !== 0;
}

/** Sorts the entries of an inbox by an ordering, at most SORTED_MAX, after sortReserve(); see sortEntry(). */
export function sortInbox(inbox: Mailbox, ordering: u32): void {
  const head = changetype<Run>(inbox.head);
  // Entries of a chunk are one inbox's own.
  const shared = head.next === 0 && changetype<Slab>(head.slab).owner === 0;
  if (
    shared &&
    sortedFrom === head.at &&
    sortedBytes === head.bytes &&
    sortedOrdering === ordering &&
    sortedTurn === storeTurn
  )
    return;
  factsForget();
  let to = room;
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
    const run = changetype<Run>(at);
    const end = run.at + run.bytes;
    for (let entry = run.at; entry < end; to += NODE_BYTES) {
      const bytes = entrySize(entry);
      factsRead(entry);
      store<u64>(to, orderKey(ordering, (to - room) / NODE_BYTES));
      store<u32>(to, entry, 8);
      store<u32>(to, bytes, 12);
      entry += bytes;
    }
  }
  sortedAt = sortNodes(room, room + HALF_BYTES, (to - room) / NODE_BYTES);
  sortedFrom = shared ? head.at : 0;
  sortedBytes = head.bytes;
  sortedOrdering = ordering;
  sortedTurn = storeTurn;
}

/** Address of an entry that was sorted, by its place. */
export function sortEntry(place: u32): u32 {
  return load<u32>(sortedAt + place * NODE_BYTES, 8);
}

/** Bytes of an entry that was sorted, by its place. */
export function sortEntryBytes(place: u32): u32 {
  return load<u32>(sortedAt + place * NODE_BYTES, 12);
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
    memory.copy(to, one, end - one);
    return;
  }
  while (one < oneEnd && other < end) {
    const takesOther = load<u64>(other) < load<u64>(one);
    v128.store(to, v128.load(select<u32>(other, one, takesOther)));
    other += select<u32>(NODE_BYTES, 0, takesOther);
    one += select<u32>(0, NODE_BYTES, takesOther);
    to += NODE_BYTES;
  }
  memory.copy(to, one, oneEnd - one);
  memory.copy(to + (oneEnd - one), other, end - other);
}
