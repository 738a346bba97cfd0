"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.storeSlab = void 0;
exports.storeTake = storeTake;
exports.storeAdvance = storeAdvance;
exports.metaAdd = metaAdd;
exports.chunkWithRoom = chunkWithRoom;
/**
 * The store: a bounded log of slabs. When the oldest slab is needed, what mailboxes still hold of it is copied into
 * chunks of their own, so that one slow, selective sink never pins the store and never slows a publisher.
 */
const abi_1 = require("../abi");
const statistics_1 = require("../statistics");
const inbox_1 = require("./inbox");
const keys_1 = require("./keys");
const records_1 = require("./records");
const run_1 = require("./run");
const slab_1 = require("./slab");
/** The slab in which the last storeTake() found room. */
exports.storeSlab = 0;
/** Room for `bytes` and `metas` in the slab that is being filled; 0 where it has none, see storeAdvance(). */
function storeTake(bytes, metas) {
    exports.storeSlab = (0, slab_1.slabCurrent)();
    if (exports.storeSlab === 0)
        return 0;
    const slab = changetype(exports.storeSlab);
    if (slab.used + bytes + (slab.metas + metas) * records_1.META_BYTES > slab.bytes)
        return 0;
    return slab.base + slab.used;
}
/**
 * Makes room where storeTake() found none and returns it; 0 where the store is full.
 * Every entry before must be in a mailbox by now, or pinned. An entry larger than a slab gets one of its own.
 */
function storeAdvance(bytes, metas) {
    const need = bytes + metas * records_1.META_BYTES;
    let at = (0, slab_1.slabNew)(need);
    while (at === 0) {
        const oldest = (0, slab_1.slabOldest)();
        if (need > abi_1.SLAB_BYTES)
            (0, slab_1.slabsTrim)();
        else if (oldest === 0)
            return 0;
        if (oldest !== 0) {
            if (!evacuate(changetype(oldest)))
                return 0;
            if (need > abi_1.SLAB_BYTES)
                (0, slab_1.slabsTrim)();
        }
        at = (0, slab_1.slabNew)(need);
        if (oldest === 0)
            break;
    }
    if (at === 0)
        return 0;
    exports.storeSlab = at;
    if (need <= abi_1.SLAB_BYTES)
        (0, slab_1.slabFill)(at);
    return changetype(at).base;
}
/** Adds a meta for the entry at `entryAt`, for which room was taken. */
function metaAdd(slab, entryAt, deadline, keyOffset, keyBytes, channel) {
    const meta = (0, records_1.metaAt)(slab, slab.metas++);
    meta.deadline = deadline;
    meta.entryAt = entryAt;
    meta.keyOffset = keyOffset;
    meta.keyBytes = keyBytes;
    meta.flags = 0;
    meta.channel = channel;
    if (keyBytes !== 0)
        (0, keys_1.keysNote)(slab);
}
/** Moves all runs out of a slab, which is free then. False where a run may not be dropped and can't be kept. */
function evacuate(slab) {
    while (slab.runs !== 0) {
        const run = changetype(slab.runs);
        const mailbox = changetype(run.mailbox);
        const chunk = chunkWithRoom(mailbox, run.bytes + run.metas * records_1.META_BYTES);
        if (chunk !== 0) {
            move(mailbox, run, changetype(chunk));
        }
        else {
            if (mailbox.overflow === abi_1.OVERFLOW_BLOCK)
                return false;
            slab.pins++;
            (0, inbox_1.inboxDropRun)(mailbox, run);
            slab.pins--;
        }
    }
    (0, slab_1.slabIdle)(slab);
    return true;
}
/** The mailbox's chunk if it has room, else a new one; 0 where the mailboxes' share of memory is used up. */
function chunkWithRoom(mailbox, need) {
    if (mailbox.chunk !== 0) {
        const chunk = changetype(mailbox.chunk);
        if (chunk.used + chunk.metas * records_1.META_BYTES + need <= chunk.bytes)
            return mailbox.chunk;
    }
    const at = (0, slab_1.chunkNew)(changetype(mailbox), need);
    // A chunk made to measure for a long run is full at once; the smaller one goes on being filled.
    if (at !== 0 && (need <= abi_1.PAGE_BYTES || mailbox.chunk === 0))
        mailbox.chunk = at;
    return at;
}
function move(mailbox, run, chunk) {
    const from = changetype(run.slab);
    const at = chunk.base + chunk.used;
    const metaFirst = chunk.metas;
    memory.copy(at, run.at, run.bytes);
    chunk.used += run.bytes;
    for (let i = 0; i < run.metas; i++) {
        const old = (0, records_1.metaAt)(from, run.metaFirst + i);
        metaAdd(chunk, old.entryAt - run.at + at, old.deadline, old.keyOffset, old.keyBytes, old.channel);
        changetype((0, records_1.metaAt)(chunk, metaFirst + i)).flags = old.flags;
    }
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_EVACUATED_BYTES, run.bytes);
    (0, run_1.runUnlink)(run);
    run.at = at;
    run.metaFirst = metaFirst;
    mergeOrLink(mailbox, run, chunk);
}
/** Joins a moved run to the one before it in the mailbox if they are neighbours now. */
function mergeOrLink(mailbox, run, chunk) {
    if (run.previous !== 0) {
        const before = changetype(run.previous);
        if (before.slab === changetype(chunk) && before.at + before.bytes === run.at) {
            if (before.metas === 0)
                before.metaFirst = run.metaFirst;
            before.bytes += run.bytes;
            before.events += run.events;
            before.metas += run.metas;
            if (run.deadline < before.deadline)
                before.deadline = run.deadline;
            (0, run_1.runFree)(mailbox, run);
            return;
        }
    }
    (0, run_1.runLink)(run, chunk);
}
