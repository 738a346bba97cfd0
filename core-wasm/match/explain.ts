/**
 * The dry run of one event: what would become of it at each sink of a channel, and why. It reads what publishing reads and
 * changes nothing: no sequence is taken, nothing is stored, nobody is told.
 */
import {
  CHANNEL_ECHO,
  EXPLAIN_AGE,
  EXPLAIN_BYTES,
  EXPLAIN_CHARGE,
  EXPLAIN_CONNECTION,
  EXPLAIN_EVENTS,
  EXPLAIN_MEMBER,
  EXPLAIN_POSITION,
  EXPLAIN_RANK,
  EXPLAIN_REASON,
  EXPLAIN_RECORD_BYTES,
  EXPLAIN_RECORDS_MAX,
  EXPLAIN_ROUTE,
  EXPLAIN_SELECTIONS,
  EXPLAIN_STAGE_OWN,
  EXPLAIN_VALUE,
  EXPLAIN_VERDICT,
  EXPLAINED_BLOCKED,
  EXPLAINED_CAPACITY,
  EXPLAINED_ECHO,
  EXPLAINED_HELD,
  EXPLAINED_IN,
  EXPLAINED_LATE,
  EXPLAINED_NONE,
  EXPLAINED_ROUTE_CHANCE,
  EXPLAINED_TYPE,
  EXPLAINED_WHERE,
  OVERFLOW_REJECT,
  RECEIPTS_OFFSET,
  ROLE_SOURCE,
  VERDICT_DELIVERED,
  VERDICT_DROPPED,
  VERDICT_HELD,
  VERDICT_REJECTED,
  VERDICT_UNKNOWN,
} from "../abi";
import { Channel } from "../channel/channel";
import { Member, pairWithRole } from "../channel/member";
import { joinedSink } from "../channel/sinks";
import { typeLookup, typeSetTakes } from "../channel/types";
import { nowMs } from "../clock";
import { entryBytes } from "../event/entry";
import { factsForget, factsNote } from "../event/facts";
import { SCAN_PRIORITY, scanFlags, scanPriority, scanTimeUs, scanTypeAt, scanTypeBytes } from "../event/scan";
import { viewEvent } from "../expression/view";
import { EXPLAINED_DECIDER_UNASKED } from "../filter/abi";
import { Candidate, candidateAdd, candidateAt, candidateBlank, candidatesClear } from "../filter/candidates";
import { selectionsOf } from "../filter/questions";
import { RUN_DRY, stagesBegin, stagesFill, stagesOwnReason } from "../filter/stages";
import { lateDrops } from "../mailbox/fate";
import { inboxHasRoom, inboxYields } from "../mailbox/inbox";
import { orderAhead } from "../mailbox/order";
import { Mailbox } from "../mailbox/records";
import { inboxWake } from "../mailbox/reorder";
import { connectionAt } from "../session/connection";
import { explainWalk } from "./explain-way";
import { memberTakes } from "./select";

let verdict: u32 = 0;
let reason: u32 = 0;

/** No entry lies there. */
const NO_ENTRY: u32 = 1;

/** Own sinks of the submitter that may get an echo: no candidates, and not out either. */
const OWN: u32 = 0xffff;

/** What explainEvent() returns where a decider must be asked first (explain-way.ts). */
export const EXPLAIN_ASKS: u32 = 0xffffffff;

/**
 * Writes what would become of the event that was scanned just now at the sinks from the index `from` on; returns how many
 * records there are, or EXPLAIN_ASKS. `connection`: the submitter, 0: somebody else. `deadlineMs`: Infinity for none.
 */
export function explainEvent(channel: Channel, connection: u32, at: u32, bytes: u32, deadlineMs: f64, from: u32): u32 {
  const type = typeLookup(scanTypeAt, scanTypeBytes);
  const size = entryBytes(channel.number, channel.sequence + 1, bytes, 0);
  const priority = (scanFlags & SCAN_PRIORITY) !== 0 ? scanPriority : channel.priority;
  const deliverByUs = deadlineMs === Infinity ? i64.MAX_VALUE : <i64>(deadlineMs * 1000 + 0.5);
  const timeUs = scanTimeUs(<i64>(nowMs * 1000));
  viewEvent(at, bytes);
  const filtered = channel.filters !== 0;
  if (filtered && !choose(channel, connection, type)) return EXPLAIN_ASKS;
  let count: u32 = 0;
  let index: u32 = 0;
  for (let place: u32 = 0; place < channel.joined && count < EXPLAIN_RECORDS_MAX; place++) {
    const sink = joinedSink(channel, place);
    if (sink === 0) continue;
    if (index++ < from) continue;
    const member = changetype<Member>(sink);
    conclude(
      VERDICT_REJECTED,
      filtered ? outcomeOf(candidateAt(index - 1)) : matchOf(channel, member, connection, type),
    );
    if (reason === EXPLAINED_NONE) judge(channel, member, size, deadlineMs);
    else if (chance(reason)) verdict = VERDICT_UNKNOWN;
    const record = RECEIPTS_OFFSET + count++ * EXPLAIN_RECORD_BYTES;
    const inbox = changetype<Mailbox>(member.inbox);
    store<u32>(record + EXPLAIN_MEMBER * 4, member.number);
    store<u32>(record + EXPLAIN_CONNECTION * 4, member.connection);
    store<u32>(record + EXPLAIN_VERDICT * 4, verdict);
    store<u32>(record + EXPLAIN_REASON * 4, reason);
    store<u32>(record + EXPLAIN_EVENTS * 4, inbox.events);
    store<u32>(record + EXPLAIN_BYTES * 4, inbox.bytes);
    // Its place is one in the order, which may not be put off then.
    inboxWake(inbox);
    factsNote(NO_ENTRY, priority, deliverByUs, timeUs);
    store<u32>(record + EXPLAIN_POSITION * 4, orderAhead(inbox, channel.number) + 1);
    rankWrite(record, filtered ? changetype<u32>(candidateAt(index - 1)) : 0);
  }
  factsForget();
  return count;
}

