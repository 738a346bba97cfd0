"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.connectionDrain = connectionDrain;
/**
 * The way out: what one connection may be sent now, as one contiguous piece. Answers come first, then notices of
 * drops and credit, then deliveries, as far as credit reaches. A plain run leaves as one copy.
 */
const abi_1 = require("../abi");
const clock_1 = require("../clock");
const entry_1 = require("../event/entry");
const wire_1 = require("../event/wire");
const decide_1 = require("../filter/decide");
const inbox_1 = require("../mailbox/inbox");
const keys_1 = require("../mailbox/keys");
const records_1 = require("../mailbox/records");
const run_1 = require("../mailbox/run");
const membership_1 = require("../match/membership");
const result_1 = require("../result");
const statistics_1 = require("../statistics");
const control_1 = require("./control");
const notices_1 = require("./notices");
const websocket_out_1 = require("./websocket-out");
/** See CoreExports.drain(). */
function connectionDrain(connection, out, bytesMax) {
    if (bytesMax > abi_1.OUT_SLOT_BYTES)
        bytesMax = abi_1.OUT_SLOT_BYTES;
    const inbox = changetype(connection.inbox);
    deadDrop(inbox);
    if ((connection.notices | connection.grants) !== 0)
        (0, notices_1.noticesPush)(connection);
    let used = 0;
    if (connection.controlBytes !== 0)
        used = controlTake(connection, out, bytesMax);
    const first = connection.delivered + 1;
    if (connection.controlBytes === 0 && connection.held === 0 && connection.fault === 0) {
        used = deliveriesTake(connection, inbox, out, used, bytesMax);
    }
    const deliveries = (connection.delivered + 1 - first);
    (0, result_1.resultSet)(abi_1.RESULT_STATUS, connection.fault);
    (0, result_1.resultSet)(abi_1.RESULT_DELIVERIES, deliveries);
    (0, result_1.resultSet)(abi_1.RESULT_NUMBER_LOW, first);
    (0, result_1.resultSet)(abi_1.RESULT_NUMBER_HIGH, (first >> 32));
    if (inbox.stalled !== 0)
        (0, membership_1.inboxReleaseIfDrained)(inbox);
    (0, result_1.resultSet)(abi_1.RESULT_COUNT, (0, decide_1.parkedEvents)());
    (0, result_1.resultSet)(abi_1.RESULT_REASON, (0, decide_1.parkedEvents)() === 0 ? abi_1.REASON_DONE : abi_1.REASON_DECIDE);
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_DELIVERIES, deliveries);
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_BYTES_OUT, used);
    return used;
}
/** Copies queued answers; on connections that the host renders only whole frames. */
function controlTake(connection, out, bytesMax) {
    const from = connection.controlAt + connection.controlRead;
    const waiting = connection.controlBytes - connection.controlRead;
    let bytes = waiting;
    if (bytes > bytesMax) {
        bytes = 0;
        if (connection.kind === abi_1.CONNECTION_WEBSOCKET)
            bytes = bytesMax;
        else {
            // Entries of the queue have a size prefix as deliveries have.
            for (let next = frameSize(from); bytes + next <= bytesMax; next = frameSize(from + bytes))
                bytes += next;
            if (bytes === 0)
                bytes = min(frameSize(from), abi_1.OUT_SLOT_BYTES);
        }
    }
    memory.copy(out, from, bytes);
    if (bytes === waiting)
        (0, control_1.controlFree)(connection);
    else
        connection.controlRead += bytes;
    return bytes;
}
function frameSize(at) {
    const size = (0, wire_1.varintRead)(at, at + 10);
    return wire_1.cursor - at + size;
}
let prefixBytes = 0;
let prefixEvents = 0;
let prefixMetas = 0;
/** Copies deliveries behind the `used` bytes; returns how many are used then. */
function deliveriesTake(connection, inbox, out, used, bytesMax) {
    const framed = connection.kind === abi_1.CONNECTION_WEBSOCKET;
    const header = framed ? websocket_out_1.WS_HEADER_BYTES_MAX : 0;
    const explicit = connection.creditExplicit !== 0;
    while (inbox.head !== 0) {
        const run = changetype(inbox.head);
        if (!explicit && used + header + run.bytes <= bytesMax && runPlain(run)) {
            prefixBytes = run.bytes;
            prefixEvents = run.events;
            prefixMetas = run.metas;
        }
        else {
            if (explicit && (connection.creditEvents <= 0 || connection.creditBytes <= 0))
                break;
            prefixTake(connection, run, used + header < bytesMax ? bytesMax - used - header : 0, explicit);
            if (prefixEvents === 0) {
                if (frontDead(run)) {
                    (0, inbox_1.inboxDropFront)(inbox, abi_1.DROPPED_LATE);
                    continue;
                }
                if (used !== 0)
                    break;
                // A single entry larger than asked for comes alone: it fits a slot by the limit on events.
                prefixBytes = (0, entry_1.entrySize)(run.at);
                prefixEvents = 1;
                prefixMetas = (0, run_1.runFrontHasMeta)(run) ? 1 : 0;
            }
        }
        let to = out + used;
        if (framed)
            to = (0, websocket_out_1.wsHeaderWrite)(to, websocket_out_1.WS_BINARY, prefixBytes);
        memory.copy(to, run.at, prefixBytes);
        used = to + prefixBytes - out;
        if (explicit) {
            connection.creditEvents -= prefixEvents;
            connection.creditBytes -= prefixBytes;
        }
        connection.delivered += prefixEvents;
        (0, run_1.runAdvance)(inbox, run, prefixBytes, prefixEvents, prefixMetas);
    }
    return used;
}
/** Whether all of a run may leave: nothing in it is late or cancelled. */
function runPlain(run) {
    if (run.metas === 0)
        return true;
    if (run.deadline < clock_1.nowMs)
        return false;
    return keys_1.tombstonesEver === 0 || !runHasCancelled(run);
}
function runHasCancelled(run) {
    const slab = changetype(run.slab);
    for (let i = 0; i < run.metas; i++) {
        if (((0, records_1.metaAt)(slab, run.metaFirst + i).flags & records_1.META_CANCELLED) !== 0)
            return true;
    }
    return false;
}
/** Whether the first entry of a run must not be delivered any more. */
function frontDead(run) {
    if (!(0, run_1.runFrontHasMeta)(run))
        return false;
    const meta = (0, records_1.metaAt)(changetype(run.slab), run.metaFirst);
    return (meta.flags & records_1.META_CANCELLED) !== 0 || meta.deadline < clock_1.nowMs;
}
/** Measures how much of the front of a run may go: live entries within room and credit. Sets prefix…. */
function prefixTake(connection, run, room, explicit) {
    const slab = changetype(run.slab);
    const end = run.at + run.bytes;
    const creditBytes = explicit ? connection.creditBytes : u64.MAX_VALUE;
    const creditEvents = explicit ? connection.creditEvents : u64.MAX_VALUE;
    let at = run.at;
    prefixBytes = prefixEvents = prefixMetas = 0;
    while (at < end && prefixEvents < creditEvents) {
        const size = (0, entry_1.entrySize)(at);
        // One event may overdraw the credit in bytes: else one larger than any credit would wait for ever.
        if (prefixBytes + size > room || (prefixEvents !== 0 && (prefixBytes + size) > creditBytes))
            break;
        if (prefixMetas < run.metas) {
            const meta = (0, records_1.metaAt)(slab, run.metaFirst + prefixMetas);
            if (meta.entryAt === at) {
                if ((meta.flags & records_1.META_CANCELLED) !== 0 || meta.deadline < clock_1.nowMs)
                    break;
                prefixMetas++;
            }
        }
        prefixBytes += size;
        prefixEvents++;
        at += size;
    }
}
/** Drops what is dead at the front, so that a notice of it can be told in this very drain. */
function deadDrop(inbox) {
    while (inbox.head !== 0 && frontDead(changetype(inbox.head)))
        (0, inbox_1.inboxDropFront)(inbox, abi_1.DROPPED_LATE);
}
