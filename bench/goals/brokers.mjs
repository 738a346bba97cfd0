// Goals of the cells with brokers beside each other, and of the table of KECho.
//
// `cost` is broker CPU seconds per million events. Where a goal compares, both sides come from the same repetition.
import { median, pairedRatios } from "../driver/statistics.mjs";
import { byRepetition, plain, ratio } from "./kinds.mjs";

const MIB = 1 << 20;
const KIB = 1024;

/** @typedef {import('./kinds.mjs').Row} Row */

/** All rows where growth over idle is promised. */
const isThroughput = (/** @type {Row} */ { cell, peer }) =>
  peer.startsWith("sluice") && /^(tput|keyed|ttl|conc|ws)-/.test(cell);

/** Peak over idle by repetition, MiB. @param {readonly Row[]} rows @param {string} cell @param {string} peer */
const growthOf = (rows, cell, peer) =>
  rows
    .filter((row) => row.cell === cell && row.peer === peer && row.peakBytes !== undefined)
    .map(({ peakBytes, idleBytes }) => (Number(peakBytes) - Number(idleBytes)) / MIB);

/** The worst over all cells of the median growth within a cell. @param {readonly Row[]} rows */
function worstGrowth(rows) {
  const places = new Set(rows.filter(isThroughput).map(({ cell, peer }) => `${cell}/${peer}`));
  const growths = [...places].map((place) => {
    const [cell = "", peer = ""] = place.split("/");
    return median(growthOf(rows, cell, peer));
  });
  return growths.length === 0 ? [] : [Math.max(...growths)];
}

/** Deliveries that were lost or doubled anywhere, in any cell of any peer of ours. @param {readonly Row[]} rows */
function lostAnywhere(rows) {
  const lost = rows
    .filter(({ peer, lost }) => peer.startsWith("sluice") && typeof lost === "number")
    .map(({ lost }) => Math.abs(Number(lost)));
  return lost.length === 0 ? [] : [lost.reduce((sum, one) => sum + one, 0)];
}

/** The most that a way of KECho's submission costs of something, whatever the number of sinks. @param {string} way @param {string} measure @returns {(rows: readonly Row[]) => number[]} */
const mostOfSubmit = (way, measure) => (rows) => {
  const found = rows.filter(({ cell, peer }) => cell.startsWith("kecho-submit-") && peer === way);
  const values = found.map((row) => Number(row[measure])).filter(Number.isFinite);
  return values.length === 0 ? [] : [Math.max(...values)];
};

