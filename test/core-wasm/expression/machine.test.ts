/** The machine, operation by operation, from what core-wasm/expression/code.ts says. */
import { describe, expect, test } from "vitest";
import * as code from "../../../core-wasm/expression/code.ts";
import { assemble, type Constant, type NameUse } from "./assemble.ts";
import { Machine, type MachineValue } from "./machine.ts";

const machine = new Machine();
const number = (value: number) => ({ kind: { case: "number" as const, value } });
const text = (value: string) => ({ kind: { case: "text" as const, value } });
const integer = (value: bigint) => ({ kind: { case: "integer" as const, value } });
const boolean = (value: boolean) => ({ kind: { case: "boolean" as const, value } });

/** undefined as a constant stands for an attribute that is not there. */
const MISSING = "missing";
type Operand = Constant | typeof MISSING | undefined;

/** Runs `op` on operands, in a dialect. */
function apply(operands: readonly Operand[], operations: readonly (readonly (number | bigint)[])[], flags = 0) {
  const constants: Constant[] = [];
  const pushes = operands.map((operand) => {
    if (operand === undefined) return [code.OP_NAME, 0n];
    constants.push(operand);
    return [code.OP_CONSTANT, BigInt(constants.length - 1)];
  });
  const names: NameUse[] = ["missing"];
  const program = assemble({ flags, constants, names, code: [...pushes, ...operations, [code.OP_END]] });
  return machine.evaluate(program, { type: "t" });
}

const INF = Number.POSITIVE_INFINITY;
const BIG = 2n ** 63n - 1n;

describe("arithmetic", () => {
  test.each<[number, Operand, Operand, MachineValue, MachineValue, number, number]>([
    // op, x, y, by default, in CESQL, errors by default, errors in CESQL
    [code.OP_ADD, 1n, 2n, 3n, 3n, 0, 0],
    [code.OP_ADD, "1", true, 2n, 2n, 0, 0],
    [code.OP_ADD, 1.5, 1n, 2.5, 1n, 0, code.ERROR_CAST],
    [code.OP_ADD, BIG, 1n, 2 ** 63, 0n, 0, code.ERROR_MATH],
    [code.OP_ADD, 2147483647n, 1n, 2147483648n, -2147483648n, 0, code.ERROR_MATH],
    [code.OP_SUBTRACT, -BIG - 1n, 1n, -(2 ** 63), -1n, 0, code.ERROR_MATH],
    [code.OP_MULTIPLY, 3n, -4n, -12n, -12n, 0, 0],
    [code.OP_MULTIPLY, BIG, 2n, 2 ** 64, -2n, 0, code.ERROR_MATH],
    [code.OP_MULTIPLY, -1n, -BIG - 1n, 2 ** 63, 0n, 0, code.ERROR_MATH],
    [code.OP_DIVIDE, 7n, -2n, -3n, -3n, 0, 0],
    [code.OP_DIVIDE, 7.0, 2n, 3.5, 3n, 0, 0],
    [code.OP_DIVIDE, 1n, 0n, undefined, undefined, code.ERROR_MATH, code.ERROR_MATH],
    [code.OP_DIVIDE, 1.5, 0n, undefined, undefined, code.ERROR_MATH, code.ERROR_CAST | code.ERROR_MATH],
    [code.OP_DIVIDE, -BIG - 1n, -1n, 2 ** 63, 0n, 0, code.ERROR_MATH],
    [code.OP_REMAINDER, -7n, 2n, -1n, -1n, 0, 0],
    [code.OP_REMAINDER, -BIG - 1n, -1n, 0n, 0n, 0, 0],
    [code.OP_REMAINDER, 7.5, 2n, 1.5, 0n, 0, code.ERROR_CAST],
    [code.OP_REMAINDER, 1n, 0n, undefined, undefined, code.ERROR_MATH, code.ERROR_MATH],
    [code.OP_ADD, undefined, 1n, undefined, 0n, code.ERROR_MISSING, code.ERROR_MISSING],
    [code.OP_DIVIDE, 1n, undefined, undefined, 0n, code.ERROR_MISSING, code.ERROR_MISSING],
    [code.OP_ADD, "x", 1n, undefined, 1n, code.ERROR_CAST, code.ERROR_CAST],
  ])("%i of %s and %s", (op, x, y, want, strict, errors, strictErrors) => {
    expect(apply([x, y], [[op]])).toMatchObject({ value: want, errors });
    expect(apply([x, y], [[op]], code.EXPRESSION_CESQL)).toMatchObject({ value: strict, errors: strictErrors });
  });

  test.each<[Operand, MachineValue, MachineValue]>([
    [5n, -5n, -5n],
    [-2.5, 2.5, 0n],
    [-BIG - 1n, 2 ** 63, -BIG - 1n],
    [-2147483648n, 2147483648n, -2147483648n],
    [true, -1n, -1n],
    ["12", -12n, -12n],
    [undefined, undefined, 0n],
  ])("negation of %s", (x, want, strict) => {
    expect(apply([x], [[code.OP_NEGATE]]).value).toBe(want);
    if (x !== -BIG - 1n) expect(apply([x], [[code.OP_NEGATE]], code.EXPRESSION_CESQL).value).toBe(strict);
  });
});

