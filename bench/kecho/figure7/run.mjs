// KECho's Figure 7 at sockets: eight sinks, and events that go to all of them, to one, or to none, by a filter on OUT or IN.
//
// Three places are looked at. The paper's two: on OUT the source's machine, where the filter keeps an event from being written to
// sinks elsewhere (source.mjs); on IN the machine with the sinks, where it keeps them from handling it. And the host alone with
// a source and sinks at sockets, on either stage: what every event costs there before any filter, waking up and reading, weighs
// most. Events come one at a time, as in the paper.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { bindRoute } from "../../driver/bind.mjs";
import { cpuSecondsExact } from "../../driver/process.mjs";
import { median } from "../../driver/statistics.mjs";
import { sluiceOverTcp } from "../../peers/sluice.mjs";
import { startSluice } from "../../peers/sluice-process.mjs";
import { startSinks } from "./child.mjs";
import { CHANNEL, EVENTS_PER_SECOND, MODES, PAYLOAD_BYTES, rotation, rounds, WARM_EVENTS } from "./modes.mjs";

/** What is printed, with the paper's ratios to all; null where the paper has none. */
const PLACES = /** @type {const} */ ([
  { place: "out", title: "OUT at the source", paper: { all: 1, one: 0.36, none: 0.13 } },
  { place: "in", title: "IN at the sinks", paper: { all: 1, one: 0.33, none: 0.21 } },
  { place: "host-out", title: "OUT, the host alone", paper: null },
  { place: "host-in", title: "IN, the host alone", paper: null },
]);

/** @typedef {{ place: string, round: number, way: string, us: number }} Sample CPU µs per event. */

/**
 * Runs all places and modes.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../../goals.mjs').Row[], lines: { way: string, title: string, us: number, low: number, high: number, ratio: number, paper: number | null }[] }>}
 *   CPU µs per event; `ratio` to all of the same place and round.
 * @throws {Error} Where an event goes to more or fewer sinks than it should.
 */
export async function runFigure7({ quick, say }) {
  const count = quick ? 1 : 5;
  const events = quick ? 50 : 200;
  // One process writes and wakes up others: its rounds differ more than those of a host that reads, too.
  const samples = [...(await measureSource(quick ? 1 : 15, events)), ...(await measureHost(count, events))];
  const lines = PLACES.flatMap(({ place, title, paper }) =>
    MODES.map(({ way }) => {
      const own = samples.filter((sample) => sample.place === place && sample.way === way);
      const all = samples.filter((sample) => sample.place === place && sample.way === "all");
      const costs = own.map(({ us }) => us);
      const ratios = own.map(({ round, us }) => us / (all.find((sample) => sample.round === round)?.us ?? Number.NaN));
      return {
        way: `${place}-${way}`,
        title: `${title}: ${way}`,
        us: median(costs),
        low: Math.min(...costs),
        high: Math.max(...costs),
        ratio: median(ratios),
        paper: paper?.[way] ?? null,
      };
    }),
  );
  for (const { title, us, ratio, paper } of lines) {
    const beside = paper === null ? "" : ` (the paper: ${paper})`;
    say(`8 sinks, ${title}: ${us.toFixed(1)} µs of CPU per event, ${ratio.toFixed(2)} of all${beside}`);
  }
  const rows = samples.map(({ place, way, round, us }) => {
    return { cell: "figure7", peer: `${place}-${way}`, repetition: round, us };
  });
  return { rows, lines };
}

/** @param {number} count Of rounds. @param {number} events Of a slice. @returns {Promise<Sample[]>} */
async function measureSource(count, events) {
  const script = path.join(import.meta.dirname, "source.mjs");
  const child = spawn(process.execPath, [script, String(count), String(events)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")]);
  if (typeof line[0] !== "string") throw new Error(`The source of Figure 7 ended with code ${line[0]}`);
  const told = /** @type {Omit<Sample, 'place'>[]} */ (JSON.parse(line[0]));
  return told.map((sample) => ({ place: "out", ...sample }));
}

/** The host in a process, its sinks in others. @param {number} count Of rounds. @param {number} events Of a slice. @returns {Promise<Sample[]>} */
async function measureHost(count, events) {
  const host = await startSluice();
  const sinks = await startSinks(host.tcpPort);
  const source = await sluiceOverTcp(host).openSource([CHANNEL]);
  const event = source.encode([{ channel: CHANNEL, payload: Buffer.alloc(PAYLOAD_BYTES, "x"), priority: 5 }], 1);
  let handled = 0;
  /** @param {number} count @param {number} each Sinks that one event must reach. */
  const submit = async (count, each) => {
    for (let i = 0; i < count; i++) {
      const due = performance.now() + 1000 / EVENTS_PER_SECOND;
      source.wire.socket.write(event);
      while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
    }
    handled += count * each;
    const found = await sinks.handled(handled);
    if (source.wire.failure) throw source.wire.failure;
    if (found !== handled) throw new Error(`${found} deliveries instead of ${handled}`);
  };
  /** @type {Sample[]} */
  const samples = [];
  try {
    for (const stage of /** @type {const} */ (["out", "in"])) {
      const [alone, together] = [rounds(events), rounds(events)];
      for (const { round, mode } of rotation(count)) {
        if (mode.route !== null) await bindRoute(host.port, CHANNEL, stage, mode.route);
        await submit(WARM_EVENTS, mode.sinks);
        const before = { host: cpuSecondsExact(host.pid), sinks: sinks.cpuSeconds() };
        await submit(events, mode.sinks);
        const us = (cpuSecondsExact(host.pid) - before.host) * 1e6;
        const sinksUs = (sinks.cpuSeconds() - before.sinks) * 1e6;
        if (mode.route !== null) await bindRoute(host.port, CHANNEL, stage, null);
        alone.add(round, mode.way, us);
        together.add(round, mode.way, us + sinksUs);
      }
      samples.push(...alone.told().map((sample) => ({ place: `host-${stage}`, ...sample })));
      if (stage === "in") samples.push(...together.told().map((sample) => ({ place: "in", ...sample })));
    }
  } finally {
    source.wire.close();
    await sinks.end();
    await host.end();
  }
  return samples;
}
