// The closed loop: publish as fast as the slowest subscriber takes, and see what CPU the broker spends on it.
import { setTimeout as sleep } from "node:timers/promises";
import { Flow } from "./flow.mjs";
import { cpuSeconds, memoryOf, resetPeak } from "./process.mjs";

/**
 * @typedef {object} Measured
 * @property {number} events Published and delivered to all within the measured time.
 * @property {number} eventsPerSecond
 * @property {number} cpuPerMillion Broker CPU seconds per million published events.
 * @property {number} cpuUserPerMillion
 * @property {number} cpuSystemPerMillion
 * @property {number} peakBytes Most resident memory of the broker while the cell ran.
 * @property {number} lost Deliveries that never came; must be 0.
 * @property {number} driverShare CPU share of the driver: near 1 the driver was the limit.
 * @property {number} wireInBytes Per event.
 */

/**
 * Runs one cell against one peer.
 *
 * @param {import('../peers/peer.mjs').Peer} peer
 * @param {import('./flow.mjs').Load} load
 * @returns {Promise<Measured>}
 * @throws {Error} When a connection fails, or the broker says that it dropped something.
 */
export async function measureThroughput(peer, load) {
  const { payloadBytes, fanOut, publishers = 1, channels = ["subj01"], seconds = 1, warmSeconds = 0.3 } = load;
  resetPeak(peer.pid);
  const sinks = [];
  for (let i = 0; i < fanOut; i++) sinks.push(await peer.openSink(channels, { payloadBytes, ...load.wants }));
  const sources = [];
  for (let i = 0; i < publishers; i++) sources.push(await peer.openSource(channels));
  try {
    const flow = new Flow(sinks, sources, load, channels, undefined, peer.filters ? load.every : 1);
    flow.pump();
    await sleep(warmSeconds * 1000);
    const before = {
      at: performance.now(),
      cpu: cpuSeconds(peer.pid),
      events: flow.delivered(),
      driver: process.cpuUsage(),
    };
    await sleep(seconds * 1000);
    const after = {
      at: performance.now(),
      cpu: cpuSeconds(peer.pid),
      events: flow.delivered(),
      driver: process.cpuUsage(before.driver),
    };
    await flow.stop();
    const events = after.events - before.events;
    const wallSeconds = (after.at - before.at) / 1000;
    const perMillion = (/** @type {'user' | 'system' | 'total'} */ part) =>
      ((after.cpu[part] - before.cpu[part]) / events) * 1e6;
    return {
      events,
      eventsPerSecond: events / wallSeconds,
      cpuPerMillion: perMillion("total"),
      cpuUserPerMillion: perMillion("user"),
      cpuSystemPerMillion: perMillion("system"),
      peakBytes: memoryOf(peer.pid).peakBytes,
      lost: flow.lost(),
      driverShare: (after.driver.user + after.driver.system) / 1e6 / wallSeconds,
      wireInBytes: flow.wireInBytes,
    };
  } finally {
    for (const { wire } of [...sinks, ...sources]) wire.close();
    // The broker notices the ends in its own time; the next cell should not pay for it.
    await sleep(30);
  }
}
