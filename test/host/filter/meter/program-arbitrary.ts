/**
 * Random programs that are valid and end: every kind of block, branch and call, memory and tables, on numbers of all types.
 *
 * They end because loops count down and because all functions together may be entered only so often.
 */
import fc from "fast-check";
import type { ModuleParts } from "./assemble.ts";

/** Writes code. */
type Code = (scope: Scope) => string;

interface Scope {
  /** Of each block around, innermost first, whether one may jump to it with nothing on the stack. */
  readonly labels: readonly boolean[];
  /** Loops around: each has a counter of its own. */
  readonly loops: number;
  readonly params: number;
}

const FUNCTIONS = 4;
const VARIABLES = 3;
const LOOPS_MAX = 3;
const TURNS_MAX = 5;
const GLOBALS = 2;
/** The global that says how many functions may still be entered. */
const ENTRIES = GLOBALS;
const ENTRIES_MAX = 60;
/** Of imports; functions follow. */
const RAND = 0;
const INTERN = 1;
const FIRST = 2;
const TABLE = 8;
/** Addresses reach a little beyond the first page, where loads trap. */
const ADDRESS_MASK = 0x1_0003;

const inside = (scope: Scope, ...labels: boolean[]): Scope => ({ ...scope, labels: [...labels, ...scope.labels] });
const variable = (scope: Scope, pick: number): number => pick % (scope.params + VARIABLES);
/** Jumps to one of the blocks that can be jumped to, if there is any. */
const jump = (scope: Scope, picks: readonly number[], write: (labels: string) => string): string => {
  const free = scope.labels.flatMap((isFree, depth) => (isFree ? [depth] : []));
  return free.length === 0 ? "nop" : write(picks.map((n) => free[n % free.length]).join());
};
const address = (code: string): string => `${code} i32.const ${ADDRESS_MASK} i32.and`;
const pick = fc.nat({ max: 1_000 });
const word = (names: string): fc.Arbitrary<string> => fc.constantFrom(...names.split(" "));
const sequence =
  (codes: readonly Code[]): Code =>
  (scope) =>
    codes.map((code) => code(scope)).join(" ");

const i32Binary = word("add sub mul and or xor shl shr_s rotl eq lt_s gt_u div_s rem_u div_u");
const i64Binary = word("add mul xor shr_u rotr div_u");
const f64Binary = word("add sub mul div min copysign");

