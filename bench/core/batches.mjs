// How the suites inside one process take time: CPU time of groups of batches over a while, of which a low one counts.
import { quantile } from "../driver/statistics.mjs";

/**
 * Of the groups of one round the lower quartile counts: garbage, interrupts and cold caches only ever add. The median is taken over rounds.
 */
const SHARE = 0.25;
/** A group is at least that long: the clock of CPU time has steps of 1 µs, and reading it takes one. */
const GROUP_US = 1_000;

/**
 * CPU time of this process so far. On a busy machine the wall's time would be that of others, too, and the more so the longer a batch is.
 *
 * @returns {number} µs.
 */
export function cpuMicroseconds() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/**
 * Runs batches for a while.
 *
 * @param {() => void} run One batch.
 * @param {number} steps What the batch has so many of: events, say.
 * @param {number} durationMs At least one group of batches is run.
 * @returns {number} CPU ns per step.
 */
export function nanosecondsPer(run, steps, durationMs) {
  const samples = [];
  const end = performance.now() + durationMs;
  let batches = 1;
  do {
    const before = cpuMicroseconds();
    for (let i = 0; i < batches; i++) run();
    const us = cpuMicroseconds() - before;
    if (us < GROUP_US / 2) {
      // Too short to be told: longer groups from now on.
      batches = us < GROUP_US / 20 ? batches * 8 : batches * 2;
      continue;
    }
    samples.push((us * 1000) / (steps * batches));
  } while (samples.length === 0 || performance.now() < end);
  return quantile(samples, SHARE);
}
