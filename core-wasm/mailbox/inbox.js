"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.inboxNew = inboxNew;
exports.inboxFree = inboxFree;
exports.inboxHasRoom = inboxHasRoom;
exports.inboxAppend = inboxAppend;
exports.inboxTrim = inboxTrim;
exports.inboxDropFront = inboxDropFront;
exports.inboxDropRun = inboxDropRun;
exports.dropCount = dropCount;
exports.inboxBelowReleaseMark = inboxBelowReleaseMark;
exports.inboxRelease = inboxRelease;
exports.inboxStrict = inboxStrict;
/**
 * The inbox of a session: what it has yet to get, oldest first, bounded in events and bytes.
 *
 * What overflows is never silent: it is counted per member and reason, told with the next drain, and the policy decides
 * what gives way (surface.md, Overflow; design.md §5).
 */
const abi_1 = require("../abi");
const channel_1 = require("../channel/channel");
const member_1 = require("../channel/member");
const entry_1 = require("../event/entry");
const heap_1 = require("../memory/heap");
const connection_1 = require("../session/connection");
const statistics_1 = require("../statistics");
const records_1 = require("./records");
const run_1 = require("./run");
/** Defaults of surface.md, Orderings. */
const CAPACITY_EVENTS = 65536;
const CAPACITY_BYTES = 16777216;
/** Makes the inbox of a connection; 0 where memory is used up. */
function inboxNew(connection) {
    const at = (0, heap_1.heapTakeZero)(offsetof());
    if (at === 0)
        return 0;
    const inbox = changetype(at);
    inbox.connection = changetype(connection);
    inbox.capacityEvents = CAPACITY_EVENTS;
    inbox.capacityBytes = CAPACITY_BYTES;
    return at;
}
/** Frees an inbox that is empty. */
function inboxFree(inbox) {
    (0, heap_1.heapGive)(changetype(inbox), offsetof());
}
/** Whether one more event of that size stays within capacity. */
function inboxHasRoom(inbox, bytes) {
    return inbox.events < inbox.capacityEvents && inbox.bytes + bytes <= inbox.capacityBytes;
}
/** Puts neighbouring entries of one channel at the end; what does not fit is dealt with by the policy. */
function inboxAppend(inbox, channel, slab, at, bytes, events, metaFirst, metas, deadline) {
    const connection = changetype(inbox.connection);
    if (inbox.overflow !== abi_1.OVERFLOW_DROP_OLDEST && inbox.overflow !== abi_1.OVERFLOW_BLOCK && !inboxHasRoom(inbox, bytes)) {
        // Fan-outs to such inboxes carry one event at a time. `reject` was told to the publisher already.
        if (inbox.overflow === abi_1.OVERFLOW_DISCONNECT)
            connection.fault = abi_1.STATUS_DISCONNECT;
        dropCount(connection, channel, abi_1.DROPPED_OVERFLOW, events);
        return;
    }
    if (!(0, run_1.runAppend)(inbox, slab, at, bytes, events, metaFirst, metas, deadline)) {
        dropCount(connection, channel, abi_1.DROPPED_OVERFLOW, events);
        return;
    }
    inbox.events += events;
    inbox.bytes += bytes;
    if (inbox.events > inbox.capacityEvents || inbox.bytes > inbox.capacityBytes) {
        if (inbox.overflow === abi_1.OVERFLOW_DROP_OLDEST)
            inboxTrim(inbox);
    }
    if (inbox.overflow === abi_1.OVERFLOW_BLOCK && inbox.stalled === 0 && inboxOverStallMark(inbox))
        inboxStall(inbox);
    (0, connection_1.dirtyPush)(connection);
}
/** Drops the oldest until the inbox is within its capacity. */
function inboxTrim(inbox) {
    while (inbox.events > inbox.capacityEvents || inbox.bytes > inbox.capacityBytes) {
        inboxDropFront(inbox, abi_1.DROPPED_OVERFLOW);
    }
}
/** Drops the oldest entry and counts it; a cancelled one counts as cancelled. */
function inboxDropFront(inbox, reason) {
    const run = changetype(inbox.head);
    const hasMeta = (0, run_1.runFrontHasMeta)(run);
    if (hasMeta && ((0, records_1.metaAt)(changetype(run.slab), run.metaFirst).flags & records_1.META_CANCELLED) !== 0) {
        reason = abi_1.DROPPED_CANCELLED;
    }
    const channel = (0, entry_1.entryChannel)(run.at);
    (0, run_1.runAdvance)(inbox, run, (0, entry_1.entrySize)(run.at), 1, hasMeta ? 1 : 0);
    dropCount(changetype(inbox.connection), channel, reason, 1);
}
/** Drops a whole run; used where there is no memory to keep it. */
function inboxDropRun(inbox, run) {
    const connection = changetype(inbox.connection);
    while (run.events > 1) {
        const channel = (0, entry_1.entryChannel)(run.at);
        (0, run_1.runAdvance)(inbox, run, (0, entry_1.entrySize)(run.at), 1, (0, run_1.runFrontHasMeta)(run) ? 1 : 0);
        dropCount(connection, channel, abi_1.DROPPED_OVERFLOW, 1);
    }
    const channel = (0, entry_1.entryChannel)(run.at);
    (0, run_1.runAdvance)(inbox, run, run.bytes, 1, run.metas);
    dropCount(connection, channel, abi_1.DROPPED_OVERFLOW, 1);
}
/** Counts drops and sees to it that the session is told with its next drain. */
function dropCount(connection, channel, reason, events) {
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_DROPPED_OVERFLOW + reason, events);
    (0, connection_1.dirtyPush)(connection);
    const at = (0, member_1.pairWithRole)(connection.number, channel, abi_1.ROLE_SINK);
    if (at === 0)
        return;
    const member = changetype(at);
    if (reason === abi_1.DROPPED_OVERFLOW)
        member.droppedOverflow += events;
    else if (reason === abi_1.DROPPED_LATE)
        member.droppedLate += events;
    else
        member.droppedCancelled += events;
    if (member.noticed !== 0)
        return;
    member.noticed = 1;
    member.nextNotice = connection.notices;
    connection.notices = at;
}
/** `block`: stall at half of the capacity, release at a quarter, so that the publisher is not switched per event. */
function inboxOverStallMark(inbox) {
    return inbox.events * 2 >= inbox.capacityEvents || inbox.bytes >= inbox.capacityBytes >> 1;
}
/** Whether a stalled inbox may take events again. */
function inboxBelowReleaseMark(inbox) {
    return inbox.overflow !== abi_1.OVERFLOW_BLOCK || (inbox.events * 4 <= inbox.capacityEvents && inbox.bytes <= inbox.capacityBytes >> 2);
}
function inboxStall(inbox) {
    inbox.stalled = 1;
    let at = changetype(inbox.connection).members;
    while (at !== 0) {
        const member = changetype(at);
        if ((member.role & abi_1.ROLE_SINK) !== 0)
            (0, channel_1.channelAt)(member.channel).blockedBy++;
        at = member.nextOfConnection;
    }
}
/** Ends a stall; the caller lets the outboxes of the channels go on. */
function inboxRelease(inbox) {
    inbox.stalled = 0;
    let at = changetype(inbox.connection).members;
    while (at !== 0) {
        const member = changetype(at);
        if ((member.role & abi_1.ROLE_SINK) !== 0)
            (0, channel_1.channelAt)(member.channel).blockedBy--;
        at = member.nextOfConnection;
    }
}
/** Whether fan-out to that inbox must go event by event. */
function inboxStrict(inbox) {
    return inbox.overflow !== abi_1.OVERFLOW_DROP_OLDEST;
}
