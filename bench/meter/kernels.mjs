// The kernels, compiled as filters are.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import asc from "assemblyscript/asc";

const SOURCE = "kernels.ts";
const DATA = 65_536;
const RECORD_BYTES = 104;
/** Behind all that kernels use. */
export const OUT = 524_288;

/** By name: the number that kernels.ts gives it, and its size. @type {readonly { name: string, kernel: number, size: number }[]} */
export const kernels = Object.freeze([
  { name: "fibonacci", kernel: 0, size: 20 },
  { name: "sieve", kernel: 1, size: 20_000 },
  { name: "heap-sort", kernel: 2, size: 2_000 },
  { name: "hash", kernel: 3, size: 256 },
  { name: "search", kernel: 4, size: 20_000 },
  { name: "interpreter", kernel: 5, size: 20_000 },
  { name: "deduplicate", kernel: 6, size: 5_000 },
  { name: "filter-64", kernel: 7, size: 64 },
]);

/**
 * Compiles them.
 *
 * @returns {Promise<Uint8Array<ArrayBuffer>>} A module that the instrumenter takes.
 * @throws {Error} With what the compiler says.
 */
export async function compileKernels() {
  const folder = mkdtempSync(path.join(tmpdir(), "bench-asc-"));
  const out = path.join(folder, "kernels.wasm");
  const options = "--runtime stub --optimizeLevel 3 --converge --initialMemory 16";
  try {
    // Relative to this folder: the settings of the core in asconfig.json would have the core's own outputs overwritten.
    const args = [SOURCE, "--baseDir", import.meta.dirname, "--outFile", out, "--use", "abort=", ...options.split(" ")];
    const { error, stderr } = await asc.main(args);
    if (error) throw new Error(`Cannot compile ${SOURCE}: ${error.message}\n${stderr.toString()}`);
    return new Uint8Array(readFileSync(out));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Puts records of events where the filter finds them, every other one wanted. @param {WebAssembly.Memory} memory */
export function writeRecords({ buffer }) {
  const view = new DataView(buffer);
  for (let i = 0; i < 64; i++) {
    const at = DATA + i * RECORD_BYTES;
    view.setUint32(at, RECORD_BYTES, true);
    view.setUint8(at + 6, 5);
    view.setUint8(at + 88, 3);
    view.setFloat64(at + 96, i % 2 === 0 ? 0.5 : 0.9, true);
  }
}
