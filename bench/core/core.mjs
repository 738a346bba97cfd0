// The core by itself: its binary instantiated as the host does it, driven through its ABI.
import { readFileSync } from "node:fs";
import path from "node:path";
import { buildSync, transformSync } from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");
/** `BENCH_CORE` names another build of the same ABI, to hold two of them side by side. */
const BINARY = process.env["BENCH_CORE"] ?? path.join(ROOT, "dist/core.wasm");
const PAGE_BYTES = 65_536;
const MEMORY_BYTES = 192 << 20;
const STORE_BYTES = 64 << 20;

/** What the release build of the core exports. @typedef {import('../../host/core/exports.ts').CoreExports} Core */
/** Its constants by name. @typedef {Readonly<Record<string, number>>} Abi */

/**
 * The constants that core and host share, from their one source.
 *
 * This file is the one place of the bench that reads internal files: what is measured here is the core's ABI itself.
 *
 * @returns {Promise<Abi>} Asking for a constant that is not there throws.
 */
export async function loadAbi() {
  const source = readFileSync(path.join(ROOT, "core-wasm/abi.ts"), "utf8");
  const { code } = transformSync(source, { loader: "ts", format: "esm" });
  const constants = await importText(code);
  return new Proxy(constants, {
    get(target, name) {
      if (typeof name === "string" && name !== "then" && !(name in target)) throw new Error(`The ABI has no ${name}`);
      return Reflect.get(target, name);
    },
  });
}

/**
 * The host's compiler of expressions, with which a host makes the programs that the core takes.
 *
 * @returns {Promise<(expression: string) => Uint8Array>} Throws where the expression is none.
 */
export async function loadCompiler() {
  const { outputFiles } = buildSync({
    entryPoints: [path.join(ROOT, "host/expression/compile.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    packages: "external",
  });
  const { compileExpression } = await importText(outputFiles[0]?.text ?? "");
  return (expression) => compileExpression(expression).program;
}

/** @param {string} code An ES module. */
const importText = (code) => import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);

/**
 * Instantiates the release build with memory of its own.
 *
 * @param {Abi} abi
 * @param {{ memoryBytes?: number, storeBytes?: number }} [room] Below 2 GiB; as a host has by default unless said.
 * @returns {Core}
 * @throws {Error} Where it is not built, or refuses to start.
 */
export function openCore(abi, { memoryBytes = MEMORY_BYTES, storeBytes = STORE_BYTES } = {}) {
  const module = new WebAssembly.Module(readFileSync(BINARY));
  const core = /** @type {Core} */ (/** @type {unknown} */ (new WebAssembly.Instance(module).exports));
  core.memory.grow(memoryBytes / PAGE_BYTES - core.memory.buffer.byteLength / PAGE_BYTES);
  const status = core.coreInit(storeBytes, 1);
  if (status !== abi.STATUS_OK) throw new Error(`coreInit() answers status ${status}`);
  return core;
}

/** Puts text or bytes where the core reads arguments. @param {Core} core @param {Abi} abi @param {string | Uint8Array} content @returns {number} Its bytes. */
export function stage(core, abi, content) {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  new Uint8Array(core.memory.buffer).set(bytes, abi["STAGE_OFFSET"]);
  return bytes.length;
}
