"use strict";
/** Server-side WebSocket headers, never masked. Source: RFC 6455 §5.2. */
Object.defineProperty(exports, "__esModule", { value: true });
exports.WS_HEADER_BYTES_MAX = exports.WS_PONG = exports.WS_PING = exports.WS_CLOSE = exports.WS_BINARY = exports.WS_TEXT = exports.WS_CONTINUATION = void 0;
exports.wsHeaderBytes = wsHeaderBytes;
exports.wsHeaderWrite = wsHeaderWrite;
exports.WS_CONTINUATION = 0;
exports.WS_TEXT = 1;
exports.WS_BINARY = 2;
exports.WS_CLOSE = 8;
exports.WS_PING = 9;
exports.WS_PONG = 10;
/** Largest header that a server writes. */
exports.WS_HEADER_BYTES_MAX = 10;
/** Bytes of the header of a payload. */
function wsHeaderBytes(payload) {
    return payload < 126 ? 2 : payload < 65536 ? 4 : 10;
}
/** Writes the header of a final frame; returns where the payload goes. */
function wsHeaderWrite(at, opcode, payload) {
    store(at, 0x80 | opcode);
    if (payload < 126) {
        store(at, payload, 1);
        return at + 2;
    }
    if (payload < 65536) {
        store(at, 126, 1);
        store(at, bswap(payload), 2);
        return at + 4;
    }
    store(at, 127, 1);
    store(at, bswap(payload), 2);
    return at + 10;
}
