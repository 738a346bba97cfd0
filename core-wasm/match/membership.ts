/**
 * Joining and leaving: what ties a connection to a channel, and what is undone when it goes.
 *
 * What was queued for a member that leaves is discarded and counted (docs/ARCHITECTURE.md). What a source has in its outbox
 * was accepted, so it goes on its way even if the source is gone.
 */
import {
  CHANNEL_SINGLE,
  DROPPED_LEFT,
  MEMBERS_MAX,
  ORDERING_WINDOW,
  OVERFLOW_BLOCK,
  OVERFLOW_KEEP_LATEST,
  ROLE_FILTERED,
  ROLE_SINK,
  ROLE_SOURCE,
  STATISTIC_DROPPED_LEFT,
  STATUS_CHANNEL_UNKNOWN,
  STATUS_DECIDER_SINKS,
  STATUS_LIMIT,
  STATUS_MEMBER_UNKNOWN,
  STATUS_OK,
  STATUS_SOURCE_TAKEN,
  STATUS_STORE_FULL,
} from "../abi";
import { Channel, channelAt, channelFind, channelFree } from "../channel/channel";
import { lossCount, lossesFree } from "../channel/losses";
import {
  joinOrderNext,
  Member,
  memberAt,
  memberFind,
  memberTable,
  pairAdd,
  pairRemove,
  pairWithRole,
} from "../channel/member";
import { joinedSink, sinkJoin, sinkLeave, sinksFree } from "../channel/sinks";
import { typeSetMade, typeSetNew, typeSetRelease } from "../channel/types";
import { entryChannel, entrySize } from "../event/entry";
import { programRelease } from "../expression/program";
import { DECIDER_SINKS_MAX } from "../filter/abi";
import { slotsFull } from "../filter/attach";
import { filtersFree, filtersJoin, filtersLeave } from "../filter/comings";
import { heldDrop, heldWake } from "../filter/held";
import { parkedDrop } from "../filter/parking";
import { accountFree } from "../mailbox/accounts";
import { inboxDiscard } from "../mailbox/discard";
import { inboxBelowReleaseMark, inboxOrdered, inboxRelease, inboxStrict, inboxTrim } from "../mailbox/inbox";
import { pendingCapacity, pendingDiscard, pendingFree } from "../mailbox/pending";
import { Mailbox, Run } from "../mailbox/records";
import { inboxReorder } from "../mailbox/reorder";
import { ringFree } from "../mailbox/ring";
import { runRemove } from "../mailbox/run";
import { windowSet } from "../mailbox/windows";
import { tableTake } from "../memory/table";
import { resultStatus } from "../result";
import { Connection, connectionFind } from "../session/connection";
import { sourceForget } from "../session/sources";
import { statisticAdd } from "../statistics";
import { collectReserve } from "./collect";
import { memberFree } from "./free";
import { outboxFirst, outboxOrphan, outboxRemove } from "./outbox";
import { outboxesPump, pumpForget } from "./pump";
import { selectiveFree, sinkDeselect, sinkSelect } from "./selective";

