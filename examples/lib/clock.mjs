/**
 * Time as an argument: the machine's for live runs, virtual time for simulations.
 *
 * @typedef {object} Clock
 * @property {() => number} now Milliseconds, with fractions.
 * @property {(run: () => void, delayMs: number) => () => void} setTimer Gives what calls it off.
 */

/** The machine's clock: the wall clock at start and the monotonic one since. @type {Clock} */
export const machineClock = Object.freeze({
  now: () => performance.timeOrigin + performance.now(),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
});
