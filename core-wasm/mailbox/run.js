"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.runNew = runNew;
exports.runLink = runLink;
exports.runUnlink = runUnlink;
exports.runFree = runFree;
exports.runRemove = runRemove;
exports.runAdvance = runAdvance;
exports.runFrontHasMeta = runFrontHasMeta;
exports.runAppend = runAppend;
/** Runs: neighbouring entries of one slab in one mailbox. A mailbox's list is its order, a slab's is its reference count. */
const heap_1 = require("../memory/heap");
const records_1 = require("./records");
const slab_1 = require("./slab");
/** Appends a run of no bytes to a mailbox; 0 where memory is used up. */
function runNew(mailbox, slab, at, metaFirst) {
    const address = (0, heap_1.heapTake)(offsetof());
    if (address === 0)
        return 0;
    const run = changetype(address);
    run.deadline = Infinity;
    run.mailbox = changetype(mailbox);
    run.at = at;
    run.bytes = run.events = run.metas = 0;
    run.metaFirst = metaFirst;
    run.next = 0;
    run.previous = mailbox.tail;
    if (mailbox.tail === 0)
        mailbox.head = address;
    else
        changetype(mailbox.tail).next = address;
    mailbox.tail = address;
    runLink(run, slab);
    return address;
}
/** Puts a run into a slab's list. */
function runLink(run, slab) {
    const address = changetype(run);
    run.slab = changetype(slab);
    run.slabPrevious = 0;
    run.slabNext = slab.runs;
    if (slab.runs !== 0)
        changetype(slab.runs).slabPrevious = address;
    slab.runs = address;
}
/** Takes a run out of its slab's list; the slab may be idle after that, which is the caller's to say. */
function runUnlink(run) {
    if (run.slabPrevious === 0)
        changetype(run.slab).runs = run.slabNext;
    else
        changetype(run.slabPrevious).slabNext = run.slabNext;
    if (run.slabNext !== 0)
        changetype(run.slabNext).slabPrevious = run.slabPrevious;
}
/** Takes a run out of its mailbox's list and frees it. */
function runFree(mailbox, run) {
    if (run.previous === 0)
        mailbox.head = run.next;
    else
        changetype(run.previous).next = run.next;
    if (run.next === 0)
        mailbox.tail = run.previous;
    else
        changetype(run.next).previous = run.previous;
    (0, heap_1.heapGive)(changetype(run), offsetof());
}
/** Removes a run with all it holds. The mailbox's counts are the caller's. */
function runRemove(mailbox, run) {
    const slab = changetype(run.slab);
    runUnlink(run);
    runFree(mailbox, run);
    if (slab.runs !== 0)
        return;
    if (mailbox.chunk === changetype(slab))
        mailbox.chunk = 0;
    (0, slab_1.slabIdle)(slab);
}
/** Takes `events` entries of `bytes` with `metas` metas off the front of a run and off its mailbox's counts. */
function runAdvance(mailbox, run, bytes, events, metas) {
    mailbox.events -= events;
    mailbox.bytes -= bytes;
    if (bytes === run.bytes) {
        runRemove(mailbox, run);
        return;
    }
    run.at += bytes;
    run.bytes -= bytes;
    run.events -= events;
    run.metaFirst += metas;
    run.metas -= metas;
}
/** Whether the first entry of a run has a meta: then it is the run's first one. */
function runFrontHasMeta(run) {
    return run.metas !== 0 && (0, records_1.metaAt)(changetype(run.slab), run.metaFirst).entryAt === run.at;
}
/** Puts neighbouring entries at the end of a mailbox; false where memory is used up. Counts are the caller's. */
function runAppend(mailbox, slab, at, bytes, events, metaFirst, metas, deadline) {
    let run = changetype(mailbox.tail);
    if (mailbox.tail === 0 || run.at + run.bytes !== at || run.slab !== changetype(slab)) {
        const address = runNew(mailbox, slab, at, metaFirst);
        if (address === 0)
            return false;
        run = changetype(address);
    }
    else if (run.metas === 0) {
        run.metaFirst = metaFirst;
    }
    run.bytes += bytes;
    run.events += events;
    run.metas += metas;
    if (deadline < run.deadline)
        run.deadline = deadline;
    return true;
}
