/**
 * The way of one event through this host (docs/ARCHITECTURE.md): check, outbox, store and sequence, match, fan out or park.
 */
import {
  CHANNEL_ECHO,
  CHANNEL_FILTERED,
  CHANNEL_STORES,
  EVENT_BYTES_MAX,
  ROLE_FILTERED,
  ROLE_MISSES,
  ROLE_PIGGYBACK,
  SLAB_BYTES,
  STATISTIC_DIVERTED,
  STATISTIC_REFUSED,
  STATUS_EVENT_TOO_LARGE,
  STATUS_MAILBOX_FULL,
  STATUS_OK,
  STATUS_STORE_FULL,
  STATUS_TYPE_REFUSED,
} from "../abi";
import { Channel, channelFind, channelSpecial } from "../channel/channel";
import { Member, ROLE_HELD } from "../channel/member";
import { plainSinks } from "../channel/sinks";
import { typeLookup, typeSetTakes } from "../channel/types";
import { nowMs } from "../clock";
import { entryEvent, entryEventBytes, entryHeadCopy, entryPrepare } from "../event/entry";
import { factsNote } from "../event/facts";
import {
  SCAN_DELIVER_BY,
  SCAN_KEY,
  SCAN_PRIORITY,
  SCAN_SOURCE,
  SCAN_TIME,
  SCAN_TTL,
  scanEvent,
  scanFlags,
  scanKeyAt,
  scanKeyBytes,
  scanPriority,
  scanTimeUs,
  scanTypeAt,
  scanTypeBytes,
} from "../event/scan";
import { viewScanned } from "../expression/view";
import { Filters } from "../filter/bind";
import { NO_RECEIPT, parkedRoom } from "../filter/parked";
import { park } from "../filter/parking";
import { URGENT_PRIORITY } from "../mailbox/append";
import { META_MISSES, Slab } from "../mailbox/records";
import { slabIdle } from "../mailbox/slab";
import { metaAdd, metaKey, storeAdvance, storeSlab, storeTake } from "../mailbox/store";
import { copyLoose } from "../memory/copy";
import { resultStatus } from "../result";
import { Connection } from "../session/connection";
import { piggybackTake } from "../session/piggyback";
import { statisticAdd } from "../statistics";
import { collectSelective } from "./collect";
import { complete, completedBytes, completedDeliverByUs, deadlineOf } from "./complete";
import {
  allRefuse,
  channelPlain,
  fanAll,
  fanBegin,
  fanEnd,
  fanRefused,
  fanSinks,
  fanStore,
  rangeChosen,
  rangeExtend,
  rangeFacts,
  rangeFlush,
  rangeSinks,
  refusedLimit,
} from "./fan-out";
import { outboxPush } from "./outbox";
import { handRouted, routedDiverts, routedSinks } from "./routed";

/** What the last publishEvent() that returned STATUS_OK did; a sequence of 0: the event waits in its outbox. */
export let publishedSinks: u32 = 0;
export let publishedRefused: u32 = 0;
export let publishedSequence: u64 = 0;

/** Takes one encoded event of a source. `receipt`: index in RECEIPTS or NO_RECEIPT. Returns a status. */
export function publishEvent(
  connection: Connection,
  source: Member,
  channel: Channel,
  at: u32,
  bytes: u32,
  now: f64,
  receipt: u32,
): u32 {
  let status = scanEvent(at, bytes);
  if (
    (scanFlags & NOT_BARE) === BARE &&
    status === STATUS_OK &&
    !channelSpecial(channel) &&
    (source.role & SOURCE_SPECIAL) === 0 &&
    dispatchBare(channel, connection, at, bytes)
  ) {
    publishedSinks = selectiveTaken + (receipt === NO_RECEIPT ? 0 : rangeSinks(channel, connection.number));
    publishedRefused = 0;
    return STATUS_OK;
  }
  if (
    status === STATUS_OK &&
    channel.types !== 0 &&
    !typeSetTakes(channel.types, typeLookup(scanTypeAt, scanTypeBytes))
  ) {
    status = resultStatus(STATUS_TYPE_REFUSED, 0, 0);
  }
  if (status === STATUS_OK) {
    if ((source.role & ROLE_PIGGYBACK) !== 0) piggybackTake(source, at, bytes);
    if ((channel.blockedBy | source.outboxEvents | (source.role & ROLE_HELD)) !== 0) {
      publishedSinks = publishedRefused = 0;
      publishedSequence = 0;
      status = outboxPush(connection, source, channel, at, bytes, now);
    } else {
      status = dispatch(
        channel,
        connection.number,
        changetype<u32>(source),
        connection.sourceAt,
        connection.sourceBytes,
        at,
        bytes,
        now,
        receipt,
      );
    }
  }
  return status;
}

