"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.TIME_US_MAX = exports.SCAN_KEY = exports.SCAN_TTL = exports.SCAN_DELIVER_BY = exports.SCAN_PRIORITY = exports.SCAN_TIME = exports.SCAN_SOURCE = exports.scanTtlMs = exports.scanDeliverByUs = exports.scanFlags = exports.scanKeyBytes = exports.scanKeyAt = exports.scanTypeBytes = exports.scanTypeAt = void 0;
exports.scanEvent = scanEvent;
/**
 * One pass over an encoded Event: everything is checked once, so that no publisher can poison a sink, and what the
 * engine needs is noted. Attributes and data are read later, by those who want them.
 *
 * What was found lies in globals until the next scan; a repeated field counts as its last occurrence, as in protobuf.
 * Source of field numbers: schemas/sluice/v1/event.proto.
 */
const abi_1 = require("../abi");
const result_1 = require("../result");
const attributes_1 = require("./attributes");
const utf8_1 = require("./utf8");
const wire_1 = require("./wire");
exports.scanTypeAt = 0;
exports.scanTypeBytes = 0;
exports.scanKeyAt = 0;
exports.scanKeyBytes = 0;
/** SCAN_… bits: which of the fields that matter to the engine are there. */
exports.scanFlags = 0;
exports.scanDeliverByUs = 0;
exports.scanTtlMs = 0;
exports.SCAN_SOURCE = 1;
exports.SCAN_TIME = 2;
exports.SCAN_PRIORITY = 4;
exports.SCAN_DELIVER_BY = 8;
exports.SCAN_TTL = 16;
exports.SCAN_KEY = 32;
/** 0001-01-01 and the end of 9999: what RFC 3339 can say. */
const TIME_US_MIN = -62135596800000000;
exports.TIME_US_MAX = 253402300799999999;
const TTL_MS_MAX = 253402300799999;
/** Scans [at, at + bytes). Returns a status with RESULT_VALUE and RESULT_LIMIT set where it is not STATUS_OK. */
function scanEvent(at, bytes) {
    const start = at;
    const end = at + bytes;
    let attributes = 0;
    let typeAt = 0;
    let typeBytes = 0;
    let keyAt = 0;
    let keyBytes = 0;
    let hasSource = false;
    exports.scanFlags = 0;
    while (at < end) {
        // Tags and short lengths are one byte nearly always: they are read here, without a call.
        let tag = load(at);
        let valueAt = at + 1;
        if (tag >= 0x80) {
            tag = (0, wire_1.tagRead)(at, end);
            valueAt = wire_1.cursor;
        }
        const field = tag >> 3;
        if (valueAt === 0 || field === 0)
            return malformed(at - start);
        if ((tag & 7) !== 2) {
            (0, wire_1.cursorSet)(valueAt);
            const status = scanScalar(field, tag & 7, start, end);
            if (status !== abi_1.STATUS_OK)
                return status;
            at = wire_1.cursor;
            continue;
        }
        let size = valueAt < end ? load(valueAt) : 0x80;
        if (size < 0x80 && size < end - valueAt) {
            valueAt++;
        }
        else {
            size = (0, wire_1.lengthRead)(valueAt, end);
            valueAt = wire_1.cursor;
        }
        if (valueAt === 0 || (field <= 8 && ((1 << field) & NOT_LENGTH_FIELDS) !== 0))
            return malformed(at - start);
        at = valueAt + size;
        if (field >= 12)
            continue;
        if (field === 10) {
            if (++attributes > abi_1.ATTRIBUTES_MAX)
                return (0, result_1.resultStatus)(abi_1.STATUS_ATTRIBUTES_MANY, attributes, abi_1.ATTRIBUTES_MAX);
            const status = (0, attributes_1.attributeCheck)(valueAt, at);
            if (status !== abi_1.STATUS_OK)
                return (0, result_1.resultStatus)(status, status === abi_1.STATUS_MALFORMED ? valueAt - start : 10, 0);
            continue;
        }
        if (!(0, utf8_1.utf8Valid)(valueAt, size))
            return (0, result_1.resultStatus)(abi_1.STATUS_NOT_UTF8, field, 0);
        if (field === 3) {
            typeAt = valueAt;
            typeBytes = size;
        }
        else if (field === 2) {
            hasSource = size !== 0;
        }
        else if (field === 9) {
            keyAt = valueAt;
            keyBytes = size;
        }
    }
    exports.scanTypeAt = typeAt;
    exports.scanTypeBytes = typeBytes;
    exports.scanKeyAt = keyAt;
    exports.scanKeyBytes = keyBytes;
    exports.scanFlags |= (hasSource ? exports.SCAN_SOURCE : 0) | (keyBytes !== 0 ? exports.SCAN_KEY : 0);
    if (typeBytes === 0)
        return (0, result_1.resultStatus)(abi_1.STATUS_TYPE_MISSING, 0, 0);
    if (typeBytes > abi_1.TYPE_BYTES_MAX)
        return (0, result_1.resultStatus)(abi_1.STATUS_TYPE_TOO_LONG, typeBytes, abi_1.TYPE_BYTES_MAX);
    if (keyBytes > abi_1.KEY_BYTES_MAX)
        return (0, result_1.resultStatus)(abi_1.STATUS_KEY_TOO_LONG, keyBytes, abi_1.KEY_BYTES_MAX);
    return abi_1.STATUS_OK;
}
/** Fields 5, 6, 7 and 8 are numbers; with a length they are malformed. */
const NOT_LENGTH_FIELDS = (1 << 5) | (1 << 6) | (1 << 7) | (1 << 8);
/** A field whose value is no length: `cursor` is at the value and moves behind it. */
function scanScalar(field, wireType, start, end) {
    const at = wire_1.cursor;
    if ((field === 5 || field === 7) && wireType === 1) {
        if (end - at < 8)
            return malformed(at - start);
        const timeUs = load(at);
        if (timeUs < TIME_US_MIN || timeUs > exports.TIME_US_MAX)
            return (0, result_1.resultStatus)(abi_1.STATUS_TIME, field, 0);
        if (field === 5) {
            exports.scanFlags |= exports.SCAN_TIME;
        }
        else {
            exports.scanFlags |= exports.SCAN_DELIVER_BY;
            exports.scanDeliverByUs = timeUs;
        }
        (0, wire_1.cursorSet)(at + 8);
        return abi_1.STATUS_OK;
    }
    if ((field === 6 || field === 8) && wireType === 0) {
        const value = (0, wire_1.varintRead)(at, end);
        if (wire_1.cursor === 0)
            return malformed(at - start);
        if (field === 6) {
            if (value > 9)
                return (0, result_1.resultStatus)(abi_1.STATUS_PRIORITY, value > 0xffffffff ? 0xffffffff : value, 9);
            exports.scanFlags |= exports.SCAN_PRIORITY;
        }
        else {
            if (value > TTL_MS_MAX)
                return (0, result_1.resultStatus)(abi_1.STATUS_TIME, field, 0);
            exports.scanFlags |= exports.SCAN_TTL;
            exports.scanTtlMs = value;
        }
        return abi_1.STATUS_OK;
    }
    if (field <= 12)
        return malformed(at - start);
    const next = (0, wire_1.fieldSkip)(at, end, wireType);
    if (next === 0)
        return malformed(at - start);
    (0, wire_1.cursorSet)(next);
    return abi_1.STATUS_OK;
}
function malformed(offset) {
    return (0, result_1.resultStatus)(abi_1.STATUS_MALFORMED, offset, 0);
}
