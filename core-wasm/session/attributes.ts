/**
 * Live attributes of members: an Update merged into what is there. They are kept as encoded map entries, which is how
 * they came and how filters read them; the moments at which they were set stand beside them (channel/live.ts).
 *
 * Loads come a hundred times a second, and nearly always as an entry of the size that is there: it is overwritten. All
 * else is merged into a new block.
 */
import {
  ATTRIBUTES_MAX,
  MEMBER_ATTRIBUTES_BYTES_MAX,
  STATUS_ATTRIBUTES_MANY,
  STATUS_ATTRIBUTES_TOO_LARGE,
  STATUS_MALFORMED,
  STATUS_MEMBER_UNKNOWN,
  STATUS_NOT_UTF8,
  STATUS_OK,
  STATUS_STORE_FULL,
} from "../abi";
import { Channel } from "../channel/channel";
import { agesBytes, Live, liveTake } from "../channel/live";
import { Member, memberFind } from "../channel/member";
import { nowMs } from "../clock";
import { attributeCheck, attributeNameAt, attributeNameBytes } from "../event/attributes";
import { utf8Valid } from "../event/utf8";
import { cursor, fieldSkip, lengthRead, tagRead, varintBytes, varintRead, varintWrite } from "../event/wire";
import { slotsUpdate } from "../filter/attach";
import { heldWake } from "../filter/held";
import { ranksUpdate } from "../filter/ranks";
import { bytesEqual } from "../memory/bytes";
import { heapCopy, heapGive, heapTake } from "../memory/heap";
import { resultStatus } from "../result";
import { Connection } from "./connection";

const TAG_MEMBER: u32 = 0x08;
const TAG_ATTRIBUTE: u32 = 0x12;
const TAG_REMOVE: u32 = 0x1a;
const TAG_OUTBOX: u32 = 0x22;

/** Merges an encoded Update of a connection's member. Returns a status. */
export function memberUpdateFrame(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let number: u32 = 0;
  updatedOutbox = false;
  let elements: u32 = 0;
  for (let p = at; p < end; ) {
    const tag = tagRead(p, end);
    if (cursor === 0) return resultStatus(STATUS_MALFORMED, p - at, 0);
    if (tag === TAG_MEMBER) {
      const value = varintRead(cursor, end);
      if (cursor === 0) return resultStatus(STATUS_MALFORMED, p - at, 0);
      number = value > 0xffffffff ? 0xffffffff : <u32>value;
      p = cursor;
      continue;
    }
    if (tag === TAG_OUTBOX) updatedOutbox = true;
    elements += tag === TAG_ATTRIBUTE ? 1 : 2;
    const status = elementCheck(tag, cursor, end);
    if (status !== STATUS_OK) return resultStatus(status, status === STATUS_MALFORMED ? p - at : tag >> 3, 0);
    p = fieldSkip(cursorOfElement, end, tag & 7);
    if (p === 0) return resultStatus(STATUS_MALFORMED, bytes, 0);
  }
  updatedMember = number;
  const member = memberFind(number);
  if (member === null || member.connection !== connection.number) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  if (elements === 1 && member.live !== 0 && replaceOne(member)) return STATUS_OK;
  return attributesMerge(member, at, end);
}

/** The member that the last well-formed update named, and whether it has settings of an outbox, which are the host's to read. */
export let updatedMember: u32 = 0;
export let updatedOutbox: bool = false;

let cursorOfElement: u32 = 0;
/** The entry that elementCheck() saw last; its name is in attributeNameAt. */
let checkedAt: u32 = 0;
let checkedBytes: u32 = 0;

/** Checks one attribute or name to remove, whose value begins at `at`. */
function elementCheck(tag: u32, at: u32, end: u32): u32 {
  cursorOfElement = at;
  if (tag !== TAG_ATTRIBUTE && tag !== TAG_REMOVE) return tag >> 3 <= 3 ? STATUS_MALFORMED : STATUS_OK;
  const bytes = lengthRead(at, end);
  if (cursor === 0) return STATUS_MALFORMED;
  if (tag === TAG_ATTRIBUTE) {
    checkedAt = cursor;
    checkedBytes = bytes;
    return attributeCheck(cursor, cursor + bytes);
  }
  return utf8Valid(cursor, bytes) ? STATUS_OK : STATUS_NOT_UTF8;
}

