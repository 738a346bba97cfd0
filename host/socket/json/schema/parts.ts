/**
 * Small schemas that frames and events are made of. Sizes are UTF-8 bytes, because that is what travels.
 *
 * `meta()` repeats for the OpenAPI document what a check of ours enforces.
 */
import { z } from "zod";
import { bytesFromText, type Checked, refuse } from "../../../check.ts";
import type { SluiceCode } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import { MOMENT_US_MAX, MOMENT_US_MIN, microsFromMoment } from "../moment.ts";
import { RawJson } from "../reader.ts";

/** 0 … 2^32 − 1. */
export const uint32 = z.int().min(0).max(0xffff_ffff);

/** A 64-bit counter: a plain JSON number below 2^53. */
export const count = z.int().min(0);

/** A duration in whole milliseconds. */
export const durationMs = z.int().check((checked) => {
  if (checked.value >= 0 && checked.value <= limits.durationMs) return;
  refuse(checked, "time_out_of_range", `limit is ${limits.durationMs}`, { limit: limits.durationMs });
});

/** An RFC 3339 moment between the years 1 and 9999. */
export const moment = z
  .string()
  .check((checked) => {
    const us = microsFromMoment(checked.value);
    if (us === undefined)
      refuse(checked, "invalid_value", "it must be a moment of RFC 3339, such as 2026-01-01T00:00:00Z");
    else if (us < MOMENT_US_MIN || us > MOMENT_US_MAX) {
      refuse(checked, "time_out_of_range", "it must lie in the years 0001 to 9999", {
        limit: ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"],
      });
    }
  })
  .meta({ format: "date-time" });

/** A member as JSON names it: `m` and its number. */
export const member = z.string().check((checked) => {
  if (memberNumber(checked.value) !== undefined) return;
  refuse(checked, "invalid_value", 'it must be a member as told in "joined", such as "m17"');
});

/** The number in `m17`; undefined where it is no member. */
export function memberNumber(name: string): number | undefined {
  const match = /^m([1-9]\d{0,9})$/.exec(name);
  const number = Number(match?.[1] ?? Number.NaN);
  return number <= 0xffff_ffff ? number : undefined;
}

/** A value of an attribute or condition. */
export type ScalarValue = boolean | number | string;

/** Whether a value can be an attribute's. */
export function isScalar(value: unknown): value is ScalarValue {
  return (
    typeof value === "boolean" || typeof value === "string" || (typeof value === "number" && Number.isFinite(value))
  );
}

/**
 * A map from names to boolean, number or string.
 *
 * Not z.record(), which passes over a member named `__proto__` without a word.
 *
 * @param rule Name pattern, the code of its refusal, and how many entries there may be.
 */
function scalars<Value>(
  rule: { pattern: RegExp; names: string; code: SluiceCode; entries: number; tooMany: SluiceCode },
  allowed: (value: unknown) => boolean,
  kinds: string,
  types: readonly ("boolean" | "number" | "string")[] = ["boolean", "number", "string"],
) {
  return z
    .custom<Record<string, Value>>(
      (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof RawJson),
      {
        error: "It must be an object",
        abort: true,
      },
    )
    .check((checked: Checked<Record<string, Value>>) => {
      const entries = Object.entries(checked.value);
      if (entries.length > rule.entries) {
        return refuse(checked, rule.tooMany, `limit is ${rule.entries}`, {
          limit: rule.entries,
          value: entries.length,
        });
      }
      // The first that is wrong is enough: one complaint is all that a peer gets.
      for (const [name, value] of entries) {
        const path = [name];
        if (!rule.pattern.test(name)) {
          return refuse(checked, rule.code, `a name must match ${rule.names}`, {
            path,
            value: name,
            limit: rule.names,
          });
        }
        if (!allowed(value))
          return refuse(checked, "invalid_value", `it must be a ${kinds}`, { path, value: value ?? null });
        if (typeof value === "string" && bytesFromText(value) === undefined) {
          return refuse(checked, "not_utf8", "it has a lone surrogate, which UTF-8 cannot say", { path, value });
        }
      }
    })
    .meta({ type: "object", additionalProperties: { type: [...types] } });
}

const attributeRule = {
  pattern: /^[a-z][a-z0-9_]{0,63}$/,
  names: "[a-z][a-z0-9_]{0,63}",
  code: "attribute_name",
  entries: limits.attributes,
  tooMany: "attributes_too_many",
} as const;

/** Attributes of an event or member. */
export const attributes = scalars<ScalarValue>(attributeRule, isScalar, "boolean, number or string");

/** Changes of live attributes; null removes. */
export const attributeChanges = scalars<ScalarValue | null>(
  attributeRule,
  (value) => value === null || isScalar(value),
  "boolean, number or string, or null to remove it",
);

const conditionRule = {
  pattern: /^[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?$/,
  names: "[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?",
  code: "invalid_value",
  entries: limits.listEntries,
  tooMany: "limit_reached",
} as const;

/** Values of conditions. */
export const conditionValues = scalars<ScalarValue>(conditionRule, isScalar, "boolean, number or string");

/** What is added to conditions. */
export const conditionAmounts = scalars<number>(conditionRule, (value) => typeof value === "number", "number", [
  "number",
]);

/** Whether a value nests at most `depth` objects and arrays. */
function nestsWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => nestsWithin(inner, depth - 1));
}

/** Any JSON that is not looked at here, of limits.structDepth: protobuf readers refuse deeper ones. */
export const anyJson = z.unknown().check((checked) => {
  if (nestsWithin(checked.value, limits.structDepth)) return;
  refuse(checked, "limit_reached", `it nests deeper than ${limits.structDepth}`, { limit: limits.structDepth });
});
