/**
 * Goal: the meaning of every operator and function, in both dialects, by evaluator and machine alike. Method: tables of
 * expression, value and errors over one event.
 */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as code from "../../../core-wasm/expression/code.ts";
import { compileExpression } from "../../../host/expression/compile.ts";
import type { Dialect } from "../../../host/expression/dialect.ts";
import { evaluate } from "../../../host/expression/evaluate.ts";
import type { Value } from "../../../host/expression/value.ts";
import { viewOf } from "../../../host/expression/view.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { UpdateSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import { Machine } from "./machine.ts";

const event = create(EventSchema, {
  source: "/web/1",
  type: "com.acme.load",
  timeUs: 1_767_225_600_000_000n,
  deliverByUs: 1_767_225_600_250_001n,
  key: "r-17",
  attributes: {
    load: { kind: { case: "number", value: 0.42 } },
    whole: { kind: { case: "number", value: 3 } },
    nan: { kind: { case: "number", value: Number.NaN } },
    endless: { kind: { case: "number", value: Number.POSITIVE_INFINITY } },
    tiny: { kind: { case: "number", value: -0 } },
    count: { kind: { case: "integer", value: 7n } },
    large: { kind: { case: "integer", value: 9007199254740993n } },
    zone: { kind: { case: "text", value: "eu" } },
    digits: { kind: { case: "text", value: "5" } },
    fraction: { kind: { case: "text", value: "5.5" } },
    urgent: { kind: { case: "boolean", value: true } },
    subject: { kind: { case: "text", value: "instead" } },
  },
});
const sink = {
  load: { kind: { case: "number" as const, value: 0.1 } },
  zone: { kind: { case: "text" as const, value: "eu" } },
};
const { attributes } = create(UpdateSchema, { attributes: sink });
const machine = new Machine();
machine.sink(sink);

function check(source: string, dialect: Dialect, value: Value, errors: number): void {
  const { tree, program } = compileExpression(source, dialect);
  expect(evaluate(tree, viewOf(event, { attributes }), dialect), "evaluator").toEqual({ value, errors });
  const { holds: _, ...found } = machine.evaluate(program, event);
  expect(found, "machine").toEqual({ value, errors });
}

const MISSING = code.ERROR_MISSING;
const CAST = code.ERROR_CAST;
const MATH = code.ERROR_MATH;

