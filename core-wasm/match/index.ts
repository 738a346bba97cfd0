/**
 * The index of a channel's sinks by the access key of their expressions (expression/access.ts): an event asks each name that
 * some key has for its value, and finds the sinks that want that value. All others cost nothing.
 *
 *   (name, value) ── hash ──▶ bucket: Sink Sink Sink …      each sink is in one bucket, and its program is still run
 *
 * A value equals a constant only after a cast to the constant's type, so a name is asked once per type that its keys have.
 * Hashes that collide share a bucket, which costs time and nothing else. One map serves all channels.
 */
import { grownAt, grownCapacity, SINK_BYTES, Sink, sinksGrow } from "../channel/channel";
import { TYPE_BOOLEAN, TYPE_INTEGER, TYPE_MISSING, TYPE_NUMBER, TYPE_TEXT } from "../expression/code";
import { constantAt, nameAt } from "../expression/layout";
import { outcomeBegin } from "../expression/outcome";
import { Program } from "../expression/program";
import { eventValuePut } from "../expression/run";
import { scratchReset } from "../expression/scratch";
import {
  castBoolean,
  castFailed,
  castNumeric,
  castText,
  numberOf,
  textAt,
  textBytes,
  typeOf,
} from "../expression/stack";
import { hashBytes } from "../memory/bytes";
import { heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";

/** The names that keys of one channel have. */
@unmanaged
export class Index {
  /** Array of KeyName records. */
  namesAt: u32;
  names: u32;
  capacity: u32;
}

/** A name that keys have, and how many keys by the type of their constant. */
@unmanaged
class KeyName {
  /** Number in the view, and FIELD_…. */
  number: u32;
  field: u32;
  texts: u32;
  numbers: u32;
  booleans: u32;
}
const NAME_BYTES: u32 = offsetof<KeyName>();

/** Sinks with one key. */
@unmanaged
class Bucket {
  sinksAt: u32;
  sinks: u32;
  capacity: u32;
}

let buckets: u32 = 0;

/** Forgets all keys. Returns false where memory is too small. */
export function indexInit(): bool {
  buckets = mapNew();
  return buckets !== 0;
}

/** Mixed into the hash of a value, so that every channel, name and type has keys of its own. */
function salt(index: u32, number: u32, field: u32, type: u32): u64 {
  const name = ((<u64>index) << 32) | (number << 8) | (field << 4) | type;
  return name * 0x9e3779b97f4a7c15;
}

/** Hash of a constant, of the very bytes that keyOfValue() hashes for an equal value. */
function keyOfConstant(index: u32, number: u32, field: u32, program: u32, constant: u32): u64 {
  const type = <u32>load<u8>(constant);
  if (type === TYPE_TEXT)
    return salt(index, number, field, TYPE_TEXT) ^ hashBytes(program + load<u32>(constant, 8), load<u32>(constant, 12));
  if (type === TYPE_BOOLEAN) return salt(index, number, field, TYPE_BOOLEAN) ^ (load<u64>(constant, 8) + 1);
  const value = type === TYPE_INTEGER ? <f64>load<i64>(constant, 8) : load<f64>(constant, 8);
  return keyOfNumber(index, number, field, value);
}

function keyOfNumber(index: u32, number: u32, field: u32, value: f64): u64 {
  // -0 equals 0.
  return salt(index, number, field, TYPE_NUMBER) ^ (reinterpret<u64>(value + 0.0) * 0xc4ceb9fe1a85ec53);
}

/** Where the numbers of a key's name stand: set by keyRead(). */
let keyNumber: u32 = 0;
let keyField: u32 = 0;
let keyType: u32 = 0;

/** The key of a program that has one, in the index at `index`. */
function keyRead(index: u32, program: Program): u64 {
  const name = program.accessName - 1;
  const constant = constantAt(program.at, program.accessConstant);
  keyNumber = load<u32>(program.numbersAt + name * 4);
  keyField = load<u8>(nameAt(program.at, name), 1);
  keyType = load<u8>(constant);
  return keyOfConstant(index, keyNumber, keyField, program.at, constant);
}

/** Makes an index; 0 where memory is used up. */
export function indexNew(): u32 {
  return heapTakeZero(offsetof<Index>());
}

/** Frees an index that has no sinks any more. */
export function indexFree(at: u32): void {
  const index = changetype<Index>(at);
  if (index.namesAt !== 0) heapGive(index.namesAt, index.capacity * NAME_BYTES);
  heapGive(at, offsetof<Index>());
}

/** Adds a sink whose `where` has a key. Returns false where memory is used up; then nothing has changed. */
export function indexAdd(at: u32, sink: u32): bool {
  const key = keyRead(at, changetype<Program>(changetype<Sink>(sink).where));
  const map = changetype<Map64>(buckets);
  const name = nameTake(changetype<Index>(at));
  if (name === 0) return false;
  let address = mapFind(map, key);
  if (address === 0) {
    address = heapTakeZero(offsetof<Bucket>());
    if (address === 0) return false;
    if (!mapSet(map, key, address)) {
      heapGive(address, offsetof<Bucket>());
      return false;
    }
  }
  const bucket = changetype<Bucket>(address);
  if (!sinksGrow(bucket.sinksAt, bucket.sinks, bucket.capacity)) {
    if (bucket.sinks === 0) bucketDrop(key, address);
    return false;
  }
  bucket.sinksAt = grownAt;
  bucket.capacity = grownCapacity;
  memory.copy(bucket.sinksAt + bucket.sinks++ * SINK_BYTES, sink, SINK_BYTES);
  count(changetype<KeyName>(name), 1);
  return true;
}

/** Removes a sink that was added. */
export function indexRemove(at: u32, sink: u32): void {
  const key = keyRead(at, changetype<Program>(changetype<Sink>(sink).where));
  const address = mapFind(changetype<Map64>(buckets), key);
  const bucket = changetype<Bucket>(address);
  const member = changetype<Sink>(sink).member;
  const last = bucket.sinksAt + (bucket.sinks - 1) * SINK_BYTES;
  let found = bucket.sinksAt;
  while (changetype<Sink>(found).member !== member) found += SINK_BYTES;
  memory.copy(found, last, SINK_BYTES);
  if (--bucket.sinks === 0) bucketDrop(key, address);
  count(changetype<KeyName>(nameFind(changetype<Index>(at))), -1);
}

/** Frees a bucket that is empty. */
function bucketDrop(key: u64, address: u32): void {
  const bucket = changetype<Bucket>(address);
  if (bucket.sinksAt !== 0) heapGive(bucket.sinksAt, bucket.capacity * SINK_BYTES);
  mapDelete(changetype<Map64>(buckets), key);
  heapGive(address, offsetof<Bucket>());
}

/** The record of the name of the key that was read last, 0 where there is none. */
function nameFind(index: Index): u32 {
  const end = index.namesAt + index.names * NAME_BYTES;
  for (let at = index.namesAt; at < end; at += NAME_BYTES) {
    const name = changetype<KeyName>(at);
    if (name.number === keyNumber && name.field === keyField) return at;
  }
  return 0;
}

/** The same, made where there is none. */
function nameTake(index: Index): u32 {
  const found = nameFind(index);
  if (found !== 0) return found;
  if (index.names === index.capacity) {
    const capacity: u32 = index.capacity === 0 ? 4 : index.capacity * 2;
    const at = heapTake(capacity * NAME_BYTES);
    if (at === 0) return 0;
    if (index.namesAt !== 0) {
      memory.copy(at, index.namesAt, index.names * NAME_BYTES);
      heapGive(index.namesAt, index.capacity * NAME_BYTES);
    }
    index.namesAt = at;
    index.capacity = capacity;
  }
  const address = index.namesAt + index.names++ * NAME_BYTES;
  const name = changetype<KeyName>(address);
  name.number = keyNumber;
  name.field = keyField;
  name.texts = name.numbers = name.booleans = 0;
  return address;
}

/** Counts a key of the name by its type. Names without keys stay: they cost one look per event, and often come back. */
function count(name: KeyName, change: i32): void {
  if (keyType === TYPE_TEXT) name.texts += change;
  else if (keyType === TYPE_BOOLEAN) name.booleans += change;
  else name.numbers += change;
}

/** The value of a name, and a copy that is cast. */
const valueAt: u32 = <u32>memory.data(16);
const castAt: u32 = <u32>memory.data(16);

/** Buckets found by indexLook(), up to one per type. */
export let found0: u32 = 0;
export let found1: u32 = 0;
export let found2: u32 = 0;

/** Looks up the sinks that want what the event of the view has in the name at `place` of an index. */
export function indexLook(at: u32, place: u32): void {
  found0 = found1 = found2 = 0;
  const name = changetype<KeyName>(changetype<Index>(at).namesAt + place * NAME_BYTES);
  if ((name.texts | name.numbers | name.booleans) === 0) return;
  const map = changetype<Map64>(buckets);
  outcomeBegin(false);
  scratchReset();
  eventValuePut(valueAt, name.field, name.number);
  if (typeOf(valueAt) === TYPE_MISSING) return;
  if (name.texts !== 0) {
    memory.copy(castAt, valueAt, 16);
    castText(castAt);
    if (!castFailed)
      found0 = mapFind(
        map,
        salt(at, name.number, name.field, TYPE_TEXT) ^ hashBytes(textAt(castAt), textBytes(castAt)),
      );
  }
  if (name.numbers !== 0) {
    memory.copy(castAt, valueAt, 16);
    castNumeric(castAt);
    if (!castFailed) found1 = mapFind(map, keyOfNumber(at, name.number, name.field, numberOf(castAt)));
  }
  if (name.booleans !== 0) {
    const value: u64 = castBoolean(valueAt) ? 2 : 1;
    if (!castFailed) found2 = mapFind(map, salt(at, name.number, name.field, TYPE_BOOLEAN) ^ value);
  }
}

/** First Sink of a bucket. */
export function bucketSinks(bucket: u32): u32 {
  return changetype<Bucket>(bucket).sinksAt;
}

/** Behind the last Sink of a bucket. */
export function bucketEnd(bucket: u32): u32 {
  return changetype<Bucket>(bucket).sinksAt + changetype<Bucket>(bucket).sinks * SINK_BYTES;
}
