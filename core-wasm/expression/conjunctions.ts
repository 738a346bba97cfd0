/**
 * A program as an OR of ANDs of simple predicates (predicates.ts), read off its verified bytecode: whoever hands a program to
 * the core cannot make it say less than the machine does.
 *
 * The code is walked with values that are not known yet. At a jump on such a value both ways are taken, the one with the
 * value in the set of what must hold; a way that ends with something false is none. What is no simple predicate is left
 * out of the set, which then is loose: the program has to be asked too.
 */
import {
  EXPRESSION_CESQL,
  EXPRESSION_CODE_BYTES_MAX,
  OP_AGE,
  OP_BETWEEN,
  OP_CALL,
  OP_CONSTANT,
  OP_END,
  OP_EQUAL,
  OP_EXISTS,
  OP_FAIL,
  OP_GREATER_EQUAL,
  OP_IN_EQUAL,
  OP_JUMP_FALSE,
  OP_JUMP_TRUE,
  OP_LIKE,
  OP_NAME,
  OP_NIP,
  OP_NOT,
  OP_NOT_BETWEEN,
  OP_TO_BOOLEAN,
  SCOPE_CONDITION,
  SCOPE_EVENT,
  TYPE_BOOLEAN,
} from "./code";
import { codeAt, constantAt, nameAt } from "./layout";
import {
  betweenPredicate,
  booleanPredicate,
  comparisonPredicate,
  elementOther,
  elementPredicate,
  likePredicate,
  NO_PREDICATE,
  predicateAt,
  predicatesBegin,
} from "./predicates";
import { depthsAt, gives, operationBytes, takes } from "./verify";

/** An expression with more ways to be true is looked at as one AND with parts that are not known. */
export const CONJUNCTIONS_MAX: u32 = 32;
/** Operations walked for one program, ways that lead nowhere included. */
const STEPS_MAX: u32 = 4096;
const LEVELS_MAX: u32 = 40;

/** What is known of a value: KNOWN_… << 16, and which. */
const UNKNOWN: u32 = 0;
const KNOWN_FALSE: u32 = 1 << 16;
const KNOWN_TRUE: u32 = 2 << 16;
const KNOWN_NAME: u32 = 3 << 16;
const KNOWN_CONSTANT: u32 = 4 << 16;
/** Whether a predicate holds, or one of two (in the second byte). */
const KNOWN_PREDICATE: u32 = 5 << 16;

const STACK_BYTES: u32 = 256;
/** The verifier's room: no program is verified while one is read. */
const stacksAt: u32 = depthsAt;
if ((LEVELS_MAX + 1) * STACK_BYTES > EXPRESSION_CODE_BYTES_MAX) ERROR("No room for the stacks of all levels");

/** Per conjunction: u32 set of predicates, u32 whether it is loose. */
const foundAt: u32 = <u32>memory.data(256);
if (CONJUNCTIONS_MAX * 8 !== 256) ERROR("No room for the conjunctions");
let found: u32 = 0;
let steps: u32 = 0;
let tooMany = false;
/** Whether OR is not looked into. */
let narrow = false;
let programAt: u32 = 0;
/** Of the names that predicates are about. */
let scope: u32 = SCOPE_EVENT;

/** The predicates of a conjunction, as a set of bits. */
export function conjunctionSet(index: u32): u32 {
  return load<u32>(foundAt + index * 8);
}

/** Whether the program must be asked too where they hold. */
export function conjunctionLoose(index: u32): bool {
  return load<u32>(foundAt + index * 8, 4) !== 0;
}

/**
 * Reads a verified program that lies at `program`, with predicates about names of a scope (those of the sink have none); returns how many conjunctions it has. None: it is never true. The program is
 * true exactly where one of them holds, those that are loose being asked of the program itself.
 */
export function conjunctionsRead(program: u32, names: u32 = SCOPE_EVENT): u32 {
  programAt = program;
  scope = names;
  narrow = false;
  begin();
  if (tooMany) {
    narrow = true;
    begin();
  }
  for (let i: u32 = 0; i < found; i++) if (isLoose(conjunctionSet(i))) store<u32>(foundAt + i * 8, 1, 4);
  absorb();
  return found;
}

function begin(): void {
  found = steps = 0;
  tooMany = false;
  predicatesBegin(programAt, load<u8>(programAt, 1) === EXPRESSION_CESQL, scope);
  walk(codeAt(programAt), 0, 0, 0, false);
}

function isLoose(set: u32): bool {
  for (; set !== 0; set &= set - 1) if (predicateAt(ctz<u32>(set)).loose !== 0) return true;
  return false;
}

