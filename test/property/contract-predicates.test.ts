/**
 * Goal: what the core compares without its machine holds exactly where the machine says so, whatever types the values have.
 * Reference: the same expression with a part that only the machine can do.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractFromJson } from "../../host/contract/schema.ts";
import { createTestConditions } from "../host/condition/support.ts";
import { contractsOver } from "../host/contract/support.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const NAMES = ["a", "b", "c"];
const name = fc.constantFrom(...NAMES);
const number = fc.constantFrom("0", "1", "-1", "2.5", "9007199254740993", "0.1", "1000000.5");
const constant = fc.oneof(
  number,
  fc.constantFrom("TRUE", "FALSE", "'eco'", "''", "'1'", "'true'", "'longer than eight'"),
);
const operator = fc.constantFrom("=", "!=", "<", "<=", ">", ">=");
const { predicate } = fc.letrec<{ predicate: string }>((tie) => ({
  predicate: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.tuple(name, operator, constant).map((parts) => parts.join(" ")),
    fc.tuple(constant, operator, name).map((parts) => parts.join(" ")),
    fc.tuple(name, number, number).map(([one, low, high]) => `${one} BETWEEN ${low} AND ${high}`),
    fc.tuple(name, constant, constant).map(([one, first, second]) => `${one} IN (${first}, ${second})`),
    fc.tuple(name, name).map(([one, other]) => `${one} < ${other}`),
    name.map((one) => `${one} IS NULL`),
    name.map((one) => `${one} LIKE 'e%'`),
    name,
    fc
      .tuple(tie("predicate"), fc.constantFrom("AND", "OR", "XOR"), tie("predicate"))
      .map((parts) => `(${parts.join(" ")})`),
    tie("predicate").map((one) => `NOT (${one})`),
  ),
}));
const value = fc.constantFrom<(number | boolean | string)[]>(
  0,
  1,
  -1,
  2.5,
  -0,
  1e300,
  0.1,
  true,
  false,
  "eco",
  "",
  "1",
  "true",
  "longer than eight",
);

describe("predicates of contracts", () => {
  test("hold where the machine says so", { timeout: timeoutMs(20_000) }, () => {
    const world = createTestConditions();
    world.put("one", { kind: "value", initial: 1 });
    const contracts = contractsOver(world);
    const put = (called: string, when: string): void => {
      const regions = [{ name: "in", when }, { name: "out" }];
      contracts.put(called, contractFromJson({ regions }, called));
    };
    fc.assert(
      fc.property(
        predicate,
        fc.array(fc.array(value, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 8 }),
        (source, trace) => {
          for (const called of ["fast", "slow"]) contracts.remove(called);
          trace.forEach((values, step) => {
            // A condition has one type: another one is another definition, and some are without a value.
            values.forEach((initial, index) => {
              const kind = initial === 1e300 ? { kind: "average" } : { kind: "value", initial };
              world.put(NAMES[index] as string, kind);
            });
            if (step === 0) {
              put("fast", source);
              put("slow", `(${source}) AND one + 0 = 1`);
            }
            expect(contracts.evaluate("fast"), source).toEqual(contracts.evaluate("slow"));
          });
        },
      ),
      propertyParameters(300),
    );
  });
});