describe("comparison", () => {
  const ops = [
    code.OP_EQUAL,
    code.OP_NOT_EQUAL,
    code.OP_LESS,
    code.OP_LESS_EQUAL,
    code.OP_GREATER,
    code.OP_GREATER_EQUAL,
  ];
  /** Verdicts of =, !=, <, <=, >, >= as digits. */
  const all = (x: Operand, y: Operand, flags = 0): string =>
    ops.map((op) => (apply([x, y], [[op]], flags).value === true ? "1" : "0")).join("");

  test.each<[Operand, Operand, string]>([
    [1n, 2n, "011100"],
    [2n, 2n, "100101"],
    [2.5, 2n, "010011"],
    [2n, 2.0, "100101"],
    [Number.NaN, 1n, "000000"],
    [Number.NaN, Number.NaN, "000000"],
    [-0, 0n, "100101"],
    [INF, BIG, "010011"],
    ["a", "b", "011100"],
    ["b", "a", "010011"],
    ["a", "ab", "011100"],
    ["ä", "z", "010011"],
    ["5", 5n, "100101"],
    ["5.5", 5n, "010011"],
    ["x", 5n, "000000"],
    [5n, "5", "100101"],
    [true, "true", "100101"],
    ["TRUE", true, "100101"],
    ["no", true, "000000"],
    [false, true, "011100"],
    [undefined, 1n, "000000"],
    [1n, undefined, "000000"],
    [undefined, undefined, "000000"],
  ])("%s and %s", (x, y, want) => expect(all(x, y)).toBe(want));

  test("in CESQL a value beside an error counts", () => {
    expect(apply(["x", 0n], [[code.OP_EQUAL]], code.EXPRESSION_CESQL)).toEqual({
      value: true,
      errors: code.ERROR_CAST,
      holds: true,
    });
  });

  test.each<[Operand, Operand, Operand, boolean, boolean]>([
    [5n, 1n, 9n, true, false],
    [5.5, 5n, 6n, true, false],
    [0n, 1n, 9n, false, true],
    ["m", "a", "z", true, false],
    [undefined, 1n, 9n, false, false],
    [5n, undefined, 9n, false, false],
    ["x", 1n, 9n, false, false],
    [5n, 9n, 1n, false, true],
  ])("%s between %s and %s", (x, low, high, is, isNot) => {
    expect(apply([x, low, high], [[code.OP_BETWEEN]]).value).toBe(is);
    expect(apply([x, low, high], [[code.OP_NOT_BETWEEN]]).value).toBe(isNot);
  });
});

