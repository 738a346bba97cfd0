/**
 * The window of a WebSocket client that grants no credit: so many bytes may be on their way to it, that what waits does so in its
 * inbox, in order, and not in buffers. Every client answers pings by itself, so a ping behind deliveries asks for their receipt.
 *
 *   deliveries … half a window … ping ─────────────────────▶ client      at the end of the same write, so it costs 6 bytes
 *   pong: all before that ping is there; credit comes back ◀─┘
 *
 * A window is too small where a larger one brings more through, and too large where a smaller one brings as much. While the
 * client is slower than its events, it is found by trying: twice as much, half as much, an epoch each, with long pauses between.
 * How long pongs take would alone not tell a slow client from a busy host or a far network; where they take far longer than the
 * fastest did, the client reads in bursts, and a larger window would only fill its buffers. A client that keeps up is left alone.
 *
 * A client that begins to grant credit ends its window. What it has not confirmed by then is in flight, and counts against what it
 * grants.
 */
import { CONNECTION_WEBSOCKET, CONNECTION_WEBSOCKET_JSON, FRAME_RAW_TAG, OUT_SLOT_BYTES } from "../abi";
import { nowMs } from "../clock";
import { Mailbox } from "../mailbox/records";
import { Connection, CREDIT_GRANTED, CREDIT_MAX, CREDIT_NONE, CREDIT_PACED, dirtyPush } from "./connection";
import { WS_PING, wsHeaderWrite } from "./websocket-out";

const WINDOW_BYTES_MIN: u32 = 4096;
const WINDOW_BYTES_MAX: u32 = 4194304;
/** Pings and pongs of one epoch: one alone says more of the machine than of the client. */
const EPOCH_ROUNDS: u32 = 3;
/** A larger window must bring that much more, a smaller one at least so much of what came before. */
const GAIN: f64 = 1.15;
const KEEP: f64 = 0.9;
/** A pong is slow that takes twice as long as the fastest, and so many milliseconds, which turns of two event loops may take. */
const SLOW_MS: f32 = 20;
/** Epochs between tries. */
const PATIENCE: u32 = 32;

/** What is being tried; with PACE_NEXT: what will be next, when patience is over. */
const PACE_LARGER: u32 = 0;
const PACE_SMALLER: u32 = 1;
const PACE_NEXT: u32 = 2;

const PING_BYTES: u32 = 4;
/** With its header; and on a JSON session, in a frame of its own: size, tag, size. */
const PING_FRAME_BYTES: u32 = 2 + PING_BYTES;
const PING_RAW_BYTES: u32 = 3 + PING_FRAME_BYTES;

/** Begins to pace a WebSocket with a window of `bytes`, unless its client grants credit; others are paced by their sockets. */
export function paceBegin(connection: Connection, bytes: u32): void {
  const kind = connection.kind;
  if (connection.credit === CREDIT_GRANTED || (kind !== CONNECTION_WEBSOCKET && kind !== CONNECTION_WEBSOCKET_JSON))
    return;
  connection.credit = CREDIT_PACED;
  connection.creditEvents = CREDIT_MAX;
  connection.creditBytes = connection.paceWindow = min<u32>(max<u32>(bytes, WINDOW_BYTES_MIN), WINDOW_BYTES_MAX);
  connection.paceRound = connection.paceSince = connection.paceLimited = 0;
  connection.paceRoundEvents = 0;
  connection.paceMode = PACE_NEXT + PACE_LARGER;
  connection.pacePatience = 0;
  connection.paceLeastMs = f32.MAX_VALUE;
  epochBegin(connection);
}

/** Notes deliveries that were written just now, and writes a ping behind them where one is due. Returns how many bytes of `out` are used. */
export function paceSent(connection: Connection, out: u32, used: u32, bytes: u32): u32 {
  connection.paceSince += bytes;
  if (connection.creditBytes <= 0 && changetype<Mailbox>(connection.inbox).events !== 0) connection.paceLimited = 1;
  if (connection.paceRound !== 0 || connection.paceSince < connection.paceWindow / 2) return used;
  // Nothing may come behind a goodbye.
  if ((connection.held | connection.closing | connection.fault) !== 0) return used;
  // Behind the largest of events there may be no room: it then goes alone.
  if (used + PING_RAW_BYTES > OUT_SLOT_BYTES) {
    dirtyPush(connection);
    return used;
  }
  connection.paceRound = connection.paceSince;
  // No round was under way, so all that was sent and not given back is of this one.
  connection.paceRoundEvents = <u32>(CREDIT_MAX - connection.creditEvents);
  connection.paceSince = 0;
  connection.pacePing++;
  connection.pacePingMs = nowMs;
  let to = out + used;
  if (connection.kind === CONNECTION_WEBSOCKET_JSON) {
    store<u8>(to, 2 + PING_FRAME_BYTES);
    store<u8>(to, <u8>FRAME_RAW_TAG, 1);
    store<u8>(to, PING_FRAME_BYTES, 2);
    to += 3;
  }
  to = wsHeaderWrite(to, WS_PING, PING_BYTES);
  store<u32>(to, connection.pacePing);
  return to + PING_BYTES - out;
}

