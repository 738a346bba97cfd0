/**
 * Names of attributes that expressions ask for, as small numbers. Counted: a name that no program uses any more is gone.
 * Names that come with events are looked up and never inserted, so traffic cannot fill the table.
 */
import { bytesEqual, hashBytes } from "../memory/bytes";
import { heapCopy, heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";

/** Distinct names of all programs together; the view has a slot for each. */
export const NAMES_MAX: u32 = 65535;
/** A name: `number` is its slot in the view. */
@unmanaged
class Name {
  number: u32;
  references: u32;
  at: u32;
  bytes: u32;
  /** Next name with the same hash. */
  next: u32;
}

let names: u32 = 0;
/** Highest number ever given, and the numbers that are free again (u32 each). */
export let namesHigh: u32 = 0;
/** Counts names that came and went. */
export let namesChanged: u32 = 0;
let freeAt: u32 = 0;
let freeCount: u32 = 0;

/** Which of 64 sorts of names are there, as bits, and how many of each: most names of events need no hash to be told apart. */
let sorts: u64 = 0;
const sortsAt: u32 = <u32>memory.data(256);

function sortOf(at: u32, bytes: u32): u32 {
  return bytes === 0 ? 0 : (<u32>load<u8>(at) * 5 + <u32>load<u8>(at + bytes - 1) * 3 + bytes) & 63;
}

function sortCount(sort: u32, change: i32): void {
  const count = load<u32>(sortsAt + sort * 4) + change;
  store<u32>(sortsAt + sort * 4, count);
  const bit = (<u64>1) << sort;
  if (count === 0) sorts &= ~bit;
  else sorts |= bit;
}

/** Forgets all names. Returns false where memory is too small. */
export function namesInit(): bool {
  namesHigh = freeCount = freeAt = 0;
  sorts = 0;
  memory.fill(sortsAt, 0, 256);
  memory.fill(lastAt, 0, 256);
  names = mapNew();
  return names !== 0;
}

/** The name of each sort that was looked up last: events mostly have the names of the event before. */
const lastAt: u32 = <u32>memory.data(256);

/** The number of a name that some program uses, 0 for others. */
export function nameLookup(at: u32, bytes: u32): u32 {
  const sort = sortOf(at, bytes);
  if (((sorts >> sort) & 1) === 0) return 0;
  const last = load<u32>(lastAt + sort * 4);
  if (last !== 0 && bytesEqual(changetype<Name>(last).at, changetype<Name>(last).bytes, at, bytes))
    return changetype<Name>(last).number;
  let name = mapFind(changetype<Map64>(names), hashBytes(at, bytes));
  while (name !== 0) {
    const found = changetype<Name>(name);
    if (bytesEqual(found.at, found.bytes, at, bytes)) {
      store<u32>(lastAt + sort * 4, name);
      return found.number;
    }
    name = found.next;
  }
  return 0;
}

/** Counts one more use of a name; returns its number, 0 where there are too many or memory is used up. */
export function nameTake(at: u32, bytes: u32): u32 {
  const hash = hashBytes(at, bytes);
  const map = changetype<Map64>(names);
  const first = mapFind(map, hash);
  for (let name = first; name !== 0; name = changetype<Name>(name).next) {
    const found = changetype<Name>(name);
    if (!bytesEqual(found.at, found.bytes, at, bytes)) continue;
    found.references++;
    return found.number;
  }
  if (freeAt === 0) freeAt = heapTake(NAMES_MAX * 4);
  if (freeAt === 0 || (freeCount === 0 && namesHigh === NAMES_MAX)) return 0;
  const address = heapTakeZero(offsetof<Name>());
  if (address === 0) return 0;
  const name = changetype<Name>(address);
  name.at = heapCopy(at, bytes);
  if ((name.at === 0 && bytes !== 0) || !mapSet(map, hash, address)) {
    if (name.at !== 0) heapGive(name.at, bytes);
    heapGive(address, offsetof<Name>());
    return 0;
  }
  name.bytes = bytes;
  name.next = first;
  name.references = 1;
  namesChanged++;
  sortCount(sortOf(at, bytes), 1);
  name.number = freeCount !== 0 ? load<u32>(freeAt + --freeCount * 4) : ++namesHigh;
  return name.number;
}

/** Counts one use less. */
export function nameRelease(at: u32, bytes: u32): void {
  const hash = hashBytes(at, bytes);
  const map = changetype<Map64>(names);
  let previous: u32 = 0;
  for (let address = mapFind(map, hash); address !== 0; address = changetype<Name>(address).next) {
    const name = changetype<Name>(address);
    if (!bytesEqual(name.at, name.bytes, at, bytes)) {
      previous = address;
      continue;
    }
    if (--name.references !== 0) return;
    namesChanged++;
    if (previous !== 0) changetype<Name>(previous).next = name.next;
    else if (name.next !== 0) mapSet(map, hash, name.next);
    else mapDelete(map, hash);
    sortCount(sortOf(at, bytes), -1);
    memory.fill(lastAt, 0, 256);
    store<u32>(freeAt + freeCount++ * 4, name.number);
    heapGive(name.at, name.bytes);
    heapGive(address, offsetof<Name>());
    return;
  }
}
