// The core by itself: its binary instantiated as the host does it, driven through its ABI.
import { readFileSync } from "node:fs";
import path from "node:path";
import { transformSync } from "esbuild";

const ROOT = path.join(import.meta.dirname, "../..");
const PAGE_BYTES = 65_536;
const MEMORY_BYTES = 192 << 20;
const STORE_BYTES = 64 << 20;

/**
 * The constants that core and host share, from their one source.
 *
 * The one place of the bench that reads an internal file: what is measured here is the core's ABI itself.
 *
 * @returns {Promise<Record<string, number>>}
 */
export async function loadAbi() {
  const { code } = transformSync(readFileSync(path.join(ROOT, "core-wasm/abi.ts"), "utf8"), {
    loader: "ts",
    format: "esm",
  });
  return import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
}

/**
 * Instantiates the release build with memory of its own.
 *
 * @param {Record<string, number>} abi
 * @returns {import('../../host/core/exports.ts').CoreExports}
 * @throws {Error} Where it is not built, or refuses to start.
 */
export function openCore(abi) {
  const module = new WebAssembly.Module(readFileSync(path.join(ROOT, "dist/core.wasm")));
  const core = /** @type {import('../../host/core/exports.ts').CoreExports} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(module).exports)
  );
  core.memory.grow(MEMORY_BYTES / PAGE_BYTES - core.memory.buffer.byteLength / PAGE_BYTES);
  const status = core.coreInit(STORE_BYTES, 1);
  if (status !== abi.STATUS_OK) throw new Error(`coreInit() answers status ${status}`);
  return core;
}

/** Puts text where the core reads arguments. @param {import('../../host/core/exports.ts').CoreExports} core @param {Record<string, number>} abi @param {string} text @returns {number} Its bytes. */
export function stage(core, abi, text) {
  const bytes = Buffer.from(text);
  new Uint8Array(core.memory.buffer).set(bytes, abi.STAGE_OFFSET);
  return bytes.length;
}
