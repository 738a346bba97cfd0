"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.controlFrame = controlFrame;
exports.controlWebSocket = controlWebSocket;
exports.controlFree = controlFree;
/** Answers that wait for a connection, in front of its deliveries: bytes as they will be sent, WebSocket framing included. */
const abi_1 = require("../abi");
const wire_1 = require("../event/wire");
const heap_1 = require("../memory/heap");
const result_1 = require("../result");
const connection_1 = require("./connection");
const websocket_out_1 = require("./websocket-out");
/** Room for `bytes` more at the end of the queue, 0 where it is full; the connection is at fault then. */
function controlReserve(connection, bytes) {
    const used = connection.controlBytes;
    if (used + bytes > connection.controlCapacity) {
        const waiting = used - connection.controlRead;
        const at = waiting + bytes > abi_1.CONTROL_BYTES_MAX ? 0 : (0, heap_1.heapTake)(max(64, (waiting + bytes) * 2));
        if (at === 0) {
            connection.fault = (0, result_1.resultStatus)(abi_1.STATUS_CONTROL_FULL, waiting + bytes, abi_1.CONTROL_BYTES_MAX);
            (0, connection_1.dirtyPush)(connection);
            return 0;
        }
        memory.copy(at, connection.controlAt + connection.controlRead, waiting);
        if (connection.controlAt !== 0)
            (0, heap_1.heapGive)(connection.controlAt, connection.controlCapacity);
        connection.controlAt = at;
        connection.controlCapacity = (0, heap_1.heapBlockBytes)(max(64, (waiting + bytes) * 2));
        connection.controlRead = 0;
        connection.controlBytes = waiting;
    }
    (0, connection_1.dirtyPush)(connection);
    const to = connection.controlAt + connection.controlBytes;
    connection.controlBytes += bytes;
    return to;
}
/** Queues one HostFrame without size prefix. Returns STATUS_OK or STATUS_CONTROL_FULL. */
function controlFrame(connection, at, bytes) {
    const sized = (0, wire_1.varintBytes)(bytes) + bytes;
    const header = connection.kind === abi_1.CONNECTION_WEBSOCKET ? (0, websocket_out_1.wsHeaderBytes)(sized) : 0;
    let to = controlReserve(connection, header + sized);
    if (to === 0)
        return abi_1.STATUS_CONTROL_FULL;
    if (header !== 0)
        to = (0, websocket_out_1.wsHeaderWrite)(to, websocket_out_1.WS_BINARY, sized);
    memory.copy((0, wire_1.varintWrite)(to, bytes), at, bytes);
    return abi_1.STATUS_OK;
}
/** Queues a WebSocket control frame (close, ping, pong); no-op on connections without WebSocket framing. */
function controlWebSocket(connection, opcode, at, bytes) {
    const size = 2 + bytes;
    if (connection.kind === abi_1.CONNECTION_WEBSOCKET_JSON) {
        // The host renders frames of this kind; what must pass as it is travels in a frame of its own.
        const frame = 1 + (0, wire_1.varintBytes)(size) + size;
        let to = controlReserve(connection, (0, wire_1.varintBytes)(frame) + frame);
        if (to === 0)
            return;
        to = (0, wire_1.varintWrite)(to, frame);
        store(to, abi_1.FRAME_RAW_TAG);
        to = (0, websocket_out_1.wsHeaderWrite)((0, wire_1.varintWrite)(to + 1, size), opcode, bytes);
        memory.copy(to, at, bytes);
    }
    else if (connection.kind === abi_1.CONNECTION_WEBSOCKET) {
        const to = controlReserve(connection, size);
        if (to !== 0)
            memory.copy((0, websocket_out_1.wsHeaderWrite)(to, opcode, bytes), at, bytes);
    }
}
/** Frees the queue. */
function controlFree(connection) {
    if (connection.controlAt !== 0)
        (0, heap_1.heapGive)(connection.controlAt, connection.controlCapacity);
    connection.controlAt = connection.controlBytes = connection.controlCapacity = connection.controlRead = 0;
}
