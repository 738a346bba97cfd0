/**
 * The inbox of a session: what it has yet to get, oldest first, bounded in events and bytes.
 *
 * What overflows is never silent: it is counted per member and reason, told with the next drain, and the policy decides
 * what gives way (docs/adr/0005).
 */
import {
  DROPPED_CONFLATED,
  DROPPED_LATE,
  DROPPED_OVERFLOW,
  ORDERING_WINDOW,
  OVERFLOW_BLOCK,
  OVERFLOW_DROP_LOWEST,
  OVERFLOW_DROP_OLDEST,
  ROLE_SINK,
} from "../abi";
import { channelAt } from "../channel/channel";
import { lossCount } from "../channel/losses";
import { Member, pairWithRole } from "../channel/member";
import { entryChannel, entrySize } from "../event/entry";
import { heapGive, heapTakeZero } from "../memory/heap";
import { Connection, dirtyPush } from "../session/connection";
import { accountOf } from "./accounts";
import { dueEnd, NOWHERE } from "./due";
import { histogramsFree } from "./histograms";
import { orderFree, orderLowest } from "./order";
import { Mailbox, META_CANCELLED, metaAt, Order, Run, runFrontHasMeta, Slab } from "./records";
import { ringDropThrough } from "./ring";
import { runAdvance } from "./run";

/** What an inbox has that did not say: docs/operating.md, Limits. */
const CAPACITY_EVENTS: u32 = 65536;
const CAPACITY_BYTES: u32 = 16777216;
/** Of the capacity. */
const STALL_MARK: f32 = 0.5;
const RELEASE_MARK: f32 = 0.25;

/** Makes the inbox of a connection; 0 where memory is used up. */
export function inboxNew(connection: Connection): u32 {
  const at = heapTakeZero(offsetof<Mailbox>());
  if (at === 0) return 0;
  const inbox = changetype<Mailbox>(at);
  inbox.connection = changetype<u32>(connection);
  inbox.capacityEvents = CAPACITY_EVENTS;
  inbox.capacityBytes = CAPACITY_BYTES;
  inbox.dueMs = Infinity;
  inbox.toldMs = -Infinity;
  inbox.duePlace = NOWHERE;
  inbox.stallMark = STALL_MARK;
  inbox.releaseMark = RELEASE_MARK;
  return at;
}

/** Frees an inbox that is empty. */
export function inboxFree(inbox: Mailbox): void {
  dueEnd(inbox);
  if (inbox.order !== 0) orderFree(changetype<Order>(inbox.order));
  histogramsFree(inbox);
  heapGive(changetype<u32>(inbox), offsetof<Mailbox>());
}

/** Whether one more event of that size stays within capacity. */
export function inboxHasRoom(inbox: Mailbox, bytes: u32): bool {
  return inbox.events < inbox.capacityEvents && inbox.bytes + bytes <= inbox.capacityBytes;
}

/** Whether an inbox beyond its capacity takes what comes: something older gives way, or its publishers wait. */
export function inboxYields(inbox: Mailbox): bool {
  const overflow = inbox.overflow;
  return overflow === OVERFLOW_DROP_OLDEST || overflow === OVERFLOW_BLOCK || overflow >= OVERFLOW_DROP_LOWEST;
}

/** Drops the oldest, or the least urgent, until the inbox is within its capacity. */
export function inboxTrim(inbox: Mailbox): void {
  const lowest = inbox.overflow === OVERFLOW_DROP_LOWEST;
  while (exceeds(inbox, 0, 0)) {
    if (inbox.order === 0) dropOldest(inbox, changetype<Run>(inbox.head));
    else inboxDropFirst(inbox, changetype<Run>(lowest ? orderLowest(inbox) : inbox.head), DROPPED_OVERFLOW);
  }
}

/** Whether an inbox is beyond its capacity when so many events of so many bytes have left it. */
function exceeds(inbox: Mailbox, events: u32, bytes: u32): bool {
  return inbox.events - events > inbox.capacityEvents || inbox.bytes - bytes > inbox.capacityBytes;
}

/** Drops from the front of a plain inbox what it has too much, as far as its first run and the channel of its first entry reach. */
function dropOldest(inbox: Mailbox, run: Run): void {
  const slab = changetype<Slab>(run.slab);
  const channel = entryChannel(run.at);
  let bytes: u32 = 0;
  let events: u32 = 0;
  let metas: u32 = 0;
  let cancelled: u32 = 0;
  do {
    const at = run.at + bytes;
    if (metas < run.metas && metaAt(slab, run.metaFirst + metas).entryAt === at)
      cancelled += metaAt(slab, run.metaFirst + metas++).flags & META_CANCELLED;
    bytes += entrySize(at);
    events++;
  } while (bytes < run.bytes && exceeds(inbox, events, bytes) && entryChannel(run.at + bytes) === channel);
  runAdvance(inbox, run, bytes, events, metas);
  // What was cancelled was counted then.
  if (cancelled !== events)
    dropCount(changetype<Connection>(inbox.connection), channel, DROPPED_OVERFLOW, events - cancelled);
}