/** Drops what another conjunction, which asks for less, finds as well. */
function absorb(): void {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const set = conjunctionSet(i);
    let redundant = false;
    for (let k: u32 = 0; k < found && !redundant; k++) {
      const other = conjunctionSet(k);
      // Of equal ones the first stays; it is loose if one of them is.
      redundant = k !== i && (other & ~set) === 0 && (other !== set || k < i);
      if (redundant && other === set && conjunctionLoose(i)) store<u32>(foundAt + k * 8, 1, 4);
    }
    store<u32>(keptAt + i * 4, redundant ? 0 : 1);
  }
  for (let i: u32 = 0; i < found; i++) {
    if (load<u32>(keptAt + i * 4) !== 0) store<u64>(foundAt + kept++ * 8, load<u64>(foundAt + i * 8));
  }
  found = kept;
}
const keptAt: u32 = <u32>memory.data(128);

function emit(set: u32, loose: bool): void {
  if (found === CONJUNCTIONS_MAX) {
    tooMany = true;
    return;
  }
  store<u32>(foundAt + found * 8, set);
  store<u32>(foundAt + found++ * 8, loose ? 1 : 0, 4);
}

/** The set with the predicates of a value, of which at most one counts. */
function withFirst(set: u32, value: u32): u32 {
  return value >> 16 === KNOWN_PREDICATE >> 16 ? set | ((<u32>1) << (value & 0xff)) : set;
}

/** The predicate that may hold instead of the first one, NO_PREDICATE where there is none. */
function secondOf(value: u32): u32 {
  return value >> 16 === KNOWN_PREDICATE >> 16 ? (value >> 8) & 0xff : NO_PREDICATE;
}

/** Goes on from an operation with `depth` values on the stack of a level, where all of `set` holds. */
function walk(pc: u32, level: u32, depth: u32, set: u32, loose: bool): void {
  const stack = stacksAt + level * STACK_BYTES;
  while (!tooMany) {
    const op = <u32>load<u8>(pc);
    if (++steps > STEPS_MAX) {
      tooMany = true;
      return;
    }
    if (op === OP_END) return end(truthOf(load<u32>(stack)), set, loose);
    const size = operationBytes(op);
    if (op === OP_JUMP_FALSE || op === OP_JUMP_TRUE) {
      const value = truthOf(load<u32>(stack + (depth - 1) * 4));
      const target = pc + size + load<u16>(pc, 1);
      if (value === KNOWN_FALSE || value === KNOWN_TRUE) {
        if ((value === KNOWN_TRUE) === (op === OP_JUMP_TRUE)) {
          pc = target;
        } else {
          depth--;
          pc += size;
        }
      } else if (op === OP_JUMP_FALSE && secondOf(value) === NO_PREDICATE && deadEnd(target)) {
        // Only one way leads on: an AND.
        loose = loose || value >> 16 !== KNOWN_PREDICATE >> 16;
        set = withFirst(set, value);
        depth--;
        pc += size;
      } else if (narrow) {
        if (jumpsBeyond(pc + size, target)) return emit(set, true);
        store<u32>(stack + (depth - 1) * 4, UNKNOWN);
        pc = target;
      } else if (level === LEVELS_MAX) {
        return emit(set, true);
      } else {
        return fork(op, pc + size, target, level, depth, set, loose, value);
      }
      continue;
    }
    const count = op === OP_CALL ? <u32>load<u8>(pc, 2) : takes;
    const more = gives;
    const value = op === OP_NIP ? load<u32>(stack + (depth - 1) * 4) : given(op, pc, stack + depth * 4);
    // Operations that give two values leave the lower one.
    depth = depth - count + more;
    store<u32>(stack + (depth - 1) * 4, value);
    pc += size;
  }
}

/** What an operation gives whose operands end at `top`. */
function given(op: u32, pc: u32, top: u32): u32 {
  const operand = <u32>load<u16>(pc, 1);
  if (op === OP_CONSTANT) {
    const constant = constantAt(programAt, operand);
    if (load<u8>(constant) !== TYPE_BOOLEAN) return KNOWN_CONSTANT | operand;
    return load<u64>(constant, 8) !== 0 ? KNOWN_TRUE : KNOWN_FALSE;
  }
  if (op === OP_NAME) return <u32>load<u8>(nameAt(programAt, operand)) === scope ? KNOWN_NAME | operand : UNKNOWN;
  if (op === OP_EXISTS || op === OP_AGE || op === OP_FAIL || op === OP_CALL) return UNKNOWN;
  const last = load<u32>(top - 4);
  if (op === OP_TO_BOOLEAN) return isTruth(truthOf(last)) ? truthOf(last) : UNKNOWN;
  if (op === OP_NOT) return last === KNOWN_TRUE ? KNOWN_FALSE : last === KNOWN_FALSE ? KNOWN_TRUE : UNKNOWN;
  let made = NO_PREDICATE;
  let other = NO_PREDICATE;
  if (op >= OP_EQUAL && op <= OP_GREATER_EQUAL) {
    const name = <u32>load<u16>(top - 8);
    if (!isName(top - 8)) return UNKNOWN;
    if (last === KNOWN_TRUE || last === KNOWN_FALSE) made = booleanPredicate(op, name, last === KNOWN_TRUE);
    else if (last >> 16 === KNOWN_CONSTANT >> 16) made = comparisonPredicate(op, name, last & 0xffff);
  } else if (op === OP_BETWEEN || op === OP_NOT_BETWEEN) {
    const low = load<u32>(top - 8);
    if (isName(top - 12) && low >> 16 === KNOWN_CONSTANT >> 16 && last >> 16 === KNOWN_CONSTANT >> 16)
      made = betweenPredicate(op, load<u16>(top - 12), low & 0xffff, last & 0xffff);
  } else if (op === OP_LIKE) {
    if (last >> 16 === KNOWN_NAME >> 16) made = likePredicate(last & 0xffff, operand);
  } else if (op === OP_IN_EQUAL) {
    if (isName(top - 8) && last >> 16 === KNOWN_CONSTANT >> 16) {
      made = elementPredicate(load<u16>(top - 8), last & 0xffff);
      other = elementOther;
    }
  }
  return made === NO_PREDICATE ? UNKNOWN : KNOWN_PREDICATE | (other << 8) | made;
}

