/** The service clock of the call under way. The core has no clock: time is an argument of every call that needs it. */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export let nowMs: f64 = 0;

/** Sets the time of this call. */
export function clockSet(now: f64): void {
  nowMs = now;
}
