"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.connectionIngest = connectionIngest;
exports.connectionIngestFrame = connectionIngestFrame;
/** Input of a connection, whatever its kind: the resumable way in (design.md §3). */
const abi_1 = require("../abi");
const decide_1 = require("../filter/decide");
const fan_out_1 = require("../match/fan-out");
const result_1 = require("../result");
const frames_1 = require("./frames");
const publish_frame_1 = require("./publish-frame");
const stream_1 = require("./stream");
const websocket_1 = require("./websocket");
/** See CoreExports.ingest(). */
function connectionIngest(connection, at, bytes) {
    let consumed = 0;
    let reason = abi_1.REASON_DONE;
    if (connection.closing !== 0) {
        consumed = bytes;
    }
    else {
        if (connection.resumeAt !== 0)
            reason = (0, publish_frame_1.publishContinue)(connection);
        if (reason === abi_1.REASON_DONE) {
            if (connection.kind === abi_1.CONNECTION_STREAM || connection.kind === abi_1.CONNECTION_LOCAL) {
                consumed = (0, stream_1.streamFeed)(connection, at, bytes);
                reason = stream_1.streamReason;
            }
            else {
                consumed = (0, websocket_1.websocketFeed)(connection, at, bytes);
                reason = websocket_1.websocketReason;
            }
        }
    }
    finish(reason);
    if (reason === abi_1.REASON_DONE && connection.carryBytes === 0 && connection.resumeAt === 0)
        (0, stream_1.carryFree)(connection);
    return consumed;
}
/** See CoreExports.ingestFrame(). */
function connectionIngestFrame(connection, at, bytes) {
    finish((0, frames_1.frameTake)(connection, at, bytes));
}
/** What is parked is decided before the flush; ranges are fanned out before anybody looks. */
function finish(reason) {
    (0, fan_out_1.rangeFlush)();
    if (reason === abi_1.REASON_DONE && (0, decide_1.parkedEvents)() !== 0)
        reason = abi_1.REASON_DECIDE;
    if (reason === abi_1.REASON_DECIDE)
        (0, result_1.resultSet)(abi_1.RESULT_COUNT, (0, decide_1.parkedEvents)());
    (0, result_1.resultSet)(abi_1.RESULT_REASON, reason);
}
