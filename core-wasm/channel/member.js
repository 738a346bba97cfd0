"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.Member = void 0;
exports.membersInit = membersInit;
exports.memberTable = memberTable;
exports.memberAt = memberAt;
exports.memberFind = memberFind;
exports.pairFirst = pairFirst;
exports.pairWithRole = pairWithRole;
exports.pairAdd = pairAdd;
exports.pairRemove = pairRemove;
/**
 * Members: one session's part in one channel, as sink, source or both. The record has 128 bytes.
 *
 * A second index leads from (connection, channel) to its members, which publishing by number, notices of drops and
 * `member` in deliveries need.
 */
const abi_1 = require("../abi");
const map_1 = require("../memory/map");
const table_1 = require("../memory/table");
let Member = class Member {
    number;
    tableNext;
    connection;
    channel;
    /** Address of the session's inbox, for the fan-out. */
    inbox;
    /** ROLE_… bits. */
    role;
    /** Set of types wanted, 0: any. */
    types;
    nextOfConnection;
    /** Next member of the same connection in the same channel. */
    nextOfPair;
    /** Drops to tell, by DROPPED_… reason, and whether this is in the connection's list. */
    droppedOverflow;
    droppedLate;
    droppedCancelled;
    noticed;
    nextNotice;
    /** Source: what left the outbox since the last credit frame. */
    spentEvents;
    spentBytes;
    granting;
    nextGrant;
    /** Source: first and last node of the outbox, see match/outbox.ts. */
    outboxHead;
    outboxTail;
    outboxEvents;
    outboxBytes;
    nextOutbox;
    /** Live attributes as encoded map entries (fields 2 of an Update). */
    attributesAt;
    attributesBytes;
};
exports.Member = Member;
exports.Member = Member = __decorate([
    unmanaged
], Member);
const RECORD_BITS = 7;
if (offsetof() > 128)
    ERROR("Member is larger than its record");
let table = 0;
let pairs = 0;
/** Forgets all members. Returns false where memory is too small. */
function membersInit() {
    table = (0, table_1.tableNew)(RECORD_BITS, abi_1.MEMBERS_MAX);
    pairs = (0, map_1.mapNew)();
    return table !== 0 && pairs !== 0;
}
/** The table of members. */
function memberTable() {
    return changetype(table);
}
/** The live member of that number. */
function memberAt(number) {
    return changetype((0, table_1.tableAt)(memberTable(), number));
}
/** The member of that number, null where there is none. */
function memberFind(number) {
    return changetype((0, table_1.tableFind)(memberTable(), number));
}
function pairKey(connection, channel) {
    return (connection << 32) | channel;
}
/** Address of the first member of a connection in a channel, 0 where there is none. */
function pairFirst(connection, channel) {
    return (0, map_1.mapFind)(changetype(pairs), pairKey(connection, channel));
}
/** Address of the first member of a connection in a channel with that role, 0 where there is none. */
function pairWithRole(connection, channel, role) {
    let at = pairFirst(connection, channel);
    while (at !== 0 && (changetype(at).role & role) === 0)
        at = changetype(at).nextOfPair;
    return at;
}
/** Appends a member to its pair's list. Returns false where memory is used up. */
function pairAdd(member) {
    const at = changetype(member);
    let last = pairFirst(member.connection, member.channel);
    if (last === 0)
        return (0, map_1.mapSet)(changetype(pairs), pairKey(member.connection, member.channel), at);
    while (changetype(last).nextOfPair !== 0)
        last = changetype(last).nextOfPair;
    changetype(last).nextOfPair = at;
    return true;
}
/** Takes a member out of its pair's list. */
function pairRemove(member) {
    const map = changetype(pairs);
    const key = pairKey(member.connection, member.channel);
    const at = changetype(member);
    let previous = (0, map_1.mapFind)(map, key);
    if (previous === at) {
        if (member.nextOfPair === 0)
            (0, map_1.mapDelete)(map, key);
        else
            (0, map_1.mapSet)(map, key, member.nextOfPair);
        return;
    }
    while (changetype(previous).nextOfPair !== at)
        previous = changetype(previous).nextOfPair;
    changetype(previous).nextOfPair = member.nextOfPair;
}
