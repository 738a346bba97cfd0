// `npm run soak [-- --minutes N]`: full load on every way in for ten minutes; the host's memory must stay flat.
//
// One closed loop publishes as fast as five sinks take it (two over TCP, two WebSockets, one in JSON). Beside it, what happens to
// a host in its life: sessions come and go, events are posted over HTTP, a stream of server-sent events is opened and
// dropped, one sink stops reading for seconds at a time, channels are made and removed.
import { mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Flow } from "./driver/flow.mjs";
import { cpuSeconds, HOST, memoryOf } from "./driver/process.mjs";
import { sluiceOverTcp } from "./peers/sluice.mjs";
import { sluiceOverJson } from "./peers/sluice-json.mjs";
import { startSluice } from "./peers/sluice-process.mjs";
import { sluiceOverWebSocket } from "./peers/sluice-ws.mjs";
import { describeMachine } from "./report/machine.mjs";

const CHANNEL = "subj01";
const PAYLOAD_BYTES = 100;
/** Part of the time that is not judged: V8's heap grows to what the load needs, and its first full collection takes some back. */
const WARM = 0.3;
/** Samples of which the median counts as one: V8's heap is a saw whose teeth are no growth. */
const WINDOW = 15;
/**
 * How far a third of the time may be from the whole, either way, and how far a window above it. Windows may be below: every few
 * minutes V8 collects its whole heap and gives a tenth of the memory back.
 */
const TOLERANCE = 0.05;
const RESULTS = path.join(import.meta.dirname, "results");

const { values: options } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(options.minutes);
if (!(minutes > 0)) {
  console.error(`Cannot soak for "${options.minutes}" minutes`);
  process.exit(2);
}

const child = await startSluice();
const [tcp, ws, json] = [sluiceOverTcp(child), sluiceOverWebSocket(child), sluiceOverJson(child)];
const want = { payloadBytes: PAYLOAD_BYTES };
const sinks = [];
for (const peer of [tcp, tcp, ws, ws, json]) sinks.push(await peer.openSink([CHANNEL], want));
const source = await tcp.openSource([CHANNEL]);
/** @type {import('./driver/flow.mjs').Load} */
const load = { payloadBytes: PAYLOAD_BYTES, fanOut: sinks.length, writes: "batched" };
const flow = new Flow(sinks, [source], load, [CHANNEL]);

const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
let requests = 0;

/**
 * One request; its answer is read and thrown away.
 *
 * @param {string} method @param {string} target @param {object} [body] @returns {Promise<number>} The status.
 */
function ask(method, target, body) {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: HOST, port: child.port, agent, method, path: target, headers }, (response) => {
      requests++;
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(text);
  });
}

/** Opens a stream of server-sent events and drops it after a while. @param {number} ms */
function dropStream(ms) {
  const headers = { accept: "text/event-stream" };
  const request = http.get({ host: HOST, port: child.port, path: `/v1/channels/${CHANNEL}/events`, headers });
  request.on("response", (response) => response.resume());
  request.on("error", () => {});
  setTimeout(() => request.destroy(), ms);
}

/** One second of a host's life. @param {number} second */
async function live(second) {
  for (let index = 0; index < 10; index++) {
    const peer = [tcp, ws, json][index % 3] ?? tcp;
    const { wire } = await peer.openSink([`short${index % 5}`], want);
    wire.close();
  }
  const event = { type: "t", key: `k${second}`, attributes: { second }, data: "x".repeat(PAYLOAD_BYTES) };
  for (let index = 0; index < 50; index++) await ask("POST", `/v1/channels/posted${index % 5}/events`, event);
  await ask("PUT", `/v1/channels/made${second}`, {});
  await ask("DELETE", `/v1/channels/made${second - 5}`);
  dropStream(500);
}

const stalled = await tcp.openSink([CHANNEL], want);
const seconds = Math.round(minutes * 60);
/** @type {number[]} */
const samples = [];
let deliveredBefore = 0;
const startedAt = performance.now();
const cpuBefore = cpuSeconds(child.pid).total;
flow.pump();
for (let second = 0; second < seconds; second++) {
  const next = startedAt + (second + 1) * 1000;
  if (second % 10 === 0) stalled.wire.pause();
  if (second % 10 === 5) stalled.wire.resume();
  await live(second);
  await sleep(Math.max(1, next - performance.now()));
  const failure = [...sinks, source].find(({ wire }) => wire.failure)?.wire.failure;
  if (failure) throw failure;
  samples.push(memoryOf(child.pid).bytes);
  if ((second + 1) % 30 !== 0) continue;
  const delivered = flow.delivered();
  const rate = (delivered - deliveredBefore) / 30;
  deliveredBefore = delivered;
  console.error(
    `${second + 1} s: ${mib(samples.at(-1) ?? 0)} MiB, ${Math.round(rate)} events/s to each of ${sinks.length}`,
  );
}
const cpu = (cpuSeconds(child.pid).total - cpuBefore) / ((performance.now() - startedAt) / 1000);
await flow.stop();
const judged = samples.slice(Math.floor(seconds * WARM));
const windows = medians(judged, WINDOW);
const middle = median(judged);
const [least, most] = [Math.min(...windows), Math.max(...windows)];
const thirds = medians(judged, Math.floor(judged.length / 3)).map((third) => Math.abs(third / middle - 1));
const deviation = Math.max(most / middle - 1, ...thirds);
const flat = deviation <= TOLERANCE;
const result = {
  machine: describeMachine(),
  version: child.version,
  minutes,
  events: flow.sent,
  lost: flow.lost(),
  requests,
  cpu,
  residentBytes: { median: middle, least, most, samples },
  deviation,
  verdict: flat && flow.lost() === 0 ? "met" : "missed",
};
for (const { wire } of [source, stalled, ...sinks]) wire.close();
agent.destroy();
await child.end();
mkdirSync(RESULTS, { recursive: true });
writeFileSync(path.join(RESULTS, "soak.json"), `${JSON.stringify(result, null, 1)}\n`);
console.log(
  `${flow.sent} events to each of ${sinks.length} sinks, ${requests} requests, ${flow.lost()} lost, ${cpu.toFixed(2)} CPUs; ` +
    `resident ${mib(middle)} MiB, windows from ${mib(least)} to ${mib(most)}, flat within ${(deviation * 100).toFixed(1)} %: ${result.verdict}`,
);
process.exit(result.verdict === "met" ? 0 : 1);

/** @param {number} bytes */
function mib(bytes) {
  return (bytes / 2 ** 20).toFixed(1);
}

/** Medians of stretches. @param {readonly number[]} values @param {number} length */
function medians(values, length) {
  const stretches = Math.floor(values.length / length);
  return Array.from({ length: stretches }, (_, index) => median(values.slice(index * length, (index + 1) * length)));
}

/** @param {readonly number[]} values */
function median(values) {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;
}
