/**
 * Live attributes of members: an Update merged into what is there. They are kept as encoded map entries, which is how
 * they came and how filters will read them.
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
import { Member, memberFind } from "../channel/member";
import { attributeCheck, attributeNameAt, attributeNameBytes } from "../event/attributes";
import { utf8Valid } from "../event/utf8";
import { cursor, fieldSkip, lengthRead, tagRead, varintBytes, varintRead, varintWrite } from "../event/wire";
import { bytesEqual } from "../memory/bytes";
import { heapCopy, heapGive, heapTake } from "../memory/heap";
import { resultStatus } from "../result";
import { Connection } from "./connection";

const TAG_MEMBER: u32 = 0x08;
const TAG_ATTRIBUTE: u32 = 0x12;
const TAG_REMOVE: u32 = 0x1a;

/** Merges an encoded Update of a connection's member. Returns a status. */
export function memberUpdateFrame(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let number: u32 = 0;
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
    const status = elementCheck(tag, cursor, end);
    if (status !== STATUS_OK) return resultStatus(status, status === STATUS_MALFORMED ? p - at : tag >> 3, 0);
    p = fieldSkip(cursorOfElement, end, tag & 7);
    if (p === 0) return resultStatus(STATUS_MALFORMED, bytes, 0);
  }
  const member = memberFind(number);
  if (member === null || member.connection !== connection.number) return resultStatus(STATUS_MEMBER_UNKNOWN, number, 0);
  return merge(member, at, end);
}

let cursorOfElement: u32 = 0;

/** Checks one attribute or name to remove, whose value begins at `at`. */
function elementCheck(tag: u32, at: u32, end: u32): u32 {
  cursorOfElement = at;
  if (tag !== TAG_ATTRIBUTE && tag !== TAG_REMOVE) return tag >> 3 <= 3 ? STATUS_MALFORMED : STATUS_OK;
  const bytes = lengthRead(at, end);
  if (cursor === 0) return STATUS_MALFORMED;
  if (tag === TAG_ATTRIBUTE) return attributeCheck(cursor, cursor + bytes);
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

let mergedBytes: u32 = 0;
let mergedCount: u32 = 0;

/** Copies the attributes of [at, end) that the update at [updateAt, updateEnd) leaves standing to `to`. */
function copyStanding(to: u32, at: u32, end: u32, updateAt: u32, updateEnd: u32, isUpdate: bool): void {
  while (at < end) {
    const tag = tagRead(at, end);
    const valueAt = cursor;
    const next = fieldSkip(valueAt, end, tag & 7);
    if (tag === TAG_ATTRIBUTE) {
      const bytes = lengthRead(valueAt, end);
      const entryAt = cursor;
      attributeCheck(entryAt, entryAt + bytes);
      if (!overridden(attributeNameAt, attributeNameBytes, updateAt, updateEnd, isUpdate ? at : 0)) {
        const size = 1 + varintBytes(bytes) + bytes;
        if (mergedBytes + size <= MEMBER_ATTRIBUTES_BYTES_MAX) {
          store<u8>(to + mergedBytes, <u8>TAG_ATTRIBUTE);
          memory.copy(varintWrite(to + mergedBytes + 1, bytes), entryAt, bytes);
        }
        mergedBytes += size;
        mergedCount++;
      }
    }
    at = next;
  }
}

function merge(member: Member, at: u32, end: u32): u32 {
  const scratch = heapTake(MEMBER_ATTRIBUTES_BYTES_MAX);
  if (scratch === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  mergedBytes = mergedCount = 0;
  copyStanding(scratch, member.attributesAt, member.attributesAt + member.attributesBytes, at, end, false);
  copyStanding(scratch, at, end, at, end, true);
  let status = STATUS_OK;
  let kept: u32 = 0;
  if (mergedCount > ATTRIBUTES_MAX) {
    status = resultStatus(STATUS_ATTRIBUTES_MANY, mergedCount, ATTRIBUTES_MAX);
  } else if (mergedBytes > MEMBER_ATTRIBUTES_BYTES_MAX) {
    status = resultStatus(STATUS_ATTRIBUTES_TOO_LARGE, mergedBytes, MEMBER_ATTRIBUTES_BYTES_MAX);
  } else if (mergedBytes !== 0) {
    kept = heapCopy(scratch, mergedBytes);
    if (kept === 0) status = resultStatus(STATUS_STORE_FULL, 0, 0);
  }
  heapGive(scratch, MEMBER_ATTRIBUTES_BYTES_MAX);
  if (status !== STATUS_OK) return status;
  if (member.attributesAt !== 0) heapGive(member.attributesAt, member.attributesBytes);
  member.attributesAt = kept;
  member.attributesBytes = mergedBytes;
  return STATUS_OK;
}
