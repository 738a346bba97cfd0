/**
 * Casts between the types of values, and how texts compare.
 *
 * One that fails notes ERROR_CAST and gives what the dialect goes on with: "missing", or in CESQL the zero value of the type.
 */
import * as code from "../../core-wasm/expression/code.ts";
import type { Dialect } from "./dialect.ts";
import { isWhole, numberIn, wholeRange } from "./numerals.ts";
import type { Value } from "./value.ts";

/** The dialect of an evaluation and the ERROR_… bits that it has met so far. */
export interface Run {
  readonly dialect: Dialect;
  errors: number;
}

/** A value that is there. */
export type Present = Exclude<Value, undefined>;

/** What goes on instead of a value that cannot be: "missing", in CESQL the zero value given. */
export function zero<Zero extends Present>(run: Run, value: Zero): Zero | undefined {
  return run.dialect === "cesql" ? value : undefined;
}

function fail<Zero extends Present>(run: Run, value: Zero): Zero | undefined {
  run.errors |= code.ERROR_CAST;
  return zero(run, value);
}

/** As a boolean; undefined where it cannot be, in the default dialect. A number that is 0 or none is false. */
export function toBoolean(run: Run, value: Present): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") return value !== 0n;
  if (typeof value === "number") return value < 0 || value > 0;
  if (/^true$/i.test(value)) return true;
  if (/^false$/i.test(value)) return false;
  return fail(run, false);
}

/** Whether a value counts as true; missing and what is no boolean do not. */
export function isTrue(run: Run, value: Value): boolean {
  return value !== undefined && toBoolean(run, value) === true;
}

/** As a whole number or a number. */
export function toNumeric(run: Run, value: Present): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1n : 0n;
  return numberIn(value, run.dialect) ?? fail(run, 0n);
}

/** As a whole number; a number is cut towards 0. */
export function toWhole(run: Run, value: Present): bigint | undefined {
  const numeric = toNumeric(run, value);
  if (typeof numeric !== "number") return numeric;
  const { min, max } = wholeRange.sluice;
  const cut = Math.trunc(numeric);
  return cut >= Number(min) && cut < Number(max) ? BigInt(cut) : fail(run, 0n);
}

/** As a text; numbers as ECMAScript writes them. */
export function toText(value: Present): string {
  return String(value);
}

/** A value of an event as a dialect sees it: to the pure language, numbers that it does not have are texts. */
export function seenBy(dialect: Dialect, value: Value): Value {
  if (dialect === "sluice") return value;
  if (typeof value === "number") return String(value);
  return typeof value === "bigint" && !isWhole(value, dialect) ? String(value) : value;
}

/** Order of two texts by their UTF-8 bytes, which is that of their code points; negative, 0 or positive. */
export function textOrder(left: string, right: string): number {
  const rights = right[Symbol.iterator]();
  for (const character of left) {
    const other = rights.next();
    if (other.done === true) return 1;
    const order = (character.codePointAt(0) as number) - (other.value.codePointAt(0) as number);
    if (order !== 0) return order;
  }
  return rights.next().done === true ? 0 : -1;
}
