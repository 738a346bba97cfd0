/**
 * Cases of a program over conditions: an OR of ANDs of comparisons of one condition with constants, which are done without the machine,
 * in a tenth of its time. They hold of values that have the type of the constant; where one has another, the machine is asked, whose casts
 * decide then.
 *
 *   case   u32 bytes of its comparisons, u32 0 | comparisons
 *          u32 place of the condition's slot, u32 TYPE_… | f64 low, f64 high; of a text u32 address, u32 bytes, u64 0; of a boolean u64 value, u64 0
 */
import { bytesEqual } from "../memory/bytes";
import { heapTake } from "../memory/heap";
import { EXPRESSION_CESQL, SCOPE_CONDITION, TYPE_BOOLEAN, TYPE_NUMBER, TYPE_TEXT } from "./code";
import { conjunctionLoose, conjunctionSet, conjunctionsRead } from "./conjunctions";
import { inputAt } from "./inputs";
import { constantAt, nameAt } from "./layout";
import { KIND_BOOLEAN, KIND_NUMBER, KIND_TEXT, predicateAt } from "./predicates";

const CASE_BYTES: u32 = 8;
const COMPARISON_BYTES: u32 = 24;

/** What casesMake() made: where they end, and how many inputs there must be for them. */
export let casesEnd: u32 = 0;
export let casesInputs: u32 = 0;

/** Makes the cases of a verified program that is kept at `base`; the address, 0 where it is more than that, or memory is used up. */
export function casesMake(base: u32): u32 {
  casesEnd = casesInputs = 0;
  if (load<u8>(base, 1) === EXPRESSION_CESQL) return 0;
  const cases = conjunctionsRead(base, SCOPE_CONDITION);
  let bytes = cases * CASE_BYTES;
  for (let i: u32 = 0; i < cases; i++) {
    const set = conjunctionSet(i);
    if (set === 0 || conjunctionLoose(i)) return 0;
    for (let rest = set; rest !== 0; rest &= rest - 1) if (!isComparison(ctz<u32>(rest))) return 0;
    bytes += <u32>popcnt<u32>(set) * COMPARISON_BYTES;
  }
  const at = bytes === 0 ? 0 : heapTake(bytes);
  if (at === 0) return 0;
  casesEnd = at;
  for (let i: u32 = 0; i < cases; i++) {
    store<u64>(casesEnd, <u32>popcnt<u32>(conjunctionSet(i)) * COMPARISON_BYTES);
    casesEnd += CASE_BYTES;
    for (let rest = conjunctionSet(i); rest !== 0; rest &= rest - 1) {
      comparisonMake(casesEnd, base, ctz<u32>(rest));
      casesInputs = max<u32>(casesInputs, load<u32>(casesEnd) / 16 + 1);
      casesEnd += COMPARISON_BYTES;
    }
  }
  return at;
}

function isComparison(number: u32): bool {
  const kind = predicateAt(number).kind;
  return kind === KIND_NUMBER || kind === KIND_BOOLEAN || kind === KIND_TEXT;
}

function comparisonMake(at: u32, base: u32, number: u32): void {
  const predicate = predicateAt(number);
  store<u32>(at, load<u32>(nameAt(base, predicate.name), 4) * 16);
  if (predicate.kind === KIND_NUMBER) {
    store<u32>(at, TYPE_NUMBER, 4);
    store<f64>(at, predicate.low, 8);
    store<f64>(at, predicate.high, 16);
    return;
  }
  store<u64>(at, 0, 16);
  if (predicate.kind === KIND_BOOLEAN) {
    store<u32>(at, TYPE_BOOLEAN, 4);
    store<u64>(at, predicate.low === 0 ? 0 : 1, 8);
    return;
  }
  const constant = constantAt(base, predicate.constant);
  store<u32>(at, TYPE_TEXT, 4);
  store<u32>(at, base + load<u32>(constant, 8), 8);
  store<u32>(at, load<u32>(constant, 12), 12);
}

/** No case holds, one does, or the machine must be asked. */
export const CASES_FAIL: u32 = 0;
export const CASES_HOLD: u32 = 1;
export const CASES_ASK: u32 = 2;

/** What the cases at [at, end) say of the inputs, of which there are enough. */
export function casesSay(at: u32, end: u32): u32 {
  const inputs = inputAt();
  while (at < end) {
    const next = at + CASE_BYTES + load<u32>(at);
    at += CASE_BYTES;
    while (at < next) {
      const slot = inputs + load<u32>(at);
      const type = load<u32>(slot);
      if (type !== load<u32>(at, 4)) return CASES_ASK;
      if (type === TYPE_NUMBER) {
        const value = load<f64>(slot, 8);
        if (!(value >= load<f64>(at, 8)) || !(value <= load<f64>(at, 16))) break;
      } else if (type === TYPE_TEXT) {
        if (!bytesEqual(load<u32>(slot, 8), load<u32>(slot, 4), load<u32>(at, 8), load<u32>(at, 12))) break;
      } else if (load<u64>(slot, 8) !== load<u64>(at, 8)) break;
      at += COMPARISON_BYTES;
    }
    if (at === next) return CASES_HOLD;
    at = next;
  }
  return CASES_FAIL;
}
