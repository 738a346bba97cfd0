/**
 * Goal: the pure dialect is CloudEvents SQL 1.0, in the evaluator as in the machine. Method: every case of the conformance
 * kit, value and kind of error.
 */
import { describe, expect, test } from "vitest";
import { ERROR_MISSING } from "../../../core-wasm/expression/code.ts";
import { isSluiceError } from "../../../host/errors.ts";
import { compileExpression } from "../../../host/expression/compile.ts";
import { type Evaluation, evaluate } from "../../../host/expression/evaluate.ts";
import type { Value } from "../../../host/expression/value.ts";
import { viewOf } from "../../../host/expression/view.ts";
import { casesFrom, type KitCase, kit } from "./kit.ts";
import { Machine } from "./machine.ts";

const cases = kit();

describe.each([...(cases ?? new Map<string, readonly KitCase[]>())])("conformance kit, %s", (_file, tests) => {
  const machine = new Machine();

  test.each(tests.map((one) => [one.name, one] as const))("%s", (_name, one) => {
    let compiled: ReturnType<typeof compileExpression>;
    try {
      compiled = compileExpression(one.expression, "cesql");
    } catch (error) {
      expect(isSluiceError(error) && error.code).toBe("expression");
      // What cannot be read has no value; where the kit gives one, it is what no event passes.
      expect({ error: one.error, result: one.result ?? false }).toEqual({ error: "parse", result: false });
      return;
    }
    const wanted = { value: comparable(one.result), errors: one.error };
    const said = ({ value, errors }: Evaluation) => ({
      value: one.result === undefined ? false : comparable(value),
      errors,
    });
    expect(said(evaluate(compiled.tree, viewOf(one.event), "cesql"))).toEqual(wanted);
    expect(said(machine.evaluate(compiled.program, one.event))).toEqual(wanted);
  });
});

// Where the kit is not at hand (SLUICE_CESQL_TCK=its folder) the tables of evaluate.test.ts have to do.
if (cases !== undefined) {
  test("conformance kit is complete", () => {
    expect([...cases.values()].flat().length).toBeGreaterThanOrEqual(200);
  });
}

test("cases are read as the kit writes them", () => {
  const text = [
    "name: sample",
    "tests:",
    "  - name: a literal",
    "    expression: TRUE",
    "    result: true",
    "  - name: an error",
    "    expression: missing = 1",
    "    error: missingAttribute",
    "    result: false",
    "    eventOverrides: { myext: 7 }",
  ].join("\n");
  const [literal, failing] = casesFrom(text);
  expect(literal).toMatchObject({ name: "a literal", expression: "TRUE", result: true, error: 0 });
  expect(failing?.error).toBe(ERROR_MISSING);
  expect(failing?.event.attributes["myext"]?.kind).toEqual({ case: "integer", value: 7n });
});

/** What is missing counts as false; moments are compared as such: Sluice keeps them, and not how they were written. */
function comparable(value: Value): Value {
  if (value === undefined) return false;
  const isMoment = typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);
  return isMoment ? new Date(value).toISOString() : value;
}