/** Adds a member; 0 with RESULT_STATUS where it cannot be. */
export function memberNew(connection: Connection, channelNumber: u32, role: u32): u32 {
  const found = channelFind(channelNumber);
  if (found === null) {
    resultStatus(STATUS_CHANNEL_UNKNOWN, channelNumber, 0);
    return 0;
  }
  const channel = found as Channel;
  if ((role & ROLE_SOURCE) !== 0 && (channel.flags & CHANNEL_SINGLE) !== 0 && channel.sources !== 0) {
    resultStatus(STATUS_SOURCE_TAKEN, channel.sources, 1);
    return 0;
  }
  if ((role & ROLE_SINK) !== 0 && slotsFull(channel)) {
    resultStatus(STATUS_DECIDER_SINKS, channel.sinks + 1, DECIDER_SINKS_MAX);
    return 0;
  }
  const number = tableTake(memberTable());
  if (number === 0) {
    resultStatus(STATUS_LIMIT, MEMBERS_MAX, MEMBERS_MAX);
    return 0;
  }
  const member = memberAt(number);
  member.connection = connection.number;
  member.channel = channelNumber;
  member.channelAt = changetype<u32>(channel);
  member.inbox = connection.inbox;
  member.role = role;
  member.since = channel.sequence;
  member.order = joinOrderNext();
  const second = (role & ROLE_SINK) !== 0 && pairWithRole(connection.number, channelNumber, ROLE_SINK) !== 0;
  const isSink = (role & ROLE_SINK) !== 0;
  const joined = !isSink || (collectReserve(channel.sinks + 1) && sinkJoin(channel, member));
  if (!joined || (isSink && !filtersJoin(channel, member)) || !pairAdd(member)) {
    if (joined && isSink) sinkLeave(channel, member);
    memberFree(member);
    resultStatus(STATUS_STORE_FULL, 0, 0);
    return 0;
  }
  member.nextOfConnection = connection.members;
  connection.members = changetype<u32>(member);
  if ((role & ROLE_SOURCE) !== 0) channel.sources++;
  if (isSink) {
    const inbox = changetype<Mailbox>(connection.inbox);
    heldWake(channel);
    if (second) channel.doubleSinks++;
    if (inboxStrict(inbox)) channel.strictSinks++;
    if (inboxOrdered(inbox)) channel.orderedSinks++;
    if (inbox.stalled !== 0) channel.blockedBy++;
  }
  return number;
}

