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

/** Both clocks as the machine's. */
export function createClocks(): Clocks {
  const machine = createMachineClock();
  return Object.freeze({ service: machine, real: machine });
}
