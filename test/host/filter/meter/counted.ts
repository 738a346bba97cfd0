/**
 * The slow way to count: every instruction adds its price to a global before it runs.
 *
 * Shares the table of prices with the instrumenter and nothing else: no regions, no leaves, no fuel in locals.
 */
import { COSTS, type Rate } from "../../../../host/filter/meter/index.ts";
import { instructionsOf, type ModuleParts } from "./assemble.ts";

/** Name of the exported global. */
export const COUNTER = "counter";

const GLOBAL = 3;
const RATES = { bytes: COSTS.bytes, elements: COSTS.elements, pages: COSTS.pages };

/** The same module, and a 64-bit global that has what its instructions cost up to now. */
export function countedOf(parts: ModuleParts): ModuleParts {
  const { imports = [], functions = [], globals = [], exports = [] } = parts;
  const counter = globals.length;
  const add = (fuel: number): string =>
    fuel === 0 ? "" : `global.get ${counter} i64.const ${fuel} i64.add global.set ${counter} `;
  /** What a length on top of the stack costs; it stays there. */
  const addRate = ({ fixed, per, shift }: Rate, local: number): string =>
    `local.set ${local} ${add(fixed)} global.get ${counter} local.get ${local} i32.const ${shift} i32.shr_u ` +
    `i64.extend_i32_u i64.const ${per} i64.mul i64.add global.set ${counter} local.get ${local} `;
  return {
    ...parts,
    globals: [...globals, { type: "l", isMutable: true, init: "i64.const 0" }],
    exports: [...exports, { name: COUNTER, kind: GLOBAL, index: counter }],
    functions: functions.map((one) => {
      const { type, locals = "", code = "" } = one;
      const scratch = type.indexOf(":") + locals.length;
      let text = add(COSTS.entry + Math.floor(locals.length / COSTS.localsPerFuel));
      for (const { opcode, source, words } of instructionsOf(code)) {
        if (opcode.charge !== undefined) text += addRate(RATES[opcode.charge], scratch);
        text += add(opcode.cost);
        const isCall = opcode.immediate === "function";
        if (isCall && Number(words[0]) < imports.length) text += add(COSTS.import);
        text += `${source} `;
        if (opcode.name === "loop") text += add(COSTS.turn);
      }
      return { ...one, locals: `${locals}i`, code: text };
    }),
  };
}
