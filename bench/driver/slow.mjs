// Seven live subscribers, with or without an eighth that gets the same and reads far too slowly: what they get, and how soon.
import { measureLatency } from "./latency.mjs";
import { measureThroughput } from "./throughput.mjs";

const LIVE = 7;
const CHANNEL = "subj01";
/** The slow one reads so much, so often: about 1,400 events a second. */
const READ_BYTES = 4_096;
const READ_MS = 20;
const EVENTS_PER_SECOND = 2_000;

/**
 * Measures throughput, then latency at a modest pace, which is still beyond what the slow one reads.
 *
 * @param {import('../peers/peer.mjs').Peer} peer
 * @param {{ payloadBytes: number, slow: boolean, seconds: number, latencySeconds: number }} options
 * @returns {Promise<object>} Of the seven: what measureThroughput() and measureLatency() say; `lost` is the sum of both.
 */
export async function measureSlow(peer, { payloadBytes, slow, seconds, latencySeconds }) {
  const sleeper = slow ? await peer.openSink([CHANNEL], { payloadBytes, readBytes: READ_BYTES }) : null;
  if (sleeper) sleeper.wire.onProgress = () => sleeper.wire.pause();
  const timer = setInterval(() => sleeper?.wire.resume(), READ_MS);
  try {
    const flow = await measureThroughput(peer, { payloadBytes, fanOut: LIVE, writes: "batched", seconds });
    const { p50Us, p99Us, lost } = await measureLatency(peer, {
      payloadBytes,
      fanOut: LIVE,
      eventsPerSecond: EVENTS_PER_SECOND,
      seconds: latencySeconds,
    });
    return { ...flow, p50Us, p99Us, lost: flow.lost + lost };
  } finally {
    clearInterval(timer);
    sleeper?.wire.close();
  }
}