/** Sets the types that a sink wants. Returns a status. */
export function memberTypesSet(number: u32, typesAt: u32, count: u32): u32 {
  const found = memberFind(number);
  if (found === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  const member = found as Member;
  const status = typeSetNew(typesAt, count);
  if (status !== STATUS_OK) return status;
  const isSink = (member.role & ROLE_SINK) !== 0;
  if (isSink && !sinkSelect(channelAt(member.channel), member, typeSetMade, member.where)) {
    typeSetRelease(typeSetMade);
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  }
  heldWake(channelAt(member.channel));
  typeSetRelease(member.types);
  member.types = typeSetMade;
  return STATUS_OK;
}

/** Sets the program that must hold of what a sink gets, 0: none. The member takes over the caller's use of it. Returns a status. */
export function memberWhereSet(number: u32, where: u32): u32 {
  const found = memberFind(number);
  if (found === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  const member = found as Member;
  const isSink = (member.role & ROLE_SINK) !== 0;
  if (isSink && !sinkSelect(channelAt(member.channel), member, member.types, where))
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  heldWake(channelAt(member.channel));
  programRelease(member.where);
  member.where = where;
  return STATUS_OK;
}

/** Removes a member of a connection and discards what its inbox holds of the channel. Returns a status. */
export function memberLeave(connection: Connection, number: u32): u32 {
  const status = memberPart(connection, number);
  if (status === STATUS_OK && discards) inboxForget(connection);
  if (status === STATUS_OK) outboxesPump(changetype<Channel>(partedFrom));
  return status;
}

/** The same for `count` members at `at`, u32 each: the inbox is gone through once. Returns the first status that is not OK. */
export function membersLeave(connection: Connection, at: u32, count: u32): u32 {
  let result = STATUS_OK;
  let any = false;
  for (let index: u32 = 0; index < count; index++) {
    const status = memberPart(connection, load<u32>(at + index * 4));
    if (status !== STATUS_OK && result === STATUS_OK) result = status;
    if (status !== STATUS_OK) continue;
    any = any || discards;
    outboxesPump(changetype<Channel>(partedFrom));
  }
  if (any) inboxForget(connection);
  return result;
}

/** Of the last memberPart(): its channel, and whether the inbox holds what nobody is there for any more. */
let partedFrom: u32 = 0;
let discards: bool = false;

function memberPart(connection: Connection, number: u32): u32 {
  const found = memberFind(number);
  if (found === null || (found as Member).connection !== connection.number) {
    return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  }
  const member = found as Member;
  const channel = channelAt(member.channel);
  const wasSink = (member.role & ROLE_SINK) !== 0;
  memberEnd(connection, member, channel);
  discards = wasSink && pairWithRole(connection.number, channel.number, ROLE_SINK) === 0;
  partedFrom = changetype<u32>(channel);
  return STATUS_OK;
}

function inboxForget(connection: Connection): void {
  const inbox = changetype<Mailbox>(connection.inbox);
  inboxDiscard(inbox, connection.number);
  if (connection.pending !== 0) pendingDiscard(connection);
  inboxReleaseIfDrained(inbox);
}

/** Unties a member from everything; the inbox's contents are the caller's. */
export function memberEnd(connection: Connection, member: Member, channel: Channel): void {
  const at = changetype<u32>(member);
  pairRemove(member);
  connection.members = without(connection.members, at, offsetof<Member>("nextOfConnection"));
  connection.notices = without(connection.notices, at, offsetof<Member>("nextNotice"));
  connection.grants = without(connection.grants, at, offsetof<Member>("nextGrant"));
  sourceForget(connection, channel.number);
  if (connection.resumeSource === at) connection.resumeAt = 0;
  if (connection.cacheSource === at) connection.cacheChannel = connection.cacheSource = 0;
  if ((member.role & ROLE_SOURCE) !== 0) channel.sources--;
  if ((member.role & ROLE_SINK) !== 0) {
    const inbox = changetype<Mailbox>(member.inbox);
    sinkDeselect(channel, member);
    sinkLeave(channel, member);
    if (pairWithRole(connection.number, channel.number, ROLE_SINK) !== 0) channel.doubleSinks--;
    if (inboxStrict(inbox)) channel.strictSinks--;
    if (inboxOrdered(inbox)) channel.orderedSinks--;
    if (inbox.stalled !== 0) channel.blockedBy--;
    if (pairWithRole(connection.number, channel.number, ROLE_SINK) === 0)
      accountFree(connection.number, channel.number);
  }
  typeSetRelease(member.types);
  programRelease(member.where);
  member.types = member.where = 0;
  filtersLeave(channel, member);
  // What its events have still before them is its own filters.
  member.connection = 0;
  member.role &= ROLE_FILTERED;
  if (member.outboxEvents === 0) {
    memberFree(member);
    return;
  }
  // The member stays as an outbox without an owner until that is empty.
  outboxOrphan(member);
}

/** The head of a singly linked list without one record, whose link lies at `link`. */
function without(head: u32, record: u32, link: u32): u32 {
  if (head === record) return load<u32>(record + link);
  for (let at = head; at !== 0; at = load<u32>(at + link)) {
    if (load<u32>(at + link) === record) {
      store<u32>(at + link, load<u32>(record + link));
      break;
    }
  }
  return head;
}

/** Ends all memberships of a connection and empties its inbox. */
export function connectionLeaveAll(connection: Connection): void {
  const inbox = changetype<Mailbox>(connection.inbox);
  if (inbox.stalled !== 0) {
    inboxRelease(inbox);
  }
  while (inbox.head !== 0) {
    const run = changetype<Run>(inbox.head);
    runLost(run);
    runRemove(inbox, run);
  }
  if (connection.pending !== 0) pendingFree(connection);
  while (connection.members !== 0) {
    const member = changetype<Member>(connection.members);
    const channel = channelAt(member.channel);
    memberEnd(connection, member, channel);
    outboxesPump(channel);
  }
}

/** Counts what waited in a run by its channels. */
function runLost(run: Run): void {
  const end = run.at + run.bytes;
  for (let at = run.at; at < end; at += entrySize(at)) lossCount(entryChannel(at), DROPPED_LEFT, 1);
}

/** Lets channels go on that an inbox of policy `block` held up, once it is below its release mark. */
export function inboxReleaseIfDrained(inbox: Mailbox): void {
  if (inbox.stalled === 0 || !inboxBelowReleaseMark(inbox)) return;
  inboxRelease(inbox);
  for (
    let at = changetype<Connection>(inbox.connection).members;
    at !== 0;
    at = changetype<Member>(at).nextOfConnection
  ) {
    outboxesPump(channelAt(changetype<Member>(at).channel));
  }
}

/** Sets capacity, overflow policy and ordering of a connection's inbox. Returns a status; nothing has changed where it is not STATUS_OK. */
export function inboxConfigure(
  connection: Connection,
  capacityEvents: u32,
  capacityBytes: u32,
  overflow: u32,
  ordering: u32,
  serviceMs: f64,
): u32 {
  if (overflow > OVERFLOW_KEEP_LATEST) return resultStatus(STATUS_LIMIT, overflow, OVERFLOW_KEEP_LATEST);
  if (ordering > ORDERING_WINDOW) return resultStatus(STATUS_LIMIT, ordering, ORDERING_WINDOW);
  if (capacityEvents === 0 || capacityBytes === 0) return resultStatus(STATUS_LIMIT, 0, 1);
  const inbox = changetype<Mailbox>(connection.inbox);
  const wasStrict = inboxStrict(inbox);
  const wasOrdered = inboxOrdered(inbox);
  if (!inboxReorder(inbox, ordering, overflow)) return resultStatus(STATUS_STORE_FULL, 0, 0);
  inbox.overflow = overflow;
  inbox.serviceMs = serviceMs > 0 ? serviceMs : 0;
  inbox.capacityEvents = capacityEvents;
  inbox.capacityBytes = capacityBytes;
  if (connection.pending !== 0) pendingCapacity(connection, capacityEvents, capacityBytes);
  const strict: u32 = (inboxStrict(inbox) ? 1 : 0) - (wasStrict ? 1 : 0);
  const ordered: u32 = (inboxOrdered(inbox) ? 1 : 0) - (wasOrdered ? 1 : 0);
  for (let at = connection.members; at !== 0; at = changetype<Member>(at).nextOfConnection) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) === 0) continue;
    const channel = channelAt(member.channel);
    channel.strictSinks += strict;
    channel.orderedSinks += ordered;
  }
  if (overflow !== OVERFLOW_BLOCK) inboxTrim(inbox);
  inboxReleaseIfDrained(inbox);
  return STATUS_OK;
}

