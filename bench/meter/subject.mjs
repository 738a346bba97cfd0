// The instrumenter and modules for it, from their sources.
import path from "node:path";
import { buildSync } from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");

/**
 * @typedef {object} Meter
 * @property {typeof import('../../host/filter/meter/index.ts').instrument} instrument
 * @property {typeof import('../../host/filter/meter/index.ts').moduleLimits} moduleLimits
 * @property {typeof import('../../host/filter/module/imports.ts').createImports} createImports
 * @property {typeof import('../../host/filter/module/log.ts').ModuleLog} ModuleLog
 * @property {typeof import('../../host/filter/module/spec.ts').moduleLimits} runLimits
 * @property {typeof import('../../test/host/filter/meter/assemble.ts').filterOf} filterOf
 */

/** It is no part of the library that the package gives, so it is read as bench/core reads the core's ABI. @returns {Promise<Meter>} */
export async function loadMeter() {
  const contents = [
    'export * from "./host/filter/meter/index.ts";',
    'export { createImports } from "./host/filter/module/imports.ts";',
    'export { ModuleLog } from "./host/filter/module/log.ts";',
    'export { moduleLimits as runLimits } from "./host/filter/module/spec.ts";',
    'export { filterOf } from "./test/host/filter/meter/assemble.ts";',
  ].join("\n");
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  const text = Buffer.from(outputFiles[0]?.text ?? "").toString("base64");
  return await import(`data:text/javascript;base64,${text}`);
}

/**
 * What a host gives a module that is starting.
 *
 * @param {Meter} meter
 * @returns {{ imports: WebAssembly.Imports, ready: (memory: WebAssembly.Memory) => void }} `ready`: tells them of its memory.
 */
export function hostImports({ createImports, ModuleLog, runLimits }) {
  const clock = { now: () => 0, setTimer: () => () => {} };
  const log = new ModuleLog(clock, runLimits, () => {});
  /** @type {Parameters<Meter['createImports']>[0]} */
  const state = { memory: undefined, now: 0, initialising: true, seed: 1, asked: 0, log, interned: new Map() };
  return {
    imports: createImports(state),
    ready(memory) {
      state.memory = memory;
    },
  };
}

/** What a module may import, of which nothing does anything. */
export const imports = Object.freeze({
  sluice: Object.freeze({ log: () => undefined, now: () => 0, rand: () => 7, intern: () => 1 }),
  env: Object.freeze({ abort: () => undefined }),
});
