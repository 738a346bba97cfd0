"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.closeWith = closeWith;
exports.frameTake = frameTake;
/**
 * Client frames. Publish, credit, ack, update and cancel are carried out here, on the bytes as they lie; everything
 * else goes up to the host. Source of the numbers: schemas/sluice/v1/frame.proto.
 */
const abi_1 = require("../abi");
const channel_1 = require("../channel/channel");
const utf8_1 = require("../event/utf8");
const wire_1 = require("../event/wire");
const decide_1 = require("../filter/decide");
const keys_1 = require("../mailbox/keys");
const fan_out_1 = require("../match/fan-out");
const outbox_1 = require("../match/outbox");
const result_1 = require("../result");
const again_1 = require("./again");
const attributes_1 = require("./attributes");
const connection_1 = require("./connection");
const publish_frame_1 = require("./publish-frame");
const KIND_PUBLISH = 2;
const KIND_CREDIT = 3;
const KIND_ACK = 4;
const KIND_UPDATE = 5;
const KIND_CANCEL = 6;
const KIND_LAST = 14;
/** Ends the conversation: the peer broke the protocol. */
function closeWith(connection, status, value, limit) {
    connection.closing = 1;
    (0, result_1.resultStatus)(status, value, limit);
    return abi_1.REASON_CLOSE;
}
/** Takes one ClientFrame. Returns a REASON_…. */
function frameTake(connection, at, bytes) {
    const end = at + bytes;
    let hasRef = 0;
    let ref = 0;
    let kind = 0;
    let bodyAt = 0;
    let bodyBytes = 0;
    (0, again_1.frameAgainClear)();
    for (let p = at; p < end;) {
        const tag = (0, wire_1.tagRead)(p, end);
        if (wire_1.cursor === 0)
            return closeWith(connection, abi_1.STATUS_MALFORMED, p - at, 0);
        const field = tag >> 3;
        if (field === 1) {
            if ((tag & 7) !== 0)
                return closeWith(connection, abi_1.STATUS_FRAME_KIND, field, 0);
            ref = (0, wire_1.varintRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return closeWith(connection, abi_1.STATUS_MALFORMED, p - at, 0);
            hasRef = 1;
            p = wire_1.cursor;
        }
        else if (field <= KIND_LAST) {
            if ((tag & 7) !== 2 || kind !== 0)
                return closeWith(connection, abi_1.STATUS_FRAME_KIND, field, 0);
            kind = field;
            bodyBytes = (0, wire_1.lengthRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return closeWith(connection, abi_1.STATUS_MALFORMED, p - at, 0);
            bodyAt = wire_1.cursor;
            p = wire_1.cursor + bodyBytes;
        }
        else {
            p = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
            if (p === 0)
                return closeWith(connection, abi_1.STATUS_MALFORMED, bytes, 0);
        }
    }
    if (kind === 0)
        return closeWith(connection, abi_1.STATUS_FRAME_KIND, 0, 0);
    (0, result_1.resultSet)(abi_1.RESULT_AT, at);
    (0, result_1.resultSet)(abi_1.RESULT_BYTES_AT, bytes);
    (0, result_1.resultSet)(abi_1.RESULT_HAS_REF, hasRef);
    (0, result_1.resultSet)(abi_1.RESULT_REF, ref);
    if (kind === KIND_PUBLISH) {
        const reason = (0, publish_frame_1.publishBegin)(connection, bodyAt, bodyBytes, hasRef, ref);
        if (reason === abi_1.REASON_CLOSE)
            connection.closing = 1;
        return reason;
    }
    (0, fan_out_1.rangeFlush)();
    if ((0, decide_1.parkedEvents)() !== 0) {
        (0, again_1.frameAgainSet)();
        return abi_1.REASON_DECIDE;
    }
    if (kind > KIND_CANCEL)
        return abi_1.REASON_CONTROL;
    const status = kind === KIND_CREDIT ? creditFrame(connection, bodyAt, bodyBytes)
        : kind === KIND_ACK ? ackFrame(connection, bodyAt, bodyBytes)
            : kind === KIND_UPDATE ? (0, attributes_1.memberUpdateFrame)(connection, bodyAt, bodyBytes)
                : cancelFrame(bodyAt, bodyBytes);
    if (status === abi_1.STATUS_MALFORMED)
        return closeWith(connection, status, 0, 0);
    if (status !== abi_1.STATUS_OK)
        return abi_1.REASON_PROBLEM;
    return hasRef !== 0 ? abi_1.REASON_ANSWER : abi_1.REASON_DONE;
}
/** More than this is as good as endless, and sums of it do not overflow. */
const CREDIT_MAX = 9007199254740991;
function creditFrame(connection, at, bytes) {
    const end = at + bytes;
    let events = 0;
    let size = 0;
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        if (wire_1.cursor === 0)
            return abi_1.STATUS_MALFORMED;
        if (tag === 0x18 || tag === 0x20) {
            const value = (0, wire_1.varintRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            const capped = value > CREDIT_MAX ? CREDIT_MAX : value;
            if (tag === 0x18)
                events = capped;
            else
                size = capped;
            at = wire_1.cursor;
        }
        else {
            if (tag >> 3 === 3 || tag >> 3 === 4)
                return abi_1.STATUS_MALFORMED;
            at = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
            if (at === 0)
                return abi_1.STATUS_MALFORMED;
        }
    }
    if (connection.creditExplicit === 0) {
        connection.creditExplicit = 1;
        connection.creditEvents = connection.creditBytes = 0;
    }
    connection.creditEvents = min(connection.creditEvents + events, CREDIT_MAX);
    connection.creditBytes = min(connection.creditBytes + size, CREDIT_MAX);
    (0, connection_1.dirtyPush)(connection);
    return abi_1.STATUS_OK;
}
/** Acknowledgements are checked and noted; redelivery will use them. */
function ackFrame(connection, at, bytes) {
    const end = at + bytes;
    let last = 0;
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        if (wire_1.cursor === 0)
            return abi_1.STATUS_MALFORMED;
        let valuesEnd = end;
        at = wire_1.cursor;
        if (tag === 0x12) {
            const size = (0, wire_1.lengthRead)(at, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            at = wire_1.cursor;
            valuesEnd = at + size;
        }
        else if (tag !== 0x08 && tag !== 0x10) {
            if (tag >> 3 <= 2)
                return abi_1.STATUS_MALFORMED;
            at = (0, wire_1.fieldSkip)(at, end, tag & 7);
            if (at === 0)
                return abi_1.STATUS_MALFORMED;
            continue;
        }
        do {
            if (at >= valuesEnd)
                break;
            const number = (0, wire_1.varintRead)(at, valuesEnd);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            at = wire_1.cursor;
            if (number === 0 || number > connection.delivered) {
                return (0, result_1.resultStatus)(abi_1.STATUS_ACK_UNKNOWN, number > 0xffffffff ? 0xffffffff : number, connection.delivered);
            }
            last = max(last, number);
        } while (tag === 0x12);
    }
    connection.acknowledged = max(connection.acknowledged, last);
    return abi_1.STATUS_OK;
}
function cancelFrame(at, bytes) {
    const end = at + bytes;
    let number = 0;
    let keyAt = 0;
    let keyBytes = 0;
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        if (wire_1.cursor === 0)
            return abi_1.STATUS_MALFORMED;
        if (tag === 0x0a || tag === 0x1a) {
            const size = (0, wire_1.lengthRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            at = wire_1.cursor + size;
            if (tag === 0x0a) {
                if (number === 0)
                    number = (0, channel_1.channelByName)(wire_1.cursor, size);
            }
            else {
                keyAt = wire_1.cursor;
                keyBytes = size;
            }
        }
        else if (tag === 0x10) {
            const value = (0, wire_1.varintRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            number = value > 0xffffffff ? 0xffffffff : value;
            at = wire_1.cursor;
        }
        else {
            if (tag >> 3 <= 3 || tag === 0x22)
                return abi_1.STATUS_MALFORMED;
            at = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
            if (at === 0)
                return abi_1.STATUS_MALFORMED;
        }
    }
    if (keyBytes > abi_1.KEY_BYTES_MAX)
        return (0, result_1.resultStatus)(abi_1.STATUS_KEY_TOO_LONG, keyBytes, abi_1.KEY_BYTES_MAX);
    if (!(0, utf8_1.utf8Valid)(keyAt, keyBytes))
        return (0, result_1.resultStatus)(abi_1.STATUS_NOT_UTF8, 3, 0);
    const channel = (0, channel_1.channelFind)(number);
    if (channel === null)
        return (0, result_1.resultStatus)(abi_1.STATUS_CHANNEL_UNKNOWN, number, 0);
    if (keyBytes !== 0) {
        (0, keys_1.keysCancel)(number, keyAt, keyBytes);
        (0, outbox_1.outboxesCancel)(channel, keyAt, keyBytes);
    }
    return abi_1.STATUS_OK;
}
