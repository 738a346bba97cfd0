// How the suites inside one process take time: batches over a while, of which a low one counts.
import { quantile } from "../driver/statistics.mjs";

/**
 * Of the batches of one round the lower quartile counts: what else the machine does only ever adds, and a batch is short enough to be
 * left alone now and then. The median is taken over rounds.
 */
const SHARE = 0.25;

/**
 * Runs batches for a while.
 *
 * @param {() => void} run One batch.
 * @param {number} steps What the batch has so many of: events, say.
 * @param {number} durationMs At least one batch is run.
 * @returns {number} ns per step.
 */
export function nanosecondsPer(run, steps, durationMs) {
  const samples = [];
  const end = performance.now() + durationMs;
  let before = performance.now();
  do {
    run();
    const after = performance.now();
    samples.push(((after - before) * 1e6) / steps);
    before = after;
  } while (before < end);
  return quantile(samples, SHARE);
}
