"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.attributeNameBytes = exports.attributeNameAt = void 0;
exports.attributeCheck = attributeCheck;
/**
 * Entries of `map<string, Value>`: the attributes of events and members. Checks structure, name, UTF-8.
 * The name must match [a-z][a-z0-9_]{0,63} (surface.md, Events).
 */
const abi_1 = require("../abi");
const utf8_1 = require("./utf8");
const wire_1 = require("./wire");
const TAG_NAME = 0x0a;
const TAG_VALUE = 0x12;
/** Name of the entry last checked. */
exports.attributeNameAt = 0;
exports.attributeNameBytes = 0;
/** Checks one map entry that lies at [at, end); sets attributeName…. Returns a status. */
function attributeCheck(at, end) {
    let valueAt = 0;
    let valueEnd = 0;
    exports.attributeNameAt = at;
    exports.attributeNameBytes = 0;
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        if (tag === TAG_NAME || tag === TAG_VALUE) {
            const bytes = (0, wire_1.lengthRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            if (tag === TAG_NAME) {
                exports.attributeNameAt = wire_1.cursor;
                exports.attributeNameBytes = bytes;
            }
            else {
                valueAt = wire_1.cursor;
                valueEnd = wire_1.cursor + bytes;
            }
            at = wire_1.cursor + bytes;
        }
        else {
            // A known field with another wire type would be lost on every sink: refuse it.
            if (wire_1.cursor === 0 || tag >> 3 === 1 || tag >> 3 === 2)
                return abi_1.STATUS_MALFORMED;
            at = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
            if (at === 0)
                return abi_1.STATUS_MALFORMED;
        }
    }
    if (!nameValid(exports.attributeNameAt, exports.attributeNameBytes))
        return abi_1.STATUS_ATTRIBUTE_NAME;
    return valueAt === 0 ? abi_1.STATUS_MALFORMED : valueCheck(valueAt, valueEnd);
}
function nameValid(at, bytes) {
    if (bytes === 0 || bytes > abi_1.ATTRIBUTE_NAME_BYTES_MAX)
        return false;
    const first = load(at);
    if (first - 0x61 > 25)
        return false;
    for (let i = 1; i < bytes; i++) {
        const c = load(at + i);
        if (c - 0x61 > 25 && c - 0x30 > 9 && c !== 0x5f)
            return false;
    }
    return true;
}
/** A Value must say something: one of boolean, number, text, integer. */
function valueCheck(at, end) {
    let known = false;
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        if (wire_1.cursor === 0)
            return abi_1.STATUS_MALFORMED;
        if (tag === 0x1a) {
            const bytes = (0, wire_1.lengthRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            at = wire_1.cursor + bytes;
            if (!(0, utf8_1.utf8Valid)(wire_1.cursor, bytes))
                return abi_1.STATUS_NOT_UTF8;
            known = true;
        }
        else if (tag === 0x08 || tag === 0x20) {
            (0, wire_1.varintRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return abi_1.STATUS_MALFORMED;
            at = wire_1.cursor;
            known = true;
        }
        else {
            if (tag === 0x11)
                known = true;
            else if (tag >> 3 <= 4)
                return abi_1.STATUS_MALFORMED;
            at = (0, wire_1.fieldSkip)(wire_1.cursor, end, tag & 7);
            if (at === 0)
                return abi_1.STATUS_MALFORMED;
        }
    }
    return known ? abi_1.STATUS_OK : abi_1.STATUS_MALFORMED;
}