/** A condition that stands alone asks whether it is true. */
function truthOf(value: u32): u32 {
  if (scope !== SCOPE_CONDITION || value >> 16 !== KNOWN_NAME >> 16) return value;
  const made = booleanPredicate(OP_EQUAL, value & 0xffff, true);
  return made === NO_PREDICATE ? UNKNOWN : KNOWN_PREDICATE | (NO_PREDICATE << 8) | made;
}

function isName(at: u32): bool {
  return load<u32>(at) >> 16 === KNOWN_NAME >> 16;
}

function isTruth(value: u32): bool {
  const what = value >> 16;
  return what === KNOWN_PREDICATE >> 16 || value === KNOWN_TRUE || value === KNOWN_FALSE;
}

/** The whole has this value. */
function end(value: u32, set: u32, loose: bool): void {
  if (value === KNOWN_FALSE) return;
  emit(withFirst(set, value), loose || !isTruth(value));
  const second = secondOf(value);
  if (second !== NO_PREDICATE) emit(set | ((<u32>1) << second), loose);
}

/** Takes both ways of a jump on a value that is not known. */
function fork(op: u32, next: u32, target: u32, level: u32, depth: u32, set: u32, loose: bool, value: u32): void {
  const first = found;
  const known = value >> 16 === KNOWN_PREDICATE >> 16;
  const holds = withFirst(set, value);
  way(op === OP_JUMP_TRUE, KNOWN_TRUE, next, target, level, depth, holds, loose || !known);
  const second = secondOf(value);
  const either = second === NO_PREDICATE ? holds : set | ((<u32>1) << second);
  if (second !== NO_PREDICATE) way(op === OP_JUMP_TRUE, KNOWN_TRUE, next, target, level, depth, either, loose);
  const middle = found;
  way(op === OP_JUMP_FALSE, KNOWN_FALSE, next, target, level, depth, set, loose);
  // That the value does not hold is not in the sets of the other way. It need not be where the whole is true anyway.
  const asked = (holds | either) & ~set;
  for (let i = middle; i < found; i++) {
    let covered = false;
    for (let k = first; k < middle && !covered; k++) {
      covered = !conjunctionLoose(k) && (conjunctionSet(k) & ~asked & ~conjunctionSet(i)) === 0;
    }
    if (!covered) store<u32>(foundAt + i * 8, 1, 4);
  }
}

/** One way of a jump: a value that is looked at stays on the stack where it jumps. */
function way(jumps: bool, value: u32, next: u32, target: u32, level: u32, depth: u32, set: u32, loose: bool): void {
  const from = stacksAt + level * STACK_BYTES;
  memory.copy(from + STACK_BYTES, from, STACK_BYTES);
  if (jumps) store<u32>(from + STACK_BYTES + (depth - 1) * 4, value);
  walk(jumps ? target : next, level + 1, jumps ? depth : depth - 1, set, loose);
}

/** Whether something false that arrives at `pc` makes the whole false. */
function deadEnd(pc: u32): bool {
  while (load<u8>(pc) === OP_JUMP_FALSE) pc += 3 + load<u16>(pc, 1);
  return load<u8>(pc) === OP_END;
}

/** Whether some jump between two operations leads beyond the second one. */
function jumpsBeyond(pc: u32, end: u32): bool {
  while (pc < end) {
    const op = <u32>load<u8>(pc);
    if ((op === OP_JUMP_FALSE || op === OP_JUMP_TRUE) && pc + 3 + load<u16>(pc, 1) > end) return true;
    pc += operationBytes(op);
  }
  return false;
}
