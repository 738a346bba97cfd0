/**
 * Random numbers that a seed repeats: a run can be had again, and a figure can be checked.
 *
 * @typedef {{ next(): number, below(limit: number): number, exponential(mean: number): number }} Random
 */

/**
 * A stream of numbers. Give every purpose a stream of its own (arrivals, service times …): then a change of one policy does
 * not shift the numbers of all that comes after, and two runs differ by the policy only.
 *
 * @param {number} seed Any whole number.
 * @param {string} purpose
 * @returns {Random}
 */
export function createRandom(seed, purpose) {
  let state = hash(`${seed}/${purpose}`);
  // mulberry32: 32 bits of state, passes the usual batteries at the few million numbers that a run takes.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    // 1 - next() is never 0, of which there is no logarithm.
    exponential: (mean) => -mean * Math.log(1 - next()),
  };
}

/** FNV-1a. @param {string} text */
function hash(text) {
  let value = 0x811c9dc5;
  for (const sign of text) value = Math.imul(value ^ (sign.codePointAt(0) ?? 0), 0x01000193);
  return value | 0;
}
