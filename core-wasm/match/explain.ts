/**
 * The dry run of one event: what would become of it at each sink of a channel, and why. It reads what publishing reads and
 * changes nothing: no sequence is taken, nothing is stored, nobody is told.
 */
import {
  CHANNEL_ECHO,
  CHANNEL_LATE_DROP,
  EXPLAIN_BYTES,
  EXPLAIN_CONNECTION,
  EXPLAIN_EVENTS,
  EXPLAIN_MEMBER,
  EXPLAIN_REASON,
  EXPLAIN_RECORD_BYTES,
  EXPLAIN_RECORDS_MAX,
  EXPLAIN_VERDICT,
  EXPLAINED_BLOCKED,
  EXPLAINED_CAPACITY,
  EXPLAINED_DECIDER,
  EXPLAINED_ECHO,
  EXPLAINED_HELD,
  EXPLAINED_LATE,
  EXPLAINED_NONE,
  EXPLAINED_TYPE,
  EXPLAINED_WHERE,
  OVERFLOW_REJECT,
  RECEIPTS_OFFSET,
  VERDICT_DELIVERED,
  VERDICT_DROPPED,
  VERDICT_HELD,
  VERDICT_REJECTED,
  VERDICT_UNKNOWN,
} from "../abi";
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { joinedSink } from "../channel/sinks";
import { typeLookup, typeSetTakes } from "../channel/types";
import { nowMs } from "../clock";
import { entryBytes } from "../event/entry";
import { scanTypeAt, scanTypeBytes } from "../event/scan";
import { viewEvent } from "../expression/view";
import { inboxHasRoom, inboxYields } from "../mailbox/inbox";
import { Mailbox } from "../mailbox/records";
import { connectionAt } from "../session/connection";
import { memberTakes } from "./select";

let verdict: u32 = 0;
let reason: u32 = 0;

/**
 * Writes what would become of the event that was scanned just now at the sinks from the index `from` on; returns how many
 * records there are. `connection`: the submitter, 0: somebody else. `deadlineMs`: Infinity for none.
 */
export function explainEvent(channel: Channel, connection: u32, at: u32, bytes: u32, deadlineMs: f64, from: u32): u32 {
  const type = typeLookup(scanTypeAt, scanTypeBytes);
  const size = entryBytes(channel.number, channel.sequence + 1, bytes, 0);
  viewEvent(at, bytes);
  let count: u32 = 0;
  for (let place: u32 = 0; place < channel.joined && count < EXPLAIN_RECORDS_MAX; place++) {
    const sink = joinedSink(channel, place);
    if (sink === 0) continue;
    if (from !== 0) {
      from--;
      continue;
    }
    const member = changetype<Member>(sink);
    judge(channel, member, connection, type, size, deadlineMs);
    const inbox = changetype<Mailbox>(member.inbox);
    const record = RECEIPTS_OFFSET + count * EXPLAIN_RECORD_BYTES;
    store<u32>(record + EXPLAIN_MEMBER * 4, member.number);
    store<u32>(record + EXPLAIN_CONNECTION * 4, member.connection);
    store<u32>(record + EXPLAIN_VERDICT * 4, verdict);
    store<u32>(record + EXPLAIN_REASON * 4, reason);
    store<u32>(record + EXPLAIN_EVENTS * 4, inbox.events);
    store<u32>(record + EXPLAIN_BYTES * 4, inbox.bytes);
    count++;
  }
  return count;
}

/** The stages in their order; the first that says no decides. */
function judge(channel: Channel, member: Member, connection: u32, type: u32, size: u32, deadlineMs: f64): void {
  if (member.connection === connection && (channel.flags & CHANNEL_ECHO) === 0)
    return conclude(VERDICT_REJECTED, EXPLAINED_ECHO);
  if (!typeSetTakes(member.types, type)) return conclude(VERDICT_REJECTED, EXPLAINED_TYPE);
  if (!memberTakes(member, type)) return conclude(VERDICT_REJECTED, EXPLAINED_WHERE);
  if (channel.decider !== 0) return conclude(VERDICT_UNKNOWN, EXPLAINED_DECIDER);
  if (channel.blockedBy !== 0) return conclude(VERDICT_HELD, EXPLAINED_BLOCKED);
  const inbox = changetype<Mailbox>(member.inbox);
  const patient = inboxYields(inbox);
  // An event that alone is larger than all of the inbox is dropped even where the oldest give way.
  if (size > inbox.capacityBytes || (!patient && !inboxHasRoom(inbox, size)))
    return conclude(inbox.overflow === OVERFLOW_REJECT ? VERDICT_REJECTED : VERDICT_DROPPED, EXPLAINED_CAPACITY);
  if ((channel.flags & CHANNEL_LATE_DROP) !== 0 && deadlineMs < nowMs) return conclude(VERDICT_DROPPED, EXPLAINED_LATE);
  if (connectionAt(member.connection).held !== 0) return conclude(VERDICT_HELD, EXPLAINED_HELD);
  conclude(VERDICT_DELIVERED, EXPLAINED_NONE);
}

function conclude(what: u32, why: u32): void {
  verdict = what;
  reason = why;
}
