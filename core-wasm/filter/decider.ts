/**
 * Deciders: filter modules as the core knows them. Which parts of events and sinks one wants to see, the texts that it has
 * numbers for, its table of sinks, and what is counted of it. The module itself is the host's.
 *
 *   Decider ─▶ the text that deciderAdd() took ◀─ Field Field … (attributes)   name name … (columns)
 */
import { STATUS_LIMIT, STATUS_MALFORMED, STATUS_STORE_FULL } from "../abi";
import { FIELDS } from "../expression/code";
import { nameRelease, nameTake } from "../expression/names";
import { viewGrow } from "../expression/view";
import { heapCopy, heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { resultStatus } from "../result";
import { DECIDER_ATTRIBUTES_MAX, DECIDER_COLUMNS_MAX, DECIDER_COUNTERS, DECIDER_HEAD_BYTES } from "./abi";
import { Interned, internedFree } from "./interned";
import { SinkTable, tableFree } from "./sink-table";

/** One module. */
@unmanaged
export class Decider {
  /** Uses by the host, bindings and events that wait; the last one frees it. */
  references: u32;
  /** Bindings and events that wait; while there are any it belongs to a channel, of which this is the address. */
  bindings: u32;
  channel: u32;
  /** Next decider of that channel. */
  next: u32;
  /** As it was given. */
  textAt: u32;
  textBytes: u32;
  /** Most bytes of an event's data. */
  payload: u32;
  attributes: u32;
  /** Field records. */
  fieldsAt: u32;
  /** u32 address and u32 bytes of each column's name. */
  columnsAt: u32;
  /** Number of its channel's name, where it has one. */
  channelText: u32;
  /** Field records that there is room for. */
  fields: u32;
  /** A SinkTable, then Interned, then the counters of both stages. */
}
/** Where an attribute comes from. */
@unmanaged
export class Field {
  /** FIELD_…, and the number of the name in the view. */
  field: u32;
  name: u32;
  at: u32;
  bytes: u32;
}
export const FIELD_BYTES: u32 = offsetof<Field>();
const TABLE_OFFSET: u32 = offsetof<Decider>();
const INTERNED_OFFSET: u32 = TABLE_OFFSET + offsetof<SinkTable>();
const COUNTERS_OFFSET: u32 = (INTERNED_OFFSET + offsetof<Interned>() + 7) & ~7;
const DECIDER_BYTES: u32 = COUNTERS_OFFSET + DECIDER_COUNTERS * 2 * 8;

/** Its table of sinks. */
export function deciderTable(decider: Decider): SinkTable {
  return changetype<SinkTable>(changetype<u32>(decider) + TABLE_OFFSET);
}

/** Its texts. */
export function deciderInterned(decider: Decider): Interned {
  return changetype<Interned>(changetype<u32>(decider) + INTERNED_OFFSET);
}

/** Adds to a counter of a stage. */
export function deciderCount(decider: Decider, stage: u32, counter: u32, by: u32): void {
  const at = changetype<u32>(decider) + COUNTERS_OFFSET + (stage * DECIDER_COUNTERS + counter) * 8;
  store<f64>(at, load<f64>(at) + by);
}

/** A counter of a stage, DECIDER_…. */
export function deciderCounter(decider: Decider, stage: u32, counter: u32): f64 {
  if (stage > 1 || counter >= DECIDER_COUNTERS) return 0;
  return load<f64>(changetype<u32>(decider) + COUNTERS_OFFSET + (stage * DECIDER_COUNTERS + counter) * 8);
}

/** Takes what a module wants to see, as abi.ts draws it; the address, 0 with RESULT_STATUS where it is refused. */
export function deciderNew(at: u32, bytes: u32): u32 {
  const attributes: u32 = bytes < DECIDER_HEAD_BYTES ? 0 : load<u32>(at);
  const columns: u32 = bytes < DECIDER_HEAD_BYTES ? 0 : load<u32>(at, 4);
  if (attributes > DECIDER_ATTRIBUTES_MAX) return refused(STATUS_LIMIT, attributes, DECIDER_ATTRIBUTES_MAX);
  if (columns > DECIDER_COLUMNS_MAX) return refused(STATUS_LIMIT, columns, DECIDER_COLUMNS_MAX);
  if (!wellFormed(at, bytes, attributes, attributes + columns)) return refused(STATUS_MALFORMED, bytes, 0);
  const address = heapTakeZero(DECIDER_BYTES);
  if (address === 0) return refused(STATUS_STORE_FULL, 0, 0);
  const decider = changetype<Decider>(address);
  decider.references = 1;
  decider.textAt = heapCopy(at, bytes);
  decider.textBytes = bytes;
  decider.payload = load<u32>(at, 8);
  decider.attributes = attributes;
  decider.fields = attributes;
  decider.fieldsAt = heapTake(attributes * FIELD_BYTES + 8);
  decider.columnsAt = heapTake(columns * 8 + 8);
  deciderTable(decider).columns = columns;
  if (decider.textAt !== 0 && decider.fieldsAt !== 0 && decider.columnsAt !== 0 && namesTake(decider)) return address;
  deciderFree(decider);
  return refused(STATUS_STORE_FULL, 0, 0);
}

function refused(status: u32, value: u32, limit: u32): u32 {
  resultStatus(status, value, limit);
  return 0;
}

function wellFormed(at: u32, bytes: u32, attributes: u32, names: u32): bool {
  if (bytes < DECIDER_HEAD_BYTES) return false;
  let offset = DECIDER_HEAD_BYTES;
  for (let i: u32 = 0; i < names; i++) {
    if (bytes - offset < 4) return false;
    const size = <u32>load<u16>(at + offset, 2);
    if (<u32>load<u16>(at + offset) >= (i < attributes ? FIELDS : 1) || size === 0) return false;
    if (bytes - offset - 4 < size) return false;
    offset += 4 + size;
  }
  return offset === bytes;
}

/** Gives the attributes their places in the view; false where there are too many names or memory is used up. */
function namesTake(decider: Decider): bool {
  let from = decider.textAt + DECIDER_HEAD_BYTES;
  const attributes = decider.attributes;
  decider.attributes = 0;
  for (let i: u32 = 0; i < attributes; i++) {
    const field = changetype<Field>(decider.fieldsAt + i * FIELD_BYTES);
    field.field = load<u16>(from);
    field.bytes = load<u16>(from, 2);
    field.at = from + 4;
    field.name = nameTake(field.at, field.bytes);
    if (field.name === 0) return false;
    // From here on it is given back with the decider.
    decider.attributes = i + 1;
    from += 4 + field.bytes;
  }
  for (let i: u32 = 0; i < deciderTable(decider).columns; i++) {
    const bytes = <u32>load<u16>(from, 2);
    store<u32>(decider.columnsAt + i * 8, from + 4);
    store<u32>(decider.columnsAt + i * 8, bytes, 4);
    from += 4 + bytes;
  }
  return viewGrow();
}

/** Counts one use less. The last one frees it; nothing is bound to it by then. */
export function deciderLeave(decider: Decider): void {
  if (--decider.references === 0) deciderFree(decider);
}

/** Parts of it may be missing. */
function deciderFree(decider: Decider): void {
  for (let i: u32 = 0; i < decider.attributes; i++) {
    const field = changetype<Field>(decider.fieldsAt + i * FIELD_BYTES);
    nameRelease(field.at, field.bytes);
  }
  if (decider.fieldsAt !== 0) heapGive(decider.fieldsAt, decider.fields * FIELD_BYTES + 8);
  if (decider.columnsAt !== 0) heapGive(decider.columnsAt, deciderTable(decider).columns * 8 + 8);
  tableFree(deciderTable(decider));
  internedFree(deciderInterned(decider));
  if (decider.textAt !== 0) heapGive(decider.textAt, decider.textBytes);
  heapGive(changetype<u32>(decider), DECIDER_BYTES);
}