/** A pong came: if it answers the ping under way, what was sent before that is there. */
export function pacePong(connection: Connection, at: u32, bytes: u32): void {
  if (connection.credit === CREDIT_NONE || connection.paceRound === 0) return;
  if (bytes !== PING_BYTES || load<u32>(at) !== connection.pacePing) return;
  const round = connection.paceRound;
  connection.paceRound = 0;
  if (connection.credit === CREDIT_GRANTED) {
    paid(connection);
    return;
  }
  connection.creditBytes += round;
  connection.creditEvents += connection.paceRoundEvents;
  const tookMs = <f32>(nowMs - connection.pacePingMs);
  if (tookMs < connection.paceLeastMs) connection.paceLeastMs = tookMs;
  if (tookMs > connection.paceLeastMs * 2 + SLOW_MS) connection.paceSlow = 1;
  if (connection.paceLimited !== 0) {
    connection.paceBytes += round;
    // While the clock stands still there is nothing to judge by.
    if (++connection.paceRounds >= EPOCH_ROUNDS && nowMs > connection.paceEpochMs) epochEnd(connection);
  } else {
    epochBegin(connection);
  }
  connection.paceLimited = 0;
  dirtyPush(connection);
}

/**
 * The client grants credit for the first time: ends its window, and leaves in creditEvents and creditBytes what is in flight, as less
 * than nothing. That is what was sent up to a ping which it has not answered, and behind that; without one under way it has had
 * all there is.
 */
export function paceEnd(connection: Connection): void {
  const flies = connection.paceRound !== 0;
  connection.creditEvents = flies ? connection.creditEvents - CREDIT_MAX : 0;
  connection.creditBytes = flies ? connection.creditBytes - connection.paceWindow : 0;
  connection.paceOwed = <u32>flies;
}

/**
 * All that was in flight at the first grant is there. Of that the client may have had a part when it granted, which was taken from the
 * grant for nothing: where nothing has left since, one event does, so that nobody waits for the other for ever.
 */
function paid(connection: Connection): void {
  if (connection.paceOwed === 0) return;
  connection.paceOwed = 0;
  connection.creditEvents = max<i64>(connection.creditEvents, 1);
  connection.creditBytes = max<i64>(connection.creditBytes, 1);
  dirtyPush(connection);
}

function epochBegin(connection: Connection): void {
  connection.paceRounds = connection.paceBytes = connection.paceSlow = 0;
  connection.paceEpochMs = nowMs;
}

/** Judges what was tried, and tries something else. */
function epochEnd(connection: Connection): void {
  const rate = <f64>connection.paceBytes / (nowMs - connection.paceEpochMs);
  const slow = connection.paceSlow !== 0;
  epochBegin(connection);
  const mode = connection.paceMode;
  const before = connection.paceRate;
  if (mode === PACE_LARGER) {
    connection.paceRate = rate;
    if (rate >= before * GAIN && !slow) windowSet(connection, connection.paceWindow << 1);
    else give(connection, connection.paceWindow >> 1, PACE_SMALLER, PATIENCE / 4);
  } else if (mode === PACE_SMALLER) {
    // Against what it was before the first of these steps: many small losses would be a large one.
    if (rate >= before * KEEP) windowSet(connection, connection.paceWindow >> 1);
    else give(connection, connection.paceWindow << 1, PACE_LARGER, PATIENCE);
  } else if (connection.pacePatience !== 0) {
    connection.pacePatience--;
  } else {
    connection.paceRate = rate;
    connection.paceMode = slow ? PACE_SMALLER : mode - PACE_NEXT;
    const smaller = connection.paceMode === PACE_SMALLER;
    windowSet(connection, smaller ? connection.paceWindow >> 1 : connection.paceWindow << 1);
  }
}

/** Gives a try up: back to the window before, and the other way after some time. */
function give(connection: Connection, bytes: u32, next: u32, epochs: u32): void {
  windowSet(connection, bytes);
  connection.paceMode = PACE_NEXT + next;
  connection.pacePatience = epochs;
}

/** What is on its way stays so: a window that shrinks is overdrawn until the client has caught up. */
function windowSet(connection: Connection, bytes: u32): void {
  const window = min<u32>(max<u32>(bytes, WINDOW_BYTES_MIN), WINDOW_BYTES_MAX);
  connection.creditBytes += <i64>window - <i64>connection.paceWindow;
  connection.paceWindow = window;
  if (window === bytes) return;
  // As far as it goes: the other way next.
  connection.paceMode = PACE_NEXT + (bytes < window ? PACE_LARGER : PACE_SMALLER);
  connection.pacePatience = PATIENCE;
}
