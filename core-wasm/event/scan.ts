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
import { Shape, shapeFits, shapeLearn, shapeOf, shapeWantsLearning } from "./shape";
import { utf8Valid } from "./utf8";
import { cursor, cursorSet, fieldSkip, lengthRead, tagRead, varintRead } from "./wire";

export let scanIdAt: u32 = 0;
export let scanIdBytes: u32 = 0;
export let scanTypeAt: u32 = 0;
export let scanTypeBytes: u32 = 0;
export let scanKeyAt: u32 = 0;
export let scanKeyBytes: u32 = 0;
/** SCAN_… bits: which of the fields that matter to the engine are there. */
export let scanFlags: u32 = 0;
export let scanDeliverByUs: i64 = 0;
export let scanTtlMs: u64 = 0;
/** 0 to 9; where the event says none, PRIORITY_DEFAULT. */
export let scanPriority: u32 = 0;
let scanTimeAt: u32 = 0;
let scanDeliverByAt: u32 = 0;
let scanPriorityAt: u32 = 0;
let scanTtlAt: u32 = 0;

/** Where neither the event nor its channel says. */
export const PRIORITY_DEFAULT: u32 = 4;

export const SCAN_SOURCE: u32 = 1;
export const SCAN_TIME: u32 = 2;
export const SCAN_PRIORITY: u32 = 4;
export const SCAN_DELIVER_BY: u32 = 8;
export const SCAN_TTL: u32 = 16;
export const SCAN_KEY: u32 = 32;

/** 0001-01-01 and the end of 9999: what RFC 3339 can say. */
const TIME_US_MIN: i64 = -62135596800000000;
export const TIME_US_MAX: i64 = 253402300799999999;
const TTL_MS_MAX: u64 = 253402300799999;

/** The Shape that the last event has, 0: none is known. */
export let scanShape: u32 = 0;

/** Scans [at, at + bytes). Returns a status with RESULT_VALUE and RESULT_LIMIT set where it is not STATUS_OK. */
export function scanEvent(at: u32, bytes: u32): u32 {
  const shape = shapeOf(bytes);
  scanShape = changetype<u32>(shape);
  if (shape.bytes === bytes && bytes !== 0 && shapeFits(shape, at) && scanShaped(shape, at)) return STATUS_OK;
  const status = scanFields(at, bytes);
  if (status === STATUS_OK && shapeWantsLearning(shape) && shapeLearn(shape, at, bytes)) {
    shape.flags = scanFlags;
    shape.idOffset = scanIdAt - at;
    shape.idBytes = scanIdBytes;
    shape.typeOffset = scanTypeAt - at;
    shape.typeBytes = scanTypeBytes;
    shape.keyOffset = scanKeyAt - at;
    shape.keyBytes = scanKeyBytes;
    shape.timeOffset = scanTimeAt - at;
    shape.deliverByOffset = scanDeliverByAt - at;
    shape.priorityOffset = scanPriorityAt - at;
    shape.ttlOffset = scanTtlAt - at;
  } else {
    scanShape = 0;
  }
  return status;
}

/** Notes what the shape knows; false where a number is out of range, which the general way will say. */
function scanShaped(shape: Shape, at: u32): bool {
  const flags = shape.flags;
  if ((flags & SCAN_TIME) !== 0 && !timeValid(load<i64>(at + shape.timeOffset))) return false;
  if ((flags & SCAN_DELIVER_BY) !== 0) {
    scanDeliverByUs = load<i64>(at + shape.deliverByOffset);
    if (!timeValid(scanDeliverByUs)) return false;
  }
  scanPriority = PRIORITY_DEFAULT;
  if ((flags & SCAN_PRIORITY) !== 0) {
    scanPriority = <u32>load<u8>(at + shape.priorityOffset);
    if (scanPriority > 9) return false;
  }
  if ((flags & SCAN_TTL) !== 0) {
    scanTtlMs = varintRead(at + shape.ttlOffset, at + shape.bytes);
    if (scanTtlMs > TTL_MS_MAX) return false;
  }
  scanFlags = flags;
  scanTimeAt = at + shape.timeOffset;
  scanIdAt = at + shape.idOffset;
  scanIdBytes = shape.idBytes;
  scanTypeAt = at + shape.typeOffset;
  scanTypeBytes = shape.typeBytes;
  scanKeyAt = at + shape.keyOffset;
  scanKeyBytes = shape.keyBytes;
  shape.hits++;
  return true;
}

