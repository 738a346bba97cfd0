/**
 * Filing sinks: each conjunction of what a sink wants becomes one entry under the key that fewest others have.
 *
 *   a value that must be equal  >  a type of `types`  >  a number that must be there  >  always
 *
 * Keys of values are compared by how many entries they have now; what is there later does not move what is filed.
 */
import { Member } from "../../channel/member";
import { CONJUNCTIONS_MAX, conjunctionLoose, conjunctionSet, conjunctionsRead } from "../../expression/conjunctions";
import { KIND_NUMBER, KIND_PREFIX, KIND_TEXT, predicateAt } from "../../expression/predicates";
import { Program } from "../../expression/program";
import { Columns, columnsAdd, columnsInit, columnsMapBytes, columnsRemove } from "./columns";
import {
  draftAdd,
  draftAt,
  draftBegin,
  draftDrop,
  draftIntervals,
  draftNever,
  placeOf,
  textBytesOf,
  textOf,
} from "./draft";
import { ENTRY_PROGRAM, ENTRY_SEVERAL, ENTRY_TYPES, entryBytes, Filing } from "./entry";
import {
  Key,
  keyDrop,
  keyFindNumber,
  keyFindText,
  keysInit,
  keysMapBytes,
  keyTakeNumber,
  keyTakeOther,
  keyTakeText,
  PLACE_ALWAYS,
  PLACE_TYPE,
} from "./keys";
import { listAdd, listRemove, listTakes } from "./list";
import { Index, NO_PLACE } from "./places";
import { roomBytes, roomGive, roomInit, roomTake } from "./room";

/** Most entries of one sink, types × conjunctions; beyond, its types are asked and no keys. */
const ENTRIES_MAX: u32 = 64;

/** Forgets all indexes. Returns false where memory is too small. */
export function indexInit(): bool {
  roomInit();
  return keysInit() && columnsInit();
}

/** Bytes that all indexes take. */
export function indexBytes(): u32 {
  return roomBytes + keysMapBytes() + columnsMapBytes();
}

/** The first Filing of what fileSink() filed, 0: nothing, no event can pass. */
export let filed: u32 = 0;
let indexAt: u32 = 0;
let programAt: u32 = 0;
let memberAt: u32 = 0;
let bits: u32 = 0;

/** Files a member with that set of types and that program, 0: none. Returns false where memory is used up; then nothing is filed. */
export function fileSink(index: u32, member: u32, types: u32, where: u32): bool {
  filed = 0;
  indexAt = index;
  programAt = where;
  memberAt = member;
  const conjunctions: u32 = where === 0 ? 1 : conjunctionsRead(changetype<Program>(where).at);
  const names: u32 = types === 0 ? 0 : load<u32>(types);
  let byTypes = false;
  let plainly = false;
  for (let i: u32 = 0; i < conjunctions; i++) {
    const set: u32 = where === 0 ? 0 : answerable(i);
    if (!hasValue(set)) byTypes = true;
    if (set === 0) plainly = true;
  }
  byTypes = byTypes && names !== 0 && names * conjunctions <= ENTRIES_MAX;
  // Where one part has no key at all, every event asks the sink anyway.
  if (plainly && !byTypes) {
    bits = where !== 0 && (conjunctions !== 1 || conjunctionLoose(0) || conjunctionSet(0) !== 0) ? ENTRY_PROGRAM : 0;
    if (types !== 0) bits |= ENTRY_TYPES;
    return fileOne(keyTakeOther(changetype<Index>(index), PLACE_ALWAYS), 0) || unfiled();
  }
  const several = (byTypes ? names : 1) * conjunctions > 1;
  for (let i: u32 = 0; i < conjunctions; i++) {
    bits = (where !== 0 && conjunctionLoose(i) ? ENTRY_PROGRAM : 0) | (several ? ENTRY_SEVERAL : 0);
    const set: u32 = where === 0 ? 0 : answerable(i);
    if (byTypes) {
      const common = bits;
      for (let k: u32 = 0; k < names; k++) {
        bits = common;
        const key = keyTakeNumber(index, PLACE_TYPE, <f64>load<u32>(types + 4 + k * 4));
        if (!fileOne(key, set)) return unfiled();
      }
    } else {
      if (types !== 0) bits |= ENTRY_TYPES;
      const by = rarest(set);
      if (!fileOne(keyBy(by, set), by === NONE ? set : set & ~((<u32>1) << by))) return unfiled();
    }
  }
  return true;
}

function unfiled(): bool {
  unfile(filed);
  filed = 0;
  return false;
}

const NONE: u32 = 0xff;