/** Events of such sources take the general way. */
const SOURCE_SPECIAL: u32 = ROLE_FILTERED | ROLE_PIGGYBACK | ROLE_MISSES | ROLE_HELD;

/** Needs nothing appended and no meta: the event is delivered as it came. */
const BARE: u32 = SCAN_SOURCE | SCAN_TIME;
const NOT_BARE: u32 = BARE | SCAN_DELIVER_BY | SCAN_TTL | SCAN_KEY;

/**
 * Stores, sequences and hands on a bare event on a channel without anything special; false: take the general way. It is matched where it
 * came in, since what nobody wants need not be stored.
 */
function dispatchBare(channel: Channel, connection: Connection, at: u32, bytes: u32): bool {
  if (bytes > EVENT_BYTES_MAX) return false;
  const sequence = channel.sequence + 1;
  if (channel.selectiveSinks === 0) {
    selectiveTaken = 0;
  } else {
    viewScanned(at, bytes, bytes);
    if (selectiveTake(channel, connection.number) === 0 && onlySelective(channel)) {
      channel.sequence = publishedSequence = sequence;
      return true;
    }
  }
  const size = entryPrepare(channel.number, sequence, bytes);
  const entry = storeTake(size, 0);
  if (entry === 0) return false;
  const slab = changetype<Slab>(storeSlab);
  channel.sequence = publishedSequence = sequence;
  const eventAt = entryHeadCopy(entry, channel.number, sequence);
  copyLoose(eventAt, at, bytes);
  slab.used += size;
  if (channel.orderedSinks !== 0) {
    storedDeliverByUs = i64.MAX_VALUE;
    storedTimeUs = scanTimeUs(0);
  }
  rangeFan(channel, connection.number, slab, entry, size, 0, Infinity, scanPriority);
  return true;
}

/** Selective sinks that take the event under way: those of the last selectiveTake(). */
let selectiveTaken: u32 = 0;

/** Gathers the selective sinks that take the event of the view, of whose channel there are some; returns how many. */
function selectiveTake(channel: Channel, connection: u32): u32 {
  const skip = (channel.flags & CHANNEL_ECHO) !== 0 ? 0 : connection;
  selectiveTaken = collectSelective(channel, skip, typeLookup(scanTypeAt, scanTypeBytes));
  return selectiveTaken;
}

/** Whether an event that no selective sink takes is nobody's. */
function onlySelective(channel: Channel): bool {
  return plainSinks(channel) === 0 && (channel.flags & CHANNEL_STORES) === 0;
}

/** Adds an entry to the range and hands it to the selective sinks that take it. */
function rangeFan(
  channel: Channel,
  connection: u32,
  slab: Slab,
  entry: u32,
  size: u32,
  metas: u32,
  deadline: f64,
  priority: u32,
): void {
  rangeExtend(channel, connection, slab, entry, size, metas, deadline, priority);
  if (channel.orderedSinks !== 0) rangeFacts(priority, storedDeliverByUs, storedTimeUs);
  if (selectiveTaken !== 0)
    rangeChosen(selectiveTaken, slab, entry, size, metas, deadline, priority >= URGENT_PRIORITY);
}