/** When the scanned event happened, µs since 1970; `absent` where it does not say. */
export function scanTimeUs(absent: i64): i64 {
  return (scanFlags & SCAN_TIME) !== 0 ? load<i64>(scanTimeAt) : absent;
}

/** Whether a moment, µs since 1970, is one that RFC 3339 can say. */
export function timeValid(timeUs: i64): bool {
  return timeUs >= TIME_US_MIN && timeUs <= TIME_US_MAX;
}

/** The general way: field by field. */
function scanFields(at: u32, bytes: u32): u32 {
  const start = at;
  const end = at + bytes;
  let attributes: u32 = 0;
  let idAt: u32 = 0;
  let idBytes: u32 = 0;
  let typeAt: u32 = 0;
  let typeBytes: u32 = 0;
  let keyAt: u32 = 0;
  let keyBytes: u32 = 0;
  let hasSource = false;
  scanFlags = 0;
  scanPriority = PRIORITY_DEFAULT;
  while (at < end) {
    // Tags and short lengths are one byte nearly always: they are read here, without a call.
    let tag = <u32>load<u8>(at);
    let valueAt = at + 1;
    if (tag >= 0x80) {
      tag = tagRead(at, end);
      valueAt = cursor;
    }
    const field = tag >> 3;
    if (valueAt === 0 || field === 0) return malformed(at - start);
    if ((tag & 7) !== 2) {
      cursorSet(valueAt);
      const status = scanScalar(field, tag & 7, start, end);
      if (status !== STATUS_OK) return status;
      at = cursor;
      continue;
    }
    let size: u32 = valueAt < end ? <u32>load<u8>(valueAt) : 0x80;
    if (size < 0x80 && size < end - valueAt) {
      valueAt++;
    } else {
      size = lengthRead(valueAt, end);
      valueAt = cursor;
    }
    if (valueAt === 0 || (field <= 8 && (((<u32>1) << field) & NOT_LENGTH_FIELDS) !== 0)) return malformed(at - start);
    at = valueAt + size;
    if (field >= 12) continue;
    if (field === 10) {
      if (++attributes > ATTRIBUTES_MAX) return resultStatus(STATUS_ATTRIBUTES_MANY, attributes, ATTRIBUTES_MAX);
      const status = attributeCheck(valueAt, at);
      if (status !== STATUS_OK) return resultStatus(status, status === STATUS_MALFORMED ? valueAt - start : 10, 0);
      continue;
    }
    if (!utf8Valid(valueAt, size)) return resultStatus(STATUS_NOT_UTF8, field, 0);
    if (field === 3) {
      typeAt = valueAt;
      typeBytes = size;
    } else if (field === 1) {
      idAt = valueAt;
      idBytes = size;
    } else if (field === 2) {
      hasSource = size !== 0;
    } else if (field === 9) {
      keyAt = valueAt;
      keyBytes = size;
    }
  }
  scanIdAt = idAt;
  scanIdBytes = idBytes;
  scanTypeAt = typeAt;
  scanTypeBytes = typeBytes;
  scanKeyAt = keyAt;
  scanKeyBytes = keyBytes;
  scanFlags |= (hasSource ? SCAN_SOURCE : 0) | (keyBytes !== 0 ? SCAN_KEY : 0);
  if (typeBytes === 0) return resultStatus(STATUS_TYPE_MISSING, 0, 0);
  if (typeBytes > TYPE_BYTES_MAX) return resultStatus(STATUS_TYPE_TOO_LONG, typeBytes, TYPE_BYTES_MAX);
  if (keyBytes > KEY_BYTES_MAX) return resultStatus(STATUS_KEY_TOO_LONG, keyBytes, KEY_BYTES_MAX);
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
    if (!timeValid(timeUs)) return resultStatus(STATUS_TIME, field, 0);
    if (field === 5) {
      scanFlags |= SCAN_TIME;
      scanTimeAt = at;
    } else {
      scanFlags |= SCAN_DELIVER_BY;
      scanDeliverByAt = at;
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
      scanFlags |= SCAN_PRIORITY;
      scanPriority = <u32>value;
      scanPriorityAt = at;
    } else {
      if (value > TTL_MS_MAX) return resultStatus(STATUS_TIME, field, 0);
      scanFlags |= SCAN_TTL;
      scanTtlMs = value;
      scanTtlAt = at;
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
