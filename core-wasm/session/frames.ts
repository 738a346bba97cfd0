/**
 * Client frames. Publish, credit, ack, update and cancel are carried out here, on the bytes as they lie; everything
 * else goes up to the host. Source of the numbers: schemas/sluice/v1/frame.proto.
 */
import {
  MEMBER_PATTERN_MIN,
  REASON_ANSWER,
  REASON_CANCELLED,
  REASON_CLOSE,
  REASON_CONTROL,
  REASON_DECIDE,
  REASON_DONE,
  REASON_PROBLEM,
  REASON_SOURCE,
  RESULT_AT,
  RESULT_BYTES_AT,
  RESULT_COUNT,
  RESULT_HAS_REF,
  RESULT_INDEX,
  RESULT_REF,
  STATUS_CANCELLED,
  STATUS_FRAME_KIND,
  STATUS_MALFORMED,
  STATUS_MEMBER_UNKNOWN,
  STATUS_OK,
} from "../abi";
import { cursor, fieldSkip, lengthRead, tagRead, varintRead } from "../event/wire";
import { parkedEvents } from "../filter/parked";
import { cancelForwarded, cancelWithdrawn } from "../match/cancel";
import { rangeFlush } from "../match/fan-out";
import { resultSet, resultStatus } from "../result";
import { ackFrame } from "./ack";
import { frameAgainClear, frameAgainSet } from "./again";
import { memberUpdateFrame, updatedMember, updatedOutbox } from "./attributes";
import { cancelFrame } from "./cancel-frame";
import { Connection, CREDIT_GRANTED, CREDIT_MAX, CREDIT_PACED, dirtyPush } from "./connection";
import { paceEnd } from "./pace";
import { publishBegin } from "./publish-frame";

const KIND_PUBLISH: u32 = 2;
const KIND_CREDIT: u32 = 3;
const KIND_ACK: u32 = 4;
const KIND_UPDATE: u32 = 5;
const KIND_CANCEL: u32 = 6;
const KIND_LAST: u32 = 14;

/** Ends the conversation: the peer broke the protocol. */
export function closeWith(connection: Connection, status: u32, value: u32, limit: u32): u32 {
  connection.closing = 1;
  resultStatus(status, value, limit);
  return REASON_CLOSE;
}

/** Tells the host where the frame lies and what its answer refers to. */
function resultFrame(at: u32, bytes: u32, hasRef: u32, ref: u32): void {
  resultSet(RESULT_AT, at);
  resultSet(RESULT_BYTES_AT, bytes);
  resultSet(RESULT_HAS_REF, hasRef);
  resultSet(RESULT_REF, ref);
}

function publishTake(
  connection: Connection,
  at: u32,
  bytes: u32,
  bodyAt: u32,
  bodyBytes: u32,
  hasRef: u32,
  ref: u32,
): u32 {
  const reason = publishBegin(connection, bodyAt, bodyBytes, hasRef, ref);
  if (reason === REASON_DONE) return reason;
  if (reason === REASON_CLOSE) connection.closing = 1;
  // A problem of one event has said for itself that it has no ref.
  if (reason === REASON_SOURCE || (reason === REASON_PROBLEM && connection.resumeAt === 0))
    resultFrame(at, bytes, hasRef, ref);
  return reason;
}

