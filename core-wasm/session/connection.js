"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.WS_CONTROL_OFFSET = exports.WS_HEADER_OFFSET = exports.Connection = void 0;
exports.connectionsInit = connectionsInit;
exports.connectionTable = connectionTable;
exports.connectionAt = connectionAt;
exports.connectionFind = connectionFind;
exports.dirtyPush = dirtyPush;
exports.dirtyRemove = dirtyRemove;
exports.dirtyFirst = dirtyFirst;
/**
 * One connection: a session's way in and out. Its inbox is a Mailbox; see mailbox/inbox.ts.
 *
 * The record has 512 bytes. Input that ends within a frame waits in `carry`; answers wait in `control`. Both are heap
 * blocks that an idle connection does not have.
 */
const abi_1 = require("../abi");
const table_1 = require("../memory/table");
let Connection = class Connection {
    /** Own number; 0 when free. */
    number;
    tableNext;
    kind;
    inbox;
    /** Doubly linked list of connections with something to send; `dirty` tells whether this is in it. */
    dirtyNext;
    dirtyPrevious;
    dirty;
    /** Input is ignored: the peer broke the protocol or closed. */
    closing;
    /** What drain() reports as RESULT_STATUS. */
    fault;
    held;
    /** First member of this connection (list through Member.nextOfConnection). */
    members;
    /** Members with drops to tell (list through Member.nextNotice). */
    notices;
    /** Sources to tell credit (list through Member.nextGrant). */
    grants;
    /** The implicit `source` of its events. */
    sourceAt;
    sourceBytes;
    /** Last channel published to, and the source member for it. */
    cacheChannel;
    cacheSource;
    carryAt;
    carryBytes;
    carryCapacity;
    /** Size of the frame in carry with its prefix, 0 while unknown. */
    carryNeed;
    controlAt;
    controlBytes;
    controlCapacity;
    controlRead;
    /** A publish that stopped in the middle: next event, end, and its context. */
    resumeAt;
    resumeEnd;
    resumeSource;
    resumeHasRef;
    resumeRef;
    resumeIndex;
    /** Explicit credit is in force once a credit frame came. */
    creditExplicit;
    creditEvents;
    creditBytes;
    /** Deliveries so far: the number of the last one. */
    delivered;
    acknowledged;
    /** WebSocket: bytes left of the frame's payload, and how many of those lie unmasked already. */
    wsRemaining;
    wsState;
    wsClear;
    wsMask;
    wsPhase;
    wsOpcode;
    wsFinal;
    /** Opcode of the message under way, 0 between messages. */
    wsMessage;
    wsHeaderBytes;
    wsControlBytes;
    /** 14 bytes of header and 125 of control payload follow at wsHeaderOffset and wsControlOffset. */
    wsPad;
};
exports.Connection = Connection;
exports.Connection = Connection = __decorate([
    unmanaged
], Connection);
exports.WS_HEADER_OFFSET = 320;
exports.WS_CONTROL_OFFSET = 336;
const RECORD_BITS = 9;
if (offsetof() > exports.WS_HEADER_OFFSET)
    ERROR("Connection overlaps its WebSocket buffers");
let table = 0;
let dirtyHead = 0;
let dirtyTail = 0;
/** Makes the table anew. Returns false where memory is too small. */
function connectionsInit() {
    dirtyHead = dirtyTail = 0;
    table = (0, table_1.tableNew)(RECORD_BITS, abi_1.CONNECTIONS_MAX);
    return table !== 0;
}
/** The table of connections. */
function connectionTable() {
    return changetype(table);
}
/** The connection of that number, which is live. */
function connectionAt(number) {
    return changetype((0, table_1.tableAt)(connectionTable(), number));
}
/** The connection of that number, null where there is none. */
function connectionFind(number) {
    return changetype((0, table_1.tableFind)(connectionTable(), number));
}
/** Notes that a connection may have something to send. */
function dirtyPush(connection) {
    if (connection.dirty !== 0)
        return;
    const at = changetype(connection);
    connection.dirty = 1;
    connection.dirtyNext = 0;
    connection.dirtyPrevious = dirtyTail;
    if (dirtyTail === 0)
        dirtyHead = at;
    else
        changetype(dirtyTail).dirtyNext = at;
    dirtyTail = at;
}
/** Takes a connection out of the list of those with something to send. */
function dirtyRemove(connection) {
    if (connection.dirty === 0)
        return;
    connection.dirty = 0;
    const next = connection.dirtyNext;
    const previous = connection.dirtyPrevious;
    if (previous === 0)
        dirtyHead = next;
    else
        changetype(previous).dirtyNext = next;
    if (next === 0)
        dirtyTail = previous;
    else
        changetype(next).dirtyPrevious = previous;
}
/** The first connection with something to send, null if none. */
function dirtyFirst() {
    return changetype(dirtyHead);
}
