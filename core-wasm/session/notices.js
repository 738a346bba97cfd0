"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.noticesPush = noticesPush;
/** What the core tells a session of its own accord: deliveries it will not get, and credit for its sources. */
const abi_1 = require("../abi");
const wire_1 = require("../event/wire");
const control_1 = require("./control");
/** Room for one frame: two tags and lengths, three varints, the longest reason. */
const frameAt = memory.data(96);
const TAG_CREDIT = 0x12;
const TAG_DROPPED = 0x22;
/** The reasons of surface.md §4, in the order of DROPPED_…, each with its length before it. */
const reasonsAt = memory.data([
    8, 0x6f, 0x76, 0x65, 0x72, 0x66, 0x6c, 0x6f, 0x77, // "overflow"
    4, 0x6c, 0x61, 0x74, 0x65, // "late"
    9, 0x63, 0x61, 0x6e, 0x63, 0x65, 0x6c, 0x6c, 0x65, 0x64, // "cancelled"
]);
/** Queues all notices that wait on a connection. */
function noticesPush(connection) {
    while (connection.notices !== 0) {
        const member = changetype(connection.notices);
        connection.notices = member.nextNotice;
        member.noticed = member.nextNotice = 0;
        droppedPush(connection, member.channel, abi_1.DROPPED_OVERFLOW, member.droppedOverflow);
        droppedPush(connection, member.channel, abi_1.DROPPED_LATE, member.droppedLate);
        droppedPush(connection, member.channel, abi_1.DROPPED_CANCELLED, member.droppedCancelled);
        member.droppedOverflow = member.droppedLate = member.droppedCancelled = 0;
    }
    while (connection.grants !== 0) {
        const source = changetype(connection.grants);
        connection.grants = source.nextGrant;
        source.granting = source.nextGrant = 0;
        creditPush(connection, source);
    }
}
/** HostFrame{dropped{channel_number 2, count 3, reason 4}}. */
function droppedPush(connection, channel, reason, count) {
    if (count === 0)
        return;
    const reasonAt = reasonsAt + (reason === abi_1.DROPPED_OVERFLOW ? 0 : reason === abi_1.DROPPED_LATE ? 9 : 14);
    const reasonBytes = load(reasonAt) + 1;
    const body = 3 + (0, wire_1.varintBytes)(channel) + (0, wire_1.varintBytes)(count) + reasonBytes;
    let at = frameAt;
    store(at, TAG_DROPPED);
    at = (0, wire_1.varintWrite)(at + 1, body);
    store(at, 0x10);
    at = (0, wire_1.varintWrite)(at + 1, channel);
    store(at, 0x18);
    at = (0, wire_1.varintWrite)(at + 1, count);
    store(at, 0x22);
    memory.copy(at + 1, reasonAt, reasonBytes);
    (0, control_1.controlFrame)(connection, frameAt, at + 1 + reasonBytes - frameAt);
}
/** HostFrame{credit{channel_number 2, events 3, bytes 4}}: what left the outbox may be sent again. */
function creditPush(connection, source) {
    const body = 3 + (0, wire_1.varintBytes)(source.channel) + (0, wire_1.varintBytes)(source.spentEvents) + (0, wire_1.varintBytes)(source.spentBytes);
    let at = frameAt;
    store(at, TAG_CREDIT);
    at = (0, wire_1.varintWrite)(at + 1, body);
    store(at, 0x10);
    at = (0, wire_1.varintWrite)(at + 1, source.channel);
    store(at, 0x18);
    at = (0, wire_1.varintWrite)(at + 1, source.spentEvents);
    store(at, 0x20);
    at = (0, wire_1.varintWrite)(at + 1, source.spentBytes);
    source.spentEvents = source.spentBytes = 0;
    (0, control_1.controlFrame)(connection, frameAt, at - frameAt);
}
