// Goals of channel filters: what deciding costs, and what updates of attributes do.
import { median } from "../driver/statistics.mjs";
import { byRepetition, plain, ratio } from "./kinds.mjs";

/** @typedef {import('./kinds.mjs').Goal} Goal @typedef {import('./kinds.mjs').Row} Row */

/**
 * How much the cost of a filter that blocks grows with the number of events that it has blocked: the median after a larger number, the
 * dearest of them, by the median after the smallest one.
 *
 * Medians first and then their ratio, because the cost is a small difference of two larger ones: the most by the least within a
 * repetition would be beyond 1 by noise alone, and the further the more numbers are looked at. A fall is no growth. The samples leave
 * out one repetition each: as far as they lie apart the result hangs on a single one.
 *
 * @param {readonly Row[]} rows @param {'out' | 'in'} stage
 * @returns {number[]}
 */
function growthOfBlocked(rows, stage) {
  const prefix = `blocked-${stage}-`;
  const counts = [
    ...new Set(rows.filter(({ peer }) => peer.startsWith(prefix)).map(({ peer }) => Number(peer.slice(prefix.length)))),
  ];
  const costs = counts.sort((a, b) => a - b).map((count) => byRepetition(rows, `route/${prefix}${count}`, "ns"));
  const repetitions = [...(costs[0]?.keys() ?? [])];
  return repetitions.map((left) => {
    const kept = repetitions.length === 1 ? repetitions : repetitions.filter((repetition) => repetition !== left);
    const [fewest = Number.NaN, ...more] = costs.map((cost) =>
      median(kept.map((repetition) => cost.get(repetition) ?? Number.NaN)),
    );
    return Math.max(...more) / fewest;
  });
}

/** The aim is the paper's own ratio. @param {'out' | 'in'} place @param {'one' | 'none'} way @param {number} floor @param {number} aim */
const figure7 = (place, way, floor, aim) =>
  ratio(
    `figure7-${place}-${way}`,
    `8 sinks, ${place.toUpperCase()} selects ${way}: cost ÷ all`,
    `figure7/${place}-${way}`,
    `figure7/${place}-all`,
    floor,
    aim,
    "us",
  );

/** @type {readonly Goal[]} */
export const routeGoals = Object.freeze([
  ratio(
    "route-8",
    "OUT, the least loaded of 8 ÷ one sink that wants this type",
    "route/out-8",
    "route/match-1",
    3,
    2,
    "ns",
  ),
  ratio(
    "route-1000",
    "OUT, the best 3 of 1,000 ÷ the best 3 of 8",
    "route/out-3-of-1000",
    "route/out-3-of-8",
    2,
    1.2,
    "ns",
  ),
  {
    id: "route-update",
    title: "update of one of 1,000 sinks in order, in the core",
    floor: 400,
    aim: 300,
    unit: "ns",
    samples: plain("route/update-1000", "ns", 1),
  },
  {
    id: "route-updates",
    title: "1,000 sinks updating at 100 Hz, in the core",
    floor: 10,
    aim: 4,
    unit: "%",
    // 100,000 updates a second; a percent of one core is 10 ms of it.
    samples: plain("route/update-1000", "ns", 100),
  },
  {
    id: "route-updates-socket",
    title: "1,000 sinks of 20 sessions updating at 100 Hz, at the socket",
    floor: 10,
    aim: 5,
    unit: "%",
    samples: plain("route-updates-20/sluice", "cpuPercent", 1),
  },
  {
    id: "route-blocked-out",
    title: "OUT filter that blocks: its own cost after more ÷ fewest events",
    floor: 1.25,
    aim: 1.1,
    unit: "ratio",
    samples: (rows) => growthOfBlocked(rows, "out"),
  },
  {
    id: "route-blocked-in",
    title: "IN filter that blocks: its own cost after more ÷ fewest events",
    floor: 1.25,
    aim: 1.1,
    unit: "ratio",
    samples: (rows) => growthOfBlocked(rows, "in"),
  },
  figure7("out", "one", 0.4, 0.36),
  figure7("out", "none", 0.25, 0.13),
  figure7("in", "one", 0.4, 0.33),
  figure7("in", "none", 0.25, 0.21),
]);
