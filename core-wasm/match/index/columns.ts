/**
 * Columns: entries of one key whose intervals are on the same places, four side by side, so that SIMD compares them together
 * and a key with many sinks costs a fraction of a nanosecond for each that does not want the event.
 *
 *   block of 4    4 × u32 member and bits   4 × u32 filing   per place: 4 × low, 4 × high
 *
 * Bounds are f32 where all places are numbers, rounded into the interval: what lies between them is within. What lies between one of
 * them and its neighbour has to be asked for (look.ts); texts are addresses, which f32 does not hold, so with one of them all are f64.
 */

import { KIND_TEXT } from "../../expression/predicates";
import { heapBlockBytes } from "../../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../../memory/map";
import { ENTRY_INTERVALS, Filing, INTERVAL_BYTES, intervalCount } from "./entry";
import { floatDown, floatUp } from "./floats";
import { Key } from "./keys";
import { Index, placeAt } from "./places";
import { roomGive, roomTake, roomTakeZero } from "./room";

/** The entries of a key with the same places. */
@unmanaged
export class Columns {
  key: u32;
  /** Its place among the columns of the key. */
  slot: u32;
  count: u32;
  at: u32;
  /** Bytes at `at`. */
  room: u32;
  places: u16;
  place0: u16;
  place1: u16;
  place2: u16;
  /** Bytes of a bound: 4 or 8. */
  boundBytes: u32;
}

/** Bytes of the words in a block; the bounds of its places follow. */
export const BLOCK_HEAD_BYTES: u32 = 32;

/** The columns of a key: u32 how many, u32 bytes of this block, addresses. */
const SLOTS_HEAD_BYTES: u32 = 8;

let map: u32 = 0;

/** Forgets all columns. Returns false where memory is too small. */
export function columnsInit(): bool {
  map = mapNew();
  return map !== 0;
}

/** Bytes of the map of columns. */
export function columnsMapBytes(): u32 {
  return (changetype<Map64>(map).mask + 1) * 16;
}

/** A number that no other key and places have: places have 10 bits each, 1023 stands for none. */
function nameOf(key: u32, place0: u32, place1: u32, place2: u32): u64 {
  return ((<u64>key) << 32) | (place0 << 20) | (place1 << 10) | place2;
}

function nameOfColumns(columns: Columns): u64 {
  return nameOf(columns.key, columns.place0, columns.place1, columns.place2);
}

/** How many columns a key has. */
export function columnsOf(key: Key): u32 {
  return key.columnsAt === 0 ? 0 : load<u32>(key.columnsAt);
}

/** One of them. */
export function columnsAt(key: Key, slot: u32): Columns {
  return changetype<Columns>(load<u32>(key.columnsAt + SLOTS_HEAD_BYTES + slot * 4));
}

/** Bytes of a block. */
export function blockBytes(columns: Columns): u32 {
  return BLOCK_HEAD_BYTES + <u32>columns.places * 8 * columns.boundBytes;
}

/** Adds the entry at `entry`, whose places are in order. Returns false where memory is used up. */
export function columnsAdd(key: Key, entry: u32): bool {
  const intervals = load<u32>(entry) & ENTRY_INTERVALS;
  const place0 = intervals > 0 ? load<u32>(entry, 8) : NONE;
  const place1 = intervals > 1 ? load<u32>(entry, 8 + INTERVAL_BYTES) : NONE;
  const place2 = intervals > 2 ? load<u32>(entry, 8 + 2 * INTERVAL_BYTES) : NONE;
  let address = mapFind(changetype<Map64>(map), nameOf(changetype<u32>(key), place0, place1, place2));
  if (address === 0) {
    address = roomTakeZero(offsetof<Columns>());
    if (address === 0) return false;
    const made = changetype<Columns>(address);
    made.key = changetype<u32>(key);
    made.places = <u16>intervals;
    made.place0 = <u16>place0;
    made.place1 = <u16>place1;
    made.place2 = <u16>place2;
    made.boundBytes = hasText(changetype<Index>(key.index), entry, intervals) ? 8 : 4;
    if (!list(key, made)) {
      roomGive(address, offsetof<Columns>());
      return false;
    }
  }
  const columns = changetype<Columns>(address);
  if (!grow(columns)) {
    if (columns.count === 0) drop(columns);
    return false;
  }
  const filing = changetype<Filing>(load<u32>(entry, 4));
  filing.holder = address | 1;
  filing.index = columns.count;
  const to = lane(columns, columns.count++);
  store<u32>(to, load<u32>(entry));
  store<u32>(to, load<u32>(entry, 4), 16);
  for (let i: u32 = 0; i < intervals; i++) {
    const bounds = boundsOf(columns, filing.index, i);
    const low = load<f64>(entry + 8 + i * INTERVAL_BYTES, 4);
    const high = load<f64>(entry + 8 + i * INTERVAL_BYTES, 12);
    if (columns.boundBytes === 8) {
      store<f64>(bounds, low);
      store<f64>(bounds, high, 32);
    } else {
      store<f32>(bounds, floatUp(low));
      store<f32>(bounds, floatDown(high), 16);
    }
  }
  return true;
}

