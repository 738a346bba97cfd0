"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.refusedLimit = exports.fanRefused = exports.fanSinks = void 0;
exports.fanOutInit = fanOutInit;
exports.channelPlain = channelPlain;
exports.rangeExtend = rangeExtend;
exports.rangeFlush = rangeFlush;
exports.plainSinks = plainSinks;
exports.fanBegin = fanBegin;
exports.fanEnd = fanEnd;
exports.fanMember = fanMember;
exports.fanAll = fanAll;
exports.allRefuse = allRefuse;
/**
 * From a stored entry to the inboxes of its sinks.
 *
 * Events that follow one another on a channel whose sinks all want everything are fanned out as one range: the cost
 * per event and sink is then next to nothing. Where a sink has `types`, a strict inbox or a second membership, each
 * event goes its own way.
 */
const abi_1 = require("../abi");
const member_1 = require("../channel/member");
const types_1 = require("../channel/types");
const entry_1 = require("../event/entry");
const inbox_1 = require("../mailbox/inbox");
const records_1 = require("../mailbox/records");
const store_1 = require("../mailbox/store");
const slab_1 = require("../mailbox/slab");
/** The range under way: rangeEvents 0 means there is none. */
let rangeChannel = 0;
let rangeConnection = 0;
let rangeSlab = 0;
let rangeAt = 0;
let rangeBytes = 0;
let rangeEvents = 0;
let rangeMetaFirst = 0;
let rangeMetas = 0;
let rangeDeadline = 0;
/** Forgets the range. */
function fanOutInit() {
    rangeEvents = 0;
}
/** Whether every sink of a channel takes every event, so that ranges may be used. */
function channelPlain(channel) {
    return (channel.typedSinks | channel.strictSinks | channel.doubleSinks) === 0;
}
/** Adds an entry to the range, beginning a new one where it does not follow on. */
function rangeExtend(channel, connection, slab, at, bytes, metas, deadline) {
    const channelAddress = changetype(channel);
    if (rangeEvents === 0 ||
        rangeAt + rangeBytes !== at ||
        rangeChannel !== channelAddress ||
        rangeConnection !== connection ||
        rangeSlab !== changetype(slab)) {
        rangeFlush();
        rangeChannel = channelAddress;
        rangeConnection = connection;
        rangeSlab = changetype(slab);
        rangeAt = at;
        rangeBytes = rangeMetas = 0;
        rangeDeadline = Infinity;
    }
    if (rangeMetas === 0)
        rangeMetaFirst = slab.metas - metas;
    rangeBytes += bytes;
    rangeEvents++;
    rangeMetas += metas;
    if (deadline < rangeDeadline)
        rangeDeadline = deadline;
}
/** Fans the range out. Must run before the slab, the channel or its members change. */
function rangeFlush() {
    if (rangeEvents === 0)
        return;
    const events = rangeEvents;
    rangeEvents = 0;
    const channel = changetype(rangeChannel);
    const slab = changetype(rangeSlab);
    const skip = (channel.flags & abi_1.CHANNEL_ECHO) !== 0 ? 0 : rangeConnection;
    const end = channel.sinksAt + channel.sinks * 4;
    // An inbox that overflows at once must not free the slab under the next sink.
    slab.pins++;
    for (let at = channel.sinksAt; at < end; at += 4) {
        const member = changetype(load(at));
        if (member.connection === skip)
            continue;
        (0, inbox_1.inboxAppend)(changetype(member.inbox), channel.number, slab, rangeAt, rangeBytes, events, rangeMetaFirst, rangeMetas, rangeDeadline);
    }
    slab.pins--;
    if (slab.runs === 0)
        (0, slab_1.slabIdle)(slab);
}
/** Sinks that a range of that channel reaches, for receipts. */
function plainSinks(channel, connection) {
    if ((channel.flags & abi_1.CHANNEL_ECHO) !== 0)
        return channel.sinks;
    return channel.sinks - ((0, member_1.pairWithRole)(connection, channel.number, abi_1.ROLE_SINK) === 0 ? 0 : 1);
}
/** Members selected and members whose inbox refused, since fanBegin(). */
exports.fanSinks = 0;
exports.fanRefused = 0;
let fanStamp = 0;
let fanSlab = 0;
let fanAt = 0;
let fanBytes = 0;
let fanMetas = 0;
let fanMetaFirst = 0;
let fanDeadline = 0;
/** Begins the fan-out of one entry; ends with fanEnd(). */
function fanBegin(slab, at, bytes, metaFirst, metas, deadline) {
    rangeFlush();
    exports.fanSinks = exports.fanRefused = 0;
    fanStamp++;
    fanSlab = changetype(slab);
    fanAt = at;
    fanBytes = bytes;
    fanMetaFirst = metaFirst;
    fanMetas = metas;
    fanDeadline = deadline;
    slab.pins++;
}
/** Ends the fan-out of one entry. */
function fanEnd() {
    const slab = changetype(fanSlab);
    slab.pins--;
    if (slab.runs === 0)
        (0, slab_1.slabIdle)(slab);
}
/** Hands the entry to one member, once per inbox. */
function fanMember(channel, member) {
    exports.fanSinks++;
    const inbox = changetype(member.inbox);
    if (channel.doubleSinks !== 0) {
        if (inbox.stamp === fanStamp)
            return;
        inbox.stamp = fanStamp;
    }
    if (inbox.overflow === abi_1.OVERFLOW_REJECT && !(0, inbox_1.inboxHasRoom)(inbox, fanBytes)) {
        exports.fanRefused++;
        return;
    }
    if (channel.doubleSinks !== 0 && sinksOfPair(member) > 1 && fanCopy(inbox, channel, member))
        return;
    (0, inbox_1.inboxAppend)(inbox, channel.number, changetype(fanSlab), fanAt, fanBytes, 1, fanMetaFirst, fanMetas, fanDeadline);
}
function sinksOfPair(member) {
    let count = 0;
    let at = (0, member_1.pairWithRole)(member.connection, member.channel, abi_1.ROLE_SINK);
    while (at !== 0) {
        if ((changetype(at).role & abi_1.ROLE_SINK) !== 0)
            count++;
        at = changetype(at).nextOfPair;
    }
    return count;
}
/** Gives an inbox an entry of its own that names the member. False where there is no memory for it. */
function fanCopy(inbox, channel, member) {
    const eventAt = (0, entry_1.entryEvent)(fanAt);
    const eventBytes = entry_1.entryEventBytes;
    const sequence = entry_1.entrySequence;
    const bytes = (0, entry_1.entryBytes)(channel.number, sequence, eventBytes, member.number);
    const chunkAt = (0, store_1.chunkWithRoom)(inbox, bytes + records_1.META_BYTES);
    if (chunkAt === 0)
        return false;
    const chunk = changetype(chunkAt);
    const at = chunk.base + chunk.used;
    const to = (0, entry_1.entryHeadWrite)(at, channel.number, sequence, eventBytes);
    memory.copy(to, eventAt, eventBytes);
    (0, entry_1.entryMemberWrite)(to + eventBytes, member.number);
    chunk.used += bytes;
    const metaFirst = chunk.metas;
    if (fanMetas !== 0)
        copyMeta(chunk, at, to - eventAt);
    chunk.pins++;
    (0, inbox_1.inboxAppend)(inbox, channel.number, chunk, at, bytes, 1, metaFirst, fanMetas, fanDeadline);
    chunk.pins--;
    if (chunk.runs === 0) {
        if (inbox.chunk === chunkAt)
            inbox.chunk = 0;
        (0, slab_1.slabIdle)(chunk);
    }
    return true;
}
function copyMeta(chunk, entryAt, shift) {
    const slab = changetype(fanSlab);
    const meta = (0, records_1.metaAt)(slab, fanMetaFirst);
    (0, store_1.metaAdd)(chunk, entryAt, meta.deadline, fanAt + meta.keyOffset + shift - entryAt, meta.keyBytes, meta.channel);
}
/** Fans one entry out to all sinks whose `types` take it. */
function fanAll(channel, connection, type) {
    const skip = (channel.flags & abi_1.CHANNEL_ECHO) !== 0 ? 0 : connection;
    const end = channel.sinksAt + channel.sinks * 4;
    for (let at = channel.sinksAt; at < end; at += 4) {
        const member = changetype(load(at));
        if (member.connection !== skip && (0, types_1.typeSetTakes)(member.types, type))
            fanMember(channel, member);
    }
}
/** Whether an event of that size would be refused by every sink that wants it, and at least one does. */
function allRefuse(channel, connection, type, bytes) {
    const skip = (channel.flags & abi_1.CHANNEL_ECHO) !== 0 ? 0 : connection;
    const end = channel.sinksAt + channel.sinks * 4;
    exports.refusedLimit = 0;
    for (let at = channel.sinksAt; at < end; at += 4) {
        const member = changetype(load(at));
        if (member.connection === skip || !(0, types_1.typeSetTakes)(member.types, type))
            continue;
        const inbox = changetype(member.inbox);
        if (inbox.overflow !== abi_1.OVERFLOW_REJECT || (0, inbox_1.inboxHasRoom)(inbox, bytes))
            return false;
        exports.refusedLimit = inbox.capacityEvents;
    }
    return exports.refusedLimit !== 0;
}
/** Capacity of the inbox that allRefuse() saw last. */
exports.refusedLimit = 0;
