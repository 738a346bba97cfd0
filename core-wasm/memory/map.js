"use strict";
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.Map64 = void 0;
exports.mapNew = mapNew;
exports.mapFind = mapFind;
exports.mapSet = mapSet;
exports.mapDelete = mapDelete;
/**
 * A hash map from u64 keys to u32 values: linear probing, at most 3/4 full, backward shift on removal.
 *
 * Keys are mixed once more on their way to a slot, so that pairs of small numbers do as well as hashes.
 * Value 0 means "not there". Source of the removal rule: Knuth, TAOCP vol. 3, 6.4, algorithm R.
 */
const heap_1 = require("./heap");
const SLOT_BYTES = 16;
const SLOTS_MIN = 16;
let Map64 = class Map64 {
    at;
    mask;
    count;
};
exports.Map64 = Map64;
exports.Map64 = Map64 = __decorate([
    unmanaged
], Map64);
/** Makes an empty map; 0 where memory is used up. */
function mapNew() {
    const at = (0, heap_1.heapTakeZero)(offsetof());
    if (at === 0)
        return 0;
    const map = changetype(at);
    map.at = (0, heap_1.heapTakeZero)(SLOTS_MIN * SLOT_BYTES);
    map.mask = SLOTS_MIN - 1;
    return map.at === 0 ? 0 : at;
}
function slotOf(map, key) {
    const mixed = (key ^ (key >> 29)) * 0x9e3779b97f4a7c15;
    return (mixed >> 32) & map.mask;
}
/** The value of a key, 0 where it is not there. */
function mapFind(map, key) {
    let slot = slotOf(map, key);
    while (true) {
        const at = map.at + slot * SLOT_BYTES;
        const value = load(at, 8);
        if (value === 0)
            return 0;
        if (load(at) === key)
            return value;
        slot = (slot + 1) & map.mask;
    }
}
/** Sets a key's value (not 0). Returns false where memory is used up. */
function mapSet(map, key, value) {
    if ((map.count + 1) * 4 > (map.mask + 1) * 3 && !mapGrow(map))
        return false;
    let slot = slotOf(map, key);
    while (true) {
        const at = map.at + slot * SLOT_BYTES;
        const present = load(at, 8);
        if (present === 0 || load(at) === key) {
            if (present === 0)
                map.count++;
            store(at, key);
            store(at, value, 8);
            return true;
        }
        slot = (slot + 1) & map.mask;
    }
}
function mapGrow(map) {
    const oldAt = map.at;
    const oldSlots = map.mask + 1;
    const at = (0, heap_1.heapTakeZero)(oldSlots * 2 * SLOT_BYTES);
    if (at === 0)
        return false;
    map.at = at;
    map.mask = oldSlots * 2 - 1;
    map.count = 0;
    for (let i = 0; i < oldSlots; i++) {
        const from = oldAt + i * SLOT_BYTES;
        const value = load(from, 8);
        if (value !== 0)
            mapSet(map, load(from), value);
    }
    (0, heap_1.heapGive)(oldAt, oldSlots * SLOT_BYTES);
    return true;
}
/** Removes a key, if it is there. */
function mapDelete(map, key) {
    let hole = slotOf(map, key);
    while (true) {
        const at = map.at + hole * SLOT_BYTES;
        if (load(at, 8) === 0)
            return;
        if (load(at) === key)
            break;
        hole = (hole + 1) & map.mask;
    }
    map.count--;
    let next = hole;
    while (true) {
        next = (next + 1) & map.mask;
        const nextAt = map.at + next * SLOT_BYTES;
        if (load(nextAt, 8) === 0)
            break;
        const home = slotOf(map, load(nextAt));
        // An entry may fill the hole only if its home does not lie behind the hole.
        if (((next - home) & map.mask) >= ((next - hole) & map.mask)) {
            memory.copy(map.at + hole * SLOT_BYTES, nextAt, SLOT_BYTES);
            hole = next;
        }
    }
    store(map.at + hole * SLOT_BYTES, 0, 8);
}
