/**
 * Time as an argument. Nobody else in host/ asks the system what time it is, so tests can hand in their own clocks.
 */

/** One clock. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, with fractions; never goes back. */
  now(): number;
  /**
   * Calls `run` once after `delayMs` milliseconds of this clock.
   *
   * @returns Cancels it; harmless when it has run.
   */
  setTimer(run: () => void, delayMs: number): () => void;
}

/**
 * The two clocks of a host: `service` rules deadlines, TTLs and conditions and may be driven by a test;
 * `real` rules handshakes, time-outs of peers and drain.
 */
export interface Clocks {
  readonly service: Clock;
  readonly real: Clock;
}

/**
 * The clock of the machine: the wall clock at start plus the monotonic clock since, so a step of the wall clock does
 * not move it.
 */
export function createMachineClock(): Clock {
  const origin = performance.timeOrigin;
  return Object.freeze({
    now: () => origin + performance.now(),
    setTimer(run: () => void, delayMs: number) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  });
}

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Timers that wait. */
  readonly waiting: number;
  /**
   * Lets time pass. Timers that come due run at their moment, in order of it, those of one moment in the order in which they
   * were set; what they set in turn runs, too, if it comes due.
   *
   * @param advanceMs At least 0.
   * @param timersMax How many timers may run: one that sets itself again and again must not hang the process.
   * @returns How many ran. Where they are `timersMax` the clock may have stopped short of `advanceMs`.
   */
  advance(advanceMs: number, timersMax: number): number;
}

/** Makes a manual clock that begins at `startMs`. */
export function createManualClock(startMs = 0): ManualClock {
  let now = startMs;
  let waiting: { readonly at: number; readonly run: () => void }[] = [];
  return Object.freeze({
    now: () => now,
    get waiting() {
      return waiting.length;
    },
    setTimer(run: () => void, delayMs: number) {
      const timer = { at: now + Math.max(0, delayMs), run };
      // Sorted by moment; one that comes later goes behind those of the same moment.
      const behind = waiting.findIndex(({ at }) => at > timer.at);
      waiting.splice(behind === -1 ? waiting.length : behind, 0, timer);
      return () => {
        waiting = waiting.filter((other) => other !== timer);
      };
    },
    advance(advanceMs: number, timersMax: number) {
      const until = now + advanceMs;
      for (let ran = 0; ; ran++) {
        const [next] = waiting;
        if (next === undefined || next.at > until) {
          now = until;
          return ran;
        }
        if (ran === timersMax) return ran;
        waiting.shift();
        now = next.at;
        next.run();
      }
    },
  });
}

/** Both clocks as the machine's. */
export function createClocks(): Clocks {
  const machine = createMachineClock();
  return Object.freeze({ service: machine, real: machine });
}
