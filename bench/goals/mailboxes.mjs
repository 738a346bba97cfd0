// Goals of mailboxes: what order costs by how much waits, what it is worth when a sink cannot keep up, and that nobody else pays for it.
import { median } from "../driver/statistics.mjs";
import { byRepetition, plain, ratio } from "./kinds.mjs";

/** @typedef {import('./kinds.mjs').Goal} Goal @typedef {import('./kinds.mjs').Row} Row */

const DEPTHS = Object.freeze([100, 1_000, 10_000, 100_000]);
const ORDERED = Object.freeze(["priority", "deadline", "priority_deadline"]);
const BROKERS = Object.freeze(["nats", "redis", "mosquitto"]);

/** The median cost of an ordering at each depth. @param {readonly Row[]} rows @param {string} ordering */
const costs = (rows, ordering) =>
  DEPTHS.map((depth) => median([...byRepetition(rows, `mailbox-${depth}/${ordering}`, "ns").values()])).filter(
    Number.isFinite,
  );

/** By how much the dearest depth is dearer than the cheapest. @param {string} ordering @returns {(rows: readonly Row[]) => number[]} */
const spread = (ordering) => (rows) => {
  const all = costs(rows, ordering);
  return all.length === DEPTHS.length ? [Math.max(...all) / Math.min(...all)] : [];
};

/** What a thousand times as much costs more. @param {string} ordering @returns {(rows: readonly Row[]) => number[]} */
const growth = (ordering) => (rows) => {
  const all = costs(rows, ordering);
  return all.length === DEPTHS.length ? [(all.at(-1) ?? Number.NaN) / (all[0] ?? Number.NaN)] : [];
};

/** Goals of each depth: the dearest of the orderings beside the plain heap. @type {readonly Goal[]} */
const besidePlain = DEPTHS.map((depth) => ({
  id: `mailbox-plain-${depth}`,
  title: `mailbox with ${depth} waiting: dearest ordering ÷ a heap in plain TypeScript that does the same`,
  floor: 0.556,
  aim: 0.4,
  unit: "ratio",
  samples: (rows) => {
    const control = byRepetition(rows, `mailbox-${depth}/plain-heap`, "ns");
    const ours = ORDERED.map((ordering) => byRepetition(rows, `mailbox-${depth}/${ordering}`, "ns"));
    return [...control].map(
      ([repetition, ns]) => Math.max(...ours.map((one) => one.get(repetition) ?? Number.NaN)) / ns,
    );
  },
}));

/** @type {readonly Goal[]} */
const urgent = BROKERS.map((broker) =>
  ratio(
    `urgent-${broker}`,
    `a sink at half the pace: p99 of urgent events ÷ ${broker}`,
    "overload-urgent/sluice",
    `overload-urgent/${broker}`,
    0.02,
    0.005,
    "urgentP99Ms",
  ),
);

/** @type {readonly Goal[]} */
export const mailboxGoals = Object.freeze([
  ...urgent,
  {
    id: "urgent-lost",
    title: "a sink at half the pace: events lost, doubled or dropped",
    floor: 0,
    aim: 0,
    unit: "count",
    samples: plain("overload-urgent/sluice", "lost", 1),
  },
  ratio(
    "ordered-nats",
    "priority+deadline and a filter of two predicates, fan-out 8: cost ÷ plain fifo of nats",
    "overload-ordered/sluice",
    "overload-ordered/nats",
    0.8,
    0.35,
  ),
  ratio(
    "slow-rate",
    "seven live sinks: time beside a slow eighth ÷ without",
    "overload-seven/sluice",
    "overload-slow/sluice",
    1.1,
    1,
    "eventsPerSecond",
  ),
  ratio(
    "slow-p99",
    "seven live sinks: p99 beside a slow eighth ÷ without",
    "overload-slow/sluice",
    "overload-seven/sluice",
    1.5,
    1.1,
    "p99Us",
  ),
  {
    id: "mailbox-flat",
    title: "priority (a bucket queue), 100 to 100,000 waiting: dearest ÷ cheapest depth",
    floor: 2,
    aim: 1.3,
    unit: "ratio",
    samples: spread("priority"),
  },
  {
    // A heap of n entries is log n high: 2.5 times as high with 100,000 as with 100, and the way in and out stays what it is.
    id: "mailbox-log",
    title: "priority+deadline, 100,000 waiting ÷ 100: at most as the logarithm",
    floor: 2.5,
    aim: 2,
    unit: "ratio",
    samples: growth("priority_deadline"),
  },
  {
    id: "mailbox-log-deadline",
    title: "deadline, 100,000 waiting ÷ 100: at most as the logarithm",
    floor: 2.5,
    aim: 2,
    unit: "ratio",
    samples: growth("deadline"),
  },
  ...besidePlain,
  ratio(
    "mailbox-window",
    "window, 1,000 streams: leaving ÷ leaving a bucket queue",
    "mailbox-streams/window-1000-streams",
    "mailbox-streams/priority",
    10,
    4,
    "outNs",
  ),
  {
    // Less than a hundred kilobytes for a million: what compiled code and tables move by.
    id: "mailbox-heap",
    title: "JavaScript heap that an event through an ordered inbox leaves behind",
    floor: 0.1,
    aim: 0.05,
    unit: "B",
    samples: plain("mailbox-heap/sluice", "bytesPerEvent", 1),
  },
]);
