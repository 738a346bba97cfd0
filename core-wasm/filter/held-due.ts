/**
 * When events that wait for a sink (held.ts) expire: their moment is found when it comes, whether or not anything else happens on
 * their channel. Channels are ranked by a moment no later than the earliest deadline of what they hold; a look that comes too early
 * finds the next one.
 */
import { Channel } from "../channel/channel";
import { nowMs } from "../clock";
import { dueKey, NOWHERE } from "../mailbox/due";
import { Ranking, rankingAdd, rankingFirst, rankingRemove } from "../mailbox/ranking";
import { Filters } from "./bind";

/** All channels that hold events with a deadline, by `heldDueMs`. */
const clockAt: u32 = <u32>memory.data(offsetof<Ranking>(), 8);

function clock(): Ranking {
  return changetype<Ranking>(clockAt);
}

/** Whether there may be an earlier moment than whoever waits for one knows of. */
let fresh: bool = false;

/** Forgets all channels. */
export function heldDueInit(): void {
  fresh = false;
  memory.fill(clockAt, 0, offsetof<Ranking>());
  clock().placeOffset = offsetof<Filters>("heldDuePlace");
}

/** Notes a deadline of an event that is held from now on. Without memory for that it expires when its channel is tried again. */
export function heldDueNote(filters: Filters, deadlineMs: f64): void {
  if (deadlineMs >= filters.heldDueMs) return;
  heldDueEnd(filters);
  filters.heldDueMs = deadlineMs;
  fresh = true;
  const at = changetype<u32>(filters);
  if (!rankingAdd(clock(), dueKey(deadlineMs), changetype<Channel>(filters.channel).number, at)) heldDueEnd(filters);
}

/** Takes a channel out; its held events have no deadline, or it ends. */
export function heldDueEnd(filters: Filters): void {
  if (filters.heldDuePlace !== NOWHERE) rankingRemove(clock(), changetype<u32>(filters));
  filters.heldDuePlace = NOWHERE;
  filters.heldDueMs = Infinity;
}

/** Whether heldDueNextMs() was not asked since a moment was noted. */
export function heldDueFresh(): bool {
  return fresh;
}

/** When the next held event of any channel expires, ms; Infinity: none does. It may be too early. */
export function heldDueNextMs(): f64 {
  fresh = false;
  const first = rankingFirst(clock());
  return first === 0 ? Infinity : changetype<Filters>(first).heldDueMs;
}

/** The next channel whose moment has passed, null where there is none. */
export function heldDueFirst(): Channel | null {
  if (heldDueNextMs() >= nowMs) return null;
  return changetype<Channel>(changetype<Filters>(rankingFirst(clock())).channel);
}
