/** The service clock of the call under way. The core has no clock: time is an argument of every call that needs it. */

/** Milliseconds since 1970-01-01T00:00:00Z. */
export let nowMs: f64 = 0;

/** The same in quarters of a millisecond, without what does not fit: differences are right below twelve days. */
export let nowQuarters: u32 = 0;

/** Sets the time of this call. */
export function clockSet(now: f64): void {
  nowMs = now;
  nowQuarters = <u32>(<i64>(now * 4));
}
