/**
 * Streams: the events of one channel with a window, in one inbox that is ordered by windows; and the rules of dynamic
 * window-constrained scheduling for one of them.
 *
 *   x, y     what is left of the window: of the next y deadlines x may be missed
 *   served   one deadline fewer; when only such are left that may be missed, a loss is used up too
 *   missed   a loss is used up; where there is none the window is violated, and the stream comes first until it is served
 *
 * Source: R. West, Y. Zhang, K. Schwan, C. Poellabauer, "Dynamic window-constrained scheduling of real-time streams in media
 * servers", IEEE Transactions on Computers 53(6), 2004.
 */
import { heapGive, heapTakeZero } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";
import { accountOf } from "./accounts";
import { LINK_OFFSET, listInit, Run } from "./records";
import { Window } from "./windows";

/** One stream. */
@unmanaged
export class Stream {
  /** Of its first event, ms; where it is empty, of the next one at the earliest. */
  deadline: f64;
  periodMs: f64;
  /** Arrival of the event that missed a deadline last: each misses once, however long it waits. */
  missed: f64;
  lose: u32;
  size: u32;
  x: u32;
  y: u32;
  /** The window was violated and begins anew with the next service. */
  tag: u32;
  channel: u32;
  connection: u32;
  /** Where it stands in the heap of its order. */
  place: u32;
  /** All streams of the order. */
  next: u32;
  /** Head of the list of its events, as the fields `place` and `back` of a run. */
  first: u32;
  last: u32;
}

/** A clock that jumps may pass so many periods one by one; what is beyond is counted in whole windows. */
const PERIODS_MAX: f64 = 1024;
/** A window that is violated over and over grows by one each time; the largest one that a channel can have is far below. */
const WINDOW_MAX: u32 = 0x7fffffff;

let streams: u32 = 0;

/** Forgets all streams. Returns false where memory is too small. */
export function streamsInit(): bool {
  streams = mapNew();
  return streams !== 0;
}

function streamKey(connection: u32, channel: u32): u64 {
  return ((<u64>connection) << 32) | channel;
}

/** Address of a connection's stream of a channel, 0: there is none. */
export function streamFind(connection: u32, channel: u32): u32 {
  const map = changetype<Map64>(streams);
  return map.count === 0 ? 0 : mapFind(map, streamKey(connection, channel));
}

/** Makes a stream; 0 where memory is used up. */
export function streamNew(connection: u32, channel: u32, window: Window): u32 {
  const at = heapTakeZero(offsetof<Stream>());
  if (at === 0) return 0;
  if (!mapSet(changetype<Map64>(streams), streamKey(connection, channel), at)) {
    heapGive(at, offsetof<Stream>());
    return 0;
  }
  const stream = changetype<Stream>(at);
  stream.channel = channel;
  stream.connection = connection;
  stream.deadline = -Infinity;
  stream.missed = -1;
  listInit(streamHead(stream));
  streamSet(stream, window);
  return at;
}

/** Frees a stream; its events are others'. */
export function streamFree(stream: Stream): void {
  mapDelete(changetype<Map64>(streams), streamKey(stream.connection, stream.channel));
  heapGive(changetype<u32>(stream), offsetof<Stream>());
}

/** Puts another window in force, from its beginning; nothing happens where it is the same. */
export function streamSet(stream: Stream, window: Window): void {
  if (stream.lose === window.lose && stream.size === window.size && stream.periodMs === window.periodMs) return;
  stream.periodMs = window.periodMs;
  stream.x = stream.lose = window.lose;
  stream.y = stream.size = window.size;
  stream.tag = 0;
}

/** The stream of which that is the head. */
export function streamOfHead(head: u32): Stream {
  return changetype<Stream>(head + LINK_OFFSET - offsetof<Stream>("first"));
}

/** The head of a stream's list, as if it were a run. */
export function streamHead(stream: Stream): u32 {
  return changetype<u32>(stream) + offsetof<Stream>("first") - LINK_OFFSET;
}

/**
 * Whether one stream goes before another: earliest deadline; then least to lose; of those with nothing to lose the longest
 * window, of others the fewest losses; then whoever's event came first. Fractions are compared by products, exactly.
 */
export function streamBefore(one: Stream, other: Stream): bool {
  if (one.deadline !== other.deadline) return one.deadline < other.deadline;
  const left = <u64>one.x * other.y;
  const right = <u64>other.x * one.y;
  if (left !== right) return left < right;
  if (one.x === 0) {
    if (one.y !== other.y) return one.y > other.y;
  } else if (one.x !== other.x) {
    return one.x < other.x;
  }
  return changetype<Run>(one.first).deadline < changetype<Run>(other.first).deadline;
}

/** Notes that an event of a stream leaves, before its deadline, or late where it may. */
export function streamServed(stream: Stream): void {
  if (stream.y > stream.x) {
    stream.y--;
  } else if (stream.x !== 0) {
    stream.x--;
    stream.y--;
  }
  if ((stream.x | stream.y) === 0 || stream.tag !== 0) begin(stream);
  stream.deadline += stream.periodMs;
}

/**
 * Notes that the first event of a stream has missed its deadline by `nowMs`; the next one is no later than a period ago.
 * Returns whether it is the first one that this event misses.
 */
export function streamMissed(stream: Stream, nowMs: f64): bool {
  const account = accountOf(stream.connection, stream.channel);
  const arrival = changetype<Run>(stream.first).deadline;
  const first = stream.missed !== arrival;
  if (first) account.missed++;
  stream.missed = arrival;
  const periods = (nowMs - stream.deadline) / stream.periodMs;
  if (periods > PERIODS_MAX) {
    const passed = Math.floor(periods);
    account.violations += Math.floor(passed / stream.size) * <f64>(stream.size - stream.lose);
    stream.deadline += passed * stream.periodMs;
    // Whatever the sum is rounded to, the next deadline must be one that can be met.
    if (stream.deadline < nowMs - stream.periodMs) stream.deadline = nowMs;
    begin(stream);
    return first;
  }
  stream.deadline += stream.periodMs;
  if (stream.x !== 0) {
    stream.x--;
    stream.y--;
    if ((stream.x | stream.y) === 0) begin(stream);
  } else {
    if (stream.y < WINDOW_MAX) stream.y++;
    stream.tag = 1;
    account.violations++;
  }
  return first;
}

/** A new window begins. */
function begin(stream: Stream): void {
  stream.x = stream.lose;
  stream.y = stream.size;
  stream.tag = 0;
}