/** Removes a channel with all its members. */
export function channelEnd(channel: Channel): void {
  for (let place: u32 = 0; channel.sinks !== 0; ) {
    const at = joinedSink(channel, place);
    const places = channel.joined;
    if (at === 0) place++;
    else leaveOne(changetype<Member>(at));
    // They have closed up.
    if (channel.joined !== places) place = 0;
  }
  while (channel.outboxes !== 0) outboxDrop(channel);
  if (channel.sources !== 0) leaveSources(channel.number);
  typeSetRelease(channel.types);
  selectiveFree(channel);
  statisticAdd(STATISTIC_DROPPED_LEFT, parkedDrop(channel));
  heldDrop(channel);
  pumpForget(channel.filters);
  filtersFree(channel);
  sinksFree(channel);
  lossesFree(channel);
  windowSet(channel.number, 0, 0, 0);
  if (channel.ring !== 0) ringFree(changetype<Mailbox>(channel.ring));
  channelFree(channel);
}

function leaveOne(member: Member): void {
  const connection = connectionFind(member.connection);
  if (connection !== null) memberLeave(connection, member.number);
}

/** Sources are in no list of their channel: removing one is rare, publishing is not. */
function leaveSources(channel: u32): void {
  const high = memberTable().high;
  for (let number: u32 = 1; number <= high; number++) {
    const member = memberFind(number);
    if (member !== null && member.channel === channel && member.connection !== 0) leaveOne(member);
  }
}

/** What waits in outboxes of a channel that is removed is discarded and counted. */
function outboxDrop(channel: Channel): void {
  const source = changetype<Member>(channel.outboxes);
  lossCount(channel.number, DROPPED_LEFT, source.outboxEvents);
  while (source.outboxEvents !== 0) outboxRemove(source, channel, changetype<Run>(outboxFirst(source)));
  if (source.connection === 0) memberFree(source);
}
