/**
 * A stream of size-delimited frames, split anywhere. Whole frames are taken where they lie; one that is cut off is
 * gathered in the connection's carry, whose block grows with what really came, not with what a peer claims.
 */
import { FRAME_BYTES_MAX, REASON_DONE, STATUS_FRAME_TOO_LARGE, STATUS_STORE_FULL } from "../abi";
import { cursor, varintRead } from "../event/wire";
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { frameAgain } from "./again";
import { Connection } from "./connection";
import { closeWith, frameTake } from "./frames";

/** A size of FRAME_BYTES_MAX takes at most this many bytes; a longer prefix is hostile. */
const PREFIX_BYTES_MAX: u32 = 5;
const CARRY_BYTES_MIN: u32 = 64;

/** Why the last streamFeed() stopped: a REASON_…. */
export let streamReason: u32 = 0;

/** Takes bytes of the stream. Returns how many were consumed; the reason is in streamReason. */
export function streamFeed(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let p = at;
  streamReason = REASON_DONE;
  while (streamReason === REASON_DONE) {
    if (connection.carryBytes !== 0) {
      p = carryFill(connection, p, end);
      if (streamReason !== REASON_DONE) break;
      if (connection.carryNeed === 0 || connection.carryBytes !== connection.carryNeed) break;
      carryTake(connection);
      continue;
    }
    if (p === end) break;
    const size = varintRead(p, min<u32>(end, p + PREFIX_BYTES_MAX));
    if (cursor === 0) {
      if (end - p >= PREFIX_BYTES_MAX) {
        streamReason = closeWith(connection, STATUS_FRAME_TOO_LARGE, 0xffffffff, FRAME_BYTES_MAX);
      } else {
        p = carryAppend(connection, p, end);
      }
      break;
    }
    if (size > FRAME_BYTES_MAX) {
      streamReason = tooLarge(connection, size);
      break;
    }
    const frameAt = cursor;
    if (size > <u64>(end - frameAt)) {
      connection.carryNeed = frameAt - p + <u32>size;
      p = carryAppend(connection, p, end);
      break;
    }
    streamReason = frameTake(connection, frameAt, <u32>size);
    if (frameAgain) break;
    p = frameAt + <u32>size;
  }
  return p - at;
}

function tooLarge(connection: Connection, size: u64): u32 {
  return closeWith(connection, STATUS_FRAME_TOO_LARGE, size > 0xffffffff ? 0xffffffff : <u32>size, FRAME_BYTES_MAX);
}

/** Moves bytes to the carry until its frame is complete; returns the address after them. */
function carryFill(connection: Connection, p: u32, end: u32): u32 {
  while (connection.carryNeed === 0 && p < end) {
    // The size prefix itself is cut off: byte by byte until it is known.
    p = carryAppend(connection, p, p + 1);
    if (streamReason !== REASON_DONE) return p;
    const size = varintRead(connection.carryAt, connection.carryAt + connection.carryBytes);
    if (cursor === 0) {
      if (connection.carryBytes >= PREFIX_BYTES_MAX) {
        streamReason = closeWith(connection, STATUS_FRAME_TOO_LARGE, 0xffffffff, FRAME_BYTES_MAX);
        return p;
      }
    } else if (size > FRAME_BYTES_MAX) {
      streamReason = tooLarge(connection, size);
      return p;
    } else {
      connection.carryNeed = cursor - connection.carryAt + <u32>size;
    }
  }
  if (connection.carryNeed === 0) return p;
  const missing = connection.carryNeed - connection.carryBytes;
  return carryAppend(connection, p, min<u32>(end, p + missing));
}

/** Takes the complete frame in the carry; its bytes stay valid until the next input. */
function carryTake(connection: Connection): void {
  const frameEnd = connection.carryAt + connection.carryNeed;
  const size = varintRead(connection.carryAt, frameEnd);
  streamReason = frameTake(connection, cursor, <u32>size);
  if (frameAgain) return;
  connection.carryBytes = connection.carryNeed = 0;
}

/** Appends [p, end) to the carry; returns `end`. */
export function carryAppend(connection: Connection, p: u32, end: u32): u32 {
  const bytes = end - p;
  if (bytes === 0) return end;
  const total = connection.carryBytes + bytes;
  if (total > connection.carryCapacity) {
    const wanted = max<u32>(CARRY_BYTES_MIN, total > connection.carryBytes * 2 ? total : connection.carryBytes * 2);
    const at = heapTake(wanted);
    if (at === 0) {
      streamReason = closeWith(connection, STATUS_STORE_FULL, total, 0);
      return end;
    }
    memory.copy(at, connection.carryAt, connection.carryBytes);
    if (connection.carryAt !== 0) heapGive(connection.carryAt, connection.carryCapacity);
    connection.carryAt = at;
    connection.carryCapacity = heapBlockBytes(wanted);
  }
  memory.copy(connection.carryAt + connection.carryBytes, p, bytes);
  connection.carryBytes = total;
  return end;
}

/** Frees the carry's block. */
export function carryFree(connection: Connection): void {
  if (connection.carryAt !== 0) heapGive(connection.carryAt, connection.carryCapacity);
  connection.carryAt = connection.carryCapacity = connection.carryBytes = connection.carryNeed = 0;
}
