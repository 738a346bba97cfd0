/** Arithmetic: total, on whole numbers and numbers. */
import * as code from "../../core-wasm/expression/code.ts";
import type { ArithmeticOperator } from "./ast.ts";
import { type Run, toNumeric, zero } from "./cast.ts";
import { isWhole } from "./numerals.ts";
import type { Value } from "./value.ts";

/**
 * x operator y. Two whole numbers give a whole one; where it has no room, by default a number, in CESQL its low 32 bits and
 * ERROR_MATH. Division by zero is missing in both dialects.
 */
export function arithmetic(run: Run, operator: ArithmeticOperator, x: Value, y: Value): Value {
  if (x === undefined || y === undefined) return zero(run, 0n);
  const left = toNumeric(run, x);
  const right = toNumeric(run, y);
  if (left === undefined || right === undefined) return undefined;
  if ((operator === "/" || operator === "%") && Number(right) === 0) {
    run.errors |= code.ERROR_MATH;
    return undefined;
  }
  if (typeof left === "bigint" && typeof right === "bigint") {
    return fitted(run, wholeResult(operator, left, right), () => result(operator, Number(left), Number(right)));
  }
  return result(operator, Number(left), Number(right));
}

/** -x. */
export function negated(run: Run, x: Value): Value {
  if (x === undefined) return zero(run, 0n);
  const value = toNumeric(run, x);
  if (typeof value === "bigint") return fitted(run, -value, () => -Number(value));
  return value === undefined ? undefined : -value;
}

/** The absolute value; where it has no room in CESQL the largest one and ERROR_MATH, as its specification says. */
export function absolute(run: Run, value: bigint | number): Value {
  if (typeof value === "number") return Math.abs(value);
  const result = value < 0n ? -value : value;
  if (isWhole(result, run.dialect)) return result;
  if (run.dialect === "sluice") return Number(result);
  run.errors |= code.ERROR_MATH;
  return result - 1n;
}

function fitted(run: Run, value: bigint, asNumber: () => number): Value {
  if (isWhole(value, run.dialect)) return value;
  if (run.dialect === "sluice") return asNumber();
  run.errors |= code.ERROR_MATH;
  return BigInt.asIntN(32, value);
}

function wholeResult(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}

function result(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
  }
}
