/**
 * A bounded memory of keys, each with a value and an end: what `unique` has seen, and who asked (`reply`).
 *
 * Keys are remembered as 64-bit hashes of a seeded function: two of a million keys collide once in 10⁷ runs. All stay
 * equally long, so the ring below is in the order of their ends, and the oldest is the first to go.
 *
 *   ring  ┌─────┬─────┬─────┬─────┐      map: hash ─▶ turn        slot of a turn = turn & (capacity − 1)
 *         │ ... │ tail│ ... │ head│      turns count up and wrap; a slot whose hash points to another turn is dead
 *         └─────┴─────┴─────┴─────┘
 */
import { heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapFree, mapNew, mapSet } from "../memory/map";

/** The memory of one route. */
@unmanaged
export class Recent {
  withinMs: f64;
  map: u32;
  ringAt: u32;
  capacity: u32;
  /** Most keys that it may keep. */
  keysMax: u32;
  /** Turn of the oldest slot, and how many slots are in use, dead ones too. */
  tail: u32;
  used: u32;
  /** Keys forgotten for want of room, since it was made. */
  evicted: u32;
}

@unmanaged
class Slot {
  hash: u64;
  untilMs: f64;
  value: u32;
  reserved: u32;
}
const SLOT_BYTES: u32 = offsetof<Slot>();
const CAPACITY_MIN: u32 = 16;
/** How many of the oldest are looked at per call: a burst that ends at once is forgotten in steps. */
const SWEEP: u32 = 8;

/** Makes an empty memory; 0 where memory is used up. */
export function recentNew(withinMs: f64, keysMax: u32): u32 {
  const at = heapTakeZero(offsetof<Recent>());
  if (at === 0) return 0;
  const recent = changetype<Recent>(at);
  recent.map = mapNew();
  recent.ringAt = heapTake(CAPACITY_MIN * SLOT_BYTES);
  recent.capacity = CAPACITY_MIN;
  recent.withinMs = withinMs;
  recent.keysMax = keysMax;
  if (recent.map !== 0 && recent.ringAt !== 0) return at;
  recentFree(at);
  return 0;
}

/** Frees a memory; parts of it may be missing. */
export function recentFree(at: u32): void {
  if (at === 0) return;
  const recent = changetype<Recent>(at);
  if (recent.map !== 0) mapFree(recent.map);
  if (recent.ringAt !== 0) heapGive(recent.ringAt, recent.capacity * SLOT_BYTES);
  heapGive(at, offsetof<Recent>());
}

/** Keys that are remembered now, those that are past and not swept yet included. */
export function recentKeys(at: u32): u32 {
  return at === 0 ? 0 : changetype<Map64>(changetype<Recent>(at).map).count;
}

function slotOf(recent: Recent, turn: u32): Slot {
  return changetype<Slot>(recent.ringAt + (turn & (recent.capacity - 1)) * SLOT_BYTES);
}

/** The value of a key that is remembered at `now`, 0 where it is not. */
export function recentFind(at: u32, hash: u64, now: f64): u32 {
  const recent = changetype<Recent>(at);
  const turn = mapFind(changetype<Map64>(recent.map), hash);
  if (turn === 0) return 0;
  const slot = slotOf(recent, turn);
  return slot.untilMs > now ? slot.value : 0;
}

/** Forgets the oldest slot. */
function shift(recent: Recent): void {
  const slot = slotOf(recent, recent.tail);
  const map = changetype<Map64>(recent.map);
  if (mapFind(map, slot.hash) === recent.tail) mapDelete(map, slot.hash);
  recent.tail++;
  recent.used--;
}

function grow(recent: Recent): bool {
  const capacity = recent.capacity * 2;
  const ringAt = heapTake(capacity * SLOT_BYTES);
  if (ringAt === 0) return false;
  for (let i: u32 = 0; i < recent.used; i++) {
    const turn = recent.tail + i;
    memory.copy(ringAt + (turn & (capacity - 1)) * SLOT_BYTES, changetype<u32>(slotOf(recent, turn)), SLOT_BYTES);
  }
  heapGive(recent.ringAt, recent.capacity * SLOT_BYTES);
  recent.ringAt = ringAt;
  recent.capacity = capacity;
  return true;
}

/** Remembers a key with a value that is not 0 from `now` on; one that is there begins anew. */
export function recentAdd(at: u32, hash: u64, value: u32, now: f64): void {
  const recent = changetype<Recent>(at);
  const map = changetype<Map64>(recent.map);
  for (let i: u32 = 0; i < SWEEP && recent.used !== 0 && slotOf(recent, recent.tail).untilMs <= now; i++) shift(recent);
  // Turn 0 would read as "not there" in the map: its slot is a dead one.
  if (recent.tail + recent.used === 0) {
    slotOf(recent, 0).hash = 0;
    slotOf(recent, 0).untilMs = 0;
    recent.used++;
  }
  while (recent.used >= recent.keysMax || (recent.used === recent.capacity && !grow(recent))) evict(recent, now);
  const turn = recent.tail + recent.used;
  if (!mapSet(map, hash, turn)) {
    recent.evicted++;
    return;
  }
  const slot = slotOf(recent, turn);
  slot.hash = hash;
  slot.untilMs = now + recent.withinMs;
  slot.value = value;
  recent.used++;
}

function evict(recent: Recent, now: f64): void {
  const slot = slotOf(recent, recent.tail);
  const lives = slot.untilMs > now && mapFind(changetype<Map64>(recent.map), slot.hash) === recent.tail;
  if (lives) recent.evicted++;
  shift(recent);
}
