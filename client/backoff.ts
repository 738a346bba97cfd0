/** How long to wait before the next attempt. */

/** Bounds of waiting, ms, and of attempts. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
  /** Attempts in a row that may fail before the client gives up. */
  readonly attempts: number;
}

/** Half a second at most at first, so that a restart is hardly noticed; half a minute at most, so that a crowd is no flood. */
export const defaultBackoff: Backoff = Object.freeze({ minMs: 100, maxMs: 30_000, attempts: Number.POSITIVE_INFINITY });

/**
 * A random time up to a bound that doubles with each attempt: clients that were cut off together do not come back together.
 *
 * Source: "full jitter", M. Brooker, Exponential Backoff and Jitter, with a floor so that nobody comes back at once.
 *
 * @param attempt From 0.
 * @param random From 0 to 1.
 */
export function delayOf(attempt: number, { minMs, maxMs }: Backoff, random: number): number {
  const most = Math.min(maxMs, minMs * 2 ** Math.min(attempt + 1, 30));
  return Math.round(minMs + random * Math.max(0, most - minMs));
}

/** Whether a session that was closed so may come back (docs/errors.md). */
export function mayComeBack(code: number): boolean {
  if (code >= 3000 && code <= 3999) return code < 3500;
  // Going away, no code, broken, an error of the server, restarting, try later.
  return [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014].includes(code);
}
