/**
 * Looking up an event: every place gets its value once, the values lead to keys, and the entries of those are compared with the
 * values. Only what an entry cannot say is asked of the program.
 */
import { Member } from "../../channel/member";
import { typeSetTakes } from "../../channel/types";
import { EXPRESSION_CODE_BYTES_MAX } from "../../expression/code";
import { KIND_NUMBER, KIND_TEXT } from "../../expression/predicates";
import { eventBoolean, eventNumber, eventText, foundAt, foundBytes } from "../../expression/tests";
import { memberTakes } from "../select";
import { BLOCK_HEAD_BYTES, BLOCK_PLACE_BYTES, blockBytes, Columns, columnsAt, columnsOf } from "./columns";
import {
  ENTRY_INTERVALS,
  ENTRY_MEMBER,
  ENTRY_PROGRAM,
  ENTRY_SEVERAL,
  ENTRY_TYPES,
  Filing,
  INTERVAL_BYTES,
} from "./entry";
import { Key, keyFindNumber, keyFindText, PLACE_TYPE } from "./keys";
import { Index, PLACES_MAX, Place, placeAt, VALUES_BYTES, valuesAt } from "./places";

/** Keys that the event has: at most a value and a presence per place, its type, and always. */
const keysAt: u32 = valuesAt + VALUES_BYTES;
if (VALUES_BYTES + (PLACES_MAX + 1) * 2 * 4 > EXPRESSION_CODE_BYTES_MAX) ERROR("No room for the keys of an event");
let keys: u32 = 0;

/** Where the next member goes that takes the event. */
let outAt: u32 = 0;
let eventType: u32 = 0;
let skipped: u32 = 0;
let stamp: u32 = 0;

/**
 * Writes the addresses of the Members in an index that take the event of the view, from `out` on, each once and in no order.
 * Returns the address behind the last one. Sinks of the connection `skip` are left out (0: nobody's).
 */
export function indexLook(at: u32, skip: u32, type: u32, out: u32): u32 {
  const index = changetype<Index>(at);
  outAt = out;
  eventType = type;
  skipped = skip;
  stamp++;
  keys = 0;
  for (let place: u32 = 0; place < index.places; place++) {
    const one = placeAt(index, place);
    if (one.references !== 0) store<f64>(valuesAt + place * 8, placeValue(at, place, one));
  }
  if (index.typeKeys !== 0 && type !== 0) keyNote(keyFindNumber(at, PLACE_TYPE, <f64>type));
  keyNote(index.always);
  // Programs that run from here on use what placeValue() used: all values are there already.
  for (let i: u32 = 0; i < keys; i++) {
    const key = changetype<Key>(load<u32>(keysAt + i * 4));
    if (key.listBytes !== 0) listLook(key);
    const columns = columnsOf(key);
    for (let slot: u32 = 0; slot < columns; slot++) columnsLook(columnsAt(key, slot));
  }
  return outAt;
}

/** Notes a key whose entries are to be looked at; 0 is none. */
function keyNote(key: u32): void {
  if (key !== 0 && changetype<Key>(key).entries !== 0) store<u32>(keysAt + keys++ * 4, key);
}

/** The value of a place; notes the keys to which it leads. */
function placeValue(index: u32, place: u32, one: Place): f64 {
  if (one.kind === KIND_TEXT) {
    const key = eventText(one.field, one.number) ? keyFindText(index, place, foundAt, foundBytes) : 0;
    keyNote(key);
    return key === 0 ? NaN : <f64>key;
  }
  const value =
    one.kind === KIND_NUMBER ? eventNumber(one.field, one.number) : eventBoolean(one.kind, one.field, one.number);
  if (Number.isNaN(value)) return NaN;
  if (one.keys !== 0) keyNote(keyFindNumber(index, place, value));
  keyNote(one.presence);
  return value;
}

function listLook(key: Key): void {
  let at = key.listAt;
  const end = at + <u32>key.listBytes;
  while (at < end) {
    const word = load<u32>(at);
    const next = at + 8 + (word & ENTRY_INTERVALS) * INTERVAL_BYTES;
    let within = true;
    for (at += 8; at < next; at += INTERVAL_BYTES) {
      const value = load<f64>(valuesAt + load<u32>(at) * 8);
      within = within && value >= load<f64>(at, 4) && value <= load<f64>(at, 12);
    }
    if (within) accept(word);
  }
}

/** The value of one of the places of columns. */
function valueAt(place: u16): f64 {
  return load<f64>(valuesAt + <u32>place * 8);
}

function columnsLook(columns: Columns): void {
  const places = <u32>columns.places;
  const value0 = valueAt(columns.place0);
  const value1 = valueAt(columns.place1);
  const value2 = valueAt(columns.place2);
  if (places > 0 && Number.isNaN(value0)) return;
  if (places > 1 && Number.isNaN(value1)) return;
  if (places > 2 && Number.isNaN(value2)) return;
  const first = f64x2.splat(value0);
  const second = f64x2.splat(value1);
  const third = f64x2.splat(value2);
  const size = blockBytes(places);
  let at = columns.at;
  for (let left = <i32>columns.count; left > 0; left -= 4, at += size) {
    let lanes: u32 = left >= 4 ? 15 : (1 << left) - 1;
    if (places > 0) {
      lanes &= lanesWithin(at + BLOCK_HEAD_BYTES, first);
      if (places > 1 && lanes !== 0) {
        lanes &= lanesWithin(at + BLOCK_HEAD_BYTES + BLOCK_PLACE_BYTES, second);
        if (places > 2 && lanes !== 0) lanes &= lanesWithin(at + BLOCK_HEAD_BYTES + 2 * BLOCK_PLACE_BYTES, third);
      }
    }
    for (; lanes !== 0; lanes &= lanes - 1) {
      const lane = at + (ctz<u32>(lanes) << 2);
      accept(load<u32>(lane));
    }
  }
}

/** Which of four entries have bounds between which a value lies, one bit each. */
function lanesWithin(bounds: u32, value: v128): u32 {
  const low = v128.and(f64x2.le(v128.load(bounds), value), f64x2.ge(v128.load(bounds, 32), value));
  const high = v128.and(f64x2.le(v128.load(bounds, 16), value), f64x2.ge(v128.load(bounds, 48), value));
  return i64x2.bitmask(low) | (i64x2.bitmask(high) << 2);
}

/** Takes an entry whose intervals fit. */
function accept(word: u32): void {
  const member = word & ENTRY_MEMBER;
  if (((word & (ENTRY_PROGRAM | ENTRY_TYPES | ENTRY_SEVERAL)) | skipped) !== 0 && !asked(word, member)) return;
  store<u32>(outAt, member);
  outAt += 4;
}

function asked(word: u32, address: u32): bool {
  const member = changetype<Member>(address);
  if (skipped !== 0 && member.connection === skipped) return false;
  const several = (word & ENTRY_SEVERAL) !== 0;
  if (several && changetype<Filing>(member.indexed).stamp === stamp) return false;
  if ((word & ENTRY_PROGRAM) !== 0) {
    if (!memberTakes(member, eventType)) return false;
  } else if ((word & ENTRY_TYPES) !== 0 && !typeSetTakes(member.types, eventType)) {
    return false;
  }
  if (several) changetype<Filing>(member.indexed).stamp = stamp;
  return true;
}
