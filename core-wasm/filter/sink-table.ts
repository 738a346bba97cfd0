/**
 * The table of sinks as one module sees it: rows by slot, in the very bytes that are copied to the module. A row is written
 * when the module is asked next, however often its sink was updated until then.
 *
 *   image     head │ row │ row │ …              drawn in abi.ts, TABLE_…
 *   changed   slot │ slot │ …                   rows to be written, or written for the last batch
 *   marks     one bit per slot: it is among those
 */

import { Live } from "../channel/live";
import { Member } from "../channel/member";
import { TYPE_BOOLEAN, TYPE_INTEGER, TYPE_NUMBER, TYPE_TEXT } from "../expression/code";
import { valuePut } from "../expression/load";
import { outcomeBegin } from "../expression/outcome";
import { numberOf, stackAt, textAt, textBytes, typeOf } from "../expression/stack";
import { viewSink, viewSinkAttribute } from "../expression/view";
import { heapGive, heapTake } from "../memory/heap";
import { SINK_LOCAL, SINK_UP, TABLE_HEAD_BYTES, TABLE_ROW_BYTES } from "./abi";
import { Interned, internedFind } from "./interned";
import { SLOT_BITS_BYTES, Slots, slotMember } from "./slots";

/** A table; where its columns' names lie is the decider's to say. */
@unmanaged
export class SinkTable {
  imageAt: u32;
  changedAt: u32;
  marksAt: u32;
  /** Rows that there is room for. */
  capacity: u32;
  columns: u32;
  generation: u32;
  changed: u32;
  /** The rows of `changed` are written: they are of the last batch. */
  written: u32;
}
const CAPACITY_MIN: u32 = 16;

function rowBytes(table: SinkTable): u32 {
  return TABLE_ROW_BYTES + table.columns * 8;
}

function imageBytes(table: SinkTable, rows: u32): u32 {
  return TABLE_HEAD_BYTES + rows * rowBytes(table);
}

/** Sees to it that there is room for so many rows. Returns false where memory is used up; then nothing has changed. */
export function tableReserve(table: SinkTable, rows: u32): bool {
  if (rows <= table.capacity) return true;
  let capacity = table.capacity === 0 ? CAPACITY_MIN : table.capacity;
  while (capacity < rows) capacity *= 2;
  const image = heapTake(imageBytes(table, capacity));
  const changed = heapTake(capacity * 4);
  if (table.marksAt === 0) {
    table.marksAt = heapTake(SLOT_BITS_BYTES);
    if (table.marksAt !== 0) memory.fill(table.marksAt, 0, SLOT_BITS_BYTES);
  }
  if (image === 0 || changed === 0 || table.marksAt === 0) {
    if (image !== 0) heapGive(image, imageBytes(table, capacity));
    if (changed !== 0) heapGive(changed, capacity * 4);
    return false;
  }
  if (table.capacity !== 0) {
    memory.copy(image, table.imageAt, imageBytes(table, table.capacity));
    memory.copy(changed, table.changedAt, table.changed * 4);
    giveRows(table);
  }
  table.imageAt = image;
  table.changedAt = changed;
  table.capacity = capacity;
  return true;
}

function giveRows(table: SinkTable): void {
  if (table.capacity === 0) return;
  heapGive(table.imageAt, imageBytes(table, table.capacity));
  heapGive(table.changedAt, table.capacity * 4);
}

/** Frees all of it; `columns` and `generation` stay. */
export function tableFree(table: SinkTable): void {
  giveRows(table);
  if (table.marksAt !== 0) heapGive(table.marksAt, SLOT_BITS_BYTES);
  table.imageAt = table.changedAt = table.marksAt = table.capacity = table.changed = table.written = 0;
}

