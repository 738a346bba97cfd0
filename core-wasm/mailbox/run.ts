/** Runs: neighbouring entries of one slab in one mailbox. A mailbox's list is its order, a slab's is its reference count. */
import { nowQuarters } from "../clock";
import { heapGive, heapTake } from "../memory/heap";
import { dueEnter, dueLeave, NOWHERE } from "./due";
import { orderRemove } from "./order";
import { Mailbox, metaAt, Run, Slab } from "./records";
import { slabIdle } from "./slab";

/** Appends a run of no bytes to a mailbox; 0 where memory is used up. */
export function runNew(mailbox: Mailbox, slab: Slab, at: u32, metaFirst: u32): u32 {
  const address = heapTake(offsetof<Run>());
  if (address === 0) return 0;
  const run = changetype<Run>(address);
  run.deadline = Infinity;
  run.place = nowQuarters;
  run.mailbox = changetype<u32>(mailbox);
  run.at = at;
  run.bytes = run.events = 0;
  run.metas = 0;
  run.metaFirst = <u16>metaFirst;
  run.duePlace = NOWHERE;
  run.next = 0;
  run.previous = mailbox.tail;
  if (mailbox.tail === 0) mailbox.head = address;
  else changetype<Run>(mailbox.tail).next = address;
  mailbox.tail = address;
  runLink(run, slab);
  return address;
}

/** Appends one entry, with a meta or without, to an ordered mailbox; 0 where memory is used up. Its order and counts are the caller's. */
export function runOne(mailbox: Mailbox, slab: Slab, at: u32, bytes: u32, metaFirst: u32, metas: u32): u32 {
  const address = runNew(mailbox, slab, at, metaFirst);
  if (address === 0) return 0;
  const run = changetype<Run>(address);
  run.bytes = bytes;
  run.events = 1;
  run.metas = <u16>metas;
  if (mailbox.due !== 0 && metas !== 0) dueEnter(mailbox, run, metaAt(slab, metaFirst).deadline);
  return address;
}

/** Puts a run into a slab's list. */
export function runLink(run: Run, slab: Slab): void {
  const address = changetype<u32>(run);
  run.slab = changetype<u32>(slab);
  run.slabNext = 0;
  run.slabPrevious = slab.runsLast;
  if (slab.runsLast === 0) slab.runs = address;
  else changetype<Run>(slab.runsLast).slabNext = address;
  slab.runsLast = address;
}

/** Takes a run out of its slab's list; the slab may be idle after that, which is the caller's to say. */
export function runUnlink(run: Run): void {
  const slab = changetype<Slab>(run.slab);
  if (run.slabPrevious === 0) slab.runs = run.slabNext;
  else changetype<Run>(run.slabPrevious).slabNext = run.slabNext;
  if (run.slabNext === 0) slab.runsLast = run.slabPrevious;
  else changetype<Run>(run.slabNext).slabPrevious = run.slabPrevious;
}

/** Takes a run out of its mailbox's list and its order, and frees it, or leaves that to the order. */
export function runFree(mailbox: Mailbox, run: Run): void {
  const stays = mailbox.order !== 0 && orderRemove(mailbox, run);
  if (mailbox.due !== 0) dueLeave(mailbox, run);
  if (run.previous === 0) mailbox.head = run.next;
  else changetype<Run>(run.previous).next = run.next;
  if (run.next === 0) mailbox.tail = run.previous;
  else changetype<Run>(run.next).previous = run.previous;
  if (stays) run.mailbox = 0;
  else heapGive(changetype<u32>(run), offsetof<Run>());
}

/** Removes a run with all it holds. The mailbox's counts are the caller's. */
export function runRemove(mailbox: Mailbox, run: Run): void {
  const slab = changetype<Slab>(run.slab);
  runUnlink(run);
  runFree(mailbox, run);
  if (slab.runs !== 0) return;
  if (mailbox.chunk === changetype<u32>(slab)) mailbox.chunk = 0;
  slabIdle(slab);
}

