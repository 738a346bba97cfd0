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
import { accountCount, accountsInit } from "../mailbox/accounts";
import { orderWindows } from "../mailbox/order";
import { Mailbox } from "../mailbox/records";
import { streamsInit } from "../mailbox/stream";
import { windowSet, windowsInit } from "../mailbox/windows";
import { resultStatus } from "../result";

/** Forgets all windows, streams and accounts. Returns false where memory is too small. */
export function deadlinesInit(): bool {
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

/** See CoreExports.streamStatistic(). */
export function streamStatistic(connection: u32, channel: u32, index: u32): f64 {
  return accountCount(connection, channel, index);
}
