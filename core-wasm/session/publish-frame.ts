/**
 * Publish frames: the hottest way in. The envelope is checked as a whole before the first event takes effect; then the
 * events go one by one, and the frame can be left between any two of them and taken up again.
 */
import {
  PUBLISH_EVENTS_MAX,
  REASON_CLOSE,
  REASON_DECIDE,
  REASON_DONE,
  REASON_PROBLEM,
  REASON_RECEIPT,
  REASON_SOURCE,
  RECEIPT_CHANNEL,
  RECEIPT_ID_AT,
  RECEIPT_ID_BYTES,
  RECEIPT_LIMIT,
  RECEIPT_RECORD_BYTES,
  RECEIPT_REFUSED,
  RECEIPT_SEQUENCE_HIGH,
  RECEIPT_SEQUENCE_LOW,
  RECEIPT_SINKS,
  RECEIPT_STATUS,
  RECEIPT_VALUE,
  RECEIPTS_OFFSET,
  RESULT_CHANNEL,
  RESULT_COUNT,
  RESULT_HAS_REF,
  RESULT_INDEX,
  RESULT_LIMIT,
  RESULT_REF,
  RESULT_VALUE,
  STATISTIC_BYTES_IN,
  STATISTIC_EVENTS_IN,
  STATISTIC_REFUSED,
  STATUS_CHANNEL_UNKNOWN,
  STATUS_FRAME_KIND,
  STATUS_LIMIT,
  STATUS_MALFORMED,
  STATUS_NOT_UTF8,
  STATUS_OK,
  STATUS_PUBLISH_NUMBER,
  STATUS_PUBLISHED,
} from "../abi";
import { Channel, channelByName, channelFind } from "../channel/channel";
import { Member } from "../channel/member";
import { nowMs } from "../clock";
import { scanIdAt, scanIdBytes } from "../event/scan";
import { utf8Valid } from "../event/utf8";
import { cursor, fieldSkip, lengthRead, tagRead, varintRead } from "../event/wire";
import { NO_RECEIPT, parkedEvents, parkedFull } from "../filter/parked";
import { creditSpend } from "../match/credit";
import { publishEvent, publishedRefused, publishedSequence, publishedSinks } from "../match/publish";
import { resultGet, resultSet, resultStatus } from "../result";
import { statisticAdd } from "../statistics";
import { frameAgainSet } from "./again";
import { Connection } from "./connection";
import { sourceFind } from "./sources";

const TAG_CHANNEL: u32 = 0x0a;
const TAG_CHANNEL_NUMBER: u32 = 0x10;
const TAG_EVENT: u32 = 0x1a;
const TAG_NUMBER: u32 = 0x20;

const NOT_SHORT: u32 = 0xffffffff;
/** Address after the length that shortLength() read. */
let shortEnd: u32 = 0;

/** A length of one or two bytes, both of which can be read; NOT_SHORT where it is longer. */
function shortLength(at: u32): u32 {
  const first = <u32>load<u8>(at);
  shortEnd = at + 1;
  if (first < 0x80) return first;
  const second = <u32>load<u8>(at, 1);
  shortEnd = at + 2;
  return second < 0x80 ? (first & 0x7f) | (second << 7) : NOT_SHORT;
}