/** Drops the first entry of a run and counts it; one that was cancelled was counted then. */
export function inboxDropFirst(inbox: Mailbox, run: Run, reason: u32): void {
  const hasMeta = runFrontHasMeta(run);
  const cancelled = hasMeta && (metaAt(changetype<Slab>(run.slab), run.metaFirst).flags & META_CANCELLED) !== 0;
  const channel = entryChannel(run.at);
  runAdvance(inbox, run, entrySize(run.at), 1, hasMeta ? 1 : 0);
  if (!cancelled) dropCount(changetype<Connection>(inbox.connection), channel, reason, 1);
}

/** Drops a whole run; used where there is no memory to keep it. */
export function inboxDropRun(inbox: Mailbox, run: Run): void {
  // A ring has no connection that could be told.
  if (inbox.connection === 0) {
    ringDropThrough(inbox, run);
    return;
  }
  const connection = changetype<Connection>(inbox.connection);
  while (run.events > 1) {
    const channel = entryChannel(run.at);
    runAdvance(inbox, run, entrySize(run.at), 1, runFrontHasMeta(run) ? 1 : 0);
    dropCount(connection, channel, DROPPED_OVERFLOW, 1);
  }
  const channel = entryChannel(run.at);
  runAdvance(inbox, run, run.bytes, 1, run.metas);
  dropCount(connection, channel, DROPPED_OVERFLOW, 1);
}

/** Counts drops and sees to it that the session is told with its next drain. */
export function dropCount(connection: Connection, channel: u32, reason: u32, events: u32): void {
  lossCount(channel, reason, events);
  if (reason === DROPPED_LATE) accountOf(connection.number, channel).dropped += events;
  const at = pairWithRole(connection.number, channel, ROLE_SINK);
  if (at === 0) dirtyPush(connection);
  else lossNotice(connection, changetype<Member>(at), reason, events);
}

/** Has a session told with its next drain what a member of it loses. */
export function lossNotice(connection: Connection, member: Member, reason: u32, events: u32): void {
  dirtyPush(connection);
  if (reason === DROPPED_OVERFLOW) member.droppedOverflow += events;
  else if (reason === DROPPED_LATE) member.droppedLate += events;
  else if (reason === DROPPED_CONFLATED) member.droppedConflated += events;
  else member.droppedCancelled += events;
  if (member.noticed !== 0) return;
  member.noticed = 1;
  member.nextNotice = connection.notices;
  connection.notices = changetype<u32>(member);
}

/** `block`: whether publishers are to wait. Between this mark and the other one they are not switched event by event. */
export function inboxOverStallMark(inbox: Mailbox): bool {
  const mark = <f64>inbox.stallMark;
  return (
    <f64>(inbox.events + inbox.keptEvents) >= mark * <f64>(inbox.capacityEvents + inbox.keptEvents) ||
    <f64>(inbox.bytes + inbox.keptBytes) >= mark * <f64>(inbox.capacityBytes + inbox.keptBytes)
  );
}

/** Whether a stalled inbox may take events again. */
export function inboxBelowReleaseMark(inbox: Mailbox): bool {
  if (inbox.overflow !== OVERFLOW_BLOCK) return true;
  const mark = <f64>inbox.releaseMark;
  return (
    <f64>(inbox.events + inbox.keptEvents) <= mark * <f64>(inbox.capacityEvents + inbox.keptEvents) &&
    <f64>(inbox.bytes + inbox.keptBytes) <= mark * <f64>(inbox.capacityBytes + inbox.keptBytes)
  );
}

/** Begins a stall: channels of its sinks wait. */
export function inboxStall(inbox: Mailbox): void {
  inbox.stalled = 1;
  let at = changetype<Connection>(inbox.connection).members;
  while (at !== 0) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) !== 0) channelAt(member.channel).blockedBy++;
    at = member.nextOfConnection;
  }
}

/** Ends a stall; the caller lets the outboxes of the channels go on. */
export function inboxRelease(inbox: Mailbox): void {
  inbox.stalled = 0;
  let at = changetype<Connection>(inbox.connection).members;
  while (at !== 0) {
    const member = changetype<Member>(at);
    if ((member.role & ROLE_SINK) !== 0) channelAt(member.channel).blockedBy--;
    at = member.nextOfConnection;
  }
}

/** Whether fan-out to that inbox must go event by event: what comes is decided over one by one, or when it came counts. */
export function inboxStrict(inbox: Mailbox): bool {
  if (inbox.overflow !== OVERFLOW_DROP_OLDEST) return true;
  return inbox.order !== 0 && changetype<Order>(inbox.order).ordering === ORDERING_WINDOW;
}

/** Whether an inbox has an order, or one that was put off. */
export function inboxOrdered(inbox: Mailbox): bool {
  return (inbox.order | inbox.lazy) !== 0;
}
