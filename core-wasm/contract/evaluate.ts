/**
 * The evaluator: one contract after the other, in the order of their registration, each once in a pass. The snapshot first;
 * then from the outermost level inwards the child that is active; then what that means for its transitions.
 */
import { RECEIPTS_OFFSET } from "../abi";
import { derivedSettle } from "../condition/derived";
import { TYPE_BOOLEAN, TYPE_INTEGER, TYPE_NUMBER } from "../expression/code";
import { programHoldsOfInputs } from "../expression/holds";
import { inputsSet } from "../expression/inputs";
import { Program } from "../expression/program";
import { programRun } from "../expression/run";
import { numberOf, stackAt, typeOf } from "../expression/stack";
import {
  CONTRACT_DEPTH_MAX,
  CONTRACT_LISTED,
  PASS_HANDLERS,
  REGION_CHILD,
  REGION_EXIT,
  REGION_NEXT,
  REGION_SELECT,
  REGION_WHEN,
  REGION_WORDS,
  SELECT_FIRST,
  SELECT_MAX,
} from "./abi";
import { Contract, regionWord, snapshotTake } from "./contract";
import { markedTake, Ranked } from "./order";

/** The exponent of a double: all ones are infinities, and what is no number. */
const EXPONENT: u64 = 0x7ff0000000000000;
/** Rank behind the contract that was evaluated last in the pass under way. */
let cursor: u32 = 0;
/** Handlers that the evaluation under way has found. */
let handlers: u32 = 0;

/** Forgets the pass under way. */
export function passInit(): void {
  cursor = 0;
}

/** Handlers of the evaluation that passNext() told. */
export function passHandlers(): u32 {
  return handlers;
}

/** Evaluates what is marked until a path or status changes, and tells whose; 0 at the end of the pass. */
export function passNext(): u32 {
  while (true) {
    derivedSettle();
    const address = markedTake(cursor);
    if (address === 0) {
      cursor = 0;
      return 0;
    }
    cursor = changetype<Ranked>(address).rank + 1;
    if (evaluate(changetype<Contract>(address))) return address;
  }
}

/** Returns whether path or status is another one than before. */
function evaluate(contract: Contract): bool {
  contract.evaluations++;
  handlers = 0;
  snapshotTake(contract);
  inputsSet(contract.snapshotAt, contract.conditions);
  const before = contract.pathAt;
  const old = contract.path;
  const path = RECEIPTS_OFFSET;
  let length = held(contract);
  for (let i: u32 = 0; i < length; i++) store<u32>(path + i * 4, load<u32>(before + i * 4));
  let region: u32 = length === 0 ? 0 : load<u32>(path + (length - 1) * 4);
  while (regionWord(contract, region, REGION_CHILD) !== 0) {
    region = select(contract, region);
    if (region === 0) {
      // No child holds: what was active stays so.
      memory.copy(path, before, old * 4);
      const told = contract.noRegion === 0;
      contract.noRegion = 1;
      return told;
    }
    store<u32>(path + length++ * 4, region);
  }
  const hits = contract.hitsAt;
  for (let i: u32 = 0; i < length; i++) {
    const hit = hits + load<u32>(path + i * 4) * 8;
    store<f64>(hit, load<f64>(hit) + 1);
  }
  let same: u32 = 0;
  while (same < old && same < length && load<u32>(before + same * 4) === load<u32>(path + same * 4)) same++;
  const changed = same < old || same < length;
  if (changed) {
    transit(contract, path, length, same);
    memory.copy(before, path, length * 4);
    contract.path = length;
  }
  const told = changed || contract.noRegion !== 0;
  contract.noRegion = 0;
  return told;
}

/** How much of the path stays: down to the innermost region whose `exit` does not hold. */
function held(contract: Contract): u32 {
  for (let length = contract.path; length > 0; length--) {
    const exit = regionWord(contract, load<u32>(contract.pathAt + (length - 1) * 4), REGION_EXIT);
    if (exit !== 0 && !holds(exit)) return length;
  }
  return 0;
}

function holds(program: u32): bool {
  return programHoldsOfInputs(changetype<Program>(program));
}

/** The child of a region that is active; 0: none. */
function select(contract: Contract, parent: u32): u32 {
  const how = regionWord(contract, parent, REGION_SELECT);
  const child = regionWord(contract, parent, REGION_CHILD);
  return how === SELECT_FIRST ? selectFirst(contract.regionsAt, child) : selectMost(contract, child, how);
}

function selectFirst(regions: u32, child: u32): u32 {
  while (child !== 0) {
    const at = regions + child * REGION_WORDS * 4;
    const when = load<u32>(at, REGION_WHEN * 4);
    if (when === 0 || holds(when)) return child;
    child = load<u32>(at, REGION_NEXT * 4);
  }
  return 0;
}

function selectMost(contract: Contract, child: u32, how: u32): u32 {
  let best: u32 = 0;
  let most: f64 = 0;
  for (; child !== 0; child = regionWord(contract, child, REGION_NEXT)) {
    programRun(changetype<Program>(regionWord(contract, child, REGION_WHEN)));
    const type = typeOf(stackAt);
    if (type !== TYPE_NUMBER && type !== TYPE_INTEGER && type !== TYPE_BOOLEAN) continue;
    const value = type === TYPE_BOOLEAN ? <f64>load<u64>(stackAt, 8) : numberOf(stackAt);
    // Of equal ones the first; what no number can say is none.
    if (
      (reinterpret<u64>(value) & EXPONENT) === EXPONENT ||
      (best !== 0 && (how === SELECT_MAX ? value <= most : value >= most))
    )
      continue;
    best = child;
    most = value;
  }
  return best;
}

/** Finds the handlers of a path that differs from the one before from level `from` on. */
function transit(contract: Contract, path: u32, length: u32, from: u32): void {
  const before = contract.pathAt;
  const old = contract.path;
  const left = from < old ? load<u32>(before + from * 4) : 0;
  const entered = from < length ? load<u32>(path + from * 4) : 0;
  if (load<u32>(contract.at, CONTRACT_LISTED * 4) !== 0) {
    if (left !== 0) fire(contract, left, 0);
    if (entered !== 0) fire(contract, 0, entered);
    if (left !== 0 && entered !== 0) fire(contract, left, entered);
    for (let i = from + 1; i < old; i++) fire(contract, load<u32>(before + i * 4), 0);
  } else {
    for (let i = old; i-- > from + 1; ) fire(contract, load<u32>(before + i * 4), 0);
    if (left !== 0) fire(contract, left, 0);
    if (left !== 0 && entered !== 0) fire(contract, left, entered);
    if (entered !== 0) fire(contract, 0, entered);
  }
  for (let i = from + 1; i < length; i++) fire(contract, 0, load<u32>(path + i * 4));
}

/** Notes the transitions from one region to another; 0: any. */
function fire(contract: Contract, from: u32, to: u32): void {
  for (let i: u32 = 0; i < contract.transitions; i++) {
    const at = contract.transitionsAt + i * 8;
    if (load<u32>(at) !== from || load<u32>(at, 4) !== to) continue;
    store<u32>(RECEIPTS_OFFSET + (PASS_HANDLERS + handlers++) * 4, i);
  }
}
if (PASS_HANDLERS !== CONTRACT_DEPTH_MAX) ERROR("Handlers do not lie behind the path");
