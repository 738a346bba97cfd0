/**
 * WebSocket framing of a server, in place: payloads are unmasked where they lie and fed on without a copy.
 * No extensions. Source: RFC 6455 §5 (framing), §5.4 (fragmentation), §5.5 (control frames), §7.4 (close codes), §8.1.
 */
import {
  CONNECTION_WEBSOCKET_JSON,
  FRAME_BYTES_MAX,
  REASON_CLOSED,
  REASON_DECIDE,
  REASON_DONE,
  REASON_TEXT,
  RESULT_AT,
  RESULT_BYTES_AT,
  RESULT_VALUE,
  STATUS_FRAME_TOO_LARGE,
  STATUS_WEBSOCKET,
  STATUS_WEBSOCKET_KIND,
  STATUS_WEBSOCKET_SPLIT,
  STATUS_WEBSOCKET_UTF8,
} from "../abi";
import { utf8Valid } from "../event/utf8";
import { parkedEvents } from "../filter/parked";
import { resultSet } from "../result";
import { Connection, WS_CONTROL_OFFSET, WS_HEADER_OFFSET } from "./connection";
import { controlWebSocket } from "./control";
import { closeWith } from "./frames";
import { pacePong } from "./pace";
import { carryAppend, streamFeed, streamReason } from "./stream";
import { WS_BINARY, WS_CLOSE, WS_CONTINUATION, WS_PING, WS_PONG, WS_TEXT } from "./websocket-out";

const STATE_HEADER: u32 = 0;
const STATE_PAYLOAD: u32 = 1;
/** A binary frame may hold many size-delimited frames; beyond this it is hostile. */
const PAYLOAD_BYTES_MAX: u64 = 1 << 30;
/** RFC 6455 §7.4.1: no code was given. */
const CLOSE_NO_CODE: u32 = 1005;

/** Why the last websocketFeed() stopped: a REASON_…. */
export let websocketReason: u32 = 0;

/** Takes bytes of the connection. Returns how many were consumed; the reason is in websocketReason. */
export function websocketFeed(connection: Connection, at: u32, bytes: u32): u32 {
  const end = at + bytes;
  let p = at;
  websocketReason = REASON_DONE;
  while (websocketReason === REASON_DONE) {
    if (connection.wsState === STATE_HEADER) {
      if (p === end) break;
      p = headerTake(connection, p, end);
    } else if (connection.wsRemaining === 0) {
      frameEnd(connection);
    } else {
      if (p === end) break;
      p = payloadTake(connection, p, end);
    }
  }
  return p - at;
}

/** Gathers a header and checks it as soon as it is complete. */
function headerTake(connection: Connection, p: u32, end: u32): u32 {
  const header = changetype<u32>(connection) + WS_HEADER_OFFSET;
  let have = connection.wsHeaderBytes;
  while (p < end) {
    store<u8>(header + have++, load<u8>(p++));
    if (have >= 2 && have === headerSize(load<u8>(header, 1))) {
      connection.wsHeaderBytes = 0;
      headerCheck(connection, header, have);
      return p;
    }
  }
  connection.wsHeaderBytes = have;
  return p;
}

function headerSize(second: u32): u32 {
  const length = second & 0x7f;
  return (second & 0x80 ? 6 : 2) + (length === 126 ? 2 : length === 127 ? 8 : 0);
}

function headerCheck(connection: Connection, header: u32, size: u32): void {
  const first = <u32>load<u8>(header);
  const second = <u32>load<u8>(header, 1);
  const opcode = first & 15;
  const final = first >> 7;
  const short = second & 0x7f;
  let length: u64 = short;
  if (short === 126) length = bswap<u16>(load<u16>(header, 2));
  else if (short === 127) length = bswap<u64>(load<u64>(header, 2));
  const control = (opcode & 8) !== 0;
  const known = opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
  // Reserved bits, masking, shortest length; then control frames; then the order of fragments.
  const wrong =
    (first & 0x70) !== 0 ||
    !known ||
    second < 0x80 ||
    (short === 126 && length < 126) ||
    (short === 127 && length < 65536) ||
    (control && (final === 0 || short > 125)) ||
    (!control && (opcode === WS_CONTINUATION) !== (connection.wsMessage !== 0));
  if (wrong) {
    websocketReason = closeWith(connection, STATUS_WEBSOCKET, opcode, 0);
    return;
  }
  const json = connection.kind === CONNECTION_WEBSOCKET_JSON;
  if ((opcode === WS_TEXT && !json) || (opcode === WS_BINARY && json)) {
    websocketReason = closeWith(connection, STATUS_WEBSOCKET_KIND, opcode, 0);
    return;
  }
  const limit: u64 = json ? FRAME_BYTES_MAX : PAYLOAD_BYTES_MAX;
  if (!control && length + (json ? connection.carryBytes : 0) > limit) {
    const value: u32 = length > 0xffffffff ? 0xffffffff : <u32>length;
    websocketReason = closeWith(connection, STATUS_FRAME_TOO_LARGE, value, <u32>limit);
    return;
  }
  connection.wsState = STATE_PAYLOAD;
  connection.wsOpcode = opcode;
  connection.wsFinal = final;
  connection.wsRemaining = length;
  connection.wsMask = load<u32>(header + size - 4);
  connection.wsPhase = connection.wsClear = connection.wsControlBytes = 0;
  if (!control && opcode !== WS_CONTINUATION) connection.wsMessage = opcode;
}

