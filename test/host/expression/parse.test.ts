/** Goal: expressions are read as the grammar says, and one that cannot be is refused at its first wrong token. */
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../host/errors.ts";
import { childrenOf, type Expression } from "../../../host/expression/ast.ts";
import type { Dialect } from "../../../host/expression/dialect.ts";
import { parse } from "../../../host/expression/parse.ts";
import { shape } from "./shape.ts";

function refusal(source: string, dialect: Dialect = "sluice"): SluiceError {
  try {
    parse(source, dialect);
  } catch (error) {
    if (error instanceof SluiceError) return error;
    throw error;
  }
  throw new Error(`parse() took ${source}`);
}

const OPERAND = ["a name", "a constant", "a function", '"("', "NOT", '"-"', "EXISTS"];

describe("parse()", () => {
  test.each([
    ["a = 1", "(= a 1)"],
    ["a <> 1", "(!= a 1)"],
    ["4 * 2 + 4 / 2", "(+ (* 4 2) (/ 4 2))"],
    ["1 - 2 - 3", "(- (- 1 2) 3)"],
    ["8 % 3 * 2", "(* (% 8 3) 2)"],
    ["4 * (2 + 4)", "(* 4 (+ 2 4))"],
    ["a + 1 < b - 1", "(< (+ a 1) (- b 1))"],
    ["a = b = c", "(= (= a b) c)"],
    // AND, OR and XOR rank equal, from left to right.
    ["a OR b AND c", "(and (or a b) c)"],
    ["a AND b OR c", "(or (and a b) c)"],
    ["a XOR b OR c XOR d", "(xor (or (xor a b) c) d)"],
    ["a AND b AND c", "(and a b c)"],
    ["a AND (b AND c)", "(and a (and b c))"],
    // NOT and - bind most tightly.
    ["NOT a = b", "(= (not a) b)"],
    ["NOT (a = b)", "(not (= a b))"],
    ["NOT EXISTS a", "(not (exists a))"],
    ["NOT a LIKE 'x'", "(like (not a) 'x')"],
    ["-a * b", "(* (negate a) b)"],
    ["- NOT a", "(negate (not a))"],
    ["a + b LIKE 'x'", "(+ a (like b 'x'))"],
    ["a NOT LIKE 'x' AND b", "(and (not-like a 'x') b)"],
    ["a IN (1, 'x', b + 1)", "(in a 1 'x' (+ b 1))"],
    ["a NOT IN (TRUE) = false", "(= (not-in a true) false)"],
    ["a LIKE 'x' LIKE 'y'", "(like (like a 'x') 'y')"],
    ["-10", "-10"],
    ["--10", "(negate -10)"],
    ["- 10", "-10"],
    ["+10", "10"],
    ["4 -1", "(- 4 1)"],
    ["4-1", "(- 4 1)"],
    ["4 + -1", "(+ 4 -1)"],
    ["-2147483648", "-2147483648"],
    ["length(CONCAT())", "(LENGTH (CONCAT))"],
    ["Concat_WS(',', a, b)", "(CONCAT_WS ',' a b)"],
    ["tRuE aNd FaLsE", "(and true false)"],
    ["MyExt = 'aBc'", "(= myext 'aBc')"],
    ["\ta\r\n=\n1 ", "(= a 1)"],
  ])("reads %s in both dialects", (source, wanted) => {
    expect(shape(parse(source, "sluice"))).toBe(wanted);
    expect(shape(parse(source, "cesql"))).toBe(wanted);
  });

  test.each([
    ["load < 0.8", "(< load 0.8)"],
    ["a = .5 OR a = 1e3 OR a = 2.0 OR a = -0.0", "(or (= a 0.5) (= a 1000.0) (= a 2.0) (= a -0.0))"],
    ["9223372036854775807 + -9223372036854775808", "(+ 9223372036854775807 -9223372036854775808)"],
    ["a BETWEEN 1 AND 5 AND b", "(and (between a 1 5) b)"],
    ["a + 1 NOT BETWEEN b - 1 AND b * 2", "(not-between (+ a 1) (- b 1) (* b 2))"],
    ["a IS NULL", "(null a)"],
    ["a + b IS NOT NULL OR c", "(or (not-null (+ a b)) c)"],
    ["sink.load < age(SINK.Load)", "(< sink.load (age sink.load))"],
    ["EXISTS sink.zone", "(exists sink.zone)"],
    ["sink.in = sink.not", "(= sink.in sink.not)"],
    ["my_attr = 1", "(= my_attr 1)"],
    // Words of the additions are names where an operand stands.
    [
      "sink = 1 AND between = 2 AND is = 3 AND null = 4 AND age = 5",
      "(and (= sink 1) (= between 2) (= is 3) (= null 4) (= age 5))",
    ],
  ])("reads %s in the default dialect", (source, wanted) => {
    expect(shape(parse(source, "sluice"))).toBe(wanted);
  });

  test.each([
    ["1e5 = 2", "(= 1e5 2)"],
    ["4abc = 2", "(= 4abc 2)"],
    ["nobody(1, 2)", "(NOBODY 1 2)"],
    ["age(a)", "(AGE a)"],
    ["LEFT('a')", "(LEFT 'a')"],
  ])("reads %s in the pure dialect", (source, wanted) => {
    expect(shape(parse(source, "cesql"))).toBe(wanted);
  });

  test.each([
    [`'a"b\\'c'`, `a"b'c`],
    [`"a'b\\"c"`, `a'b"c`],
    ["'it''s'", "it's"],
    ['"say ""a"""', 'say "a"'],
    ["'a\\%b\\\\c\\d'", "a\\%b\\\\c\\d"],
    ["''", ""],
    ["'日本😀'", "日本😀"],
    ["'a\nb'", "a\nb"],
  ])("takes the text %s", (source, wanted) => {
    expect(parse(source, "cesql")).toMatchObject({ kind: "literal", value: wanted });
  });

  test("gives nodes that are frozen and know their place", () => {
    const source = "  (type = 'a')  AND NOT (load BETWEEN 1 AND 2)";
    const words = (node: Expression): string[] => {
      expect(Object.isFrozen(node)).toBe(true);
      return [source.slice(node.start, node.end), ...childrenOf(node).flatMap(words)];
    };
    expect(words(parse(source, "sluice"))).toEqual([
      "(type = 'a')  AND NOT (load BETWEEN 1 AND 2)",
      "type = 'a'",
      "type",
      "'a'",
      "NOT (load BETWEEN 1 AND 2)",
      "load BETWEEN 1 AND 2",
      "load",
      "1",
      "2",
    ]);
  });
});

