/** Constants that host and core share about mailboxes; the rest stands in ../abi.ts. */

/** What becomes of late events in an inbox: inboxLate(). As their channels say; or, over those, one of these. */
export const LATE_CHANNEL: u32 = 0;
export const LATE_DELIVER: u32 = 1;
export const LATE_DROP: u32 = 2;
export const LATE_DIVERT: u32 = 3;

/** What histogramRead() tells: how long events waited in inboxes, how many there were when one was drained, how late misses were. */
export const HISTOGRAM_WAIT: u32 = 0;
export const HISTOGRAM_DEPTH: u32 = 1;
export const HISTOGRAM_LATENESS: u32 = 2;
export const HISTOGRAMS: u32 = 3;
/** Bucket i counts what is at most 2^i, in quarters of a millisecond or events, and above the one before; the last counts the rest. */
export const HISTOGRAM_BUCKETS: u32 = 24;
