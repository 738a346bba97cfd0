/**
 * Selective take: of what waits in an inbox what a client asks for by type or expression, in the inbox's own order; the rest
 * stays as it is.
 *
 *   plain      runs are gone through from the oldest; an entry in the middle of one is cut out of it
 *   ordered    runs hold one entry each and are gone through in their order; where that is a ranking, those that are wanted are
 *              ranked once more, by the keys that they have
 *
 * It looks at everything that waits: whoever takes by type often does better with an inbox of its own for that type.
 */
import { CONNECTION_LOCAL, OUT_SLOT_BYTES, ROLE_SINK, STATUS_OK } from "../abi";
import { Member, pairWithRole } from "../channel/member";
import { typeLookup, typeSetMade, typeSetNew, typeSetRelease, typeSetTakes } from "../channel/types";
import { entryChannel, entryEvent, entryEventBytes, entrySize } from "../event/entry";
import { scanEvent, scanTypeAt, scanTypeBytes } from "../event/scan";
import { programHoldsFor } from "../expression/holds";
import { Program } from "../expression/program";
import { viewEvent } from "../expression/view";
import { metaDead } from "../mailbox/fate";
import { lateLook } from "../mailbox/late";
import { orderNext, orderRanked, orderRanks } from "../mailbox/order";
import {
  pendingAgainBytes,
  pendingAgainDefer,
  pendingAgainEntry,
  pendingAgainTake,
  pendingKeep,
} from "../mailbox/pending";
import { Ranking, rankingFirst, rankingFree, rankingRemove } from "../mailbox/ranking";
import { Mailbox, metaAt, Run, Slab } from "../mailbox/records";
import { inboxWake } from "../mailbox/reorder";
import { runSplit } from "../mailbox/run";
import { resultStatus } from "../result";
import { Connection } from "./connection";
import { drained, entryLeave } from "./drain";

/** What is asked for, by whom, and how much of it may still be taken; set by connectionPick(). */
let types: u32 = 0;
let where: u32 = 0;
let taker: u32 = 0;
let eventsLeft: u32 = 0;
let outAt: u32 = 0;
let used: u32 = 0;
let room: u32 = 0;

/** The ranking of those that are wanted. */
const ranked = changetype<Ranking>(<u32>memory.data(offsetof<Ranking>(), 4));

/** See CoreExports.inboxPick(). Only for connections without a socket: credit and framing are others'. */
export function connectionPick(
  connection: Connection,
  typesAt: u32,
  typeCount: u32,
  program: u32,
  eventsMax: u32,
  out: u32,
  bytesMax: u32,
): u32 {
  const inbox = changetype<Mailbox>(connection.inbox);
  const first = connection.delivered + 1;
  used = 0;
  lateLook(inbox);
  if (connection.kind === CONNECTION_LOCAL && connection.held === 0 && connection.fault === 0) {
    const status = typeSetNew(typesAt, typeCount);
    if (status !== STATUS_OK) return 0;
    types = typeSetMade;
    where = program;
    taker = connection.number;
    eventsLeft = eventsMax;
    outAt = out;
    room = min<u32>(bytesMax, OUT_SLOT_BYTES);
    if (connection.pending !== 0) takeAgain(connection);
    // What is taken is chosen by the order, so none may be put off.
    inboxWake(inbox);
    if (inbox.order === 0) takePlain(connection, inbox);
    else if (orderRanks(inbox)) takeRanked(connection, inbox);
    else takeOrdered(connection, inbox);
    typeSetRelease(types);
  }
  resultStatus(STATUS_OK, 0, 0);
  drained(connection, inbox, first, used);
  return used;
}

/** Whether an entry is asked for. */
function matches(entryAt: u32): bool {
  const eventAt = entryEvent(entryAt);
  const bytes = entryEventBytes;
  scanEvent(eventAt, bytes);
  if (types !== 0 && !typeSetTakes(types, typeLookup(scanTypeAt, scanTypeBytes))) return false;
  if (where === 0) return true;
  const sink = pairWithRole(taker, entryChannel(entryAt), ROLE_SINK);
  viewEvent(eventAt, bytes);
  return sink !== 0 && programHoldsFor(changetype<Program>(where), changetype<Member>(sink));
}

