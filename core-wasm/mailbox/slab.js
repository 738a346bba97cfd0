"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.slabsInit = slabsInit;
exports.slabsLive = slabsLive;
exports.slabCurrent = slabCurrent;
exports.slabOldest = slabOldest;
exports.slabNew = slabNew;
exports.slabFill = slabFill;
exports.chunkNew = chunkNew;
exports.slabIdle = slabIdle;
exports.slabsTrim = slabsTrim;
/**
 * Slabs: where entries lie. A slab of the store is shared by all mailboxes; a chunk belongs to one mailbox, which has
 * been left behind and holds copies of its own there.
 *
 *   base                                                        base + bytes
 *   ├── entries, one after another → ──┤ used      ┤── ← metas, 32 B each ──┤
 *
 * An entry has a meta only if it has a key or a deadline that counts; runs without any leave as one copy.
 * A slab is free when no run is in it and nothing pins it: the list of runs is the reference count.
 */
const abi_1 = require("../abi");
const heap_1 = require("../memory/heap");
const pages_1 = require("../memory/pages");
const keys_1 = require("./keys");
/** Oldest and newest slab of the store's log. */
let oldest = 0;
let newest = 0;
/** The slab that is being filled. */
let current = 0;
/** Free slabs of SLAB_BYTES, last in first out: the last one is warm in the cache. */
let freeSlabs = 0;
let slabs = 0;
/** Forgets all slabs. */
function slabsInit() {
    oldest = newest = current = freeSlabs = slabs = 0;
}
/** Slabs of the store that hold something. */
function slabsLive() {
    return slabs;
}
/** The slab that is being filled, 0 where there is none. */
function slabCurrent() {
    return current;
}
/** The oldest slab that may be evacuated, 0 where there is none. */
function slabOldest() {
    let at = oldest;
    while (at !== 0 && (at === current || changetype(at).pins !== 0))
        at = changetype(at).next;
    return at;
}
/** Takes a slab for `need` bytes into the log, as far as quota and pool allow; 0 where they do not. */
function slabNew(need) {
    let at = 0;
    if (need <= abi_1.SLAB_BYTES && freeSlabs !== 0) {
        at = freeSlabs;
        freeSlabs = changetype(at).next;
    }
    else {
        const bytes = need <= abi_1.SLAB_BYTES ? abi_1.SLAB_BYTES : ((need + abi_1.PAGE_BYTES - 1) / abi_1.PAGE_BYTES) * abi_1.PAGE_BYTES;
        at = slabMake(pages_1.PAGES_STORE, bytes);
        if (at === 0)
            return 0;
    }
    const slab = changetype(at);
    slab.next = 0;
    slab.previous = newest;
    if (newest === 0)
        oldest = at;
    else
        changetype(newest).next = at;
    newest = at;
    slabs++;
    return at;
}
function slabMake(pageClass, bytes) {
    const at = (0, heap_1.heapTakeZero)(offsetof());
    if (at === 0)
        return 0;
    const slab = changetype(at);
    slab.base = (0, pages_1.pagesTake)(pageClass, bytes / abi_1.PAGE_BYTES);
    slab.bytes = bytes;
    if (slab.base !== 0)
        return at;
    (0, heap_1.heapGive)(at, offsetof());
    return 0;
}
/** Makes a slab the one to fill; the former one is freed if it holds nothing. */
function slabFill(at) {
    const former = current;
    current = at;
    if (former !== 0)
        slabIdle(changetype(former));
}
/** Takes a chunk of at least `need` bytes for a mailbox; 0 where quota or pool are used up. */
function chunkNew(mailbox, need) {
    const at = slabMake(pages_1.PAGES_MAILBOX, ((need + abi_1.PAGE_BYTES - 1) / abi_1.PAGE_BYTES) * abi_1.PAGE_BYTES);
    if (at !== 0)
        changetype(at).owner = mailbox;
    return at;
}
/** Frees a slab that holds nothing any more; does nothing to one that does. */
function slabIdle(slab) {
    if (slab.runs !== 0 || slab.pins !== 0)
        return;
    (0, keys_1.keysForget)(slab);
    slab.used = slab.metas = 0;
    const at = changetype(slab);
    // The one being filled starts again at its beginning, which is warm in the cache.
    if (at === current)
        return;
    if (slab.owner !== 0) {
        (0, pages_1.pagesGive)(pages_1.PAGES_MAILBOX, slab.base, slab.bytes / abi_1.PAGE_BYTES);
        (0, heap_1.heapGive)(at, offsetof());
        return;
    }
    if (slab.previous === 0)
        oldest = slab.next;
    else
        changetype(slab.previous).next = slab.next;
    if (slab.next === 0)
        newest = slab.previous;
    else
        changetype(slab.next).previous = slab.previous;
    slabs--;
    if (slab.bytes !== abi_1.SLAB_BYTES) {
        slabUnmake(slab);
        return;
    }
    slab.next = freeSlabs;
    freeSlabs = at;
}
function slabUnmake(slab) {
    (0, pages_1.pagesGive)(pages_1.PAGES_STORE, slab.base, slab.bytes / abi_1.PAGE_BYTES);
    (0, heap_1.heapGive)(changetype(slab), offsetof());
}
/** Gives the pages of free slabs back to the pool, so that a larger slab can have them. */
function slabsTrim() {
    while (freeSlabs !== 0) {
        const slab = changetype(freeSlabs);
        freeSlabs = slab.next;
        slabUnmake(slab);
    }
}
