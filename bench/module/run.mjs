// What a filter module costs a host at the socket, and what uploading one costs everybody else.
//
//   decision    100 B, frames of 64 events, one source, sinks on sockets: CPU of the host per event. Not as fast as it goes: a filter
//               has a fifth of a core, and beyond that its events pass without it
//   neighbours  events a second of a pair beside a module that does its worst, and what of a core that one gets
//   admission   how long the event loop stands still at most while a module is uploaded
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { bindFilter } from "../driver/bind.mjs";
import { openMembers } from "../driver/members.mjs";
import { cpuSecondsExact, end } from "../driver/process.mjs";
import { median } from "../driver/statistics.mjs";
import { sluiceOverTcp } from "../peers/sluice.mjs";
import { startSluice } from "../peers/sluice-process.mjs";
import { moduleOf, sample } from "./modules.mjs";
import { BESIDE, measureNeighbours } from "./neighbours.mjs";
import { upload } from "./upload.mjs";

const SINKS = 8;
const PAYLOAD_BYTES = 100;
const BATCH_EVENTS = 64;
const WARM_EVENTS = 10_000;
const EVENTS_PER_SECOND = 32_000;
const ARRIVAL_MS = 10_000;
const SETTLE_MS = 60;

const MODULE = { module: "bench.least-loaded" };
const ROUTE = { when: "kind = 'request'", orderBy: "sink.load", limit: 1, charge: 0.05 };
/** `deliveries`: of each event. Both filters send requests to one sink, and what is none to all. */
const WAYS = /** @type {const} */ ([
  { way: "plain-1", title: "one sink, no filter", sinks: 1, filter: null, kind: "request", deliveries: 1 },
  {
    way: "route-1",
    title: "a route to one of 8",
    sinks: SINKS,
    filter: { routes: [ROUTE] },
    kind: "request",
    deliveries: 1,
  },
  { way: "module-1", title: "a module to one of 8", sinks: SINKS, filter: MODULE, kind: "request", deliveries: 1 },
  { way: "plain-8", title: "8 sinks, no filter", sinks: SINKS, filter: null, kind: "news", deliveries: SINKS },
  {
    way: "module-8",
    title: "a module that says all of 8",
    sinks: SINKS,
    filter: MODULE,
    kind: "news",
    deliveries: SINKS,
  },
]);
const UPLOADS = /** @type {const} */ ([
  { way: "admission-7k", title: "a module of 7 KB", bytes: 7_000 },
  { way: "admission-1m", title: "a module of 1 MB", bytes: 1_000_000 },
]);

/**
 * Measures all.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { way: string, title: string, unit: string, value: number, low: number, high: number }[] }>}
 * @throws {Error} Where an event goes to more or fewer sinks than it should.
 */
export async function runModule({ quick, say }) {
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  await measureDecisions(quick, rows);
  await measureNeighbours(quick, rows);
  await measureAdmission(quick ? 2 : 7, rows);
  const lines = [
    ...WAYS.map(({ way, title }) => lineOf(rows, "module", way, title, "us", "µs")),
    ...BESIDE.map(({ way, title }) => lineOf(rows, "module-neighbour", way, title, "perSecond", "events/s")),
    lineOf(rows, "module-budget", "burns", "what of a core a module gets that uses all its fuel", "percent", "%"),
    ...UPLOADS.map(({ way, title }) => lineOf(rows, "admission", way, title, "ms", "ms")),
  ];
  for (const { title, unit, value, low, high } of lines)
    say(`${title}: ${value.toFixed(2)} ${unit} (${low.toFixed(2)}–${high.toFixed(2)})`);
  return { rows, lines };
}

/** @param {readonly import('../goals.mjs').Row[]} rows @param {string} cell @param {string} way @param {string} title @param {string} measure @param {string} unit */
function lineOf(rows, cell, way, title, measure, unit) {
  const all = rows.filter((row) => row.cell === cell && row.peer === way).map((row) => Number(row[measure]));
  return { way, title, unit, value: median(all), low: Math.min(...all), high: Math.max(...all) };
}

