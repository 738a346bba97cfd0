/**
 * Programs: kept once per content, counted by their users, verified before they are kept (verify.ts).
 *
 * In the kept copy each name of the event has its number instead of its text (names.ts), so that running it hashes nothing.
 */

import { STATUS_EXPRESSION, STATUS_LIMIT, STATUS_OK, STATUS_STORE_FULL } from "../abi";
import { bytesEqual, hashBytes } from "../memory/bytes";
import { heapCopy, heapGive, heapTakeZero } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";
import { resultStatus } from "../result";
import { casesEnd, casesInputs, casesMake } from "./cases";
import { EXPRESSION_BYTES_MAX, SCOPE_EVENT } from "./code";
import { nameAt } from "./layout";
import { nameRelease, nameTake } from "./names";
import { scratchMake } from "./scratch";
import { TEST_BYTES, testsMade, testsMake, testsSuffice } from "./tests";
import { programVerify } from "./verify";
import { viewGrow } from "./view";

/** A kept program. */
@unmanaged
export class Program {
  references: u32;
  /** The bytes as they came, and how many. */
  at: u32;
  bytes: u32;
  /** Per name u32: its number in the view; 0 for those of the sink. */
  numbersAt: u32;
  /** Its tests (tests.ts), how many, and whether they say all that it says. */
  testsAt: u32;
  tests: u32;
  testsSuffice: u32;
  /** Of one over conditions: its cases (cases.ts). */
  casesAt: u32;
  casesEnd: u32;
  /** How many conditions there must be for them. */
  casesInputs: u32;
  /** Next program with the same hash. */
  next: u32;
}

let programs: u32 = 0;

/** Forgets all programs. Returns false where memory is too small. */
export function programsInit(): bool {
  programs = mapNew();
  return programs !== 0;
}

/** Keeps a program that lies at [at, at + bytes); the address of its record, 0 with RESULT_STATUS where it is refused. */
export function programTake(at: u32, bytes: u32): u32 {
  if (bytes > EXPRESSION_BYTES_MAX) {
    resultStatus(STATUS_LIMIT, bytes, EXPRESSION_BYTES_MAX);
    return 0;
  }
  const hash = hashBytes(at, bytes);
  const map = changetype<Map64>(programs);
  const first = mapFind(map, hash);
  for (let address = first; address !== 0; address = changetype<Program>(address).next) {
    const program = changetype<Program>(address);
    if (!bytesEqual(program.at, program.bytes, at, bytes)) continue;
    program.references++;
    return address;
  }
  const status = programVerify(at, bytes);
  if (status !== STATUS_OK) {
    resultStatus(STATUS_EXPRESSION, status, 0);
    return 0;
  }
  const address = keep(at, bytes);
  if (address === 0 || !mapSet(map, hash, address)) {
    if (address !== 0) drop(changetype<Program>(address));
    resultStatus(STATUS_STORE_FULL, 0, 0);
    return 0;
  }
  changetype<Program>(address).next = first;
  return address;
}

function keep(at: u32, bytes: u32): u32 {
  const address = heapTakeZero(offsetof<Program>());
  if (address === 0) return 0;
  const program = changetype<Program>(address);
  const names = <u32>load<u16>(at, 6);
  program.references = 1;
  program.bytes = bytes;
  program.at = heapCopy(at, bytes);
  // One more than needed: a block of no bytes is no block.
  program.numbersAt = heapTakeZero((names + 1) * 4);
  let complete = program.at !== 0 && program.numbersAt !== 0;
  for (let i: u32 = 0; complete && i < names; i++) {
    const name = nameAt(program.at, i);
    if (load<u8>(name) !== SCOPE_EVENT) continue;
    const number = nameTake(program.at + load<u32>(name, 4), load<u16>(name, 2));
    store<u32>(program.numbersAt + i * 4, number);
    complete = number !== 0;
  }
  if (complete && viewGrow() && scratchMake()) {
    program.testsAt = testsMake(program.at, program.numbersAt);
    program.tests = testsMade;
    program.testsSuffice = testsSuffice ? 1 : 0;
    program.casesAt = casesMake(program.at);
    program.casesEnd = casesEnd;
    program.casesInputs = casesInputs;
    return address;
  }
  drop(program);
  return 0;
}

/** Gives back what a program has; parts of it may be missing. */
function drop(program: Program): void {
  if (program.at !== 0 && program.numbersAt !== 0) {
    const names = <u32>load<u16>(program.at, 6);
    for (let i: u32 = 0; i < names; i++) {
      const name = nameAt(program.at, i);
      if (load<u32>(program.numbersAt + i * 4) !== 0) nameRelease(program.at + load<u32>(name, 4), load<u16>(name, 2));
    }
    heapGive(program.numbersAt, (names + 1) * 4);
  } else if (program.numbersAt !== 0) {
    heapGive(program.numbersAt, 4);
  }
  if (program.casesAt !== 0) heapGive(program.casesAt, program.casesEnd - program.casesAt);
  if (program.tests !== 0) heapGive(program.testsAt, program.tests * TEST_BYTES);
  if (program.at !== 0) heapGive(program.at, program.bytes);
  heapGive(changetype<u32>(program), offsetof<Program>());
}

/** Counts one use less; 0 is no program. */
export function programRelease(address: u32): void {
  if (address === 0) return;
  const program = changetype<Program>(address);
  if (--program.references !== 0) return;
  const hash = hashBytes(program.at, program.bytes);
  const map = changetype<Map64>(programs);
  const first = mapFind(map, hash);
  if (first !== address) {
    let previous = changetype<Program>(first);
    while (previous.next !== address) previous = changetype<Program>(previous.next);
    previous.next = program.next;
  } else if (program.next !== 0) mapSet(map, hash, program.next);
  else mapDelete(map, hash);
  drop(program);
}
