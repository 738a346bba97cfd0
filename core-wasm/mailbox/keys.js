"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.tombstonesEver = void 0;
exports.keysInit = keysInit;
exports.keysNote = keysNote;
exports.keysForget = keysForget;
exports.keysCancel = keysCancel;
/**
 * The index of keys, for cancel: (channel, key) → metas of entries that are still stored.
 *
 * It is brought up to date only when a cancel comes, so that keyed events cost nothing where nobody cancels; each meta
 * enters at most once. Metas with equal hashes are chained.
 */
const bytes_1 = require("../memory/bytes");
const map_1 = require("../memory/map");
const records_1 = require("./records");
let index = 0;
let unindexed = 0;
/** Empties the index. Returns false where memory is too small. */
function keysInit() {
    unindexed = 0;
    index = (0, map_1.mapNew)();
    return index !== 0;
}
function keyHash(channel, at, bytes) {
    return (0, bytes_1.hashBytes)(at, bytes) ^ (channel * 0x9fb21c651e98df25);
}
/** Notes that a slab got a meta with a key. */
function keysNote(slab) {
    if (slab.keysListed !== 0)
        return;
    const at = changetype(slab);
    slab.keysListed = 1;
    slab.keysPrevious = 0;
    slab.keysNext = unindexed;
    if (unindexed !== 0)
        changetype(unindexed).keysPrevious = at;
    unindexed = at;
}
function unlist(slab) {
    if (slab.keysListed === 0)
        return;
    slab.keysListed = 0;
    if (slab.keysPrevious === 0)
        unindexed = slab.keysNext;
    else
        changetype(slab.keysPrevious).keysNext = slab.keysNext;
    if (slab.keysNext !== 0)
        changetype(slab.keysNext).keysPrevious = slab.keysPrevious;
}
/** Takes all metas of a slab out of the index; the slab is about to be used anew. */
function keysForget(slab) {
    unlist(slab);
    const map = changetype(index);
    for (let i = 0; i < slab.metasIndexed; i++) {
        const meta = (0, records_1.metaAt)(slab, i);
        if (meta.keyBytes === 0)
            continue;
        if (meta.next !== 0)
            changetype(meta.next).previous = meta.previous;
        if (meta.previous !== 0) {
            changetype(meta.previous).next = meta.next;
            continue;
        }
        const hash = keyHash(meta.channel, meta.entryAt + meta.keyOffset, meta.keyBytes);
        if (meta.next === 0)
            (0, map_1.mapDelete)(map, hash);
        else
            (0, map_1.mapSet)(map, hash, meta.next);
    }
    slab.metasIndexed = 0;
}
/** Brings the index up to date. */
function keysUpdate() {
    const map = changetype(index);
    while (unindexed !== 0) {
        const slab = changetype(unindexed);
        unlist(slab);
        for (let i = slab.metasIndexed; i < slab.metas; i++) {
            const meta = (0, records_1.metaAt)(slab, i);
            meta.next = meta.previous = 0;
            if (meta.keyBytes === 0)
                continue;
            const hash = keyHash(meta.channel, meta.entryAt + meta.keyOffset, meta.keyBytes);
            const first = (0, map_1.mapFind)(map, hash);
            // Without room in the index the event can't be cancelled any more; it is delivered, which loses nothing.
            if (!(0, map_1.mapSet)(map, hash, changetype(meta))) {
                meta.keyBytes = 0;
                continue;
            }
            meta.next = first;
            if (first !== 0)
                changetype(first).previous = changetype(meta);
        }
        slab.metasIndexed = slab.metas;
    }
}
/** Marks all stored entries of a key on a channel as cancelled; returns how many it marked. */
function keysCancel(channel, at, bytes) {
    keysUpdate();
    let marked = 0;
    let meta = (0, map_1.mapFind)(changetype(index), keyHash(channel, at, bytes));
    while (meta !== 0) {
        const entry = changetype(meta);
        if (entry.channel === channel &&
            (entry.flags & records_1.META_CANCELLED) === 0 &&
            (0, bytes_1.bytesEqual)(entry.entryAt + entry.keyOffset, entry.keyBytes, at, bytes)) {
            entry.flags |= records_1.META_CANCELLED;
            marked++;
        }
        meta = entry.next;
    }
    exports.tombstonesEver += marked;
    return marked;
}
/** Entries ever cancelled; while it is 0 nobody has to look for any. */
exports.tombstonesEver = 0;
