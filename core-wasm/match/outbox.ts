/**
 * The outbox of a source: what was accepted and can't leave yet, because a sink's inbox of policy `block` is full, or because
 * somebody holds it. It is a mailbox, with the orderings and overflow policies of inboxes and its own choice among them
 * (docs/adr/0036). A source without settings has one while something waits.
 *
 *   Member ── outbox ──▶ Outbox ── head … tail ──▶ Run ─▶ Run ─▶ Run
 *                                                   └── slab ──▶ Parcel │ entry │ meta
 *
 * An event waits as the entry that it is going to be, but for its sequence, which it gets when it leaves: so orders read it like
 * any other. Its run refers to a slab of its own, the parcel, since outboxes live on the heap and not in the store.
 */
import {
  DROPPED_CONFLATED,
  DROPPED_OVERFLOW,
  EVENT_BYTES_MAX,
  ORDERING_FIFO,
  ORDERING_WINDOW,
  OVERFLOW_BLOCK,
  OVERFLOW_DISCONNECT,
  OVERFLOW_DROP_LOWEST,
  OVERFLOW_DROP_NEWEST,
  OVERFLOW_KEEP_LATEST,
  OVERFLOW_REJECT,
  SOURCE_CREDIT_BYTES,
  SOURCE_CREDIT_EVENTS,
  STATUS_DISCONNECT,
  STATUS_EVENT_TOO_LARGE,
  STATUS_MAILBOX_FULL,
  STATUS_NO_CREDIT,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { Channel } from "../channel/channel";
import { lossCount } from "../channel/losses";
import { Member, ROLE_HELD } from "../channel/member";
import { entryBytes, entryHeadWrite } from "../event/entry";
import { factsForget } from "../event/facts";
import { scanKeyAt, scanKeyBytes, scanTimeUs } from "../event/scan";
import { inboxHasRoom, lossNotice } from "../mailbox/inbox";
import { keyHash, keyIs } from "../mailbox/keys";
import { latestOf } from "../mailbox/latest";
import { orderAdd, orderFirst, orderFree, orderLowest, orderNeeded, orderNew, orderSame } from "../mailbox/order";
import { Mailbox, META_BYTES, Meta, metaAt, Order, Run, Slab } from "../mailbox/records";
import { runAppend, runFree, runLink, runUnlink } from "../mailbox/run";
import { metaAdd } from "../mailbox/store";
import { heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { resultStatus } from "../result";
import { Connection, connectionFind, dirtyPush } from "../session/connection";
import { complete, completedBytes } from "./complete";
import { creditGive } from "./credit";

/** A source's outbox. Its `connection` is 0, as that of a channel's ring is. */
@unmanaged
export class Outbox extends Mailbox {
  /** Nothing leaves it. */
  held: u32;
  /** It has settings: it stays when it is empty. */
  set: u32;
}

/** One event that waits. Of a slab it has what metaAt() asks. */
@unmanaged
export class Parcel extends Slab {
  acceptedMs: f64;
  /** Connection of its source; 0: that is gone. */
  connection: u32;
  /** What it takes of the credit: its bytes as they were published. */
  spends: u32;
}
const PARCEL_BYTES: u32 = offsetof<Parcel>();

/** The outbox of a source, made where it has none; 0 where memory is used up. */
function outboxOf(source: Member): u32 {
  if (source.outbox !== 0) return source.outbox;
  source.outbox = heapTakeZero(offsetof<Outbox>());
  if (source.outbox === 0) return 0;
  const outbox = changetype<Outbox>(source.outbox);
  outbox.overflow = OVERFLOW_BLOCK;
  outbox.capacityEvents = SOURCE_CREDIT_EVENTS;
  outbox.capacityBytes = SOURCE_CREDIT_BYTES;
  return source.outbox;
}

/** Appends an event that was scanned just now, or does with it what the overflow policy says. Returns a status. */
export function outboxPush(
  connection: Connection,
  source: Member,
  channel: Channel,
  at: u32,
  bytes: u32,
  acceptedMs: f64,
): u32 {
  const address = outboxOf(source);
  if (address === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const outbox = changetype<Outbox>(address);
  const overflow = outbox.overflow;
  if (!inboxHasRoom(outbox, bytes)) {
    if (overflow === OVERFLOW_BLOCK) {
      const left = outbox.capacityEvents - min<u32>(outbox.events, outbox.capacityEvents);
      return resultStatus(STATUS_NO_CREDIT, outbox.events, left);
    }
    if (overflow === OVERFLOW_DISCONNECT) {
      connection.fault = STATUS_DISCONNECT;
      dirtyPush(connection);
    }
    if (overflow === OVERFLOW_REJECT || overflow === OVERFLOW_DISCONNECT)
      return resultStatus(STATUS_MAILBOX_FULL, outbox.events, outbox.capacityEvents);
    if (overflow === OVERFLOW_DROP_NEWEST) {
      dropped(connection, source, channel, DROPPED_OVERFLOW, bytes);
      return STATUS_OK;
    }
  }
  const eventBytes = completedBytes(channel, acceptedMs, connection.sourceBytes, bytes);
  if (eventBytes > EVENT_BYTES_MAX) return resultStatus(STATUS_EVENT_TOO_LARGE, eventBytes, EVENT_BYTES_MAX);
  const parcelAt = pack(connection, channel, at, bytes, eventBytes, acceptedMs);
  if (parcelAt === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const parcel = changetype<Parcel>(parcelAt);
  // What was freed may have lain in the same place.
  factsForget();
  if (overflow === OVERFLOW_KEEP_LATEST && conflate(connection, source, channel, outbox, parcel)) return STATUS_OK;
  if (!enter(outbox, parcel)) {
    heapGive(parcelAt, parcel.bytes);
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  }
  outbox.bytes += bytes;
  source.outboxEvents = ++outbox.events;
  if (outbox.events === 1) outboxList(channel, source);
  trim(connection, source, channel, outbox);
  return STATUS_OK;
}

/** Makes a parcel of an event; 0 where memory is used up. */
function pack(connection: Connection, channel: Channel, at: u32, bytes: u32, eventBytes: u32, acceptedMs: f64): u32 {
  const size = entryBytes(channel.number, 0, eventBytes, 0);
  const blockBytes = PARCEL_BYTES + size + META_BYTES;
  const block = heapTake(blockBytes);
  if (block === 0) return 0;
  memory.fill(block, 0, PARCEL_BYTES);
  const parcel = changetype<Parcel>(block);
  parcel.base = block;
  parcel.bytes = blockBytes;
  parcel.used = size;
  parcel.acceptedMs = acceptedMs;
  parcel.connection = connection.number;
  parcel.spends = bytes;
  const entry = block + PARCEL_BYTES;
  const eventAt = entryHeadWrite(entry, channel.number, 0, eventBytes);
  memory.copy(eventAt, at, bytes);
  complete(channel, eventAt + bytes, acceptedMs, connection.sourceAt);
  const meta = metaAdd(parcel, entry, Infinity, channel.number, connection.number);
  if (scanKeyBytes === 0) return block;
  meta.keyOffset = scanKeyAt - at + eventAt - entry;
  meta.keyBytes = <u16>scanKeyBytes;
  meta.hash = keyHash(channel.number, entry + meta.keyOffset, scanKeyBytes);
  meta.timeUs = scanTimeUs(<i64>(acceptedMs * 1000));
  return block;
}

function parcelOf(run: Run): Parcel {
  return changetype<Parcel>(run.slab);
}

/** Puts a parcel at the end, and into the order. Returns false where memory is used up. */
function enter(outbox: Outbox, parcel: Parcel): bool {
  if (!runAppend(outbox, parcel, changetype<u32>(parcel) + PARCEL_BYTES, parcel.used, 1, 0, 1, Infinity)) return false;
  const order = outbox.order;
  const run = changetype<Run>(outbox.tail);
  if (order === 0 || orderAdd(changetype<Order>(order), outbox, run, parcel.acceptedMs)) return true;
  outbox.order = 0;
  runFree(outbox, run);
  outbox.order = order;
  return false;
}

/** Has a parcel take the place of the one of its key; where it belongs elsewhere in the order that one just goes. Returns whether it stands. */
function conflate(connection: Connection, source: Member, channel: Channel, outbox: Outbox, parcel: Parcel): bool {
  if (outbox.order === 0) return false;
  const order = changetype<Order>(outbox.order);
  const found = latestOf(order, metaAt(parcel, 0));
  if (found === 0) return false;
  const run = changetype<Run>(found);
  const older = parcelOf(run);
  const spends = older.spends;
  const entry = changetype<u32>(parcel) + PARCEL_BYTES;
  const stands = orderSame(order, run.at, entry);
  if (stands) {
    runUnlink(run);
    runLink(run, parcel);
    run.at = entry;
    run.bytes = parcel.used;
    outbox.bytes += parcel.spends - spends;
    heapGive(changetype<u32>(older), older.bytes);
  } else {
    outboxRemove(source, channel, run);
  }
  dropped(connection, source, channel, DROPPED_CONFLATED, spends);
  return stands;
}

/** Drops what a policy under which something gives way has give way. */
function trim(connection: Connection, source: Member, channel: Channel, outbox: Outbox): void {
  if (!gives(outbox.overflow)) return;
  const lowest = outbox.overflow === OVERFLOW_DROP_LOWEST;
  while (outbox.events > outbox.capacityEvents || outbox.bytes > outbox.capacityBytes) {
    const run = changetype<Run>(lowest ? orderLowest(outbox) : outbox.head);
    const spends = parcelOf(run).spends;
    outboxRemove(source, channel, run);
    dropped(connection, source, channel, DROPPED_OVERFLOW, spends);
  }
}

/** Whether older events give way to newer ones. */
function gives(overflow: u32): bool {
  return overflow !== OVERFLOW_BLOCK && (overflow === 0 || overflow >= OVERFLOW_DROP_LOWEST);
}

/** Counts an event that was accepted and will not leave, tells its source, and gives its credit back. */
function dropped(connection: Connection, source: Member, channel: Channel, reason: u32, spends: u32): void {
  lossCount(channel.number, reason, 1);
  lossNotice(connection, source, reason, 1);
  creditGive(connection, source, 1, spends);
}

/** Address of the run that leaves next; the outbox is not empty. */
export function outboxFirst(source: Member): u32 {
  const outbox = changetype<Outbox>(source.outbox);
  return outbox.order === 0 ? outbox.head : orderFirst(outbox);
}

/** Whether somebody holds the outbox of a source. */
export function outboxHeld(source: Member): bool {
  return source.outbox !== 0 && changetype<Outbox>(source.outbox).held !== 0;
}

/** Takes one event out, whatever becomes of it. A source whose outbox falls empty leaves its channel's list. */
export function outboxRemove(source: Member, channel: Channel, run: Run): void {
  const outbox = changetype<Outbox>(source.outbox);
  const parcel = parcelOf(run);
  outbox.bytes -= parcel.spends;
  source.outboxEvents = --outbox.events;
  runFree(outbox, run);
  heapGive(changetype<u32>(parcel), parcel.bytes);
  if (outbox.events !== 0) return;
  outboxUnlist(channel, source);
  if (outbox.set === 0) outboxFree(source);
}

/** Frees the outbox of a source with what waits in it. */
export function outboxFree(source: Member): void {
  if (source.outbox === 0) return;
  const outbox = changetype<Outbox>(source.outbox);
  while (outbox.head !== 0) {
    const run = changetype<Run>(outbox.head);
    const parcel = parcelOf(run);
    runFree(outbox, run);
    heapGive(changetype<u32>(parcel), parcel.bytes);
  }
  if (outbox.order !== 0) orderFree(changetype<Order>(outbox.order));
  heapGive(source.outbox, offsetof<Outbox>());
  source.outbox = source.outboxEvents = 0;
}

/** The source is gone: what waits goes on without it, and nobody holds it any more. */
export function outboxOrphan(source: Member): void {
  if (source.outbox === 0) return;
  const outbox = changetype<Outbox>(source.outbox);
  outbox.held = 0;
  for (let at = outbox.head; at !== 0; at = changetype<Run>(at).next) parcelOf(changetype<Run>(at)).connection = 0;
}

/** Puts a source at the end of its channel's list of filled outboxes. */
export function outboxList(channel: Channel, source: Member): void {
  const at = changetype<u32>(source);
  source.nextOutbox = 0;
  if (channel.outboxes === 0) channel.outboxes = at;
  else changetype<Member>(channel.outboxesTail).nextOutbox = at;
  channel.outboxesTail = at;
}

/** Takes a source off its channel's list; mostly it is the first one. */
export function outboxUnlist(channel: Channel, source: Member): void {
  let previous: u32 = 0;
  let at = channel.outboxes;
  while (at !== changetype<u32>(source)) {
    previous = at;
    at = changetype<Member>(at).nextOutbox;
  }
  if (previous === 0) channel.outboxes = source.nextOutbox;
  else changetype<Member>(previous).nextOutbox = source.nextOutbox;
  if (channel.outboxesTail === at) channel.outboxesTail = previous;
}

/** Removes the events of a key that happened up to `atUs` from all outboxes of a channel; returns how many. */
export function outboxesCancel(channel: Channel, keyAt: u32, keyBytes: u32, atUs: i64): u32 {
  let cancelled: u32 = 0;
  for (let at = channel.outboxes; at !== 0; ) {
    const source = changetype<Member>(at);
    at = source.nextOutbox;
    for (let runAt = changetype<Outbox>(source.outbox).head; runAt !== 0; ) {
      const run = changetype<Run>(runAt);
      const parcel = parcelOf(run);
      const meta: Meta = metaAt(parcel, 0);
      runAt = run.next;
      if (meta.keyBytes === 0 || meta.timeUs > atUs || !keyIs(meta, channel.number, keyAt, keyBytes)) continue;
      const connection = connectionFind(parcel.connection);
      const spends = parcel.spends;
      outboxRemove(source, channel, run);
      if (connection !== null) creditGive(connection as Connection, source, 1, spends);
      cancelled++;
    }
  }
  return cancelled;
}

/** Puts settings of an outbox in force; what waits is put in the new order. Returns a status; all is as it was where that is not STATUS_OK. */
export function outboxConfigure(
  connection: Connection,
  source: Member,
  channel: Channel,
  capacityEvents: u32,
  capacityBytes: u32,
  overflow: u32,
  ordering: u32,
): u32 {
  const address = outboxOf(source);
  if (address === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const outbox = changetype<Outbox>(address);
  if (!reorder(outbox, ordering, overflow)) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const moreEvents = capacityEvents - outbox.capacityEvents;
  const moreBytes = capacityBytes - outbox.capacityBytes;
  outbox.set = 1;
  outbox.overflow = overflow;
  outbox.capacityEvents = capacityEvents;
  outbox.capacityBytes = capacityBytes;
  // More room is more credit; for less of it the source pays with what leaves.
  if ((moreEvents | moreBytes) !== 0) creditGive(connection, source, moreEvents, moreBytes);
  trim(connection, source, channel, outbox);
  return STATUS_OK;
}

/** Puts what waits in the order of other policies. Returns false, with all as before, where memory is used up. */
function reorder(outbox: Outbox, ordering: u32, overflow: u32): bool {
  // All of it is one stream, which leaves as it came.
  if (ordering === ORDERING_WINDOW) ordering = ORDERING_FIFO;
  let made: u32 = 0;
  if (orderNeeded(ordering, overflow)) {
    made = orderNew(ordering, overflow, outbox.events);
    if (made === 0) return false;
    factsForget();
    // There is room for all of them, so none of these can fail.
    for (let at = outbox.head; at !== 0; at = changetype<Run>(at).next) {
      const run = changetype<Run>(at);
      orderAdd(changetype<Order>(made), outbox, run, parcelOf(run).acceptedMs);
    }
  }
  if (outbox.order !== 0) orderFree(changetype<Order>(outbox.order));
  outbox.order = made;
  return true;
}

/** Holds an outbox, or lets it go; the caller lets the channel's outboxes go on then. Returns a status. */
export function outboxHold(source: Member, held: u32): u32 {
  const address = outboxOf(source);
  if (address === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const outbox = changetype<Outbox>(address);
  outbox.set = 1;
  outbox.held = held;
  source.role = held === 0 ? source.role & ~ROLE_HELD : source.role | ROLE_HELD;
  return STATUS_OK;
}