function payloadTake(connection: Connection, p: u32, end: u32): u32 {
  const span: u32 = connection.wsRemaining < <u64>(end - p) ? <u32>connection.wsRemaining : end - p;
  // What was unmasked when a frame in it had to wait must not be masked again.
  const clear = min<u32>(span, connection.wsClear);
  if (clear < span) {
    unmask(p + clear, span - clear, rotr<u32>(connection.wsMask, <u32>((connection.wsPhase & 3) << 3)));
    connection.wsPhase += span - clear;
    connection.wsClear = span;
  }
  let used = span;
  if ((connection.wsOpcode & 8) !== 0) {
    memory.copy(changetype<u32>(connection) + WS_CONTROL_OFFSET + connection.wsControlBytes, p, span);
    connection.wsControlBytes += span;
  } else if (connection.kind === CONNECTION_WEBSOCKET_JSON) {
    used = textTake(connection, p, span);
  } else {
    used = streamFeed(connection, p, span);
    websocketReason = streamReason;
  }
  connection.wsClear -= used;
  connection.wsRemaining -= used;
  return p + used;
}

/** A whole message in one piece is handed up where it lies; else it is gathered in the carry. */
function textTake(connection: Connection, p: u32, span: u32): u32 {
  if (connection.wsRemaining === span && connection.wsFinal !== 0 && connection.carryBytes === 0) {
    if (parkedEvents() !== 0) {
      websocketReason = REASON_DECIDE;
      return 0;
    }
    textHandUp(connection, p, span);
    connection.wsMessage = 0;
    return span;
  }
  carryAppend(connection, p, p + span);
  if (connection.closing !== 0) websocketReason = streamReason;
  return span;
}

function textHandUp(connection: Connection, at: u32, bytes: u32): void {
  if (!utf8Valid(at, bytes)) {
    websocketReason = closeWith(connection, STATUS_WEBSOCKET_UTF8, 0, 0);
    return;
  }
  resultSet(RESULT_AT, at);
  resultSet(RESULT_BYTES_AT, bytes);
  websocketReason = REASON_TEXT;
}

/** The payload of a frame is complete. */
function frameEnd(connection: Connection): void {
  const opcode = connection.wsOpcode;
  if ((opcode & 8) !== 0) {
    connection.wsState = STATE_HEADER;
    controlEnd(connection, opcode);
    return;
  }
  if (connection.wsFinal === 0 || connection.wsMessage === 0) {
    connection.wsState = STATE_HEADER;
    return;
  }
  if (connection.kind !== CONNECTION_WEBSOCKET_JSON) {
    connection.wsState = STATE_HEADER;
    connection.wsMessage = 0;
    if (connection.carryBytes !== 0)
      websocketReason = closeWith(connection, STATUS_WEBSOCKET_SPLIT, connection.carryBytes, 0);
    return;
  }
  if (parkedEvents() !== 0) {
    websocketReason = REASON_DECIDE;
    return;
  }
  connection.wsState = STATE_HEADER;
  connection.wsMessage = 0;
  const bytes = connection.carryBytes;
  // The bytes stay valid until the next input of this connection.
  connection.carryBytes = 0;
  textHandUp(connection, connection.carryAt, bytes);
}

function controlEnd(connection: Connection, opcode: u32): void {
  const at = changetype<u32>(connection) + WS_CONTROL_OFFSET;
  const bytes = connection.wsControlBytes;
  if (opcode === WS_PING) {
    controlWebSocket(connection, WS_PONG, at, bytes);
    return;
  }
  if (opcode === WS_PONG) {
    pacePong(connection, at, bytes);
    return;
  }
  let code = CLOSE_NO_CODE;
  if (bytes !== 0) {
    code = bytes === 1 ? 0 : <u32>bswap<u16>(load<u16>(at));
    if (!closeCodeValid(code) || !utf8Valid(at + 2, bytes - 2)) {
      websocketReason = closeWith(connection, STATUS_WEBSOCKET, WS_CLOSE, 0);
      return;
    }
  }
  connection.closing = 1;
  controlWebSocket(connection, WS_CLOSE, at, bytes === 0 ? 0 : 2);
  resultSet(RESULT_VALUE, code);
  websocketReason = REASON_CLOSED;
}

/** RFC 6455 §7.4: what a peer may send. */
function closeCodeValid(code: u32): bool {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code < 5000)
  );
}

/** XORs with the mask, 16 bytes at a time. `mask` is rotated to the first byte. */
function unmask(at: u32, bytes: u32, mask: u32): void {
  const end = at + bytes;
  const wide = i32x4.splat(mask);
  for (; at + 16 <= end; at += 16) v128.store(at, v128.xor(v128.load(at), wide));
  for (; at < end; at++) {
    store<u8>(at, load<u8>(at) ^ <u8>mask);
    mask = rotr<u32>(mask, 8);
  }
}
