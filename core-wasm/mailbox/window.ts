/**
 * The ordering `window`: which stream is served next, and what has missed its deadline (stream.ts has the rules for one).
 *
 *   Order ── heap ──▶ Stream ── first … last ──▶ Run ─▶ Run     those that have something to send, the next one first
 *         ── streams ▶ Stream ─▶ Stream                         all of them: what is left of a window outlives its events
 *         ── list 0 ─▶ Run ─▶ Run                               channels without a window: best effort, oldest first
 *
 * The heap is of addresses, two children a node: precedence has five rules, so keys would not fit two words.
 */
import { ROLE_SINK } from "../abi";
import { pairWithRole } from "../channel/member";
import { nowMs } from "../clock";
import { entryChannel } from "../event/entry";
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { Connection } from "../session/connection";
import { MISS_WAITED } from "../session/miss-frame";
import { missSay } from "../session/misses";
import { accountOf } from "./accounts";
import { dueNote } from "./due";
import { lateDrops } from "./fate";
import { pendingStream } from "./kept-due";
import {
  listAdd,
  listCount,
  listFirst,
  listInit,
  listRemove,
  Mailbox,
  metaAt,
  missesOf,
  Order,
  orderHead,
  Run,
  runFrontHasMeta,
  Slab,
} from "./records";

import {
  Stream,
  streamBefore,
  streamFind,
  streamFree,
  streamHead,
  streamMissed,
  streamNew,
  streamOfHead,
  streamServed,
  streamSet,
} from "./stream";
import { Window, windowFind } from "./windows";

const HEAP_MIN: u32 = 16;

/** Whether what windowFirst() found has missed its deadline and is to be dropped. */
export let windowLate: bool = false;

/** Frees the streams of an order that goes; their events are the mailbox's. */
export function windowFree(order: Order): void {
  while (order.streams !== 0) {
    const stream = changetype<Stream>(order.streams);
    order.streams = stream.next;
    streamFree(stream);
  }
  if (order.heapCapacity !== 0) heapGive(order.heapAt, order.heapCapacity * 4);
  order.heapAt = order.heapCount = order.heapCapacity = order.streamCount = 0;
}

function connectionOf(inbox: Mailbox): u32 {
  return changetype<Connection>(inbox.connection).number;
}

/** The stream of a channel in an inbox, which is made where the channel has a window; 0: best effort. */
function streamOf(order: Order, inbox: Mailbox, channel: u32): u32 {
  const connection = connectionOf(inbox);
  const at = streamFind(connection, channel);
  if (at !== 0) return at;
  const window = windowFind(channel);
  if (window === 0) return 0;
  // Room in the heap first: a stream that is there can always be served.
  if (!heapReserve(order)) return 0;
  const made = streamNew(connection, channel, changetype<Window>(window));
  if (made === 0) return 0;
  streamEnlist(order, changetype<Stream>(made));
  return made;
}

function streamEnlist(order: Order, stream: Stream): void {
  stream.next = order.streams;
  order.streams = changetype<u32>(stream);
  order.streamCount++;
}

/** Makes room for one more stream. Returns false where memory is used up. */
function heapReserve(order: Order): bool {
  if (order.streamCount < order.heapCapacity) return true;
  const bytes = heapBlockBytes(max<u32>(HEAP_MIN, order.streamCount * 2) * 4);
  const at = heapTake(bytes);
  if (at === 0) return false;
  memory.copy(at, order.heapAt, order.heapCount * 4);
  if (order.heapCapacity !== 0) heapGive(order.heapAt, order.heapCapacity * 4);
  order.heapAt = at;
  order.heapCapacity = bytes / 4;
  return true;
}

/** Adds an entry that came just now. */
export function windowAdd(order: Order, inbox: Mailbox, run: Run): void {
  enter(order, inbox, run, false);
}

/** Adds an entry; `again`: it was there before, so its stream has a deadline. */
function enter(order: Order, inbox: Mailbox, run: Run, again: bool): void {
  const at = streamOf(order, inbox, entryChannel(run.at));
  if (at === 0) {
    // Without a window, or without memory for a stream: best effort, which loses nothing.
    listAdd(orderHead(order, 0), run);
    return;
  }
  const stream = changetype<Stream>(at);
  const head = streamHead(stream);
  const first = listFirst(head) === 0;
  listAdd(head, run);
  if (!first) return;
  // The first deadline is a period after the first event, the next ones a period apart.
  if (!again || stream.deadline === -Infinity) stream.deadline = max<f64>(stream.deadline, nowMs + stream.periodMs);
  up(order, order.heapCount++, stream);
  dueNote(inbox, stream.deadline);
}

/**
 * Address of the entry that leaves next, 0: none. Deadlines that have passed are missed now; where the first event of such a
 * stream is to be dropped it is that, with `windowLate`.
 */
export function windowFirst(order: Order, inbox: Mailbox): u32 {
  windowLate = false;
  while (order.heapCount !== 0) {
    const stream = changetype<Stream>(load<u32>(order.heapAt));
    if (stream.deadline >= nowMs) break;
    const deadline = stream.deadline;
    const missed = changetype<Run>(stream.first);
    if (streamMissed(stream, nowMs)) {
      const source = runFrontHasMeta(missed) ? missesOf(metaAt(changetype<Slab>(missed.slab), missed.metaFirst)) : 0;
      const connection = changetype<Connection>(inbox.connection);
      missSay(connection, stream.channel, missed.at, source, nowMs - deadline, MISS_WAITED);
    }
    down(order, 0, stream);
    if (lateDrops(inbox, stream.channel)) {
      windowLate = true;
      return listFirst(streamHead(stream));
    }
  }
  const other = listFirst(orderHead(order, 0));
  if (order.heapCount === 0 || (other !== 0 && !atRisk(order, inbox))) return other;
  return listFirst(streamHead(changetype<Stream>(load<u32>(order.heapAt))));
}

