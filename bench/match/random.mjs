// Random numbers that are the same in every run.

/**
 * A generator (mulberry32): small, fast, and good enough to draw filters and events with.
 *
 * @param {number} seed
 * @returns {() => number} From 0 to 1, 1 not included.
 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
