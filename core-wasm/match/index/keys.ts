/**
 * Keys: what an event is looked up by. Each leads to the sinks that ask for it, few of them one after another (list.ts), more in
 * columns (columns.ts).
 *
 *   value      `zone = 'eu'`: found by the hash of (channel, place, value)
 *   presence   sinks that ask for a number in some interval: found by its place
 *   type       one of the names in `types`
 *   always     sinks of which nothing is known
 *
 * A text is a key also where no sink is found by it, for as long as some predicate compares with it: its address is its value.
 */
import { KIND_TEXT } from "../../expression/predicates";
import { bytesEqual, hashBytes } from "../../memory/bytes";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../../memory/map";
import { Index, placeAt } from "./places";
import { roomGive, roomTakeZero } from "./room";

/** A key; the text follows the record. */
@unmanaged
export class Key {
  /** Next key with the same hash. */
  next: u32;
  index: u32;
  /** Number of its place; PLACE_… for the kinds that have none. */
  place: u32;
  /** Conjunctions found by it, and predicates that compare with it. */
  entries: u32;
  references: u32;
  /** Array of addresses of Columns, 0: none. */
  columnsAt: u32;
  /** What lies one after another, its bytes and its room. */
  listAt: u32;
  listBytes: u16;
  listRoom: u16;
  /** Value of a number or boolean; of a type the address of its name. Bytes of a text. */
  value: f64;
  textBytes: u32;
}
/** Where the text begins. */
export const KEY_TEXT: u32 = offsetof<Key>("textBytes") + 4;

/** Instead of a place. */
export const PLACE_TYPE: u32 = 0x10000;
export const PLACE_ALWAYS: u32 = 0x10001;
/** Added to the place whose presence it is. */
export const PLACE_PRESENCE: u32 = 0x20000;

let keys: u32 = 0;

/** Forgets all keys. Returns false where memory is too small. */
export function keysInit(): bool {
  keys = mapNew();
  return keys !== 0;
}

/** Bytes of the map of keys. */
export function keysMapBytes(): u32 {
  return (changetype<Map64>(keys).mask + 1) * 16;
}

function hashOf(index: u32, place: u32, hash: u64): u64 {
  return hash ^ ((((<u64>index) << 32) | place) * 0x9e3779b97f4a7c15);
}

function numberHash(index: u32, place: u32, value: f64): u64 {
  // -0 equals 0.
  return hashOf(index, place, (reinterpret<u64>(value + 0.0) + 1) * 0xc4ceb9fe1a85ec53);
}

/** The key of a text at a place, 0 where there is none. */
export function keyFindText(index: u32, place: u32, at: u32, bytes: u32): u32 {
  let address = mapFind(changetype<Map64>(keys), hashOf(index, place, hashBytes(at, bytes)));
  for (; address !== 0; address = changetype<Key>(address).next) {
    const key = changetype<Key>(address);
    if (key.index === index && key.place === place && bytesEqual(address + KEY_TEXT, key.textBytes, at, bytes))
      return address;
  }
  return 0;
}

/** The key of a number, a boolean or a type, 0 where there is none. */
export function keyFindNumber(index: u32, place: u32, value: f64): u32 {
  let address = mapFind(changetype<Map64>(keys), numberHash(index, place, value));
  for (; address !== 0; address = changetype<Key>(address).next) {
    const key = changetype<Key>(address);
    if (key.index === index && key.place === place && key.value === value) return address;
  }
  return 0;
}

/** The key of a text, made where there is none; 0 where memory is used up. It goes with keyDrop() unless it is used. */
export function keyTakeText(index: u32, place: u32, at: u32, bytes: u32): u32 {
  const found = keyFindText(index, place, at, bytes);
  if (found !== 0) return found;
  const address = roomTakeZero(KEY_TEXT + bytes);
  if (address === 0) return 0;
  changetype<Key>(address).textBytes = bytes;
  memory.copy(address + KEY_TEXT, at, bytes);
  return keep(address, index, place, hashOf(index, place, hashBytes(at, bytes)));
}

/** The key of a number, a boolean or a type, made where there is none; 0 where memory is used up. */
export function keyTakeNumber(index: u32, place: u32, value: f64): u32 {
  const found = keyFindNumber(index, place, value);
  if (found !== 0) return found;
  const address = roomTakeZero(KEY_TEXT);
  if (address === 0) return 0;
  changetype<Key>(address).value = value;
  return keep(address, index, place, numberHash(index, place, value));
}

function keep(address: u32, index: u32, place: u32, hash: u64): u32 {
  const key = changetype<Key>(address);
  const map = changetype<Map64>(keys);
  key.index = index;
  key.place = place;
  key.next = mapFind(map, hash);
  if (!mapSet(map, hash, address)) {
    roomGive(address, KEY_TEXT + key.textBytes);
    return 0;
  }
  count(key, 1);
  return address;
}

/** Tells the index how many keys of that sort there are; a place stays for as long as it has some. */
function count(key: Key, change: i32): void {
  const index = changetype<Index>(key.index);
  if (key.place === PLACE_TYPE) {
    index.typeKeys += change;
    return;
  }
  const place = placeAt(index, key.place);
  place.keys += change;
  place.references += change;
}

/** The key of a place that is there, or of all events (PLACE_ALWAYS), made where there is none. */
export function keyTakeOther(index: Index, place: u32): u32 {
  const found = place === PLACE_ALWAYS ? index.always : placeAt(index, place).presence;
  if (found !== 0) return found;
  const address = roomTakeZero(KEY_TEXT);
  if (address === 0) return 0;
  const key = changetype<Key>(address);
  key.index = changetype<u32>(index);
  if (place === PLACE_ALWAYS) {
    key.place = PLACE_ALWAYS;
    index.always = address;
  } else {
    key.place = PLACE_PRESENCE + place;
    placeAt(index, place).presence = address;
    placeAt(index, place).references++;
  }
  return address;
}

/** Frees a key that nobody needs any more; others stay. */
export function keyDrop(address: u32): void {
  const key = changetype<Key>(address);
  if ((key.entries | key.references) !== 0) return;
  const index = changetype<Index>(key.index);
  if (key.place === PLACE_ALWAYS) index.always = 0;
  else if (key.place >= PLACE_PRESENCE) {
    const place = placeAt(index, key.place - PLACE_PRESENCE);
    place.presence = 0;
    place.references--;
  } else {
    unlink(address);
    count(key, -1);
  }
  roomGive(address, KEY_TEXT + key.textBytes);
}

function unlink(address: u32): void {
  const key = changetype<Key>(address);
  const map = changetype<Map64>(keys);
  const isText = key.place !== PLACE_TYPE && placeAt(changetype<Index>(key.index), key.place).kind === KIND_TEXT;
  const hash = isText
    ? hashOf(key.index, key.place, hashBytes(address + KEY_TEXT, key.textBytes))
    : numberHash(key.index, key.place, key.value);
  const first = mapFind(map, hash);
  if (first !== address) {
    let previous = changetype<Key>(first);
    while (previous.next !== address) previous = changetype<Key>(previous.next);
    previous.next = key.next;
  } else if (key.next !== 0) mapSet(map, hash, key.next);
  else mapDelete(map, hash);
}