describe("casts", () => {
  test.each<[Operand, MachineValue, MachineValue]>([
    ["12", 12n, 12n],
    ["+12", 12n, 12n],
    ["-0", 0n, 0n],
    ["2147483648", 2147483648n, 0n],
    ["9223372036854775807", BIG, 0n],
    ["9223372036854775808", undefined, 0n],
    ["-9223372036854775808", -BIG - 1n, 0n],
    ["1.9", 1n, 0n],
    ["-1.9e1", -19n, 0n],
    ["1e400", undefined, 0n],
    ["", undefined, 0n],
    ["+", undefined, 0n],
    ["1e", undefined, 0n],
    [".", undefined, 0n],
    ["12x", undefined, 0n],
    [" 1", undefined, 0n],
    [7.9, 7n, 0n],
    [Number.NaN, undefined, 0n],
    [true, 1n, 1n],
  ])("%s to a whole number", (x, want, strict) => {
    expect(apply([x], [[code.OP_TO_INTEGER]]).value).toBe(want);
    if (typeof x !== "number") expect(apply([x], [[code.OP_TO_INTEGER]], code.EXPRESSION_CESQL).value).toBe(strict);
  });

  test.each<[Operand, string]>([
    [0n, "0"],
    [-BIG - 1n, "-9223372036854775808"],
    [true, "true"],
    [false, "false"],
    [1.5, "1.5"],
    [100, "100"],
    [-0.25, "-0.25"],
    [1e21, "1e+21"],
    [1e-7, "1e-7"],
    ["ß", "ß"],
  ])("%s to text is %s", (x, want) => expect(apply([x], [[code.OP_TO_TEXT]]).value).toBe(want));

  test.each<[Operand, boolean, number]>([
    [true, true, 0],
    ["tRuE", true, 0],
    ["False", false, 0],
    ["yes", false, code.ERROR_CAST],
    ["", false, code.ERROR_CAST],
    [0n, false, 0],
    [-1n, true, 0],
    [0.0, false, 0],
    [0.1, true, 0],
    [Number.NaN, false, 0],
    [undefined, false, code.ERROR_MISSING],
  ])("%s to boolean is %s", (x, want, errors) => {
    expect(apply([x], [[code.OP_TO_BOOLEAN]])).toMatchObject({ value: want, errors });
  });
});

describe("logic", () => {
  test("NOT of missing: true by default, false in CESQL", () => {
    expect(apply([undefined], [[code.OP_NOT]]).value).toBe(true);
    expect(apply([undefined], [[code.OP_NOT]], code.EXPRESSION_CESQL).value).toBe(false);
  });

  test("a jump keeps what it looked at, or pops it", () => {
    const and = [
      [code.OP_JUMP_FALSE, 3n],
      [code.OP_NAME, 0n],
    ];
    expect(apply([false], and)).toMatchObject({ value: false, errors: 0 });
    expect(apply([true], and)).toMatchObject({ value: undefined, errors: code.ERROR_MISSING });
    const or = [
      [code.OP_JUMP_TRUE, 3n],
      [code.OP_NAME, 0n],
    ];
    expect(apply([true], or)).toMatchObject({ value: true, errors: 0 });
    expect(apply([false], or)).toMatchObject({ value: undefined, errors: code.ERROR_MISSING });
  });

  test.each<[Operand, Operand, boolean]>([
    [true, false, true],
    [true, true, false],
    ["true", 0n, true],
    [undefined, true, true],
  ])("%s XOR %s", (x, y, want) => expect(apply([x, y], [[code.OP_XOR]]).value).toBe(want));

  test("IN: the elements are cast to the type of the value", () => {
    const is = (x: Operand, y: Operand, ...more: number[]): MachineValue =>
      apply([x, y], [[code.OP_IN_EQUAL], ...more.map((op) => [op]), [code.OP_NIP]]).value;
    expect(is(1n, "1")).toBe(true);
    expect(is("1", 1n)).toBe(true);
    expect(is(true, "true")).toBe(true);
    expect(is("TRUE", true)).toBe(false);
    expect(is(1n, "x")).toBe(false);
    expect(is(undefined, 1n)).toBe(false);
    expect(is(1n, undefined)).toBe(false);
    expect(is(1n, 2n, code.OP_IN_NOT)).toBe(true);
    expect(is(1n, 1n, code.OP_IN_NOT)).toBe(false);
    expect(is(undefined, 1n, code.OP_IN_NOT)).toBe(false);
  });
});

