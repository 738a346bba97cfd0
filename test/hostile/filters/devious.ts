/**
 * Modules that a host takes, that behave while it looks at them, and that then lie to it: about their memory, their answers, their
 * state. Written as text. They are awake in batches of more than two events, which is what a dry run has.
 */
import type { FaultCause } from "../../../host/filter/module/fault.ts";
import { ARENA, type ModuleText, moduleText } from "../../host/filter/module/kit.ts";

/** One module, of which every event that it is not awake for goes to all. */
export interface Devious {
  readonly name: string;
  readonly text: string;
  /** How it fails when it is awake; absent: not at all, and all events still go to all. */
  readonly cause?: FaultCause;
}

/** In a hook. */
const AWAKE = "(i32.gt_u (local.get $n) (i32.const 2))";
/** Has what is not a hook know that one was awake. */
const WAKE = `(if ${AWAKE} (then (global.set $awake (i32.const 1))))`;
const AWAKE_GLOBAL = "(global $awake (mut i32) (i32.const 0))";
const TO_ALL = "(i32.const 1)";
const FOREVER = "(loop $forever (br $forever))";
const LOG = '(import "sluice" "log" (func $log (param i32 i32 i32)))';

function devious(name: string, cause: FaultCause | undefined, text: ModuleText): Devious {
  return { name, text: moduleText(text), ...(cause === undefined ? {} : { cause }) };
}

/** The word of each event of a batch that it is awake for. */
const word = (name: string, cause: FaultCause | undefined, code: string, more: ModuleText = {}): Devious =>
  devious(name, cause, { ...more, word: `(if (result i32) ${AWAKE} (then ${code}) (else ${TO_ALL}))` });

/** How many words it says that it has written. */
const answer = (name: string, cause: FaultCause | undefined, code: string, more: ModuleText = {}): Devious =>
  devious(name, cause, { ...more, answer: `(if (result i32) ${AWAKE} (then ${code}) (else (local.get $n)))` });

/** A list behind the words, to which every event points. */
const list = (name: string, cause: FaultCause | undefined, ...words: readonly number[]): Devious =>
  word(
    name,
    cause,
    `(block (result i32)
       ${words.map((value, place) => `(i32.store ${behind(place)} (i32.const ${value}))`).join(" ")}
       (i32.const 3))`,
    { answer: `(if (result i32) ${AWAKE} (then (local.get $cap)) (else (local.get $n)))` },
  );

/** The address of a word behind those of events. */
const behind = (place: number): string =>
  `(i32.add (local.get $out) (i32.mul (i32.add (local.get $n) (i32.const ${place})) (i32.const 4)))`;

/** Where it wants records once there are more than two. */
const arena = (name: string, cause: FaultCause | undefined, code: string, more = ""): Devious =>
  devious(name, cause, {
    more,
    arena: `(if (result i32) (i32.and (i32.eqz (local.get $kind)) (i32.gt_u (local.get $bytes) (i32.const 4096)))
      (then ${code}) (else ${ARENA}))`,
  });

/** What it says that its state has of bytes, once it was awake. */
const save = (name: string, cause: FaultCause | undefined, code: string): Devious =>
  devious(name, cause, {
    answer: `${WAKE} (local.get $n)`,
    more: `${AWAKE_GLOBAL}
      (func (export "sluice_save") (param $at i32) (param $cap i32) (result i32)
        (if (result i32) (global.get $awake) (then ${code}) (else (i32.const 0))))`,
  });

/** What it does when it is told of sinks; a dry run has two. */
const sinks = (name: string, cause: FaultCause | undefined, code: string): Devious =>
  devious(name, cause, {
    more: `(func (export "sluice_sinks") (param $changed i32) (param $n i32) (param $sinks i32)
      (if (i32.ne (local.get $sinks) (i32.const 2)) (then ${code})))`,
  });

const END = "(i32.shl (memory.size) (i32.const 16))";

const places: readonly Devious[] = [
  arena("an arena that is not aligned", "arena", `(i32.add ${ARENA} (i32.const 8))`),
  arena("an arena that ends beyond memory", "arena", `(i32.sub ${END} (i32.const 16))`),
  arena("an arena at the end of addresses", "arena", "(i32.const -16)"),
  arena("an arena where another is", "arena", "(i32.const 65536)"),
  arena("an arena in memory that it has just got", undefined, `(i32.shl (memory.grow (i32.const 1)) (i32.const 16))`),
  arena(
    "an arena elsewhere each time",
    undefined,
    `(block (result i32)
      (global.set $turn (i32.xor (global.get $turn) (i32.const 16)))
      (i32.add ${ARENA} (global.get $turn)))`,
    "(global $turn (mut i32) (i32.const 0))",
  ),
  arena("an arena that is not given", "trap", "unreachable"),
  arena("an arena that is never given", "fuel", `${FOREVER} unreachable`),
  arena("an arena at the bottom of the stack", "stack", "(call $deep (i32.const 0))", deep()),
];

