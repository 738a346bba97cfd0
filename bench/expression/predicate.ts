/**
 * `priority >= 3 AND load < 0.8 AND type LIKE 'com.acme.%'`, written by hand in AssemblyScript: what the machine of the core is held
 * against. Compiled by the bench itself (hand.mjs), never part of the service.
 *
 * `load`, the attribute, has to be a double here; the machine takes any type.
 */

/** Bytes of one located event: u32 priority, u32 address of the type, u32 its bytes, u32 unused, f64 load (NaN: none). */
const LOCATED_BYTES: u32 = 24;
/** "com.acme." as the words in which it is compared. */
const ACME_HEAD: u64 = ((<u64>0x656d6361) << 32) | 0x2e6d6f63;
const ACME_BYTES: u32 = 9;
const DOT: u8 = 0x2e;
const LOAD: u32 = 0x64616f6c;

let priority: u32 = 0;
let typeAt: u32 = 0;
let typeBytes: u32 = 0;
let loadValue: f64 = NaN;
let cursor: u32 = 0;

function varint(at: u32): u32 {
  let value: u32 = load<u8>(at++);
  if (value >= 0x80) {
    value &= 0x7f;
    let shift: u32 = 7;
    let byte: u32 = 0;
    do {
      byte = load<u8>(at++);
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
  }
  cursor = at;
  return value;
}

/** Reads the entry of an attribute, which may be the one that is wanted. */
function attributeRead(at: u32): void {
  if (load<u8>(at) !== 0x0a || load<u8>(at, 1) !== 4 || load<u32>(at, 2) !== LOAD) return;
  // A Value, length-delimited, with a double in it.
  if (load<u8>(at, 6) === 0x12 && load<u8>(at, 8) === 0x11) loadValue = load<f64>(at, 9);
}

/** Finds the three values in the bytes of one event. */
function eventRead(from: u32, end: u32): void {
  priority = 4;
  typeAt = typeBytes = 0;
  loadValue = NaN;
  for (let at = from; at < end; ) {
    const tag = varint(at);
    at = cursor;
    const wire = tag & 7;
    if (wire === 1) {
      at += 8;
    } else if (wire === 0) {
      const value = varint(at);
      at = cursor;
      if (tag === 0x30) priority = value;
    } else {
      const bytes = varint(at);
      at = cursor;
      if (tag === 0x52) attributeRead(at);
      else if (tag === 0x1a) {
        typeAt = at;
        typeBytes = bytes;
      }
      at += bytes;
    }
  }
}

function isAcme(at: u32, bytes: u32): bool {
  return bytes >= ACME_BYTES && load<u64>(at) === ACME_HEAD && load<u8>(at, 8) === DOT;
}

/** Counts those of a table of events (u32 address, u32 bytes) for which the predicate holds, from their bytes. */
export function countEvents(table: u32, events: u32): u32 {
  let count: u32 = 0;
  const end = table + events * 8;
  for (let at = table; at < end; at += 8) {
    const from = load<u32>(at);
    eventRead(from, from + load<u32>(at, 4));
    if (priority >= 3 && loadValue < 0.8 && isAcme(typeAt, typeBytes)) count++;
  }
  return count;
}

/** Notes the three values of every event of the table. */
export function locate(table: u32, events: u32, out: u32): void {
  for (let i: u32 = 0; i < events; i++) {
    const from = load<u32>(table + i * 8);
    eventRead(from, from + load<u32>(table + i * 8, 4));
    const to = out + i * LOCATED_BYTES;
    store<u32>(to, priority);
    store<u32>(to, typeAt, 4);
    store<u32>(to, typeBytes, 8);
    store<f64>(to, loadValue, 16);
  }
}

/** Counts those for which the predicate holds, where the values have been located before. */
export function countLocated(located: u32, events: u32): u32 {
  let count: u32 = 0;
  const end = located + events * LOCATED_BYTES;
  for (let at = located; at < end; at += LOCATED_BYTES) {
    if (load<u32>(at) >= 3 && load<f64>(at, 16) < 0.8 && isAcme(load<u32>(at, 4), load<u32>(at, 8))) count++;
  }
  return count;
}
