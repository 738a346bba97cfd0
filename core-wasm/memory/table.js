"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.Table = void 0;
exports.tableNew = tableNew;
exports.tableAt = tableAt;
exports.tableFind = tableFind;
exports.tableTake = tableTake;
exports.tableGive = tableGive;
/**
 * Tables of records with small numbers as names: connections, channels, members.
 *
 * Records lie in pages of 65,536 / recordBytes; a directory of page addresses turns a number into an address with
 * one load. Freed numbers queue up and the oldest is used again first, so that a stale number rarely meets a new owner.
 * A free record has 0 in its first word and the next free number in its second.
 */
const abi_1 = require("../abi");
const heap_1 = require("./heap");
let Table = class Table {
    directory;
    /** log2 of records per page, and of the record's size. */
    pageBits;
    recordBits;
    /** Numbers ever used: 1 … high. */
    high;
    max;
    live;
    freeHead;
    freeTail;
};
exports.Table = Table;
exports.Table = Table = __decorate([
    unmanaged
], Table);
/** Makes an empty table for at most `max` records of 2^recordBits bytes; 0 where memory is too small. */
function tableNew(recordBits, max) {
    const at = (0, heap_1.heapTakeZero)(offsetof());
    if (at === 0)
        return 0;
    const table = changetype(at);
    table.recordBits = recordBits;
    table.pageBits = 16 - recordBits;
    table.max = max;
    table.directory = (0, heap_1.heapTakeZero)(((max >> table.pageBits) + 1) * 4);
    return table.directory === 0 ? 0 : at;
}
/** Address of the record `number`, which must have been taken once; see tableFind() for numbers from outside. */
function tableAt(table, number) {
    const index = number - 1;
    const page = load(table.directory + ((index >> table.pageBits) << 2));
    return page + ((index & ((1 << table.pageBits) - 1)) << table.recordBits);
}
/** Address of a live record, 0 where there is none of that number. */
function tableFind(table, number) {
    if (number === 0 || number > table.high)
        return 0;
    const at = tableAt(table, number);
    return load(at) === 0 ? 0 : at;
}
/** Takes a cleared record whose first word is its number; returns the number, 0 where the table is full. */
function tableTake(table) {
    let number = table.freeHead;
    // A few free numbers are kept back, so that the most recently freed one rests for a while.
    if (number !== 0 && (number !== table.freeTail || table.high === table.max)) {
        table.freeHead = load(tableAt(table, number), 4);
        if (table.freeHead === 0)
            table.freeTail = 0;
    }
    else {
        if (table.high === table.max)
            return 0;
        number = table.high + 1;
        const slot = table.directory + (((number - 1) >> table.pageBits) << 2);
        if (load(slot) === 0) {
            const page = (0, heap_1.heapTake)(abi_1.PAGE_BYTES);
            if (page === 0)
                return 0;
            store(slot, page);
        }
        table.high = number;
    }
    const at = tableAt(table, number);
    memory.fill(at, 0, 1 << table.recordBits);
    store(at, number);
    table.live++;
    return number;
}
/** Frees a record. */
function tableGive(table, number) {
    const at = tableAt(table, number);
    store(at, 0);
    store(at, 0, 4);
    if (table.freeTail === 0)
        table.freeHead = number;
    else
        store(tableAt(table, table.freeTail), number, 4);
    table.freeTail = number;
    table.live--;
}
