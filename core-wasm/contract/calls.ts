/** What the host calls about contracts; index.ts exports it. Described in host/core/exports.ts. */
import { RESULT_COUNT, RESULT_STATUS, RESULT_VALUE } from "../abi";
import { slotTell } from "../condition/tell";
import { resultSet } from "../result";
import { CONTRACT_EVALUATIONS, CONTRACT_HITS, CONTRACT_NO_REGION, CONTRACT_TRIGGERS } from "./abi";
import { Contract, contractTake, contractRemove as remove } from "./contract";
import { passHandlers, passNext } from "./evaluate";
import { mark, marks } from "./order";

/** Keeps a contract. */
export function contractAdd(at: u32, bytes: u32, replaces: u32): u32 {
  return contractTake(at, bytes, replaces);
}

/** Forgets a contract. */
export function contractRemove(contract: u32): void {
  remove(changetype<Contract>(contract));
}

/** Marks a contract. */
export function contractMark(contract: u32): void {
  mark(contract);
}

/** Evaluates marked contracts until one of them has something to tell. */
export function contractsNext(): u32 {
  const address = passNext();
  if (address === 0) {
    resultSet(RESULT_COUNT, marks);
    return 0;
  }
  const contract = changetype<Contract>(address);
  resultSet(RESULT_COUNT, passHandlers());
  resultSet(RESULT_VALUE, contract.path);
  resultSet(RESULT_STATUS, contract.noRegion);
  return address;
}

/** A counter of a contract. */
export function contractCounter(address: u32, index: u32): f64 {
  const contract = changetype<Contract>(address);
  if (index === CONTRACT_TRIGGERS) return contract.triggers;
  if (index === CONTRACT_EVALUATIONS) return contract.evaluations;
  if (index === CONTRACT_NO_REGION) return contract.noRegion;
  const region = index - CONTRACT_HITS;
  return region < contract.regions ? load<f64>(contract.hitsAt + region * 8) : 0;
}

/** Reads a value of the last snapshot. */
export function contractValue(address: u32, index: u32): void {
  const contract = changetype<Contract>(address);
  slotTell(index < contract.conditions ? contract.snapshotAt + index * 16 : 0);
}
