// How the ways of the table are timed, and what they share.

/** The channel of all operations but creation. */
export const CHANNEL = "kecho";

/** Events of one step of `poll`. */
export const SLICE = 50;

/**
 * CPU time per event over the next 50 events.
 *
 * @param {() => number} taken @param {(resolve: () => void) => void} onArrival
 * @returns {Promise<number>} µs.
 */
export async function cpuPerEvent(taken, onArrival) {
  const from = taken();
  const before = process.cpuUsage();
  await new Promise((resolve) => onArrival(() => taken() - from >= SLICE && resolve(undefined)));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (taken() - from);
}

/** Microseconds that a call takes. @param {() => void} call */
export function timedUs(call) {
  const before = process.hrtime.bigint();
  call();
  return Number(process.hrtime.bigint() - before) / 1000;
}

/** Microseconds until a promise is fulfilled. @param {() => Promise<unknown>} call */
export async function awaitedUs(call) {
  const before = process.hrtime.bigint();
  await call();
  return Number(process.hrtime.bigint() - before) / 1000;
}
