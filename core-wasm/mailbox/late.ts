/**
 * What becomes of entries whose moment has passed: their sinks are told, and where their channel does not deliver late they
 * leave their inbox, to nowhere or to another channel.
 */
import { DROPPED_LATE, ORDERING_WINDOW } from "../abi";
import { nowMs } from "../clock";
import { entryChannel } from "../event/entry";
import { Connection } from "../session/connection";
import { MISS_HOPELESS, MISS_LATE, MISS_WAITED } from "../session/miss-frame";
import { missTell } from "../session/misses";
import { accountOf } from "./accounts";
import { divertKeep } from "./diverted";
import { dueEnter, dueForget, dueLeave, dueNote, dueRank, dueSet, runDueMs } from "./due";
import { lateDiverts, lateDrops } from "./fate";
import { dropCount, inboxDropFirst } from "./inbox";
import { pendingLook } from "./kept-due";
import { orderFirst, orderLate } from "./order";
import { Ranking, rankingFirst } from "./ranking";
import { Mailbox, META_CANCELLED, Meta, metaAt, missesOf, Order, Run, runFrontHasMeta, Slab } from "./records";
import { runSplit } from "./run";
import { streamFind } from "./stream";
import { windowDueMs } from "./window";
import { eventsBefore } from "./withdraw";

/** Of a run in which something was late, so many entries with metas stay together: its next look is that short. */
const RUN_METAS_MAX: u32 = 64;
/** Runs of an inbox that are gone through without a ranking, and so many more for each event that has left since the last time. */
const SCANNED_RUNS_MAX: u32 = 64;
const SCANNED_RUNS_PER_EVENT: u64 = 4;

/** Takes the first entry of a run, which is late and was told, out of its inbox. */
export function lateTake(inbox: Mailbox, run: Run): void {
  const meta: u32 = runFrontHasMeta(run) ? changetype<u32>(metaAt(changetype<Slab>(run.slab), run.metaFirst)) : 0;
  if (lateDiverts(inbox, entryChannel(run.at))) divertKeep(run.at, meta);
  inboxDropFirst(inbox, run, DROPPED_LATE);
}

/** Deals with all deadlines of an inbox that have passed, and finds its next one. */
export function lateLook(inbox: Mailbox): void {
  if (inbox.dueMs >= nowMs) return;
  const anew = inbox.dueMs === -Infinity;
  // What comes in meanwhile is noted anew.
  dueSet(inbox, Infinity);
  const streamsMs = inbox.order === 0 ? Infinity : lookStreams(inbox);
  const dueMs = inbox.due === 0 ? lookAll(inbox, anew) : lookRanked(inbox);
  inbox.looked = changetype<Connection>(inbox.connection).delivered;
  inbox.toldMs = max<f64>(inbox.toldMs, nowMs);
  const keptMs = pendingLook(changetype<Connection>(inbox.connection));
  dueNote(inbox, min<f64>(min<f64>(dueMs, streamsMs), keptMs));
}

/** Finds the misses of streams, drops what their channels do not deliver late; returns when the next one is. */
function lookStreams(inbox: Mailbox): f64 {
  const order = changetype<Order>(inbox.order);
  if (order.ordering !== ORDERING_WINDOW) return Infinity;
  for (let first = orderFirst(inbox); orderLate; first = orderFirst(inbox)) lateTake(inbox, changetype<Run>(first));
  return windowDueMs(order);
}

/**
 * Goes through all runs; returns the earliest deadline that is left. Where that is much beside what leaves they get a ranking, but
 * not yet where no deadline has passed: `anew`, since other policies are in force.
 */
function lookAll(inbox: Mailbox, anew: bool): f64 {
  let runs: u32 = 0;
  let dueMs: f64 = Infinity;
  let at = inbox.head;
  while (at !== 0) {
    const run = changetype<Run>(at);
    at = run.next;
    runs++;
    const runMs = runDueMs(inbox, run);
    dueMs = min<f64>(dueMs, runMs < nowMs ? lookRun(inbox, run) : runMs);
  }
  const left = changetype<Connection>(inbox.connection).delivered - inbox.looked;
  if (!anew && dueMs !== Infinity && runs > SCANNED_RUNS_MAX + SCANNED_RUNS_PER_EVENT * left) dueRank(inbox);
  return dueMs;
}

/** Takes from the ranking what has passed; returns the earliest deadline that is left. */
function lookRanked(inbox: Mailbox): f64 {
  while (inbox.due !== 0) {
    const at = rankingFirst(changetype<Ranking>(inbox.due));
    if (at === 0) {
      dueForget(inbox);
      return Infinity;
    }
    const run = changetype<Run>(at);
    const dueMs = runDueMs(inbox, run);
    if (dueMs >= nowMs) return dueMs;
    dueLeave(inbox, run);
    // The pieces that it leaves behind enter by themselves.
    lookRun(inbox, run);
  }
  // Memory has ended meanwhile.
  return lookAll(inbox, false);
}

/** Deals with the late entries of a run; returns the earliest deadline that is left in what was this run. */
function lookRun(inbox: Mailbox, run: Run): f64 {
  if (inbox.order !== 0) return lookOrdered(inbox, run);
  leftMs = Infinity;
  for (let at = changetype<u32>(run); at !== 0; ) at = lookPiece(inbox, changetype<Run>(at));
  return leftMs;
}

