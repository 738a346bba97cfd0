// Goals of expressions and of finding those who want an event.
import { pairedRatios } from "../driver/statistics.mjs";
import { byRepetition, plain, ratio } from "./kinds.mjs";

/** @typedef {import('./kinds.mjs').Goal} Goal @typedef {import('./kinds.mjs').Row} Row */

const MANY = 100_000;

/**
 * The index beside the scan over 100,000 subscriptions.
 *
 * @param {string} mix @param {string} title @param {number} faster How many times faster it must be. @param {number} aim
 * @returns {Goal}
 */
function indexGoal(mix, title, faster, aim) {
  const cell = `match-${mix}-${MANY}`;
  const id = `match-${mix}`;
  return ratio(
    id,
    `100,000 subscriptions, ${title}: index ÷ scan`,
    `${cell}/indexed`,
    `${cell}/scanned`,
    1 / faster,
    1 / aim,
    "us",
  );
}

/** The worst over the mixes of what one subscription among 100,000 costs. @param {string} measure @returns {(rows: readonly Row[]) => number[]} */
const worstOfMixes = (measure) => (rows) => {
  const values = ["mix", "equal", "ranges"].flatMap((mix) => [
    ...byRepetition(rows, `match-${mix}-${MANY}/index`, measure).values(),
  ]);
  return values.length === 0 ? [] : [Math.max(...values)];
};

/** @type {readonly Goal[]} */
export const matchingGoals = Object.freeze([
  ratio(
    "expression-hand",
    "expression from an event's bytes: machine ÷ by hand in AssemblyScript",
    "expression/vm-bytes",
    "expression/hand-bytes",
    4,
    2,
    "ns",
  ),
  ratio(
    "expression-cel-js",
    "further expression on the same event: machine ÷ @marcbachmann/cel-js",
    "expression/vm-alone",
    "expression/cel-js",
    0.1,
    0.05,
    "ns",
  ),
  ratio(
    "expression-bufbuild",
    "further expression on the same event: machine ÷ @bufbuild/cel",
    "expression/vm-alone",
    "expression/bufbuild-cel",
    0.1,
    0.02,
    "ns",
  ),
  ratio(
    "match-1pc",
    "sinks that want 1 % by an equality, fan-out 8: cost ÷ nats delivering all",
    "match-1pc-f8/sluice",
    "match-1pc-f8/nats",
    0.1,
    0.04,
  ),
  ratio(
    "match-1pc-range",
    "sinks that want 1 % by a range, fan-out 8: cost ÷ nats delivering all",
    "match-1pc-range-f8/sluice",
    "match-1pc-range-f8/nats",
    0.1,
    0.04,
  ),
  {
    id: "match-10000-cost",
    title: "10,000 filters, an event selects ten: cost ÷ ten sinks without filters",
    floor: 3,
    aim: 2,
    unit: "ratio",
    samples: (rows) =>
      pairedRatios(
        byRepetition(rows, "match-10000-sinks/sluice", "filteredPerMillion"),
        byRepetition(rows, "match-10000-sinks/sluice", "plainPerMillion"),
      ),
  },
  {
    id: "match-10000-writes",
    title: "10,000 filters, an event selects ten: writes of the host per event",
    floor: 10.5,
    aim: 10,
    unit: "count",
    samples: plain("match-10000-sinks/sluice", "writesPerEvent", 1),
  },
  {
    id: "match-10000-unwanted",
    title: "10,000 filters: deliveries to the other 9,990",
    floor: 0,
    aim: 0,
    unit: "count",
    samples: plain("match-10000-sinks/sluice", "unwanted", 1),
  },
  indexGoal("mix", "70 % with an equality", 25, 40),
  indexGoal("equal", "all with an equality", 120, 360),
  indexGoal("ranges", "ranges only", 15, 19),
  {
    id: "match-mix-us",
    // "About 30 µs" on the machine of the comparison.
    title: "100,000 subscriptions, 70 % with an equality: finding who wants an event",
    floor: 33,
    aim: 20,
    unit: "µs",
    samples: plain(`match-mix-${MANY}/find`, "us", 1),
  },
  {
    id: "match-bytes",
    title: "index per subscription of 100,000, 70 % with an equality",
    floor: 80,
    aim: 54,
    unit: "B",
    samples: plain(`match-mix-${MANY}/index`, "bytesPerSubscription", 1),
  },
  {
    id: "match-differences",
    title: "deliveries by which index and scan differ, all mixes and sizes",
    floor: 0,
    aim: 0,
    unit: "count",
    samples: (rows) => {
      const found = rows.filter(({ cell, peer }) => cell.startsWith("match-") && peer === "index");
      return found.length === 0 ? [] : [found.reduce((sum, row) => sum + Number(row["differences"]), 0)];
    },
  },
  {
    id: "match-add",
    title: "adding one to 100,000 subscriptions, worst mix",
    floor: 20,
    aim: 5,
    unit: "µs",
    samples: worstOfMixes("addUs"),
  },
  {
    id: "match-remove",
    title: "removing one of 100,000 subscriptions, worst mix",
    floor: 20,
    aim: 5,
    unit: "µs",
    samples: worstOfMixes("removeUs"),
  },
]);
