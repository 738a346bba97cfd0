"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.memberUpdateFrame = memberUpdateFrame;
/**
 * Live attributes of members: an Update merged into what is there. They are kept as encoded map entries, which is how
 * they came and how filters will read them.
 */
const abi_1 = require("../abi");
const member_1 = require("../channel/member");
const attributes_1 = require("../event/attributes");
const utf8_1 = require("../event/utf8");
const wire_1 = require("../event/wire");
const bytes_1 = require("../memory/bytes");
const heap_1 = require("../memory/heap");
const result_1 = require("../result");
const TAG_MEMBER = 0x08;
const TAG_ATTRIBUTE = 0x12;
const TAG_REMOVE = 0x1a;
/** Merges an encoded Update of a connection's member. Returns a status. */
function memberUpdateFrame(connection, at, bytes) {
    const end = at + bytes;
    let number = 0;
    for (let p = at; p < end;) {
        const tag = (0, wire_1.tagRead)(p, end);
        if (wire_1.cursor === 0)
            return (0, result_1.resultStatus)(abi_1.STATUS_MALFORMED, p - at, 0);
        if (tag === TAG_MEMBER) {
            const value = (0, wire_1.varintRead)(wire_1.cursor, end);
            if (wire_1.cursor === 0)
                return (0, result_1.resultStatus)(abi_1.STATUS_MALFORMED, p - at, 0);
            number = value > 0xffffffff ? 0xffffffff : value;
            p = wire_1.cursor;
            continue;
        }
        const status = elementCheck(tag, wire_1.cursor, end);
        if (status !== abi_1.STATUS_OK)
            return (0, result_1.resultStatus)(status, status === abi_1.STATUS_MALFORMED ? p - at : tag >> 3, 0);
        p = (0, wire_1.fieldSkip)(cursorOfElement, end, tag & 7);
        if (p === 0)
            return (0, result_1.resultStatus)(abi_1.STATUS_MALFORMED, bytes, 0);
    }
    const member = (0, member_1.memberFind)(number);
    if (member === null || member.connection !== connection.number)
        return (0, result_1.resultStatus)(abi_1.STATUS_MEMBER_UNKNOWN, number, 0);
    return merge(member, at, end);
}
let cursorOfElement = 0;
/** Checks one attribute or name to remove, whose value begins at `at`. */
function elementCheck(tag, at, end) {
    cursorOfElement = at;
    if (tag !== TAG_ATTRIBUTE && tag !== TAG_REMOVE)
        return tag >> 3 <= 3 ? abi_1.STATUS_MALFORMED : abi_1.STATUS_OK;
    const bytes = (0, wire_1.lengthRead)(at, end);
    if (wire_1.cursor === 0)
        return abi_1.STATUS_MALFORMED;
    if (tag === TAG_ATTRIBUTE)
        return (0, attributes_1.attributeCheck)(wire_1.cursor, wire_1.cursor + bytes);
    return (0, utf8_1.utf8Valid)(wire_1.cursor, bytes) ? abi_1.STATUS_OK : abi_1.STATUS_NOT_UTF8;
}
/** Whether the update at [at, end) sets, after `from`, or removes the attribute of that name. */
function overridden(nameAt, nameBytes, at, end, from) {
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        const valueAt = wire_1.cursor;
        if (tag === TAG_ATTRIBUTE && at > from) {
            const bytes = (0, wire_1.lengthRead)(valueAt, end);
            (0, attributes_1.attributeCheck)(wire_1.cursor, wire_1.cursor + bytes);
            if ((0, bytes_1.bytesEqual)(attributes_1.attributeNameAt, attributes_1.attributeNameBytes, nameAt, nameBytes))
                return true;
        }
        else if (tag === TAG_REMOVE) {
            const bytes = (0, wire_1.lengthRead)(valueAt, end);
            if ((0, bytes_1.bytesEqual)(wire_1.cursor, bytes, nameAt, nameBytes))
                return true;
        }
        at = (0, wire_1.fieldSkip)(valueAt, end, tag & 7);
    }
    return false;
}
let mergedBytes = 0;
let mergedCount = 0;
/** Copies the attributes of [at, end) that the update at [updateAt, updateEnd) leaves standing to `to`. */
function copyStanding(to, at, end, updateAt, updateEnd, isUpdate) {
    while (at < end) {
        const tag = (0, wire_1.tagRead)(at, end);
        const valueAt = wire_1.cursor;
        const next = (0, wire_1.fieldSkip)(valueAt, end, tag & 7);
        if (tag === TAG_ATTRIBUTE) {
            const bytes = (0, wire_1.lengthRead)(valueAt, end);
            const entryAt = wire_1.cursor;
            (0, attributes_1.attributeCheck)(entryAt, entryAt + bytes);
            if (!overridden(attributes_1.attributeNameAt, attributes_1.attributeNameBytes, updateAt, updateEnd, isUpdate ? at : 0)) {
                const size = 1 + (0, wire_1.varintBytes)(bytes) + bytes;
                if (mergedBytes + size <= abi_1.MEMBER_ATTRIBUTES_BYTES_MAX) {
                    store(to + mergedBytes, TAG_ATTRIBUTE);
                    memory.copy((0, wire_1.varintWrite)(to + mergedBytes + 1, bytes), entryAt, bytes);
                }
                mergedBytes += size;
                mergedCount++;
            }
        }
        at = next;
    }
}
function merge(member, at, end) {
    const scratch = (0, heap_1.heapTake)(abi_1.MEMBER_ATTRIBUTES_BYTES_MAX);
    if (scratch === 0)
        return (0, result_1.resultStatus)(abi_1.STATUS_STORE_FULL, 0, 0);
    mergedBytes = mergedCount = 0;
    copyStanding(scratch, member.attributesAt, member.attributesAt + member.attributesBytes, at, end, false);
    copyStanding(scratch, at, end, at, end, true);
    let status = abi_1.STATUS_OK;
    let kept = 0;
    if (mergedCount > abi_1.ATTRIBUTES_MAX) {
        status = (0, result_1.resultStatus)(abi_1.STATUS_ATTRIBUTES_MANY, mergedCount, abi_1.ATTRIBUTES_MAX);
    }
    else if (mergedBytes > abi_1.MEMBER_ATTRIBUTES_BYTES_MAX) {
        status = (0, result_1.resultStatus)(abi_1.STATUS_ATTRIBUTES_TOO_LARGE, mergedBytes, abi_1.MEMBER_ATTRIBUTES_BYTES_MAX);
    }
    else if (mergedBytes !== 0) {
        kept = (0, heap_1.heapCopy)(scratch, mergedBytes);
        if (kept === 0)
            status = (0, result_1.resultStatus)(abi_1.STATUS_STORE_FULL, 0, 0);
    }
    (0, heap_1.heapGive)(scratch, abi_1.MEMBER_ATTRIBUTES_BYTES_MAX);
    if (status !== abi_1.STATUS_OK)
        return status;
    if (member.attributesAt !== 0)
        (0, heap_1.heapGive)(member.attributesAt, member.attributesBytes);
    member.attributesAt = kept;
    member.attributesBytes = mergedBytes;
    return abi_1.STATUS_OK;
}
