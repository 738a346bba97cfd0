/** Gives contracts to the core, as the words of core-wasm/contract/abi.ts. */
import type { Conditions } from "../condition/conditions.ts";
import { type Core, placeScratch } from "../core/instance.ts";
import { SluiceError } from "../errors.ts";
import type { Contract } from "./contract.ts";

/**
 * Has the core take a contract.
 *
 * @param replaces Handle of the one whose place it takes, which is gone then; 0: it comes last.
 * @returns Its handle.
 * @throws {SluiceError} `store_full`; the one to be replaced is still there then.
 */
export function giveContract(
  core: Core,
  conditions: Pick<Conditions, "get" | "numberOf">,
  { name: called, compiled, definition, path }: Contract,
  replaces: number,
): number {
  const { exports } = core;
  const programs = compiled.programs.map((program) =>
    program === undefined ? 0 : exports.expressionAdd(placeScratch(core, program), program.length),
  );
  const words = Uint32Array.from([
    compiled.conditions.length,
    compiled.regions.length,
    compiled.transitions.length,
    definition.order === "listed" ? 1 : 0,
    path.length,
    ...compiled.conditions.flatMap(({ name, observed }) => {
      const isObserved = observed ?? conditions.get(name)?.definition.observed ?? true;
      return [conditions.numberOf(name), isObserved ? 1 : 0];
    }),
    ...compiled.regions.flatMap(({ children, parent, select }, number) => {
      const siblings = compiled.regions[parent]?.children ?? [];
      const next = siblings[siblings.indexOf(number) + 1] ?? 0;
      return [children[0] ?? 0, next, programs[number * 2] ?? 0, programs[number * 2 + 1] ?? 0, select];
    }),
    ...compiled.transitions.flat(),
    ...path,
  ]);
  const isWhole = compiled.programs.every((program, index) => program === undefined || programs[index] !== 0);
  const at = placeScratch(core, new Uint8Array(words.buffer));
  const handle = isWhole ? exports.contractAdd(at, words.length * 4, replaces) : 0;
  if (handle !== 0) return handle;
  for (const program of programs) exports.expressionRelease(program);
  throw new SluiceError("store_full", `Cannot keep contract "${called}", memory is used up`);
}
