/**
 * This machine's real load as events: what `npm start` shows a newcomer, and what filters that balance by load feed on.
 *
 * Runtime-free: readings and time are passed in. host/monitor/machine.ts reads a real machine.
 */
import type { Clock } from "../clock.ts";
import { type Lag, startLagProbe } from "./lag.ts";

/** The channel that the load is published on. */
export const LOAD_CHANNEL = "host.load";
/** The type of its events. */
export const LOAD_TYPE = "host.load";
/** Often enough to steer by, rarely enough to cost nothing. */
export const LOAD_PERIOD_MS = 1_000;

/** What a machine can be asked at any moment. Counters only grow; the monitor takes their differences. */
export interface MachineReadings {
  /** Sums over all cores since start, in any unit common to both. */
  cpuTimes(): { readonly busy: number; readonly total: number };
  readonly cores: number;
  memory(): { readonly usedBytes: number; readonly totalBytes: number };
  /** Memory of this process that is in RAM. */
  residentBytes(): number;
  /** Averages over 1, 5 and 15 minutes of tasks that run or wait; zeros where the system has none. */
  loadAverage(): readonly [number, number, number];
}

/** The data of one event. Units are in the names; fractions are 0 to 1. */
export interface LoadData {
  readonly cpuFraction: number;
  readonly cores: number;
  readonly memoryFraction: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly residentBytes: number;
  readonly loopLagMeanMs: number;
  readonly loopLagMaxMs: number;
  readonly loadAverage1Min: number;
  readonly loadAverage5Min: number;
  readonly loadAverage15Min: number;
  /** Time that `cpuFraction` and the lags cover. */
  readonly periodMs: number;
}

/** One sample: data, and the attributes that routes and subscriptions may compare. */
export interface LoadSample {
  readonly attributes: {
    readonly cpu: number;
    readonly memory: number;
    readonly loop_lag_ms: number;
    readonly load_1min: number;
  };
  readonly data: LoadData;
}

/**
 * Samples every second until closed.
 *
 * Samples are a period apart from start, not from each other, so they do not drift; a blocked loop skips what it missed
 * and the next sample covers the whole gap.
 *
 * @param onSample Must not throw.
 * @returns Stops it.
 */
export function startLoadMonitor(
  readings: MachineReadings,
  clock: Clock,
  onSample: (sample: LoadSample) => void,
  periodMs: number = LOAD_PERIOD_MS,
): () => void {
  let before = readings.cpuTimes();
  let takenAt = clock.now();
  let dueAt = takenAt + periodMs;
  const lag = startLagProbe(clock);
  let cancel = clock.setTimer(tick, periodMs);

  function tick(): void {
    const now = clock.now();
    const after = readings.cpuTimes();
    const sample = sampleFrom(readings, before, after, lag.take(), now - takenAt);
    before = after;
    takenAt = now;
    dueAt += periodMs * Math.max(1, Math.ceil((now - dueAt) / periodMs));
    cancel = clock.setTimer(tick, dueAt - now);
    onSample(sample);
  }
  return () => {
    cancel();
    lag.stop();
  };
}

function sampleFrom(
  readings: MachineReadings,
  before: { readonly busy: number; readonly total: number },
  after: { readonly busy: number; readonly total: number },
  lag: Lag,
  periodMs: number,
): LoadSample {
  const total = after.total - before.total;
  // Counters of the system have ticks of 10 ms: two readings within one tick differ by nothing, or by rounding below 0.
  const cpuFraction = total <= 0 ? 0 : clamp((after.busy - before.busy) / total);
  const { usedBytes, totalBytes } = readings.memory();
  const memoryFraction = totalBytes <= 0 ? 0 : clamp(usedBytes / totalBytes);
  const [one, five, fifteen] = readings.loadAverage();
  return {
    attributes: {
      cpu: rounded(cpuFraction, 4),
      memory: rounded(memoryFraction, 4),
      loop_lag_ms: rounded(lag.maxMs, 2),
      load_1min: rounded(one, 2),
    },
    data: {
      cpuFraction: rounded(cpuFraction, 4),
      cores: readings.cores,
      memoryFraction: rounded(memoryFraction, 4),
      memoryUsedBytes: usedBytes,
      memoryTotalBytes: totalBytes,
      residentBytes: readings.residentBytes(),
      loopLagMeanMs: rounded(lag.meanMs, 2),
      loopLagMaxMs: rounded(lag.maxMs, 2),
      loadAverage1Min: rounded(one, 2),
      loadAverage5Min: rounded(five, 2),
      loadAverage15Min: rounded(fifteen, 2),
      periodMs: rounded(periodMs, 1),
    },
  };
}

function clamp(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
