/**
 * What an ordering asks of a stored event: priority, deadline, time. One pass over its fields, and none where the same entry
 * goes to one inbox after another.
 *
 * What was absent on publish and must be there was appended when the event was stored, so the event alone tells all.
 * Source of field numbers: schemas/sluice/v1/event.proto.
 */
import { heapTake } from "../memory/heap";
import { entryEvent, entryEventBytes } from "./entry";
import { PRIORITY_DEFAULT } from "./scan";
import { cursor, fieldSkip, tagRead, varintRead } from "./wire";

const TAG_TIME: u32 = 0x29;
const TAG_PRIORITY: u32 = 0x30;
const TAG_DELIVER_BY: u32 = 0x39;

/** 0 to 9. */
export let factPriority: u32 = 0;
/** Microseconds since 1970; i64.MAX_VALUE: none. */
export let factDeliverByUs: i64 = 0;
export let factTimeUs: i64 = 0;
let known: u32 = 0;

/** Of a range of entries, which go to inboxes together, in their order: u64 deliverBy, u64 time, u64 priority. */
const RANGE_RECORD_BYTES: u32 = 24;
/** Those behind are read from their bytes. */
const RANGE_RECORDS: u32 = 256;
/** The records; 0: not taken yet. */
let rangeAt: u32 = 0;
let rangeRecords: u32 = 0;
/** The place in it from which factsReadRange() counts. */
let rangeFrom: u32 = 0;

/** Forgets all; the pool has been laid out anew. */
export function factsInit(): void {
  known = rangeAt = rangeRecords = 0;
}

/** Begins another range: nothing is known of its entries. */
export function factsRangeBegin(): void {
  rangeRecords = 0;
}

/** Notes the facts of the entry at a place of the range from whoever knows them, where all before it were noted. */
export function factsRangeNote(place: u32, priority: u32, deliverByUs: i64, timeUs: i64): void {
  if (place !== rangeRecords || place === RANGE_RECORDS) return;
  if (rangeAt === 0) rangeAt = heapTake(RANGE_RECORDS * RANGE_RECORD_BYTES);
  if (rangeAt === 0) return;
  const at = rangeAt + place * RANGE_RECORD_BYTES;
  store<i64>(at, deliverByUs);
  store<i64>(at, timeUs, 8);
  store<u32>(at, priority, 16);
  rangeRecords++;
}

/** Has factsReadRange() count from another place of the range. */
export function factsRangeFrom(place: u32): void {
  rangeFrom = place;
}

/** Reads the facts of an entry that has that place in the range. */
export function factsReadRange(place: u32, entryAt: u32): void {
  place += rangeFrom;
  if (place >= rangeRecords) {
    factsRead(entryAt);
    return;
  }
  const at = rangeAt + place * RANGE_RECORD_BYTES;
  factsNote(entryAt, load<u32>(at, 16), load<i64>(at), load<i64>(at, 8));
}

/** Forgets what was read: another event may lie in the same place from now on. */
export function factsForget(): void {
  known = 0;
}

/** Notes the facts of an entry from whoever knows them: it has just been stored. */
export function factsNote(entryAt: u32, priority: u32, deliverByUs: i64, timeUs: i64): void {
  known = entryAt;
  factPriority = priority;
  factDeliverByUs = deliverByUs;
  factTimeUs = timeUs;
}

/** Reads the facts of the entry at `entryAt`. */
export function factsRead(entryAt: u32): void {
  if (known === entryAt) return;
  known = entryAt;
  let at = entryEvent(entryAt);
  const end = at + entryEventBytes;
  factPriority = PRIORITY_DEFAULT;
  factDeliverByUs = i64.MAX_VALUE;
  factTimeUs = 0;
  while (at < end) {
    // Tags and short lengths are one byte nearly always: they are read here, without a call.
    let tag = <u32>load<u8>(at++);
    if (tag >= 0x80) {
      tag = tagRead(at - 1, end);
      at = cursor;
    }
    const wireType = tag & 7;
    if (wireType === 2 && load<u8>(at) < 0x80) {
      at += 1 + <u32>load<u8>(at);
    } else if (wireType === 1) {
      if (tag === TAG_TIME) factTimeUs = load<i64>(at);
      else if (tag === TAG_DELIVER_BY) factDeliverByUs = load<i64>(at);
      at += 8;
    } else if (tag === TAG_PRIORITY) {
      factPriority = <u32>varintRead(at, end);
      at = cursor;
    } else {
      at = fieldSkip(at, end, wireType);
    }
  }
}
