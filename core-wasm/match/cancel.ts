/**
 * Cancelling a key: what waits is withdrawn, who has begun is told (docs/adr/0022).
 *
 * Who cancels and got the key itself *claims* it: of several claims on the same events the earliest stands, by time and then
 * by the order of joining, in whatever order they arrive. Who cancels and did not get it *aborts* it for everybody.
 *
 *   claim, the earliest so far   withdraws, tells all others who got the key, and takes back what they were told by later ones
 *   claim, after an earlier one  does nothing; its sender learns so
 *   abort                        withdraws, tells all who got the key; claims that come later do nothing
 */
import {
  CHANNEL_CANCELS,
  STATISTIC_CANCELS,
  STATISTIC_CANCELS_FORWARDED,
  STATUS_CANCELLED,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { nowMs } from "../clock";
import { heldCancel } from "../filter/held";
import { keyHash, keyIs, keyMark, keysFind } from "../mailbox/keys";
import { pendingCancel } from "../mailbox/pending";
import { Mailbox, META_CANCELLED, META_CLAIM, META_CONTROL, Meta, Slab } from "../mailbox/records";
import { slabIdle } from "../mailbox/slab";
import {
  STARTED_ABORTED,
  STARTED_CLAIMED,
  STARTED_OWN,
  Started,
  startedBegin,
  startedIndex,
  startedNext,
  startedSink,
} from "../mailbox/started";
import { entryWithdraw } from "../mailbox/withdraw";
import { resultStatus } from "../result";
import { Connection, connectionAt } from "../session/connection";
import { statisticAdd } from "../statistics";
import { controlEntry, controlStored } from "./control-event";
import { fanEnd, fanMember, fanRefused, rangeFlush } from "./fan-out";
import { inboxReleaseIfDrained } from "./membership";
import { outboxesCancel } from "./outbox";

/** What the last cancel that returned STATUS_OK did: deliveries that will not be made, and sinks that are told. */
export let cancelWithdrawn: u32 = 0;
export let cancelForwarded: u32 = 0;

let stamp: u32 = 0;

/** No moment was given: the cancel is of now, and of all that this host has taken by now, whatever its source's clock says. */
export const CANCEL_NOW: i64 = i64.MAX_VALUE;

/**
 * Cancels a key, which is valid, for a session: all events of the channel with it that happened up to `upToUs`. Returns
 * STATUS_OK, STATUS_CANCELLED where another one was first, or STATUS_STORE_FULL; then nothing has happened.
 */
export function cancelKey(connection: Connection, channel: Channel, keyAt: u32, keyBytes: u32, upToUs: i64): u32 {
  cancelWithdrawn = cancelForwarded = 0;
  rangeFlush();
  channel.flags |= CHANNEL_CANCELS;
  const hash = keyHash(channel.number, keyAt, keyBytes);
  startedIndex();
  const atUs = upToUs === CANCEL_NOW ? newest(hash, <i64>(nowMs * 1000)) : upToUs;
  const mine = ownStart(connection, hash, atUs);
  if (mine !== 0 && beaten(channel, hash, changetype<Started>(mine), atUs)) return resultStatus(STATUS_CANCELLED, 0, 0);
  const tell = othersStarted(connection, channel, hash, atUs) !== 0;
  if (tell && !controlStored(connection, channel, keyAt, keyBytes, atUs, mine !== 0))
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  withdraw(channel, hash, keyAt, keyBytes, upToUs, mine !== 0 ? atUs : i64.MAX_VALUE);
  cancelWithdrawn += outboxesCancel(channel, keyAt, keyBytes, upToUs);
  cancelWithdrawn += heldCancel(channel, keyAt, keyBytes, upToUs);
  if (mine !== 0) claim(changetype<Started>(mine), atUs);
  else abort(hash, atUs);
  if (tell) forward(connection, channel, hash, atUs);
  unkeep(mine === 0 ? 0 : connection.number, channel, hash, keyAt, keyBytes, atUs);
  if ((cancelWithdrawn | cancelForwarded) !== 0) statisticAdd(STATISTIC_CANCELS, 1);
  statisticAdd(STATISTIC_CANCELS_FORWARDED, cancelForwarded);
  return STATUS_OK;
}

/** When the newest event of a key that was delivered happened, `nowUs` where that is later. */
function newest(hash: u64, nowUs: i64): i64 {
  startedBegin(hash);
  for (let at = startedNext(); at !== 0; at = startedNext()) nowUs = max<i64>(nowUs, changetype<Started>(at).eventUs);
  return nowUs;
}

/** Address of the newest delivery that makes the session's cancel a claim, 0: none does. An echo is no work of its own. */
function ownStart(connection: Connection, hash: u64, atUs: i64): u32 {
  startedBegin(hash);
  let mine: u32 = 0;
  for (let at = startedNext(); at !== 0; at = startedNext()) {
    const record = changetype<Started>(at);
    if (record.connection !== connection.number || record.serial !== connection.serial) continue;
    if ((record.flags & STARTED_OWN) !== 0 || record.eventUs > atUs) continue;
    if (mine === 0 || record.eventUs > changetype<Started>(mine).eventUs) mine = at;
  }
  return mine;
}

/** Whether a claim at `atUs` comes too late: somebody aborted the key, or an earlier claim covers what this sink got. */
function beaten(channel: Channel, hash: u64, mine: Started, atUs: i64): bool {
  if ((mine.flags & STARTED_ABORTED) !== 0) return true;
  startedBegin(hash);
  for (let at = startedNext(); at !== 0; at = startedNext()) {
    const record = changetype<Started>(at);
    if ((record.flags & STARTED_CLAIMED) === 0 || record.connection === mine.connection) continue;
    // A claim on earlier events of that key says nothing about this one.
    if (record.claimUs > atUs || record.claimUs < mine.eventUs) continue;
    // Whoever is gone does not do the work any more.
    const sink = startedSink(record, channel);
    if (sink !== 0 && (record.claimUs < atUs || !joinedBefore(startedSink(mine, channel), sink))) return true;
  }
  return false;
}

/** Whether the first of two sinks joined their channel before the other one; 0, which is none, did not. */
function joinedBefore(first: u32, second: u32): bool {
  return first !== 0 && changetype<Member>(first).order < changetype<Member>(second).order;
}

/** How many other sessions with a sink of the channel got the key up to `atUs`; sets the stamp of each. */
function othersStarted(connection: Connection, channel: Channel, hash: u64, atUs: i64): u32 {
  let others: u32 = 0;
  stamp++;
  startedBegin(hash);
  for (let at = startedNext(); at !== 0; at = startedNext()) {
    const record = changetype<Started>(at);
    if (record.eventUs <= atUs && startsAnew(record, connection, channel) !== 0) others++;
  }
  return others;
}

/** Address of the sink of a delivery whose session was not looked at since the last stamp, 0: it was, or is the canceller's. */
function startsAnew(record: Started, connection: Connection, channel: Channel): u32 {
  if (record.connection === connection.number) return 0;
  const sink = startedSink(record, channel);
  if (sink === 0) return 0;
  const session = connectionAt(record.connection);
  if (session.cancelStamp === stamp) return 0;
  session.cancelStamp = stamp;
  return sink;
}

/** Withdraws what waits of the key, and counts it; and takes back what claims told that are not before `claimUs`. */
function withdraw(channel: Channel, hash: u64, keyAt: u32, keyBytes: u32, upToUs: i64, claimUs: i64): void {
  const first = keysFind(hash);
  // A slab that falls empty takes its metas out of this very list: none may until we are through.
  for (let at = first; at !== 0; at = changetype<Meta>(at).next) changetype<Slab>(changetype<Meta>(at).slab).pins++;
  for (let at = first; at !== 0; at = changetype<Meta>(at).next) {
    const meta = changetype<Meta>(at);
    if ((meta.flags & META_CANCELLED) !== 0 || !keyIs(meta, channel.number, keyAt, keyBytes)) continue;
    const hit = (meta.flags & META_CONTROL) === 0 ? meta.timeUs <= upToUs : told(meta, claimUs);
    if (!hit) continue;
    keyMark(meta);
    const inboxes = entryWithdraw(meta, channel.ring);
    if ((meta.flags & META_CONTROL) === 0) cancelWithdrawn += inboxes;
  }
  for (let at = first; at !== 0; ) {
    const slab = changetype<Slab>(changetype<Meta>(at).slab);
    at = changetype<Meta>(at).next;
    slab.pins--;
    slabIdle(slab);
  }
}

/** Whether an entry tells of a claim that is not before `claimUs`. The one stored just now is held by nobody yet. */
function told(meta: Meta, claimUs: i64): bool {
  return (meta.flags & META_CLAIM) !== 0 && meta.timeUs >= claimUs && meta.entryAt !== controlEntry;
}

function claim(mine: Started, atUs: i64): void {
  if ((mine.flags & STARTED_CLAIMED) === 0 || atUs < mine.claimUs) mine.claimUs = atUs;
  mine.flags |= STARTED_CLAIMED;
}

function abort(hash: u64, atUs: i64): void {
  startedBegin(hash);
  for (let at = startedNext(); at !== 0; at = startedNext()) {
    const record = changetype<Started>(at);
    if (record.eventUs <= atUs) record.flags |= STARTED_ABORTED;
  }
}

/** Hands the control event to all others who got the key. */
function forward(connection: Connection, channel: Channel, hash: u64, atUs: i64): void {
  stamp++;
  startedBegin(hash);
  for (let at = startedNext(); at !== 0; at = startedNext()) {
    const record = changetype<Started>(at);
    if (record.eventUs > atUs) continue;
    const sink = startsAnew(record, connection, channel);
    if (sink === 0) continue;
    fanMember(channel, changetype<Member>(sink));
    cancelForwarded++;
  }
  cancelForwarded -= fanRefused;
  fanEnd();
}

/**
 * Whoever got the key and has not acknowledged it gets it no second time. A claim leaves its own sender's delivery alone: that
 * one does the work, and may fail at it.
 */
function unkeep(claimant: u32, channel: Channel, hash: u64, keyAt: u32, keyBytes: u32, atUs: i64): void {
  startedBegin(hash);
  for (let at = startedNext(); at !== 0; at = startedNext()) {
    const record = changetype<Started>(at);
    if (record.eventUs > atUs || record.connection === claimant || startedSink(record, channel) === 0) continue;
    const sink = connectionAt(record.connection);
    if (sink.pending === 0) continue;
    pendingCancel(sink, channel.number, keyAt, keyBytes, atUs);
    inboxReleaseIfDrained(changetype<Mailbox>(sink.inbox));
  }
}
