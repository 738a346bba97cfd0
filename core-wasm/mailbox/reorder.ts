/**
 * Another policy for a mailbox that holds something: nothing is lost, doubled or copied.
 *
 * A plain mailbox keeps many entries in one run, an ordered one a run for each. The way back needs nothing: runs of one entry,
 * in the order of arrival, are what a plain mailbox may hold too.
 *
 * While it is empty an order is put off, where it may be: the mailbox is a plain one then, with a note of its ordering in `lazy`.
 * What leaves all at once is sorted as it does (sort.ts); when something must stay behind the order is made.
 *
 *   empty ── first entry ──▶ plain, lazy ── all leave ──▶ empty
 *                                 │  not all can leave
 *                                 ▼
 *                              ordered ── the last one leaves ──▶ empty
 */
import { entrySize } from "../event/entry";
import { factsForget } from "../event/facts";
import { dueAgain } from "./due";
import { cameKeep, cameMs } from "./histograms";
import { orderAdd, orderDrops, orderFree, orderNeeded, orderNew, orderPutsOff } from "./order";
import { Mailbox, Order, Run, runFrontHasMeta } from "./records";
import { runSplit } from "./run";

/** Puts an ordering and an overflow policy in force. Returns false, with all as before, where memory is used up. */
export function inboxReorder(inbox: Mailbox, ordering: u32, overflow: u32): bool {
  if (inbox.head === 0 && orderPutsOff(ordering, overflow)) {
    putOff(inbox, ordering);
    return true;
  }
  if (inbox.order !== 0 && changetype<Order>(inbox.order).ordering === ordering && orderNeeded(ordering, overflow))
    return orderDrops(changetype<Order>(inbox.order), inbox, overflow);
  let made: u32 = 0;
  if (orderNeeded(ordering, overflow)) {
    made = orderNew(ordering, overflow, inbox.events);
    if (made === 0) return false;
    if (inbox.order === 0 && !splitAll(inbox)) {
      orderFree(changetype<Order>(made));
      return false;
    }
    factsForget();
    // There is room for all of them, so none of these can fail.
    for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
      const run = changetype<Run>(at);
      orderAdd(changetype<Order>(made), inbox, run, cameMs(run, inbox.order !== 0));
    }
  }
  if (made === 0 && inbox.order !== 0)
    for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) cameKeep(changetype<Run>(at));
  if (inbox.order !== 0) orderFree(changetype<Order>(inbox.order));
  inbox.order = made;
  inbox.lazy = 0;
  dueAgain(inbox);
  return true;
}

function putOff(inbox: Mailbox, ordering: u32): void {
  if (inbox.order !== 0) orderFree(changetype<Order>(inbox.order));
  inbox.order = 0;
  inbox.lazy = ordering;
}

/** Makes the order that was put off. Where memory is used up there is none, and what waits leaves in the order of arrival. */
export function inboxWake(inbox: Mailbox): void {
  if (inbox.lazy !== 0) inboxReorder(inbox, inbox.lazy, inbox.overflow);
}

/** Puts the order of an inbox off, where it is empty. */
export function inboxRest(inbox: Mailbox): void {
  if (inbox.head !== 0 || inbox.order === 0) return;
  const ordering = changetype<Order>(inbox.order).ordering;
  if (orderPutsOff(ordering, inbox.overflow)) putOff(inbox, ordering);
}

/** Gives each entry a run of its own. Where memory is used up it returns false; what is split by then stays so. */
function splitAll(inbox: Mailbox): bool {
  for (let at = inbox.head; at !== 0; at = changetype<Run>(at).next) {
    const run = changetype<Run>(at);
    if (run.events === 1) continue;
    if (!runSplit(inbox, run, entrySize(run.at), 1, runFrontHasMeta(run) ? 1 : 0)) return false;
  }
  return true;
}
