/** The part of the ABI that is about deadlines; index.ts hands it on. */
import {
  STATUS_CHANNEL_UNKNOWN,
  STATUS_LIMIT,
  STATUS_OK,
  STATUS_STORE_FULL,
  WINDOW_EVENTS_MAX,
  WINDOW_PERIOD_MS_MAX,
} from "../abi";
import { Channel, channelFind } from "../channel/channel";
import { Member } from "../channel/member";
import { joinedSink } from "../channel/sinks";
import { clockSet } from "../clock";
import { heldExpire } from "../filter/held";
import { heldDueFirst, heldDueInit, heldDueNextMs } from "../filter/held-due";
import { accountCount, accountsInit } from "../mailbox/accounts";
import { divertedAny, divertedInit } from "../mailbox/diverted";
import { dueAgain, dueFirst, dueInit, dueNextMs } from "../mailbox/due";
import { lateLook } from "../mailbox/late";
import { orderWindows } from "../mailbox/order";
import { Mailbox } from "../mailbox/records";
import { streamsInit } from "../mailbox/stream";
import { windowSet, windowsInit } from "../mailbox/windows";
import { resultStatus } from "../result";
import { sourceMissesAny, sourceMissesInit, sourceMissesTell } from "../session/source-misses";
import { divertLate } from "./divert";
import { inboxReleaseIfDrained } from "./membership";

/** Inboxes that one tick looks at; what is left is due at once, so that input is not kept waiting. */
const TICK_INBOXES_MAX: u32 = 1024;
/** Channels that one tick looks at for what they hold, up to EMPTY_HELD_MAX events each. */
const TICK_HELD_MAX: u32 = 16;

/** Forgets all windows, streams and accounts, and what is due. Returns false where memory is too small. */
export function deadlinesInit(): bool {
  dueInit();
  heldDueInit();
  divertedInit();
  sourceMissesInit();
  return accountsInit() && windowsInit() && streamsInit();
}

/** See CoreExports.channelWindow(). What waits in inboxes is put where it belongs now. */
export function channelWindow(number: u32, lose: u32, size: u32, periodMs: f64): u32 {
  const found = channelFind(number);
  if (found === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  const channel = found as Channel;
  if (size !== 0 && (lose > size || size > WINDOW_EVENTS_MAX))
    return resultStatus(STATUS_LIMIT, max<u32>(lose, size), WINDOW_EVENTS_MAX);
  if (size !== 0 && !(periodMs > 0 && periodMs <= <f64>WINDOW_PERIOD_MS_MAX))
    return resultStatus(STATUS_LIMIT, 0, WINDOW_PERIOD_MS_MAX);
  if (!windowSet(number, lose, size, periodMs)) return resultStatus(STATUS_STORE_FULL, 0, 0);
  for (let place: u32 = 0; place < channel.joined; place++) {
    const at = joinedSink(channel, place);
    if (at !== 0) orderWindows(changetype<Mailbox>(changetype<Member>(at).inbox));
  }
  return STATUS_OK;
}

/** Whether turnEnd() would do anything. */
export function turnDue(): bool {
  return divertedAny() || sourceMissesAny();
}

/** What is to be done once per turn: late events go to their other channels, and sources hear of misses. */
export function turnEnd(): void {
  if (divertedAny()) divertLate();
  if (sourceMissesAny()) sourceMissesTell();
}

/** See CoreExports.deadlineNext(). */
export function deadlineNext(): f64 {
  if (turnDue()) return 0;
  const next = min<f64>(dueNextMs(), heldDueNextMs());
  return next === Infinity ? -1 : max<f64>(next, 0);
}

/** See CoreExports.deadlineTick(). */
export function deadlineTick(now: f64): f64 {
  clockSet(now);
  let at = dueFirst();
  for (let looked: u32 = 0; at !== 0 && looked < TICK_INBOXES_MAX; looked++) {
    const inbox = changetype<Mailbox>(at);
    lateLook(inbox);
    inboxReleaseIfDrained(inbox);
    at = dueFirst();
  }
  for (let looked: u32 = 0; looked < TICK_HELD_MAX; looked++) {
    const channel = heldDueFirst();
    if (channel === null) break;
    heldExpire(channel as Channel);
  }
  turnEnd();
  return deadlineNext();
}

/** Late events of a channel have another fate: what waits is looked at by it. */
export function lateChanged(channel: Channel): void {
  for (let place: u32 = 0; place < channel.joined; place++) {
    const at = joinedSink(channel, place);
    if (at !== 0) dueAgain(changetype<Mailbox>(changetype<Member>(at).inbox));
  }
}

/** See CoreExports.streamStatistic(). */
export function streamStatistic(connection: u32, channel: u32, index: u32): f64 {
  return accountCount(connection, channel, index);
}
