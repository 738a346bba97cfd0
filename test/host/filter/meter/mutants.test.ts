/** Valid modules, changed at random: each is refused with reasons, or what comes out is valid. Nothing else happens. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { instrument, ModuleRefused } from "../../../../host/filter/meter/index.ts";
import { casesOfRun, createRandom, mutate, seedOfRun } from "../../../hostile/mutate.ts";
import { timeoutMs } from "../../../property/runs.ts";
import { filterOf } from "./assemble.ts";
import { programArbitrary } from "./program-arbitrary.ts";

const CASES = 6_000;
const PROGRAMS = 40;
/** One in so many has bytes put in and taken out, which mostly ends in a wrong length. */
const SHIFTED_SHARE = 3;

test("mutants are refused with reasons, or valid", { timeout: timeoutMs(20_000) }, () => {
  const seed = seedOfRun();
  const random = createRandom(seed);
  const modules = fc.sample(programArbitrary, { seed, numRuns: PROGRAMS }).map(filterOf);
  let taken = 0;
  for (let index = casesOfRun(CASES); index > 0; index--) {
    const original = modules[random(modules.length)] as Uint8Array;
    const mutant = random(SHIFTED_SHARE) === 0 ? mutate(original, modules, random) : swapped(original, random);
    try {
      if (WebAssembly.validate(instrument(mutant).bytes)) taken++;
      else expect.fail(`Invalid output, seed ${seed}: ${Buffer.from(mutant).toString("base64")}`);
    } catch (error) {
      const isRefusal = error instanceof ModuleRefused && error.reasons.length > 0;
      // These two sentences are said of what should not have happened.
      const isClean = isRefusal && !/cannot be instrumented|fault of this program/.test(error.message);
      if (!isClean) expect.fail(`${error}, seed ${seed}: ${Buffer.from(mutant).toString("base64")}`);
    }
  }
  // Mutants that nobody takes would prove little of what is written.
  expect(taken).toBeGreaterThan(0);
});

/** Other values in the same places: lengths stay true, so that what is wrong is found further inside. */
function swapped(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let count = 1 + random(3); count > 0; count--)
    out[8 + random(out.length - 8)] = random(2) === 0 ? random(256) : random(20);
  return out;
}