/** An ordered mailbox has a run for each entry. */
function lookOrdered(inbox: Mailbox, run: Run): f64 {
  const meta = metaAt(changetype<Slab>(run.slab), run.metaFirst);
  if ((meta.flags & META_CANCELLED) !== 0) return Infinity;
  const drops = lateDrops(inbox, meta.channel);
  // A stream has deadlines of its own, and tells of those.
  if (drops || !ofStream(inbox, meta)) tellOnce(inbox, meta);
  if (drops) lateTake(inbox, run);
  return Infinity;
}

function ofStream(inbox: Mailbox, meta: Meta): bool {
  if (changetype<Order>(inbox.order).ordering !== ORDERING_WINDOW) return false;
  return streamFind(changetype<Connection>(inbox.connection).number, meta.channel) !== 0;
}

function tellOnce(inbox: Mailbox, meta: Meta): void {
  if (meta.deadline < inbox.toldMs) return;
  const connection = changetype<Connection>(inbox.connection);
  missTell(connection, meta.channel, meta.entryAt, missesOf(meta), nowMs - meta.deadline, MISS_WAITED);
}

/** The earliest deadline of the pieces that lookPiece() has seen. */
let leftMs: f64 = Infinity;

/** Goes through a run, up to where it had to be cut; returns the address of what comes behind that cut, 0: nothing. */
function lookPiece(inbox: Mailbox, run: Run): u32 {
  const slab = changetype<Slab>(run.slab);
  let dueMs: f64 = Infinity;
  let index: u32 = 0;
  while (index < run.metas) {
    const meta = metaAt(slab, run.metaFirst + index);
    const late = meta.deadline < nowMs && (meta.flags & META_CANCELLED) === 0;
    const takes = late && lateDrops(inbox, meta.channel);
    // What is cut off first is met again, at the front of what it is in then.
    const cuts = takes && meta.entryAt !== run.at;
    if (late && !cuts) tellOnce(inbox, meta);
    if (takes && !cuts) {
      const whole = run.events === 1;
      lateTake(inbox, run);
      if (whole) return 0;
      continue;
    }
    if (cuts || index === RUN_METAS_MAX) {
      const bytes = meta.entryAt - run.at;
      if (runSplit(inbox, run, bytes, eventsBefore(run, meta.entryAt), index)) {
        pieceEnd(inbox, run, dueMs);
        return run.next;
      }
      // Without memory for the cut it stays where it is; whoever drains will meet it.
      if (cuts) {
        tellOnce(inbox, meta);
        run.deadline = -Infinity;
        leftMs = min<f64>(leftMs, dueMs);
        return 0;
      }
    }
    if (meta.deadline >= nowMs) dueMs = min<f64>(dueMs, meta.deadline);
    index++;
  }
  pieceEnd(inbox, run, dueMs);
  return 0;
}

function pieceEnd(inbox: Mailbox, run: Run, dueMs: f64): void {
  run.deadline = dueMs;
  leftMs = min<f64>(leftMs, dueMs);
  if (inbox.due !== 0) dueEnter(inbox, run, dueMs);
}

/** What lateOnArrival() says of an entry: it is in time, it comes although it is late, it does not come. */
export const ARRIVES: u32 = 0;
export const ARRIVES_LATE: u32 = 1;
export const ARRIVES_NEVER: u32 = 2;

/**
 * Decides over an entry with a deadline that is about to enter an inbox: what is late already is told at once, and so is what
 * cannot be in time however soon it is taken, where it must not be late.
 */
export function lateOnArrival(inbox: Mailbox, entryAt: u32, meta: Meta): u32 {
  const deadline = meta.deadline;
  if (deadline >= nowMs + inbox.serviceMs || (meta.flags & META_CANCELLED) !== 0) return ARRIVES;
  const drops = lateDrops(inbox, meta.channel);
  const late = deadline < nowMs;
  if (!late && !drops) return ARRIVES;
  const connection = changetype<Connection>(inbox.connection);
  // It counts as told from now on, as all that was late before it must be then.
  if (late && !drops) {
    lateLook(inbox);
    inbox.toldMs = max<f64>(inbox.toldMs, nowMs);
  }
  const byMs = late ? nowMs - deadline : nowMs + inbox.serviceMs - deadline;
  missTell(connection, meta.channel, entryAt, missesOf(meta), byMs, late ? MISS_LATE : MISS_HOPELESS);
  if (!drops) return ARRIVES_LATE;
  if (lateDiverts(inbox, meta.channel)) divertKeep(entryAt, changetype<u32>(meta));
  dropCount(connection, meta.channel, DROPPED_LATE, 1);
  return ARRIVES_NEVER;
}

/** Counts those of neighbouring entries that leave now, with their metas, and are in time. Returns whether one of them has a key. */
export function metCount(connection: u32, slab: Slab, metaFirst: u32, metas: u32): bool {
  let keys: u32 = 0;
  // Neighbours are mostly of one channel.
  let channel: u32 = 0;
  let met: u32 = 0;
  for (let index: u32 = 0; index < metas; index++) {
    const meta = metaAt(slab, metaFirst + index);
    keys |= meta.keyBytes;
    if (meta.deadline === Infinity || meta.deadline < nowMs) continue;
    if (meta.channel !== channel) {
      if (met !== 0) accountOf(connection, channel).met += met;
      channel = meta.channel;
      met = 0;
    }
    met++;
  }
  if (met !== 0) accountOf(connection, channel).met += met;
  return keys !== 0;
}
