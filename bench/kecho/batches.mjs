// Calls between JavaScript and WebAssembly per batch: their number must not grow with the events in the batch.
import { openEmbedded } from "./embedded-service.mjs";
import { CHANNEL } from "./timing.mjs";

const SIZES = [1, 64, 512];
const SINKS = 8;
const BATCHES = 100;

/**
 * Publishes batches of several sizes to eight handlers in this process and counts the calls into the core, flush included.
 *
 * @returns {Promise<{ size: number, wasmCalls: number, delivered: number }[]>} `wasmCalls` per batch.
 * @throws {Error} Where an event did not reach all handlers.
 */
export async function countBatches() {
  const { service, eventOf } = await openEmbedded();
  let taken = 0;
  for (let i = 0; i < SINKS; i++) {
    service.subscribe(CHANNEL, { onEvents: (/** @type {readonly unknown[]} */ events) => (taken += events.length) });
  }
  const event = eventOf(Buffer.alloc(100, "x"));
  const crossings = service.countCrossings();
  const lines = SIZES.map((size) => {
    const batch = Array.from({ length: size }, () => event);
    taken = 0;
    crossings.reset();
    for (let i = 0; i < BATCHES; i++) {
      service.publish(CHANNEL, batch);
      service.flush();
    }
    const wanted = size * BATCHES * SINKS;
    if (taken !== wanted) throw new Error(`Handlers got ${taken} events of ${wanted}`);
    return { size, wasmCalls: crossings.read().total / BATCHES, delivered: taken };
  });
  service.close();
  return lines;
}