describe("texts", () => {
  test.each([
    ["abc", "abc", true],
    ["abc", "a%", true],
    ["abc", "%c", true],
    ["abc", "%b%", true],
    ["abc", "a_c", true],
    ["abc", "a_", false],
    ["", "", true],
    ["", "%", true],
    ["", "_", false],
    ["äbc", "_bc", true],
    ["x😀y", "x_y", true],
    ["x😀y", "%😀%", true],
    ["a%c", "a\\%c", true],
    ["abc", "a\\%c", false],
    ["a\\c", "a\\c", true],
    ["a\\", "a\\", true],
    ["aXbXc", "a%b%c", true],
    ["aaab", "%aab", true],
    ["abcabd", "%abd", true],
    ["abab", "%ab_", false],
  ])("%s LIKE %s is %s", (value, pattern, want) => {
    for (const [op, is] of [
      [code.OP_LIKE, want],
      [code.OP_NOT_LIKE, !want],
    ] as const) {
      const program = assemble({
        constants: [value, pattern],
        code: [[code.OP_CONSTANT, 0n], [op, 1n], [code.OP_END]],
      });
      expect(machine.evaluate(program, { type: "t" }).value).toBe(is);
    }
  });

  test("a pattern that explodes elsewhere costs text × pattern, and never more than its limit", () => {
    const program = assemble({
      constants: [`${"%a".repeat(200)}b`],
      names: ["x"],
      code: [[code.OP_NAME, 0n], [code.OP_LIKE, 0n], [code.OP_END]],
    });
    const handle = machine.add(program);
    const started = performance.now();
    expect(machine.run(handle, { type: "t", attributes: { x: text("a".repeat(100_000)) } }).value).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
    const long = assemble({
      constants: [`%${"a".repeat(5_000)}b`],
      names: ["x"],
      code: [[code.OP_NAME, 0n], [code.OP_LIKE, 0n], [code.OP_END]],
    });
    const ran = machine.evaluate(long, { type: "t", attributes: { x: text("a".repeat(100_000)) } });
    expect(ran).toMatchObject({ value: false, errors: code.ERROR_FUNCTION });
  });

  const f = code;
  test.each<[number, Operand[], MachineValue, number]>([
    [f.FUNCTION_LENGTH, ["äö😀"], 3n, 0],
    [f.FUNCTION_LENGTH, [true], 4n, 0],
    [f.FUNCTION_CONCAT, [], "", 0],
    [f.FUNCTION_CONCAT, ["a", 1n, true], "a1true", 0],
    [f.FUNCTION_CONCAT_WS, [", "], "", 0],
    [f.FUNCTION_CONCAT_WS, [",", "a", "b"], "a,b", 0],
    [f.FUNCTION_LOWER, ["AbC ÄÖẞ ΣΑ Ж Ⱥ"], "abc äöß σα ж ⱥ", 0],
    [f.FUNCTION_UPPER, ["abc äö ß ж ⱥ"], "ABC ÄÖ ß Ж Ⱥ", 0],
    [f.FUNCTION_TRIM, ["\u00a0\t a b \u3000\n"], "a b", 0],
    [f.FUNCTION_TRIM, ["\u0001a\u0001"], "\u0001a\u0001", 0],
    [f.FUNCTION_LEFT, ["äbc", 2n], "äb", 0],
    [f.FUNCTION_LEFT, ["abc", 10n], "abc", 0],
    [f.FUNCTION_LEFT, ["abc", -1n], "abc", f.ERROR_FUNCTION],
    [f.FUNCTION_RIGHT, ["abö", 2n], "bö", 0],
    [f.FUNCTION_RIGHT, ["abc", 0n], "", 0],
    [f.FUNCTION_RIGHT, ["abc", -1n], "abc", f.ERROR_FUNCTION],
    [f.FUNCTION_SUBSTRING, ["äbcdef", 2n], "bcdef", 0],
    [f.FUNCTION_SUBSTRING, ["abcdef", 2n, 3n], "bcd", 0],
    [f.FUNCTION_SUBSTRING, ["abcdef", -3n], "def", 0],
    [f.FUNCTION_SUBSTRING, ["abcdef", -3n, 2n], "de", 0],
    [f.FUNCTION_SUBSTRING, ["abcdef", 0n], "", 0],
    [f.FUNCTION_SUBSTRING, ["abcdef", 7n], "", f.ERROR_FUNCTION],
    [f.FUNCTION_SUBSTRING, ["abcdef", -7n], "", f.ERROR_FUNCTION],
    [f.FUNCTION_SUBSTRING, ["abcdef", 1n, -1n], "", f.ERROR_FUNCTION],
    [f.FUNCTION_ABS, [-5n], 5n, 0],
    [f.FUNCTION_ABS, [-5.5], 5.5, 0],
    [f.FUNCTION_ABS, ["x"], undefined, f.ERROR_CAST],
    [f.FUNCTION_LENGTH, [undefined], undefined, f.ERROR_MISSING],
  ])("function %i of %s", (callee, operands, want, errors) => {
    expect(apply(operands, [[code.OP_CALL, callee, operands.length]])).toMatchObject({ value: want, errors });
  });

  test("texts that do not fit the scratch are missing, and the next run has it all again", () => {
    const doubled = Array.from({ length: 8 }, () => [code.OP_CALL, code.FUNCTION_CONCAT, 2]);
    const names = Array.from({ length: 9 }, () => [code.OP_NAME, 0n]);
    const program = assemble({ names: ["x"], code: [...names, ...doubled, [code.OP_END]] });
    const event = { type: "t", attributes: { x: text("x".repeat(10_000)) } };
    expect(machine.evaluate(program, event)).toMatchObject({ value: undefined, errors: code.ERROR_SCRATCH });
    expect(apply(["a", "b"], [[code.OP_CALL, code.FUNCTION_CONCAT, 2]]).value).toBe("ab");
  });

  test("case mapping agrees with ECMAScript for every letter that maps to one letter", () => {
    const letters: string[] = [];
    // Up to Unicode 13, which all supported runtimes know.
    for (let c = 0x20; c < 0x2c00; c++) letters.push(String.fromCodePoint(c));
    const mapped = (map: (letter: string) => string) =>
      letters.map((letter) => ([...map(letter)].length === 1 ? map(letter) : letter)).join("");
    for (const [callee, map] of [
      [code.FUNCTION_LOWER, (letter: string) => letter.toLowerCase()],
      [code.FUNCTION_UPPER, (letter: string) => letter.toUpperCase()],
    ] as const) {
      const program = assemble({ names: ["x"], code: [[code.OP_NAME, 0n], [code.OP_CALL, callee, 1], [code.OP_END]] });
      const ran = machine.evaluate(program, { type: "t", attributes: { x: text(letters.join("")) } });
      expect(ran.value).toBe(mapped(map));
    }
  });
});

