"use strict";
/**
 * Protobuf wire format: varints, tags, skipping. Reading moves a cursor that is a global, since a WebAssembly function
 * gives back one value cheaply and a pair not at all. Source: https://protobuf.dev/programming-guides/encoding/
 */
Object.defineProperty(exports, "__esModule", { value: true });
exports.cursor = void 0;
exports.cursorSet = cursorSet;
exports.varintRead = varintRead;
exports.varintBytes = varintBytes;
exports.varintWrite = varintWrite;
exports.fieldSkip = fieldSkip;
exports.tagRead = tagRead;
exports.lengthRead = lengthRead;
/** Address after the last varint read; 0 after a failure (cut off, or longer than ten bytes). */
exports.cursor = 0;
/** Moves the cursor; imported globals are read-only, hence a function (it is inlined). */
function cursorSet(at) {
    exports.cursor = at;
}
/** Reads a varint of at most 64 bits at `at`, not beyond `end`; sets `cursor`. */
function varintRead(at, end) {
    if (at < end) {
        const first = load(at);
        if (first < 0x80) {
            exports.cursor = at + 1;
            return first;
        }
    }
    let value = 0;
    let shift = 0;
    while (at < end && shift < 70) {
        const byte = load(at++);
        // The tenth byte has room for one bit only.
        if (shift === 63 && byte > 1)
            break;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            exports.cursor = at;
            return value;
        }
        shift += 7;
    }
    exports.cursor = 0;
    return 0;
}
/** Bytes of a value as a varint. */
function varintBytes(value) {
    return ((63 - clz(value | 1)) * 9 + 73) >> 6;
}
/** Writes a varint and returns the address after it. */
function varintWrite(at, value) {
    while (value >= 0x80) {
        store(at++, value | 0x80);
        value >>= 7;
    }
    store(at, value);
    return at + 1;
}
/** Address after the value of a field of that wire type; 0 where it is malformed or a group. */
function fieldSkip(at, end, wireType) {
    if (wireType === 0) {
        varintRead(at, end);
        return exports.cursor;
    }
    if (wireType === 1)
        return end - at < 8 ? 0 : at + 8;
    if (wireType === 5)
        return end - at < 4 ? 0 : at + 4;
    if (wireType !== 2)
        return 0;
    const bytes = varintRead(at, end);
    if (exports.cursor === 0 || bytes > (end - exports.cursor))
        return 0;
    return exports.cursor + bytes;
}
/**
 * Reads a tag; sets `cursor`. Returns 0 where it is malformed: cut off, field number 0 or beyond 2^29 − 1.
 * The number of the field is tag >> 3, the wire type tag & 7.
 */
function tagRead(at, end) {
    const tag = varintRead(at, end);
    if (exports.cursor === 0 || tag < 8 || tag > 0xffffffff) {
        exports.cursor = 0;
        return 0;
    }
    return tag;
}
/** Reads a length and checks that so many bytes follow; sets `cursor` to the first of them, 0 where they do not. */
function lengthRead(at, end) {
    const bytes = varintRead(at, end);
    if (exports.cursor === 0)
        return 0;
    if (bytes > (end - exports.cursor)) {
        exports.cursor = 0;
        return 0;
    }
    return bytes;
}
