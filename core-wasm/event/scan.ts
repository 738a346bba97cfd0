/**
 * One pass over an encoded Event: everything is checked once, so that no publisher can poison a sink, and what the
 * engine needs is noted. Attributes and data are read later, by those who want them.
 *
 * What was found lies in globals until the next scan; a repeated field counts as its last occurrence, as in protobuf.
 * Source of field numbers: schemas/sluice/v1/event.proto.
 */
import {
  ATTRIBUTES_MAX,
  KEY_BYTES_MAX,
  STATUS_ATTRIBUTES_MANY,
  STATUS_KEY_TOO_LONG,
  STATUS_MALFORMED,
  STATUS_NOT_UTF8,
  STATUS_OK,
  STATUS_PRIORITY,
  STATUS_TIME,
  STATUS_TYPE_MISSING,
  STATUS_TYPE_TOO_LONG,
  TYPE_BYTES_MAX,
} from "../abi";
import { resultStatus } from "../result";
import { attributeCheck } from "./attributes";
import { utf8Valid } from "./utf8";
import { cursor, cursorSet, fieldSkip, lengthRead, tagRead, varintRead } from "./wire";

export let scanTypeAt: u32 = 0;
export let scanTypeBytes: u32 = 0;
export let scanKeyAt: u32 = 0;
export let scanKeyBytes: u32 = 0;
export let scanHasSource: bool = false;
export let scanHasTime: bool = false;
export let scanHasPriority: bool = false;
export let scanHasDeliverBy: bool = false;
export let scanDeliverByUs: i64 = 0;
export let scanHasTtl: bool = false;
export let scanTtlMs: u64 = 0;

/** 0001-01-01 and the end of 9999: what RFC 3339 can say. */
const TIME_US_MIN: i64 = -62135596800000000;
export const TIME_US_MAX: i64 = 253402300799999999;
const TTL_MS_MAX: u64 = 253402300799999;

/** Scans [at, at + bytes). Returns a status with RESULT_VALUE and RESULT_LIMIT set where it is not STATUS_OK. */
export function scanEvent(at: u32, bytes: u32): u32 {
  const start = at;
  const end = at + bytes;
  let attributes: u32 = 0;
  scanTypeBytes = 0;
  scanKeyBytes = 0;
  scanHasSource = scanHasTime = scanHasPriority = scanHasDeliverBy = scanHasTtl = false;
  while (at < end) {
    let tag = <u32>load<u8>(at);
    if (tag < 0x80) cursorSet(at + 1);
    else tag = tagRead(at, end);
    const field = tag >> 3;
    if (cursor === 0 || field === 0) return malformed(at - start);
    const wireType = tag & 7;
    if (wireType === 2) {
      const size = lengthRead(cursor, end);
      if (cursor === 0 || (field <= 8 && ((<u32>1 << field) & NOT_LENGTH_FIELDS) !== 0)) return malformed(at - start);
      at = cursor + size;
      if (field === 12) continue;
      if (field === 10) {
        if (++attributes > ATTRIBUTES_MAX) return resultStatus(STATUS_ATTRIBUTES_MANY, attributes, ATTRIBUTES_MAX);
        const status = attributeCheck(cursor, at);
        if (status !== STATUS_OK) return resultStatus(status, status === STATUS_MALFORMED ? at - start : 10, 0);
        continue;
      }
      if (field > 12) continue;
      const valueAt = cursor;
      if (!utf8Valid(valueAt, size)) return resultStatus(STATUS_NOT_UTF8, field, 0);
      if (field === 3) {
        scanTypeAt = valueAt;
        scanTypeBytes = size;
      } else if (field === 2) {
        scanHasSource = size !== 0;
      } else if (field === 9) {
        scanKeyAt = valueAt;
        scanKeyBytes = size;
      }
      continue;
    }
    const status = scanScalar(field, wireType, start, end);
    if (status !== STATUS_OK) return status;
    at = cursor;
  }
  if (scanTypeBytes === 0) return resultStatus(STATUS_TYPE_MISSING, 0, 0);
  if (scanTypeBytes > TYPE_BYTES_MAX) return resultStatus(STATUS_TYPE_TOO_LONG, scanTypeBytes, TYPE_BYTES_MAX);
  if (scanKeyBytes > KEY_BYTES_MAX) return resultStatus(STATUS_KEY_TOO_LONG, scanKeyBytes, KEY_BYTES_MAX);
  return STATUS_OK;
}

/** Fields 5, 6, 7 and 8 are numbers; with a length they are malformed. */
const NOT_LENGTH_FIELDS: u32 = (1 << 5) | (1 << 6) | (1 << 7) | (1 << 8);

/** A field whose value is no length: `cursor` is at the value and moves behind it. */
function scanScalar(field: u32, wireType: u32, start: u32, end: u32): u32 {
  const at = cursor;
  if ((field === 5 || field === 7) && wireType === 1) {
    if (end - at < 8) return malformed(at - start);
    const timeUs = load<i64>(at);
    if (timeUs < TIME_US_MIN || timeUs > TIME_US_MAX) return resultStatus(STATUS_TIME, field, 0);
    if (field === 5) {
      scanHasTime = true;
    } else {
      scanHasDeliverBy = true;
      scanDeliverByUs = timeUs;
    }
    cursorSet(at + 8);
    return STATUS_OK;
  }
  if ((field === 6 || field === 8) && wireType === 0) {
    const value = varintRead(at, end);
    if (cursor === 0) return malformed(at - start);
    if (field === 6) {
      if (value > 9) return resultStatus(STATUS_PRIORITY, value > 0xffffffff ? 0xffffffff : <u32>value, 9);
      scanHasPriority = true;
    } else {
      if (value > TTL_MS_MAX) return resultStatus(STATUS_TIME, field, 0);
      scanHasTtl = true;
      scanTtlMs = value;
    }
    return STATUS_OK;
  }
  if (field <= 12) return malformed(at - start);
  const next = fieldSkip(at, end, wireType);
  if (next === 0) return malformed(at - start);
  cursorSet(next);
  return STATUS_OK;
}

function malformed(offset: u32): u32 {
  return resultStatus(STATUS_MALFORMED, offset, 0);
}
