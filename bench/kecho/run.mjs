// KECho's Table 1 and Figure 6 on this machine: every operation in every way, with times and counted crossings.
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { end } from "../driver/process.mjs";
import { startSluice } from "../peers/sluice-process.mjs";
import { measureArrival } from "./arrival.mjs";
import { countBatches } from "./batches.mjs";
import { SLICE } from "./timing.mjs";
import { canTrace, runSubject, systemCalls } from "./trace.mjs";

const WAYS = /** @type {const} */ (["baseline", "client", "embedded"]);
const OPERATIONS = /** @type {const} */ ([
  { id: "N-04", operation: "create", title: "creating a channel", noun: "", sinks: [0] },
  { id: "N-05", operation: "open", title: "opening a channel", noun: "member", sinks: [1, 8, 64] },
  {
    id: "N-01",
    operation: "submit",
    title: "submitting",
    noun: "sink",
    sinks: [1, 2, 3, 4, 5, 6, 7, 8, 64, 1000],
    payloads: [100, 1024],
  },
  { id: "N-07", operation: "poll", title: "receiving an event", noun: "connection", sinks: [8] },
]);
const TRACED_SINKS = new Set([0, 1, 8, 64]);
const QUICK_SINKS = new Set([0, 1, 8, 64]);
/** Fewer repetitions where each writes to so many sockets. */
const COUNTS = { create: 300, open: 200, submit: 2000, poll: 40 };
const MANY_SINKS = 1000;
const FEED_EVERY_MS = 1;

/** N-12 stands alone: it is no operation of a caller. */
const ARRIVAL = Object.freeze({
  id: "N-12",
  title: "from a client's write to the handler in the host",
  way: "embedded",
  operation: "arrival",
  sinks: 1,
  payloadBytes: 100,
  ratio: Number.NaN,
  socketWrites: Number.NaN,
  systemCalls: Number.NaN,
  socketSystemCalls: Number.NaN,
  wasmCalls: Number.NaN,
});

/**
 * @typedef {{ id: string, title: string, way: string, operation: string, sinks: number, payloadBytes: number, p50Us: number, p99Us: number,
 *   ratio: number, socketWrites: number, systemCalls: number, socketSystemCalls: number, wasmCalls: number }} KechoRow
 */

/** The rows to be run: an operation with so many sinks and such a payload. @param {boolean} quick */
function* rowsWanted(quick) {
  for (const entry of OPERATIONS) {
    const payloads = "payloads" in entry ? entry.payloads : [100];
    for (const payloadBytes of payloads) {
      for (const sinks of entry.sinks) {
        if (quick && !QUICK_SINKS.has(sinks)) continue;
        const { id, operation } = entry;
        const size = payloads.length > 1 ? (payloadBytes === 100 ? ", 100 B" : ", 1 KB") : "";
        const many = sinks === 0 ? "" : `, ${sinks} ${sinks === 1 ? entry.noun : `${entry.noun}s`}`;
        yield { id, title: entry.title + many + size, operation, sinks, payloadBytes };
      }
    }
  }
}

/**
 * Runs the table.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: KechoRow[], batches: { size: number, wasmCalls: number }[], notes: string[] }>} `ratio` is the p50 divided by the baseline's of the same row.
 */
export async function runKecho({ quick, say }) {
  const tracing = await canTrace();
  /** @type {KechoRow[]} */
  const rows = [];
  for (const row of rowsWanted(quick)) {
    const many = row.sinks === MANY_SINKS ? 10 : 1;
    const count = Math.ceil(COUNTS[row.operation] / many / (quick ? 4 : 1));
    let baselineUs = Number.NaN;
    for (const way of WAYS) {
      const told = await runOne({ ...row, way, count }, tracing);
      if (way === "baseline") baselineUs = told.p50Us;
      rows.push({ ...row, way, ...told, ratio: told.p50Us / baselineUs });
      const figures = Object.entries(told).map(([name, value]) => `${name} ${value.toFixed(1)}`);
      say(`${row.id} ${row.title}, ${way}: ${figures.join(", ")}`);
    }
  }
  const arrival = await measureArrival(quick ? 500 : 2000);
  say(`N-12 from a write to the handler: p50 ${arrival.p50Us.toFixed(0)} µs, p99 ${arrival.p99Us.toFixed(0)} µs`);
  rows.push({ ...ARRIVAL, ...arrival });
  const batches = await countBatches();
  for (const { size, wasmCalls } of batches) say(`${wasmCalls.toFixed(1)} calls into the core per batch of ${size}`);
  return {
    rows,
    batches,
    notes: tracing ? [] : ["System calls were not counted: strace is missing or not allowed here."],
  };
}

/**
 * Measures one way of one row, and counts its crossings.
 *
 * @param {import('./subject.mjs').Order} order
 * @param {boolean} tracing
 * @returns {Promise<Pick<KechoRow, 'p50Us' | 'p99Us' | 'socketWrites' | 'wasmCalls' | 'systemCalls' | 'socketSystemCalls'>>} Per
 *   operation; of `poll`, per event.
 */
async function runOne(order, tracing) {
  const place = await setUp(order);
  try {
    const told = await runSubject(place.order);
    // A step of `poll` is a slice of events.
    const slice = order.operation === "poll" ? SLICE : 1;
    // Crossings do not depend on the payload, and strace is slow: a few counts suffice.
    const traced = tracing && TRACED_SINKS.has(order.sinks) && order.payloadBytes === 100;
    const count = order.operation === "poll" ? 4 : 100;
    const calls = traced ? await systemCalls({ ...place.order, count }) : { total: Number.NaN, writes: Number.NaN };
    return {
      ...told,
      wasmCalls: told.wasmCalls / slice,
      systemCalls: calls.total / slice,
      socketSystemCalls: calls.writes / slice,
    };
  } finally {
    await place.end();
  }
}

/**
 * Starts what a subject needs around it.
 *
 * @param {import('./subject.mjs').Order} order
 * @returns {Promise<{ order: import('./subject.mjs').Order, end: () => Promise<void> }>}
 */
async function setUp(order) {
  const { way, operation, sinks, payloadBytes } = order;
  if (way === "embedded") return { order, end: async () => {} };
  if (way === "baseline") {
    if (sinks === 0) return { order, end: async () => {} };
    const child = await startSinks({ way, payloadBytes, feedEveryMs: operation === "poll" ? FEED_EVERY_MS : 0 });
    return { order: { ...order, sinkPort: child.port }, end: child.end };
  }
  const service = await startSluice();
  const members = operation === "poll" ? 0 : sinks;
  const child = await startSinks({
    way,
    sinks: members,
    tcpPort: service.tcpPort,
    payloadBytes,
    feedEveryMs: operation === "poll" ? FEED_EVERY_MS : 0,
  });
  return {
    order: { ...order, tcpPort: service.tcpPort, httpPort: service.port },
    async end() {
      await child.end();
      await service.end();
    },
  };
}

/** @param {object} settings @returns {Promise<{ port: number, end: () => Promise<void> }>} */
async function startSinks(settings) {
  const script = path.join(import.meta.dirname, "sinks.mjs");
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")]);
  if (typeof line[0] !== "string")
    throw new Error(`The sinks of ${JSON.stringify(settings)} ended with code ${line[0]}`);
  return { port: JSON.parse(line[0]).port, end: () => end(child) };
}
