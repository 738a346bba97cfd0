/**
 * How often and from which seed the property tests run.
 *
 * SLUICE_PROPERTY_RUNS   multiplies every count of runs (nightly: 100)
 * SLUICE_PROPERTY_SEED   replays: the seed that a failure printed
 * SLUICE_PROPERTY_PATH   replays: its path, which jumps to the shrunken case
 * SLUICE_PROPERTY_SHRINK 0: tells the first failure as it is, at once
 */
import type { Parameters } from "fast-check";

const factor = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? "1");

/** A bound that grows with the number of runs. */
export function timeoutMs(ms: number): number {
  return ms * Math.max(1, factor);
}

/**
 * Parameters of one property; fast-check prints seed and path with a failure.
 *
 * @param runs Runs at multiplier 1.
 */
export function propertyParameters<Value>(runs: number): Parameters<Value> {
  const seed = process.env["SLUICE_PROPERTY_SEED"];
  const path = process.env["SLUICE_PROPERTY_PATH"];
  return {
    numRuns: Math.max(1, Math.round(runs * factor)),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
    endOnFailure: process.env["SLUICE_PROPERTY_SHRINK"] === "0",
  };
}