/** Takes `events` entries of `bytes` with `metas` metas off the front of a run and off its mailbox's counts. */
export function runAdvance(mailbox: Mailbox, run: Run, bytes: u32, events: u32, metas: u32): void {
  mailbox.events -= events;
  mailbox.bytes -= bytes;
  if (bytes === run.bytes) {
    runRemove(mailbox, run);
    return;
  }
  if (mailbox.order === 0) run.place = cameAfter(run, events);
  run.at += bytes;
  run.bytes -= bytes;
  run.events -= events;
  run.metaFirst += <u16>metas;
  run.metas -= <u16>metas;
}

/** When the entry behind the first `events` of a plain run came, as if they had come at even distances. */
function cameAfter(run: Run, events: u32): u32 {
  return run.place + <u32>((<u64>(run.back - run.place) * events) / run.events);
}

/** Puts neighbouring entries at the end of a mailbox; false where memory is used up. Counts are the caller's. */
export function runAppend(
  mailbox: Mailbox,
  slab: Slab,
  at: u32,
  bytes: u32,
  events: u32,
  metaFirst: u32,
  metas: u32,
  deadline: f64,
): bool {
  let run = changetype<Run>(mailbox.tail);
  if (mailbox.order !== 0 || mailbox.tail === 0 || run.at + run.bytes !== at || run.slab !== changetype<u32>(slab)) {
    const address = runNew(mailbox, slab, at, metaFirst);
    if (address === 0) return false;
    run = changetype<Run>(address);
  } else if (run.metas === 0) {
    run.metaFirst = <u16>metaFirst;
  }
  // In an ordered mailbox orderAdd() writes there what it needs.
  run.back = nowQuarters;
  run.bytes += bytes;
  run.events += events;
  run.metas += <u16>metas;
  if (deadline >= run.deadline) return true;
  run.deadline = deadline;
  if (mailbox.due !== 0) dueEnter(mailbox, run, deadline);
  return true;
}

/** Cuts a run behind its first `events` entries of `bytes` with `metas` metas. Returns false where memory is used up. */
export function runSplit(mailbox: Mailbox, run: Run, bytes: u32, events: u32, metas: u32): bool {
  const address = heapTake(offsetof<Run>());
  if (address === 0) return false;
  const rest = changetype<Run>(address);
  // No later than any deadline in it, which is all that is asked of it.
  rest.deadline = run.deadline;
  rest.mailbox = run.mailbox;
  rest.place = cameAfter(run, events);
  rest.back = run.back;
  rest.at = run.at + bytes;
  rest.bytes = run.bytes - bytes;
  rest.events = run.events - events;
  rest.metaFirst = run.metaFirst + <u16>metas;
  rest.metas = run.metas - <u16>metas;
  rest.duePlace = NOWHERE;
  rest.previous = changetype<u32>(run);
  rest.next = run.next;
  if (run.next === 0) mailbox.tail = address;
  else changetype<Run>(run.next).previous = address;
  run.next = address;
  run.bytes = bytes;
  run.events = events;
  run.metas = <u16>metas;
  runLink(rest, changetype<Slab>(run.slab));
  if (mailbox.due !== 0) dueEnter(mailbox, rest, rest.deadline);
  return true;
}

/** Has a run of one entry refer to another one, in its very place. The mailbox's count of bytes follows. */
export function runSwap(mailbox: Mailbox, run: Run, slab: Slab, at: u32, bytes: u32, metaFirst: u32): void {
  const from = changetype<Slab>(run.slab);
  runUnlink(run);
  mailbox.bytes += bytes - run.bytes;
  run.at = at;
  run.bytes = bytes;
  run.metaFirst = <u16>metaFirst;
  runLink(run, slab);
  if (mailbox.due !== 0) dueEnter(mailbox, run, metaAt(slab, metaFirst).deadline);
  if (from.runs !== 0) return;
  if (mailbox.chunk === changetype<u32>(from)) mailbox.chunk = 0;
  slabIdle(from);
}
