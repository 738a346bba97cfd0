// KECho's Figure 7 at the socket: eight sinks, and events that go to all of them, to one, or to none, by a filter on OUT or IN.
//
// Events come one at a time, as in the paper: each is a write of the source, and costs the host a read and a write per sink that gets it.
import { setTimeout as sleep } from "node:timers/promises";
import { bindRoute } from "../driver/bind.mjs";
import { openMembers } from "../driver/members.mjs";
import { cpuSecondsExact } from "../driver/process.mjs";
import { median } from "../driver/statistics.mjs";
import { sluiceOverTcp } from "../peers/sluice.mjs";
import { startSluice } from "../peers/sluice-process.mjs";

const SINKS = 8;
const CHANNEL = "fig700";
const PAYLOAD_BYTES = 100;
const EVENTS_PER_SECOND = 2_000;
const WARM_EVENTS = 200;
const ARRIVAL_MS = 10_000;

/** Of the paper: of the cost without a filter. IN is its Figure 7a left, OUT its right. */
const ONE = { orderBy: "sink.load", limit: 1 };
const NONE = { where: "priority > 7" };
const MODES = /** @type {const} */ ([
  { way: "all", title: "all, no filter", stage: "out", route: null, sinks: SINKS, paper: 1 },
  { way: "one-out", title: "OUT, the least loaded one", stage: "out", route: ONE, sinks: 1, paper: 0.36 },
  { way: "none-out", title: "OUT, none", stage: "out", route: NONE, sinks: 0, paper: 0.13 },
  { way: "one-in", title: "IN, the least loaded one", stage: "in", route: ONE, sinks: 1, paper: 0.33 },
  { way: "none-in", title: "IN, none", stage: "in", route: NONE, sinks: 0, paper: 0.21 },
]);

/**
 * Runs all modes in turn, forwards and backwards.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { way: string, title: string, us: number, low: number, high: number, ratio: number, paper: number }[] }>}
 *   CPU µs of the host per event; `ratio` to the mode without a filter of the same round.
 * @throws {Error} Where an event goes to more or fewer sinks than it should.
 */
export async function runFigure7({ quick, say }) {
  const child = await startSluice();
  const wires = [];
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  try {
    /** @type {import('../peers/peer.mjs').Sink[]} */
    const sinks = [];
    for (let i = 0; i < SINKS; i++) sinks.push(await openMembers(child.tcpPort, CHANNEL, (i + 1) / SINKS));
    const source = await sluiceOverTcp(child).openSource([CHANNEL]);
    wires.push(source.wire, ...sinks.map(({ wire }) => wire));
    const event = source.encode([{ channel: CHANNEL, payload: Buffer.alloc(PAYLOAD_BYTES, "x"), priority: 5 }], 1);
    const measure = async (/** @type {typeof MODES[number]} */ mode, /** @type {number} */ events) => {
      if (mode.route !== null) await bindRoute(child.port, CHANNEL, mode.stage, mode.route);
      // A filter that was bound just now is still being compiled, here and there.
      await costOf(child.pid, source.wire, sinks, event, { events: WARM_EVENTS, sinks: mode.sinks });
      const us = await costOf(child.pid, source.wire, sinks, event, { events, sinks: mode.sinks });
      if (mode.route !== null) await bindRoute(child.port, CHANNEL, mode.stage, null);
      return us;
    };
    for (const mode of MODES) await measure(mode, EVENTS_PER_SECOND / 2);
    for (let repetition = 0; repetition < (quick ? 1 : 5); repetition++) {
      for (const mode of repetition % 2 === 0 ? MODES : [...MODES].reverse()) {
        const us = await measure(mode, quick ? EVENTS_PER_SECOND / 2 : EVENTS_PER_SECOND);
        rows.push({ cell: "figure7", peer: mode.way, repetition, us });
      }
    }
  } finally {
    for (const wire of wires) wire.close();
    await child.end();
  }
  const samplesOf = (/** @type {string} */ way) =>
    rows.filter(({ peer }) => peer === way).map((row) => Number(row["us"]));
  const lines = MODES.map(({ way, title, paper }) => {
    const samples = samplesOf(way);
    const all = rows.filter(({ peer }) => peer === "all");
    const ratios = rows
      .filter(({ peer }) => peer === way)
      .map((row) => Number(row["us"]) / Number(all.find(({ repetition }) => repetition === row.repetition)?.["us"]));
    return {
      way,
      title,
      us: median(samples),
      low: Math.min(...samples),
      high: Math.max(...samples),
      ratio: median(ratios),
      paper,
    };
  });
  for (const { title, us, ratio, paper } of lines)
    say(`8 sinks, ${title}: ${us.toFixed(1)} µs of CPU per event, ${ratio.toFixed(2)} of all (the paper: ${paper})`);
  return { rows, lines };
}

/**
 * CPU of the host per event, one event at a time, at an even rate where the machine allows it.
 *
 * @param {number} pid @param {import('../driver/wire.mjs').Wire} source @param {readonly import('../peers/peer.mjs').Sink[]} sinks
 * @param {Buffer} event @param {{ events: number, sinks: number }} wanted How many events, and how many sinks each must reach.
 * @returns {Promise<number>} µs.
 */
async function costOf(pid, source, sinks, event, wanted) {
  const count = () => sinks.reduce((sum, sink) => sum + sink.count(), 0);
  const from = count();
  const before = cpuSecondsExact(pid);
  const deadline = performance.now() + ARRIVAL_MS;
  for (let sent = 1; sent <= wanted.events; sent++) {
    const due = performance.now() + 1000 / EVENTS_PER_SECOND;
    source.socket.write(event);
    // An event that overtook the one before would share its reads and writes.
    const isUnderWay = () => count() - from < sent * wanted.sinks && performance.now() < deadline;
    while (performance.now() < due || isUnderWay()) await new Promise((resolve) => setImmediate(resolve));
  }
  const expected = wanted.events * wanted.sinks;
  // What nobody gets leaves no trace here: the host has had as long as an event takes a hundred times over.
  await sleep(50);
  const us = ((cpuSecondsExact(pid) - before) / wanted.events) * 1e6;
  const failure = [source, ...sinks.map(({ wire }) => wire)].find((wire) => wire.failure)?.failure;
  if (failure) throw failure;
  if (count() - from !== expected) throw new Error(`${count() - from} deliveries instead of ${expected}`);
  return us;
}
