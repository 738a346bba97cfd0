/**
 * Tests: the simple predicates (predicates.ts) of a program that is one AND, ready to be compared with the event of the view.
 * Where the program is nothing else they say what the machine says, in a tenth of its time; where it is more, what fails them
 * need not be run.
 *
 *   u8 KIND_…, u8 FIELD_…, u16 (of the first: how many are of numbers) | u32 place of the name's slot | u32 address, u32 bytes of a text | f64 low | f64 high
 *
 * What a test casts an attribute to is kept beside its slot in the view, for all tests of the same event.
 */
import { bytesSame } from "../memory/bytes";
import { heapTake } from "../memory/heap";
import { FIELD_DELIVER_BY, FIELD_SOURCE, FIELD_TIME, FIELD_TYPE, TYPE_BOOLEAN, TYPE_MISSING, TYPE_TEXT } from "./code";
import { conjunctionLoose, conjunctionSet, conjunctionsRead } from "./conjunctions";
import { constantAt, nameAt } from "./layout";
import { eventValuePut } from "./load";
import { outcomeBegin } from "./outcome";
import { KIND_NUMBER, KIND_PREFIX, KIND_TEXT, KIND_TRULY_BOOLEAN, predicateAt } from "./predicates";
import { scratchReset } from "./scratch";
import { castBoolean, castFailed, castNumeric, castText, numberOf, textAt, textBytes, typeOf } from "./stack";
import {
  SLOT_BYTES,
  SLOT_NUMBER,
  SLOT_NUMBER_TAG,
  SLOT_TEXT,
  SLOT_TEXT_TAG,
  viewAt,
  viewBytes,
  viewField,
  viewSlots,
  viewTag,
  viewValue,
} from "./view";

export const TEST_BYTES: u32 = 32;

/** What testsMake() made: how many tests, and whether they say everything. */
export let testsMade: u32 = 0;
export let testsSuffice: bool = false;

/** Makes the tests of a verified program at `program`, whose names have these numbers; the address, 0 where it has none. */
export function testsMake(program: u32, numbersAt: u32): u32 {
  testsMade = 0;
  testsSuffice = false;
  if (conjunctionsRead(program) !== 1 || conjunctionSet(0) === 0) return 0;
  let set = conjunctionSet(0);
  // Without memory for them the program is run.
  const tests = heapTake(<u32>popcnt<u32>(set) * TEST_BYTES);
  if (tests === 0) return 0;
  testsSuffice = !conjunctionLoose(0);
  // Numbers first: they are compared in a loop of their own.
  for (let rest = set; rest !== 0; rest &= rest - 1) {
    if (predicateAt(ctz<u32>(rest)).kind === KIND_NUMBER) testMake(tests, ctz<u32>(rest), program, numbersAt);
  }
  store<u16>(tests, <u16>testsMade, 2);
  for (; set !== 0; set &= set - 1) {
    if (predicateAt(ctz<u32>(set)).kind !== KIND_NUMBER) testMake(tests, ctz<u32>(set), program, numbersAt);
  }
  return tests;
}

function testMake(tests: u32, number: u32, program: u32, numbersAt: u32): void {
  const predicate = predicateAt(number);
  const at = tests + testsMade * TEST_BYTES;
  store<u8>(at, <u8>predicate.kind);
  store<u8>(at, load<u8>(nameAt(program, predicate.name), 1), 1);
  // The first test's is the count of numbers, which is written when that is known.
  if (testsMade !== 0) store<u16>(at, 0, 2);
  store<u32>(at, load<u32>(numbersAt + predicate.name * 4) * SLOT_BYTES, 4);
  const constant = constantAt(program, predicate.constant);
  store<u32>(at, program + load<u32>(constant, 8), 8);
  store<u32>(at, load<u32>(constant, 12) - (predicate.kind === KIND_PREFIX ? 1 : 0), 12);
  store<f64>(at, predicate.low, 16);
  store<f64>(at, predicate.high, 24);
  testsMade++;
}

/** Whether all of `count` tests hold of the event of the view. What was asked before about it, as nearly always, is at hand. */
export function testsHold(at: u32, count: u32): bool {
  const slots = viewSlots();
  const event = viewTag(0);
  const end = at + count * TEST_BYTES;
  for (const numbers = at + <u32>load<u16>(at, 2) * TEST_BYTES; at < numbers; at += TEST_BYTES) {
    const head = load<u64>(at);
    const slot = slots + <u32>(head >> 32);
    let value = load<f64>(slot, SLOT_NUMBER);
    if (load<u64>(slot, SLOT_NUMBER_TAG) !== (event | ((head >> 8) & 0xff)))
      value = eventNumber(<u32>(head >> 8) & 0xff, <u32>(head >> 32) / SLOT_BYTES);
    if (!(value >= load<f64>(at, 16)) || !(value <= load<f64>(at, 24))) return false;
  }
  for (; at < end; at += TEST_BYTES) {
    if (!otherHolds(at, slots + load<u32>(at, 4), event | load<u8>(at, 1))) return false;
  }
  return true;
}

