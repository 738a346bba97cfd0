/** Goal: bytecode is what core-wasm/expression/code.ts says, and stays what it was: programs are compared by their bytes. */
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../host/expression/compile.ts";
import type { Dialect } from "../../../host/expression/dialect.ts";
import { disassemble } from "../../../host/expression/disassemble.ts";
import { Machine } from "./machine.ts";

/** The operations of a program in one line each, without offsets. */
function lines(source: string, dialect: Dialect = "sluice"): string[] {
  const [head = "", ...rest] = disassemble(compileExpression(source, dialect).program).split("\n");
  return [head, ...rest.map((line) => line.slice(6).replace(/ +/g, " "))];
}

const SLUICE_1 = "version 1, sluice, stack 1";
const SLUICE_2 = "version 1, sluice, stack 2";
const CESQL_2 = "version 1, cesql, stack 2";

describe("compileExpression()", () => {
  test("gives these bytes", () => {
    const { program } = compileExpression("load < 0.8 AND type LIKE 'a%'");
    expect(
      Buffer.from(program)
        .toString("hex")
        .replace(/(.{32})/g, "$1\n"),
    ).toBe(
      [
        // Version, flags, stack, 0; 2 constants, 2 names; 17 bytes of code.
        "01000200",
        "02000200",
        "11000000",
        // 0.8, and 2 bytes of text at 77.
        "0300000000000000",
        "9a9999999999e93f",
        "0400000000000000",
        "4d00000002000000",
        // load, 4 bytes at 79; type, field 3, 4 bytes at 83.
        "000004004f000000",
        "0003040053000000",
        // NAME 0, CONSTANT 0, LESS, JUMP_FALSE +6, NAME 1, LIKE 1, END.
        "020000",
        "010000",
        "12",
        "210600",
        "020100",
        "230100",
        "3f",
        Buffer.from("a%loadtype").toString("hex"),
      ]
        .join("")
        .replace(/(.{32})/g, "$1\n"),
    );
  });

  test("gives the same bytes however the expression is spaced and cased", () => {
    const { program } = compileExpression("(LOAD<0.80)and\n Type like 'a%'");
    expect(program).toEqual(compileExpression("load < 0.8 AND type LIKE 'a%'").program);
  });

  test.each<[string, string, string[]]>([
    ["a constant", "TRUE", [SLUICE_1, "CONSTANT true", "END"]],
    ["a comparison", "a != 1", [SLUICE_2, "NAME a", "CONSTANT 1", "NOT_EQUAL", "END"]],
    [
      "AND, with one jump to the end from each operand but the last",
      "a = 1 AND EXISTS b AND c",
      [
        SLUICE_2,
        "NAME a",
        "CONSTANT 1",
        "EQUAL",
        "JUMP_FALSE → 20",
        "EXISTS b",
        "JUMP_FALSE → 20",
        "NAME c",
        "TO_BOOLEAN",
        "END",
      ],
    ],
    [
      "OR in AND",
      "(a OR TRUE) AND NOT b",
      [SLUICE_1, "NAME a", "JUMP_TRUE → 9", "CONSTANT true", "JUMP_FALSE → 16", "NAME b", "NOT", "END"],
    ],
    ["XOR", "a XOR b XOR c", [SLUICE_2, "NAME a", "NAME b", "XOR", "NAME c", "XOR", "END"]],
    [
      "IN",
      "a IN (1, b)",
      [SLUICE_2, "NAME a", "CONSTANT 1", "IN_EQUAL", "JUMP_TRUE → 14", "NAME b", "IN_EQUAL", "NIP", "END"],
    ],
    ["NOT IN", "a NOT IN (1)", [SLUICE_2, "NAME a", "CONSTANT 1", "IN_EQUAL", "IN_NOT", "NIP", "END"]],
    ["NOT LIKE", "a NOT LIKE '_'", [SLUICE_1, "NAME a", "NOT_LIKE '_'", "END"]],
    [
      "BETWEEN",
      "a NOT BETWEEN 1 AND -2.5",
      ["version 1, sluice, stack 3", "NAME a", "CONSTANT 1", "CONSTANT -2.5", "NOT_BETWEEN", "END"],
    ],
    ["IS NULL of a name, which is no error", "a IS NULL", [SLUICE_1, "EXISTS a", "NOT", "END"]],
    ["IS NOT NULL of a name", "sink.a IS NOT NULL", [SLUICE_1, "EXISTS sink.a", "END"]],
    ["IS NULL", "-a IS NULL", [SLUICE_1, "NAME a", "NEGATE", "IS_MISSING", "END"]],
    ["IS NOT NULL", "-a IS NOT NULL", [SLUICE_1, "NAME a", "NEGATE", "IS_MISSING", "NOT", "END"]],
    [
      "calls",
      "SUBSTRING(a, 1, 2)",
      ["version 1, sluice, stack 3", "NAME a", "CONSTANT 1", "CONSTANT 2", "CALL SUBSTRING/3", "END"],
    ],
    ["calls without arguments", "CONCAT()", [SLUICE_1, "CALL CONCAT/0", "END"]],
    ["casts", "BOOL(INT(STRING(a)))", [SLUICE_1, "NAME a", "TO_TEXT", "TO_INTEGER", "TO_BOOLEAN", "END"]],
    ["age()", "age(sink.load) / 2", [SLUICE_2, "AGE sink.load", "CONSTANT 2", "DIVIDE", "END"]],
    [
      "fields of the event",
      "deliverBy = dataContentType",
      [SLUICE_2, "NAME deliverby (field 7)", "NAME datacontenttype (field 9)", "EQUAL", "END"],
    ],
    [
      "specversion as a constant",
      "EXISTS specversion AND specversion = '1.0'",
      [SLUICE_2, "CONSTANT true", "JUMP_FALSE → 13", "CONSTANT '1.0'", "CONSTANT '1.0'", "EQUAL", "END"],
    ],
  ])("compiles %s", (_name, source, wanted) => {
    expect(lines(source)).toEqual(wanted);
  });

  test.each<[string, string, string[]]>([
    [
      "calls that cannot be dispatched, without their arguments",
      "LEFT(a / 0) = 1",
      [CESQL_2, "FAIL errors 16", "CONSTANT 1", "EQUAL", "END"],
    ],
    [
      "the zero value for a division by zero as the whole",
      "(a / b)",
      [CESQL_2, "NAME a", "NAME b", "DIVIDE", "TO_INTEGER", "END"],
    ],
  ])("compiles, in the pure dialect, %s", (_name, source, wanted) => {
    expect(lines(source, "cesql")).toEqual(wanted);
  });

  test("has every constant, name and text once", () => {
    const { program } = compileExpression(
      "a = 'a' OR sink.a = 'a' OR a = 1 OR a = 1.0 OR a = -0.0 OR a = 0.0 OR A = 1 OR a = '1'",
    );
    const view = new DataView(program.buffer);
    expect({ constants: view.getUint16(4, true), names: view.getUint16(6, true) }).toEqual({ constants: 6, names: 2 });
    const text = Buffer.from(program).toString("latin1");
    expect(text.endsWith("a1")).toBe(true);
  });

  test("gives programs that the core takes, and again for the same bytes", () => {
    const machine = new Machine();
    const { program } = compileExpression("load < 0.8 AND type LIKE 'a%'");
    const handle = machine.add(program);
    expect(handle).not.toBe(0);
    expect(machine.add(program)).toBe(handle);
  });

  test("gives frozen results", () => {
    expect(Object.isFrozen(compileExpression("a"))).toBe(true);
    expect(compileExpression("a")).toMatchObject({ source: "a", dialect: "sluice", tree: { kind: "name" } });
  });
});

describe("disassemble()", () => {
  test("shows offsets, and where jumps lead", () => {
    expect(disassemble(compileExpression("a OR b LIKE '%'").program)).toBe(
      [
        "version 1, sluice, stack 1",
        "   0  NAME          a",
        "   3  JUMP_TRUE     → 12",
        "   6  NAME          b",
        "   9  LIKE          '%'",
        "  12  END",
      ].join("\n"),
    );
  });

  test("throws a RangeError where a program is cut short", () => {
    const { program } = compileExpression("load < 0.8 AND type LIKE 'a%'");
    for (let bytes = 0; bytes < program.length; bytes++) {
      expect(() => disassemble(program.subarray(0, bytes)), `${bytes}`).toThrow(RangeError);
    }
  });
});