describe("parse() refuses", () => {
  test.each([
    ["", 1, 1, "", OPERAND],
    ["  \n ", 2, 2, "", OPERAND],
    ["load <", 1, 7, "", OPERAND],
    ["load < AND 5", 1, 8, "AND", OPERAND],
    ["load < < 5", 1, 8, "<", OPERAND],
    ["load == 5", 1, 7, "=", OPERAND],
    ["a b", 1, 3, "b", ["an operator", "the end"]],
    ["a)", 1, 2, ")", ["an operator", "the end"]],
    ["a.b", 1, 2, ".", ["an operator", "the end"]],
    ["a ! b", 1, 3, "!", ["an operator", "the end"]],
    ["a = 1;", 1, 6, ";", ["an operator", "the end"]],
    ["a\u00a0= 1", 1, 2, "\u00a0", ["an operator", "the end"]],
    ["(a", 1, 3, "", ["an operator", '")"']],
    ["(a AND (b OR c)", 1, 16, "", ["an operator", '")"']],
    ["()", 1, 2, ")", OPERAND],
    ["NOT", 1, 4, "", OPERAND],
    ["AND", 1, 1, "AND", OPERAND],
    ["+a", 1, 2, "a", ["a number"]],
    ["x LIKE 123", 1, 8, "123", ["a text constant"]],
    ["x LIKE y", 1, 8, "y", ["a text constant"]],
    ["x LIKE", 1, 7, "", ["a text constant"]],
    ["x LIKE 'a", 1, 8, "'a", ["a text that ends with '"]],
    ["x = 'abc", 1, 5, "'abc", ["a text that ends with '"]],
    ['x = "abc\\"', 1, 5, '"abc\\"', ['a text that ends with "']],
    ["x 'abc", 1, 3, "'abc", ["an operator", "the end"]],
    ["x IN 5", 1, 6, "5", ['"("']],
    ["x IN ()", 1, 7, ")", OPERAND],
    ["x IN (1 2)", 1, 9, "2", ["an operator", '","', '")"']],
    ["x IN (1,)", 1, 9, ")", OPERAND],
    ["EXISTS 5", 1, 8, "5", ["a name"]],
    ["EXISTS NOT", 1, 8, "NOT", ["a name"]],
    ["日本 = 1", 1, 1, "日", OPERAND],
    ["'😀😀' =\n\n 'é' AND\n  AND", 4, 3, "AND", OPERAND],
    ["a = 'b' AND\r\nc <", 2, 4, "", OPERAND],
    // The first wrong token counts, whatever comes behind it.
    ["load < AND 'open", 1, 8, "AND", OPERAND],
  ])("%s in both dialects", (source, line, column, value, expected) => {
    for (const dialect of ["sluice", "cesql"] as const) {
      expect(refusal(source, dialect)).toMatchObject({ code: "expression", line, column, value, expected });
    }
  });

  test.each([
    ["1abc", 2, "abc", ["an operator", "the end"]],
    ["LENGTH('a'", 11, "", ["an operator", '")"']],
    ["CONCAT('a'", 11, "", ["an operator", '","', '")"']],
    ["x NOT 5", 7, "5", ["LIKE", "IN", "BETWEEN"]],
    ["x NOT NOT IN (1)", 7, "NOT", ["LIKE", "IN", "BETWEEN"]],
    ["x IS 5", 6, "5", ["NULL", "NOT NULL"]],
    ["x IS NOT 5", 10, "5", ["NULL"]],
    ["x BETWEEN 1 OR 2", 13, "OR", ["AND", "an operator"]],
    ["x BETWEEN 1 AND", 16, "", OPERAND],
    ["sink.", 6, "", ["the name of an attribute"]],
    ["sink.5", 5, ".5", ["an operator", "the end"]],
    ["sink = 1 AND source.load", 20, ".", ["an operator", "the end"]],
    ["age(load)", 5, "load", ["sink.NAME"]],
    ["age(sink.load, 1)", 14, ",", ['")"']],
    ["LEFT('a')", 9, ")", ["an operator", '","']],
    ["LEFT('a', 1, 2)", 12, ",", ["an operator", '")"']],
    ["LENGTH()", 8, ")", OPERAND],
    ["CONCAT_WS()", 11, ")", OPERAND],
    [
      "9223372036854775808",
      1,
      "9223372036854775808",
      ["a whole number from -9223372036854775808 to 9223372036854775807"],
    ],
    [
      "-9223372036854775809",
      1,
      "-9223372036854775809",
      ["a whole number from -9223372036854775808 to 9223372036854775807"],
    ],
    ["1e999", 1, "1e999", ["a number up to 1.7976931348623157e+308"]],
  ])("%s in the default dialect", (source, column, value, expected) => {
    expect(refusal(source)).toMatchObject({ code: "expression", line: 1, column, value, expected });
  });

  test("functions that are not there, in the default dialect", () => {
    const error = refusal("TRUE AND lenght('a') = 1");
    expect(error).toMatchObject({ code: "expression", column: 10, value: "lenght" });
    expect(error.expected).toContain("LENGTH");
  });

  test.each([
    ["load < 0.8", 8, "0.8", ["a whole number"]],
    ["load < .8", 8, ".8", ["a whole number"]],
    ["2147483648", 1, "2147483648", ["a whole number from -2147483648 to 2147483647"]],
    ["x BETWEEN 1 AND 5", 3, "BETWEEN", ["an operator", "the end"]],
    ["x IS NULL", 3, "IS", ["an operator", "the end"]],
    ["x NOT BETWEEN 1 AND 5", 7, "BETWEEN", ["LIKE", "IN"]],
    ["sink.load = 1", 5, ".", ["an operator", "the end"]],
    ["my_attr = 1", 9, "=", ['"("']],
    ["ABC(", 5, "", OPERAND],
  ])("%s in the pure dialect", (source, column, value, expected) => {
    expect(refusal(source, "cesql")).toMatchObject({ code: "expression", line: 1, column, value, expected });
  });

  test("half characters", () => {
    expect(refusal("a = '😀\ud83d'")).toMatchObject({ code: "expression", column: 7, expected: ["whole characters"] });
  });

  test("in words that say where, what and what else", () => {
    expect(refusal("load < AND 5").message).toBe(
      'Cannot read the expression at line 1, column 8: "AND" cannot stand there, ' +
        'expected a name, a constant, a function, "(", NOT, "-" or EXISTS',
    );
    expect(refusal("(a").message).toBe(
      'Cannot read the expression at line 1, column 3: it ends there, expected an operator or ")"',
    );
    expect(refusal(`a '${"b".repeat(100)}'`).value).toBe(`'${"b".repeat(63)}…`);
  });
});