/** Takes one ClientFrame. Returns a REASON_…. */
export function frameTake(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let hasRef: u32 = 0;
  let ref: u32 = 0;
  let kind: u32 = 0;
  let bodyAt: u32 = 0;
  let bodyBytes: u32 = 0;
  frameAgainClear();
  // A publish without ref is nothing but tag, length and body.
  if (bytes > 2 && load<u8>(at) === 0x12) {
    bodyBytes = lengthRead(at + 1, end);
    if (cursor !== 0 && cursor + bodyBytes === end) return publishTake(connection, at, bytes, cursor, bodyBytes, 0, 0);
  }
  for (let p = at; p < end; ) {
    const tag = tagRead(p, end);
    if (cursor === 0) return closeWith(connection, STATUS_MALFORMED, p - at, 0);
    const field = tag >> 3;
    if (field === 1) {
      if ((tag & 7) !== 0) return closeWith(connection, STATUS_FRAME_KIND, field, 0);
      ref = <u32>varintRead(cursor, end);
      if (cursor === 0) return closeWith(connection, STATUS_MALFORMED, p - at, 0);
      hasRef = 1;
      p = cursor;
    } else if (field <= KIND_LAST) {
      if ((tag & 7) !== 2 || kind !== 0) return closeWith(connection, STATUS_FRAME_KIND, field, 0);
      kind = field;
      bodyBytes = lengthRead(cursor, end);
      if (cursor === 0) return closeWith(connection, STATUS_MALFORMED, p - at, 0);
      bodyAt = cursor;
      p = cursor + bodyBytes;
    } else {
      p = fieldSkip(cursor, end, tag & 7);
      if (p === 0) return closeWith(connection, STATUS_MALFORMED, bytes, 0);
    }
  }
  if (kind === 0) return closeWith(connection, STATUS_FRAME_KIND, 0, 0);
  if (kind === KIND_PUBLISH) return publishTake(connection, at, bytes, bodyAt, bodyBytes, hasRef, ref);
  resultFrame(at, bytes, hasRef, ref);
  rangeFlush();
  if (parkedEvents() !== 0) {
    frameAgainSet();
    return REASON_DECIDE;
  }
  if (kind > KIND_CANCEL) return REASON_CONTROL;
  const status =
    kind === KIND_CREDIT
      ? creditFrame(connection, bodyAt, bodyBytes)
      : kind === KIND_ACK
        ? ackFrame(connection, bodyAt, bodyBytes)
        : kind === KIND_UPDATE
          ? memberUpdateFrame(connection, bodyAt, bodyBytes)
          : cancelFrame(connection, bodyAt, bodyBytes);
  if (status === STATUS_MALFORMED) return closeWith(connection, status, 0, 0);
  if (status === STATUS_MEMBER_UNKNOWN && kind === KIND_UPDATE && updatedMember >= MEMBER_PATTERN_MIN) {
    return REASON_CONTROL;
  }
  if (status === STATUS_OK && kind === KIND_UPDATE && updatedOutbox) return REASON_CONTROL;
  // Who was not first, and did not ask, learns it from the cancel that was.
  if (status === STATUS_CANCELLED && hasRef === 0) return REASON_DONE;
  if (status !== STATUS_OK) return REASON_PROBLEM;
  if (hasRef === 0) return REASON_DONE;
  if (kind !== KIND_CANCEL) return REASON_ANSWER;
  resultSet(RESULT_COUNT, cancelWithdrawn);
  resultSet(RESULT_INDEX, cancelForwarded);
  return REASON_CANCELLED;
}

const NOT_SAID: i64 = -1;

function creditFrame(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let events: i64 = NOT_SAID;
  let size: i64 = NOT_SAID;
  while (at < end) {
    const tag = tagRead(at, end);
    if (cursor === 0) return STATUS_MALFORMED;
    if (tag === 0x18 || tag === 0x20) {
      const value = varintRead(cursor, end);
      if (cursor === 0) return STATUS_MALFORMED;
      const capped = value > <u64>CREDIT_MAX ? CREDIT_MAX : <i64>value;
      if (tag === 0x18) events = capped;
      else size = capped;
      at = cursor;
    } else {
      if (tag >> 3 === 3 || tag >> 3 === 4) return STATUS_MALFORMED;
      at = fieldSkip(cursor, end, tag & 7);
      if (at === 0) return STATUS_MALFORMED;
    }
  }
  const neither = events === NOT_SAID && size === NOT_SAID;
  if (connection.credit !== CREDIT_GRANTED) {
    if (connection.credit === CREDIT_PACED) paceEnd(connection);
    else connection.creditEvents = connection.creditBytes = 0;
    connection.credit = CREDIT_GRANTED;
    // A client that counts only events, or only bytes, means the other one to be without limit.
    if (events === NOT_SAID && !neither) connection.creditEvents = CREDIT_MAX;
    if (size === NOT_SAID && !neither) connection.creditBytes = CREDIT_MAX;
  }
  connection.creditEvents = min<i64>(connection.creditEvents + max<i64>(events, 0), CREDIT_MAX);
  connection.creditBytes = min<i64>(connection.creditBytes + max<i64>(size, 0), CREDIT_MAX);
  if (connection.creditEvents > 0 && connection.creditBytes > 0) connection.paceOwed = 0;
  dirtyPush(connection);
  return STATUS_OK;
}
