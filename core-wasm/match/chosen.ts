/**
 * What selective sinks get of a range: entries that follow one another and are taken by the very same sinks go to each of them
 * together, as those of the range go to sinks that want everything. They lie within the range under way, which holds their slab.
 */
import { Member } from "../channel/member";
import { factsForget, factsRangeFrom, factsReadRange } from "../event/facts";
import { inboxAppend } from "../mailbox/append";
import { inboxOrdered } from "../mailbox/inbox";
import { Mailbox, Slab } from "../mailbox/records";
import { heapTake } from "../memory/heap";
import { Connection, dirtyUrge } from "../session/connection";
import { collectedAt, collectWarm, WARM_BYTES } from "./collect";

/** So many sinks are remembered; where there are more, each entry goes by itself. */
const SINKS_MAX: u32 = 256;
/** Their Members, as they were collected; 0: the room was not taken yet. */
let sinksAt: u32 = 0;
let sinks: u32 = 0;
/** chosenEvents 0 means that nothing is under way. */
let chosenEvents: u32 = 0;
/** Place of the first one in the range. */
let chosenPlace: u32 = 0;
let chosenAt: u32 = 0;
let chosenBytes: u32 = 0;
let chosenMetaFirst: u32 = 0;
let chosenMetas: u32 = 0;
let chosenDeadline: f64 = 0;
let chosenUrgent: bool = false;

/** Forgets all; the pool has been laid out anew. */
export function chosenInit(): void {
  sinksAt = chosenEvents = 0;
}

/** Adds the entry at a place of the range, which the first `taken` members that were collected take. */
export function chosenExtend(
  taken: u32,
  place: u32,
  slab: Slab,
  at: u32,
  bytes: u32,
  metas: u32,
  deadline: f64,
  urgent: bool,
): void {
  if (chosenEvents === 0 || chosenAt + chosenBytes !== at || !sameSinks(taken)) {
    chosenFlush(slab);
    chosenPlace = place;
    chosenAt = at;
    chosenBytes = chosenMetas = 0;
    chosenDeadline = Infinity;
    chosenUrgent = false;
    if (!sinksKeep(taken)) {
      chosenNote(slab, bytes, metas, deadline, urgent);
      append(collectedAt, taken, slab);
      return;
    }
  }
  chosenNote(slab, bytes, metas, deadline, urgent);
}

function chosenNote(slab: Slab, bytes: u32, metas: u32, deadline: f64, urgent: bool): void {
  if (chosenMetas === 0) chosenMetaFirst = slab.metas - metas;
  chosenBytes += bytes;
  chosenEvents++;
  chosenMetas += metas;
  if (deadline < chosenDeadline) chosenDeadline = deadline;
  chosenUrgent = chosenUrgent || urgent;
}

/** Whether the first `taken` members that were collected are those that are remembered. */
function sameSinks(taken: u32): bool {
  if (taken !== sinks) return false;
  for (let offset: u32 = 0; offset < taken * 4; offset += 4)
    if (load<u32>(collectedAt + offset) !== load<u32>(sinksAt + offset)) return false;
  return true;
}

/** Remembers them; false where there is no room. */
function sinksKeep(taken: u32): bool {
  if (sinksAt === 0) sinksAt = heapTake(SINKS_MAX * 4);
  if (sinksAt === 0 || taken > SINKS_MAX) return false;
  for (let offset: u32 = 0; offset < taken * 4; offset += 4)
    store<u32>(sinksAt + offset, load<u32>(collectedAt + offset));
  sinks = taken;
  return true;
}

/** Hands on what is under way. The range does so before it ends. */
export function chosenFlush(slab: Slab): void {
  if (chosenEvents !== 0) append(sinksAt, sinks, slab);
}

function append(from: u32, count: u32, slab: Slab): void {
  const events = chosenEvents;
  chosenEvents = 0;
  const end = from + count * 4;
  factsForget();
  factsRangeFrom(chosenPlace);
  if (events === 1) factsReadRange(0, chosenAt);
  for (let at = from; at < end; at += 4) {
    if (((at - from) & (WARM_BYTES - 1)) === 0) collectWarm(at, end);
    const inbox = changetype<Mailbox>(changetype<Member>(load<u32>(at)).inbox);
    inboxAppend(inbox, slab, chosenAt, chosenBytes, events, chosenMetaFirst, chosenMetas, chosenDeadline);
    if (chosenUrgent && inboxOrdered(inbox)) dirtyUrge(changetype<Connection>(inbox.connection));
  }
  factsRangeFrom(0);
}
