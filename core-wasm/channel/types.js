"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.typeSetMade = void 0;
exports.typesInit = typesInit;
exports.typeLookup = typeLookup;
exports.typeSetNew = typeSetNew;
exports.typeSetRelease = typeSetRelease;
exports.typeSetTakes = typeSetTakes;
/**
 * Interned event types: the constants of `types` filters, reference-counted. The type of an event is looked up and
 * never inserted, so that no publisher can fill the table.
 *
 * A set of types is a heap block: u32 count, then count numbers. One type's record: see TypeName.
 */
const abi_1 = require("../abi");
const bytes_1 = require("../memory/bytes");
const heap_1 = require("../memory/heap");
const map_1 = require("../memory/map");
const result_1 = require("../result");
let TypeName = class TypeName {
    /** Next name with the same hash. */
    next;
    references;
    hash;
    bytes;
};
TypeName = __decorate([
    unmanaged
], TypeName);
const NAME_OFFSET = 20;
let names = 0;
/** Forgets all types. Returns false where memory is too small. */
function typesInit() {
    names = (0, map_1.mapNew)();
    return names !== 0;
}
function typeNameFind(at, bytes, hash) {
    let name = (0, map_1.mapFind)(changetype(names), hash);
    while (name !== 0) {
        if ((0, bytes_1.bytesEqual)(name + NAME_OFFSET, changetype(name).bytes, at, bytes))
            return name;
        name = changetype(name).next;
    }
    return 0;
}
/** The number of an event's type, 0 if no filter names it. */
function typeLookup(at, bytes) {
    if (changetype(names).count === 0)
        return 0;
    return typeNameFind(at, bytes, (0, bytes_1.hashBytes)(at, bytes));
}
function typeIntern(at, bytes) {
    const hash = (0, bytes_1.hashBytes)(at, bytes);
    const found = typeNameFind(at, bytes, hash);
    if (found !== 0) {
        changetype(found).references++;
        return found;
    }
    const block = (0, heap_1.heapTake)(NAME_OFFSET + bytes);
    if (block === 0)
        return 0;
    const map = changetype(names);
    const name = changetype(block);
    name.next = (0, map_1.mapFind)(map, hash);
    name.references = 1;
    name.hash = hash;
    name.bytes = bytes;
    memory.copy(block + NAME_OFFSET, at, bytes);
    if (!(0, map_1.mapSet)(map, hash, block)) {
        (0, heap_1.heapGive)(block, NAME_OFFSET + bytes);
        return 0;
    }
    return block;
}
function typeRelease(block) {
    const name = changetype(block);
    if (--name.references !== 0)
        return;
    const map = changetype(names);
    const first = (0, map_1.mapFind)(map, name.hash);
    if (first === block) {
        if (name.next === 0)
            (0, map_1.mapDelete)(map, name.hash);
        else
            (0, map_1.mapSet)(map, name.hash, name.next);
    }
    else {
        let previous = first;
        while (changetype(previous).next !== block)
            previous = changetype(previous).next;
        changetype(previous).next = name.next;
    }
    (0, heap_1.heapGive)(block, NAME_OFFSET + name.bytes);
}
/** The set made by the last typeSetNew(), 0 for "any". */
exports.typeSetMade = 0;
/** Makes a set from `count` names (u16 length + bytes each) at `at`. Returns a status; the set is typeSetMade. */
function typeSetNew(at, count) {
    exports.typeSetMade = 0;
    if (count === 0)
        return abi_1.STATUS_OK;
    if (count > abi_1.TYPES_MAX)
        return (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, count, abi_1.TYPES_MAX);
    const set = (0, heap_1.heapTake)(4 + count * 4);
    if (set === 0)
        return (0, result_1.resultStatus)(abi_1.STATUS_STORE_FULL, 0, 0);
    for (let i = 0; i < count; i++) {
        const bytes = load(at);
        const type = bytes > abi_1.TYPE_BYTES_MAX ? 0 : typeIntern(at + 2, bytes);
        if (type === 0) {
            for (let k = 0; k < i; k++)
                typeRelease(load(set + 4 + k * 4));
            (0, heap_1.heapGive)(set, 4 + count * 4);
            return (0, result_1.resultStatus)(bytes > abi_1.TYPE_BYTES_MAX ? abi_1.STATUS_LIMIT : abi_1.STATUS_STORE_FULL, bytes, abi_1.TYPE_BYTES_MAX);
        }
        store(set + 4 + i * 4, type);
        at += 2 + bytes;
    }
    store(set, count);
    exports.typeSetMade = set;
    return abi_1.STATUS_OK;
}
/** Gives a set back (0: nothing). */
function typeSetRelease(set) {
    if (set === 0)
        return;
    const count = load(set);
    for (let i = 0; i < count; i++)
        typeRelease(load(set + 4 + i * 4));
    (0, heap_1.heapGive)(set, 4 + count * 4);
}
/** Whether a set takes a type; set 0 takes any. */
function typeSetTakes(set, type) {
    if (set === 0)
        return true;
    if (type === 0)
        return false;
    const end = set + 4 + load(set) * 4;
    for (let at = set + 4; at < end; at += 4) {
        if (load(at) === type)
            return true;
    }
    return false;
}
