"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.Channel = void 0;
exports.channelSpecial = channelSpecial;
exports.channelsInit = channelsInit;
exports.channelTable = channelTable;
exports.channelAt = channelAt;
exports.channelFind = channelFind;
exports.channelByName = channelByName;
exports.channelNew = channelNew;
exports.channelFree = channelFree;
exports.channelSinkAdd = channelSinkAdd;
exports.channelSinkRemove = channelSinkRemove;
/** Channels by number and by name, and the list of sinks of each. The record has 128 bytes. */
const abi_1 = require("../abi");
const bytes_1 = require("../memory/bytes");
const heap_1 = require("../memory/heap");
const map_1 = require("../memory/map");
const table_1 = require("../memory/table");
let Channel = class Channel {
    number;
    tableNext;
    /** CHANNEL_… bits. */
    flags;
    priority;
    sequence;
    /** From here to `ttlMs`, 32 bytes: all 0 on a channel without anything special, which is seen with two loads. */
    types;
    /** Number of the decider, 0: none. */
    decider;
    /** How many sinks have a `types` set, an inbox that does not drop the oldest, or a second membership here.
     *  While all are 0, events that follow one another fan out as one range. */
    typedSinks;
    strictSinks;
    doubleSinks;
    /** How many inboxes of policy `block` are beyond their stall mark. */
    blockedBy;
    /** 0: none. */
    ttlMs;
    /** Array of member addresses in join order. */
    sinksAt;
    sinks;
    sinksCapacity;
    sources;
    /** Sources whose outbox holds events (list through Member.nextOutbox). */
    outboxes;
    /** Last source in that list. */
    outboxesTail;
    nameAt;
    nameBytes;
    /** Next channel number with the same name hash. */
    nameNext;
};
exports.Channel = Channel;
exports.Channel = Channel = __decorate([
    unmanaged
], Channel);
const SPECIAL_OFFSET = 24;
if (offsetof("types") !== SPECIAL_OFFSET)
    ERROR("Channel.types is not where channelSpecial() looks");
if (offsetof("ttlMs") !== SPECIAL_OFFSET + 24)
    ERROR("Channel.ttlMs is not where channelSpecial() looks");
/** Whether anything about a channel keeps its events from the fast way: see Channel.types and what follows. */
function channelSpecial(channel) {
    const at = changetype(channel) + SPECIAL_OFFSET;
    const bits = v128.or(v128.load(at), v128.load(at, 16));
    return v128.any_true(bits) || channel.outboxes !== 0 || channel.priority !== 4;
}
const RECORD_BITS = 7;
if (offsetof() > 128)
    ERROR("Channel is larger than its record");
let table = 0;
let names = 0;
/** Forgets all channels. Returns false where memory is too small. */
function channelsInit() {
    table = (0, table_1.tableNew)(RECORD_BITS, abi_1.CHANNELS_MAX);
    names = (0, map_1.mapNew)();
    return table !== 0 && names !== 0;
}
/** The table of channels. */
function channelTable() {
    return changetype(table);
}
/** The live channel of that number. */
function channelAt(number) {
    return changetype((0, table_1.tableAt)(channelTable(), number));
}
/** The channel of that number, null where there is none. */
function channelFind(number) {
    return changetype((0, table_1.tableFind)(channelTable(), number));
}
/** The number of the channel of that name, 0 where there is none. */
function channelByName(at, bytes) {
    let number = (0, map_1.mapFind)(changetype(names), (0, bytes_1.hashBytes)(at, bytes));
    while (number !== 0) {
        const channel = channelAt(number);
        if ((0, bytes_1.bytesEqual)(channel.nameAt, channel.nameBytes, at, bytes))
            return number;
        number = channel.nameNext;
    }
    return 0;
}
/** Adds a channel; 0 where the name is taken or memory is used up. */
function channelNew(nameAt, nameBytes, flags) {
    if (nameBytes === 0 || channelByName(nameAt, nameBytes) !== 0)
        return 0;
    const number = (0, table_1.tableTake)(channelTable());
    if (number === 0)
        return 0;
    const channel = channelAt(number);
    const hash = (0, bytes_1.hashBytes)(nameAt, nameBytes);
    const map = changetype(names);
    channel.nameAt = (0, heap_1.heapCopy)(nameAt, nameBytes);
    channel.nameBytes = nameBytes;
    channel.nameNext = (0, map_1.mapFind)(map, hash);
    channel.flags = flags;
    channel.priority = 4;
    if (channel.nameAt === 0 || !(0, map_1.mapSet)(map, hash, number)) {
        if (channel.nameAt !== 0)
            (0, heap_1.heapGive)(channel.nameAt, nameBytes);
        (0, table_1.tableGive)(channelTable(), number);
        return 0;
    }
    return number;
}
/** Frees a channel that has no members any more. */
function channelFree(channel) {
    const map = changetype(names);
    const hash = (0, bytes_1.hashBytes)(channel.nameAt, channel.nameBytes);
    const first = (0, map_1.mapFind)(map, hash);
    if (first === channel.number) {
        if (channel.nameNext === 0)
            (0, map_1.mapDelete)(map, hash);
        else
            (0, map_1.mapSet)(map, hash, channel.nameNext);
    }
    else {
        let previous = channelAt(first);
        while (previous.nameNext !== channel.number)
            previous = channelAt(previous.nameNext);
        previous.nameNext = channel.nameNext;
    }
    (0, heap_1.heapGive)(channel.nameAt, channel.nameBytes);
    if (channel.sinksAt !== 0)
        (0, heap_1.heapGive)(channel.sinksAt, channel.sinksCapacity * 4);
    (0, table_1.tableGive)(channelTable(), channel.number);
}
/** Appends a sink. Returns false where memory is used up. */
function channelSinkAdd(channel, member) {
    if (channel.sinks === channel.sinksCapacity) {
        const bytes = (0, heap_1.heapBlockBytes)(channel.sinksCapacity === 0 ? 16 : channel.sinksCapacity * 8);
        const at = (0, heap_1.heapTake)(bytes);
        if (at === 0)
            return false;
        if (channel.sinksAt !== 0) {
            memory.copy(at, channel.sinksAt, channel.sinks * 4);
            (0, heap_1.heapGive)(channel.sinksAt, channel.sinksCapacity * 4);
        }
        channel.sinksAt = at;
        channel.sinksCapacity = bytes / 4;
    }
    store(channel.sinksAt + channel.sinks * 4, member);
    channel.sinks++;
    return true;
}
/** Removes a sink and keeps the order of the others. */
function channelSinkRemove(channel, member) {
    const end = channel.sinksAt + channel.sinks * 4;
    let at = channel.sinksAt;
    while (at < end && load(at) !== member)
        at += 4;
    if (at === end)
        return;
    memory.copy(at, at + 4, end - at - 4);
    channel.sinks--;
}