/** @param {boolean} quick @param {import('../goals.mjs').Row[]} rows */
async function measureDecisions(quick, rows) {
  const host = await startSluice();
  /** @type {import('../driver/wire.mjs').Wire[]} */
  const wires = [];
  try {
    await upload(host.port, MODULE.module, sample("least-loaded"));
    const subjects = [];
    for (const [index, way] of WAYS.entries()) {
      const channel = `mod${index}00`;
      const sinks = [];
      for (let i = 0; i < way.sinks; i++) sinks.push(await openMembers(host.tcpPort, channel, (i + 1) / SINKS));
      const source = await sluiceOverTcp(host).openSource([channel]);
      if (way.filter !== null) await bindFilter(host.port, channel, "out", way.filter);
      const payload = Buffer.alloc(PAYLOAD_BYTES, "x");
      const events = Array.from({ length: BATCH_EVENTS }, () => ({ channel, payload, attributes: { kind: way.kind } }));
      wires.push(source.wire, ...sinks.map(({ wire }) => wire));
      subjects.push({ ...way, source, sinks, frame: source.encode(events, BATCH_EVENTS) });
    }
    const events = EVENTS_PER_SECOND / (quick ? 4 : 1);
    for (const subject of subjects) await publish(subject, WARM_EVENTS);
    for (let repetition = 0; repetition < (quick ? 2 : 7); repetition++) {
      for (const subject of repetition % 2 === 0 ? subjects : [...subjects].reverse()) {
        await publish(subject, WARM_EVENTS);
        const before = cpuSecondsExact(host.pid);
        const sent = await publish(subject, events);
        const us = ((cpuSecondsExact(host.pid) - before) / sent) * 1e6;
        rows.push({ cell: "module", peer: subject.way, repetition, us });
      }
    }
  } finally {
    for (const wire of wires) wire.close();
    await host.end();
  }
}

/**
 * Publishes until all has arrived. Returns how many events there were.
 *
 * @param {{ way: string, deliveries: number, source: import('../peers/peer.mjs').Source, sinks: readonly import('../peers/peer.mjs').Sink[], frame: Buffer }} subject
 * @param {number} events
 */
async function publish({ way, deliveries, source, sinks, frame }, events) {
  const count = () => sinks.reduce((sum, sink) => sum + sink.count(), 0);
  const from = count();
  const deadline = performance.now() + ARRIVAL_MS;
  let sent = 0;
  const late = () => sent * deliveries - (count() - from);
  for (const start = performance.now(); sent < events && performance.now() < deadline; ) {
    sent += BATCH_EVENTS;
    source.wire.socket.write(frame);
    const due = start + (sent / EVENTS_PER_SECOND) * 1000;
    if (performance.now() < due) await sleep(due - performance.now());
  }
  while (late() > 0 && performance.now() < deadline) await sleep(1);
  // One too many would come now.
  await sleep(SETTLE_MS);
  const failure = [source, ...sinks].find(({ wire }) => wire.failure)?.wire.failure;
  if (failure) throw failure;
  if (late() !== 0) throw new Error(`${way}: ${late()} deliveries are missing of ${sent * deliveries}`);
  return sent;
}

/** @param {number} repetitions @param {import('../goals.mjs').Row[]} rows */
async function measureAdmission(repetitions, rows) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "host.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`The host of the admission bench ended with code ${(await exit)[0]}`);
    return Number(value);
  };
  const longestMs = () => {
    child.stdin.write("\n");
    return next();
  };
  try {
    const port = await next();
    // The first starts the worker and compiles the way there.
    for (const { way, bytes } of UPLOADS) await upload(port, way, moduleOf(bytes, 0));
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const { way, bytes } of UPLOADS) {
        const module = moduleOf(bytes, repetition + 1);
        await sleep(SETTLE_MS);
        await longestMs();
        await upload(port, way, module);
        await sleep(SETTLE_MS);
        rows.push({ cell: "admission", peer: way, repetition, ms: await longestMs() });
      }
    }
  } finally {
    await end(child);
  }
}