/** Begins a Publish at [at, at + bytes). Returns a REASON_…. */
export function publishBegin(connection: Connection, at: u32, bytes: u32, hasRef: u32, ref: u32): u32 {
  const end = at + bytes;
  let number: u32 = 0;
  let nameAt: u32 = 0;
  let nameBytes: u32 = 0;
  let events: u32 = 0;
  let firstAt = end;
  let first: u64 = 0;
  for (let p = at; p < end; ) {
    // Nearly all fields are events with a one-byte tag and a length of one or two bytes.
    if (p + 3 <= end && load<u8>(p) === TAG_EVENT) {
      const size = shortLength(p + 1);
      if (size <= end - shortEnd) {
        if (events++ === 0) firstAt = p;
        p = shortEnd + size;
        continue;
      }
    }
    const tag = tagRead(p, end);
    if (cursor === 0) return malformed(p - at);
    if (tag === TAG_EVENT) {
      const size = lengthRead(cursor, end);
      if (cursor === 0) return malformed(p - at);
      if (events++ === 0) firstAt = p;
      p = cursor + size;
    } else if (tag === TAG_CHANNEL_NUMBER || tag === TAG_NUMBER) {
      const value = varintRead(cursor, end);
      if (cursor === 0) return malformed(p - at);
      if (tag === TAG_NUMBER) first = value;
      else number = value > 0xffffffff ? 0xffffffff : <u32>value;
      p = cursor;
    } else if (tag === TAG_CHANNEL) {
      const size = lengthRead(cursor, end);
      if (cursor === 0) return malformed(p - at);
      p = cursor + size;
      nameAt = cursor;
      nameBytes = size;
    } else {
      if (tag >> 3 <= 4) return malformed(p - at);
      p = fieldSkip(cursor, end, tag & 7);
      if (p === 0) return malformed(bytes);
    }
  }
  if (nameBytes !== 0) {
    // By number or by name: two would have to agree, and one that lies is worse than none.
    if (number !== 0) return refused(STATUS_FRAME_KIND, 2, 0);
    if (!utf8Valid(nameAt, nameBytes)) return refused(STATUS_NOT_UTF8, 1, 0);
    number = channelByName(nameAt, nameBytes);
  }
  let source = connection.cacheSource;
  if (connection.cacheChannel !== number || source === 0) {
    if (nameBytes === 0 && channelFind(number) === null) return refused(STATUS_CHANNEL_UNKNOWN, number, 0);
    source = sourceFind(connection, number);
    if (source === 0) {
      if (parkedEvents() === 0) return REASON_SOURCE;
      frameAgainSet();
      return REASON_DECIDE;
    }
    connection.cacheChannel = number;
    connection.cacheSource = source;
  }
  if (hasRef !== 0 && events > PUBLISH_EVENTS_MAX) return refused(STATUS_LIMIT, events, PUBLISH_EVENTS_MAX);
  connection.resumeAt = firstAt;
  connection.resumeEnd = end;
  connection.resumeSource = source;
  connection.resumeHasRef = hasRef;
  connection.resumeRef = ref;
  connection.resumeIndex = 0;
  if (first !== 0 && !publishNumbered(connection, channelFind(number) as Channel, first, events)) {
    connection.resumeAt = 0;
    return REASON_PROBLEM;
  }
  return publishContinue(connection);
}

/**
 * Leaves out the events of the publish under way that were taken before, as the numbers say which its publisher has given
 * them from `first` on. Returns false where that leaves a gap: something of what the publisher has said did not come.
 */
function publishNumbered(connection: Connection, channel: Channel, first: u64, events: u32): bool {
  const next = connection.published + 1;
  if (first > next) {
    resultStatus(STATUS_PUBLISH_NUMBER, first > 0xffffffff ? 0xffffffff : <u32>first, <u32>next);
    return false;
  }
  const known = <u32>min<u64>(next - first, events);
  connection.published = max<u64>(connection.published, first + events - 1);
  let at = connection.resumeAt;
  let size: u32 = 0;
  while (connection.resumeIndex < known) {
    const tag = tagRead(at, connection.resumeEnd);
    if (tag !== TAG_EVENT) {
      at = fieldSkip(cursor, connection.resumeEnd, tag & 7);
      continue;
    }
    const bytes = lengthRead(cursor, connection.resumeEnd);
    at = cursor + bytes;
    size += bytes;
    if (connection.resumeHasRef !== 0) receiptWrite(connection.resumeIndex, STATUS_PUBLISHED, channel.number);
    connection.resumeIndex++;
  }
  connection.resumeAt = at;
  // Their publisher has spent credit on them once more.
  if (known !== 0) creditSpend(connection, changetype<Member>(connection.resumeSource), known, size);
  return true;
}

