/**
 * What a published event lacks and must have (`time`, `source`, a deadline, the channel's priority) is appended to it as fields:
 * nothing is decoded and encoded again. Source of field numbers: schemas/sluice/v1/event.proto.
 */
import { Channel } from "../channel/channel";
import {
  SCAN_DELIVER_BY,
  SCAN_PRIORITY,
  SCAN_SOURCE,
  SCAN_TIME,
  SCAN_TTL,
  scanDeliverByUs,
  scanFlags,
  scanTtlMs,
  TIME_US_MAX,
} from "../event/scan";
import { varintBytes, varintWrite } from "../event/wire";
import { copyBytes } from "../memory/copy";

/** What complete() appends, and the moment by which the event must be delivered, µs; i64.MAX_VALUE: none. Set by completedBytes(). */
export let completedDeliverByUs: i64 = 0;
let addDeliverBy: bool = false;
let addTime: bool = false;
let addPriority: bool = false;
let addSourceBytes: u32 = 0;

/** Bytes of the event that was scanned just now when it is complete. `bytes`: as it was published. */
export function completedBytes(channel: Channel, acceptedMs: f64, sourceBytes: u32, bytes: u32): u32 {
  const deliverByUs = deadlineOf(channel, acceptedMs);
  const has = scanFlags;
  completedDeliverByUs = deliverByUs;
  addDeliverBy = deliverByUs !== i64.MAX_VALUE && !((has & SCAN_DELIVER_BY) !== 0 && deliverByUs === scanDeliverByUs);
  addSourceBytes = (has & SCAN_SOURCE) === 0 ? sourceBytes : 0;
  addPriority = (has & SCAN_PRIORITY) === 0 && channel.priority !== 4;
  addTime = (has & SCAN_TIME) === 0;
  const size = bytes + (addTime ? 9 : 0) + (addDeliverBy ? 9 : 0) + (addPriority ? 2 : 0);
  return addSourceBytes === 0 ? size : size + 1 + varintBytes(addSourceBytes) + addSourceBytes;
}

/** Appends behind the event, which ends at `end`, what completedBytes() has found to be absent. */
export function complete(channel: Channel, end: u32, acceptedMs: f64, sourceAt: u32): void {
  if (addTime) end = fixedWrite(end, 0x29, <i64>(acceptedMs * 1000));
  if (addDeliverBy) end = fixedWrite(end, 0x39, completedDeliverByUs);
  if (addPriority) {
    store<u8>(end, 0x30);
    store<u8>(end, <u8>channel.priority, 1);
    end += 2;
  }
  if (addSourceBytes !== 0) {
    store<u8>(end, 0x12);
    copyBytes(varintWrite(end + 1, addSourceBytes), sourceAt, addSourceBytes);
  }
}

function fixedWrite(at: u32, tag: u8, value: i64): u32 {
  store<u8>(at, tag);
  store<i64>(at, value, 1);
  return at + 9;
}

/** The moment by which the scanned event must be delivered, µs; i64.MAX_VALUE: none. The earlier one of two counts. */
export function deadlineOf(channel: Channel, acceptedMs: f64): i64 {
  const hasDeliverBy = (scanFlags & SCAN_DELIVER_BY) !== 0;
  let deadline = hasDeliverBy ? scanDeliverByUs : i64.MAX_VALUE;
  let ttlMs: f64 = -1;
  if ((scanFlags & SCAN_TTL) !== 0) ttlMs = <f64>scanTtlMs;
  else if (!hasDeliverBy && channel.ttlMs > 0) ttlMs = channel.ttlMs;
  if (ttlMs >= 0) deadline = min<i64>(deadline, min<i64>(<i64>((acceptedMs + ttlMs) * 1000), TIME_US_MAX));
  return deadline;
}
