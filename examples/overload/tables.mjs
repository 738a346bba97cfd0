/** The runs as tables of text, for a terminal and for pages. */
import { n, percent, table } from "../lib/table.mjs";
import { classes } from "./mix.mjs";

/** What of each class came in time, and of how many windows more was missed than may be. @param {readonly import("./plots.mjs").Run[]} runs */
export function tableOfRuns(runs) {
  return table(
    ["in time / windows broken", ...classes.map(({ name }) => name)],
    runs.map(({ ordering, lines }) => [
      ordering,
      ...lines.map(({ met, sent, windows, violated }) =>
        windows === 0 ? percent(met / sent) : `${percent(met / sent)} / ${percent(violated / windows)}`,
      ),
    ]),
  );
}

/** How long what came has waited. @param {readonly import("./plots.mjs").Run[]} runs */
export function tableOfWaits(runs) {
  return table(
    ["waited at most, 99 %, ms", ...classes.map(({ name }) => name)],
    runs.map(({ ordering, lines }) => [ordering, ...lines.map(({ p99Ms }) => n(p99Ms))]),
  );
}