/** The earliest deadline of a stream that has something to send; Infinity: there is none. */
export function windowDueMs(order: Order): f64 {
  return order.heapCount === 0 ? Infinity : changetype<Stream>(load<u32>(order.heapAt)).deadline;
}

/**
 * Whether an event of best effort might cost a deadline: all streams that wait must still be served in time behind it. Where
 * nobody knows how long an event takes, any stream that waits goes first.
 */
function atRisk(order: Order, inbox: Mailbox): bool {
  const first = changetype<Stream>(load<u32>(order.heapAt));
  return inbox.serviceMs === 0 || nowMs + <f64>(order.heapCount + 1) * inbox.serviceMs > first.deadline;
}

/** How many events of a channel's stream wait; of best effort where it has no window. */
export function windowAhead(order: Order, inbox: Mailbox, channel: u32): u32 {
  const at = streamFind(connectionOf(inbox), channel);
  const head = at === 0 ? orderHead(order, 0) : streamHead(changetype<Stream>(at));
  return listCount(head);
}

/** Notes that an entry leaves by being delivered; it is removed after that. Returns whether it is of a stream. */
export function windowServed(order: Order, inbox: Mailbox, run: Run): bool {
  const at = streamFind(connectionOf(inbox), entryChannel(run.at));
  if (at === 0 || changetype<Stream>(at).first !== changetype<u32>(run)) return false;
  const stream = changetype<Stream>(at);
  // Out of its list at once, since what comes next in the stream decides among equals.
  listRemove(run);
  listInit(changetype<u32>(run));
  const deadline = stream.missed === run.deadline ? Infinity : stream.deadline;
  streamServed(stream);
  // What is to be acknowledged has met its deadline only then.
  if (!pendingStream(changetype<Connection>(inbox.connection), deadline) && deadline !== Infinity)
    accountOf(stream.connection, stream.channel).met++;
  if (listFirst(streamHead(stream)) === 0) heapRemove(order, stream);
  else down(order, stream.place, stream);
  return true;
}

/** Forgets an entry that leaves, however it does. */
export function windowRemove(order: Order, run: Run): void {
  listRemove(run);
  const head = run.place;
  // What is left between two neighbours that are one is an empty list; its head is the order's own, or a stream's.
  if (head !== run.back || head === changetype<u32>(run) || head === orderHead(order, 0)) return;
  heapRemove(order, streamOfHead(head));
}

/** Puts every entry of an inbox where it belongs now: windows have changed. What is left of windows that stay is kept. */
export function windowRebuild(order: Order, inbox: Mailbox): void {
  listInit(orderHead(order, 0));
  order.heapCount = 0;
  let at = order.streams;
  order.streams = order.streamCount = 0;
  while (at !== 0) {
    const stream = changetype<Stream>(at);
    at = stream.next;
    const window = windowFind(stream.channel);
    if (window === 0) {
      streamFree(stream);
      continue;
    }
    streamSet(stream, changetype<Window>(window));
    listInit(streamHead(stream));
    streamEnlist(order, stream);
  }
  for (let run = inbox.head; run !== 0; run = changetype<Run>(run).next)
    enter(order, inbox, changetype<Run>(run), true);
}

/** Ends the streams of channels in which there is no sink any more; they have no events. */
export function windowForget(order: Order): void {
  let at = order.streams;
  order.streams = order.streamCount = 0;
  while (at !== 0) {
    const stream = changetype<Stream>(at);
    at = stream.next;
    if (pairWithRole(stream.connection, stream.channel, ROLE_SINK) === 0) streamFree(stream);
    else streamEnlist(order, stream);
  }
}

function heapRemove(order: Order, stream: Stream): void {
  const place = stream.place;
  const last = changetype<Stream>(load<u32>(order.heapAt + --order.heapCount * 4));
  if (last === stream) return;
  up(order, place, last);
  if (last.place === place) down(order, place, last);
}

function put(order: Order, place: u32, stream: Stream): void {
  store<u32>(order.heapAt + place * 4, changetype<u32>(stream));
  stream.place = place;
}

function up(order: Order, place: u32, stream: Stream): void {
  while (place !== 0) {
    const parent = changetype<Stream>(load<u32>(order.heapAt + ((place - 1) >> 1) * 4));
    if (!streamBefore(stream, parent)) break;
    put(order, place, parent);
    place = (place - 1) >> 1;
  }
  put(order, place, stream);
}

function down(order: Order, place: u32, stream: Stream): void {
  while (true) {
    let child = place * 2 + 1;
    if (child >= order.heapCount) break;
    let best = changetype<Stream>(load<u32>(order.heapAt + child * 4));
    if (child + 1 < order.heapCount) {
      const right = changetype<Stream>(load<u32>(order.heapAt + child * 4, 4));
      if (streamBefore(right, best)) {
        best = right;
        child++;
      }
    }
    if (!streamBefore(best, stream)) break;
    put(order, place, best);
    place = child;
  }
  put(order, place, stream);
}
