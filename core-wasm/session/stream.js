"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.streamReason = void 0;
exports.streamFeed = streamFeed;
exports.carryAppend = carryAppend;
exports.carryFree = carryFree;
/**
 * A stream of size-delimited frames, split anywhere. Whole frames are taken where they lie; one that is cut off is
 * gathered in the connection's carry, whose block grows with what really came, not with what a peer claims.
 */
const abi_1 = require("../abi");
const wire_1 = require("../event/wire");
const heap_1 = require("../memory/heap");
const again_1 = require("./again");
const frames_1 = require("./frames");
/** A size of FRAME_BYTES_MAX takes at most this many bytes; a longer prefix is hostile. */
const PREFIX_BYTES_MAX = 5;
const CARRY_BYTES_MIN = 64;
/** Why the last streamFeed() stopped: a REASON_…. */
exports.streamReason = 0;
/** Takes bytes of the stream. Returns how many were consumed; the reason is in streamReason. */
function streamFeed(connection, at, bytes) {
    const end = at + bytes;
    let p = at;
    exports.streamReason = abi_1.REASON_DONE;
    while (exports.streamReason === abi_1.REASON_DONE) {
        if (connection.carryBytes !== 0) {
            p = carryFill(connection, p, end);
            if (exports.streamReason !== abi_1.REASON_DONE)
                break;
            if (connection.carryNeed === 0 || connection.carryBytes !== connection.carryNeed)
                break;
            carryTake(connection);
            continue;
        }
        if (p === end)
            break;
        const size = (0, wire_1.varintRead)(p, min(end, p + PREFIX_BYTES_MAX));
        if (wire_1.cursor === 0) {
            if (end - p >= PREFIX_BYTES_MAX) {
                exports.streamReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_FRAME_TOO_LARGE, 0xffffffff, abi_1.FRAME_BYTES_MAX);
            }
            else {
                p = carryAppend(connection, p, end);
            }
            break;
        }
        if (size > abi_1.FRAME_BYTES_MAX) {
            exports.streamReason = tooLarge(connection, size);
            break;
        }
        const frameAt = wire_1.cursor;
        if (size > (end - frameAt)) {
            connection.carryNeed = frameAt - p + size;
            p = carryAppend(connection, p, end);
            break;
        }
        exports.streamReason = (0, frames_1.frameTake)(connection, frameAt, size);
        if (again_1.frameAgain)
            break;
        p = frameAt + size;
    }
    return p - at;
}
function tooLarge(connection, size) {
    return (0, frames_1.closeWith)(connection, abi_1.STATUS_FRAME_TOO_LARGE, size > 0xffffffff ? 0xffffffff : size, abi_1.FRAME_BYTES_MAX);
}
/** Moves bytes to the carry until its frame is complete; returns the address after them. */
function carryFill(connection, p, end) {
    while (connection.carryNeed === 0 && p < end) {
        // The size prefix itself is cut off: byte by byte until it is known.
        p = carryAppend(connection, p, p + 1);
        if (exports.streamReason !== abi_1.REASON_DONE)
            return p;
        const size = (0, wire_1.varintRead)(connection.carryAt, connection.carryAt + connection.carryBytes);
        if (wire_1.cursor === 0) {
            if (connection.carryBytes >= PREFIX_BYTES_MAX) {
                exports.streamReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_FRAME_TOO_LARGE, 0xffffffff, abi_1.FRAME_BYTES_MAX);
                return p;
            }
        }
        else if (size > abi_1.FRAME_BYTES_MAX) {
            exports.streamReason = tooLarge(connection, size);
            return p;
        }
        else {
            connection.carryNeed = wire_1.cursor - connection.carryAt + size;
        }
    }
    if (connection.carryNeed === 0)
        return p;
    const missing = connection.carryNeed - connection.carryBytes;
    return carryAppend(connection, p, min(end, p + missing));
}
/** Takes the complete frame in the carry; its bytes stay valid until the next input. */
function carryTake(connection) {
    const frameEnd = connection.carryAt + connection.carryNeed;
    const size = (0, wire_1.varintRead)(connection.carryAt, frameEnd);
    exports.streamReason = (0, frames_1.frameTake)(connection, wire_1.cursor, size);
    if (again_1.frameAgain)
        return;
    connection.carryBytes = connection.carryNeed = 0;
}
/** Appends [p, end) to the carry; returns `end`. */
function carryAppend(connection, p, end) {
    const bytes = end - p;
    if (bytes === 0)
        return end;
    const total = connection.carryBytes + bytes;
    if (total > connection.carryCapacity) {
        const wanted = max(CARRY_BYTES_MIN, total > connection.carryBytes * 2 ? total : connection.carryBytes * 2);
        const at = (0, heap_1.heapTake)(wanted);
        if (at === 0) {
            exports.streamReason = (0, frames_1.closeWith)(connection, abi_1.STATUS_STORE_FULL, total, 0);
            return end;
        }
        memory.copy(at, connection.carryAt, connection.carryBytes);
        if (connection.carryAt !== 0)
            (0, heap_1.heapGive)(connection.carryAt, connection.carryCapacity);
        connection.carryAt = at;
        connection.carryCapacity = (0, heap_1.heapBlockBytes)(wanted);
    }
    memory.copy(connection.carryAt + connection.carryBytes, p, bytes);
    connection.carryBytes = total;
    return end;
}
/** Frees the carry's block. */
function carryFree(connection) {
    if (connection.carryAt !== 0)
        (0, heap_1.heapGive)(connection.carryAt, connection.carryCapacity);
    connection.carryAt = connection.carryCapacity = connection.carryBytes = connection.carryNeed = 0;
}
