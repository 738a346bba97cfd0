/**
 * Cells: the values of conditions. Reading one is a load; writing one marks what depends on it, and only where the value is
 * another one than before.
 *
 *   cell      number · level · slot (as on the machine's stack: type, bytes, value or address of the text) · program and inputs
 *             of an expression · dependents (u32 addresses of cells)
 *
 * An expression is not run when one of its inputs is written but when somebody reads: any number of writes cost one run, and
 * several that belong together are one change (derived.ts).
 */
import { mark } from "../contract/order";
import { TYPE_BOOLEAN, TYPE_MISSING, TYPE_NUMBER, TYPE_TEXT } from "../expression/code";
import { bytesEqual } from "../memory/bytes";
import { heapGive, heapTake } from "../memory/heap";
import { Table, tableAt, tableFind, tableNew, tableTake } from "../memory/table";
import { CONDITION_LEVELS_MAX, CONDITION_TEXT_BYTES_MAX, CONDITIONS_MAX } from "./abi";

/** A condition; 64 bytes. */
@unmanaged
export class Cell {
  number: u32;
  /** 0: it is written. Else it is an expression, and more than every one of its inputs has. */
  level: u32;
  /** TYPE_…, bytes of a text, and the value; 16 bytes that the machine takes as they are. */
  type: u32;
  bytes: u32;
  value: u64;
  /** Room of the text that belongs to this cell; 0: it has had none. */
  textAt: u32;
  textRoom: u32;
  /** Address of the Program of an expression, of its inputs' cells, and how many. */
  program: u32;
  inputsAt: u32;
  inputs: u32;
  /** Addresses of cells that have this one among their inputs, and of contracts that observe it, | 1; room for as many. */
  dependentsAt: u32;
  dependents: u32;
  dependentsRoom: u32;
  /** Whether it waits to be run, and the next one of its level that does. */
  waits: u32;
  nextWaiting: u32;
}
if (offsetof<Cell>() !== 64) ERROR("A cell has not the size of its record");

/** Where the slot of a cell lies. */
export function cellSlot(cell: Cell): u32 {
  return changetype<u32>(cell) + offsetof<Cell>("type");
}

let table: u32 = 0;
/** Per level the first cell that waits; bit n: there is one at level n. */
const waitingAt: u32 = <u32>memory.data(68);
if ((CONDITION_LEVELS_MAX + 1) * 4 !== 68) ERROR("waitingAt has not the size of the levels");
/** Levels at which cells wait, as bits. */
export let waitingLevels: u32 = 0;

/** Forgets all conditions; their table is made with the first one. */
export function cellsInit(): void {
  table = 0;
  waitingLevels = 0;
  memory.fill(waitingAt, 0, 68);
}

/** Makes a cell that is missing; returns its number, 0 where there are too many or memory is used up. */
export function cellNew(): u32 {
  if (table === 0) table = tableNew(6, CONDITIONS_MAX);
  return table === 0 ? 0 : tableTake(changetype<Table>(table));
}

/** The table of cells; there is one where there ever was a cell. */
export function cellTable(): Table {
  return changetype<Table>(table);
}

/** The cell of a number that was taken once. */
export function cellAt(number: u32): Cell {
  return changetype<Cell>(tableAt(cellTable(), number));
}

/** The address of a live cell, 0 for other numbers. */
export function cellFind(number: u32): u32 {
  return table === 0 ? 0 : tableFind(cellTable(), number);
}

/** Writes a number. Returns whether it is another one than before; NaN equals itself, and -0 is 0. */
export function cellNumber(cell: Cell, value: f64): bool {
  const bits = reinterpret<u64>(value + 0);
  return (cell.type !== TYPE_NUMBER || cell.value !== bits) && changed(cell, TYPE_NUMBER, 0, bits);
}

/** Writes a boolean. */
export function cellBoolean(cell: Cell, value: bool): bool {
  const word: u64 = value ? 1 : 0;
  if (cell.type === TYPE_BOOLEAN && cell.value === word) return false;
  return changed(cell, TYPE_BOOLEAN, 0, word);
}

/** Has a cell be missing. */
export function cellMissing(cell: Cell): bool {
  return cell.type !== TYPE_MISSING && changed(cell, TYPE_MISSING, 0, 0);
}

/** Writes a text, which is copied; one that is too long, or finds no memory, is missing. */
export function cellText(cell: Cell, at: u32, bytes: u32): bool {
  if (cell.type === TYPE_TEXT && bytesEqual(cell.textAt, cell.bytes, at, bytes)) return false;
  if (bytes > CONDITION_TEXT_BYTES_MAX || !roomFor(cell, bytes)) return cellMissing(cell);
  memory.copy(cell.textAt, at, bytes);
  return changed(cell, TYPE_TEXT, bytes, cell.textAt);
}

function roomFor(cell: Cell, bytes: u32): bool {
  if (cell.textAt !== 0 && cell.textRoom >= bytes) return true;
  const at = heapTake(bytes);
  if (at === 0) return false;
  textGive(cell);
  cell.textAt = at;
  cell.textRoom = bytes;
  return true;
}

/** Gives the room of a cell's text back. */
export function textGive(cell: Cell): void {
  if (cell.textAt !== 0) heapGive(cell.textAt, cell.textRoom);
  cell.textAt = cell.textRoom = 0;
}

function changed(cell: Cell, type: u32, bytes: u32, value: u64): bool {
  cell.type = type;
  cell.bytes = bytes;
  cell.value = value;
  for (let i: u32 = 0; i < cell.dependents; i++) {
    const dependent = load<u32>(cell.dependentsAt + i * 4);
    if ((dependent & 1) === 0) wait(changetype<Cell>(dependent));
    else mark(dependent & ~1);
  }
  return true;
}

/** Has an expression be run at the next reading. */
export function wait(cell: Cell): void {
  if (cell.waits !== 0) return;
  const head = waitingAt + cell.level * 4;
  cell.waits = 1;
  cell.nextWaiting = load<u32>(head);
  store<u32>(head, changetype<u32>(cell));
  waitingLevels |= 1 << cell.level;
}

/** Takes a cell of the lowest level that waits; there must be one. */
export function waitingTake(): Cell {
  const level = <u32>ctz(waitingLevels);
  const head = waitingAt + level * 4;
  const cell = changetype<Cell>(load<u32>(head));
  store<u32>(head, cell.nextWaiting);
  if (cell.nextWaiting === 0) waitingLevels &= ~(1 << level);
  cell.waits = 0;
  return cell;
}

/** Takes a cell out of those that wait, wherever it stands. */
export function waitingLeave(cell: Cell): void {
  if (cell.waits === 0) return;
  const head = waitingAt + cell.level * 4;
  const address = changetype<u32>(cell);
  cell.waits = 0;
  if (load<u32>(head) === address) {
    store<u32>(head, cell.nextWaiting);
    if (cell.nextWaiting === 0) waitingLevels &= ~(1 << cell.level);
    return;
  }
  let before = changetype<Cell>(load<u32>(head));
  while (before.nextWaiting !== address) before = changetype<Cell>(before.nextWaiting);
  before.nextWaiting = cell.nextWaiting;
}
