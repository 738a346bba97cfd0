/** The call that cancels without a frame: HTTP and embedded use. What it promises stands in host/core/exports.ts. */
import { RESULT_COUNT, RESULT_INDEX, STATUS_CHANNEL_UNKNOWN, STATUS_MEMBER_UNKNOWN, STATUS_TIME } from "../abi";
import { Channel, channelFind } from "../channel/channel";
import { clockSet } from "../clock";
import { CANCEL_NOW, cancelForwarded, cancelWithdrawn } from "../match/cancel";
import { resultSet, resultStatus } from "../result";
import { cancelTake } from "./cancel-frame";
import { Connection, connectionFind } from "./connection";

/** Beyond all moments that RFC 3339 can say, and within 64 bits. */
const MOMENT_US_MAX: f64 = 1e18;

/** See CoreExports.cancel(). */
export function cancel(number: u32, channelNumber: u32, keyAt: u32, keyBytes: u32, atUs: f64, now: f64): u32 {
  const connection = connectionFind(number);
  const channel = channelFind(channelNumber);
  if (connection === null) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  if (channel === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, channelNumber, 0);
  clockSet(now);
  if (atUs !== Infinity && !(abs(atUs) < MOMENT_US_MAX)) return resultStatus(STATUS_TIME, 0, 0);
  const timeUs = atUs === Infinity ? CANCEL_NOW : <i64>atUs;
  const status = cancelTake(connection as Connection, channel as Channel, keyAt, keyBytes, timeUs);
  resultSet(RESULT_COUNT, cancelWithdrawn);
  resultSet(RESULT_INDEX, cancelForwarded);
  return status;
}
