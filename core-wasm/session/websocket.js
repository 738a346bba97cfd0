"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.websocketReason = void 0;
exports.websocketFeed = websocketFeed;
/**
 * WebSocket framing of a server, in place: payloads are unmasked where they lie and fed on without a copy.
 * No extensions. Source: RFC 6455 §5 (framing), §5.4 (fragmentation), §5.5 (control frames), §7.4 (close codes), §8.1.
 */
const abi_1 = require("../abi");
const utf8_1 = require("../event/utf8");
const decide_1 = require("../filter/decide");
const result_1 = require("../result");
const connection_1 = require("./connection");
const control_1 = require("./control");
const frames_1 = require("./frames");
const stream_1 = require("./stream");
const websocket_out_1 = require("./websocket-out");
const STATE_HEADER = 0;
const STATE_PAYLOAD = 1;
/** A binary frame may hold many size-delimited frames; beyond this it is hostile. */
const PAYLOAD_BYTES_MAX = 1 << 30;
/** RFC 6455 §7.4.1: no code was given. */
const CLOSE_NO_CODE = 1005;
/** Why the last websocketFeed() stopped: a REASON_…. */
exports.websocketReason = 0;
/** Takes bytes of the connection. Returns how many were consumed; the reason is in websocketReason. */
function websocketFeed(connection, at, bytes) {
    const end = at + bytes;
    let p = at;
    exports.websocketReason = abi_1.REASON_DONE;
    while (exports.websocketReason === abi_1.REASON_DONE) {
        if (connection.wsState === STATE_HEADER) {
            if (p === end)
                break;
            p = headerTake(connection, p, end);
        }
        else if (connection.wsRemaining === 0) {
            frameEnd(connection);
        }
        else {
            if (p === end)
                break;
            p = payloadTake(connection, p, end);
        }
    }
    return p - at;
}
/** Gathers a header and checks it as soon as it is complete. */
function headerTake(connection, p, end) {
    const header = changetype(connection) + connection_1.WS_HEADER_OFFSET;
    let have = connection.wsHeaderBytes;
    while (p < end) {
        store(header + have++, load(p++));
        if (have >= 2 && have === headerSize(load(header, 1))) {
            connection.wsHeaderBytes = 0;
            headerCheck(connection, header, have);
            return p;
        }
    }
    connection.wsHeaderBytes = have;
    return p;
}
function headerSize(second) {
    const length = second & 0x7f;
    return (second & 0x80 ? 6 : 2) + (length === 126 ? 2 : length === 127 ? 8 : 0);
}
function headerCheck(connection, header, size) {
    const first = load(header);
    const second = load(header, 1);
    const opcode = first & 15;
    const final = first >> 7;
    const short = second & 0x7f;
    let length = short;
    if (short === 126)
        length = bswap(load(header, 2));
    else if (short === 127)
        length = bswap(load(header, 2));
    const control = (opcode & 8) !== 0;
    const known = opcode <= websocket_out_1.WS_BINARY || (opcode >= websocket_out_1.WS_CLOSE && opcode <= websocket_out_1.WS_PONG);
    // Reserved bits, masking, shortest length; then control frames; then the order of fragments.
    const wrong = (first & 0x70) !== 0 || !known || second < 0x80 ||
        (short === 126 && length < 126) || (short === 127 && length < 65536) ||
        (control && (final === 0 || short > 125)) ||
        (!control && (opcode === websocket_out_1.WS_CONTINUATION) !== (connection.wsMessage !== 0));
    if (wrong) {
        exports.websocketReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_WEBSOCKET, opcode, 0);
        return;
    }
    const json = connection.kind === abi_1.CONNECTION_WEBSOCKET_JSON;
    if ((opcode === websocket_out_1.WS_TEXT && !json) || (opcode === websocket_out_1.WS_BINARY && json)) {
        exports.websocketReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_WEBSOCKET_KIND, opcode, 0);
        return;
    }
    const limit = json ? abi_1.FRAME_BYTES_MAX : PAYLOAD_BYTES_MAX;
    if (!control && length + (json ? connection.carryBytes : 0) > limit) {
        const value = length > 0xffffffff ? 0xffffffff : length;
        exports.websocketReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_FRAME_TOO_LARGE, value, limit);
        return;
    }
    connection.wsState = STATE_PAYLOAD;
    connection.wsOpcode = opcode;
    connection.wsFinal = final;
    connection.wsRemaining = length;
    connection.wsMask = load(header + size - 4);
    connection.wsPhase = connection.wsClear = connection.wsControlBytes = 0;
    if (!control && opcode !== websocket_out_1.WS_CONTINUATION)
        connection.wsMessage = opcode;
}
function payloadTake(connection, p, end) {
    const span = connection.wsRemaining < (end - p) ? connection.wsRemaining : end - p;
    // What was unmasked when a frame in it had to wait must not be masked again.
    const clear = min(span, connection.wsClear);
    if (clear < span) {
        unmask(p + clear, span - clear, rotr(connection.wsMask, ((connection.wsPhase & 3) << 3)));
        connection.wsPhase += span - clear;
        connection.wsClear = span;
    }
    let used = span;
    if ((connection.wsOpcode & 8) !== 0) {
        memory.copy(changetype(connection) + connection_1.WS_CONTROL_OFFSET + connection.wsControlBytes, p, span);
        connection.wsControlBytes += span;
    }
    else if (connection.kind === abi_1.CONNECTION_WEBSOCKET_JSON) {
        used = textTake(connection, p, span);
    }
    else {
        used = (0, stream_1.streamFeed)(connection, p, span);
        exports.websocketReason = stream_1.streamReason;
    }
    connection.wsClear -= used;
    connection.wsRemaining -= used;
    return p + used;
}
/** A whole message in one piece is handed up where it lies; else it is gathered in the carry. */
function textTake(connection, p, span) {
    if (connection.wsRemaining === span && connection.wsFinal !== 0 && connection.carryBytes === 0) {
        if ((0, decide_1.parkedEvents)() !== 0) {
            exports.websocketReason = abi_1.REASON_DECIDE;
            return 0;
        }
        textHandUp(connection, p, span);
        connection.wsMessage = 0;
        return span;
    }
    (0, stream_1.carryAppend)(connection, p, p + span);
    if (connection.closing !== 0)
        exports.websocketReason = stream_1.streamReason;
    return span;
}
function textHandUp(connection, at, bytes) {
    if (!(0, utf8_1.utf8Valid)(at, bytes)) {
        exports.websocketReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_WEBSOCKET_UTF8, 0, 0);
        return;
    }
    (0, result_1.resultSet)(abi_1.RESULT_AT, at);
    (0, result_1.resultSet)(abi_1.RESULT_BYTES_AT, bytes);
    exports.websocketReason = abi_1.REASON_TEXT;
}
/** The payload of a frame is complete. */
function frameEnd(connection) {
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
    if (connection.kind !== abi_1.CONNECTION_WEBSOCKET_JSON) {
        connection.wsState = STATE_HEADER;
        connection.wsMessage = 0;
        if (connection.carryBytes !== 0)
            exports.websocketReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_WEBSOCKET_SPLIT, connection.carryBytes, 0);
        return;
    }
    if ((0, decide_1.parkedEvents)() !== 0) {
        exports.websocketReason = abi_1.REASON_DECIDE;
        return;
    }
    connection.wsState = STATE_HEADER;
    connection.wsMessage = 0;
    const bytes = connection.carryBytes;
    // The bytes stay valid until the next input of this connection.
    connection.carryBytes = 0;
    textHandUp(connection, connection.carryAt, bytes);
}
function controlEnd(connection, opcode) {
    const at = changetype(connection) + connection_1.WS_CONTROL_OFFSET;
    const bytes = connection.wsControlBytes;
    if (opcode === websocket_out_1.WS_PING) {
        (0, control_1.controlWebSocket)(connection, websocket_out_1.WS_PONG, at, bytes);
        return;
    }
    if (opcode === websocket_out_1.WS_PONG)
        return;
    let code = CLOSE_NO_CODE;
    if (bytes !== 0) {
        code = bytes === 1 ? 0 : bswap(load(at));
        if (!closeCodeValid(code) || !(0, utf8_1.utf8Valid)(at + 2, bytes - 2)) {
            exports.websocketReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_WEBSOCKET, websocket_out_1.WS_CLOSE, 0);
            return;
        }
    }
    connection.closing = 1;
    (0, control_1.controlWebSocket)(connection, websocket_out_1.WS_CLOSE, at, bytes === 0 ? 0 : 2);
    (0, result_1.resultSet)(abi_1.RESULT_VALUE, code);
    exports.websocketReason = abi_1.REASON_CLOSED;
}
/** RFC 6455 §7.4: what a peer may send. */
function closeCodeValid(code) {
    return (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code < 5000);
}
/** XORs with the mask, 16 bytes at a time. `mask` is rotated to the first byte. */
function unmask(at, bytes, mask) {
    const end = at + bytes;
    const wide = i32x4.splat(mask);
    for (; at + 16 <= end; at += 16)
        v128.store(at, v128.xor(v128.load(at), wide));
    for (; at < end; at++) {
        store(at, load(at) ^ mask);
        mask = rotr(mask, 8);
    }
}
