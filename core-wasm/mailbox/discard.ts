/** Discarding from the middle of an inbox: what was queued for members that leave. */
import { DROPPED_LEFT, ROLE_SINK } from "../abi";
import { lossCount } from "../channel/losses";
import { pairWithRole } from "../channel/member";
import { entryChannel, entrySize } from "../event/entry";
import { heapGive } from "../memory/heap";
import { dueAgain, dueForget } from "./due";
import { orderForget } from "./order";
import { Mailbox, metaAt, Run, Slab } from "./records";
import { runAdvance, runAppend, runUnlink } from "./run";
import { slabIdle } from "./slab";

/** Whom the inbox is of, and the channel that was asked about last, with the answer: neighbours are mostly of one channel. */
let owner: u32 = 0;
let askedChannel: u32 = 0;
let askedStays: bool = false;

function stays(channel: u32): bool {
  if (channel === askedChannel) return askedStays;
  askedChannel = channel;
  askedStays = pairWithRole(owner, channel, ROLE_SINK) !== 0;
  return askedStays;
}

/**
 * Discards all entries of channels in which the connection of an inbox has no sink any more, and counts them: one pass,
 * however many memberships ended.
 */
export function inboxDiscard(inbox: Mailbox, connection: u32): void {
  owner = connection;
  askedChannel = 0;
  if (inbox.order !== 0) {
    discardOrdered(inbox);
    return;
  }
  // Those that stay lie in other runs then.
  dueForget(inbox);
  let old = inbox.head;
  inbox.head = inbox.tail = 0;
  inbox.events = inbox.bytes = 0;
  while (old !== 0) {
    const run = changetype<Run>(old);
    const slab = changetype<Slab>(run.slab);
    old = run.next;
    slab.pins++;
    keepOthers(inbox, run, slab);
    runUnlink(run);
    heapGive(changetype<u32>(run), offsetof<Run>());
    slab.pins--;
    if (slab.runs === 0) {
      if (inbox.chunk === changetype<u32>(slab)) inbox.chunk = 0;
      slabIdle(slab);
    }
  }
  if (inbox.dueMs !== Infinity) dueAgain(inbox);
}

/** An ordered mailbox has a run for each entry: those that stay are left alone. */
function discardOrdered(inbox: Mailbox): void {
  let at = inbox.head;
  while (at !== 0) {
    const run = changetype<Run>(at);
    at = run.next;
    const channel = entryChannel(run.at);
    if (stays(channel)) continue;
    runAdvance(inbox, run, run.bytes, 1, run.metas);
    lossCount(channel, DROPPED_LEFT, 1);
  }
  orderForget(inbox);
}

/** Appends to the inbox all entries of a run that stay. */
function keepOthers(inbox: Mailbox, run: Run, slab: Slab): void {
  const end = run.at + run.bytes;
  let meta = run.metaFirst;
  const metaEnd = run.metaFirst + run.metas;
  let at = run.at;
  while (at < end) {
    const size = entrySize(at);
    const hasMeta = meta < metaEnd && metaAt(slab, meta).entryAt === at;
    if (
      stays(entryChannel(at)) &&
      runAppend(inbox, slab, at, size, 1, meta, hasMeta ? 1 : 0, hasMeta ? metaAt(slab, meta).deadline : Infinity)
    ) {
      inbox.events++;
      inbox.bytes += size;
      // They came with the run, not now.
      const kept = changetype<Run>(inbox.tail);
      if (kept.events === 1) kept.place = run.place;
      kept.back = run.back;
    } else {
      lossCount(entryChannel(at), DROPPED_LEFT, 1);
    }
    if (hasMeta) meta++;
    at += size;
  }
}