/** Notes that a slot's row must be written anew. There is room for it. */
export function tableMark(table: SinkTable, slot: u32): void {
  if (table.written !== 0) forget(table);
  const word = table.marksAt + (slot >> 5) * 4;
  const bit: u32 = (<u32>1) << (slot & 31);
  const marks = load<u32>(word);
  if ((marks & bit) !== 0) return;
  store<u32>(word, marks | bit);
  store<u32>(table.changedAt + table.changed++ * 4, slot);
}

/** Begins to note anew. */
function forget(table: SinkTable): void {
  for (let i: u32 = 0; i < table.changed; i++) {
    store<u32>(table.marksAt + (load<u32>(table.changedAt + i * 4) >> 5) * 4, 0);
  }
  table.changed = table.written = 0;
}

/** Writes the rows that have changed, and the head. `namesAt`: u32 address and u32 bytes of each column's name. */
export function tableWrite(table: SinkTable, slots: Slots, namesAt: u32, interned: Interned): void {
  if (table.written !== 0) forget(table);
  if (table.changed !== 0) table.generation++;
  imageWrite(table, slots, namesAt, interned, table.generation);
  table.written = 1;
}

/** The same to be looked at: the next tableWrite() tells of the same changes, and of the same generation. */
export function tableShow(table: SinkTable, slots: Slots, namesAt: u32, interned: Interned): void {
  const isNext = table.written === 0 && table.changed !== 0;
  imageWrite(table, slots, namesAt, interned, table.generation + (isNext ? 1 : 0));
}

function imageWrite(table: SinkTable, slots: Slots, namesAt: u32, interned: Interned, generation: u32): void {
  const bytes = rowBytes(table);
  for (let i: u32 = 0; i < table.changed; i++) {
    const slot = load<u32>(table.changedAt + i * 4);
    const row = table.imageAt + TABLE_HEAD_BYTES + slot * bytes;
    const member = slotMember(slots, slot);
    // A sink that is gone leaves a row of zeros: flags 0 say so.
    if (member === 0) memory.fill(row, 0, bytes);
    else rowWrite(row, changetype<Member>(member), table.columns, namesAt, interned);
  }
  store<u32>(table.imageAt, slots.high);
  store<u32>(table.imageAt, bytes, 4);
  store<u32>(table.imageAt, generation, 8);
  store<u32>(table.imageAt, table.columns, 12);
}

function rowWrite(row: u32, member: Member, columns: u32, namesAt: u32, interned: Interned): void {
  store<u32>(row, member.number);
  store<u32>(row, SINK_UP | SINK_LOCAL, 4);
  store<f64>(row, updatedMs(member), 8);
  viewSink(member);
  outcomeBegin(false);
  for (let column: u32 = 0; column < columns; column++) {
    const name = namesAt + column * 8;
    viewSinkAttribute(load<u32>(name), load<u32>(name, 4));
    valuePut(stackAt);
    store<f64>(row + TABLE_ROW_BYTES + column * 8, columnOf(interned));
  }
}

/** What is on the stack as a column has it; NaN: it is missing. */
function columnOf(interned: Interned): f64 {
  const type = typeOf(stackAt);
  if (type === TYPE_INTEGER || type === TYPE_NUMBER) return numberOf(stackAt);
  if (type === TYPE_BOOLEAN) return load<u64>(stackAt, 8) === 0 ? 0 : 1;
  return type === TYPE_TEXT ? internedFind(interned, textAt(stackAt), textBytes(stackAt)) : NaN;
}

/** When the last of a member's attributes was set, ms; 0: it has none. */
function updatedMs(member: Member): f64 {
  if (member.live === 0) return 0;
  const live = changetype<Live>(member.live);
  let last: f64 = 0;
  for (let i: u32 = 0; i < live.count; i++) last = max<f64>(last, load<f64>(live.agesAt + i * 8));
  return last;
}

/** Bytes of head and rows as they are copied. */
export function tableBytes(table: SinkTable, slots: Slots): u32 {
  return imageBytes(table, slots.high);
}
