/** Taking one entry out of whatever inboxes it waits in, wherever it stands there. */
import { DROPPED_CANCELLED } from "../abi";
import { entrySize } from "../event/entry";
import { Connection } from "../session/connection";
import { dropCount } from "./inbox";
import { tombstoneLeft } from "./keys";
import { Mailbox, META_BYTES, Meta, Run, Slab } from "./records";
import { runAdvance, runSplit } from "./run";

/**
 * Takes a cancelled entry, whose slab is pinned, out of all inboxes and has their sessions told. A channel's ring keeps it,
 * marked as it is: replays pass it over.
 *
 * @returns In how many it waited; a queue that no session has counts like one.
 */
export function entryWithdraw(meta: Meta, ring: u32): u32 {
  let inboxes: u32 = 0;
  let at = changetype<Slab>(meta.slab).runs;
  while (at !== 0) {
    const run = changetype<Run>(at);
    at = run.slabNext;
    // Unsigned: an entry before the run is far beyond its end.
    if (meta.entryAt - run.at >= run.bytes || run.mailbox === ring) continue;
    const mailbox = changetype<Mailbox>(run.mailbox);
    inboxes++;
    if (!take(mailbox, run, meta)) tombstoneLeft();
    if (mailbox.connection !== 0)
      dropCount(changetype<Connection>(mailbox.connection), meta.channel, DROPPED_CANCELLED, 1);
  }
  return inboxes;
}

/** Takes an entry out of a run. Returns false where there is no memory to cut the run; the mark must do then. */
function take(mailbox: Mailbox, run: Run, meta: Meta): bool {
  const size = entrySize(meta.entryAt);
  const before = meta.entryAt - run.at;
  if (before === 0) {
    runAdvance(mailbox, run, size, 1, 1);
    return true;
  }
  if (before + size === run.bytes) {
    mailbox.events--;
    mailbox.bytes -= size;
    run.bytes = before;
    run.events--;
    run.metas--;
    return true;
  }
  const metas = metaIndex(meta) - run.metaFirst;
  if (!runSplit(mailbox, run, before, eventsBefore(run, meta.entryAt), metas)) return false;
  runAdvance(mailbox, changetype<Run>(run.next), size, 1, 1);
  return true;
}

function metaIndex(meta: Meta): u32 {
  const slab = changetype<Slab>(meta.slab);
  return (slab.base + slab.bytes - changetype<u32>(meta)) / META_BYTES - 1;
}

/** Entries of a run before the one at `entryAt`. */
export function eventsBefore(run: Run, entryAt: u32): u32 {
  let events: u32 = 0;
  for (let at = run.at; at < entryAt; at += entrySize(at)) events++;
  return events;
}
