/**
 * Protobuf wire format: varints, tags, skipping. Reading moves a cursor that is a global, since a WebAssembly function
 * gives back one value cheaply and a pair not at all. Source: https://protobuf.dev/programming-guides/encoding/
 */

/** Address after the last varint read; 0 after a failure (cut off, or longer than ten bytes). */
export let cursor: u32 = 0;

/** Moves the cursor; imported globals are read-only, hence a function (it is inlined). */
export function cursorSet(at: u32): void {
  cursor = at;
}

/** Reads a varint of at most 64 bits at `at`, not beyond `end`; sets `cursor`. */
export function varintRead(at: u32, end: u32): u64 {
  if (at < end) {
    const first = load<u8>(at);
    if (first < 0x80) {
      cursor = at + 1;
      return first;
    }
  }
  let value: u64 = 0;
  let shift: u64 = 0;
  while (at < end && shift < 70) {
    const byte = load<u8>(at++);
    // The tenth byte has room for one bit only.
    if (shift === 63 && byte > 1) break;
    value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) {
      cursor = at;
      return value;
    }
    shift += 7;
  }
  cursor = 0;
  return 0;
}

/** Bytes of a value as a varint. */
export function varintBytes(value: u64): u32 {
  return (<u32>(63 - clz<u64>(value | 1)) * 9 + 73) >> 6;
}

/** Writes a varint and returns the address after it. */
export function varintWrite(at: u32, value: u64): u32 {
  while (value >= 0x80) {
    store<u8>(at++, <u8>value | 0x80);
    value >>= 7;
  }
  store<u8>(at, <u8>value);
  return at + 1;
}

/** Address after the value of a field of that wire type; 0 where it is malformed or a group. */
export function fieldSkip(at: u32, end: u32, wireType: u32): u32 {
  if (wireType === 0) {
    varintRead(at, end);
    return cursor;
  }
  if (wireType === 1) return end - at < 8 ? 0 : at + 8;
  if (wireType === 5) return end - at < 4 ? 0 : at + 4;
  if (wireType !== 2) return 0;
  const bytes = varintRead(at, end);
  if (cursor === 0 || bytes > <u64>(end - cursor)) return 0;
  return cursor + <u32>bytes;
}

/**
 * Reads a tag; sets `cursor`. Returns 0 where it is malformed: cut off, field number 0 or beyond 2^29 − 1.
 * The number of the field is tag >> 3, the wire type tag & 7.
 */
export function tagRead(at: u32, end: u32): u32 {
  const tag = varintRead(at, end);
  if (cursor === 0 || tag < 8 || tag > 0xffffffff) {
    cursor = 0;
    return 0;
  }
  return <u32>tag;
}

/** Reads a length and checks that so many bytes follow; sets `cursor` to the first of them, 0 where they do not. */
export function lengthRead(at: u32, end: u32): u32 {
  const bytes = varintRead(at, end);
  if (cursor === 0) return 0;
  if (bytes > <u64>(end - cursor)) {
    cursor = 0;
    return 0;
  }
  return <u32>bytes;
}
