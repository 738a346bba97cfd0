"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.abiVersion = abiVersion;
exports.coreInit = coreInit;
exports.connectionOpen = connectionOpen;
exports.connectionSource = connectionSource;
exports.connectionClose = connectionClose;
exports.connectionPartial = connectionPartial;
exports.inboxSet = inboxSet;
exports.inboxHold = inboxHold;
exports.inboxEvents = inboxEvents;
exports.inboxBytes = inboxBytes;
exports.ingest = ingest;
exports.ingestFrame = ingestFrame;
exports.decide = decide;
exports.controlPush = controlPush;
exports.closePush = closePush;
exports.pingPush = pingPush;
exports.dirtyTake = dirtyTake;
exports.drain = drain;
exports.channelAdd = channelAdd;
exports.channelRemove = channelRemove;
exports.channelSet = channelSet;
exports.channelTypes = channelTypes;
exports.channelSequence = channelSequence;
exports.channelSinks = channelSinks;
exports.channelSources = channelSources;
exports.memberAdd = memberAdd;
exports.memberTypes = memberTypes;
exports.memberRemove = memberRemove;
exports.memberAttributes = memberAttributes;
exports.memberUpdate = memberUpdate;
exports.statistic = statistic;
/**
 * The whole ABI of the core. What each function promises stands in host/core/exports.ts; constants stand in abi.ts.
 * Functions here only look up what a number names and hand on.
 */
