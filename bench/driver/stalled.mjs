// Seven live subscribers, with or without an eighth that joined for one event in a hundred and never reads.
import { setTimeout as sleep } from "node:timers/promises";
import { Flow } from "./flow.mjs";
import { cpuSeconds, memoryOf, resetPeak } from "./process.mjs";

const LIVE = 7;
/** One event in so many is of the type that the stalled sink takes. */
const SELECTIVE = 100;
const CHANNEL = "subj01";
const RARE = "u";
const CATCH_UP_MS = 10_000;

/**
 * @typedef {object} StalledResult
 * @property {number} events
 * @property {number} eventsPerSecond Of the seven.
 * @property {number} cpuPerMillion
 * @property {number} peakBytes
 * @property {number} lost Of the seven; must be 0.
 * @property {number} unaccounted Events of the stalled sink that were neither delivered when it read again nor told as dropped.
 * @property {number} droppedTold
 * @property {boolean} closed The host closed the stalled sink.
 */

/**
 * Publishes `events` events of 100 B payload (136 B on the wire) to the seven, as fast as they take them.
 *
 * @param {import('../peers/peer.mjs').Peer} peer
 * @param {{ events: number, stalled: boolean, payloadBytes: number }} options
 * @returns {Promise<StalledResult>}
 */
export async function measureStalled(peer, { events, stalled, payloadBytes }) {
  resetPeak(peer.pid);
  const sinks = [];
  for (let i = 0; i < LIVE; i++) sinks.push(await peer.openSink([CHANNEL], { payloadBytes }));
  const sleeper = stalled ? await peer.openSink([CHANNEL], { payloadBytes, types: [RARE] }) : null;
  sleeper?.wire.pause();
  const source = await peer.openSource([CHANNEL]);
  try {
    /** @type {import('./flow.mjs').Load} */
    const load = {
      payloadBytes,
      fanOut: LIVE,
      writes: "batched",
      // A whole share of the rare type in each frame, so that it is known how many there were.
      perFrame: SELECTIVE,
      vary: (index) => ({ type: index % SELECTIVE === 0 ? RARE : "t" }),
    };
    const flow = new Flow(sinks, [source], load, [CHANNEL], events);
    const before = { at: performance.now(), cpu: cpuSeconds(peer.pid).total };
    flow.pump();
    while (flow.delivered() < events && !sinks.some(({ wire }) => wire.failure) && !source.wire.failure) await sleep(1);
    const seconds = (performance.now() - before.at) / 1000;
    const cpu = cpuSeconds(peer.pid).total - before.cpu;
    await flow.stop();
    const peakBytes = memoryOf(peer.pid).peakBytes;
    const share = await wake(sleeper, flow.sent / SELECTIVE);
    return {
      events: flow.sent,
      eventsPerSecond: flow.sent / seconds,
      cpuPerMillion: (cpu / flow.sent) * 1e6,
      peakBytes,
      lost: flow.lost(),
      ...share,
    };
  } finally {
    for (const { wire } of [source, ...sinks, ...(sleeper ? [sleeper] : [])]) wire.close();
    await sleep(100);
  }
}

/**
 * Lets the stalled sink read at last: what it gets and what it is told was dropped must add up.
 *
 * @param {import('../peers/peer.mjs').Sink | null} sleeper
 * @param {number} share Events that its filter took.
 */
async function wake(sleeper, share) {
  if (sleeper === null) return { unaccounted: 0, droppedTold: 0, closed: false };
  sleeper.wire.resume();
  const deadline = performance.now() + CATCH_UP_MS;
  const accounted = () => sleeper.count() + sleeper.dropped();
  while (accounted() < share && performance.now() < deadline && !sleeper.wire.failure) await sleep(5);
  return { unaccounted: share - accounted(), droppedTold: sleeper.dropped(), closed: sleeper.wire.failure !== null };
}
