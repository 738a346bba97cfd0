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
import { BLOCK_HEAD_BYTES, blockBytes, Columns, columnsAt, columnsOf } from "./columns";
import {
  ENTRY_INTERVALS,
  ENTRY_MEMBER,
  ENTRY_PROGRAM,
  ENTRY_SEVERAL,
  ENTRY_TYPES,
  Filing,
  INTERVAL_BYTES,
} from "./entry";
import { floatDown, floatUp } from "./floats";
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
    if ((one.keys | one.presence) !== 0) store<f64>(valuesAt + place * 8, placeValue(at, place, one));
  }
  if (index.typeKeys !== 0 && type !== 0) keyNote(keyFindNumber(at, PLACE_TYPE, <f64>type));
  keyNote(index.always);
  if (keys === 0) return outAt;
  // What no key depends on matters only now.
  for (let place: u32 = 0; place < index.places; place++) {
    const one = placeAt(index, place);
    if ((one.keys | one.presence) === 0 && one.references !== 0)
      store<f64>(valuesAt + place * 8, placeValue(at, place, one));
  }
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
  if (columns.boundBytes === 8) wideLook(columns, places, value0, value1, value2);
  else narrowLook(columns, places, value0, value1, value2);
}

/** Bounds that are f64. */
function wideLook(columns: Columns, places: u32, value0: f64, value1: f64, value2: f64): void {
  const first = f64x2.splat(value0);
  const second = f64x2.splat(value1);
  const third = f64x2.splat(value2);
  const size = blockBytes(columns);
  let at = columns.at;
  for (let left = <i32>columns.count; left > 0; left -= 4, at += size) {
    let lanes = lanesOf(left) & wideWithin(at + BLOCK_HEAD_BYTES, first);
    if (places > 1 && lanes !== 0) lanes &= wideWithin(at + BLOCK_HEAD_BYTES + 64, second);
    if (places > 2 && lanes !== 0) lanes &= wideWithin(at + BLOCK_HEAD_BYTES + 128, third);
    for (; lanes !== 0; lanes &= lanes - 1) accept(load<u32>(at + (ctz<u32>(lanes) << 2)));
  }
}

/**
 * Bounds that are f32. A value lies at a single or between two neighbours, `under` and `over`. Within is what has its bounds on
 * either side of both; without, what has a bound beyond both. Where a bound is the neighbour on the far side, only the double that it was
 * can tell: the sink is asked.
 */
function narrowLook(columns: Columns, places: u32, value0: f64, value1: f64, value2: f64): void {
  const under0 = f32x4.splat(floatDown(value0));
  const over0 = f32x4.splat(floatUp(value0));
  const size = blockBytes(columns);
  let at = columns.at;
  const end = at + ((columns.count + 3) >> 2) * size;
  const last = end - size;
  const lastLanes = lanesOf(((<i32>columns.count - 1) & 3) + 1);
  if (places < 2) {
    for (; at < end; at += size) {
      const bounds = at + BLOCK_HEAD_BYTES;
      let lanes = places === 0 ? 15 : narrowWithin(bounds, over0, under0);
      if (at === last) lanes &= lastLanes;
      if (lanes === 0) continue;
      const sure = places === 0 ? 15 : narrowWithin(bounds, under0, over0);
      narrowAccept(at, lanes, sure);
    }
    return;
  }
  const under1 = f32x4.splat(floatDown(value1));
  const over1 = f32x4.splat(floatUp(value1));
  const under2 = f32x4.splat(floatDown(value2));
  const over2 = f32x4.splat(floatUp(value2));
  for (; at < end; at += size) {
    const bounds = at + BLOCK_HEAD_BYTES;
    // Both at once: whether the first lets any of four pass is a branch that nobody foresees.
    let lanes = narrowWithin(bounds, over0, under0) & narrowWithin(bounds + 32, over1, under1);
    if (at === last) lanes &= lastLanes;
    if (lanes === 0) continue;
    let sure = narrowWithin(bounds, under0, over0) & narrowWithin(bounds + 32, under1, over1);
    if (places > 2) {
      lanes &= narrowWithin(bounds + 64, over2, under2);
      sure &= narrowWithin(bounds + 64, under2, over2);
    }
    narrowAccept(at, lanes, sure);
  }
}

function narrowAccept(at: u32, lanes: u32, sure: u32): void {
  for (; lanes !== 0; lanes &= lanes - 1) {
    const lane = ctz<u32>(lanes);
    accept(load<u32>(at + (lane << 2)) | ((sure >> lane) & 1 ? 0 : ENTRY_PROGRAM));
  }
}

/** The lanes of a block that are in use, one bit each. */
function lanesOf(left: i32): u32 {
  return left >= 4 ? 15 : (1 << left) - 1;
}

/** Which of four entries have bounds between which a value lies, one bit each. */
function wideWithin(bounds: u32, value: v128): u32 {
  const low = v128.and(f64x2.le(v128.load(bounds), value), f64x2.ge(v128.load(bounds, 32), value));
  const high = v128.and(f64x2.le(v128.load(bounds, 16), value), f64x2.ge(v128.load(bounds, 48), value));
  return i64x2.bitmask(low) | (i64x2.bitmask(high) << 2);
}

/** Which of four entries have a lower bound that is not above `most` and an upper one that is not below `least`. */
function narrowWithin(bounds: u32, most: v128, least: v128): u32 {
  return i32x4.bitmask(v128.and(f32x4.le(v128.load(bounds), most), f32x4.ge(v128.load(bounds, 16), least)));
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
