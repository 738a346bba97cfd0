/**
 * Who was delivered which key: what a cancel has to tell, after the event has left (docs/adr/0022).
 *
 * Two rings of records, the oldest of which are overwritten: first one for channels on which somebody has cancelled, then one
 * for all others, so that keyed traffic of those does not push out what the former need. Writing a record is a few stores at the
 * next place; chains from a hash to its records are brought up to date only when a cancel comes. A link is the number of a
 * record since the beginning, so one that was overwritten shows by its number, and nothing has to be unlinked:
 *
 *   heads[hash & mask] ──▶ record 70,001 ──▶ record 69,120 ──▶ 2,048: overwritten, the chain ends
 */
import { CHANNEL_CANCELS, ROLE_SINK, STARTED_RECORDS, STATISTIC_STARTED_EVICTED } from "../abi";
import { Channel, channelAt } from "../channel/channel";
import { pairWithRole } from "../channel/member";
import { heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { Connection, connectionFind } from "../session/connection";
import { statisticAdd } from "../statistics";
import { META_CONTROL, metaAt, Slab } from "./records";

/** A delivery of an event with a key. */
@unmanaged
export class Started {
  /** Of channel and key, see keyHash(). */
  hash: u64;
  /** When the event happened, µs. */
  eventUs: i64;
  /** STARTED_CLAIMED: when this sink says it has begun, µs. */
  claimUs: i64;
  connection: u32;
  /** That of the connection then: numbers are given again. */
  serial: u32;
  /** Number of the next older record of its chain, 0: none. */
  next: u32;
  /** STARTED_… bits. */
  flags: u32;
}

/** It cancelled the key itself, to be the only one. */
export const STARTED_CLAIMED: u32 = 1;
/** Somebody who did not get the key cancelled it. */
export const STARTED_ABORTED: u32 = 2;
/** An echo of what this session published itself. */
export const STARTED_OWN: u32 = 4;

/** Records of a ring, a power of two. */
const RECORDS: u32 = STARTED_RECORDS;
if ((RECORDS & (RECORDS - 1)) !== 0) ERROR("STARTED_RECORDS is no power of two");
const NUMBER_MAX: u32 = 1 << 31;
const RECORD_BYTES: u32 = offsetof<Started>();
if (RECORD_BYTES !== 40) ERROR("Started is not 40 bytes");

/** Per ring: u32 records, u32 heads, u32 written since the beginning, u32 in chains. */
const RING_BYTES: u32 = 16;
const RINGS: u32 = 2;
const ringsAt: u32 = <u32>memory.data(32, 8);

/** Forgets all deliveries. */
export function startedInit(): void {
  memory.fill(ringsAt, 0, RING_BYTES * RINGS);
  serials = 0;
}

let serials: u32 = 0;

/** What tells a new connection from a former one of its number. */
export function serialNew(): u32 {
  return ++serials;
}

/** Notes that the entries of `metas` metas leave for a connection. Without memory for a ring nothing is noted. */
export function startedNote(connection: Connection, slab: Slab, metaFirst: u32, metas: u32): void {
  const number = connection.number;
  const serial = connection.serial;
  // Neighbours are mostly of one channel: its ring is looked up once.
  let channel: u32 = 0;
  let ring: u32 = 0;
  let records: u32 = 0;
  let written: u32 = 0;
  for (let i: u32 = 0; i < metas; i++) {
    const meta = metaAt(slab, metaFirst + i);
    if (meta.keyBytes === 0 || (meta.flags & META_CONTROL) !== 0) continue;
    if (meta.channel !== channel) {
      if (channel !== 0) store<u32>(ring, written, 8);
      channel = meta.channel;
      ring = ringsAt + ((channelAt(channel).flags & CHANNEL_CANCELS) !== 0 ? 0 : RING_BYTES);
      records = ringRecords(ring);
      if (records === 0) return;
      written = load<u32>(ring, 8);
    }
    written++;
    if (written === NUMBER_MAX) written = renumbered(ring);
    if (written > RECORDS && ring === ringsAt) statisticAdd(STATISTIC_STARTED_EVICTED, 1);
    const record = changetype<Started>(records + (written & (RECORDS - 1)) * RECORD_BYTES);
    record.hash = meta.hash;
    record.eventUs = meta.timeUs;
    record.connection = number;
    record.serial = serial;
    record.flags = meta.submitter === number ? STARTED_OWN : 0;
  }
  if (channel !== 0) store<u32>(ring, written, 8);
}

/** Numbers begin again, at the same places, long before 32 bits are used up; all chains are made anew then. */
function renumbered(ring: u32): u32 {
  memory.fill(load<u32>(ring, 4), 0, RECORDS * 4);
  const number = RECORDS + (NUMBER_MAX & (RECORDS - 1));
  store<u32>(ring, number - RECORDS, 12);
  return number;
}

/** Address of a ring's records, which are made with its first one; 0 where memory is used up. */
function ringRecords(ring: u32): u32 {
  const records = load<u32>(ring);
  return records === 0 ? ringMake(ring) : records;
}

function ringMake(ring: u32): u32 {
  const records = heapTake(RECORDS * RECORD_BYTES);
  if (records === 0) return 0;
  const heads = heapTakeZero(RECORDS * 4);
  if (heads === 0) {
    heapGive(records, RECORDS * RECORD_BYTES);
    return 0;
  }
  store<u32>(ring, records);
  store<u32>(ring, heads, 4);
  return records;
}

/** Brings the chains up to date; costs as much as was delivered since the last time, RECORDS at most. */
export function startedIndex(): void {
  for (let ring = ringsAt; ring < ringsAt + RING_BYTES * RINGS; ring += RING_BYTES) {
    const written = load<u32>(ring, 8);
    const records = load<u32>(ring);
    const heads = load<u32>(ring, 4);
    let number = load<u32>(ring, 12) + 1;
    if (written >= RECORDS && number <= written - RECORDS) number = written - RECORDS + 1;
    for (; number <= written; number++) {
      const record = changetype<Started>(records + (number & (RECORDS - 1)) * RECORD_BYTES);
      const head = heads + (<u32>record.hash & (RECORDS - 1)) * 4;
      record.next = load<u32>(head);
      store<u32>(head, number);
    }
    store<u32>(ring, written, 12);
  }
}

/** Where startedNext() is: the ring, and the number of the record to look at. */
let walkRing: u32 = 0;
let walkNumber: u32 = 0;
let walkHash: u64 = 0;

/** Begins a walk over the deliveries of a key, newest first; see startedNext(). Only after startedIndex(). */
export function startedBegin(hash: u64): void {
  walkHash = hash;
  walkRing = ringsAt;
  walkNumber = headOf(walkRing);
}

function headOf(ring: u32): u32 {
  const heads = load<u32>(ring, 4);
  return heads === 0 ? 0 : load<u32>(heads + (<u32>walkHash & (RECORDS - 1)) * 4);
}

/** Address of the next record of the walk, 0 at its end. */
export function startedNext(): u32 {
  while (true) {
    const written = load<u32>(walkRing, 8);
    while (walkNumber !== 0 && written - walkNumber < RECORDS) {
      const at = load<u32>(walkRing) + (walkNumber & (RECORDS - 1)) * RECORD_BYTES;
      const record = changetype<Started>(at);
      walkNumber = record.next;
      if (record.hash === walkHash) return at;
    }
    walkRing += RING_BYTES;
    if (walkRing === ringsAt + RING_BYTES * RINGS) {
      walkRing = ringsAt;
      walkNumber = 0;
      return 0;
    }
    walkNumber = headOf(walkRing);
  }
}

/** Address of the sink that got a delivery, 0 where its session or its membership is gone. */
export function startedSink(record: Started, channel: Channel): u32 {
  const found = connectionFind(record.connection);
  if (found === null || (found as Connection).serial !== record.serial) return 0;
  return pairWithRole(record.connection, channel.number, ROLE_SINK);
}