/** What filters say of a sink, where a channel has any: the route that had the last word, and how it ranked the sink. */
function rankWrite(record: u32, at: u32): void {
  const candidate = changetype<Candidate>(at);
  store<u32>(record + EXPLAIN_ROUTE * 4, at === 0 ? 0 : candidate.route);
  store<u32>(record + EXPLAIN_STAGE_OWN * 4, at === 0 ? 0 : candidate.own);
  store<u32>(record + EXPLAIN_RANK * 4, at === 0 ? 0 : candidate.rank);
  store<u32>(record + EXPLAIN_SELECTIONS * 4, at === 0 ? 0 : selectionsOf(candidate.member));
  store<f64>(record + EXPLAIN_VALUE * 4, at === 0 ? NaN : candidate.value);
  store<f64>(record + EXPLAIN_CHARGE * 4, at === 0 ? 0 : candidate.charge);
  store<f64>(record + EXPLAIN_AGE * 4, at === 0 ? NaN : candidate.ageMs);
}

function chance(why: u32): bool {
  const where = why & ~EXPLAINED_IN;
  return where === EXPLAINED_ROUTE_CHANCE || where === EXPLAINED_DECIDER_UNASKED;
}

/** Whether the sink wants the event at all: EXPLAINED_…, or EXPLAINED_NONE where it does. */
function matchOf(channel: Channel, member: Member, connection: u32, type: u32): u32 {
  if (member.connection === connection && (channel.flags & CHANNEL_ECHO) === 0) return EXPLAINED_ECHO;
  if (!typeSetTakes(member.types, type)) return EXPLAINED_TYPE;
  if (!memberTakes(member, type)) return EXPLAINED_WHERE;
  return EXPLAINED_NONE;
}

/**
 * Runs all filters without any effect; the candidates stand in the order of the channel's sinks afterwards. False: a decider
 * must be asked first.
 */
function choose(channel: Channel, connection: u32, type: u32): bool {
  candidatesClear();
  for (let place: u32 = 0; place < channel.joined; place++) {
    const sink = joinedSink(channel, place);
    if (sink === 0) continue;
    const member = changetype<Member>(sink);
    const candidate = candidateAdd(sink);
    candidateBlank(candidate);
    candidate.reason = matchOf(channel, member, connection, type);
    if (candidate.reason === EXPLAINED_NONE && member.connection === connection) candidate.reason = OWN;
  }
  const source = pairWithRole(connection, channel.number, ROLE_SOURCE);
  stagesBegin(channel, connection, type, channel.sequence + 1, RUN_DRY);
  stagesFill();
  return explainWalk(channel, source);
}

function outcomeOf(candidate: Candidate): u32 {
  return candidate.reason === OWN ? stagesOwnReason : candidate.reason;
}

/** What becomes of an event that is for this sink, on its way to the inbox. */
function judge(channel: Channel, member: Member, size: u32, deadlineMs: f64): void {
  if (channel.blockedBy !== 0) return conclude(VERDICT_HELD, EXPLAINED_BLOCKED);
  const inbox = changetype<Mailbox>(member.inbox);
  const patient = inboxYields(inbox);
  // An event that alone is larger than all of the inbox is dropped even where the oldest give way.
  if (size > inbox.capacityBytes || (!patient && !inboxHasRoom(inbox, size)))
    return conclude(inbox.overflow === OVERFLOW_REJECT ? VERDICT_REJECTED : VERDICT_DROPPED, EXPLAINED_CAPACITY);
  if (deadlineMs < nowMs && lateDrops(inbox, channel.number)) return conclude(VERDICT_DROPPED, EXPLAINED_LATE);
  if (connectionAt(member.connection).held !== 0) return conclude(VERDICT_HELD, EXPLAINED_HELD);
  conclude(VERDICT_DELIVERED, EXPLAINED_NONE);
}

function conclude(what: u32, why: u32): void {
  verdict = what;
  reason = why;
}
