"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.publishedSequence = exports.publishedRefused = exports.publishedSinks = void 0;
exports.publishInit = publishInit;
exports.publishEvent = publishEvent;
exports.creditSpend = creditSpend;
exports.outboxesPump = outboxesPump;
/**
 * The way of one event through this host (design.md §4): check, outbox, store and sequence, match, fan out or park.
 */
const abi_1 = require("../abi");
const channel_1 = require("../channel/channel");
const member_1 = require("../channel/member");
const types_1 = require("../channel/types");
const entry_1 = require("../event/entry");
const scan_1 = require("../event/scan");
const wire_1 = require("../event/wire");
const decide_1 = require("../filter/decide");
const store_1 = require("../mailbox/store");
const copy_1 = require("../memory/copy");
const table_1 = require("../memory/table");
const result_1 = require("../result");
const connection_1 = require("../session/connection");
const fan_out_1 = require("./fan-out");
const outbox_1 = require("./outbox");
/** What the last publishEvent() that returned STATUS_OK did; a sequence of 0: the event waits in its outbox. */
exports.publishedSinks = 0;
exports.publishedRefused = 0;
exports.publishedSequence = 0;
let eventBytesMax = abi_1.EVENT_BYTES_MAX;
/** Sets the most bytes of an event: half of the store, so that a full store can always make room for one. */
function publishInit(storeBytes) {
    eventBytesMax = min(abi_1.EVENT_BYTES_MAX, storeBytes / 2);
}
/** Takes one encoded event of a source. `receipt`: index in RECEIPTS or NO_RECEIPT. Returns a status. */
function publishEvent(connection, source, channel, at, bytes, now, receipt) {
    let status = (0, scan_1.scanEvent)(at, bytes);
    if ((scan_1.scanFlags & NOT_BARE) === BARE && status === abi_1.STATUS_OK && !(0, channel_1.channelSpecial)(channel) && dispatchBare(channel, connection, at, bytes)) {
        exports.publishedSinks = receipt === decide_1.NO_RECEIPT ? 0 : (0, fan_out_1.plainSinks)(channel, connection.number);
        exports.publishedRefused = 0;
        return abi_1.STATUS_OK;
    }
    if (status === abi_1.STATUS_OK && channel.types !== 0 && !(0, types_1.typeSetTakes)(channel.types, (0, types_1.typeLookup)(scan_1.scanTypeAt, scan_1.scanTypeBytes))) {
        status = (0, result_1.resultStatus)(abi_1.STATUS_TYPE_REFUSED, 0, 0);
    }
    if (status === abi_1.STATUS_OK) {
        if ((channel.blockedBy | source.outboxEvents) !== 0) {
            exports.publishedSinks = exports.publishedRefused = 0;
            exports.publishedSequence = 0;
            status = (0, outbox_1.outboxPush)(source, channel, at, bytes, connection.sourceAt, connection.sourceBytes, now);
        }
        else {
            status = dispatch(channel, connection.number, connection.sourceAt, connection.sourceBytes, at, bytes, now, receipt);
        }
    }
    return status;
}
/** Needs nothing appended and no meta: the event is delivered as it came. */
const BARE = scan_1.SCAN_SOURCE | scan_1.SCAN_TIME;
const NOT_BARE = BARE | scan_1.SCAN_DELIVER_BY | scan_1.SCAN_TTL | scan_1.SCAN_KEY;
/** Stores, sequences and hands on a bare event on a channel without anything special; false: take the general way. */
function dispatchBare(channel, connection, at, bytes) {
    const sequence = channel.sequence + 1;
    const size = (0, entry_1.entryPrepare)(channel.number, sequence, bytes);
    const entry = bytes > eventBytesMax ? 0 : (0, store_1.storeTake)(size, 0);
    if (entry === 0)
        return false;
    const slab = changetype(store_1.storeSlab);
    channel.sequence = exports.publishedSequence = sequence;
    (0, copy_1.copyBytes)((0, entry_1.entryHeadCopy)(entry, sequence), at, bytes);
    slab.used += size;
    (0, fan_out_1.rangeExtend)(channel, connection.number, slab, entry, size, 0, Infinity);
    return true;
}
/** Notes that events have left the outbox; half of the credit is given back at a time. */
function creditSpend(connection, source, events, bytes) {
    source.spentEvents += events;
    source.spentBytes += bytes;
    if (source.granting !== 0 || (source.spentEvents < abi_1.SOURCE_CREDIT_EVENTS / 2 && source.spentBytes < abi_1.SOURCE_CREDIT_BYTES / 2))
        return;
    if (connection.kind === abi_1.CONNECTION_LOCAL) {
        source.spentEvents = source.spentBytes = 0;
        return;
    }
    source.granting = 1;
    source.nextGrant = connection.grants;
    connection.grants = changetype(source);
    (0, connection_1.dirtyPush)(connection);
}
/** Stores, sequences and hands on the event that was scanned just now. */
function dispatch(channel, connection, sourceAt, sourceBytes, at, bytes, acceptedMs, receipt) {
    // What is absent and must be there is appended as fields: nothing is decoded and encoded again.
    const deliverByUs = deadlineOf(channel, acceptedMs);
    const has = scan_1.scanFlags;
    const addDeliverBy = deliverByUs !== i64.MAX_VALUE && !((has & scan_1.SCAN_DELIVER_BY) !== 0 && deliverByUs === scan_1.scanDeliverByUs);
    const addSource = (has & scan_1.SCAN_SOURCE) === 0 && sourceBytes !== 0;
    const addPriority = (has & scan_1.SCAN_PRIORITY) === 0 && channel.priority !== 4;
    const addTime = (has & scan_1.SCAN_TIME) === 0;
    let eventBytes = bytes + (addTime ? 9 : 0) + (addDeliverBy ? 9 : 0) + (addPriority ? 2 : 0);
    if (addSource)
        eventBytes += 1 + (0, wire_1.varintBytes)(sourceBytes) + sourceBytes;
    if (eventBytes > eventBytesMax)
        return (0, result_1.resultStatus)(abi_1.STATUS_EVENT_TOO_LARGE, eventBytes, eventBytesMax);
    const plain = channel.decider === 0 && (0, fan_out_1.channelPlain)(channel);
    const type = plain ? 0 : (0, types_1.typeLookup)(scan_1.scanTypeAt, scan_1.scanTypeBytes);
    const sequence = channel.sequence + 1;
    const size = (0, entry_1.entryPrepare)(channel.number, sequence, eventBytes);
    if (channel.strictSinks !== 0) {
        (0, fan_out_1.rangeFlush)();
        if ((0, fan_out_1.allRefuse)(channel, connection, type, size))
            return (0, result_1.resultStatus)(abi_1.STATUS_MAILBOX_FULL, size, fan_out_1.refusedLimit);
    }
    const deadline = deliverByUs !== i64.MAX_VALUE && (channel.flags & abi_1.CHANNEL_LATE_DROP) !== 0 ? deliverByUs / 1000 : Infinity;
    const metas = scan_1.scanKeyBytes !== 0 || deadline !== Infinity ? 1 : 0;
    let entry = (0, store_1.storeTake)(size, metas);
    if (entry === 0) {
        (0, fan_out_1.rangeFlush)();
        entry = (0, store_1.storeAdvance)(size, metas);
        if (entry === 0)
            return (0, result_1.resultStatus)(abi_1.STATUS_STORE_FULL, size, 0);
    }
    const slab = changetype(store_1.storeSlab);
    channel.sequence = sequence;
    exports.publishedSequence = sequence;
    const eventAt = (0, entry_1.entryHeadCopy)(entry, sequence);
    (0, copy_1.copyBytes)(eventAt, at, bytes);
    let end = eventAt + bytes;
    if (addTime)
        end = fixedWrite(end, 0x29, (acceptedMs * 1000));
    if (addDeliverBy)
        end = fixedWrite(end, 0x39, deliverByUs);
    if (addPriority) {
        store(end, 0x30);
        store(end, channel.priority, 1);
        end += 2;
    }
    if (addSource) {
        store(end, 0x12);
        (0, copy_1.copyBytes)((0, wire_1.varintWrite)(end + 1, sourceBytes), sourceAt, sourceBytes);
    }
    slab.used += size;
    if (metas !== 0)
        (0, store_1.metaAdd)(slab, entry, deadline, scan_1.scanKeyAt - at + eventAt - entry, scan_1.scanKeyBytes, channel.number);
    handOn(channel, connection, plain, type, slab, entry, size, eventAt, eventBytes, metas, deadline, receipt);
    return abi_1.STATUS_OK;
}
function handOn(channel, connection, plain, type, slab, entry, size, eventAt, eventBytes, metas, deadline, receipt) {
    exports.publishedRefused = 0;
    if (plain) {
        exports.publishedSinks = receipt === decide_1.NO_RECEIPT ? 0 : (0, fan_out_1.plainSinks)(channel, connection);
        (0, fan_out_1.rangeExtend)(channel, connection, slab, entry, size, metas, deadline);
    }
    else if (channel.decider !== 0) {
        (0, fan_out_1.rangeFlush)();
        exports.publishedSinks = 0;
        (0, decide_1.park)(channel, connection, type, slab, entry, size, eventAt, eventBytes, slab.metas - metas, metas, deadline, receipt);
    }
    else {
        (0, fan_out_1.fanBegin)(slab, entry, size, slab.metas - metas, metas, deadline);
        (0, fan_out_1.fanAll)(channel, connection, type);
        (0, fan_out_1.fanEnd)();
        exports.publishedSinks = fan_out_1.fanSinks;
        exports.publishedRefused = fan_out_1.fanRefused;
    }
}
function fixedWrite(at, tag, value) {
    store(at, tag);
    store(at, value, 1);
    return at + 9;
}
/** The moment by which the scanned event must be delivered, µs; i64.MAX_VALUE: none. The earlier one of two counts. */
function deadlineOf(channel, acceptedMs) {
    const hasDeliverBy = (scan_1.scanFlags & scan_1.SCAN_DELIVER_BY) !== 0;
    let deadline = hasDeliverBy ? scan_1.scanDeliverByUs : i64.MAX_VALUE;
    let ttlMs = -1;
    if ((scan_1.scanFlags & scan_1.SCAN_TTL) !== 0)
        ttlMs = scan_1.scanTtlMs;
    else if (!hasDeliverBy && channel.ttlMs > 0)
        ttlMs = channel.ttlMs;
    if (ttlMs >= 0)
        deadline = min(deadline, min(((acceptedMs + ttlMs) * 1000), scan_1.TIME_US_MAX));
    return deadline;
}
/** Lets the outboxes of a channel go on while nothing blocks it. */
function outboxesPump(channel) {
    while (channel.outboxes !== 0 && channel.blockedBy === 0 && !(0, decide_1.parkedFull)()) {
        const source = changetype(channel.outboxes);
        const address = source.outboxHead;
        const node = changetype(address);
        if (node.cancelled === 0) {
            (0, scan_1.scanEvent)(address + outbox_1.NODE_BYTES, node.bytes);
            const status = dispatch(channel, node.connection, 0, 0, address + outbox_1.NODE_BYTES, node.bytes, node.acceptedMs, decide_1.NO_RECEIPT);
            if (status === abi_1.STATUS_STORE_FULL)
                break;
        }
        const connection = (0, connection_1.connectionFind)(source.connection);
        if (connection !== null)
            creditSpend(connection, source, 1, node.bytes);
        (0, outbox_1.outboxShift)(source);
        // Sources take turns, event by event.
        (0, outbox_1.outboxUnlistFirst)(channel);
        if (source.outboxEvents !== 0)
            (0, outbox_1.outboxList)(channel, source);
        else if (source.connection === 0)
            (0, table_1.tableGive)((0, member_1.memberTable)(), source.number);
    }
    (0, fan_out_1.rangeFlush)();
}
