/**
 * Interned event types: the constants of `types` filters, reference-counted. The type of an event is looked up and
 * never inserted, so that no publisher can fill the table.
 *
 * A set of types is a heap block: u32 count, then count numbers. One type's record: see TypeName.
 */
import { STATUS_LIMIT, STATUS_OK, STATUS_STORE_FULL, STATUS_TYPE_TOO_LONG, TYPE_BYTES_MAX, TYPES_MAX } from "../abi";
import { bytesEqual, hashBytes } from "../memory/bytes";
import { heapGive, heapTake } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";
import { resultStatus } from "../result";

@unmanaged
class TypeName {
  /** Next name with the same hash. */
  next: u32;
  references: u32;
  hash: u64;
  bytes: u32;
  /** The name follows. */
}
const NAME_OFFSET: u32 = 20;

let names: u32 = 0;

/** Forgets all types. Returns false where memory is too small. */
export function typesInit(): bool {
  names = mapNew();
  return names !== 0;
}

function typeNameFind(at: u32, bytes: u32, hash: u64): u32 {
  let name = mapFind(changetype<Map64>(names), hash);
  while (name !== 0) {
    if (bytesEqual(name + NAME_OFFSET, changetype<TypeName>(name).bytes, at, bytes)) return name;
    name = changetype<TypeName>(name).next;
  }
  return 0;
}

/** The number of an event's type, 0 if no filter names it. */
export function typeLookup(at: u32, bytes: u32): u32 {
  if (changetype<Map64>(names).count === 0) return 0;
  return typeNameFind(at, bytes, hashBytes(at, bytes));
}

function typeIntern(at: u32, bytes: u32): u32 {
  const hash = hashBytes(at, bytes);
  const found = typeNameFind(at, bytes, hash);
  if (found !== 0) {
    changetype<TypeName>(found).references++;
    return found;
  }
  const block = heapTake(NAME_OFFSET + bytes);
  if (block === 0) return 0;
  const map = changetype<Map64>(names);
  const name = changetype<TypeName>(block);
  name.next = mapFind(map, hash);
  name.references = 1;
  name.hash = hash;
  name.bytes = bytes;
  memory.copy(block + NAME_OFFSET, at, bytes);
  if (!mapSet(map, hash, block)) {
    heapGive(block, NAME_OFFSET + bytes);
    return 0;
  }
  return block;
}

function typeRelease(block: u32): void {
  const name = changetype<TypeName>(block);
  if (--name.references !== 0) return;
  const map = changetype<Map64>(names);
  const first = mapFind(map, name.hash);
  if (first === block) {
    if (name.next === 0) mapDelete(map, name.hash);
    else mapSet(map, name.hash, name.next);
  } else {
    let previous = first;
    while (changetype<TypeName>(previous).next !== block) previous = changetype<TypeName>(previous).next;
    changetype<TypeName>(previous).next = name.next;
  }
  heapGive(block, NAME_OFFSET + name.bytes);
}

/** The set made by the last typeSetNew(), 0 for "any". */
export let typeSetMade: u32 = 0;

/** Makes a set from `count` names (u16 length + bytes each) at `at`. Returns a status; the set is typeSetMade. */
export function typeSetNew(at: u32, count: u32): u32 {
  typeSetMade = 0;
  if (count === 0) return STATUS_OK;
  if (count > TYPES_MAX) return resultStatus(STATUS_LIMIT, count, TYPES_MAX);
  const set = heapTake(4 + count * 4);
  if (set === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  for (let i: u32 = 0; i < count; i++) {
    const bytes = <u32>load<u16>(at);
    const type = bytes > TYPE_BYTES_MAX ? 0 : typeIntern(at + 2, bytes);
    if (type === 0) {
      for (let k: u32 = 0; k < i; k++) typeRelease(load<u32>(set + 4 + k * 4));
      heapGive(set, 4 + count * 4);
      return resultStatus(bytes > TYPE_BYTES_MAX ? STATUS_TYPE_TOO_LONG : STATUS_STORE_FULL, bytes, TYPE_BYTES_MAX);
    }
    store<u32>(set + 4 + i * 4, type);
    at += 2 + bytes;
  }
  store<u32>(set, count);
  typeSetMade = set;
  return STATUS_OK;
}

/** Gives a set back (0: nothing). */
export function typeSetRelease(set: u32): void {
  if (set === 0) return;
  const count = load<u32>(set);
  for (let i: u32 = 0; i < count; i++) typeRelease(load<u32>(set + 4 + i * 4));
  heapGive(set, 4 + count * 4);
}

/** Whether a set takes a type; set 0 takes any. */
export function typeSetTakes(set: u32, type: u32): bool {
  if (set === 0) return true;
  if (type === 0) return false;
  const end = set + 4 + load<u32>(set) * 4;
  for (let at = set + 4; at < end; at += 4) {
    if (load<u32>(at) === type) return true;
  }
  return false;
}
