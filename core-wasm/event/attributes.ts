/**
 * Entries of `map<string, Value>`: the attributes of events and members. Checks structure, name, UTF-8.
 * The name must match [a-z][a-z0-9_]{0,63}.
 */
import { ATTRIBUTE_NAME_BYTES_MAX, STATUS_ATTRIBUTE_NAME, STATUS_MALFORMED, STATUS_NOT_UTF8, STATUS_OK } from "../abi";
import { utf8Valid } from "./utf8";
import { cursor, fieldSkip, lengthRead, tagRead, varintRead } from "./wire";

const TAG_NAME: u32 = 0x0a;
const TAG_VALUE: u32 = 0x12;

/** Name of the entry last checked. */
export let attributeNameAt: u32 = 0;
export let attributeNameBytes: u32 = 0;

/** Checks one map entry that lies at [at, end); sets attributeName…. Returns a status. */
export function attributeCheck(at: u32, end: u32): u32 {
  let valueAt: u32 = 0;
  let valueEnd: u32 = 0;
  attributeNameAt = at;
  attributeNameBytes = 0;
  while (at < end) {
    const tag = tagRead(at, end);
    if (tag === TAG_NAME || tag === TAG_VALUE) {
      const bytes = lengthRead(cursor, end);
      if (cursor === 0) return STATUS_MALFORMED;
      if (tag === TAG_NAME) {
        attributeNameAt = cursor;
        attributeNameBytes = bytes;
      } else {
        valueAt = cursor;
        valueEnd = cursor + bytes;
      }
      at = cursor + bytes;
    } else {
      // A known field with another wire type would be lost on every sink: refuse it.
      if (cursor === 0 || tag >> 3 === 1 || tag >> 3 === 2) return STATUS_MALFORMED;
      at = fieldSkip(cursor, end, tag & 7);
      if (at === 0) return STATUS_MALFORMED;
    }
  }
  if (!nameValid(attributeNameAt, attributeNameBytes)) return STATUS_ATTRIBUTE_NAME;
  return valueAt === 0 ? STATUS_MALFORMED : valueCheck(valueAt, valueEnd);
}

function nameValid(at: u32, bytes: u32): bool {
  if (bytes === 0 || bytes > ATTRIBUTE_NAME_BYTES_MAX) return false;
  const first = <u32>load<u8>(at);
  if (first - 0x61 > 25) return false;
  for (let i: u32 = 1; i < bytes; i++) {
    const c = <u32>load<u8>(at + i);
    if (c - 0x61 > 25 && c - 0x30 > 9 && c !== 0x5f) return false;
  }
  return true;
}

/** A Value must say something: one of boolean, number, text, integer. */
function valueCheck(at: u32, end: u32): u32 {
  let known = false;
  while (at < end) {
    const tag = tagRead(at, end);
    if (cursor === 0) return STATUS_MALFORMED;
    if (tag === 0x1a) {
      const bytes = lengthRead(cursor, end);
      if (cursor === 0) return STATUS_MALFORMED;
      at = cursor + bytes;
      if (!utf8Valid(cursor, bytes)) return STATUS_NOT_UTF8;
      known = true;
    } else if (tag === 0x08 || tag === 0x20) {
      varintRead(cursor, end);
      if (cursor === 0) return STATUS_MALFORMED;
      at = cursor;
      known = true;
    } else {
      if (tag === 0x11) known = true;
      else if (tag >> 3 <= 4) return STATUS_MALFORMED;
      at = fieldSkip(cursor, end, tag & 7);
      if (at === 0) return STATUS_MALFORMED;
    }
  }
  return known ? STATUS_OK : STATUS_MALFORMED;
}
