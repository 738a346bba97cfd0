"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.NO_RECEIPT = exports.DECIDER_SINKS_MAX = void 0;
exports.decideInit = decideInit;
exports.parkedEvents = parkedEvents;
exports.parkedFull = parkedFull;
exports.park = park;
exports.decideBatch = decideBatch;
/**
 * The seam for filters that run outside of the core: events of a channel with a decider are parked as a batch, the
 * host runs the module over it and answers in words, decide() carries them out. Layouts are in abi.ts.
 *
 * Parked events are stored and sequenced already; their slab is pinned until they are decided. Own sinks of the
 * submitter are no candidates: they follow the channel's `echo` (design.md §4.3).
 */
const abi_1 = require("../abi");
const channel_1 = require("../channel/channel");
const member_1 = require("../channel/member");
const types_1 = require("../channel/types");
const fan_out_1 = require("../match/fan-out");
const statistics_1 = require("../statistics");
/** What the core remembers of a parked event besides its record for the host. */
let Parked = class Parked {
    deadline;
    slab;
    at;
    bytes;
    metaFirst;
    metas;
    receipt;
};
Parked = __decorate([
    unmanaged
], Parked);
const PARKED_BYTES = 32;
const parkedAt = memory.data(2048, 8);
if (offsetof() !== PARKED_BYTES)
    ERROR("Parked is not 32 bytes");
if (abi_1.DECIDE_EVENTS_MAX * PARKED_BYTES !== 2048)
    ERROR("Parked has not room for a batch");
