// The predicate that was written by hand in AssemblyScript, compiled as the core is.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import asc from "assemblyscript/asc";

const SOURCE = "predicate.ts";
const TABLE_OFFSET = 65_536;

/**
 * @typedef {object} Hand
 * @property {() => number} countEvents Evaluates every event from its bytes; tells for how many the predicate holds.
 * @property {() => number} countLocated The same with the three values located before.
 */

/**
 * Compiles the predicate with the core's own settings and puts events into its memory.
 *
 * @param {readonly Buffer[]} events Encoded.
 * @returns {Promise<Hand>}
 * @throws {Error} With what the compiler says.
 */
export async function compileHand(events) {
  const { countEvents, countLocated, locate, memory } = new WebAssembly.Instance(await compile()).exports;
  const call = (/** @type {unknown} */ exported) => /** @type {(...args: number[]) => number} */ (exported);
  const { buffer } = /** @type {WebAssembly.Memory} */ (memory);
  const [bytes, view] = [new Uint8Array(buffer), new DataView(buffer)];
  let at = TABLE_OFFSET + events.length * 8;
  events.forEach((event, index) => {
    view.setUint32(TABLE_OFFSET + index * 8, at, true);
    view.setUint32(TABLE_OFFSET + index * 8 + 4, event.length, true);
    bytes.set(event, at);
    at += event.length;
  });
  const located = (at + 15) & ~15;
  call(locate)(TABLE_OFFSET, events.length, located);
  return {
    countEvents: () => call(countEvents)(TABLE_OFFSET, events.length),
    countLocated: () => call(countLocated)(located, events.length),
  };
}

async function compile() {
  const folder = mkdtempSync(path.join(tmpdir(), "bench-asc-"));
  const out = path.join(folder, "predicate.wasm");
  const options = "--runtime stub --enable simd --enable bulk-memory --optimizeLevel 3 --converge --initialMemory 64";
  try {
    // Relative to this folder: the settings of the core in asconfig.json would have the core's own outputs overwritten.
    const args = [SOURCE, "--baseDir", import.meta.dirname, "--outFile", out, "--use", "abort=", ...options.split(" ")];
    const { error, stderr } = await asc.main(args);
    if (error) throw new Error(`Cannot compile ${SOURCE}: ${error.message}\n${stderr.toString()}`);
    return await WebAssembly.compile(readFileSync(out));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
