/** Random programs: instrumented they do the same, and never take less fuel than their instructions cost. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instrument } from "../../../../host/filter/meter/index.ts";
import { propertyParameters, timeoutMs } from "../../../property/runs.ts";
import { filterOf, type ModuleParts } from "./assemble.ts";
import { COUNTER, countedOf } from "./counted.ts";
import { programArbitrary } from "./program-arbitrary.ts";

const RUNS = 100;
const FUEL = 2 ** 31 - 1;
const ARGUMENTS = [
  [0, 0, 0, 0],
  [1, 7, -1, 65_534],
  [5, 3, 1_000_000, 2],
];

type Call = (...args: number[]) => number;

/** What a run did that one can see from outside. */
interface Outcome {
  /** Undefined where it trapped. */
  readonly result: number | undefined;
  readonly pages: number;
  readonly digest: number;
  readonly global: unknown;
}

function instantiate(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Instance {
  let seed = 1;
  const rand = (): number => {
    seed = Math.imul(seed, 48_271) % 2_147_483_647;
    return seed;
  };
  const imports = { sluice: { rand, intern: (a: number, b: number) => a ^ b } };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
}

function outcomeOf({ exports }: WebAssembly.Instance, name: string, args: readonly number[]): Outcome {
  let result: number | undefined;
  try {
    result = (exports[name] as Call)(...args);
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
  }
  const memory = new Uint32Array((exports["memory"] as WebAssembly.Memory).buffer);
  let digest = 0;
  for (const word of memory) digest = Math.imul(digest ^ word, 0x0100_0193);
  return { result, pages: memory.length / 16_384, digest, global: (exports["global"] as WebAssembly.Global).value };
}

/** What the instructions of a run cost, one by one. */
function costOf(parts: ModuleParts, args: readonly number[]): number {
  const instance = instantiate(filterOf(countedOf(parts)));
  outcomeOf(instance, "sluice_in", args);
  return Number((instance.exports[COUNTER] as WebAssembly.Global).value);
}

describe("a random program", () => {
  test("does the same when it is instrumented, and takes no less than it costs", { timeout: timeoutMs(20_000) }, () => {
    fc.assert(
      fc.property(programArbitrary, (parts) => {
        const bytes = filterOf(parts);
        expect(WebAssembly.validate(bytes)).toBe(true);
        const { bytes: instrumented } = instrument(bytes);
        const run = (args: readonly number[], fuel: number) => {
          const instance = instantiate(instrumented);
          const outcome = outcomeOf(instance, "$sluice_in", [fuel, ...args]);
          return { outcome, left: (instance.exports["$sluice_fuel"] as Call)() };
        };
        for (const args of ARGUMENTS) {
          const plain = outcomeOf(instantiate(bytes), "sluice_in", args);
          const { outcome, left } = run(args, FUEL);
          expect(outcome).toEqual(plain);
          expect(left).toBeGreaterThanOrEqual(0);
          const cost = costOf(parts, args);
          // With less than it costs it does not come as far, be that a result or a trap.
          expect(run(args, cost - 1).left).toBeLessThan(0);
          if (plain.result === undefined) continue;
          const taken = FUEL - left;
          expect(taken).toBeGreaterThanOrEqual(cost);
          expect(run(args, taken)).toMatchObject({ outcome: plain, left: 0 });
          expect(run(args, taken - 1).left).toBeLessThan(0);
        }
      }),
      propertyParameters(RUNS),
    );
  });
});
