/**
 * When a mailbox has a deadline to look at: misses are found at their moment, whether or not anything leaves.
 *
 *   all inboxes with a deadline, the next one first ──▶ inbox.dueMs ──▶ what the host's timer waits for
 *   inbox, few runs      gone through one by one
 *   inbox, many runs     a ranking of its runs by their earliest deadline, made when the first one has passed
 *
 * An inbox that flows pays a comparison for an event with a deadline, and a look each time the earliest that it knew of has
 * passed: `dueMs` may be too early, never too late. No entry says whether its miss was told: those whose deadline is before
 * `toldMs` have been, and nobody else. So entries stay shared, and runs stay runs.
 */
import { nowMs } from "../clock";
import { heapGive, heapTakeZero } from "../memory/heap";
import { Connection } from "../session/connection";
import { Ranking, rankingAdd, rankingFirst, rankingFree, rankingRemove } from "./ranking";
import { Mailbox, metaAt, Run, Slab } from "./records";

/** The place of what is in no ranking. */
export const NOWHERE: u32 = 0xffffffff;

/** All inboxes with a deadline, by `dueMs`. */
const clockAt: u32 = <u32>memory.data(offsetof<Ranking>(), 8);

function clock(): Ranking {
  return changetype<Ranking>(clockAt);
}

/** Forgets all inboxes. */
export function dueInit(): void {
  memory.fill(clockAt, 0, offsetof<Ranking>());
  clock().placeOffset = offsetof<Mailbox>("duePlace");
}

/** A moment, ms, as a key of a ranking: moments are positive, and so are the bits of their numbers in order. */
export function dueKey(ms: f64): u64 {
  return ms > 0 ? reinterpret<u64>(ms) : 0;
}

/** Notes a deadline that has come into an inbox. */
export function dueNote(inbox: Mailbox, deadlineMs: f64): void {
  if (deadlineMs < inbox.dueMs) dueSet(inbox, deadlineMs);
}

/** Sets when an inbox has a deadline to look at; Infinity: never. */
export function dueSet(inbox: Mailbox, dueMs: f64): void {
  inbox.dueMs = dueMs;
  if (inbox.duePlace !== NOWHERE) rankingRemove(clock(), changetype<u32>(inbox));
  inbox.duePlace = NOWHERE;
  // Without memory for a place in it, its next drain will see.
  if (dueMs !== Infinity)
    rankingAdd(clock(), dueKey(dueMs), changetype<Connection>(inbox.connection).number, changetype<u32>(inbox));
}

/** When the next deadline of any inbox passes, ms; Infinity: there is none. It may be too early. */
export function dueNextMs(): f64 {
  const first = rankingFirst(clock());
  return first === 0 ? Infinity : changetype<Mailbox>(first).dueMs;
}

/** Inboxes that have a deadline to look at. */
export function dueInboxes(): u32 {
  return clock().count;
}

/** The next inbox of which a deadline has passed, 0: none. */
export function dueFirst(): u32 {
  const first = rankingFirst(clock());
  return first !== 0 && changetype<Mailbox>(first).dueMs < nowMs ? first : 0;
}

/** The earliest deadline in a run whose miss was not told; no later than that where many entries share it. */
export function runDueMs(inbox: Mailbox, run: Run): f64 {
  if (inbox.order === 0) return run.deadline;
  return run.metas === 0 ? Infinity : metaAt(changetype<Slab>(run.slab), run.metaFirst).deadline;
}

/** Gives an inbox its ranking, if there is memory for it. */
export function dueRank(inbox: Mailbox): void {
  const at = heapTakeZero(offsetof<Ranking>());
  if (at === 0) return;
  changetype<Ranking>(at).placeOffset = offsetof<Run>("duePlace");
  inbox.due = at;
  for (let run = inbox.head; run !== 0; run = changetype<Run>(run).next) {
    const dueMs = runDueMs(inbox, changetype<Run>(run));
    if (dueMs >= nowMs) dueEnter(inbox, changetype<Run>(run), dueMs);
    else changetype<Run>(run).duePlace = NOWHERE;
    if (inbox.due === 0) return;
  }
}

/** Files a run by its earliest deadline, or anew; only where the inbox has a ranking. */
export function dueEnter(inbox: Mailbox, run: Run, dueMs: f64): void {
  const ranking = changetype<Ranking>(inbox.due);
  if (run.duePlace !== NOWHERE) rankingRemove(ranking, changetype<u32>(run));
  run.duePlace = NOWHERE;
  if (dueMs === Infinity) return;
  if (!rankingAdd(ranking, dueKey(dueMs), 0, changetype<u32>(run))) dueForget(inbox);
}

/** Takes a run out, which may not be in it; only where the inbox has a ranking. */
export function dueLeave(inbox: Mailbox, run: Run): void {
  if (run.duePlace === NOWHERE) return;
  rankingRemove(changetype<Ranking>(inbox.due), changetype<u32>(run));
  run.duePlace = NOWHERE;
}

/** Gives up the ranking of an inbox: runs are gone through again. */
export function dueForget(inbox: Mailbox): void {
  if (inbox.due === 0) return;
  rankingFree(changetype<Ranking>(inbox.due));
  heapGive(inbox.due, offsetof<Ranking>());
  inbox.due = 0;
  for (let run = inbox.head; run !== 0; run = changetype<Run>(run).next) changetype<Run>(run).duePlace = NOWHERE;
}

/** All that waits is to be looked at again: it lies in other runs now, or late events of its channels have another fate. */
export function dueAgain(inbox: Mailbox): void {
  dueForget(inbox);
  if (inbox.order === 0)
    for (let run = inbox.head; run !== 0; run = changetype<Run>(run).next) changetype<Run>(run).deadline = -Infinity;
  if (inbox.head !== 0) dueSet(inbox, -Infinity);
}

/** The inbox is about to end. */
export function dueEnd(inbox: Mailbox): void {
  dueForget(inbox);
  dueSet(inbox, Infinity);
}