/** Stores, sequences and hands on the event that was scanned just now. `source`: address of the Member, 0: none. */
export function dispatch(
  channel: Channel,
  connection: u32,
  source: u32,
  sourceAt: u32,
  sourceBytes: u32,
  at: u32,
  bytes: u32,
  acceptedMs: f64,
  receipt: u32,
): u32 {
  const has = scanFlags;
  const eventBytes = completedBytes(channel, acceptedMs, sourceBytes, bytes);
  const deliverByUs = completedDeliverByUs;
  if (eventBytes > EVENT_BYTES_MAX) return resultStatus(STATUS_EVENT_TOO_LARGE, eventBytes, EVENT_BYTES_MAX);
  if (channel.parks !== 0 && !parkedRoom()) return resultStatus(STATUS_STORE_FULL, eventBytes, 0);

  const deadline = deliverByUs !== i64.MAX_VALUE && !divertsLate ? <f64>deliverByUs / 1000 : Infinity;
  const routed = isRouted(channel, source);
  // What is late already is decided over for each inbox, so ranges hold nothing of the kind.
  const plain = !routed && deadline >= nowMs && channelPlain(channel);
  const type = plain ? 0 : typeLookup(scanTypeAt, scanTypeBytes);
  const sequence = channel.sequence + 1;
  const size = entryPrepare(channel.number, sequence, eventBytes);
  if (channel.strictSinks !== 0) {
    rangeFlush();
    if (channel.selectiveSinks !== 0) viewScanned(at, bytes, bytes);
    // Whom routes select is known only when they have run. Of modules so much is known: they add nobody.
    if ((!routed || channel.parks !== 0) && allRefuse(channel, connection, type, size))
      return resultStatus(STATUS_MAILBOX_FULL, size, refusedLimit);
  }
  const misses = source !== 0 && (changetype<Member>(source).role & ROLE_MISSES) !== 0;
  const metas: u32 = scanKeyBytes !== 0 || deadline !== Infinity || misses ? 1 : 0;
  let entry = storeTake(size, metas);
  if (entry === 0) {
    rangeFlush();
    entry = storeAdvance(size, metas);
    if (entry === 0) return resultStatus(STATUS_STORE_FULL, size, 0);
  }
  const slab = changetype<Slab>(storeSlab);
  channel.sequence = sequence;
  publishedSequence = sequence;
  const eventAt = entryHeadCopy(entry, channel.number, sequence);
  copyLoose(eventAt, at, bytes);
  complete(channel, eventAt + bytes, acceptedMs, sourceAt);
  selectiveTaken = 0;
  if (channel.selectiveSinks !== 0) {
    viewScanned(eventAt, eventBytes, bytes);
    if (plain && selectiveTake(channel, connection) === 0 && onlySelective(channel)) {
      // Its bytes are the next event's. A slab that was made for it alone holds nothing.
      if (slab.bytes !== SLAB_BYTES) slabIdle(slab);
      publishedSinks = publishedRefused = 0;
      return STATUS_OK;
    }
  }
  slab.used += size;
  if (metas !== 0) {
    const meta = metaAdd(slab, entry, deadline, channel.number, connection);
    if (misses) meta.flags = META_MISSES;
    if (scanKeyBytes !== 0) {
      const timeUs = scanTimeUs(<i64>(acceptedMs * 1000));
      metaKey(meta, scanKeyAt - at + eventAt - entry, scanKeyBytes, timeUs);
    }
  }
  if (channel.parks !== 0) {
    // The entry is stored and nobody holds it yet: the range before it must not free its slab.
    slab.pins++;
    rangeFlush();
    const parked = park(channel, connection, source, type, slab, entry, size, eventAt, eventBytes, bytes);
    slab.pins--;
    parked.metaFirst = slab.metas - metas;
    parked.metas = metas;
    parked.deadline = deadline;
    parked.acceptedMs = acceptedMs;
    parked.receipt = receipt;
    parked.diverts = diverts;
    publishedSinks = publishedRefused = 0;
    return STATUS_OK;
  }
  if (!routed) {
    storedPriority = (has & SCAN_PRIORITY) !== 0 ? scanPriority : channel.priority;
    storedDeliverByUs = deliverByUs;
    storedTimeUs = scanTimeUs(<i64>(acceptedMs * 1000));
    handOn(channel, connection, plain, type, slab, entry, size, metas, deadline, receipt);
    return STATUS_OK;
  }
  if (channel.selectiveSinks === 0) viewScanned(eventAt, eventBytes, bytes);
  // Nobody may hold the entry when it is to be diverted.
  slab.pins++;
  const counts = receipt !== NO_RECEIPT;
  const status = handRouted(channel, connection, source, type, slab, entry, size, metas, deadline, counts);
  publishedSinks = routedSinks;
  publishedRefused = fanRefused;
  if (routedDiverts) {
    divert(channel, connection, entry, acceptedMs, false, diverts);
    publishedSequence = sequence;
    publishedRefused = 0;
  }
  slab.pins--;
  if (slab.runs === 0) slabIdle(slab);
  return status;
}

