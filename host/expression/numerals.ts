/** Numbers as expressions and texts write them. */
import type { Dialect } from "./dialect.ts";

/** The smallest and the largest whole number of each dialect. */
export const wholeRange: { readonly [Name in Dialect]: { readonly min: bigint; readonly max: bigint } } = Object.freeze(
  {
    sluice: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
    cesql: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  },
);

/** Whether a dialect has that whole number. */
export function isWhole(value: bigint, dialect: Dialect): boolean {
  const { min, max } = wholeRange[dialect];
  return value >= min && value <= max;
}

/**
 * The constant that a number token stands for.
 *
 * @param text Digits with an optional sign, fraction and exponent.
 * @returns A whole number, a number, or what it should have been.
 */
export function numberOf(text: string, dialect: Dialect): bigint | number | { readonly expected: string } {
  const { min, max } = wholeRange[dialect];
  if (/^[+-]?\d+$/.test(text)) {
    const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
    return isWhole(value, dialect) ? value : { expected: `a whole number from ${min} to ${max}` };
  }
  if (dialect === "cesql") return { expected: "a whole number" };
  const value = Number(text);
  return Number.isFinite(value) ? value : { expected: `a number up to ${Number.MAX_VALUE}` };
}

/** A text that is a number: at least one digit, before or behind the point. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * The number that a text holds, as a cast reads it: a whole one where it is written as one and has room, else by default a
 * number, which may be infinite; undefined where it holds none.
 */
export function numberIn(text: string, dialect: Dialect): bigint | number | undefined {
  if (/^[+-]?\d+$/.test(text)) {
    const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
    if (isWhole(value, dialect)) return value;
  }
  return dialect === "cesql" || !NUMBER.test(text) ? undefined : Number(text);
}
