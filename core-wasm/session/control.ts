/**
 * Answers that wait for a connection, in front of its deliveries: each as it will be sent, WebSocket framing included,
 * behind a u32 with its size, so that drain() can take whole ones.
 */
import {
  CONNECTION_WEBSOCKET,
  CONNECTION_WEBSOCKET_JSON,
  CONTROL_BYTES_MAX,
  FRAME_RAW_TAG,
  OUT_SLOT_BYTES,
  STATUS_CONTROL_FULL,
  STATUS_OK,
} from "../abi";
import { varintBytes, varintWrite } from "../event/wire";
import { heapBlockBytes, heapGive, heapTake } from "../memory/heap";
import { resultStatus } from "../result";
import { Connection, dirtyPush } from "./connection";
import { WS_BINARY, wsHeaderBytes, wsHeaderWrite } from "./websocket-out";

export const ENTRY_HEAD_BYTES: u32 = 4;

/** Room for `bytes` more at the end of the queue, 0 where it is full; the connection is at fault then. */
function controlReserve(connection: Connection, bytes: u32): u32 {
  const size = bytes + ENTRY_HEAD_BYTES;
  const used = connection.controlBytes;
  const waiting = used - connection.controlRead;
  if (waiting + size > CONTROL_BYTES_MAX || bytes > OUT_SLOT_BYTES) return controlFull(connection, waiting + size);
  if (used + size > connection.controlCapacity) {
    const wanted = max<u32>(64, min<u32>((waiting + size) * 2, CONTROL_BYTES_MAX));
    const at = heapTake(wanted);
    if (at === 0) return controlFull(connection, waiting + size);
    memory.copy(at, connection.controlAt + connection.controlRead, waiting);
    if (connection.controlAt !== 0) heapGive(connection.controlAt, connection.controlCapacity);
    connection.controlAt = at;
    connection.controlCapacity = heapBlockBytes(wanted);
    connection.controlRead = 0;
    connection.controlBytes = waiting;
  }
  dirtyPush(connection);
  const to = connection.controlAt + connection.controlBytes;
  store<u32>(to, bytes);
  connection.controlBytes += size;
  return to + ENTRY_HEAD_BYTES;
}

/** A peer that does not read its answers is closed by the host. */
function controlFull(connection: Connection, bytes: u32): u32 {
  connection.fault = resultStatus(STATUS_CONTROL_FULL, bytes, CONTROL_BYTES_MAX);
  dirtyPush(connection);
  return 0;
}

/** Copies whole answers of at most `bytesMax` together to `out`, one larger alone. Returns their bytes. */
export function controlTake(connection: Connection, out: u32, bytesMax: u32): u32 {
  let taken: u32 = 0;
  while (connection.controlRead < connection.controlBytes) {
    const at = connection.controlAt + connection.controlRead;
    const bytes = load<u32>(at);
    if (taken !== 0 && taken + bytes > bytesMax) return taken;
    memory.copy(out + taken, at + ENTRY_HEAD_BYTES, bytes);
    taken += bytes;
    connection.controlRead += ENTRY_HEAD_BYTES + bytes;
  }
  controlFree(connection);
  return taken;
}

/** Queues one HostFrame without size prefix. Returns STATUS_OK or STATUS_CONTROL_FULL. */
export function controlFrame(connection: Connection, at: u32, bytes: u32): u32 {
  const sized = varintBytes(bytes) + bytes;
  const header = connection.kind === CONNECTION_WEBSOCKET ? wsHeaderBytes(sized) : 0;
  let to = controlReserve(connection, header + sized);
  if (to === 0) return STATUS_CONTROL_FULL;
  if (header !== 0) to = wsHeaderWrite(to, WS_BINARY, sized);
  memory.copy(varintWrite(to, bytes), at, bytes);
  return STATUS_OK;
}

/** Queues a WebSocket control frame (close, ping, pong); no-op on connections without WebSocket framing. */
export function controlWebSocket(connection: Connection, opcode: u32, at: u32, bytes: u32): void {
  const size = 2 + bytes;
  if (connection.kind === CONNECTION_WEBSOCKET_JSON) {
    // The host renders frames of this kind; what must pass as it is travels in a frame of its own.
    const frame = 1 + varintBytes(size) + size;
    let to = controlReserve(connection, varintBytes(frame) + frame);
    if (to === 0) return;
    to = varintWrite(to, frame);
    store<u8>(to, <u8>FRAME_RAW_TAG);
    to = wsHeaderWrite(varintWrite(to + 1, size), opcode, bytes);
    memory.copy(to, at, bytes);
  } else if (connection.kind === CONNECTION_WEBSOCKET) {
    const to = controlReserve(connection, size);
    if (to !== 0) memory.copy(wsHeaderWrite(to, opcode, bytes), at, bytes);
  }
}

/** Frees the queue. */
export function controlFree(connection: Connection): void {
  if (connection.controlAt !== 0) heapGive(connection.controlAt, connection.controlCapacity);
  connection.controlAt = connection.controlBytes = connection.controlCapacity = connection.controlRead = 0;
}