/** Calls that end where the stack does: so many of them would take more fuel than an arena may take if all were small. */
function deep(): string {
  const locals = "(local i64)".repeat(900);
  return `(func $deep (param i32) (result i32) ${locals} (call $deep (i32.add (local.get 0) (i32.const 1))))`;
}

const answers: readonly Devious[] = [
  word("no decision", "bad-output", "(i32.const -1)"),
  word("a bitmap far outside", "bad-output", "(i32.const 0x7ffffffe)"),
  word("a list far outside", "bad-output", "(i32.const -5)"),
  word(
    "a bitmap behind all that there is room for",
    "bad-output",
    "(i32.or (i32.shl (i32.sub (local.get $cap) (local.get $n)) (i32.const 2)) (i32.const 2))",
  ),
  list("a list of 4,294,967,295", "bad-output", -1),
  list("a list longer than the answer", "bad-output", 100_000),
  list("a list of nobody there", "bad-output", 2, 0, 100_000),
  list("a list of a sink before the first", "bad-output", 1, -1),
  list("a list that names one three times", undefined, 3, 0, 0, 0),
  answer("more words than there is room for", "bad-output", "(i32.add (local.get $cap) (i32.const 1))"),
  answer("2,147,483,647 words", "bad-output", "(i32.const 0x7fffffff)"),
  answer("no word", "bad-output", "(i32.const 0)"),
  answer("fewer words than events", "bad-output", "(i32.sub (local.get $n) (i32.const 1))"),
  answer("less than nothing", "negative", "(i32.const -2147483648)"),
];

const within: readonly Devious[] = [
  word(
    "a trap on the third event",
    "trap",
    `(if (i32.eq (local.get $event) (i32.const 2)) (then unreachable)) ${TO_ALL}`,
  ),
  word("a number that is none", "trap", "(i32.trunc_f64_s (f64.div (f64.const 0) (f64.const 0)))"),
  word("memory that grows with each event", undefined, `(drop (memory.grow (i32.const 1))) ${TO_ALL}`),
  answer(
    "everything overwritten, its answer as well",
    "bad-output",
    `(memory.fill (i32.const 0) (i32.const 255) ${END}) (local.get $n)`,
  ),
  answer(
    "all of its memory of zeros behind its answer",
    undefined,
    `(memory.fill (local.get $batch) (i32.const 0) (i32.sub (local.get $out) (local.get $batch))) (local.get $n)`,
  ),
  word(
    "numbers for texts outside of init",
    "import",
    "(drop (call $intern (i32.const 0) (i32.const 4))) (i32.const 1)",
    {
      more: '(import "sluice" "intern" (func $intern (param i32 i32) (result i32)))',
    },
  ),
  word(
    "lines of bytes that are no text, and act upon terminals",
    undefined,
    `(call $log (i32.const 3) (i32.const 100) (i32.const 14)) ${TO_ALL}`,
    { more: `${LOG} (data (i32.const 100) "\\1b[2J\\1b]0;x\\07\\ff\\c3\\9b!")` },
  ),
  word(
    "a line of memory that is not there",
    "import",
    `(call $log (i32.const 3) (i32.const -8) (i32.const 64)) ${TO_ALL}`,
    {
      more: LOG,
    },
  ),
  devious("20,000 texts that are numbered", undefined, {
    more: `(import "sluice" "intern" (func $intern (param i32 i32) (result i32)))
      (func (export "sluice_init") (param i32 i32) (result i32)
        (local $text i32)
        (loop $next
          (i32.store (i32.const 100) (i32.or (i32.const 0x40404040) (local.get $text)))
          (drop (call $intern (i32.const 100) (i32.const 4)))
          (local.set $text (i32.add (local.get $text) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $text) (i32.const 20000))))
        (i32.const 0))`,
  }),
];

const tables: readonly Devious[] = [
  sinks("a trap when it is told of sinks", "trap", "unreachable"),
  sinks("no end when it is told of sinks", "fuel", FOREVER),
  sinks("more memory when it is told of sinks", undefined, "(drop (memory.grow (i32.const 4)))"),
];

const states: readonly Devious[] = [
  save("as much state as there may be", undefined, "(local.get $cap)"),
  save("more state than there may be", "bad-output", "(i32.add (local.get $cap) (i32.const 1))"),
  save("less state than none", "negative", "(i32.const -1)"),
  save("a trap when it is to save", "trap", "unreachable"),
  save("no end when it is to save", "fuel", `${FOREVER} unreachable`),
];

/** All of them. */
export const deviousModules: readonly Devious[] = [...places, ...answers, ...within, ...tables, ...states];

/** What comes after each: it traps on state that is not its own four bytes, and goes on without. */
export const successor: string = moduleText({
  more: `
    (func (export "sluice_save") (param $at i32) (param $cap i32) (result i32)
      (i32.store (local.get $at) (i32.const 0x53544154)) (i32.const 4))
    (func (export "sluice_restore") (param $at i32) (param $bytes i32) (result i32)
      (if (i32.ne (local.get $bytes) (i32.const 4)) (then unreachable))
      (if (i32.ne (i32.load (local.get $at)) (i32.const 0x53544154)) (then unreachable))
      (i32.const 0))`,
});
