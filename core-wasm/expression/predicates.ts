/**
 * Simple predicates of a program, about one name of the event and constants: what an index can answer without the machine.
 *
 *   zone = 'eu'        the name, cast to text, is that text
 *   load < 0.8         the name, cast to a number, lies in an interval; equal numbers too
 *   urgent = TRUE      the name, cast to a boolean
 *   type LIKE 'com.%'  the name, cast to text, begins with the pattern but for its last character
 *   hops IN (2, 3)     as `=`, or a boolean that is true: IN casts the constant to the type of the name
 *
 * One is `loose` where it may hold although the machine says no; it never fails where the machine says yes. Missing values
 * and casts that fail make all of them false, which in the pure language is so only where the zero value would fail too.
 */
import {
  OP_BETWEEN,
  OP_EQUAL,
  OP_GREATER,
  OP_GREATER_EQUAL,
  OP_LESS,
  OP_LESS_EQUAL,
  TYPE_INTEGER,
  TYPE_NUMBER,
  TYPE_TEXT,
} from "./code";
import { constantAt, nameAt } from "./layout";
import { numberRead, numberReadKind, READ_NONE } from "./numerals";

/** To what a predicate casts the value that it asks for. */
export const KIND_TEXT: u32 = 0;
export const KIND_NUMBER: u32 = 1;
export const KIND_BOOLEAN: u32 = 2;
/** Only values that are booleans. */
export const KIND_TRULY_BOOLEAN: u32 = 3;
/** As text; only its beginning counts, and no table of values can say it. */
export const KIND_PREFIX: u32 = 4;

/** One predicate. */
@unmanaged
export class Predicate {
  /** Index of the name in the program. */
  name: u32;
  kind: u32;
  /** Kinds text and prefix: index of the constant. */
  constant: u32;
  loose: u32;
  /** All others: what the value must lie between, bounds included; a NaN lets nothing through. */
  low: f64;
  high: f64;
}
const PREDICATE_BYTES: u32 = offsetof<Predicate>();
/** As many as a set of them has bits. */
export const PREDICATES_MAX: u32 = 32;
/** There is no such predicate. */
export const NO_PREDICATE: u32 = 0xff;

const predicatesAt: u32 = <u32>memory.data(1024, 8);
if (PREDICATES_MAX * PREDICATE_BYTES !== 1024) ERROR("Predicates have not the size of their room");
let predicates: u32 = 0;
let programAt: u32 = 0;
let strict = false;
let scope: u32 = 0;

/** Begins with the predicates of another program, about names of a scope. */
export function predicatesBegin(program: u32, cesql: bool, names: u32): void {
  predicates = 0;
  programAt = program;
  strict = cesql;
  scope = names;
}

/** The predicate of that number. */
export function predicateAt(number: u32): Predicate {
  return changetype<Predicate>(predicatesAt + number * PREDICATE_BYTES);
}

/** The next number that lies above, NaN above all of them. */
function above(value: f64): f64 {
  if (value === 0) return reinterpret<f64>(<u64>1);
  const bits = reinterpret<u64>(value);
  return reinterpret<f64>(value > 0 ? bits + 1 : bits - 1);
}

/** Number of the predicate, which may be there already; NO_PREDICATE where there are too many. */
function add(name: u32, kind: u32, constant: u32, low: f64, high: f64, loose: bool): u32 {
  if (<u32>load<u8>(nameAt(programAt, name)) !== scope) return NO_PREDICATE;
  for (let i: u32 = 0; i < predicates; i++) {
    const one = predicateAt(i);
    if (one.name !== name || one.kind !== kind) continue;
    if (one.constant !== constant || one.low !== low || one.high !== high) continue;
    one.loose |= loose ? 1 : 0;
    return i;
  }
  if (predicates === PREDICATES_MAX) return NO_PREDICATE;
  const one = predicateAt(predicates);
  one.name = name;
  one.kind = kind;
  one.constant = constant;
  one.low = low;
  one.high = high;
  one.loose = loose ? 1 : 0;
  return predicates++;
}

/** Whole numbers from here on are not all doubles: an interval of doubles would not say what the machine says. */
const WHOLE_LIMIT: i64 = 1 << 53;
let bound: f64 = 0;

/** Reads a constant that is a number into `bound`; false where it is none, or too large. */
function boundRead(constant: u32): bool {
  const at = constantAt(programAt, constant);
  const type = <u32>load<u8>(at);
  if (type === TYPE_NUMBER) {
    bound = load<f64>(at, 8);
    return true;
  }
  const value = load<i64>(at, 8);
  bound = <f64>value;
  return type === TYPE_INTEGER && value > -WHOLE_LIMIT && value < WHOLE_LIMIT;
}