const abi_1 = require("./abi");
const channel_1 = require("./channel/channel");
const member_1 = require("./channel/member");
const types_1 = require("./channel/types");
const clock_1 = require("./clock");
const decide_1 = require("./filter/decide");
const inbox_1 = require("./mailbox/inbox");
const keys_1 = require("./mailbox/keys");
const slab_1 = require("./mailbox/slab");
const fan_out_1 = require("./match/fan-out");
const membership_1 = require("./match/membership");
const publish_1 = require("./match/publish");
const bytes_1 = require("./memory/bytes");
const heap_1 = require("./memory/heap");
const pages_1 = require("./memory/pages");
const table_1 = require("./memory/table");
const result_1 = require("./result");
const attributes_1 = require("./session/attributes");
const connection_1 = require("./session/connection");
const control_1 = require("./session/control");
const drain_1 = require("./session/drain");
const ingest_1 = require("./session/ingest");
const stream_1 = require("./session/stream");
const websocket_out_1 = require("./session/websocket-out");
const statistics_1 = require("./statistics");
/** Pages for tables, index and scratch that must be there beside the store. */
const PAGES_MIN = 32;
const STORE_SLABS_MIN = 4;
const SOURCE_BYTES_MAX = 256;
function abiVersion() {
    return abi_1.ABI_VERSION;
}
function coreInit(storeBytes, epoch) {
    assert(__heap_base <= abi_1.REGION_BASE);
    const storePages = (max(storeBytes, STORE_SLABS_MIN * abi_1.SLAB_BYTES) / abi_1.SLAB_BYTES) * (abi_1.SLAB_BYTES / abi_1.PAGE_BYTES);
    const memoryPages = memory.size();
    const needPages = abi_1.REGIONS_END / abi_1.PAGE_BYTES + 2 + storePages + PAGES_MIN;
    if (memoryPages < needPages)
        return (0, result_1.resultStatus)(abi_1.STATUS_MEMORY, memoryPages, needPages * abi_1.PAGE_BYTES);
    const pages = (0, pages_1.pagesInit)(memoryPages - abi_1.REGIONS_END / abi_1.PAGE_BYTES);
    (0, pages_1.pagesQuota)(pages_1.PAGES_STORE, storePages);
    (0, pages_1.pagesQuota)(pages_1.PAGES_MAILBOX, (pages - storePages) / 2);
    (0, pages_1.pagesQuota)(pages_1.PAGES_HEAP, (pages - storePages) / 2);
    (0, heap_1.heapInit)();
    (0, bytes_1.hashSeed)(epoch);
    (0, statistics_1.statisticsInit)();
    (0, slab_1.slabsInit)();
    (0, fan_out_1.fanOutInit)();
    (0, decide_1.decideInit)();
    (0, publish_1.publishInit)(storePages * abi_1.PAGE_BYTES);
    const ok = (0, keys_1.keysInit)() && (0, connection_1.connectionsInit)() && (0, channel_1.channelsInit)() && (0, member_1.membersInit)() && (0, types_1.typesInit)();
    return ok ? abi_1.STATUS_OK : (0, result_1.resultStatus)(abi_1.STATUS_MEMORY, memoryPages, needPages * abi_1.PAGE_BYTES);
}
function connectionOpen(kind, sourceAt, sourceBytes) {
    if (kind > abi_1.CONNECTION_LOCAL || sourceBytes > SOURCE_BYTES_MAX)
        return 0;
    const number = (0, table_1.tableTake)((0, connection_1.connectionTable)());
    if (number === 0)
        return 0;
    const connection = (0, connection_1.connectionAt)(number);
    connection.kind = kind;
    connection.inbox = (0, inbox_1.inboxNew)(connection);
    connection.sourceAt = (0, heap_1.heapCopy)(sourceAt, sourceBytes);
    connection.sourceBytes = connection.sourceAt === 0 ? 0 : sourceBytes;
    if (connection.inbox !== 0)
        return number;
    (0, table_1.tableGive)((0, connection_1.connectionTable)(), number);
    return 0;
}
function connectionSource(number, sourceAt, sourceBytes) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null || sourceBytes > SOURCE_BYTES_MAX)
        return abi_1.STATUS_LIMIT;
    const at = (0, heap_1.heapCopy)(sourceAt, sourceBytes);
    if (connection.sourceAt !== 0)
        (0, heap_1.heapGive)(connection.sourceAt, connection.sourceBytes);
    connection.sourceAt = at;
    connection.sourceBytes = at === 0 ? 0 : sourceBytes;
    return abi_1.STATUS_OK;
}
function connectionClose(number) {
    const found = (0, connection_1.connectionFind)(number);
    if (found === null)
        return;
    const connection = found;
    (0, membership_1.connectionLeaveAll)(connection);
    (0, connection_1.dirtyRemove)(connection);
    (0, stream_1.carryFree)(connection);
    (0, control_1.controlFree)(connection);
    if (connection.sourceAt !== 0)
        (0, heap_1.heapGive)(connection.sourceAt, connection.sourceBytes);
    (0, inbox_1.inboxFree)(changetype(connection.inbox));
    (0, table_1.tableGive)((0, connection_1.connectionTable)(), number);
}
function connectionPartial(number) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null)
        return 0;
    return connection.carryBytes + connection.wsHeaderBytes + (connection.wsState | connection.wsMessage ? 1 : 0);
}
function inboxSet(number, capacityEvents, capacityBytes, overflow) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null)
        return abi_1.STATUS_MEMBER_UNKNOWN;
    return (0, membership_1.inboxConfigure)(connection, capacityEvents, capacityBytes, overflow);
}
function inboxHold(number, held) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null)
        return;
    connection.held = held;
    if (held === 0)
        (0, connection_1.dirtyPush)(connection);
}
function inboxEvents(number) {
    const connection = (0, connection_1.connectionFind)(number);
    return connection === null ? 0 : changetype(connection.inbox).events;
}
function inboxBytes(number) {
    const connection = (0, connection_1.connectionFind)(number);
    return connection === null ? 0 : changetype(connection.inbox).bytes;
}
function ingest(number, at, bytes, now) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null) {
        (0, result_1.resultSet)(abi_1.RESULT_REASON, abi_1.REASON_DONE);
        return bytes;
    }
    (0, clock_1.clockSet)(now);
    return (0, ingest_1.connectionIngest)(connection, at, bytes);
}
function ingestFrame(number, at, bytes, now) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null) {
        (0, result_1.resultSet)(abi_1.RESULT_REASON, abi_1.REASON_CLOSE);
        return;
    }
    (0, clock_1.clockSet)(now);
    (0, ingest_1.connectionIngestFrame)(connection, at, bytes);
}
function decide(words, now) {
    (0, clock_1.clockSet)(now);
    return (0, decide_1.decideBatch)(words);
}
function controlPush(number, at, bytes) {
    const connection = (0, connection_1.connectionFind)(number);
    return connection === null ? abi_1.STATUS_MEMBER_UNKNOWN : (0, control_1.controlFrame)(connection, at, bytes);
}
function closePush(number, code, reasonAt, reasonBytes) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null || reasonBytes > 123)
        return;
    const at = changetype(connection) + CLOSE_SCRATCH_OFFSET;
    store(at, bswap(code));
    memory.copy(at + 2, reasonAt, reasonBytes);
    (0, control_1.controlWebSocket)(connection, websocket_out_1.WS_CLOSE, at, 2 + reasonBytes);
}
/** The buffer of incoming control frames is free between inputs. */
const CLOSE_SCRATCH_OFFSET = 336;
function pingPush(number) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection !== null)
        (0, control_1.controlWebSocket)(connection, websocket_out_1.WS_PING, 0, 0);
}
function dirtyTake() {
    let count = 0;
    while (count < abi_1.DIRTY_COUNT_MAX) {
        const connection = (0, connection_1.dirtyFirst)();
        if (connection === null)
            break;
        (0, connection_1.dirtyRemove)(connection);
        store(abi_1.DIRTY_OFFSET + count * 4, connection.number);
        count++;
    }
    return count;
}
function drain(number, out, bytesMax, now) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection === null)
        return 0;
    (0, clock_1.clockSet)(now);
    return (0, drain_1.connectionDrain)(connection, out, bytesMax);
}
function channelAdd(nameAt, nameBytes, flags) {
    return (0, channel_1.channelNew)(nameAt, nameBytes, flags);
}
function channelRemove(number) {
    const channel = (0, channel_1.channelFind)(number);
    if (channel === null)
        return abi_1.STATUS_CHANNEL_UNKNOWN;
    (0, membership_1.channelEnd)(channel);
    return abi_1.STATUS_OK;
}
function channelSet(number, flags, priority, ttlMs, decider) {
    const found = (0, channel_1.channelFind)(number);
    if (found === null)
        return abi_1.STATUS_CHANNEL_UNKNOWN;
    const channel = found;
    if (decider !== 0 && channel.sinks > decide_1.DECIDER_SINKS_MAX)
        return (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, channel.sinks, decide_1.DECIDER_SINKS_MAX);
    channel.flags = flags;
    channel.priority = priority;
    channel.ttlMs = ttlMs;
    channel.decider = decider;
    return abi_1.STATUS_OK;
}
function channelTypes(number, typesAt, count) {
    const found = (0, channel_1.channelFind)(number);
    if (found === null)
        return abi_1.STATUS_CHANNEL_UNKNOWN;
    const channel = found;
    const status = (0, types_1.typeSetNew)(typesAt, count);
    if (status !== abi_1.STATUS_OK)
        return status;
    (0, types_1.typeSetRelease)(channel.types);
    channel.types = types_1.typeSetMade;
    return abi_1.STATUS_OK;
}
function channelSequence(number) {
    return (0, channel_1.channelFind)(number) === null ? 0 : (0, channel_1.channelAt)(number).sequence;
}
function channelSinks(number) {
    return (0, channel_1.channelFind)(number) === null ? 0 : (0, channel_1.channelAt)(number).sinks;
}
function channelSources(number) {
    return (0, channel_1.channelFind)(number) === null ? 0 : (0, channel_1.channelAt)(number).sources;
}
function memberAdd(number, channel, role) {
    const connection = (0, connection_1.connectionFind)(number);
    if (connection !== null)
        return (0, membership_1.memberNew)(connection, channel, role);
    (0, result_1.resultStatus)(abi_1.STATUS_MEMBER_UNKNOWN, number, 0);
    return 0;
}
function memberTypes(member, typesAt, count) {
    return (0, membership_1.memberTypesSet)(member, typesAt, count);
}
function memberRemove(number, member) {
    const connection = (0, connection_1.connectionFind)(number);
    return connection === null ? abi_1.STATUS_MEMBER_UNKNOWN : (0, membership_1.memberLeave)(connection, member);
}
function memberAttributes(number, out) {
    if ((0, member_1.memberFind)(number) === null)
        return 0;
    const member = (0, member_1.memberAt)(number);
    memory.copy(out, member.attributesAt, member.attributesBytes);
    return member.attributesBytes;
}
function memberUpdate(number, at, bytes) {
    const connection = (0, connection_1.connectionFind)(number);
    return connection === null ? abi_1.STATUS_MEMBER_UNKNOWN : (0, attributes_1.memberUpdateFrame)(connection, at, bytes);
}
function statistic(index) {
    if (index === abi_1.STATISTIC_PAGES_USED)
        return (0, pages_1.pagesUsed)();
    if (index === abi_1.STATISTIC_PAGES)
        return (0, pages_1.pagesTotal)();
    if (index === abi_1.STATISTIC_SLABS)
        return (0, slab_1.slabsLive)();
    if (index === abi_1.STATISTIC_CONNECTIONS)
        return (0, connection_1.connectionTable)().live;
    if (index === abi_1.STATISTIC_CHANNELS)
        return (0, channel_1.channelTable)().live;
    if (index === abi_1.STATISTIC_MEMBERS)
        return (0, member_1.memberTable)().live;
    return (0, statistics_1.statisticGet)(index);
}
