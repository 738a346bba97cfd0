/** Contracts: what the host has compiled, kept as it came, with its path, its counters and its last snapshot beside. */
import { Cell, cellFind, cellSlot } from "../condition/cell";
import { dependAdd, dependRemove } from "../condition/derived";
import { CONDITION_INPUTS_MAX, TYPE_TEXT } from "../expression/code";
import { programRelease } from "../expression/program";
import { heapCopy, heapGive, heapTake, heapTakeZero } from "../memory/heap";
import {
  CONTRACT_CONDITION_WORDS,
  CONTRACT_CONDITIONS,
  CONTRACT_DEPTH_MAX,
  CONTRACT_HEAD_WORDS,
  CONTRACT_PATH,
  CONTRACT_REGIONS,
  CONTRACT_REGIONS_MAX,
  CONTRACT_TRANSITIONS,
  CONTRACT_TRANSITIONS_MAX,
  REGION_EXIT,
  REGION_WHEN,
  REGION_WORDS,
  TRANSITION_WORDS,
} from "./abi";
import { mark, orderAdd, orderRemove, Ranked } from "./order";

/** A contract. */
@unmanaged
export class Contract extends Ranked {
  evaluations: f64;
  /** The words as they came (abi.ts), and their bytes. */
  at: u32;
  bytes: u32;
  conditions: u32;
  regions: u32;
  transitions: u32;
  /** Where regions and transitions lie. */
  regionsAt: u32;
  transitionsAt: u32;
  /** u32 regions of the path, outer to inner. */
  pathAt: u32;
  path: u32;
  noRegion: u32;
  /** f64 hits by region. */
  hitsAt: u32;
  /** Slots of the last snapshot; behind them, for each, u32 address and u32 room of its text. */
  snapshotAt: u32;
}

/** A word of a region. */
export function regionWord(contract: Contract, region: u32, word: u32): u32 {
  return load<u32>(contract.regionsAt + (region * REGION_WORDS + word) * 4);
}

/** Keeps a contract whose words lie at [at, at + bytes), marked; 0 where it cannot be, or memory is used up. */
export function contractTake(at: u32, bytes: u32, replaces: u32): u32 {
  const conditions = load<u32>(at, CONTRACT_CONDITIONS * 4);
  const regions = load<u32>(at, CONTRACT_REGIONS * 4);
  const transitions = load<u32>(at, CONTRACT_TRANSITIONS * 4);
  const path = load<u32>(at, CONTRACT_PATH * 4);
  if (conditions > CONDITION_INPUTS_MAX || regions > CONTRACT_REGIONS_MAX + 1) return 0;
  if (transitions > CONTRACT_TRANSITIONS_MAX || path > CONTRACT_DEPTH_MAX) return 0;
  const regionsAt = CONTRACT_HEAD_WORDS + conditions * CONTRACT_CONDITION_WORDS;
  const transitionsAt = regionsAt + regions * REGION_WORDS;
  const pathAt = transitionsAt + transitions * TRANSITION_WORDS;
  if ((pathAt + path) * 4 !== bytes) return 0;
  const address = heapTakeZero(offsetof<Contract>());
  if (address === 0) return 0;
  const contract = changetype<Contract>(address);
  contract.at = heapCopy(at, bytes);
  contract.bytes = bytes;
  contract.hitsAt = heapTakeZero(regions * 8);
  contract.pathAt = heapTake(CONTRACT_DEPTH_MAX * 4);
  // One more than needed: a block of no bytes is no block.
  contract.snapshotAt = heapTakeZero((conditions + 1) * 24);
  contract.conditions = conditions;
  contract.regions = regions;
  contract.transitions = transitions;
  contract.regionsAt = contract.at + regionsAt * 4;
  contract.transitionsAt = contract.at + transitionsAt * 4;
  const whole = contract.at !== 0 && contract.hitsAt !== 0 && contract.pathAt !== 0 && contract.snapshotAt !== 0;
  let observed: u32 = 0;
  while (whole && observed < conditions && observe(contract, observed)) observed++;
  if (!whole || observed < conditions || !orderAdd(address, replaces)) {
    blocksGive(contract, observed);
    return 0;
  }
  contract.path = path;
  memory.copy(contract.pathAt, contract.at + pathAt * 4, path * 4);
  if (replaces !== 0) contractGive(changetype<Contract>(replaces));
  mark(address);
  return address;
}

