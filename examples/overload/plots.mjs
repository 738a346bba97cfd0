/** The runs as a plot, from nothing but their numbers. */
import { stackedBars } from "../lib/bars.mjs";
import { n, percent } from "../lib/table.mjs";
import { classes, loadOf, pace } from "./mix.mjs";

/** @typedef {{ ordering: string, lines: readonly import("./account.mjs").Line[] }} Run */

/** @param {readonly Run[]} runs @returns {Record<string, string>} SVG by file name. */
export function plotsOf(runs) {
  return {
    "orderings.svg": stackedBars({
      title: `The same streams, ${percent(loadOf(pace))} of what the receiver can take`,
      legend: ["in time", "late", "dropped as late", "still waiting"],
      groups: runs.map(({ ordering, lines }) => ({
        name: ordering,
        bars: lines.map((line) => ({
          name: line.name,
          parts: [line.met, line.late, line.dropped, line.waiting].map((part) => part / line.sent),
          note: noteOf(line),
        })),
      })),
    }),
  };
}

/** @param {import("./account.mjs").Line} line */
function noteOf({ name, met, sent, windows, violated }) {
  const counted = `${n(met)} met, ${n(sent - met)} not`;
  const promised = classes.some((one) => one.name === name && one.window !== null);
  return promised ? `${counted}; ${n(violated)} of ${n(windows)} windows broken` : counted;
}
