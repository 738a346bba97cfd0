"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.entryEventBytes = exports.entrySequence = void 0;
exports.entryBytes = entryBytes;
exports.entryHeadWrite = entryHeadWrite;
exports.entryPrepare = entryPrepare;
exports.entryHeadCopy = entryHeadCopy;
exports.entryMemberWrite = entryMemberWrite;
exports.entrySize = entrySize;
exports.entryChannel = entryChannel;
exports.entryEvent = entryEvent;
/**
 * A stored entry: the very bytes in which one event is delivered, a size-delimited HostFrame with one Delivery.
 *
 *   varint frame size │ 0A varint │ 0A varint │ 08 channel │ 10 sequence │ 1A varint │ event │ appended │ [20 member]
 *                       deliver     events      (Delivery fields)          event field
 *
 * Nothing in it differs per sink but `member`, which only sessions with several memberships of a channel get in a
 * copy of their own. Source: schemas/sluice/v1/frame.proto, HostFrame and Delivery.
 */
const copy_1 = require("../memory/copy");
const wire_1 = require("./wire");
/** Bytes of the Delivery, set by entryBytes(). */
let deliveryBytes = 0;
/** Bytes of the whole entry for an event of `eventBytes`, what is appended included. `member` 0: none. */
function entryBytes(channel, sequence, eventBytes, member) {
    let bytes = 3 + (0, wire_1.varintBytes)(channel) + (0, wire_1.varintBytes)(sequence) + (0, wire_1.varintBytes)(eventBytes) + eventBytes;
    if (member !== 0)
        bytes += 1 + (0, wire_1.varintBytes)(member);
    deliveryBytes = bytes;
    const deliver = 1 + (0, wire_1.varintBytes)(bytes) + bytes;
    const frame = 1 + (0, wire_1.varintBytes)(deliver) + deliver;
    return (0, wire_1.varintBytes)(frame) + frame;
}
/** Writes what stands before the event, after entryBytes() with the same arguments; returns where the event goes. */
function entryHeadWrite(at, channel, sequence, eventBytes) {
    const deliver = 1 + (0, wire_1.varintBytes)(deliveryBytes) + deliveryBytes;
    at = (0, wire_1.varintWrite)(at, 1 + (0, wire_1.varintBytes)(deliver) + deliver);
    store(at, 0x0a);
    at = (0, wire_1.varintWrite)(at + 1, deliver);
    store(at, 0x0a);
    at = (0, wire_1.varintWrite)(at + 1, deliveryBytes);
    store(at, 0x08);
    at = (0, wire_1.varintWrite)(at + 1, channel);
    store(at, 0x10);
    at = (0, wire_1.varintWrite)(at + 1, sequence);
    store(at, 0x1a);
    return (0, wire_1.varintWrite)(at + 1, eventBytes);
}
/**
 * The head last written by entryBegin(). Events of one source mostly have one size, so all of it but the sequence is
 * the same again: it is copied and the sequence is put in.
 */
const lastHeadAt = memory.data(48);
let lastChannel = 0;
let lastEventBytes = 0;
let lastSequenceBytes = 0;
let lastHeadBytes = 0;
let lastSize = 0;
let lastSequenceOffset = 0;
/** Bytes of the entry of an event, as entryBytes() without a member, prepared for entryHeadCopy(). */
function entryPrepare(channel, sequence, eventBytes) {
    const sequenceBytes = (0, wire_1.varintBytes)(sequence);
    if (channel === lastChannel && eventBytes === lastEventBytes && sequenceBytes === lastSequenceBytes)
        return lastSize;
    lastSize = entryBytes(channel, sequence, eventBytes, 0);
    lastHeadBytes = entryHeadWrite(lastHeadAt, channel, sequence, eventBytes) - lastHeadAt;
    lastChannel = channel;
    lastEventBytes = eventBytes;
    lastSequenceBytes = sequenceBytes;
    lastSequenceOffset = lastHeadBytes - (0, wire_1.varintBytes)(eventBytes) - 1 - sequenceBytes;
    return lastSize;
}
/** Writes the head that was prepared; returns where the event goes. */
function entryHeadCopy(at, sequence) {
    (0, copy_1.copyBytes)(at, lastHeadAt, lastHeadBytes);
    (0, wire_1.varintWrite)(at + lastSequenceOffset, sequence);
    return at + lastHeadBytes;
}
/** Writes the member after the event. */
function entryMemberWrite(at, member) {
    store(at, 0x20);
    (0, wire_1.varintWrite)(at + 1, member);
}
/** Size of the entry at `at`, its own size prefix included. Entries are ours and well-formed. */
function entrySize(at) {
    const first = load(at);
    if (first < 0x80)
        return first + 1;
    const second = load(at, 1);
    if (second < 0x80)
        return ((second << 7) | (first & 0x7f)) + 2;
    const frame = (0, wire_1.varintRead)(at, at + 10);
    return wire_1.cursor - at + frame;
}
/** Channel number of the entry at `at`; leaves `cursor` at the sequence's tag. */
function entryChannel(at) {
    const end = at + 64;
    (0, wire_1.varintRead)(at, end);
    (0, wire_1.varintRead)(wire_1.cursor + 1, end);
    (0, wire_1.varintRead)(wire_1.cursor + 1, end);
    return (0, wire_1.varintRead)(wire_1.cursor + 1, end);
}
/** Sequence and size of the event that entryEvent() found. */
exports.entrySequence = 0;
exports.entryEventBytes = 0;
/** Address of the event in the entry at `at`; leaves sequence and size in entrySequence and entryEventBytes. */
function entryEvent(at) {
    entryChannel(at);
    exports.entrySequence = (0, wire_1.varintRead)(wire_1.cursor + 1, wire_1.cursor + 16);
    exports.entryEventBytes = (0, wire_1.varintRead)(wire_1.cursor + 1, wire_1.cursor + 16);
    return wire_1.cursor;
}
