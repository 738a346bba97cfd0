"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.publishBegin = publishBegin;
exports.publishContinue = publishContinue;
/**
 * Publish frames: the hottest way in. The envelope is checked as a whole before the first event takes effect; then the
 * events go one by one, and the frame can be left between any two of them and taken up again.
 */
const abi_1 = require("../abi");
const channel_1 = require("../channel/channel");
const member_1 = require("../channel/member");
const clock_1 = require("../clock");
const wire_1 = require("../event/wire");
const decide_1 = require("../filter/decide");
const publish_1 = require("../match/publish");
const result_1 = require("../result");
const statistics_1 = require("../statistics");
const again_1 = require("./again");
const TAG_CHANNEL = 0x0a;
const TAG_CHANNEL_NUMBER = 0x10;
const TAG_EVENT = 0x1a;
const TAG_NUMBER = 0x20;
const NOT_SHORT = 0xffffffff;
/** Address after the length that shortLength() read. */
let shortEnd = 0;
/** A length of one or two bytes, both of which can be read; NOT_SHORT where it is longer. */
function shortLength(at) {
    const first = load(at);
    shortEnd = at + 1;
    if (first < 0x80)
        return first;
    const second = load(at, 1);
    shortEnd = at + 2;
    return second < 0x80 ? (first & 0x7f) | (second << 7) : NOT_SHORT;
}
/** Begins a Publish at [at, at + bytes). Returns a REASON_…. */
function publishBegin(connection, at, bytes, hasRef, ref) {
    const end = at + bytes;
    let number = 0;
    let named = false;
    let events = 0;
    for (let p = at; p < end;) {
        // Nearly all fields are events with a one-byte tag and a length of one or two bytes.
        if (p + 3 <= end && load(p) === TAG_EVENT) {
            const size = shortLength(p + 1);
            if (size <= end - shortEnd) {
                events++;
                p = shortEnd + size;
                continue;
            }
        }
        const tag = (0, wire_1.tagRead)(p, end);
        if (wire_1.cursor === 0)
            return malformed(p - at);
        if (tag === TAG_EVENT) {
            const size = (0, wire_1.lengthRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return malformed(p - at);
            events++;
            p = wire_1.cursor + size;
        }
        else if (tag === TAG_CHANNEL_NUMBER || tag === TAG_NUMBER) {
            const value = (0, wire_1.varintRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return malformed(p - at);
            if (tag === TAG_CHANNEL_NUMBER)
                number = value > 0xffffffff ? 0xffffffff : value;
            p = wire_1.cursor;
        }
        else if (tag === TAG_CHANNEL) {
            const size = (0, wire_1.lengthRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return malformed(p - at);
            p = wire_1.cursor + size;
            named = true;
            if (number === 0)
                number = (0, channel_1.channelByName)(wire_1.cursor, size);
        }
        else {
            if (tag >> 3 <= 4)
                return malformed(p - at);
            p = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
            if (p === 0)
                return malformed(bytes);
        }
    }
    let source = connection.cacheSource;
    if (connection.cacheChannel !== number || source === 0) {
        if (!named && (0, channel_1.channelFind)(number) === null) {
            (0, result_1.resultStatus)(abi_1.STATUS_CHANNEL_UNKNOWN, number, 0);
            return abi_1.REASON_PROBLEM;
        }
        source = (0, member_1.pairWithRole)(connection.number, number, abi_1.ROLE_SOURCE);
        if (source === 0) {
            if ((0, decide_1.parkedEvents)() === 0)
                return abi_1.REASON_SOURCE;
            (0, again_1.frameAgainSet)();
            return abi_1.REASON_DECIDE;
        }
        connection.cacheChannel = number;
        connection.cacheSource = source;
    }
    if (hasRef !== 0 && events > abi_1.PUBLISH_EVENTS_MAX) {
        (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, events, abi_1.PUBLISH_EVENTS_MAX);
        return abi_1.REASON_PROBLEM;
    }
    connection.resumeAt = at;
    connection.resumeEnd = end;
    connection.resumeSource = source;
    connection.resumeHasRef = hasRef;
    connection.resumeRef = ref;
    connection.resumeIndex = 0;
    return publishContinue(connection);
}
/** Goes on with the publish frame under way. Returns a REASON_…; REASON_DONE when it is finished. */
function publishContinue(connection) {
    const source = changetype(connection.resumeSource);
    const channel = (0, channel_1.channelAt)(source.channel);
    const hasRef = connection.resumeHasRef;
    const end = connection.resumeEnd;
    let at = connection.resumeAt;
    let events = 0;
    let size = 0;
    let reason = abi_1.REASON_DONE;
    while (at < end) {
        if (channel.decider !== 0 && (0, decide_1.parkedFull)()) {
            reason = abi_1.REASON_DECIDE;
            break;
        }
        let bytes = NOT_SHORT;
        if (at + 3 <= end && load(at) === TAG_EVENT)
            bytes = shortLength(at + 1);
        let eventAt = shortEnd;
        if (bytes === NOT_SHORT) {
            const tag = (0, wire_1.tagRead)(at, end);
            if (tag !== TAG_EVENT) {
                at = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
                continue;
            }
            bytes = (0, wire_1.lengthRead)(wire_1.cursor, end);
            eventAt = wire_1.cursor;
        }
        at = eventAt + bytes;
        const index = connection.resumeIndex++;
        const status = (0, publish_1.publishEvent)(connection, source, channel, eventAt, bytes, clock_1.nowMs, hasRef !== 0 ? index : decide_1.NO_RECEIPT);
        if (hasRef !== 0)
            receiptWrite(index, status, channel.number);
        if (status === abi_1.STATUS_OK) {
            events++;
            size += bytes;
        }
        else {
            (0, statistics_1.statisticAdd)(abi_1.STATISTIC_REFUSED, 1);
            if (hasRef === 0) {
                (0, result_1.resultSet)(abi_1.RESULT_HAS_REF, 0);
                (0, result_1.resultSet)(abi_1.RESULT_INDEX, index);
                (0, result_1.resultSet)(abi_1.RESULT_CHANNEL, channel.number);
                reason = abi_1.REASON_PROBLEM;
                break;
            }
        }
    }
    connection.resumeAt = at;
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_EVENTS_IN, events);
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_BYTES_IN, size);
    // What waits in the outbox is spent when it leaves.
    if (source.outboxEvents === 0)
        (0, publish_1.creditSpend)(connection, source, events, size);
    if (reason !== abi_1.REASON_DONE)
        return reason;
    if (hasRef !== 0) {
        // The receipt tells how many sinks were selected, so it waits for the decision.
        if ((0, decide_1.parkedEvents)() !== 0)
            return abi_1.REASON_DECIDE;
        (0, result_1.resultSet)(abi_1.RESULT_HAS_REF, 1);
        (0, result_1.resultSet)(abi_1.RESULT_REF, connection.resumeRef);
        (0, result_1.resultSet)(abi_1.RESULT_COUNT, connection.resumeIndex);
        (0, result_1.resultSet)(abi_1.RESULT_CHANNEL, channel.number);
    }
    connection.resumeAt = 0;
    return hasRef !== 0 ? abi_1.REASON_RECEIPT : abi_1.REASON_DONE;
}
function receiptWrite(index, status, channel) {
    const at = abi_1.RECEIPTS_OFFSET + index * abi_1.RECEIPT_RECORD_BYTES;
    const ok = status === abi_1.STATUS_OK;
    store(at + abi_1.RECEIPT_STATUS * 4, status);
    store(at + abi_1.RECEIPT_SINKS * 4, ok ? publish_1.publishedSinks : 0);
    store(at + abi_1.RECEIPT_SEQUENCE_LOW * 4, ok ? publish_1.publishedSequence : 0);
    store(at + abi_1.RECEIPT_SEQUENCE_HIGH * 4, ok ? (publish_1.publishedSequence >> 32) : 0);
    store(at + abi_1.RECEIPT_VALUE * 4, ok ? 0 : (0, result_1.resultGet)(abi_1.RESULT_VALUE));
    store(at + abi_1.RECEIPT_LIMIT * 4, ok ? 0 : (0, result_1.resultGet)(abi_1.RESULT_LIMIT));
    store(at + abi_1.RECEIPT_REFUSED * 4, ok ? publish_1.publishedRefused : 0);
    store(at + abi_1.RECEIPT_CHANNEL * 4, channel);
}
function malformed(offset) {
    (0, result_1.resultStatus)(abi_1.STATUS_MALFORMED, offset, 0);
    return abi_1.REASON_CLOSE;
}
