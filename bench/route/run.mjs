// What channel filters of routes cost in the core: deciding, keeping sinks in order, taking updates of their attributes.
//
// In one process, no sockets. What is timed is the core taking a chunk of events, deciding each, and writing what the selected sinks
// get; of updates it is the core taking a frame of each sink and one event after them, so that work put off until an event is in it.
import { nanosecondsPer } from "../core/batches.mjs";
import { rigMaker } from "../core/rig.mjs";
import { median } from "../driver/statistics.mjs";
import { BLOCKED_COUNTS, blockedCosts } from "./blocked.mjs";
import { BATCH_EVENTS, openSubject } from "./subject.mjs";

const FEW = 8;
const MANY = 1_000;
/** @typedef {import('../core/rig.mjs').Rig} Rig @typedef {import('./subject.mjs').Setting} Setting */

const leastLoaded = (/** @type {number} */ limit) => (/** @type {Rig} */ rig) => ({
  orderBy: rig.program("sink.load"),
  limit,
});

/** What events are published to, with the deliveries that each must have. @type {readonly { way: string, title: string, setting: Setting, deliveries: number }[]} */
const PUBLISHED = [
  { way: "none-0", title: "no sink", setting: { sinks: 0 }, deliveries: 0 },
  { way: "plain-1", title: "one sink that wants everything", setting: { sinks: 1 }, deliveries: 1 },
  {
    way: "match-1",
    title: "one sink that wants this type",
    setting: { sinks: 1, wants: { type: "t" } },
    deliveries: 1,
  },
  { way: "out-8", title: "OUT, the least loaded of 8", setting: routed(FEW, "out", 1), deliveries: 1 },
  { way: "in-8", title: "IN, the least loaded of 8", setting: routed(FEW, "in", 1), deliveries: 1 },
  { way: "out-3-of-8", title: "OUT, the 3 least loaded of 8", setting: routed(FEW, "out", 3), deliveries: 3 },
  { way: "out-3-of-1000", title: "OUT, the 3 least loaded of 1,000", setting: routed(MANY, "out", 3), deliveries: 3 },
];

/** @param {number} sinks @param {'out' | 'in'} stage @param {number} limit @returns {Setting} */
function routed(sinks, stage, limit) {
  return { sinks, stage, route: leastLoaded(limit) };
}

/**
 * Measures everything in turn.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { way: string, title: string, ns: number, low: number, high: number }[] }>}
 * @throws {Error} Where an event goes to more or fewer sinks than the route says.
 */
export async function runRoute({ quick, say }) {
  const make = await rigMaker();
  const rounds = quick ? 3 : 9;
  const batchMs = quick ? 30 : 100;
  const published = PUBLISHED.map((one) => ({ ...one, subject: openSubject(make(), one.setting) }));
  const updated = [
    {
      way: "update-1000",
      title: "update of one of 1,000 sinks in order, by frame",
      subject: openSubject(make(), routed(MANY, "out", 1)),
    },
    {
      way: "update-free",
      title: "update of one of 1,000 sinks, no route",
      subject: openSubject(make(), { sinks: MANY }),
    },
  ];
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  const keep = (/** @type {string} */ peer, /** @type {number} */ repetition, /** @type {number} */ ns) =>
    rows.push({ cell: "route", peer, repetition, ns });
  let turn = 0;
  for (let repetition = -1; repetition < rounds; repetition++) {
    // The first round is for the compilers and is not kept.
    const kept = repetition < 0 ? () => {} : keep;
    for (const { way, subject, deliveries } of published) {
      const [before, batches] = [subject.delivered(), countCalls(subject.publish)];
      kept(way, repetition, nanosecondsPer(batches.call, BATCH_EVENTS, batchMs));
      const perEvent = (subject.delivered() - before) / (batches.calls() * BATCH_EVENTS);
      if (perEvent !== deliveries) throw new Error(`${way}: ${perEvent} deliveries per event instead of ${deliveries}`);
    }
    for (const { way, subject } of updated) {
      const alone = nanosecondsPer(subject.publishOne, 1, batchMs / 4);
      const all = nanosecondsPer(
        () => {
          subject.update(turn++);
          subject.publishOne();
        },
        1,
        batchMs,
      );
      kept(way, repetition, (all - alone) / MANY);
    }
    for (const stage of /** @type {const} */ (["out", "in"])) {
      for (const [count, ns] of blockedCosts(make, stage, quick ? 2 : BLOCKED_COUNTS.length))
        kept(`blocked-${stage}-${count}`, repetition, ns);
    }
  }
  const titles = [...published, ...updated, ...blockedTitles()];
  const lines = titles.flatMap(({ way, title }) => {
    const samples = rows.filter(({ peer }) => peer === way).map((row) => Number(row["ns"]));
    return samples.length === 0
      ? []
      : [{ way, title, ns: median(samples), low: Math.min(...samples), high: Math.max(...samples) }];
  });
  for (const { title, ns, low, high } of lines)
    say(`${title}: ${ns.toFixed(1)} ns (${low.toFixed(1)}–${high.toFixed(1)})`);
  return { rows, lines };
}

/** @param {() => void} call */
function countCalls(call) {
  let calls = 0;
  return {
    call() {
      calls++;
      call();
    },
    calls: () => calls,
  };
}

function blockedTitles() {
  return ["out", "in"].flatMap((stage) =>
    BLOCKED_COUNTS.map((count) => ({
      way: `blocked-${stage}-${count}`,
      title: `${stage.toUpperCase()} filter that blocks, after ${count.toLocaleString("en-US")} blocked events`,
    })),
  );
}