const programs = fc.letrec<{ value: Code; step: Code; steps: Code }>((tie) => {
  const [value, steps] = [tie("value"), tie("steps")];
  const pair = fc.tuple(value, value);
  const leaf: fc.Arbitrary<Code>[] = [
    fc.integer({ min: -3, max: 70 }).map((number) => () => `i32.const ${number}`),
    pick.map((n) => (scope) => `local.get ${variable(scope, n)}`),
    pick.map((n) => () => `global.get ${n % GLOBALS}`),
  ];
  /** Values, computed in as many ways as there are. */
  const node: fc.Arbitrary<Code>[] = [
    fc.tuple(i32Binary, pair).map(
      ([op, [a, b]]) =>
        (scope) =>
          `${a(scope)} ${b(scope)} i32.${op}`,
    ),
    fc.tuple(i64Binary, pair).map(
      ([op, [a, b]]) =>
        (scope) =>
          `${a(scope)} i64.extend_i32_s ${b(scope)} i64.extend_i32_u i64.${op} i32.wrap_i64`,
    ),
    fc.tuple(f64Binary, pair).map(
      ([op, [a, b]]) =>
        (scope) =>
          `${a(scope)} f64.convert_i32_s ${b(scope)} f64.convert_i32_u f64.${op} f64.sqrt i32.trunc_sat_f64_s`,
    ),
    pair.map(
      ([a, b]) =>
        (scope) =>
          `${a(scope)} i32x4.splat ${b(scope)} i32x4.splat i32x4.mul i32x4.extract_lane 2`,
    ),
    fc.tuple(word("i32.load i32.load8_s i32.load16_u"), value).map(
      ([op, a]) =>
        (scope) =>
          `${address(a(scope))} ${op} 1`,
    ),
    fc.tuple(value, value, value).map(
      ([a, b, c]) =>
        (scope) =>
          `${a(scope)} ${b(scope)} ${c(scope)} select`,
    ),
    fc.tuple(value, value, value).map(([a, b, c]) => (scope) => {
      const arm = inside(scope, false);
      return `${a(scope)} if i ${b(arm)} else ${c(arm)} end`;
    }),
    // A block with a result that may be left early.
    fc.tuple(steps, value, value, value).map(([first, a, b, c]) => (scope) => {
      const within = inside(scope, false);
      return `block i ${first(within)} ${a(within)} ${b(within)} br_if 0 drop ${c(within)} end`;
    }),
    // A block with a parameter.
    fc.tuple(value, value).map(
      ([a, b]) =>
        (scope) =>
          `${a(scope)} block i:i ${b(inside(scope, false))} i32.add end`,
    ),
    fc.tuple(pick, pair).map(
      ([n, [a, b]]) =>
        (scope) =>
          `${a(scope)} ${b(scope)} call ${FIRST + (n % FUNCTIONS)}`,
    ),
    fc.tuple(value, pair).map(
      ([n, [a, b]]) =>
        (scope) =>
          `${a(scope)} ${b(scope)} ${n(scope)} i32.const ${TABLE - 1} i32.and call_indirect ii:i`,
    ),
    fc.tuple(pick, value).map(
      ([n, a]) =>
        (scope) =>
          `${a(scope)} local.tee ${variable(scope, n)}`,
    ),
    fc.constant(() => `call ${RAND}`),
    fc.constant(() => "memory.size"),
    value.map((a) => (scope) => `${a(scope)} i32.const 3 i32.and memory.grow`),
    fc.tuple(pick, value).map(
      ([n, a]) =>
        (scope) =>
          `ref.func ${FIRST + (n % FUNCTIONS)} ${a(scope)} i32.const 1 i32.and table.grow 0`,
    ),
  ];
  const simple: fc.Arbitrary<Code>[] = [
    fc.tuple(pick, value).map(
      ([n, a]) =>
        (scope) =>
          `${a(scope)} local.set ${variable(scope, n)}`,
    ),
    fc.tuple(pick, value).map(
      ([n, a]) =>
        (scope) =>
          `${a(scope)} global.set ${n % GLOBALS}`,
    ),
    fc.tuple(word("i32.store i32.store8 i32.store16"), pair).map(
      ([op, [a, b]]) =>
        (scope) =>
          `${address(a(scope))} ${b(scope)} ${op} 0`,
    ),
    value.map((a) => (scope) => `${a(scope)} drop`),
    pick.map((n) => (scope) => jump(scope, [n], (to) => `br ${to}`)),
  ];
  const compound: fc.Arbitrary<Code>[] = [
    fc.tuple(value, steps).map(
      ([a, b]) =>
        (scope) =>
          `${a(scope)} if void ${b(inside(scope, true))} end`,
    ),
    fc.tuple(value, steps, steps).map(
      ([a, b, c]) =>
        (scope) =>
          `${a(scope)} if void ${b(inside(scope, true))} else ${c(inside(scope, true))} end`,
    ),
    steps.map((a) => (scope) => `block void ${a(inside(scope, true))} end`),
    fc.tuple(fc.nat({ max: TURNS_MAX }), steps).map(
      ([turns, a]) =>
        (scope) =>
          loopOf(scope, turns, a),
    ),
    fc.tuple(value, pick).map(
      ([a, n]) =>
        (scope) =>
          jump(scope, [n], (to) => `${a(scope)} br_if ${to}`),
    ),
    fc.tuple(value, fc.array(pick, { minLength: 1, maxLength: 4 })).map(
      ([a, labels]) =>
        (scope) =>
          jump(scope, labels, (to) => `${a(scope)} br_table ${to}`),
    ),
    value.map((a) => (scope) => `${a(scope)} return`),
    // The outermost block is the function.
    value.map((a) => (scope) => `${a(scope)} br ${scope.labels.length}`),
    fc.tuple(pick, pair).map(
      ([n, [a, b]]) =>
        (scope) =>
          `${a(scope)} ${b(scope)} return_call ${FIRST + (n % FUNCTIONS)}`,
    ),
    fc.tuple(pair, value).map(
      ([[a, b], n]) =>
        (scope) =>
          `${a(scope)} ${b(scope)} ${n(scope)} i32.const 7 i32.and return_call_indirect ii:i`,
    ),
    fc.tuple(word("memory.fill memory.copy"), pair, fc.nat({ max: 3_000 })).map(
      ([op, [a, b], n]) =>
        (scope) =>
          `${address(a(scope))} ${address(b(scope))} i32.const ${n} ${op}`,
    ),
    fc.tuple(value, pick).map(
      ([a, n]) =>
        (scope) =>
          `${a(scope)} i32.const 7 i32.and ref.func ${FIRST + (n % FUNCTIONS)} table.set 0`,
    ),
    fc.tuple(value, value).map(
      ([a, b]) =>
        (scope) =>
          `${a(scope)} i32.const 7 i32.and ${b(scope)} i32.const 3 i32.and i32.const 2 table.copy 0 0`,
    ),
  ];
  return {
    value: fc.oneof({ maxDepth: 5, depthIdentifier: "code", withCrossShrink: true }, ...leaf, ...node),
    step: fc.oneof({ maxDepth: 5, depthIdentifier: "code", withCrossShrink: true }, ...simple, ...compound),
    steps: fc.array(tie("step"), { maxLength: 4, depthIdentifier: "code" }).map(sequence),
  };
});

