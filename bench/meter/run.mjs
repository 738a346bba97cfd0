// What counting costs, and what a stranger gets for fuel at the very worst.
//
//   kernels      the same code as it is and instrumented, in one process by turns
//   samples      the same of the sample filters of the SDK, batches of 64 events
//   worst        code made to be slow: ns of CPU per unit of fuel; goals take the dearest
//   instrument   ms per MB of upload
import { cpuMicroseconds, nanosecondsPer } from "../core/batches.mjs";
import { median, quantile } from "../driver/statistics.mjs";
import { crafted } from "./crafted.mjs";
import { compileKernels, kernels, OUT, writeRecords } from "./kernels.mjs";
import { prepareSamples } from "./samples.mjs";
import { hostImports, imports, loadMeter } from "./subject.mjs";

/** More than any kernel takes; a call is given it anew. */
const FUEL = 2 ** 31 - 1;
/** What crafted code gets: enough that ending it is not what is measured. */
const CRAFTED_FUEL = 10_000_000;
const PAGES_CAP = 256;
/** Bodies of the large module: about half a megabyte. */
const LARGE_FUNCTIONS = 4_000;
const LARGE_LINES = 20;

/** @typedef {(...args: number[]) => number} Call */

/**
 * Measures all.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { way: string, unit: string, value: number }[] }>}
 */
export async function runMeter({ quick, say }) {
  const meter = await loadMeter();
  const rounds = quick ? 3 : 9;
  const batchMs = quick ? 10 : 60;
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  const pairs = [
    ...(await prepareKernels(meter)).map((pair) => ({ cell: "meter-kernel", ...pair })),
    ...prepareSamples(meter).map((pair) => ({ cell: "meter-sample", ...pair })),
  ];
  for (let repetition = -1; repetition < rounds; repetition++) {
    // The first round is for the compilers and is not kept.
    for (const { cell, name, plain, metered } of pairs) {
      const ratio = nanosecondsPer(metered, 1, batchMs) / nanosecondsPer(plain, 1, batchMs);
      if (repetition >= 0) rows.push({ cell, peer: name, repetition, ratio });
    }
  }
  for (let repetition = 0; repetition < rounds; repetition++) {
    for (const { name, nsPerFuel } of worst(meter, quick ? 2 : 5))
      rows.push({ cell: "meter-worst", peer: name, repetition, nsPerFuel });
    rows.push({ cell: "meter-instrument", peer: "large", repetition, msPerMb: instrumentLarge(meter) });
  }
  const lines = summary(rows);
  for (const { way, value, unit } of lines) say(`${way}: ${value.toFixed(2)} ${unit}`);
  return { rows, lines };
}

/** @param {import('./subject.mjs').Meter} meter */
async function prepareKernels({ instrument }) {
  const original = await compileKernels();
  const open = (/** @type {BufferSource} */ bytes) => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
    writeRecords(/** @type {WebAssembly.Memory} */ (exports["memory"]));
    return exports;
  };
  const plainCall = /** @type {Call} */ (open(original)["sluice_in"]);
  const meteredCall = /** @type {Call} */ (open(instrument(original).bytes)["$sluice_in"]);
  return kernels.map(({ name, kernel, size }) => {
    const plain = () => plainCall(kernel, size, OUT, 0);
    const metered = () => meteredCall(FUEL, kernel, size, OUT, 0);
    if (plain() !== metered()) throw new Error(`${name} gives something else when it is instrumented`);
    return { name, plain, metered };
  });
}

/**
 * The least of some runs of each, since whatever disturbs only adds. What overflows the stack is left out: that is a fault, which costs
 * what faults cost, and not by fuel.
 *
 * @param {import('./subject.mjs').Meter} meter @param {number} runs
 */
function worst(meter, runs) {
  const { instrument, filterOf, moduleLimits } = meter;
  return crafted.flatMap(({ name, parts, prepare }) => {
    const limits = { ...moduleLimits, memoryPages: PAGES_CAP, memoryPagesMax: PAGES_CAP };
    const module = new WebAssembly.Module(instrument(filterOf(parts), limits).bytes);
    const samples = Array.from({ length: runs }, () => {
      const given = hostImports(meter);
      const { exports } = new WebAssembly.Instance(module, given.imports);
      const memory = /** @type {WebAssembly.Memory} */ (exports["memory"]);
      given.ready(memory);
      prepare?.(new Uint32Array(memory.buffer));
      const before = cpuMicroseconds();
      try {
        /** @type {Call} */ (exports["$sluice_in"])(CRAFTED_FUEL, 0, 1, 0, 0);
      } catch (error) {
        if (error instanceof RangeError) return Number.NaN;
      }
      const ns = (cpuMicroseconds() - before) * 1_000;
      const left = /** @type {Call} */ (exports["$sluice_fuel"])();
      return ns / (CRAFTED_FUEL - Math.max(0, left));
    });
    const nsPerFuel = Math.min(...samples);
    return Number.isFinite(nsPerFuel) ? [{ name, nsPerFuel }] : [];
  });
}

/** @param {import('./subject.mjs').Meter} meter @returns {number} ms per MB. */
function instrumentLarge({ instrument, filterOf, moduleLimits }) {
  const line = "local.get 0 local.get 1 i32.add i32.load 8 local.tee 0 i32.const 7 i32.and if void nop end ";
  const one = { type: "iiii:i", code: `${line.repeat(LARGE_LINES)} local.get 0` };
  const functions = Array.from({ length: LARGE_FUNCTIONS }, () => one);
  const bytes = filterOf({ functions });
  const limits = { ...moduleLimits, moduleBytes: 4 * moduleLimits.moduleBytes, moduleWeight: Number.MAX_SAFE_INTEGER };
  const before = cpuMicroseconds();
  instrument(bytes, limits);
  return (cpuMicroseconds() - before) / 1_000 / (bytes.length / 2 ** 20);
}

/** @param {readonly import('../goals.mjs').Row[]} rows */
function summary(rows) {
  const units = /** @type {const} */ ([
    ["meter-kernel", "ratio", "instrumented ÷ as it is"],
    ["meter-sample", "ratio", "instrumented ÷ as it is"],
    ["meter-worst", "nsPerFuel", "ns per fuel"],
    ["meter-instrument", "msPerMb", "ms per MB"],
  ]);
  return units.flatMap(([cell, measure, unit]) => {
    const of = rows.filter((row) => row.cell === cell);
    return [...new Set(of.map(({ peer }) => peer))]
      .map((peer) => {
        const samples = of.filter((row) => row.peer === peer).map((row) => Number(row[measure]));
        // Of what is only ever made longer, the shorter ones count.
        return { way: `${cell} ${peer}`, unit, value: measure === "ratio" ? median(samples) : quantile(samples, 0.25) };
      })
      .sort((one, other) => other.value - one.value);
  });
}
