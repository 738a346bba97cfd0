/** The runs as plots, from nothing but their numbers. */
import { lineChart } from "../lib/chart.mjs";
import { lagMs } from "./contract.mjs";

/** @typedef {Awaited<ReturnType<typeof import("./simulate.mjs").simulate>>} Run */

/** Points of a plot stand for so many tenths of a second. */
const TENTHS = 5;

/** @param {readonly Run[]} runs @returns {Record<string, string>} SVG by file name. */
export function plotsOf(runs) {
  const x = { label: "seconds" };
  const named = runs.map(({ governed, samples }) => ({ name: governed ? "with contract" : "without", samples }));
  const [first] = named;
  return {
    "lag.svg": lineChart({
      title: "Age of the oldest frame that the viewer took",
      x,
      y: { label: "ms", isLog: true, from: 1 },
      series: named.map(({ name, samples }) => ({ name, points: grouped(samples, ({ lagMs: lag }) => lag, Math.max) })),
      marks: [
        { at: lagMs.enter, label: "only key frames above this" },
        { at: lagMs.exit, label: "all again below this, and at a calm rate" },
      ],
    }),
    "frames.svg": lineChart({
      title: "Frames said, and frames taken",
      x,
      y: { label: "frames per second" },
      series: [
        { name: "said", isDashed: true, points: perSecond(first?.samples ?? [], ({ said }) => said) },
        ...named.map(({ name, samples }) => ({ name, points: perSecond(samples, ({ taken }) => taken) })),
      ],
    }),
  };
}

/** @param {readonly import("./simulate.mjs").Sample[]} samples @param {(sample: import("./simulate.mjs").Sample) => number} read */
function perSecond(samples, read) {
  return grouped(samples, read, (...values) => (values.reduce((sum, one) => sum + one, 0) * 10) / values.length);
}

/**
 * @param {readonly import("./simulate.mjs").Sample[]} samples @param {(sample: import("./simulate.mjs").Sample) => number} read
 * @param {(...values: number[]) => number} fold @returns {[number, number][]}
 */
function grouped(samples, read, fold) {
  /** @type {[number, number][]} */
  const points = [];
  for (let at = 0; at + TENTHS <= samples.length; at += TENTHS) {
    const some = samples.slice(at, at + TENTHS);
    points.push([some.at(-1)?.atS ?? 0, Math.max(1, fold(...some.map(read)))]);
  }
  return points;
}
