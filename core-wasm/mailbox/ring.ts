/**
 * The ring of a channel that stores: its last events, for whoever joins later or comes back.
 *
 * A ring is a mailbox that nobody drains. It holds runs like any other, so what it keeps costs no copy while the store's
 * slabs live, and its own chunks after that. It never blocks and tells nobody: the oldest go, and a replay that comes too
 * late sees by the sequence of the first entry that something is missing.
 */
import { entryEvent, entrySequence, entrySize } from "../event/entry";
import { heapGive, heapTakeZero } from "../memory/heap";
import { Mailbox, Run, runFrontHasMeta, Slab } from "./records";
import { runAdvance, runAppend, runRemove } from "./run";

/** Makes a ring; 0 where memory is used up. */
export function ringNew(capacityEvents: u32, capacityBytes: u32): u32 {
  const at = heapTakeZero(offsetof<Mailbox>());
  if (at === 0) return 0;
  ringResize(changetype<Mailbox>(at), capacityEvents, capacityBytes);
  return at;
}

/** Changes the capacity; what is beyond it goes. */
export function ringResize(ring: Mailbox, capacityEvents: u32, capacityBytes: u32): void {
  ring.capacityEvents = capacityEvents;
  ring.capacityBytes = capacityBytes;
  trim(ring);
}

/** Frees a ring with all it holds. */
export function ringFree(ring: Mailbox): void {
  while (ring.head !== 0) runRemove(ring, changetype<Run>(ring.head));
  heapGive(changetype<u32>(ring), offsetof<Mailbox>());
}

/** Puts neighbouring entries at the end. The slab must be pinned. */
export function ringAppend(
  ring: Mailbox,
  slab: Slab,
  at: u32,
  bytes: u32,
  events: u32,
  metaFirst: u32,
  metas: u32,
  deadline: f64,
): void {
  if (!runAppend(ring, slab, at, bytes, events, metaFirst, metas, deadline)) {
    // A hole in the middle would look like a whole: without room for these, all before them are gone too.
    while (ring.head !== 0) runsDropFront(ring);
    return;
  }
  ring.events += events;
  ring.bytes += bytes;
  trim(ring);
}

/** Drops the oldest until the ring is within its capacity. */
function trim(ring: Mailbox): void {
  while (ring.events > ring.capacityEvents || ring.bytes > ring.capacityBytes) {
    const run = changetype<Run>(ring.head);
    const over = ring.events > ring.capacityEvents ? ring.events - ring.capacityEvents : 0;
    if (run.events <= over) runsDropFront(ring);
    else runAdvance(ring, run, entrySize(run.at), 1, runFrontHasMeta(run) ? 1 : 0);
  }
}

/** Drops the oldest run. */
function runsDropFront(ring: Mailbox): void {
  const run = changetype<Run>(ring.head);
  runAdvance(ring, run, run.bytes, run.events, run.metas);
}

/** Drops a run for which there is no memory any more, and all before it: a ring has no holes. */
export function ringDropThrough(ring: Mailbox, run: Run): void {
  const last = changetype<u32>(run);
  while (ring.head !== last) runsDropFront(ring);
  runsDropFront(ring);
}

/** Sequence of the oldest event it holds, 0: none. */
export function ringFirst(ring: Mailbox): u64 {
  if (ring.head === 0) return 0;
  entryEvent(changetype<Run>(ring.head).at);
  return entrySequence;
}