/** @type {readonly import('./kinds.mjs').Goal[]} */
export const brokerGoals = Object.freeze([
  ratio("tput-f1-nats", "100 B, fan-out 1, batched: cost ÷ nats", "tput-100-f1/sluice", "tput-100-f1/nats", 0.3, 0.15),
  ratio("tput-f8-nats", "100 B, fan-out 8, batched: cost ÷ nats", "tput-100-f8/sluice", "tput-100-f8/nats", 0.45, 0.25),
  ratio("conc-f8-nats", "100 B, fan-out 8, unbatched: cost ÷ nats", "conc-100-f8/sluice", "conc-100-f8/nats", 0.6, 0.4),
  ratio(
    "conc-f8-redis",
    "100 B, fan-out 8, unbatched: cost ÷ redis",
    "conc-100-f8/sluice",
    "conc-100-f8/redis",
    1.05,
    0.85,
  ),
  ratio("tput-1k-f8-nats", "1 KB, fan-out 8, batched: cost ÷ nats", "tput-1k-f8/sluice", "tput-1k-f8/nats", 0.45, 0.25),
  ratio(
    "tput-f8-relay",
    "100 B, fan-out 8, batched: cost ÷ the C relay",
    "tput-100-f8/sluice",
    "tput-100-f8/relay",
    2.5,
    1.25,
  ),
  ratio(
    "keyed-f1",
    "events with a key: cost ÷ plain, fan-out 1",
    "keyed-100-f1/sluice",
    "tput-100-f1/sluice",
    1.5,
    1.5,
  ),
  ratio("ttl-f1", "events with a TTL: cost ÷ plain, fan-out 1", "ttl-100-f1/sluice", "tput-100-f1/sluice", 1.5, 1.5),
  ratio(
    "keyed-ttl-f1",
    "events with key and TTL: cost ÷ plain, fan-out 1",
    "keyed-ttl-100-f1/sluice",
    "tput-100-f1/sluice",
    1.5,
    1.5,
  ),
  ratio(
    "keyed-f8",
    "events with a key: cost ÷ plain, fan-out 8",
    "keyed-100-f8/sluice",
    "tput-100-f8/sluice",
    1.5,
    1.5,
  ),
  ratio("ttl-f8", "events with a TTL: cost ÷ plain, fan-out 8", "ttl-100-f8/sluice", "tput-100-f8/sluice", 1.5, 1.5),
  ratio(
    "keyed-ttl-f8",
    "events with key and TTL: cost ÷ plain, fan-out 8",
    "keyed-ttl-100-f8/sluice",
    "tput-100-f8/sluice",
    1.5,
    1.5,
  ),
  ratio("channels-nats", "10,000 channels: cost ÷ nats", "channels-10000/sluice", "channels-10000/nats", 0.15, 0.06),
  ratio(
    "channels-own",
    "10,000 channels: cost ÷ own cost with one",
    "channels-10000/sluice",
    "channels-1/sluice",
    1.2,
    1.05,
  ),
  ratio(
    "ws-batched",
    "WebSocket binary, fan-out 8, batched: cost ÷ ws relay",
    "ws-batched-f8/sluice-ws",
    "ws-batched-f8/ws",
    0.05,
    0.015,
  ),
  ratio(
    "ws-single",
    "WebSocket binary, fan-out 8, unbatched: cost ÷ ws relay",
    "ws-single-f8/sluice-ws",
    "ws-single-f8/ws",
    0.25,
    0.11,
  ),
  ratio(
    "json-batched",
    "WebSocket JSON, fan-out 8, batched: cost ÷ ws relay",
    "ws-batched-f8/sluice-json",
    "ws-batched-f8/ws",
    1,
    1,
  ),
  ratio(
    "json-single",
    "WebSocket JSON, fan-out 8, unbatched: cost ÷ ws relay",
    "ws-single-f8/sluice-json",
    "ws-single-f8/ws",
    1,
    1,
  ),
  ratio(
    "json-f1",
    "WebSocket JSON, fan-out 1, unbatched: cost ÷ ws relay",
    "ws-single-f1/sluice-json",
    "ws-single-f1/ws",
    1,
    1,
  ),
  ratio(
    "sse-batched",
    "sinks over SSE, fan-out 8, batched: cost ÷ ws relay",
    "ws-batched-f8/sluice-sse",
    "ws-batched-f8/ws",
    1,
    0.5,
  ),
  ratio(
    "sse-single",
    "sinks over SSE, fan-out 8, unbatched: cost ÷ ws relay",
    "ws-single-f8/sluice-sse",
    "ws-single-f8/ws",
    1,
    0.5,
  ),
  {
    id: "http-rate",
    title: "HTTP publish: time per request ÷ a Hono app that parses and answers",
    floor: 1.25,
    aim: 1,
    unit: "ratio",
    samples: (rows) =>
      pairedRatios(
        byRepetition(rows, "http-publish/hono", "requestsPerSecond"),
        byRepetition(rows, "http-publish/sluice-http", "requestsPerSecond"),
      ),
  },
  ratio(
    "http-cost",
    "HTTP publish: cost per request ÷ a Hono app that parses and answers",
    "http-publish/sluice-http",
    "http-publish/hono",
    1.25,
    1,
  ),
  ratio("latency-nats", "latency p50, fan-out 1: ÷ nats", "lat-100-f1/sluice", "lat-100-f1/nats", 0.95, 0.75, "p50Us"),
  ratio(
    "stalled-rate",
    "seven live sinks: time with a stalled eighth ÷ without",
    "stalled-without/sluice",
    "stalled-with/sluice",
    1.1,
    1,
    "eventsPerSecond",
  ),
  {
    id: "stalled-memory",
    // Its inbox may have 16 MiB, and what it leaves behind makes the store go once through its own 16 MiB.
    title: "stalled sink: peak memory beyond the run without it",
    floor: 32,
    aim: 24,
    unit: "MiB",
    samples: (rows) =>
      [...byRepetition(rows, "stalled-with/sluice", "peakBytes")].map(
        ([repetition, bytes]) =>
          (bytes - (byRepetition(rows, "stalled-without/sluice", "peakBytes").get(repetition) ?? Number.NaN)) / MIB,
      ),
  },
  {
    id: "stalled-told",
    title: "stalled sink: events neither delivered nor told as dropped",
    floor: 0,
    aim: 0,
    unit: "count",
    samples: plain("stalled-with/sluice", "unaccounted", 1),
  },
  {
    id: "growth",
    title: "memory growth over idle, worst throughput cell",
    floor: 35,
    aim: 15,
    unit: "MiB",
    samples: worstGrowth,
  },
  {
    id: "growth-channels",
    title: "memory growth over idle with 10,000 channels and 20,000 memberships",
    floor: 35,
    aim: 25,
    unit: "MiB",
    samples: (rows) => growthOf(rows, "channels-10000", "sluice"),
  },
  {
    id: "session",
    title: "memory per idle WebSocket session",
    floor: 20,
    aim: 10,
    unit: "KiB",
    samples: plain("idle-sessions/sluice", "bytesPerSession", KIB),
  },
  {
    id: "channel",
    title: "memory per channel",
    floor: 1,
    aim: 1,
    unit: "KiB",
    samples: plain("idle-channels/sluice", "bytesPerChannel", KIB),
  },
  {
    id: "submit-writes",
    title: "client: most writes (system calls) per submission, 1 to 64 sinks",
    floor: 1.05,
    aim: 1.05,
    unit: "count",
    samples: mostOfSubmit("client", "socketSystemCalls"),
  },
  {
    id: "embedded-writes",
    title: "embedded: most writes (system calls) per submission, 1 to 64 sinks",
    floor: 0.05,
    aim: 0.05,
    unit: "count",
    samples: mostOfSubmit("embedded", "socketSystemCalls"),
  },
  ratio(
    "embedded-calls",
    "embedded: JS↔WASM calls per batch of 64 events ÷ of 1",
    "kecho-batch-64/embedded",
    "kecho-batch-1/embedded",
    1,
    1,
    "wasmCalls",
  ),
  {
    id: "lost",
    title: "deliveries lost or doubled, all cells",
    floor: 0,
    aim: 0,
    unit: "count",
    samples: lostAnywhere,
  },
]);
