/**
 * Tables of records with small numbers as names: connections, channels, members.
 *
 * Records lie in pages of 65,536 / recordBytes; a directory of page addresses turns a number into an address with
 * one load. Freed numbers queue up and the oldest is used again first, so that a stale number rarely meets a new owner.
 * A free record has 0 in its first word and the next free number in its second.
 */
import { PAGE_BYTES } from "../abi";
import { heapTake, heapTakeZero } from "./heap";

/** A table of records of one size. */
@unmanaged
export class Table {
  directory: u32;
  /** log2 of records per page, and of the record's size. */
  pageBits: u32;
  recordBits: u32;
  /** Numbers ever used: 1 … high. */
  high: u32;
  max: u32;
  live: u32;
  freeHead: u32;
  freeTail: u32;
}

/** Makes an empty table for at most `max` records of 2^recordBits bytes; 0 where memory is too small. */
export function tableNew(recordBits: u32, max: u32): u32 {
  const at = heapTakeZero(offsetof<Table>());
  if (at === 0) return 0;
  const table = changetype<Table>(at);
  table.recordBits = recordBits;
  table.pageBits = 16 - recordBits;
  table.max = max;
  table.directory = heapTakeZero(((max >> table.pageBits) + 1) * 4);
  return table.directory === 0 ? 0 : at;
}

/** Address of the record `number`, which must have been taken once; see tableFind() for numbers from outside. */
export function tableAt(table: Table, number: u32): u32 {
  const index = number - 1;
  const page = load<u32>(table.directory + ((index >> table.pageBits) << 2));
  return page + ((index & ((1 << table.pageBits) - 1)) << table.recordBits);
}

/** Address of a live record, 0 where there is none of that number. */
export function tableFind(table: Table, number: u32): u32 {
  if (number === 0 || number > table.high) return 0;
  const at = tableAt(table, number);
  return load<u32>(at) === 0 ? 0 : at;
}

/** Takes a cleared record whose first word is its number; returns the number, 0 where the table is full. */
export function tableTake(table: Table): u32 {
  let number = table.freeHead;
  // A few free numbers are kept back, so that the most recently freed one rests for a while.
  if (number !== 0 && (number !== table.freeTail || table.high === table.max)) {
    table.freeHead = load<u32>(tableAt(table, number), 4);
    if (table.freeHead === 0) table.freeTail = 0;
  } else {
    if (table.high === table.max) return 0;
    number = table.high + 1;
    const slot = table.directory + (((number - 1) >> table.pageBits) << 2);
    if (load<u32>(slot) === 0) {
      const page = heapTake(PAGE_BYTES);
      if (page === 0) return 0;
      store<u32>(slot, page);
    }
    table.high = number;
  }
  const at = tableAt(table, number);
  memory.fill(at, 0, (<u32>1) << table.recordBits);
  store<u32>(at, number);
  table.live++;
  return number;
}

/** Frees a record. */
export function tableGive(table: Table, number: u32): void {
  const at = tableAt(table, number);
  store<u32>(at, 0);
  store<u32>(at, 0, 4);
  if (table.freeTail === 0) table.freeHead = number;
  else store<u32>(tableAt(table, table.freeTail), number, 4);
  table.freeTail = number;
  table.live--;
}
