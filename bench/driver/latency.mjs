// The open loop: a modest, paced rate, each event its own write, stamped; how old is it when it arrives?
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "./process.mjs";
import { numberedPayload, StampReader } from "./stamp.mjs";
import { quantile } from "./statistics.mjs";

/**
 * Events at twice the pace before the clock runs: connections get warm, and code is compiled. Their ages are not kept. A
 * broker that is compiled while it runs needs some thousands of events one by one; the cells before this one come in batches.
 */
const WARM_EVENTS = 10_000;
/** Events that one late timer may catch up with at once. */
const BURST_MAX = 20;
const DRAIN_MS = 2_000;

/**
 * @typedef {object} Pace
 * @property {number} payloadBytes
 * @property {number} fanOut
 * @property {number} eventsPerSecond
 * @property {number} seconds
 */

/**
 * Measures the time from before the publisher's write until a subscriber's read.
 *
 * @param {import('../peers/peer.mjs').Peer} peer
 * @param {Pace} pace
 * @returns {Promise<{ p50Us: number, p99Us: number, samples: number, lost: number, cpuPerMillion: number }>}
 * @throws {Error} When a connection fails.
 */
export async function measureLatency(peer, { payloadBytes, fanOut, eventsPerSecond, seconds }) {
  const channel = "subj01";
  /** When each event was written, by its number. @type {number[]} */
  const sentAt = [];
  /** @type {import('../peers/peer.mjs').Sink[]} */
  const sinks = [];
  const readers = [];
  for (let i = 0; i < fanOut; i++) {
    const sink = await peer.openSink([channel], { payloadBytes });
    const reader = new StampReader(sentAt, sink.consumer);
    sink.wire.stream(reader);
    sinks.push(sink);
    readers.push(reader);
  }
  const source = await peer.openSource([channel]);
  try {
    const total = WARM_EVENTS + eventsPerSecond * seconds;
    const frames = Array.from({ length: total }, (_, number) =>
      source.encode([{ channel, payload: numberedPayload(payloadBytes, number) }], 1),
    );
    const write = (/** @type {number} */ number) => source.wire.socket.write(/** @type {Buffer} */ (frames[number]));
    const arrived = async (/** @type {number} */ count) => {
      const deadline = performance.now() + DRAIN_MS;
      while (sinks.some((sink) => sink.count() < count) && performance.now() < deadline) await sleep(5);
      const failure = [source, ...sinks].find(({ wire }) => wire.failure)?.wire.failure;
      if (failure) throw failure;
    };
    await paced(eventsPerSecond * 2, 0, WARM_EVENTS, write);
    await arrived(WARM_EVENTS);
    const cpuBefore = cpuSeconds(peer.pid).total;
    await paced(eventsPerSecond, WARM_EVENTS, total, (number) => {
      sentAt[number] = performance.now();
      write(number);
    });
    await arrived(total);
    const cpu = cpuSeconds(peer.pid).total - cpuBefore;
    const ages = readers.flatMap(({ agesUs }) => agesUs.filter(Number.isFinite));
    return {
      p50Us: quantile(ages, 0.5),
      p99Us: quantile(ages, 0.99),
      samples: ages.length,
      lost: sinks.reduce((sum, sink) => sum + total - sink.count(), 0),
      cpuPerMillion: (cpu / (total - WARM_EVENTS)) * 1e6,
    };
  } finally {
    for (const { wire } of [source, ...sinks]) wire.close();
    await sleep(30);
  }
}

/**
 * Calls `publish` with each number from `from` to before `to`, at an even rate, with a timer of 1 ms.
 *
 * @param {number} eventsPerSecond
 * @param {number} from
 * @param {number} to
 * @param {(number: number) => void} publish
 */
async function paced(eventsPerSecond, from, to, publish) {
  const start = performance.now();
  for (let next = from; next < to; ) {
    const due = Math.min(to, from + Math.floor(((performance.now() - start) * eventsPerSecond) / 1000));
    for (let burst = 0; next < due && burst < BURST_MAX; burst++) publish(next++);
    await sleep(1);
  }
}