/** Whether a test that is not of a number holds. */
function otherHolds(at: u32, slot: u32, tag: u64): bool {
  const kind = <u32>load<u8>(at);
  if (kind !== KIND_TEXT && kind !== KIND_PREFIX) {
    const value = eventBoolean(kind, <u32>tag, load<u32>(at, 4) / SLOT_BYTES);
    return value >= load<f64>(at, 16) && value <= load<f64>(at, 24);
  }
  let text = load<u32>(slot, SLOT_TEXT);
  let size = load<u32>(slot, SLOT_TEXT + 4);
  if (load<u64>(slot, SLOT_TEXT_TAG) !== tag) {
    eventText(<u32>tag, load<u32>(at, 4) / SLOT_BYTES);
    text = foundAt;
    size = foundBytes;
  }
  const bytes = load<u32>(at, 12);
  const wanted = load<u32>(at, 8);
  if (size < bytes || text === 0) return false;
  // Texts that differ mostly do so at once.
  if (bytes >= 8 && load<u64>(text) !== load<u64>(wanted)) return false;
  return (kind === KIND_PREFIX || size === bytes) && bytesSame(text, wanted, bytes);
}

/** The value of a name, which casts change. */
const slotAt: u32 = <u32>memory.data(16, 8);

function valueLoad(field: u32, number: u32): u32 {
  outcomeBegin(false);
  scratchReset();
  eventValuePut(slotAt, field, number);
  return typeOf(slotAt);
}

/** The Value of a slot where it is nothing but a double, else 0. */
function doubleAt(slot: u32): u32 {
  const at = viewValue(slot);
  return at !== 0 && load<u32>(slot, 8) === 9 && load<u8>(at) === 0x11 ? at : 0;
}

/** The Value of a slot where it is nothing but a text with a length of one byte, else 0. */
function shortTextAt(slot: u32): u32 {
  const at = viewValue(slot);
  const bytes = load<u32>(slot, 8) - 2;
  return at !== 0 && bytes < 0x80 && load<u8>(at) === 0x1a && <u32>load<u8>(at, 1) === bytes ? at : 0;
}

/** A name of the event as a number; NaN where it is missing or none. */
export function eventNumber(field: u32, number: u32): f64 {
  const slot = viewSlots() + number * SLOT_BYTES;
  const tag = viewTag(field);
  if (load<u64>(slot, SLOT_NUMBER_TAG) === tag) return load<f64>(slot, SLOT_NUMBER);
  let value: f64 = NaN;
  const double = field === 0 ? doubleAt(slot) : 0;
  if (double !== 0) {
    value = load<f64>(double, 1);
  } else if (valueLoad(field, number) !== TYPE_MISSING) {
    castNumeric(slotAt);
    if (!castFailed) value = numberOf(slotAt);
  }
  store<u64>(slot, tag, SLOT_NUMBER_TAG);
  store<f64>(slot, value, SLOT_NUMBER);
  return value;
}

/** A name of the event as a boolean, 0 or 1; NaN where it is missing or none, or for KIND_TRULY_BOOLEAN of another type. */
export function eventBoolean(kind: u32, field: u32, number: u32): f64 {
  const type = valueLoad(field, number);
  if (type === TYPE_MISSING || (kind === KIND_TRULY_BOOLEAN && type !== TYPE_BOOLEAN)) return NaN;
  const value = castBoolean(slotAt);
  return castFailed ? NaN : value ? 1 : 0;
}

/** Where the text lies that eventText() found, and its bytes. */
export let foundAt: u32 = 0;
export let foundBytes: u32 = 0;

/** Looks for a name of the event as a text, which stays until the next look; false where it is missing. */
export function eventText(field: u32, number: u32): bool {
  const slot = viewSlots() + number * SLOT_BYTES;
  const tag = viewTag(field);
  if (load<u64>(slot, SLOT_TEXT_TAG) === tag) {
    foundAt = load<u32>(slot, SLOT_TEXT);
    foundBytes = load<u32>(slot, SLOT_TEXT + 4);
    return foundAt !== 0;
  }
  const text = field === 0 ? shortTextAt(slot) : 0;
  if (text !== 0) {
    foundAt = text + 2;
    foundBytes = load<u32>(slot, 8) - 2;
    textKeep(slot, tag);
    return true;
  }
  foundAt = 0;
  if (field === FIELD_TYPE || field === FIELD_SOURCE) {
    // Nearly always there, and nothing but text.
    viewField(field);
    if (viewAt !== 0) {
      foundAt = viewAt;
      foundBytes = viewBytes;
      textKeep(slot, tag);
      return true;
    }
  }
  const type = valueLoad(field, number);
  if (type !== TYPE_MISSING) {
    castText(slotAt);
    if (!castFailed) {
      foundAt = textAt(slotAt);
      foundBytes = textBytes(slotAt);
    }
  }
  // A text that was written only now is gone at the next look.
  const lasts = type === TYPE_TEXT ? field !== FIELD_TIME && field !== FIELD_DELIVER_BY : type === TYPE_MISSING;
  if (lasts) textKeep(slot, tag);
  return foundAt !== 0;
}

function textKeep(slot: u32, tag: u64): void {
  store<u64>(slot, tag, SLOT_TEXT_TAG);
  store<u32>(slot, foundAt, SLOT_TEXT);
  store<u32>(slot, foundBytes, SLOT_TEXT + 4);
}