/** Number of `name op TRUE` or FALSE; NO_PREDICATE where it is no simple one. */
export function booleanPredicate(op: u32, name: u32, value: bool): u32 {
  // In the pure language a text that is no boolean counts as FALSE.
  if (op !== OP_EQUAL || (strict && !value)) return NO_PREDICATE;
  const wanted: f64 = value ? 1 : 0;
  return add(name, KIND_BOOLEAN, 0, wanted, wanted, strict);
}

/** Number of `name op constant`, which is no boolean. */
export function comparisonPredicate(op: u32, name: u32, constant: u32): u32 {
  const at = constantAt(programAt, constant);
  const type = <u32>load<u8>(at);
  if (type === TYPE_TEXT) return op === OP_EQUAL ? add(name, KIND_TEXT, constant, 0, 0, false) : NO_PREDICATE;
  if (!boundRead(constant)) return NO_PREDICATE;
  let low: f64 = -Infinity;
  let high: f64 = Infinity;
  if (op === OP_EQUAL) low = high = bound;
  else if (op === OP_LESS) high = -above(-bound);
  else if (op === OP_LESS_EQUAL) high = bound;
  else if (op === OP_GREATER) low = above(bound);
  else if (op === OP_GREATER_EQUAL) low = bound;
  else return NO_PREDICATE;
  return numbers(name, low, high);
}

function numbers(name: u32, low: f64, high: f64): u32 {
  // In the pure language a text that is no number counts as 0.
  if (strict && low <= 0 && high >= 0) return NO_PREDICATE;
  return add(name, KIND_NUMBER, 0, low, high, strict);
}

/** `name BETWEEN low AND high`. */
export function betweenPredicate(op: u32, name: u32, low: u32, high: u32): u32 {
  if (op !== OP_BETWEEN || !boundRead(low)) return NO_PREDICATE;
  const from = bound;
  return boundRead(high) ? numbers(name, from, bound) : NO_PREDICATE;
}

/** Number of `name LIKE constant`, where that ends with its only `%`. */
export function likePredicate(name: u32, constant: u32): u32 {
  const at = constantAt(programAt, constant);
  const bytes = load<u32>(at, 12);
  const text = programAt + load<u32>(at, 8);
  if (bytes === 0 || load<u8>(text + bytes - 1) !== 0x25) return NO_PREDICATE;
  for (let i: u32 = 0; i + 1 < bytes; i++) {
    const c = <u32>load<u8>(text + i);
    if (c === 0x25 || c === 0x5f || c === 0x5c) return NO_PREDICATE;
  }
  return add(name, KIND_PREFIX, constant, 0, 0, false);
}

/** `name IN (constant)`. Where elementOther is another predicate, that one may hold instead. */
export function elementPredicate(name: u32, constant: u32): u32 {
  elementOther = NO_PREDICATE;
  if (strict) return NO_PREDICATE;
  const at = constantAt(programAt, constant);
  const type = <u32>load<u8>(at);
  if (type === TYPE_TEXT) return elementText(name, constant, programAt + load<u32>(at, 8), load<u32>(at, 12));
  if (!boundRead(constant)) return NO_PREDICATE;
  // Any number but 0 is true to a boolean.
  if (bound !== 0 && bound !== 1) {
    elementOther = add(name, KIND_TRULY_BOOLEAN, 0, 1, 1, true);
    if (elementOther === NO_PREDICATE) return NO_PREDICATE;
  }
  return add(name, KIND_NUMBER, 0, bound, bound, true);
}

/** See elementPredicate(). */
export let elementOther: u32 = NO_PREDICATE;

/** Only for texts that are nothing else: to a number or a boolean they are then never equal. */
function elementText(name: u32, constant: u32, at: u32, bytes: u32): u32 {
  numberReadKind(at, bytes, false);
  if (numberRead !== READ_NONE || bytes === 0) return NO_PREDICATE;
  const first = load<u8>(at) | 0x20;
  // `true` and `false`; NaN and Infinity are how numbers are written that no text is read as.
  if (first === 0x74 || first === 0x66) {
    if (bytes === 4 && (load<u32>(at) | 0x20202020) === 0x65757274) return NO_PREDICATE;
    if (bytes === 5 && (load<u32>(at) | 0x20202020) === 0x736c6166) return NO_PREDICATE;
  }
  const loose = first === 0x6e || first === 0x69 || first === 0x2d;
  return add(name, KIND_TEXT, constant, 0, 0, loose);
}
