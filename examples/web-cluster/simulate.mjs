/**
 * The cluster in virtual time, with a real host in the middle.
 *
 * Servers, clients and network are simulated; every request, forward, response, cancel and load is a frame that an embedded
 * host takes, decides by its routes, and delivers. Nothing here knows how a server is chosen.
 */
import { definitionFromJson } from "sluice";
import { createRandom } from "../lib/random.mjs";
import { openSimulatedHost } from "../lib/simulated-host.mjs";
import { quantileOf } from "../lib/statistics.mjs";
import { definitions } from "./channels.mjs";
import { Client } from "./client.mjs";
import { nothingDone, Server } from "./server.mjs";

/**
 * @typedef {object} Scenario
 * @property {number} servers
 * @property {object | null} filters Of the data channel: what `filters` of a channel's definition may be.
 * @property {import("./server.mjs").ServerSettings} settings Of every server.
 * @property {{ perSecond: number, server?: number }[]} arrivals Streams of requests; `server` counts from 1, absent: the routes
 *   choose.
 * @property {(random: import("../lib/random.mjs").Random) => number} work Milliseconds that a request takes.
 * @property {number} timeoutMs
 * @property {number} [copies] Sent with every request, for routes that read it.
 * @property {number} seconds Of virtual time, the warm-up included.
 * @property {number} [warmupSeconds] Requests of this time are not counted.
 * @property {number} [latencyMs] One way between a client or server and the host; 0.25.
 * @property {boolean} [isStaggered] Whether servers say their loads at different moments; otherwise all at the same.
 * @property {number} seed
 *
 * @typedef {object} Run
 * @property {import("./client.mjs").Outcome[]} outcomes Without those of the warm-up.
 * @property {number} sent Requests, in all.
 * @property {typeof nothingDone} counts Of all servers together.
 * @property {number} askedMs Work that all requests together asked for.
 * @property {Record<string, { count: number, us: number }>} tasks How many frames there were for a task, and what one cost the host
 *   that took it or the client, in wall-clock µs: the median, for what else goes on in the machine is not meant.
 * @property {Record<string, number>} statistics Of the host.
 * @property {number} wallMs How long the run took.
 */

/** Joins are through, and nobody has asked yet. */
const SETTLED_MS = 100;

/**
 * Runs a scenario to its end.
 *
 * @param {Scenario} scenario
 * @returns {Promise<Run>} The same for the same scenario and seed, wall-clock times excepted.
 */
export async function simulate(scenario) {
  const { servers: count, settings, latencyMs = 0.25, seed, seconds, warmupSeconds = 0, timeoutMs, copies } = scenario;
  const began = performance.now();
  const meter = createMeter();
  const { time, service, open, close } = await openSimulatedHost({
    seed,
    measure: meter.measure,
    taskOf: meter.taskOf,
  });
  for (const [name, definition] of Object.entries(definitions(scenario.filters)))
    service.channels.put(name, definitionFromJson(definition));

  // No two at the same distance: messages that arrive in the same microsecond are rare in a network, too.
  const openNear = (/** @type {number} */ index) => open(latencyMs * (1 + index / 20));
  const periodMs = Number.isFinite(settings.updatesPerSecond) ? 1000 / settings.updatesPerSecond : 0;
  const servers = Array.from({ length: count }, (_, index) => {
    const firstUpdateMs = SETTLED_MS + (scenario.isStaggered ? (periodMs * index) / count : 0);
    return new Server(`web-${index + 1}`, openNear(index), time, { ...settings, firstUpdateMs });
  });
  const client = new Client(openNear(0), time, { timeoutMs, ...(copies === undefined ? {} : { copies }) });
  time.runUntil(SETTLED_MS);

  const until = SETTLED_MS + seconds * 1000;
  scenario.arrivals.forEach(({ perSecond, server }, index) => {
    const gaps = createRandom(seed, `arrivals ${index}`);
    const works = createRandom(seed, `work ${index}`);
    const arrive = () => {
      if (time.now() >= until) return;
      client.request(scenario.work(works), server === undefined ? undefined : `web-${server}`);
      time.setTimer(arrive, gaps.exponential(1000 / perSecond));
    };
    if (perSecond > 0) time.setTimer(arrive, gaps.exponential(1000 / perSecond));
  });
  // What was asked at the end is answered or given up, too: else the slow ones would be missing.
  time.runUntil(until + timeoutMs + 1000);

  const statistics = service.statistics();
  close();
  const from = SETTLED_MS + warmupSeconds * 1000;
  return {
    outcomes: client.outcomes.filter(({ sentAt }) => sentAt >= from),
    sent: client.sent,
    counts: sumOf(servers.map((server) => server.counts)),
    askedMs: client.askedMs,
    tasks: meter.read(),
    statistics,
    wallMs: performance.now() - began,
  };
}

/** @param {(typeof nothingDone)[]} all @returns {typeof nothingDone} */
function sumOf(all) {
  const sum = { ...nothingDone };
  for (const counts of all) {
    for (const name of /** @type {(keyof typeof nothingDone)[]} */ (Object.keys(sum))) {
      /** @type {Record<string, number>} */ (sum)[name] = sum[name] + counts[name];
    }
  }
  return sum;
}

/** Measures what frames cost, by what they are for. */
function createMeter() {
  /** @type {Map<string, number[]>} */
  const tasks = new Map();
  return {
    /** @returns {Run["tasks"]} */
    read: () =>
      Object.fromEntries([...tasks].map(([task, us]) => [task, { count: us.length, us: quantileOf(us, 0.5) }])),
    /** @param {string} task @param {() => void} run */
    measure(task, run) {
      const from = performance.now();
      run();
      const us = (performance.now() - from) * 1000;
      const sofar = tasks.get(task);
      if (sofar === undefined) tasks.set(task, [us]);
      else sofar.push(us);
    },
    /** `publish forward`, `deliver load`, `update`: the kind of a frame, and the type of its first event. @param {string} text */
    taskOf(text) {
      const [, kind = ""] = /"(publish|deliver|update|cancel|join|joined|dropped)"/.exec(text) ?? [];
      const [, type] = /"type":"(\w+)"/.exec(text) ?? [];
      return type === undefined ? kind : `${kind} ${type}`;
    },
  };
}