function hasText(index: Index, entry: u32, intervals: u32): bool {
  for (let i: u32 = 0; i < intervals; i++) {
    if (placeAt(index, load<u32>(entry + 8 + i * INTERVAL_BYTES)).kind === KIND_TEXT) return true;
  }
  return false;
}

/** In the place of a place. */
const NONE: u32 = 1023;

/** Where the words of an entry lie: the filing is 16 bytes behind. */
function lane(columns: Columns, index: u32): u32 {
  return columns.at + (index >> 2) * blockBytes(columns) + (index & 3) * 4;
}

/** Where an entry's lower bound for a place lies: the upper one is four bounds behind. */
function boundsOf(columns: Columns, index: u32, place: u32): u32 {
  const block = columns.at + (index >> 2) * blockBytes(columns);
  return block + BLOCK_HEAD_BYTES + (place * 8 + (index & 3)) * columns.boundBytes;
}

function list(key: Key, columns: Columns): bool {
  const slots = columnsOf(key);
  const room: u32 = key.columnsAt === 0 ? 0 : load<u32>(key.columnsAt, 4);
  const wanted = SLOTS_HEAD_BYTES + (slots + 1) * 4;
  if (wanted > room) {
    const bytes = heapBlockBytes(wanted);
    const at = roomTake(bytes);
    if (at === 0) return false;
    if (room === 0) {
      store<u32>(at, 0);
    } else {
      memory.copy(at, key.columnsAt, SLOTS_HEAD_BYTES + slots * 4);
      roomGive(key.columnsAt, room);
    }
    store<u32>(at, bytes, 4);
    key.columnsAt = at;
  }
  if (!mapSet(changetype<Map64>(map), nameOfColumns(columns), changetype<u32>(columns))) {
    slotsFree(key);
    return false;
  }
  columns.slot = slots;
  store<u32>(key.columnsAt + SLOTS_HEAD_BYTES + slots * 4, changetype<u32>(columns));
  store<u32>(key.columnsAt, slots + 1);
  return true;
}

/** Frees the list of columns where none is left. */
function slotsFree(key: Key): void {
  if (load<u32>(key.columnsAt) !== 0) return;
  roomGive(key.columnsAt, load<u32>(key.columnsAt, 4));
  key.columnsAt = 0;
}

/** Makes room for one more entry. Long ones grow by a quarter only. */
function grow(columns: Columns): bool {
  const block = blockBytes(columns);
  const used = ((columns.count + 3) >> 2) * block;
  if ((columns.count & 3) !== 0 || used + block <= columns.room) return true;
  const room = heapBlockBytes(columns.room > 65536 ? columns.room + (columns.room >> 2) : used + block);
  const at = roomTake(room);
  if (at === 0) return false;
  if (columns.at !== 0) {
    memory.copy(at, columns.at, used);
    roomGive(columns.at, columns.room);
  }
  columns.at = at;
  columns.room = room;
  return true;
}

/** Removes an entry; the last one takes its place. */
export function columnsRemove(columns: Columns, index: u32): void {
  const key = changetype<Key>(columns.key);
  const last = --columns.count;
  for (let i: u32 = 0; i < <u32>columns.places; i++) {
    const place = <u32>(i === 0 ? columns.place0 : i === 1 ? columns.place1 : columns.place2);
    const bounds = boundsOf(columns, index, i);
    const from = boundsOf(columns, last, i);
    if (columns.boundBytes === 8) {
      intervalCount(changetype<Index>(key.index), place, load<f64>(bounds), -1);
      store<f64>(bounds, load<f64>(from));
      store<f64>(bounds, load<f64>(from, 32), 32);
    } else {
      // Which number it was matters to texts only.
      intervalCount(changetype<Index>(key.index), place, NaN, -1);
      store<f32>(bounds, load<f32>(from));
      store<f32>(bounds, load<f32>(from, 16), 16);
    }
  }
  const filing = load<u32>(lane(columns, last), 16);
  store<u32>(lane(columns, index), load<u32>(lane(columns, last)));
  store<u32>(lane(columns, index), filing, 16);
  changetype<Filing>(filing).index = index;
  if (last === 0) drop(columns);
}

function drop(columns: Columns): void {
  const key = changetype<Key>(columns.key);
  const last = load<u32>(key.columnsAt) - 1;
  const moved = columnsAt(key, last);
  moved.slot = columns.slot;
  store<u32>(key.columnsAt + SLOTS_HEAD_BYTES + columns.slot * 4, changetype<u32>(moved));
  store<u32>(key.columnsAt, last);
  slotsFree(key);
  mapDelete(changetype<Map64>(map), nameOfColumns(columns));
  if (columns.at !== 0) roomGive(columns.at, columns.room);
  roomGive(changetype<u32>(columns), offsetof<Columns>());
}