/** Whether an entry with that meta may be delivered; what is dead goes when its turn comes. */
function lives(mailbox: u32, slab: u32, meta: u32): bool {
  return !metaDead(changetype<Mailbox>(mailbox), metaAt(changetype<Slab>(slab), meta));
}

/** The same for a run of one entry. */
function wanted(run: Run): bool {
  return (run.metas === 0 || lives(run.mailbox, run.slab, run.metaFirst)) && matches(run.at);
}

/** Whether one more of that size may be taken; the first one may be of any size. */
function fits(bytes: u32): bool {
  return eventsLeft !== 0 && (used === 0 || used + bytes <= room);
}

/** Takes the first entry of a run; false where it must stay, for want of memory to keep it until it is acknowledged. */
function take(connection: Connection, inbox: Mailbox, run: Run, bytes: u32, metas: u32): bool {
  if (connection.pending !== 0 && pendingKeep(connection, run, 1) === 0) return false;
  memory.copy(outAt + used, run.at, bytes);
  used += bytes;
  eventsLeft--;
  entryLeave(connection, inbox, run, bytes, metas);
  return true;
}

/** What is to be delivered again comes first; what is not asked for keeps its order: once round, up to the first that was put off. */
function takeAgain(connection: Connection): void {
  let deferred: u32 = 0;
  while (true) {
    const bytes = pendingAgainBytes(connection);
    if (bytes === 0) return;
    const entry = pendingAgainEntry(connection);
    if (entry === deferred) return;
    if (fits(bytes) && matches(entry)) {
      pendingAgainTake(connection, outAt + used);
      used += bytes;
      eventsLeft--;
    } else {
      if (deferred === 0) deferred = entry;
      pendingAgainDefer(connection);
    }
  }
}

/** What seek() has found, as in a run's record; and how many entries and metas come before it. */
let foundAt: u32 = 0;
let foundEvents: u32 = 0;
let foundMetas: u32 = 0;
let foundHasMeta: u32 = 0;

/** Finds the first entry of a run that is asked for. */
function seek(run: Run): bool {
  const slab = changetype<Slab>(run.slab);
  const end = run.at + run.bytes;
  foundEvents = foundMetas = 0;
  for (foundAt = run.at; foundAt < end; foundAt += entrySize(foundAt)) {
    const meta = run.metaFirst + foundMetas;
    foundHasMeta = <u32>(foundMetas < run.metas && metaAt(slab, meta).entryAt === foundAt);
    if ((foundHasMeta === 0 || lives(run.mailbox, run.slab, meta)) && matches(foundAt)) return true;
    foundEvents++;
    foundMetas += foundHasMeta;
  }
  return false;
}

function takePlain(connection: Connection, inbox: Mailbox): void {
  let at = inbox.head;
  while (at !== 0 && eventsLeft !== 0) {
    let run = changetype<Run>(at);
    if (!seek(run)) {
      at = run.next;
      continue;
    }
    const bytes = entrySize(foundAt);
    const before = foundAt - run.at;
    if (!fits(bytes) || (before !== 0 && !runSplit(inbox, run, before, foundEvents, foundMetas))) return;
    if (before !== 0) run = changetype<Run>(run.next);
    at = bytes === run.bytes ? run.next : changetype<u32>(run);
    if (!take(connection, inbox, run, bytes, foundHasMeta)) return;
  }
}

function takeOrdered(connection: Connection, inbox: Mailbox): void {
  for (let at = orderNext(inbox, 0); at !== 0 && eventsLeft !== 0; ) {
    const run = changetype<Run>(at);
    at = orderNext(inbox, at);
    if (wanted(run) && !(fits(run.bytes) && take(connection, inbox, run, run.bytes, run.metas))) return;
  }
}

function takeRanked(connection: Connection, inbox: Mailbox): void {
  if (orderRanked(inbox, ranked, wanted)) {
    while (ranked.count !== 0) {
      const run = changetype<Run>(rankingFirst(ranked));
      rankingRemove(ranked, changetype<u32>(run));
      if (!fits(run.bytes) || !take(connection, inbox, run, run.bytes, run.metas)) break;
    }
  }
  rankingFree(ranked);
}
