// The few statistics that the bench needs. Medians, because a shared machine has outliers on one side only.

/**
 * The value below which a share `q` of the samples lies, by the nearest rank.
 *
 * @param {readonly number[]} samples Any order; what is not finite is left out.
 * @param {number} q From 0 to 1.
 * @returns {number} NaN where there is no sample.
 */
export function quantile(samples, q) {
  const sorted = samples.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/**
 * The middle sample, or the mean of the two in the middle.
 *
 * @param {readonly number[]} samples Any order; what is not finite is left out.
 * @returns {number} NaN where there is no sample.
 */
export function median(samples) {
  const sorted = samples.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * Ratios of samples that were taken in the same repetition, that is within seconds of each other.
 *
 * Pairing before taking the median removes what disturbed both: the machine's other work.
 *
 * @param {ReadonlyMap<number, number>} numerators Repetition → sample.
 * @param {ReadonlyMap<number, number>} denominators Repetition → sample.
 * @returns {number[]} One ratio per repetition that has both, in the order of the numerators.
 */
export function pairedRatios(numerators, denominators) {
  const ratios = [];
  for (const [repetition, numerator] of numerators) {
    const denominator = denominators.get(repetition);
    if (denominator !== undefined && denominator > 0) ratios.push(numerator / denominator);
  }
  return ratios;
}
