// Goals of channel filters: what deciding costs, and what updates of attributes do.
import { byRepetition, plain, ratio } from "./kinds.mjs";

/** @typedef {import('./kinds.mjs').Goal} Goal @typedef {import('./kinds.mjs').Row} Row */

/**
 * By repetition, how much the cost of a filter that blocks changes with the number of events that it has blocked: the most by the
 * least.
 *
 * @param {readonly Row[]} rows @param {'out' | 'in'} stage
 * @returns {number[]}
 */
function spreadOfBlocked(rows, stage) {
  const peers = new Set(rows.map(({ peer }) => peer).filter((peer) => peer.startsWith(`blocked-${stage}-`)));
  /** @type {Map<number, number[]>} */
  const costs = new Map();
  for (const peer of peers) {
    for (const [repetition, ns] of byRepetition(rows, `route/${peer}`, "ns"))
      costs.set(repetition, [...(costs.get(repetition) ?? []), ns]);
  }
  return [...costs.values()].map((samples) => Math.max(...samples) / Math.min(...samples));
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
    title: "OUT filter that blocks: its own cost after most ÷ fewest events",
    floor: 1.25,
    aim: 1.1,
    unit: "ratio",
    samples: (rows) => spreadOfBlocked(rows, "out"),
  },
  {
    id: "route-blocked-in",
    title: "IN filter that blocks: its own cost after most ÷ fewest events",
    floor: 1.25,
    aim: 1.1,
    unit: "ratio",
    samples: (rows) => spreadOfBlocked(rows, "in"),
  },
  figure7("out", "one", 0.4, 0.36),
  figure7("out", "none", 0.25, 0.13),
  figure7("in", "one", 0.4, 0.33),
  figure7("in", "none", 0.25, 0.21),
]);