/** The predicates of a conjunction that the index can answer; the others are left to the program. */
function answerable(index: u32): u32 {
  const all = conjunctionSet(index);
  let set = all;
  for (let rest = all; rest !== 0; rest &= rest - 1) {
    const number = ctz<u32>(rest);
    if (predicateAt(number).kind === KIND_PREFIX) set &= ~((<u32>1) << number);
  }
  if (set !== all) bits |= ENTRY_PROGRAM;
  return set;
}

/** Whether some value must be equal. */
function hasValue(set: u32): bool {
  for (; set !== 0; set &= set - 1) if (isValue(ctz<u32>(set))) return true;
  return false;
}

function isValue(number: u32): bool {
  const predicate = predicateAt(number);
  return predicate.kind !== KIND_NUMBER || predicate.low === predicate.high;
}

/** The predicate of a set by whose value fewest sinks are found, NONE where it has none. */
function rarest(set: u32): u32 {
  let best = NONE;
  let fewest: u32 = 0xffffffff;
  for (; set !== 0; set &= set - 1) {
    const number = ctz<u32>(set);
    if (!isValue(number)) continue;
    const predicate = predicateAt(number);
    const program = changetype<Program>(programAt);
    const place = placeOf(indexAt, program, predicate);
    if (place === NO_PLACE) continue;
    const key =
      predicate.kind === KIND_TEXT
        ? keyFindText(indexAt, place, textOf(program, predicate), textBytesOf(program, predicate))
        : keyFindNumber(indexAt, place, predicate.low);
    const entries: u32 = key === 0 ? 0 : changetype<Key>(key).entries;
    if (entries >= fewest) continue;
    fewest = entries;
    best = number;
  }
  return best;
}

/** The key of a predicate, or where it is NONE that of the first number that must be there; 0 where memory is used up. */
function keyBy(by: u32, set: u32): u32 {
  const program = changetype<Program>(programAt);
  if (by === NONE) {
    const place = set === 0 ? NO_PLACE : lowestPlace(set);
    return keyTakeOther(changetype<Index>(indexAt), place === NO_PLACE ? PLACE_ALWAYS : place);
  }
  const predicate = predicateAt(by);
  const place = placeOf(indexAt, program, predicate);
  if (predicate.kind !== KIND_TEXT) return keyTakeNumber(indexAt, place, predicate.low);
  return keyTakeText(indexAt, place, textOf(program, predicate), textBytesOf(program, predicate));
}

/** Of all sinks with the same places the same one, so that they share columns. */
function lowestPlace(set: u32): u32 {
  let lowest = NO_PLACE;
  for (; set !== 0; set &= set - 1) {
    const place = placeOf(indexAt, changetype<Program>(programAt), predicateAt(ctz<u32>(set)));
    // NO_PLACE is above all others.
    if (place < lowest) lowest = place;
  }
  return lowest;
}

/** Files one entry under a key (0: there was no memory for it) with the intervals of a set. Returns false where memory is used up. */
function fileOne(keyAddress: u32, set: u32): bool {
  if (keyAddress === 0) return false;
  const key = changetype<Key>(keyAddress);
  // Nobody may drop the key while its entry is made.
  key.entries++;
  draftBegin(indexAt);
  for (; set !== 0; set &= set - 1) bits |= draftAdd(changetype<Program>(programAt), ctz<u32>(set));
  const filing = draftNever() ? 0 : roomTake(offsetof<Filing>());
  if (filing === 0 || !place(key, filing)) {
    draftDrop();
    key.entries--;
    keyDrop(keyAddress);
    if (filing !== 0) roomGive(filing, offsetof<Filing>());
    return draftNever();
  }
  const record = changetype<Filing>(filing);
  record.stamp = 0;
  record.next = filed;
  filed = filing;
  return true;
}

function place(key: Key, filing: u32): bool {
  const word = memberAt | bits | draftIntervals();
  store<u32>(draftAt, word);
  store<u32>(draftAt, filing, 4);
  if (key.columnsAt === 0 && listTakes(key, entryBytes(word))) return listAdd(key, draftAt);
  return columnsAdd(key, draftAt);
}

/** Removes a chain of filed entries. */
export function unfile(first: u32): void {
  while (first !== 0) {
    const filing = changetype<Filing>(first);
    const next = filing.next;
    let key = filing.holder;
    if ((key & 1) !== 0) {
      const columns = changetype<Columns>(key & ~1);
      key = columns.key;
      columnsRemove(columns, filing.index);
    } else {
      listRemove(changetype<Key>(key), first);
    }
    changetype<Key>(key).entries--;
    keyDrop(key);
    roomGive(first, offsetof<Filing>());
    first = next;
  }
}

/** Gives a member the entries that were filed last. */
export function filedTake(member: Member): void {
  member.indexed = filed;
  filed = 0;
}

if (CONJUNCTIONS_MAX > ENTRIES_MAX) ERROR("A program may have more conjunctions than a sink entries");
