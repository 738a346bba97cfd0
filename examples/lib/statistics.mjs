/** What is said of many numbers. */

/** @param {readonly number[]} values @returns {number} NaN of none. */
export function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The nearest rank: a value that did occur.
 *
 * @param {readonly number[]} values
 * @param {number} share 0.99: the value that 99 % do not exceed.
 * @returns {number} NaN of none.
 */
export function quantileOf(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
