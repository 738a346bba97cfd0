/**
 * What the core counts of the way out of inboxes, as histograms: of all inboxes for /metrics, of one for whoever looks at it.
 */
import { HISTOGRAM_BUCKETS, HISTOGRAM_DEPTH, HISTOGRAM_WAIT } from "../../core-wasm/mailbox/abi.ts";
import { type Core, SCRATCH_AT } from "../core/instance.ts";

/** Counts by bucket. */
export interface HistogramCounts {
  /** The last one counts what is above all bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Values of a histogram below which that part of what was counted lies; estimated within a bucket. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What an inbox has seen since its session began. */
export interface InboxHistory {
  /** How long what was delivered had waited, in milliseconds; `count` events. */
  readonly waitMs: Quantiles;
  /** How many events there were when it was drained; `count` times. */
  readonly depth: Quantiles;
}

/** Upper bounds of all buckets but the last, in events or quarters of a millisecond. */
export const histogramBounds: readonly number[] = Object.freeze(
  Array.from({ length: HISTOGRAM_BUCKETS - 1 }, (_, bucket) => 2 ** bucket),
);
/** What the core counts time in. */
export const QUARTERS_PER_MS = 4;

/**
 * Reads a histogram.
 *
 * @param connection Number in the core; 0: of all inboxes.
 * @param histogram HISTOGRAM_….
 * @returns undefined where nothing was counted.
 */
export function readHistogram(core: Core, connection: number, histogram: number): HistogramCounts | undefined {
  if (core.exports.histogramRead(connection, histogram, SCRATCH_AT) === 0) return undefined;
  const view = new DataView(core.views.bytes.buffer, SCRATCH_AT, (HISTOGRAM_BUCKETS + 1) * 8);
  const counts = Array.from({ length: HISTOGRAM_BUCKETS }, (_, bucket) => view.getFloat64(bucket * 8, true));
  return { counts, sum: view.getFloat64(HISTOGRAM_BUCKETS * 8, true) };
}

/** What an inbox has seen; undefined where nothing was delivered from it. */
export function historyOf(core: Core, connection: number): InboxHistory | undefined {
  const waits = readHistogram(core, connection, HISTOGRAM_WAIT);
  const depths = readHistogram(core, connection, HISTOGRAM_DEPTH);
  if (waits === undefined || depths === undefined || depths.counts.every((count) => count === 0)) return undefined;
  return {
    waitMs: quantilesOf(waits.counts, (quarters) => Number((quarters / QUARTERS_PER_MS).toPrecision(3))),
    // Half an event is none.
    depth: quantilesOf(depths.counts, Math.ceil),
  };
}

/** By bucket, how long deliveries of an inbox had waited so far; none: nothing was delivered from it. */
export function waitsOf(core: Core, connection: number): readonly number[] {
  return readHistogram(core, connection, HISTOGRAM_WAIT)?.counts ?? [];
}

/** Below which wait that part of what was counted lies, in milliseconds; as {@link Quantiles}. */
export function waitQuantile(counts: readonly number[], part: number): number {
  return quantile(counts, part * counts.reduce((sum, one) => sum + one, 0)) / QUARTERS_PER_MS;
}

/** @param shown A bound as it is told. */
function quantilesOf(counts: readonly number[], shown: (value: number) => number): Quantiles {
  const count = counts.reduce((sum, one) => sum + one, 0);
  const at = (part: number): number => shown(quantile(counts, part * count));
  return { count, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** As Prometheus estimates it: as if what is in a bucket lay at even distances. */
function quantile(counts: readonly number[], rank: number): number {
  let below = 0;
  for (const [bucket, inBucket] of counts.entries()) {
    const upper = histogramBounds[bucket];
    if (upper === undefined) break;
    const lower = bucket === 0 ? 0 : (histogramBounds[bucket - 1] as number);
    if (inBucket > 0 && below + inBucket >= rank) return lower + ((upper - lower) * (rank - below)) / inBucket;
    below += inBucket;
  }
  return histogramBounds.at(-1) as number;
}
