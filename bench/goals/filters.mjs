// Goals of filters that are modules: what it costs that they can be stopped.
import { byRepetition, plain, ratio } from "./kinds.mjs";

/** @typedef {import('./kinds.mjs').Goal} Goal @typedef {import('./kinds.mjs').Row} Row */

/**
 * By repetition, all samples of a cell in one.
 *
 * @param {readonly Row[]} rows @param {string} cell @param {string} measure @param {(samples: readonly number[]) => number} fold
 * @returns {number[]}
 */
function folded(rows, cell, measure, fold) {
  /** @type {Map<number, number[]>} */
  const all = new Map();
  for (const peer of new Set(rows.filter((row) => row.cell === cell).map((row) => row.peer))) {
    for (const [repetition, value] of byRepetition(rows, `${cell}/${peer}`, measure))
      all.set(repetition, [...(all.get(repetition) ?? []), value]);
  }
  return [...all.values()].map(fold);
}

/** @param {readonly number[]} samples */
const geometricMean = (samples) => Math.exp(samples.reduce((sum, value) => sum + Math.log(value), 0) / samples.length);

/** What deciding costs, by repetition: of either filter what a host takes with it, less what it takes for one sink without. @param {readonly Row[]} rows */
function beyondPlain(rows) {
  const [plainUs, routeUs, moduleUs] = ["plain-1", "route-1", "module-1"].map((way) =>
    byRepetition(rows, `module/${way}`, "us"),
  );
  return [...(moduleUs ?? [])].map(([repetition, us]) => {
    const base = plainUs?.get(repetition) ?? Number.NaN;
    return (us - base) / ((routeUs?.get(repetition) ?? Number.NaN) - base);
  });
}

/** @type {readonly Goal[]} */
export const filterGoals = Object.freeze([
  {
    id: "meter-worst",
    title: "filter modules: the slowest code that we could make, per unit of fuel",
    floor: 8,
    aim: 6,
    unit: "ns",
    samples: (rows) => folded(rows, "meter-worst", "nsPerFuel", (samples) => Math.max(...samples)),
  },
  {
    id: "meter-kernels",
    title: "filter modules: code with its fuel counted ÷ without, geometric mean of kernels",
    floor: 1.2,
    aim: 1.1,
    unit: "ratio",
    samples: (rows) => folded(rows, "meter-kernel", "ratio", geometricMean),
  },
  {
    id: "meter-samples",
    title: "filter modules: the sample filters with their fuel counted ÷ without, geometric mean",
    floor: 1.2,
    aim: 1.1,
    unit: "ratio",
    samples: (rows) => folded(rows, "meter-sample", "ratio", geometricMean),
  },
  {
    id: "meter-filter",
    title: "filter modules: a filter's batch of 64 with its fuel counted ÷ without",
    floor: 1.2,
    aim: 1.1,
    unit: "ratio",
    samples: plain("meter-kernel/filter-64", "ratio", 1),
  },
  {
    id: "meter-instrument",
    title: "filter modules: instrumenting, per MB of upload",
    floor: 100,
    aim: 40,
    unit: "ms",
    samples: plain("meter-instrument/large", "msPerMb", 1),
  },
  {
    id: "module-decision",
    title: "filter modules: one of 8 by a module ÷ by a route, batches of 64, beyond one sink without a filter",
    floor: 4,
    aim: 2.5,
    unit: "ratio",
    samples: beyondPlain,
  },
  ratio(
    "module-all",
    "filter modules: fan-out 8 with a module ÷ without, batched",
    "module/module-8",
    "module/plain-8",
    1.6,
    1.3,
    "us",
  ),
  ratio(
    "module-neighbours",
    "filter modules: a pair's events a second without a module beside it ÷ with one that never ends",
    "module-neighbour/plain",
    "module-neighbour/loops",
    1.1,
    1.03,
    "perSecond",
  ),
  {
    id: "module-budget",
    title: "filter modules: what of a core one gets that uses all its fuel in each call",
    floor: 22,
    aim: 20.5,
    unit: "%",
    samples: plain("module-budget/burns", "percent", 1),
  },
  {
    id: "admission-7k",
    title: "filter modules: the event loop stands still while one of 7 KB is uploaded, at most",
    floor: 5,
    aim: 3,
    unit: "ms",
    samples: plain("admission/admission-7k", "ms", 1),
  },
  {
    id: "admission-1m",
    title: "filter modules: the same, 1 MB",
    floor: 20,
    aim: 10,
    unit: "ms",
    samples: plain("admission/admission-1m", "ms", 1),
  },
]);