/** Whether filters have a word in the events of a source on a channel. */
function isRouted(channel: Channel, source: u32): bool {
  return (
    (channel.parks | (channel.flags & CHANNEL_FILTERED)) !== 0 ||
    (source !== 0 && (changetype<Member>(source).role & ROLE_FILTERED) !== 0)
  );
}

/** Channels that an event may be diverted to one after another. */
const DIVERTS_MAX: u32 = 4;
let diverts: u32 = 0;
/** Whether the event under way has missed its moment already: it has no deadline on the channel that it comes to. */
let divertsLate: bool = false;

/**
 * Publishes an entry's event, `late` or not, on the channel that its own diverts to; what that one refuses is counted.
 * `times`: how often it was diverted already.
 */
export function divert(channel: Channel, connection: u32, entry: u32, acceptedMs: f64, late: bool, times: u32): void {
  const number: u32 = channel.filters === 0 ? 0 : changetype<Filters>(channel.filters).divertTo;
  const target = channelFind(number);
  if (target === null || times === DIVERTS_MAX) {
    statisticAdd(STATISTIC_REFUSED, 1);
    return;
  }
  const eventAt = entryEvent(entry);
  const eventBytes = entryEventBytes;
  scanEvent(eventAt, eventBytes);
  const outer = diverts;
  diverts = times + 1;
  const before = divertsLate;
  divertsLate = late || before;
  let status = STATUS_TYPE_REFUSED;
  if (target.types === 0 || typeSetTakes(target.types, typeLookup(scanTypeAt, scanTypeBytes)))
    status = dispatch(target, connection, 0, 0, 0, eventAt, eventBytes, acceptedMs, NO_RECEIPT);
  divertsLate = before;
  diverts = outer;
  rangeFlush();
  statisticAdd(status === STATUS_OK ? STATISTIC_DIVERTED : STATISTIC_REFUSED, 1);
}

/** What the entry that is handed on says of itself, for orders (event/facts.ts). */
let storedPriority: u32 = 0;
let storedDeliverByUs: i64 = 0;
let storedTimeUs: i64 = 0;

function handOn(
  channel: Channel,
  connection: u32,
  plain: bool,
  type: u32,
  slab: Slab,
  entry: u32,
  size: u32,
  metas: u32,
  deadline: f64,
  receipt: u32,
): void {
  publishedRefused = 0;
  if (plain) {
    rangeFan(channel, connection, slab, entry, size, metas, deadline, storedPriority);
    publishedSinks = selectiveTaken + (receipt === NO_RECEIPT ? 0 : rangeSinks(channel, connection));
  } else {
    fanBegin(slab, entry, size, slab.metas - metas, metas, deadline);
    factsNote(entry, storedPriority, storedDeliverByUs, storedTimeUs);
    fanAll(channel, connection, type);
    fanStore(channel);
    fanEnd();
    publishedSinks = fanSinks;
    publishedRefused = fanRefused;
  }
}

/** The moment by which the event that was scanned just now must be delivered there, ms; Infinity: none. */
export function deadlineMsOf(channel: Channel, acceptedMs: f64): f64 {
  const deadline = deadlineOf(channel, acceptedMs);
  return deadline === i64.MAX_VALUE ? Infinity : <f64>deadline / 1000;
}