describe("default dialect", () => {
  test.each<[string, Value, number?]>([
    // Fields and attributes.
    ["type", "com.acme.load"],
    ["time", "2026-01-01T00:00:00.000Z"],
    ["deliverBy", "2026-01-01T00:00:00.250001Z"],
    ["priority", 4n],
    ["key = 'r-17' AND source LIKE '/web/_'", true],
    // An attribute stands in where the field of that name is absent.
    ["subject", "instead"],
    ["id", undefined, MISSING],
    ["EXISTS id AND EXISTS priority AND EXISTS Type AND NOT EXISTS dataContentType", true],
    ["sink.load < load AND sink.zone = zone AND NOT EXISTS sink.count", true],
    ["specVersion", "1.0"],
    // Missing: comparisons are false either way, NOT works on that.
    ["nobody = 1", false, MISSING],
    ["nobody != 1", false, MISSING],
    ["nobody < 1 OR nobody >= 1", false, MISSING],
    ["nobody LIKE '%' OR nobody NOT LIKE 'x'", false, MISSING],
    ["nobody IN (1) OR nobody NOT IN (1)", false, MISSING],
    ["nobody BETWEEN 1 AND 2 OR nobody NOT BETWEEN 1 AND 2", false, MISSING],
    ["NOT (nobody = 1)", true, MISSING],
    ["NOT (nobody LIKE 'x')", true, MISSING],
    ["NOT nobody", true, MISSING],
    ["nobody XOR TRUE", true, MISSING],
    ["nobody + 1", undefined, MISSING],
    ["LENGTH(nobody)", undefined, MISSING],
    ["nobody IS NULL AND load IS NOT NULL", true],
    ["nobody + 1 IS NULL", true, MISSING],
    ["age(sink.nobody) IS NULL", true, MISSING],
    ["count IN (nobody, 7)", true, MISSING],
    ["count NOT IN (nobody, 8)", true, MISSING],
    // What decides ends it.
    ["FALSE AND nobody = 1", false],
    ["TRUE OR 1 / 0 = 1", true],
    ["count IN (7, nobody)", true],
    // Whole numbers and numbers.
    ["load < 0.8 AND load > 0", true],
    ["whole = 3 AND 3 = whole AND whole IN (3)", true],
    ["9223372036854775807 = 9223372036854775806", false],
    ["large = 9007199254740993 AND large != 9007199254740992", true],
    ["large = 9007199254740992.0", true],
    ["load + 1", 1.42],
    ["7 / 2", 3n],
    ["-7 / 2", -3n],
    ["-7 % 4", -3n],
    ["7 / 2.0", 3.5],
    ["7.5 % 2", 1.5],
    ["9223372036854775807 + 1", 2 ** 63],
    ["-9223372036854775808 - 1", -(2 ** 63)],
    ["9223372036854775807 * 2", 2 ** 64],
    ["-9223372036854775808 / -1", 2 ** 63],
    ["-9223372036854775808 % -1", 0n],
    ["-(-9223372036854775808)", 2 ** 63],
    ["1 / 0", undefined, MATH],
    ["1 % 0", undefined, MATH],
    ["1.0 / 0.0", undefined, MATH],
    ["1 / tiny", undefined, MATH],
    ["1 != 1 / 0", false, MATH],
    ["1 / 0 IS NULL", true, MATH],
    ["1e308 * 10", Number.POSITIVE_INFINITY],
    ["endless - endless", Number.NaN],
    ["-tiny", 0],
    ["tiny = 0 AND NOT BOOL(tiny)", true],
    // A NaN is nothing that can be compared.
    ["nan = nan OR nan != nan OR nan < 1 OR nan >= 1 OR nan IN (nan) OR nan BETWEEN 0 AND 1", false],
    ["endless > 1e308 AND BOOL(endless) AND NOT BOOL(nan)", true],
    // Casts follow the right operand.
    ["digits = 5", true],
    ["fraction = 5.5 AND fraction > 5 AND fraction != 5", true],
    ["5 = digits", true],
    ["0.50 = '0.5' AND '0.50' = 0.5", true],
    ["zone = 5", false, CAST],
    ["zone != 5", false, CAST],
    ["NOT (zone = 5)", true, CAST],
    ["'TRUE' = urgent", true],
    ["urgent = 'TRUE'", false],
    ["urgent = 1 AND 1 = urgent AND 2 = urgent", true],
    ["zone = urgent", false, CAST],
    ["zone AND TRUE", false, CAST],
    ["load AND count AND 'true'", true],
    ["digits + 3 = 8 AND fraction + 1 = 6.5 AND urgent + 1 = 2", true],
    ["zone + 1", undefined, CAST],
    ["zone + nobody", undefined, MISSING],
    ["-digits", -5n],
    // Order of texts and booleans.
    ["'10' < '9' AND 'a' < 'b' AND 'a' < 'aa' AND '' < 'a' AND 'Z' < 'a'", true],
    ["'\uffff' < '😀'", true],
    ["10 < '9'", true],
    ["FALSE < TRUE AND urgent >= FALSE", true],
    // LIKE.
    ["type LIKE 'com.acme.%' AND type NOT LIKE 'com.acme._'", true],
    ["'' LIKE '%' AND '' LIKE '' AND NOT ('' LIKE '_')", true],
    ["'100%' LIKE '100\\%' AND NOT ('1000' LIKE '100\\%')", true],
    ["'a\\b' LIKE 'a\\b' AND 'a\\x' LIKE 'a\\_' = FALSE", true],
    ["'日本😀' LIKE '__😀' AND '日本😀' LIKE '%_' AND 'é' LIKE '_'", true],
    ["count LIKE '7' AND urgent LIKE 'tr%' AND load LIKE '0.4_'", true],
    // BETWEEN.
    ["count BETWEEN 7 AND 7 AND count NOT BETWEEN 8 AND 9", true],
    ["digits BETWEEN 1 AND 10 AND zone BETWEEN 'ea' AND 'ez' AND load BETWEEN 0 AND 0.5", true],
    ["zone BETWEEN 1 AND 5 OR zone NOT BETWEEN 1 AND 5", false, CAST],
    // Functions.
    ["LENGTH('日本😀') = 3 AND LENGTH(load) = 4 AND LENGTH('') = 0", true],
    ["CONCAT('a', 1, TRUE, 0.5, 1e21, 1.0)", "a1true0.51e+211"],
    ["CONCAT(nan, ' ', endless, ' ', tiny)", "NaN Infinity 0"],
    ["CONCAT_WS(', ', 'a', '', 'b')", "a, , b"],
    ["LOWER('ÀÉẞΣİ') = 'àéßσİ' AND UPPER('straßeÿ') = 'STRAßEŸ'", true],
    ["TRIM('\u2003\u0085 a b\t\n')", "a b"],
    ["TRIM('\u200ba\u0000')", "\u200ba\u0000"],
    ["LEFT('日本😀', 2)", "日本"],
    ["RIGHT('日本😀', 2)", "本😀"],
    ["LEFT('abc', 2.9)", "ab"],
    ["LEFT('abc', -1)", "abc", code.ERROR_FUNCTION],
    ["LEFT('abc', zone)", undefined, CAST],
    ["SUBSTRING('日本😀', -2, 1)", "本"],
    ["SUBSTRING('abc', 0)", ""],
    ["SUBSTRING('abc', 2, 9223372036854775807)", "bc"],
    ["SUBSTRING('abc', 4)", "", code.ERROR_FUNCTION],
    ["SUBSTRING('abc', 1, -1)", "", code.ERROR_FUNCTION],
    ["ABS(-2.5)", 2.5],
    ["ABS(-9223372036854775808)", 2 ** 63],
    ["INT(-2.9)", -2n],
    ["INT('2.9')", 2n],
    ["INT(1e300)", undefined, CAST],
    ["INT(nan)", undefined, CAST],
    ["INT('0x10')", undefined, CAST],
    ["BOOL('yes')", false, CAST],
    ["STRING(9223372036854775807)", "9223372036854775807"],
  ])("%s", (source, value, errors = 0) => {
    check(source, "sluice", value, errors);
  });
});

