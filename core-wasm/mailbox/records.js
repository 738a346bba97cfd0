"use strict";
/**
 * The records of mailboxes, in one place because they point at one another.
 *
 *   Mailbox ── head … tail ──▶ Run ─▶ Run ─▶ Run        each run: bytes [at, at + bytes) of one slab
 *   Slab ───── runs ─────────▶ Run ─▶ Run               all runs in that slab, of any mailbox
 *   Slab ───── metas ────────▶ Meta Meta Meta           entries with a key or a deadline that counts
 */
var __decorate = (this && this.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};
Object.defineProperty(exports, "__esModule", { value: true });
exports.META_CANCELLED = exports.META_BYTES = exports.Meta = exports.Run = exports.Slab = exports.Mailbox = void 0;
exports.metaAt = metaAt;
/** A mailbox; today's only ordering is fifo. */
let Mailbox = class Mailbox {
    /** Address of the connection whose inbox this is. */
    connection;
    head;
    tail;
    events;
    bytes;
    capacityEvents;
    capacityBytes;
    /** OVERFLOW_…. */
    overflow;
    /** Chunk for own copies that is being filled, 0: none. */
    chunk;
    /** Policy `block`: beyond the stall mark, so the channels of its sinks are blocked. */
    stalled;
    /** Number of the last fan-out that reached it: one entry per event, however many memberships. */
    stamp;
};
exports.Mailbox = Mailbox;
exports.Mailbox = Mailbox = __decorate([
    unmanaged
], Mailbox);
let Slab = class Slab {
    base;
    bytes;
    used;
    runs;
    /** Entries that are referred to by no run yet. */
    pins;
    metas;
    /** Metas before this one are in the index of keys. */
    metasIndexed;
    /** The mailbox of a chunk; 0: the store. */
    owner;
    next;
    previous;
    /** List of slabs with metas that are not in the index. */
    keysNext;
    keysPrevious;
    keysListed;
};
exports.Slab = Slab;
exports.Slab = Slab = __decorate([
    unmanaged
], Slab);
let Run = class Run {
    /** Earliest deadline at which an entry of it must be dropped; Infinity: none. */
    deadline;
    mailbox;
    slab;
    next;
    previous;
    slabNext;
    slabPrevious;
    at;
    bytes;
    events;
    metaFirst;
    metas;
};
exports.Run = Run;
exports.Run = Run = __decorate([
    unmanaged
], Run);
let Meta = class Meta {
    /** Milliseconds on the service clock after which the entry is dropped; Infinity: never. */
    deadline;
    entryAt;
    /** Where the key lies, from entryAt, and its size; 0 bytes: no key. */
    keyOffset;
    keyBytes;
    /** META_… bits. */
    flags;
    channel;
    /** Neighbours in the index of keys. */
    next;
    previous;
};
exports.Meta = Meta;
exports.Meta = Meta = __decorate([
    unmanaged
], Meta);
exports.META_BYTES = offsetof();
exports.META_CANCELLED = 1;
if (offsetof() !== 32)
    ERROR("Meta is not 32 bytes");
/** The meta of that index in a slab. */
function metaAt(slab, index) {
    return changetype(slab.base + slab.bytes - exports.META_BYTES * (index + 1));
}
