/**
 * Histograms of the way out of inboxes: how long events waited, how many there were, and how late misses were; of all inboxes,
 * and of each one that was ever drained.
 *
 * Nothing is measured event by event: a run knows when its first and its last entry came (run.ts), and those between came at
 * even distances as far as anybody knows. So a run of a thousand events costs a handful of additions.
 */
import { nowMs, nowQuarters } from "../clock";
import { heapGive, heapTakeZero } from "../memory/heap";
import { HISTOGRAM_BUCKETS, HISTOGRAM_DEPTH, HISTOGRAM_LATENESS, HISTOGRAM_WAIT, HISTOGRAMS } from "./abi";
import { Mailbox, Run } from "./records";

/** Of all inboxes: f64 per bucket, and their sum behind them. */
const TOTAL_BYTES: u32 = (HISTOGRAM_BUCKETS + 1) * 8;
const totalsAt: u32 = <u32>memory.data(600);
if (HISTOGRAMS * TOTAL_BYTES > 600) ERROR("More histograms than room");
/** Of one inbox: u32 per bucket, of waits and then of depths. */
const OWN_BYTES: u32 = HISTOGRAM_BUCKETS * 4;
/** A run whose entries waited for differently long is counted in so many parts at most. */
const PARTS_MAX: u32 = 8;
const TICKS_PER_MS: f64 = 1024;

/** Forgets what was counted of all inboxes. */
export function histogramsInit(): void {
  memory.fill(totalsAt, 0, HISTOGRAMS * TOTAL_BYTES);
}

/** Frees what an inbox has of its own. */
export function histogramsFree(inbox: Mailbox): void {
  if (inbox.histograms !== 0) heapGive(inbox.histograms, 2 * OWN_BYTES);
  inbox.histograms = 0;
}

function bucketOf(value: u32): u32 {
  return value <= 1 ? 0 : min<u32>(32 - <u32>clz(value - 1), HISTOGRAM_BUCKETS - 1);
}

function count(inbox: Mailbox, histogram: u32, value: u32, times: u32): void {
  const bucket = bucketOf(value);
  const at = totalsAt + histogram * TOTAL_BYTES;
  store<f64>(at + bucket * 8, load<f64>(at + bucket * 8) + <f64>times);
  store<f64>(at + TOTAL_BYTES - 8, load<f64>(at + TOTAL_BYTES - 8) + <f64>value * <f64>times);
  if (inbox.histograms === 0) inbox.histograms = heapTakeZero(2 * OWN_BYTES);
  // Where memory is used up it counts with the others only.
  if (inbox.histograms === 0) return;
  const own = inbox.histograms + histogram * OWN_BYTES + bucket * 4;
  store<u32>(own, load<u32>(own) + times);
}

/** Counts how many events there were as a drain that delivered something began. */
export function depthCount(inbox: Mailbox, events: u32): void {
  count(inbox, HISTOGRAM_DEPTH, events, 1);
}

/** Counts how long the first `events` entries of a run of a plain inbox have waited. */
export function waitsCount(inbox: Mailbox, run: Run, events: u32): void {
  const first = nowQuarters - run.place;
  const last = nowQuarters - run.back;
  // A clock that went back: nobody waited for twelve days.
  if (<i32>first < 0 || <i32>last < 0) return count(inbox, HISTOGRAM_WAIT, 0, events);
  if (bucketOf(first) === bucketOf(last)) return count(inbox, HISTOGRAM_WAIT, (first + last) >> 1, events);
  const parts = min(events, PARTS_MAX);
  const step = <f64>(first - last) / <f64>run.events;
  for (let part: u32 = 0, from: u32 = 0; part < parts; part++) {
    const end = <u32>((<u64>events * (part + 1)) / parts);
    count(inbox, HISTOGRAM_WAIT, <u32>(<f64>first - step * <f64>from), end - from);
    from = end;
  }
}

/** Counts how long an entry of an ordered inbox has waited. */
export function waitCount(inbox: Mailbox, run: Run): void {
  count(inbox, HISTOGRAM_WAIT, quartersFrom(nowMs - arrivedMs(run)), 1);
}

/** Counts how late an event was whose miss is told now. */
export function latenessCount(lateMs: f64): void {
  const at = totalsAt + HISTOGRAM_LATENESS * TOTAL_BYTES;
  const quarters = quartersFrom(lateMs);
  const bucketAt = at + bucketOf(quarters) * 8;
  store<f64>(bucketAt, load<f64>(bucketAt) + 1);
  store<f64>(at + TOTAL_BYTES - 8, load<f64>(at + TOTAL_BYTES - 8) + <f64>quarters);
}

function quartersFrom(ms: f64): u32 {
  return ms <= 0 ? 0 : <u32>min(ms * 4, <f64>i32.MAX_VALUE);
}

/** The number that an entry gets as it comes into an order: larger than the one before, and telling when that was. */
export function arrivalAfter(before: f64, ms: f64): f64 {
  return max(before + 1, floor(ms * TICKS_PER_MS));
}

/** When an entry of an ordered inbox came, on the service clock. */
function arrivedMs(run: Run): f64 {
  return run.deadline / TICKS_PER_MS;
}

/** When the first entry of a run came, which changes from a plain inbox (`ordered` false) or an ordered one to an ordered one. */
export function cameMs(run: Run, ordered: bool): f64 {
  return ordered ? arrivedMs(run) : nowMs - <f64>(<i32>(nowQuarters - run.place)) / 4;
}

/** The same for a run that changes from an ordered inbox to a plain one. */
export function cameKeep(run: Run): void {
  run.place = run.back = nowQuarters - quartersFrom(nowMs - arrivedMs(run));
}

/** Copies a histogram to `out`: f64 per bucket, and the sum, which one inbox does not keep. Returns 0 where there is none. */
export function histogramCopy(inbox: u32, histogram: u32, out: u32): u32 {
  if (histogram >= HISTOGRAMS) return 0;
  if (inbox === 0) {
    memory.copy(out, totalsAt + histogram * TOTAL_BYTES, TOTAL_BYTES);
    return 1;
  }
  const own = changetype<Mailbox>(inbox).histograms;
  if (own === 0 || histogram === HISTOGRAM_LATENESS) return 0;
  for (let bucket: u32 = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
    store<f64>(out + bucket * 8, <f64>load<u32>(own + histogram * OWN_BYTES + bucket * 4));
  store<f64>(out + HISTOGRAM_BUCKETS * 8, 0);
  return 1;
}