/** Goes on with the publish frame under way. Returns a REASON_…; REASON_DONE when it is finished. */
export function publishContinue(connection: Connection): u32 {
  const source = changetype<Member>(connection.resumeSource);
  const channel = changetype<Channel>(source.channelAt);
  const hasRef = connection.resumeHasRef;
  const end = connection.resumeEnd;
  let at = connection.resumeAt;
  let events: u32 = 0;
  let size: u32 = 0;
  let spentEvents: u32 = 0;
  let spentBytes: u32 = 0;
  let reason = REASON_DONE;
  while (at < end) {
    if (channel.parks !== 0 && parkedFull()) {
      reason = REASON_DECIDE;
      break;
    }
    let bytes: u32 = NOT_SHORT;
    if (at + 3 <= end && load<u8>(at) === TAG_EVENT) bytes = shortLength(at + 1);
    let eventAt = shortEnd;
    if (bytes === NOT_SHORT) {
      const tag = tagRead(at, end);
      if (tag !== TAG_EVENT) {
        at = fieldSkip(cursor, end, tag & 7);
        continue;
      }
      bytes = lengthRead(cursor, end);
      eventAt = cursor;
    }
    at = eventAt + bytes;
    const index = connection.resumeIndex++;
    const status = publishEvent(connection, source, channel, eventAt, bytes, nowMs, hasRef !== 0 ? index : NO_RECEIPT);
    if (hasRef !== 0) receiptWrite(index, status, channel.number);
    if (status === STATUS_OK) {
      events++;
      size += bytes;
      // What waits in the outbox is spent when it leaves.
      if (publishedSequence !== 0) {
        spentEvents++;
        spentBytes += bytes;
      }
    } else {
      statisticAdd(STATISTIC_REFUSED, 1);
      if (hasRef === 0) {
        resultSet(RESULT_HAS_REF, 0);
        resultSet(RESULT_INDEX, index);
        resultSet(RESULT_CHANNEL, channel.number);
        reason = REASON_PROBLEM;
        break;
      }
    }
  }
  connection.resumeAt = at;
  statisticAdd(STATISTIC_EVENTS_IN, events);
  statisticAdd(STATISTIC_BYTES_IN, size);
  if (spentEvents !== 0) creditSpend(connection, source, spentEvents, spentBytes);
  if (reason !== REASON_DONE) return reason;
  if (hasRef !== 0) {
    // The receipt tells how many sinks were selected, so it waits for the decision.
    if (parkedEvents() !== 0) return REASON_DECIDE;
    resultSet(RESULT_HAS_REF, 1);
    resultSet(RESULT_REF, connection.resumeRef);
    resultSet(RESULT_COUNT, connection.resumeIndex);
    resultSet(RESULT_CHANNEL, channel.number);
  }
  connection.resumeAt = 0;
  return hasRef !== 0 ? REASON_RECEIPT : REASON_DONE;
}

function receiptWrite(index: u32, status: u32, channel: u32): void {
  const at = RECEIPTS_OFFSET + index * RECEIPT_RECORD_BYTES;
  const ok = status === STATUS_OK;
  store<u32>(at + RECEIPT_STATUS * 4, status);
  store<u32>(at + RECEIPT_SINKS * 4, ok ? publishedSinks : 0);
  store<u32>(at + RECEIPT_SEQUENCE_LOW * 4, ok ? <u32>publishedSequence : 0);
  store<u32>(at + RECEIPT_SEQUENCE_HIGH * 4, ok ? <u32>(publishedSequence >> 32) : 0);
  store<u32>(at + RECEIPT_VALUE * 4, ok ? 0 : resultGet(RESULT_VALUE));
  store<u32>(at + RECEIPT_LIMIT * 4, ok ? 0 : resultGet(RESULT_LIMIT));
  store<u32>(at + RECEIPT_REFUSED * 4, ok ? publishedRefused : 0);
  store<u32>(at + RECEIPT_CHANNEL * 4, channel);
  store<u32>(at + RECEIPT_ID_AT * 4, scanIdAt);
  store<u32>(at + RECEIPT_ID_BYTES * 4, ok ? scanIdBytes : 0);
}

/** The frame is refused and the connection lives. */
function refused(status: u32, value: u32, limit: u32): u32 {
  resultStatus(status, value, limit);
  return REASON_PROBLEM;
}

function malformed(offset: u32): u32 {
  resultStatus(STATUS_MALFORMED, offset, 0);
  return REASON_CLOSE;
}
