/**
 * A hash map from u64 keys to u32 values: linear probing, at most 3/4 full, backward shift on removal.
 *
 * Keys are mixed once more on their way to a slot, so that pairs of small numbers do as well as hashes.
 * Value 0 means "not there". Source of the removal rule: Knuth, TAOCP vol. 3, 6.4, algorithm R.
 */
import { heapGive, heapTakeZero } from "./heap";

const SLOT_BYTES: u32 = 16;
const SLOTS_MIN: u32 = 16;

/** A map: slots of u64 key, u32 value, u32 unused. */
@unmanaged
export class Map64 {
  at: u32;
  mask: u32;
  count: u32;
}

/** Makes an empty map; 0 where memory is used up. */
export function mapNew(): u32 {
  const at = heapTakeZero(offsetof<Map64>());
  if (at === 0) return 0;
  const map = changetype<Map64>(at);
  map.at = heapTakeZero(SLOTS_MIN * SLOT_BYTES);
  map.mask = SLOTS_MIN - 1;
  return map.at === 0 ? 0 : at;
}

function slotOf(map: Map64, key: u64): u32 {
  const mixed = (key ^ (key >> 29)) * 0x9e3779b97f4a7c15;
  return <u32>(mixed >> 32) & map.mask;
}

/** The value of a key, 0 where it is not there. */
export function mapFind(map: Map64, key: u64): u32 {
  let slot = slotOf(map, key);
  while (true) {
    const at = map.at + slot * SLOT_BYTES;
    const value = load<u32>(at, 8);
    if (value === 0) return 0;
    if (load<u64>(at) === key) return value;
    slot = (slot + 1) & map.mask;
  }
}

/** Sets a key's value (not 0). Returns false where memory is used up. */
export function mapSet(map: Map64, key: u64, value: u32): bool {
  if ((map.count + 1) * 4 > (map.mask + 1) * 3 && !mapGrow(map)) return false;
  let slot = slotOf(map, key);
  while (true) {
    const at = map.at + slot * SLOT_BYTES;
    const present = load<u32>(at, 8);
    if (present === 0 || load<u64>(at) === key) {
      if (present === 0) map.count++;
      store<u64>(at, key);
      store<u32>(at, value, 8);
      return true;
    }
    slot = (slot + 1) & map.mask;
  }
}

function mapGrow(map: Map64): bool {
  const oldAt = map.at;
  const oldSlots = map.mask + 1;
  const at = heapTakeZero(oldSlots * 2 * SLOT_BYTES);
  if (at === 0) return false;
  map.at = at;
  map.mask = oldSlots * 2 - 1;
  map.count = 0;
  for (let i: u32 = 0; i < oldSlots; i++) {
    const from = oldAt + i * SLOT_BYTES;
    const value = load<u32>(from, 8);
    if (value !== 0) mapSet(map, load<u64>(from), value);
  }
  heapGive(oldAt, oldSlots * SLOT_BYTES);
  return true;
}

/** Removes a key, if it is there. */
export function mapDelete(map: Map64, key: u64): void {
  let hole = slotOf(map, key);
  while (true) {
    const at = map.at + hole * SLOT_BYTES;
    if (load<u32>(at, 8) === 0) return;
    if (load<u64>(at) === key) break;
    hole = (hole + 1) & map.mask;
  }
  map.count--;
  let next = hole;
  while (true) {
    next = (next + 1) & map.mask;
    const nextAt = map.at + next * SLOT_BYTES;
    if (load<u32>(nextAt, 8) === 0) break;
    const home = slotOf(map, load<u64>(nextAt));
    // An entry may fill the hole only if its home does not lie behind the hole.
    if (((next - home) & map.mask) >= ((next - hole) & map.mask)) {
      memory.copy(map.at + hole * SLOT_BYTES, nextAt, SLOT_BYTES);
      hole = next;
    }
  }
  store<u32>(map.at + hole * SLOT_BYTES, 0, 8);
}

/** Frees a map; what its values stand for is the caller's. */
export function mapFree(at: u32): void {
  const map = changetype<Map64>(at);
  if (map.at !== 0) heapGive(map.at, (map.mask + 1) * SLOT_BYTES);
  heapGive(at, offsetof<Map64>());
}
