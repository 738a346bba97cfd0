/**
 * Conditions that are expressions over others. Each has a level above its inputs; what waits is run level by level, so that
 * every one is run once, with inputs that are up to date, however they hang together.
 */
import { CONDITION_INPUTS_MAX, TYPE_BOOLEAN, TYPE_INTEGER, TYPE_NUMBER, TYPE_TEXT } from "../expression/code";
import { inputsSet } from "../expression/inputs";
import { Program, programRelease } from "../expression/program";
import { programRun } from "../expression/run";
import { integerOf, stackAt, textAt, textBytes, typeOf } from "../expression/stack";
import { heapGive, heapTake } from "../memory/heap";
import { CONDITION_LEVELS_MAX } from "./abi";
import {
  Cell,
  cellAt,
  cellBoolean,
  cellFind,
  cellMissing,
  cellNumber,
  cellSlot,
  cellText,
  wait,
  waitingLeave,
  waitingLevels,
  waitingTake,
} from "./cell";

/** The values of the inputs of the expression under way. */
const inputSlotsAt: u32 = <u32>memory.data(1024, 16);
if (CONDITION_INPUTS_MAX * 16 !== 1024) ERROR("inputSlotsAt has not the size of the inputs");

/** Runs all expressions whose inputs have changed. */
export function derivedSettle(): void {
  while (waitingLevels !== 0) run(waitingTake());
}

function run(cell: Cell): void {
  for (let i: u32 = 0; i < cell.inputs; i++) {
    const slot = cellSlot(cellAt(load<u32>(cell.inputsAt + i * 4)));
    v128.store(inputSlotsAt + i * 16, v128.load(slot));
  }
  inputsSet(inputSlotsAt, cell.inputs);
  programRun(changetype<Program>(cell.program));
  const type = typeOf(stackAt);
  if (type === TYPE_NUMBER) cellNumber(cell, load<f64>(stackAt, 8));
  else if (type === TYPE_INTEGER) cellNumber(cell, <f64>integerOf(stackAt));
  else if (type === TYPE_BOOLEAN) cellBoolean(cell, load<u64>(stackAt, 8) !== 0);
  else if (type === TYPE_TEXT) cellText(cell, textAt(stackAt), textBytes(stackAt));
  else cellMissing(cell);
}

/**
 * Makes a cell an expression, in place of what it was; it takes over the caller's use of the program. `program` 0: it is
 * written from now on. Returns false where memory is used up or levels are: it stays what it was then.
 */
export function derivedSet(cell: Cell, program: u32, inputsFrom: u32, inputs: u32): bool {
  let level: u32 = 0;
  if (program !== 0) level = 1;
  for (let i: u32 = 0; i < inputs; i++) {
    const input = cellFind(load<u32>(inputsFrom + i * 4));
    if (input === 0) return false;
    level = max<u32>(level, changetype<Cell>(input).level + 1);
  }
  const inputsAt = inputs === 0 ? 0 : heapTake(inputs * 4);
  if (inputs !== 0 && inputsAt === 0) return false;
  memory.copy(inputsAt, inputsFrom, inputs * 4);
  let added: u32 = 0;
  while (added < inputs && dependAdd(cellAt(load<u32>(inputsAt + added * 4)), changetype<u32>(cell))) added++;
  // Only now: a circle shows itself by what depends on the cell.
  if (added < inputs || !raise(cell, level)) {
    for (let i: u32 = 0; i < added; i++) dependRemove(cellAt(load<u32>(inputsAt + i * 4)), changetype<u32>(cell));
    if (inputsAt !== 0) heapGive(inputsAt, inputs * 4);
    return false;
  }
  derivedEnd(cell);
  cell.level = level;
  cell.program = program;
  cell.inputsAt = inputsAt;
  cell.inputs = inputs;
  if (program !== 0) wait(cell);
  return true;
}

/** Lifts a cell to a level, and what depends on it above that; false where there are not as many, as in a circle. */
function raise(cell: Cell, level: u32): bool {
  if (cell.level >= level) return true;
  if (level > CONDITION_LEVELS_MAX) return false;
  const waited = cell.waits !== 0;
  waitingLeave(cell);
  cell.level = level;
  if (waited) wait(cell);
  for (let i: u32 = 0; i < cell.dependents; i++) {
    const dependent = load<u32>(cell.dependentsAt + i * 4);
    if ((dependent & 1) === 0 && !raise(changetype<Cell>(dependent), level + 1)) return false;
  }
  return true;
}

/** Ends an expression: its inputs know of it no more. */
export function derivedEnd(cell: Cell): void {
  waitingLeave(cell);
  for (let i: u32 = 0; i < cell.inputs; i++)
    dependRemove(cellAt(load<u32>(cell.inputsAt + i * 4)), changetype<u32>(cell));
  if (cell.inputsAt !== 0) heapGive(cell.inputsAt, cell.inputs * 4);
  programRelease(cell.program);
  cell.program = cell.inputsAt = cell.inputs = 0;
}

/** Notes that something depends on a cell: the address of a Cell, or that of a contract | 1. False where memory is used up. */
export function dependAdd(input: Cell, dependent: u32): bool {
  if (input.dependents === input.dependentsRoom) {
    const room = max<u32>(4, input.dependentsRoom * 2);
    const at = heapTake(room * 4);
    if (at === 0) return false;
    memory.copy(at, input.dependentsAt, input.dependents * 4);
    if (input.dependentsAt !== 0) heapGive(input.dependentsAt, input.dependentsRoom * 4);
    input.dependentsAt = at;
    input.dependentsRoom = room;
  }
  store<u32>(input.dependentsAt + input.dependents++ * 4, dependent);
  return true;
}

/** Takes that back. */
export function dependRemove(input: Cell, dependent: u32): void {
  let i: u32 = 0;
  while (load<u32>(input.dependentsAt + i * 4) !== dependent) i++;
  store<u32>(input.dependentsAt + i * 4, load<u32>(input.dependentsAt + --input.dependents * 4));
}