describe("names", () => {
  const one = (use: NameUse, flags = 0) => assemble({ flags, names: [use], code: [[code.OP_NAME, 0n], [code.OP_END]] });
  const exists = (use: NameUse) => assemble({ names: [use], code: [[code.OP_EXISTS, 0n], [code.OP_END]] });

  test.each<[string, MachineValue]>([
    ["n", 1.5],
    ["i", -7n],
    ["big", -BIG - 1n],
    ["b", true],
    ["t", "text"],
    ["empty", ""],
    ["absent", undefined],
  ])("the attribute %s", (name, want) => {
    const attributes = {
      n: number(1.5),
      i: integer(-7n),
      big: integer(-BIG - 1n),
      b: boolean(true),
      t: text("text"),
      empty: text(""),
    };
    expect(machine.evaluate(one(name), { type: "t", attributes }).value).toBe(want);
    expect(machine.evaluate(exists(name), { type: "t", attributes }).value).toBe(want !== undefined);
  });

  test.each<[string, number, MachineValue, MachineValue]>([
    ["id", code.FIELD_ID, "i", undefined],
    ["source", code.FIELD_SOURCE, "/s", undefined],
    ["type", code.FIELD_TYPE, "t", "t"],
    ["subject", code.FIELD_SUBJECT, "su", undefined],
    ["time", code.FIELD_TIME, "2026-02-28T23:59:59.123Z", undefined],
    ["priority", code.FIELD_PRIORITY, 7n, 4n],
    ["deliverby", code.FIELD_DELIVER_BY, "1969-12-31T23:59:59.999999Z", undefined],
    ["key", code.FIELD_KEY, "k", undefined],
    ["datacontenttype", code.FIELD_DATA_CONTENT_TYPE, "text/plain", undefined],
  ])("the field %s", (name, field, full, bare) => {
    const event = {
      id: "i",
      source: "/s",
      type: "t",
      subject: "su",
      timeUs: BigInt(Date.parse("2026-02-28T23:59:59.123Z")) * 1000n,
      priority: 7,
      deliverByUs: -1n,
      key: "k",
      dataContentType: "text/plain",
    };
    expect(machine.evaluate(one([name, field]), event).value).toBe(full);
    expect(machine.evaluate(one([name, field]), { type: "t" }).value).toBe(bare);
    expect(machine.evaluate(one([name, field]), { type: "t", attributes: { [name]: text("other") } }).value).toBe(
      name === "type" ? "t" : "other",
    );
  });

  test("moments across the calendar", () => {
    for (const moment of [
      "0001-01-01T00:00:00.000Z",
      "1600-02-29T12:00:00.000Z",
      "2000-03-01T00:00:00.001Z",
      "9999-12-31T23:59:59.999Z",
    ]) {
      const timeUs = BigInt(Date.parse(moment)) * 1000n;
      expect(machine.evaluate(one(["time", code.FIELD_TIME]), { type: "t", timeUs }).value).toBe(moment);
    }
  });

  test("sink.NAME is the member's live attribute, as it is now", () => {
    const { harness } = machine;
    const channel = harness.channel("sinks");
    const connection = harness.open();
    const member = harness.sink(connection, channel);
    const program = one("sink.load");
    expect(machine.evaluate(program, { type: "t" }, member).value).toBeUndefined();
    connection.send({
      kind: { case: "update", value: { member, attributes: { other: number(1), load: number(0.5) } } },
    });
    expect(machine.evaluate(program, { type: "t" }, member).value).toBe(0.5);
    expect(machine.evaluate(program, { type: "t" }).value).toBeUndefined();
  });

  test("names of events are never kept: a million of them change nothing", () => {
    const handle = machine.add(one("wanted"));
    const pages = machine.harness.core.statistic(9);
    for (let round = 0; round < 20_000; round++) {
      const attributes = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`n${round}_${at}`, integer(1n)]));
      expect(machine.run(handle, { type: "t", attributes }).value).toBeUndefined();
    }
    expect(machine.harness.core.statistic(9)).toBe(pages);
    machine.harness.core.expressionRelease(handle);
  }, 60_000);
});
