/**
 * How late the event loop runs, by a timer that should fire every 20 ms and notes by how much it did not.
 *
 * perf_hooks has such a histogram, but it forgets the interval under way whenever it is read, and not every runtime has it.
 */
import type { Clock } from "../clock.ts";

/** Lateness since the last take(), in milliseconds. Timers of most runtimes count whole ones: below 1 means idle. */
export interface Lag {
  readonly meanMs: number;
  readonly maxMs: number;
}

/** A running probe. */
export interface LagProbe {
  /** Reads and starts over. A delay that is still going on counts with what it has reached. */
  take(): Lag;
  stop(): void;
}

/** Finds blocks from about this length on; 50 wake-ups a second cost less than a thousandth of a core. */
const PROBE_EVERY_MS = 20;

/** Starts a probe on a clock. */
export function startLagProbe(clock: Clock, everyMs: number = PROBE_EVERY_MS): LagProbe {
  let dueAt = clock.now() + everyMs;
  let sumMs = 0;
  let maxMs = 0;
  let count = 0;
  let cancel = clock.setTimer(tick, everyMs);

  function note(lateMs: number): void {
    sumMs += lateMs;
    maxMs = Math.max(maxMs, lateMs);
    count += 1;
  }
  function tick(): void {
    const now = clock.now();
    note(Math.max(0, now - dueAt));
    dueAt = now + everyMs;
    cancel = clock.setTimer(tick, everyMs);
  }
  return {
    take() {
      const overdueMs = clock.now() - dueAt;
      if (overdueMs > 0) note(overdueMs);
      const lag = { meanMs: count === 0 ? 0 : sumMs / count, maxMs };
      sumMs = 0;
      maxMs = 0;
      count = 0;
      return lag;
    },
    stop: () => cancel(),
  };
}
