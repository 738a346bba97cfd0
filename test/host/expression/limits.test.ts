/** Goal: whatever size an expression has, it is taken or refused with the value and the limit, and fast. */

import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../host/errors.ts";
import { compileExpression } from "../../../host/expression/compile.ts";
import type { Dialect } from "../../../host/expression/dialect.ts";
import { evaluate } from "../../../host/expression/evaluate.ts";
import { viewOf } from "../../../host/expression/view.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { limits } from "../../../host/limits.ts";
import { Machine } from "./machine.ts";

function refusal(source: string, dialect: Dialect = "sluice"): unknown {
  try {
    compileExpression(source, dialect);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, value, limit, line, column } = error;
    expect(error.message).toContain(`limit is ${limit}`);
    return { code, value, limit, ...(line === undefined ? {} : { line, column }) };
  }
  return undefined;
}

const numbers = (count: number): string => Array.from({ length: count }, (_, index) => index).join(",");

describe("limits of expressions", () => {
  test("bytes, counted as UTF-8", () => {
    const limit = limits.expressionBytes;
    const filled = (bytes: number): string => `a = '${"é".repeat((bytes - 6) / 2)}'`;
    expect(refusal(filled(limit))).toBeUndefined();
    expect(refusal(filled(limit + 2))).toEqual({ code: "limit_reached", value: limit + 2, limit });
    expect(refusal("a".repeat(1_000_000))).toEqual({ code: "limit_reached", value: 1_000_000, limit });
  });

  test.each([
    ["parentheses", "(", "a", ")"],
    ["NOT", "NOT ", "a", ""],
    ["signs", "-", "a", ""],
    ["calls", "LENGTH(", "a", ")"],
    ["lists", "1 IN (", "a", ")"],
  ])("levels of %s", (_name, open, middle, close) => {
    const nested = (levels: number): string => open.repeat(levels) + middle + close.repeat(levels);
    const limit = limits.expressionDepth;
    expect(refusal(nested(60))).toBeUndefined();
    for (const dialect of ["sluice", "cesql"] as const) {
      expect(refusal(nested(limit + 1), dialect)).toMatchObject({
        code: "limit_reached",
        value: limit + 1,
        limit,
        line: 1,
      });
      expect(refusal(nested(1_000), dialect)).toMatchObject({ code: "limit_reached" });
    }
    expect(refusal(nested(10_000))).toMatchObject({ code: "limit_reached" });
  });

  test("levels of operators in a row, but not of AND, OR and XOR", () => {
    const row = (operator: string, count: number): string => Array(count).fill("a").join(` ${operator} `);
    const limit = limits.expressionDepth;
    expect(refusal(row("+", limit))).toBeUndefined();
    expect(refusal(row("+", limit + 1))).toMatchObject({ code: "limit_reached", value: limit + 1, limit });
    for (const operator of ["AND", "OR", "XOR"]) expect(refusal(row(operator, 1_000))).toBeUndefined();
  });

  test("values on the stack", () => {
    const nested = (levels: number): string => `${"1+(".repeat(levels)}1${")".repeat(levels)}`;
    expect(refusal(nested(63))).toBeUndefined();
    expect(refusal(nested(64))).toEqual({ code: "limit_reached", value: 65, limit: limits.expressionStack });
  });

  test("arguments", () => {
    const limit = limits.expressionArguments;
    expect(refusal(`CONCAT(${numbers(limit)})`)).toBeUndefined();
    expect(refusal(`CONCAT(${numbers(limit + 1)})`)).toMatchObject({
      code: "limit_reached",
      value: limit + 1,
      limit,
      line: 1,
    });
    expect(refusal(`NOBODY(${numbers(1_000)})`, "cesql")).toMatchObject({
      code: "limit_reached",
      value: limit + 1,
      limit,
    });
  });

  test("constants", () => {
    const limit = limits.expressionConstants;
    expect(refusal(`a IN (${numbers(limit)})`)).toBeUndefined();
    expect(refusal(`a IN (${numbers(limit + 1)})`)).toEqual({ code: "limit_reached", value: limit + 1, limit });
  });

  test("names", () => {
    const names = (count: number): string => Array.from({ length: count }, (_, index) => `a${index}`).join(" OR ");
    const limit = limits.expressionNames;
    expect(refusal(names(limit))).toBeUndefined();
    expect(refusal(names(limit + 1))).toEqual({ code: "limit_reached", value: limit + 1, limit });
  });

  test("bytes of a name", () => {
    const limit = limits.attributeNameBytes;
    expect(refusal("x".repeat(limit))).toBeUndefined();
    expect(refusal(`a = sink.${"x".repeat(limit + 1)}`)).toEqual({
      code: "limit_reached",
      value: limit + 1,
      limit,
      line: 1,
      column: 10,
    });
  });

  test("the largest expressions there can be are compiled, verified and run", () => {
    const machine = new Machine();
    const event = create(EventSchema, { type: "t" });
    const bytes = limits.expressionBytes;
    for (const source of [
      `a IN (${"1,".repeat((bytes - 8) / 2)}1)`,
      `1 IN (${"0,".repeat((bytes - 8) / 2)}1)`,
      `1${"=1".repeat(limits.expressionDepth - 1)}`,
      Array(Math.floor(bytes / 5))
        .fill("a")
        .join(" OR "),
      Array(limits.expressionNames)
        .fill(0)
        .map((_, index) => `EXISTS ${"n".repeat(18)}${index}`)
        .join(" OR "),
    ]) {
      const { tree, program } = compileExpression(source);
      const { value, errors } = machine.evaluate(program, event);
      expect({ value, errors }).toEqual(evaluate(tree, viewOf(event)));
    }
  });
});
