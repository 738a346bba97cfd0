/** A cancel as it comes: read, checked, carried out by match/cancel.ts. */
import {
  CONNECTION_LOCAL,
  KEY_BYTES_MAX,
  STATUS_CHANNEL_UNKNOWN,
  STATUS_KEY_MISSING,
  STATUS_KEY_TOO_LONG,
  STATUS_MALFORMED,
  STATUS_NOT_MEMBER,
  STATUS_NOT_UTF8,
  STATUS_TIME,
} from "../abi";
import { Channel, channelByName, channelFind } from "../channel/channel";
import { pairFirst } from "../channel/member";
import { timeValid } from "../event/scan";
import { utf8Valid } from "../event/utf8";
import { cursor, fieldSkip, lengthRead, tagRead, varintRead } from "../event/wire";
import { CANCEL_NOW, cancelKey } from "../match/cancel";
import { resultStatus } from "../result";
import { Connection } from "./connection";

const TAG_CHANNEL: u32 = 0x0a;
const TAG_CHANNEL_NUMBER: u32 = 0x10;
const TAG_KEY: u32 = 0x1a;
const TAG_AT: u32 = 0x21;
const FIELD_LAST: u32 = 4;

/** Takes the body of a Cancel at [at, at + bytes). Returns a status; STATUS_MALFORMED ends the session. */
export function cancelFrame(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let number: u32 = 0;
  let keyAt: u32 = 0;
  let keyBytes: u32 = 0;
  let atUs = CANCEL_NOW;
  while (at < end) {
    const tag = tagRead(at, end);
    if (cursor === 0) return STATUS_MALFORMED;
    if (tag === TAG_CHANNEL || tag === TAG_KEY) {
      const size = lengthRead(cursor, end);
      if (cursor === 0) return STATUS_MALFORMED;
      at = cursor + size;
      if (tag === TAG_CHANNEL) {
        if (number === 0) number = channelByName(cursor, size);
      } else {
        keyAt = cursor;
        keyBytes = size;
      }
    } else if (tag === TAG_CHANNEL_NUMBER) {
      const value = varintRead(cursor, end);
      if (cursor === 0) return STATUS_MALFORMED;
      number = value > 0xffffffff ? 0xffffffff : <u32>value;
      at = cursor;
    } else {
      if (tag >> 3 <= FIELD_LAST && tag !== TAG_AT) return STATUS_MALFORMED;
      const valueAt = cursor;
      if (tag === TAG_AT && end - valueAt >= 8) {
        atUs = load<i64>(valueAt);
        if (!timeValid(atUs)) return resultStatus(STATUS_TIME, FIELD_LAST, 0);
      }
      at = fieldSkip(cursor, end, tag & 7);
      if (at === 0) return STATUS_MALFORMED;
    }
  }
  const found = channelFind(number);
  if (found === null) return resultStatus(STATUS_CHANNEL_UNKNOWN, number, 0);
  return cancelTake(connection, found as Channel, keyAt, keyBytes, atUs);
}

/** Checks a cancel, whose moment is valid or CANCEL_NOW, and carries it out. Returns a status. */
export function cancelTake(connection: Connection, channel: Channel, keyAt: u32, keyBytes: u32, atUs: i64): u32 {
  if (keyBytes === 0) return resultStatus(STATUS_KEY_MISSING, 0, 0);
  if (keyBytes > KEY_BYTES_MAX) return resultStatus(STATUS_KEY_TOO_LONG, keyBytes, KEY_BYTES_MAX);
  if (!utf8Valid(keyAt, keyBytes)) return resultStatus(STATUS_NOT_UTF8, TAG_KEY >> 3, 0);
  // What is asked over HTTP or within the process comes from the host itself.
  if (connection.kind !== CONNECTION_LOCAL && pairFirst(connection.number, channel.number) === 0)
    return resultStatus(STATUS_NOT_MEMBER, channel.number, 0);
  return cancelKey(connection, channel, keyAt, keyBytes, atUs);
}