/** Counts down at its head, so that a jump there ends as well. */
function loopOf(scope: Scope, turns: number, body: Code): string {
  if (scope.loops === LOOPS_MAX) return "nop";
  const counter = scope.params + VARIABLES + scope.loops;
  const within = { ...inside(scope, true, true), loops: scope.loops + 1 };
  const step = `local.get ${counter} i32.eqz br_if 1 local.get ${counter} i32.const 1 i32.sub local.set ${counter}`;
  return `i32.const ${turns} local.set ${counter} block void loop void ${step} ${body(within)} br 0 end end`;
}

/** The code of a function: nothing, once all together were entered often enough. */
function functionOf([steps, value]: readonly [Code, Code], params: number): string {
  const scope = { labels: [], loops: 0, params };
  const enter = `global.get ${ENTRIES} i32.eqz if void i32.const 1 return end global.get ${ENTRIES} i32.const 1 i32.sub global.set ${ENTRIES}`;
  return `${enter} ${steps(scope)} ${value(scope)}`;
}

/** Parts of a module whose IN hook is random, as are the functions that it calls. A leaf among them has neither loop nor call. */
export const programArbitrary: fc.Arbitrary<ModuleParts> = fc
  .tuple(
    fc.tuple(programs.steps, programs.value),
    fc.array(fc.tuple(programs.steps, programs.value), { minLength: FUNCTIONS - 1, maxLength: FUNCTIONS - 1 }),
    fc.integer({ min: 0, max: 30 }),
  )
  .map(([hook, others, leafLength]) => {
    const locals = "i".repeat(VARIABLES + LOOPS_MAX);
    const leaf = `local.get 0 if i local.get 1 ${"i32.const 3 i32.mul ".repeat(leafLength)} else i32.const 5 end`;
    return {
      imports: [
        { module: "sluice", name: "rand", type: ":i" },
        { module: "sluice", name: "intern", type: "ii:i" },
      ],
      functions: [
        ...others.map((one) => ({ type: "ii:i", locals, code: functionOf(one, 2) })),
        { type: "ii:i", code: leaf },
        { type: "iiii:i", locals, code: functionOf(hook, 4), exports: ["sluice_in"] },
      ],
      memory: { min: 1, max: 4 },
      tables: [{ min: TABLE, max: TABLE + 4 }],
      globals: [0, 7, ENTRIES_MAX].map((init) => ({ type: "i", isMutable: true, init: `i32.const ${init}` })),
      // The import is among them: it may be called through the table.
      elements: [{ offset: 0, functions: [2, 3, 4, 5, 2, 5, INTERN, 5] }],
      exports: [{ name: "global", kind: 3, index: 0 }],
    };
  });
