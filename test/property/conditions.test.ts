/**
 * Goal: expressions over conditions have the values that follow from what was written, whatever was defined, replaced and
 * written before. Reference: each is computed anew from the written ones at every look.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConditionValue } from "../../host/condition/schema.ts";
import { createTestConditions } from "../host/condition/support.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const WRITTEN = ["w0", "w1", "w2"];
const DERIVED = ["d0", "d1", "d2", "d3", "d4"];
const names = [...WRITTEN, ...DERIVED];

type Step =
  | { readonly write: string; readonly value: number }
  | { readonly define: string; readonly left: string; readonly right: string; readonly operator: string }
  | { readonly restart: true }
  | { readonly read: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ write: fc.constantFrom(...WRITTEN), value: fc.integer({ min: -3, max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      define: fc.constantFrom(...DERIVED),
      left: fc.constantFrom(...names),
      right: fc.constantFrom(...names),
      operator: fc.constantFrom("+", "-", "*"),
    }),
  },
  { weight: 3, arbitrary: fc.record({ read: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.constant({ restart: true } as const) },
);

describe("expressions over conditions", () => {
  test("follow from what was written", { timeout: timeoutMs(20_000) }, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = createTestConditions();
        const written = new Map(WRITTEN.map((name) => [name, 0]));
        const derived = new Map<string, readonly [left: string, operator: string, right: string]>();
        for (const name of WRITTEN) world.put(name, { kind: "value" });

        const derivedValue = (name: string): ConditionValue => {
          const parts = derived.get(name);
          if (parts === undefined) return written.get(name);
          const [left, right] = [Number(derivedValue(parts[0])), Number(derivedValue(parts[2]))];
          // As a double, which is what a condition holds: -0 is 0.
          return (parts[1] === "+" ? left + right : parts[1] === "-" ? left - right : left * right) + 0;
        };
        const follows = (from: string, name: string): boolean => {
          const parts = derived.get(from);
          return from === name || (parts !== undefined && (follows(parts[0], name) || follows(parts[2], name)));
        };
        const isThere = (name: string): boolean => written.has(name) || derived.has(name);

        for (const one of steps) {
          if ("write" in one) {
            world.set({ [one.write]: one.value });
            written.set(one.write, one.value);
          } else if ("define" in one) {
            const { define, left, right, operator } = one;
            const define_ = (): boolean =>
              world.put(define, { kind: "expression", expression: `${left} ${operator} ${right}` });
            const isRound = [left, right].some((input) => follows(input, define));
            if (isRound || !isThere(left) || !isThere(right)) {
              expect(define_).toThrow();
            } else {
              define_();
              derived.set(define, [left, operator, right]);
            }
          } else if ("restart" in one) {
            world.restart();
          } else if (isThere(one.read)) {
            expect(world.value(one.read)).toBe(derivedValue(one.read));
          }
        }
        for (const name of names) if (isThere(name)) expect(world.value(name)).toBe(derivedValue(name));
      }),
      propertyParameters(60),
    );
  });
});