/** Whether the update at [at, end) sets, after `from`, or removes the attribute of that name. */
function overridden(nameAt: u32, nameBytes: u32, at: u32, end: u32, from: u32): bool {
  while (at < end) {
    const tag = tagRead(at, end);
    const valueAt = cursor;
    if (tag === TAG_ATTRIBUTE && at > from) {
      const bytes = lengthRead(valueAt, end);
      attributeCheck(cursor, cursor + bytes);
      if (bytesEqual(attributeNameAt, attributeNameBytes, nameAt, nameBytes)) return true;
    } else if (tag === TAG_REMOVE) {
      const bytes = lengthRead(valueAt, end);
      if (bytesEqual(cursor, bytes, nameAt, nameBytes)) return true;
    }
    at = fieldSkip(valueAt, end, tag & 7);
  }
  return false;
}

/**
 * Merges the attributes and removals of the Update at [at, end), which is checked, into a member's. Returns a status;
 * where it is not STATUS_OK nothing has changed.
 */
export function attributesMerge(member: Member, at: u32, end: u32): u32 {
  const address = liveTake(member);
  if (address === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const live = changetype<Live>(address);
  if (!replaceable(live, at, end)) {
    const status = mergeAnew(live, at, end);
    if (status !== STATUS_OK) return status;
  } else {
    replace(live, at, end);
  }
  ranksUpdate(member);
  slotsUpdate(member);
  heldWake(changetype<Channel>(member.channelAt));
  return STATUS_OK;
}

/** Where the entry of an attribute lies, its bytes, and its place; 0: it is not there. */
let entryAt: u32 = 0;
let entryBytes: u32 = 0;
let entryPlace: u32 = 0;

function entryFind(live: Live, nameAt: u32, nameBytes: u32): void {
  const end = live.attributesAt + live.attributesBytes;
  entryPlace = 0;
  for (let at = live.attributesAt; at < end; entryPlace++) {
    entryBytes = lengthRead(at + 1, end);
    entryAt = cursor;
    at = entryAt + entryBytes;
    // The name nearly always comes first, with a length of one byte.
    const short = load<u8>(entryAt) === 0x0a && <u32>load<u8>(entryAt, 1) === nameBytes;
    if (short && memory.compare(entryAt + 2, nameAt, nameBytes) === 0) return;
    if (short || load<u8>(entryAt) === 0x0a) continue;
    attributeCheck(entryAt, at);
    if (bytesEqual(attributeNameAt, attributeNameBytes, nameAt, nameBytes)) return;
  }
  entryAt = 0;
}

/** Overwrites the attribute of the entry that was checked last, where it is there and has that size. */
function replaceOne(member: Member): bool {
  const live = changetype<Live>(member.live);
  entryFind(live, attributeNameAt, attributeNameBytes);
  if (entryAt === 0 || entryBytes !== checkedBytes) return false;
  memory.copy(entryAt, checkedAt, checkedBytes);
  store<f64>(live.agesAt + entryPlace * 8, nowMs);
  ranksUpdate(member);
  slotsUpdate(member);
  heldWake(changetype<Channel>(member.channelAt));
  return true;
}

/** Whether all that an update does is to set attributes that are there to values of the same size. */
function replaceable(live: Live, at: u32, end: u32): bool {
  while (at < end) {
    const tag = tagRead(at, end);
    if (tag === TAG_REMOVE) return false;
    if (tag === TAG_ATTRIBUTE) {
      const bytes = lengthRead(cursor, end);
      at = cursor + bytes;
      attributeCheck(cursor, at);
      entryFind(live, attributeNameAt, attributeNameBytes);
      if (entryAt === 0 || entryBytes !== bytes) return false;
    } else {
      at = fieldSkip(cursor, end, tag & 7);
    }
  }
  return true;
}

function replace(live: Live, at: u32, end: u32): void {
  while (at < end) {
    const tag = tagRead(at, end);
    if (tag === TAG_ATTRIBUTE) {
      const bytes = lengthRead(cursor, end);
      const from = cursor;
      at = from + bytes;
      attributeCheck(from, at);
      entryFind(live, attributeNameAt, attributeNameBytes);
      memory.copy(entryAt, from, bytes);
      store<f64>(live.agesAt + entryPlace * 8, nowMs);
    } else {
      at = fieldSkip(cursor, end, tag & 7);
    }
  }
}

let mergedBytes: u32 = 0;
let mergedCount: u32 = 0;
/** Moments of what is merged. */
const mergedAges: u32 = <u32>memory.data(512, 8);
if (ATTRIBUTES_MAX * 8 !== 512) ERROR("mergedAges has not the size of the attributes");

/** Copies the attributes of [at, end) that the update at [updateAt, updateEnd) leaves standing to `to`; ages 0: now. */
function copyStanding(to: u32, at: u32, end: u32, ages: u32, updateAt: u32, updateEnd: u32): void {
  for (; at < end; ages += ages === 0 ? 0 : 8) {
    const tag = tagRead(at, end);
    const valueAt = cursor;
    const next = fieldSkip(valueAt, end, tag & 7);
    if (tag === TAG_ATTRIBUTE) {
      const bytes = lengthRead(valueAt, end);
      const from = cursor;
      attributeCheck(from, from + bytes);
      if (!overridden(attributeNameAt, attributeNameBytes, updateAt, updateEnd, ages === 0 ? at : 0)) {
        const size = 1 + varintBytes(bytes) + bytes;
        if (mergedBytes + size <= MEMBER_ATTRIBUTES_BYTES_MAX) {
          store<u8>(to + mergedBytes, <u8>TAG_ATTRIBUTE);
          memory.copy(varintWrite(to + mergedBytes + 1, bytes), from, bytes);
        }
        if (mergedCount < ATTRIBUTES_MAX)
          store<f64>(mergedAges + mergedCount * 8, ages === 0 ? nowMs : load<f64>(ages));
        mergedBytes += size;
        mergedCount++;
      }
    }
    at = next;
  }
}

function mergeAnew(live: Live, at: u32, end: u32): u32 {
  const scratch = heapTake(MEMBER_ATTRIBUTES_BYTES_MAX);
  if (scratch === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  mergedBytes = mergedCount = 0;
  const standing = live.attributesAt;
  if (standing !== 0) copyStanding(scratch, standing, standing + live.attributesBytes, live.agesAt, at, end);
  copyStanding(scratch, at, end, 0, at, end);
  let status = STATUS_OK;
  if (mergedCount > ATTRIBUTES_MAX) status = resultStatus(STATUS_ATTRIBUTES_MANY, mergedCount, ATTRIBUTES_MAX);
  else if (mergedBytes > MEMBER_ATTRIBUTES_BYTES_MAX)
    status = resultStatus(STATUS_ATTRIBUTES_TOO_LARGE, mergedBytes, MEMBER_ATTRIBUTES_BYTES_MAX);
  else if (!keep(live, scratch)) status = resultStatus(STATUS_STORE_FULL, 0, 0);
  heapGive(scratch, MEMBER_ATTRIBUTES_BYTES_MAX);
  return status;
}

/** Makes what was merged the member's attributes. Returns false where memory is used up; then nothing has changed. */
function keep(live: Live, scratch: u32): bool {
  const attributes = heapCopy(scratch, mergedBytes);
  const ages = mergedCount === 0 ? 0 : heapTake(agesBytes(mergedCount));
  if (mergedCount !== 0 && (attributes === 0 || ages === 0)) {
    if (attributes !== 0) heapGive(attributes, mergedBytes);
    if (ages !== 0) heapGive(ages, agesBytes(mergedCount));
    return false;
  }
  if (live.attributesAt !== 0) heapGive(live.attributesAt, live.attributesBytes);
  if (live.agesAt !== 0) heapGive(live.agesAt, agesBytes(live.count));
  memory.copy(ages, mergedAges, mergedCount * 8);
  live.attributesAt = attributes;
  live.attributesBytes = mergedBytes;
  live.agesAt = ages;
  live.count = mergedCount;
  return true;
}
