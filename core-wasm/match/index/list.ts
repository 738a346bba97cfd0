/** The first entries of a key, one after another as they come: most keys lead to few sinks. */
import { heapBlockBytes } from "../../memory/heap";
import { ENTRY_INTERVALS, entryBytes, Filing, INTERVAL_BYTES, intervalCount } from "./entry";
import { Key, PLACE_PRESENCE } from "./keys";
import { Index } from "./places";
import { roomGive, roomTake } from "./room";

/**
 * Bytes of a list; further entries go into columns. Sinks that share a value otherwise ask for all sorts of things, so that
 * columns of theirs would be short: a list of two hundred is better. Those with nothing but numbers mostly share their places.
 */
const LIST_BYTES_MAX: u32 = 8192;
const LIST_NUMBERS_BYTES_MAX: u32 = 2048;

/** Whether a key's list takes an entry of that size. */
export function listTakes(key: Key, bytes: u32): bool {
  return <u32>key.listBytes + bytes <= (key.place >= PLACE_PRESENCE ? LIST_NUMBERS_BYTES_MAX : LIST_BYTES_MAX);
}

/** Appends the entry at `entry`. Returns false where memory is used up. */
export function listAdd(key: Key, entry: u32): bool {
  const bytes = entryBytes(load<u32>(entry));
  const used = <u32>key.listBytes;
  if (used + bytes > <u32>key.listRoom) {
    const room = heapBlockBytes(used + bytes);
    const at = roomTake(room);
    if (at === 0) return false;
    if (key.listAt !== 0) {
      memory.copy(at, key.listAt, used);
      roomGive(key.listAt, key.listRoom);
    }
    key.listAt = at;
    key.listRoom = <u16>room;
  }
  memory.copy(key.listAt + used, entry, bytes);
  key.listBytes = <u16>(used + bytes);
  const filing = changetype<Filing>(load<u32>(entry, 4));
  filing.holder = changetype<u32>(key);
  return true;
}

/** Removes an entry; the key and its other keys' references are the caller's. */
export function listRemove(key: Key, filing: u32): void {
  let at = key.listAt;
  while (load<u32>(at, 4) !== filing) at += entryBytes(load<u32>(at));
  const bytes = entryBytes(load<u32>(at));
  const end = key.listAt + <u32>key.listBytes;
  const intervals = load<u32>(at) & ENTRY_INTERVALS;
  for (let i: u32 = 0; i < intervals; i++) {
    const interval = at + 8 + i * INTERVAL_BYTES;
    intervalCount(changetype<Index>(key.index), load<u32>(interval), load<f64>(interval, 4), -1);
  }
  memory.copy(at, at + bytes, end - at - bytes);
  key.listBytes -= <u16>bytes;
  if (key.listBytes !== 0) return;
  roomGive(key.listAt, key.listRoom);
  key.listAt = key.listRoom = 0;
}
