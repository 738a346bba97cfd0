/**
 * Another policy for a mailbox that holds something: nothing is lost, doubled or copied.
 *
 * A plain mailbox keeps many entries in one run, an ordered one a run for each. The way back needs nothing: runs of one entry,
 * in the order of arrival, are what a plain mailbox may hold too.
 */
import { entrySize } from "../event/entry";
import { factsForget } from "../event/facts";
import { dueAgain } from "./due";
import { cameKeep, cameMs } from "./histograms";
import { orderAdd, orderDrops, orderFree, orderNeeded, orderNew } from "./order";
import { Mailbox, Order, Run, runFrontHasMeta } from "./records";
import { runSplit } from "./run";

/** Puts an ordering and an overflow policy in force. Returns false, with all as before, where memory is used up. */
export function inboxReorder(inbox: Mailbox, ordering: u32, overflow: u32): bool {
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
  dueAgain(inbox);
  return true;
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