/** Most sinks of a channel with a decider (filters.md §6). */
exports.DECIDER_SINKS_MAX = 4096;
/** No record of RECEIPTS waits for the decision. */
exports.NO_RECEIPT = 0xffffffff;
let count = 0;
let bytesParked = 0;
let candidatesUsed = 0;
/** Forgets the batch. */
function decideInit() {
    count = bytesParked = candidatesUsed = 0;
}
/** Events that wait for a decision. */
function parkedEvents() {
    return count;
}
/** Whether the batch must be decided before another event may be parked. */
function parkedFull() {
    return count === abi_1.DECIDE_EVENTS_MAX || bytesParked >= abi_1.SLAB_BYTES || candidatesUsed + exports.DECIDER_SINKS_MAX > abi_1.DECIDE_CANDIDATES_MAX;
}
/** Parks a stored entry of a channel with a decider. */
function park(channel, connection, type, slab, at, bytes, eventAt, eventBytes, metaFirst, metas, deadline, receipt) {
    const parked = changetype(parkedAt + count * PARKED_BYTES);
    parked.deadline = deadline;
    parked.slab = changetype(slab);
    parked.at = at;
    parked.bytes = bytes;
    parked.metaFirst = metaFirst;
    parked.metas = metas;
    parked.receipt = receipt;
    slab.pins++;
    const record = abi_1.DECIDE_OFFSET + count * abi_1.DECIDE_RECORD_BYTES;
    const candidatesAt = abi_1.DECIDE_CANDIDATES_OFFSET + candidatesUsed * 4;
    const candidates = candidatesWrite(channel, connection, type, candidatesAt);
    store(record + abi_1.DECIDE_EVENT_AT * 4, eventAt);
    store(record + abi_1.DECIDE_EVENT_BYTES * 4, eventBytes);
    store(record + abi_1.DECIDE_CHANNEL * 4, channel.number);
    store(record + abi_1.DECIDE_CONNECTION * 4, connection);
    store(record + abi_1.DECIDE_CANDIDATES_AT * 4, candidatesAt);
    store(record + abi_1.DECIDE_CANDIDATES * 4, candidates);
    store(record + abi_1.DECIDE_DECIDER * 4, channel.decider);
    candidatesUsed += candidates;
    bytesParked += bytes;
    count++;
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_PARKED, 1);
}
function candidatesWrite(channel, connection, type, to) {
    let candidates = 0;
    const end = channel.sinksAt + channel.sinks * 4;
    for (let at = channel.sinksAt; at < end; at += 4) {
        const member = changetype(load(at));
        if (member.connection === connection || !(0, types_1.typeSetTakes)(member.types, type))
            continue;
        store(to + candidates * 4, member.number);
        candidates++;
    }
    return candidates;
}
/** Carries out `words` words of decisions for the whole batch. A wrong word means all candidates and STATUS_DECISION. */
function decideBatch(words) {
    let status = abi_1.STATUS_OK;
    const events = count;
    for (let i = 0; i < events; i++) {
        const parked = changetype(parkedAt + i * PARKED_BYTES);
        const record = abi_1.DECIDE_OFFSET + i * abi_1.DECIDE_RECORD_BYTES;
        const channel = (0, channel_1.channelAt)(load(record + abi_1.DECIDE_CHANNEL * 4));
        const slab = changetype(parked.slab);
        (0, fan_out_1.fanBegin)(slab, parked.at, parked.bytes, parked.metaFirst, parked.metas, parked.deadline);
        if (!decideOne(channel, record, i, events, words))
            status = abi_1.STATUS_DECISION;
        fanOwn(channel, load(record + abi_1.DECIDE_CONNECTION * 4));
        slab.pins--;
        (0, fan_out_1.fanEnd)();
        if (parked.receipt !== exports.NO_RECEIPT) {
            const receipt = abi_1.RECEIPTS_OFFSET + parked.receipt * abi_1.RECEIPT_RECORD_BYTES;
            store(receipt + abi_1.RECEIPT_SINKS * 4, fan_out_1.fanSinks);
            store(receipt + abi_1.RECEIPT_REFUSED * 4, fan_out_1.fanRefused);
        }
    }
    decideInit();
    return status;
}
/** Own sinks of the submitter receive beside the selection, where the channel echoes. */
function fanOwn(channel, connection) {
    if ((channel.flags & abi_1.CHANNEL_ECHO) === 0)
        return;
    const end = channel.sinksAt + channel.sinks * 4;
    for (let at = channel.sinksAt; at < end; at += 4) {
        const member = changetype(load(at));
        if (member.connection === connection)
            (0, fan_out_1.fanMember)(channel, member);
    }
}
function decideOne(channel, record, index, events, words) {
    const candidatesAt = load(record + abi_1.DECIDE_CANDIDATES_AT * 4);
    const candidates = load(record + abi_1.DECIDE_CANDIDATES * 4);
    const word = index < words ? load(abi_1.DECIDE_WORDS_OFFSET + index * 4) : 0xffffffff;
    const kind = word & 3;
    if (kind === abi_1.DECISION_DROP)
        return true;
    const at = events + (word >> 2);
    if (kind === abi_1.DECISION_BITMAP) {
        const size = (candidates + 31) >> 5;
        if (at + size > words)
            return decideAll(channel, candidatesAt, candidates, false);
        for (let i = 0; i < candidates; i++) {
            if ((load(abi_1.DECIDE_WORDS_OFFSET + (at + (i >> 5)) * 4) >> (i & 31)) & 1)
                decideMember(channel, candidatesAt, i);
        }
        return true;
    }
    if (kind === abi_1.DECISION_ALL)
        return decideAll(channel, candidatesAt, candidates, true);
    if (!listValid(at, words, candidates))
        return decideAll(channel, candidatesAt, candidates, false);
    const size = load(abi_1.DECIDE_WORDS_OFFSET + at * 4);
    for (let i = 1; i <= size; i++) {
        decideMember(channel, candidatesAt, load(abi_1.DECIDE_WORDS_OFFSET + (at + i) * 4));
    }
    return true;
}
function decideAll(channel, candidatesAt, candidates, asked) {
    for (let i = 0; i < candidates; i++)
        decideMember(channel, candidatesAt, i);
    return asked;
}
function decideMember(channel, candidatesAt, index) {
    (0, fan_out_1.fanMember)(channel, (0, member_1.memberAt)(load(candidatesAt + index * 4)));
}
/** A list must lie within the words, name candidates, and none of them twice. */
function listValid(at, words, candidates) {
    if (at >= words)
        return false;
    const size = load(abi_1.DECIDE_WORDS_OFFSET + at * 4);
    if (size > candidates || at + 1 + size > words)
        return false;
    for (let i = 1; i <= size; i++) {
        const index = load(abi_1.DECIDE_WORDS_OFFSET + (at + i) * 4);
        if (index >= candidates)
            return false;
        for (let k = 1; k < i; k++) {
            if (load(abi_1.DECIDE_WORDS_OFFSET + (at + k) * 4) === index)
                return false;
        }
    }
    return true;
}
