"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.NODE_BYTES = exports.OutboxNode = void 0;
exports.outboxPush = outboxPush;
exports.outboxShift = outboxShift;
exports.outboxList = outboxList;
exports.outboxUnlistFirst = outboxUnlistFirst;
exports.outboxesCancel = outboxesCancel;
/**
 * The outbox of a source: what was accepted and can't leave yet, because a sink's inbox of policy `block` is full.
 *
 * It is as large as the credit that its source was granted. An event gets its sequence when it leaves, and its
 * `source` when it enters, since its session may be gone by then.
 *
 *   node: u32 next │ u32 event bytes │ f64 accepted at, ms │ u32 cancelled │ u32 connection │ event
 */
const abi_1 = require("../abi");
const scan_1 = require("../event/scan");
const wire_1 = require("../event/wire");
const bytes_1 = require("../memory/bytes");
const heap_1 = require("../memory/heap");
const result_1 = require("../result");
let OutboxNode = class OutboxNode {
    next;
    bytes;
    acceptedMs;
    cancelled;
    connection;
};
exports.OutboxNode = OutboxNode;
exports.OutboxNode = OutboxNode = __decorate([
    unmanaged
], OutboxNode);
exports.NODE_BYTES = offsetof();
/** Appends an event that was scanned just now. Returns a status. */
function outboxPush(source, channel, at, bytes, sourceAt, sourceBytes, acceptedMs) {
    const extra = (scan_1.scanFlags & scan_1.SCAN_SOURCE) !== 0 ? 0 : 1 + (0, wire_1.varintBytes)(sourceBytes) + sourceBytes;
    if (source.outboxEvents >= abi_1.SOURCE_CREDIT_EVENTS || source.outboxBytes + bytes + extra > abi_1.SOURCE_CREDIT_BYTES) {
        return (0, result_1.resultStatus)(abi_1.STATUS_NO_CREDIT, source.outboxEvents, abi_1.SOURCE_CREDIT_EVENTS - source.outboxEvents);
    }
    const address = (0, heap_1.heapTake)(exports.NODE_BYTES + bytes + extra);
    if (address === 0)
        return (0, result_1.resultStatus)(abi_1.STATUS_STORE_FULL, 0, 0);
    const node = changetype(address);
    node.next = 0;
    node.bytes = bytes + extra;
    node.acceptedMs = acceptedMs;
    node.cancelled = 0;
    node.connection = source.connection;
    memory.copy(address + exports.NODE_BYTES, at, bytes);
    if (extra !== 0) {
        store(address + exports.NODE_BYTES + bytes, 0x12);
        memory.copy((0, wire_1.varintWrite)(address + exports.NODE_BYTES + bytes + 1, sourceBytes), sourceAt, sourceBytes);
    }
    if (source.outboxEvents === 0) {
        source.outboxHead = address;
        outboxList(channel, source);
    }
    else {
        changetype(source.outboxTail).next = address;
    }
    source.outboxTail = address;
    source.outboxEvents++;
    source.outboxBytes += node.bytes;
    return abi_1.STATUS_OK;
}
/** Removes the first event of an outbox. */
function outboxShift(source) {
    const address = source.outboxHead;
    const node = changetype(address);
    source.outboxHead = node.next;
    source.outboxEvents--;
    source.outboxBytes -= node.bytes;
    if (source.outboxEvents === 0)
        source.outboxTail = 0;
    (0, heap_1.heapGive)(address, exports.NODE_BYTES + node.bytes);
}
/** Puts a source at the end of its channel's list of filled outboxes. */
function outboxList(channel, source) {
    const at = changetype(source);
    source.nextOutbox = 0;
    if (channel.outboxes === 0)
        channel.outboxes = at;
    else
        changetype(channel.outboxesTail).nextOutbox = at;
    channel.outboxesTail = at;
}
/** Takes the first source off its channel's list. */
function outboxUnlistFirst(channel) {
    const source = changetype(channel.outboxes);
    channel.outboxes = source.nextOutbox;
    if (channel.outboxes === 0)
        channel.outboxesTail = 0;
    return source;
}
/** Marks the events of a key in all outboxes of a channel as cancelled; returns how many. */
function outboxesCancel(channel, keyAt, keyBytes) {
    let cancelled = 0;
    for (let at = channel.outboxes; at !== 0; at = changetype(at).nextOutbox) {
        for (let address = changetype(at).outboxHead; address !== 0; address = changetype(address).next) {
            const node = changetype(address);
            (0, scan_1.scanEvent)(address + exports.NODE_BYTES, node.bytes);
            if (node.cancelled === 0 && (0, bytes_1.bytesEqual)(scan_1.scanKeyAt, scan_1.scanKeyBytes, keyAt, keyBytes)) {
                node.cancelled = 1;
                cancelled++;
            }
        }
    }
    return cancelled;
}
