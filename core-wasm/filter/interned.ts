/**
 * Texts that a module has numbers for: its own constants only. Values of events are looked up and never inserted, so traffic
 * cannot fill the table.
 */

import { bytesEqual, hashBytes } from "../memory/bytes";
import { heapCopy, heapGive, heapTake } from "../memory/heap";
import { Map64, mapFind, mapFree, mapNew, mapSet } from "../memory/map";
import { INTERNED_BYTES_MAX, INTERNED_MAX } from "./abi";

/** The texts of one decider: addresses of Texts by number − 1, and by hash. */
@unmanaged
export class Interned {
  map: u32;
  textsAt: u32;
  count: u32;
}

@unmanaged
class Text {
  at: u32;
  bytes: u32;
  number: u32;
  /** Next text with the same hash. */
  next: u32;
}

/** The number of a text, 0 where the module has none for it. */
export function internedFind(interned: Interned, at: u32, bytes: u32): u32 {
  if (interned.count === 0 || bytes > INTERNED_BYTES_MAX) return 0;
  return find(interned, hashBytes(at, bytes), at, bytes);
}

function find(interned: Interned, hash: u64, at: u32, bytes: u32): u32 {
  for (let text = mapFind(changetype<Map64>(interned.map), hash); text !== 0; text = changetype<Text>(text).next) {
    const found = changetype<Text>(text);
    if (bytesEqual(found.at, found.bytes, at, bytes)) return found.number;
  }
  return 0;
}

/** The number of a text, a new one where it has none; 0 where there are too many, or memory is used up. */
export function internedTake(interned: Interned, at: u32, bytes: u32): u32 {
  if (bytes > INTERNED_BYTES_MAX) return 0;
  if (interned.map === 0) interned.map = mapNew();
  if (interned.textsAt === 0) interned.textsAt = heapTake(INTERNED_MAX * 4);
  if (interned.map === 0 || interned.textsAt === 0) return 0;
  const hash = hashBytes(at, bytes);
  const known = find(interned, hash, at, bytes);
  if (known !== 0 || interned.count === INTERNED_MAX) return known;
  const address = heapTake(offsetof<Text>());
  if (address === 0) return 0;
  const text = changetype<Text>(address);
  text.next = mapFind(changetype<Map64>(interned.map), hash);
  text.at = heapCopy(at, bytes);
  text.bytes = bytes;
  if ((text.at === 0 && bytes !== 0) || !mapSet(changetype<Map64>(interned.map), hash, address)) {
    if (text.at !== 0) heapGive(text.at, bytes);
    heapGive(address, offsetof<Text>());
    return 0;
  }
  store<u32>(interned.textsAt + interned.count * 4, address);
  text.number = ++interned.count;
  return text.number;
}

/** Frees all texts. */
export function internedFree(interned: Interned): void {
  for (let i: u32 = 0; i < interned.count; i++) {
    const text = changetype<Text>(load<u32>(interned.textsAt + i * 4));
    if (text.at !== 0) heapGive(text.at, text.bytes);
    heapGive(changetype<u32>(text), offsetof<Text>());
  }
  if (interned.textsAt !== 0) heapGive(interned.textsAt, INTERNED_MAX * 4);
  if (interned.map !== 0) mapFree(interned.map);
  interned.map = interned.textsAt = interned.count = 0;
}
