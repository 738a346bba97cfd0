// The closed loop itself: publishers that stay at most a window ahead of the slowest subscriber.
import { setTimeout as sleep } from "node:timers/promises";

/** Bytes of one write of a batching client. */
const WRITE_BYTES = 65_536;
/** How far a batching publisher may be ahead of the slowest subscriber: well within every broker's buffers. */
const AHEAD_BYTES = 2 << 20;
/** Distinct writes that are cycled through, so that keys and channels vary. */
const BATCHES_MAX = 64;
const DRAIN_MS = 10_000;

/**
 * @typedef {object} Load
 * @property {number} payloadBytes
 * @property {number} fanOut Subscribers, each on a connection of its own.
 * @property {number} [publishers]
 * @property {'batched' | 'single'} writes Many events per write, or exactly one.
 * @property {number} [perFrame] Events per frame where the protocol has frames of several; 64 unless said.
 * @property {number} [inFlight] Events ahead of the slowest subscriber; for `batched` 2 MiB of them unless said.
 * @property {readonly string[]} [channels] Published on in turn.
 * @property {(index: number) => Partial<import('./sluice-frames.mjs').BenchEvent>} [vary] Key, TTL and so on of the n-th event.
 * @property {import('./sluice-frames.mjs').Wants} [wants] What sinks want, where the peer filters.
 * @property {number} [every] Only one event in so many is what they want, evenly in each frame.
 * @property {number} [seconds]
 * @property {number} [warmSeconds]
 */

/** Keeps publishers at most a window ahead of the slowest subscriber. */
export class Flow {
  /** Events written so far. */
  sent = 0;
  wireInBytes = 0;
  #sinks;
  #sources;
  #batches;
  #window;
  #perBatch;
  #batch = 0;
  #source = 0;
  #stopped = false;
  #full = false;
  #limit;
  #every;

  /**
   * @param {readonly import('../peers/peer.mjs').Sink[]} sinks
   * @param {readonly import('../peers/peer.mjs').Source[]} sources
   * @param {Load} load
   * @param {readonly string[]} channels
   * @param {number} [limit] Events to send at all.
   * @param {number} [every] Only one event in so many reaches the sinks.
   */
  constructor(sinks, sources, load, channels, limit = Number.POSITIVE_INFINITY, every = 1) {
    this.#sinks = sinks;
    this.#sources = sources;
    this.#limit = limit;
    this.#every = every;
    const { perFrame = load.writes === "single" ? 1 : 64 } = load;
    const payload = Buffer.alloc(load.payloadBytes, "x");
    const event = (/** @type {number} */ index) => ({
      channel: /** @type {string} */ (channels[index % channels.length]),
      payload,
      ...load.vary?.(index),
    });
    const oneBytes = /** @type {import('../peers/peer.mjs').Source} */ (sources[0]).encode([event(0)], 1).length;
    this.#perBatch =
      load.writes === "single" ? 1 : Math.max(1, Math.floor(WRITE_BYTES / oneBytes / perFrame)) * perFrame;
    this.#batches = sources.map((source) =>
      encodeBatches(source, event, this.#perBatch, perFrame, channels.length, load.vary !== undefined),
    );
    this.wireInBytes = (this.#batches[0]?.[0]?.length ?? 0) / this.#perBatch;
    this.#window = load.inFlight ?? Math.max(this.#perBatch * 2, Math.floor(AHEAD_BYTES / oneBytes));
    for (const sink of sinks) sink.wire.onProgress = () => this.pump();
  }

  /** Events that have reached all subscribers, those that none of them wants included. */
  delivered() {
    let least = Number.POSITIVE_INFINITY;
    for (const sink of this.#sinks) least = Math.min(least, sink.count());
    return least * this.#every;
  }

  /** Writes as long as the window allows. */
  pump() {
    if (this.#stopped || this.#full) return;
    const delivered = this.delivered();
    while (this.sent - delivered + this.#perBatch <= this.#window && this.sent < this.#limit) {
      const source = /** @type {import('../peers/peer.mjs').Source} */ (this.#sources[this.#source]);
      const batches = /** @type {Buffer[]} */ (this.#batches[this.#source]);
      this.#source = (this.#source + 1) % this.#sources.length;
      if (this.#source === 0) this.#batch++;
      this.sent += this.#perBatch;
      if (!source.wire.socket.write(/** @type {Buffer} */ (batches[this.#batch % batches.length]))) {
        this.#full = true;
        source.wire.socket.once("drain", () => {
          this.#full = false;
          this.pump();
        });
        return;
      }
    }
  }

  /** Stops publishing and waits until everything sent has arrived. @throws {Error} Of the first connection that failed. */
  async stop() {
    this.#stopped = true;
    const deadline = performance.now() + DRAIN_MS;
    while (this.delivered() < this.sent && performance.now() < deadline && !this.#failure()) await sleep(2);
    const failure = this.#failure();
    if (failure) throw failure;
    for (const sink of this.#sinks)
      if (sink.dropped() > 0) throw new Error(`The broker dropped ${sink.dropped()} deliveries`);
  }

  /** Deliveries missing, or too many: negative. */
  lost() {
    return this.#sinks.reduce((sum, sink) => sum + this.sent / this.#every - sink.count(), 0);
  }

  #failure() {
    return [...this.#sinks, ...this.#sources].find(({ wire }) => wire.failure)?.wire.failure;
  }
}

/**
 * Encodes the writes of one publisher beforehand: one where all events are alike, else enough for all channels and keys.
 *
 * @param {import('../peers/peer.mjs').Source} source @param {(index: number) => import('./sluice-frames.mjs').BenchEvent} event
 * @param {number} perBatch @param {number} perFrame @param {number} channelCount @param {boolean} varied
 */
function encodeBatches(source, event, perBatch, perFrame, channelCount, varied) {
  const count = varied ? BATCHES_MAX : Math.ceil(channelCount / perBatch);
  const batches = [];
  for (let i = 0; i < count; i++) {
    const events = Array.from({ length: perBatch }, (_, index) => event(i * perBatch + index));
    batches.push(source.encode(events, perFrame));
  }
  return batches;
}
