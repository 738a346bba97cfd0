/** What the host calls about conditions; index.ts exports it. Described in host/core/exports.ts. */
import { heapGive } from "../memory/heap";
import { tableGive } from "../memory/table";
import {
  Cell,
  cellBoolean,
  cellFind,
  cellMissing,
  cellNew,
  cellNumber,
  cellSlot,
  cellTable,
  cellText,
  textGive,
} from "./cell";
import { derivedEnd, derivedSet, derivedSettle } from "./derived";
import { slotTell } from "./tell";

/** Makes a condition. */
export function conditionAdd(): u32 {
  return cellNew();
}

/** Forgets a condition. */
export function conditionRemove(number: u32): void {
  const address = cellFind(number);
  if (address === 0) return;
  const cell = changetype<Cell>(address);
  derivedEnd(cell);
  textGive(cell);
  if (cell.dependentsAt !== 0) heapGive(cell.dependentsAt, cell.dependentsRoom * 4);
  tableGive(cellTable(), number);
}

/** Makes a condition an expression over others. */
export function conditionExpression(number: u32, program: u32, inputsAt: u32, inputs: u32): u32 {
  const address = cellFind(number);
  return address !== 0 && derivedSet(changetype<Cell>(address), program, inputsAt, inputs) ? 1 : 0;
}

/** Writes a number. */
export function conditionNumber(number: u32, value: f64): u32 {
  const address = cellFind(number);
  return address !== 0 && cellNumber(changetype<Cell>(address), value) ? 1 : 0;
}

/** Writes a boolean. */
export function conditionBoolean(number: u32, value: u32): u32 {
  const address = cellFind(number);
  return address !== 0 && cellBoolean(changetype<Cell>(address), value !== 0) ? 1 : 0;
}

/** Writes a text. */
export function conditionText(number: u32, at: u32, bytes: u32): u32 {
  const address = cellFind(number);
  return address !== 0 && cellText(changetype<Cell>(address), at, bytes) ? 1 : 0;
}

/** Has a condition have no value. */
export function conditionMissing(number: u32): u32 {
  const address = cellFind(number);
  return address !== 0 && cellMissing(changetype<Cell>(address)) ? 1 : 0;
}

/** Reads a condition. */
export function conditionRead(number: u32): void {
  derivedSettle();
  const address = cellFind(number);
  slotTell(address === 0 ? 0 : cellSlot(changetype<Cell>(address)));
}
