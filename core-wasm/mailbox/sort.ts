/**
 * The entries of an inbox whose order was put off, sorted: what leaves all at once needs no order that is kept up to date.
 *
 * Sinks of one channel mostly have the same entries waiting: what was sorted for one of them is there for the next.
 */
import { entrySize } from "../event/entry";
import { factsForget, factsRead } from "../event/facts";
import { heapTake } from "../memory/heap";
import { NODE_BYTES, nodesInit, sortNodes } from "./nodes";
import { orderKey } from "./order";
import { Mailbox, Run, Slab } from "./records";
import { storeTurn } from "./store";

/** More entries than that are put in order one by one. */
export const SORTED_MAX: u32 = 8192;
/** Two halves, since merging goes from one to the other. */
const HALF_BYTES: u32 = SORTED_MAX * NODE_BYTES;
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
  nodesInit();
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