/** Forgets a contract. */
export function contractRemove(contract: Contract): void {
  orderRemove(changetype<u32>(contract));
  contractGive(contract);
}

/** Gives back what a contract has, its uses of programs too. */
function contractGive(contract: Contract): void {
  for (let region: u32 = 0; region < contract.regions; region++) {
    programRelease(regionWord(contract, region, REGION_WHEN));
    programRelease(regionWord(contract, region, REGION_EXIT));
  }
  blocksGive(contract, contract.conditions);
}

/** @param observed How many of its conditions know of it. */
function blocksGive(contract: Contract, observed: u32): void {
  for (let i: u32 = 0; i < observed; i++) {
    if (isObserved(contract, i)) dependRemove(conditionCell(contract, i), changetype<u32>(contract) | 1);
    const text = textOf(contract, i);
    if (load<u32>(text) !== 0) heapGive(load<u32>(text), load<u32>(text, 4));
  }
  if (contract.snapshotAt !== 0) heapGive(contract.snapshotAt, (contract.conditions + 1) * 24);
  if (contract.pathAt !== 0) heapGive(contract.pathAt, CONTRACT_DEPTH_MAX * 4);
  if (contract.hitsAt !== 0) heapGive(contract.hitsAt, contract.regions * 8);
  if (contract.at !== 0) heapGive(contract.at, contract.bytes);
  heapGive(changetype<u32>(contract), offsetof<Contract>());
}

function conditionAt(contract: Contract, index: u32): u32 {
  return contract.at + (CONTRACT_HEAD_WORDS + index * CONTRACT_CONDITION_WORDS) * 4;
}

/** The cell of one of the conditions that know of the contract. */
function conditionCell(contract: Contract, index: u32): Cell {
  return changetype<Cell>(load<u32>(conditionAt(contract, index)));
}

function isObserved(contract: Contract, index: u32): bool {
  return load<u32>(conditionAt(contract, index), 4) !== 0;
}

/** Has a condition know of the contract; from then on its word is the address of its cell, which stays where it is. */
function observe(contract: Contract, index: u32): bool {
  const at = conditionAt(contract, index);
  const cell = cellFind(load<u32>(at));
  if (cell === 0) return false;
  store<u32>(at, cell);
  return !isObserved(contract, index) || dependAdd(changetype<Cell>(cell), changetype<u32>(contract) | 1);
}

/** Where the room of a snapshot's text is noted. */
function textOf(contract: Contract, index: u32): u32 {
  return contract.snapshotAt + contract.conditions * 16 + index * 8;
}

/** Copies the values of all conditions: from now on they do not change until the next snapshot. */
export function snapshotTake(contract: Contract): void {
  const end = contract.snapshotAt + contract.conditions * 16;
  let from = conditionAt(contract, 0);
  for (let slot = contract.snapshotAt; slot < end; slot += 16) {
    const cell = changetype<Cell>(load<u32>(from));
    const value = v128.load(cellSlot(cell));
    v128.store(slot, value);
    if (v128.extract_lane<u32>(value, 0) === TYPE_TEXT) textKeep(contract, slot, cell);
    from += CONTRACT_CONDITION_WORDS * 4;
  }
}

/** Copies a text into the room that its place in the snapshot has; without memory it is missing. */
function textKeep(contract: Contract, slot: u32, cell: Cell): void {
  const text = textOf(contract, (slot - contract.snapshotAt) >> 4);
  if (load<u32>(text) === 0 || load<u32>(text, 4) < cell.bytes) {
    const at = heapTake(cell.bytes);
    if (at === 0) {
      store<u32>(slot, 0);
      return;
    }
    if (load<u32>(text) !== 0) heapGive(load<u32>(text), load<u32>(text, 4));
    store<u32>(text, at);
    store<u32>(text, cell.bytes, 4);
  }
  const bytes = cell.bytes;
  // Few bytes are copied faster here than by the engine's call.
  if (bytes > 16) memory.copy(load<u32>(text), cell.textAt, bytes);
  else for (let i: u32 = 0; i < bytes; i++) store<u8>(load<u32>(text) + i, load<u8>(cell.textAt + i));
  store<u64>(slot, load<u32>(text), 8);
}
