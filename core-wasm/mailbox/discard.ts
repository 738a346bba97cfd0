/** Discarding from the middle of an inbox: what was queued for a member that leaves. */
import { DROPPED_LEFT } from "../abi";
import { lossCount } from "../channel/losses";
import { entryChannel, entrySize } from "../event/entry";
import { heapGive } from "../memory/heap";
import { Mailbox, metaAt, Run, Slab } from "./records";
import { runAdvance, runAppend, runUnlink } from "./run";
import { slabIdle } from "./slab";

/** Discards all entries of a channel from an inbox, and counts them. */
export function inboxDiscard(inbox: Mailbox, channel: u32): void {
  if (inbox.order !== 0) {
    discardOrdered(inbox, channel);
    return;
  }
  let old = inbox.head;
  inbox.head = inbox.tail = 0;
  inbox.events = inbox.bytes = 0;
  while (old !== 0) {
    const run = changetype<Run>(old);
    const slab = changetype<Slab>(run.slab);
    old = run.next;
    slab.pins++;
    keepOthers(inbox, run, slab, channel);
    runUnlink(run);
    heapGive(changetype<u32>(run), offsetof<Run>());
    slab.pins--;
    if (slab.runs === 0) {
      if (inbox.chunk === changetype<u32>(slab)) inbox.chunk = 0;
      slabIdle(slab);
    }
  }
}

/** An ordered mailbox has a run for each entry: those that stay are left alone. */
function discardOrdered(inbox: Mailbox, channel: u32): void {
  let at = inbox.head;
  while (at !== 0) {
    const run = changetype<Run>(at);
    at = run.next;
    if (entryChannel(run.at) !== channel) continue;
    runAdvance(inbox, run, run.bytes, 1, run.metas);
    lossCount(channel, DROPPED_LEFT, 1);
  }
}

/** Appends to the inbox all entries of a run that are not of that channel. */
function keepOthers(inbox: Mailbox, run: Run, slab: Slab, channel: u32): void {
  const end = run.at + run.bytes;
  let meta = run.metaFirst;
  const metaEnd = run.metaFirst + run.metas;
  let at = run.at;
  while (at < end) {
    const size = entrySize(at);
    const hasMeta = meta < metaEnd && metaAt(slab, meta).entryAt === at;
    if (
      entryChannel(at) !== channel &&
      runAppend(inbox, slab, at, size, 1, meta, hasMeta ? 1 : 0, hasMeta ? metaAt(slab, meta).deadline : Infinity)
    ) {
      inbox.events++;
      inbox.bytes += size;
    } else {
      lossCount(channel, DROPPED_LEFT, 1);
    }
    if (hasMeta) meta++;
    at += size;
  }
}