describe("pure dialect", () => {
  test.each<[string, Value, number?]>([
    ["nobody", undefined, MISSING],
    ["nobody + 1", 0n, MISSING],
    ["nobody + 1 = 1", false, MISSING],
    ["NOT nobody", false, MISSING],
    ["TRUE XOR nobody", false, MISSING],
    ["LENGTH(nobody)", 0n, MISSING],
    ["CONCAT('a', nobody)", "", MISSING],
    ["nobody OR type LIKE 'com%'", true, MISSING],
    ["zone = 0", true, CAST],
    ["zone + 1", 1n, CAST],
    ["2147483647 + 1", -2147483648n, MATH],
    ["-2147483648 / -1", -2147483648n, MATH],
    ["-(-2147483648)", -2147483648n, MATH],
    ["2147483647 * 2147483647", 1n, MATH],
    ["ABS(-2147483648)", 2147483647n, MATH],
    ["INT('2147483648')", 0n, CAST],
    ["INT('+7')", 7n],
    ["5 / 0", 0n, MATH],
    ["5 % 0", 0n, MATH],
    ["1 != 1 / 0", false, MATH],
    ["NOT 10", true, CAST],
    ["load", "0.42"],
    ["large", "9007199254740993"],
    ["whole = 3", true],
    ["'a' = load", false],
    ["digits < '10' AND '9' < '10'", true],
    ["NOBODY(1 / 0)", false, code.ERROR_MISSING_FUNCTION],
    ["LEFT('abc')", false, code.ERROR_MISSING_FUNCTION],
  ])("%s", (source, value, errors = 0) => {
    check(source, "cesql", value, errors);
  });
});
