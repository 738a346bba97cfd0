"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.heapInit = heapInit;
exports.heapTake = heapTake;
exports.heapTakeZero = heapTakeZero;
exports.heapGive = heapGive;
exports.heapBlockBytes = heapBlockBytes;
exports.heapCopy = heapCopy;
/**
 * Blocks for records, names and buffers: powers of two from 16 B to 64 KiB carved from pages, larger ones whole pages.
 *
 * Taking and giving are a few loads and stores. A free block holds the address of the next one in its first word.
 * Blocks go back to their class, not to the pool: what a peak needed once, the next one will need again.
 */
const abi_1 = require("../abi");
const pages_1 = require("./pages");
const CLASS_BITS_MIN = 4;
const CLASS_BITS_MAX = 16;
/** Per class: u32 head of the free list. */
const freeAt = memory.data(68);
/** Forgets all blocks; the pool has been laid out anew. */
function heapInit() {
    memory.fill(freeAt, 0, 68);
}
/** log2 of the block that holds `bytes`, at most CLASS_BITS_MAX. */
function classOf(bytes) {
    return bytes <= 16 ? CLASS_BITS_MIN : 32 - clz(bytes - 1);
}
/** Takes a block of at least `bytes` (not cleared); 0 where memory is used up. */
function heapTake(bytes) {
    if (bytes > abi_1.PAGE_BYTES)
        return (0, pages_1.pagesTake)(pages_1.PAGES_HEAP, (bytes + abi_1.PAGE_BYTES - 1) / abi_1.PAGE_BYTES);
    const bits = classOf(bytes);
    const headAt = freeAt + bits * 4;
    const block = load(headAt);
    if (block !== 0) {
        store(headAt, load(block));
        return block;
    }
    return carve(bits, headAt);
}
/** Cuts a new page into blocks of a class, keeps the first and lists the others. */
function carve(bits, headAt) {
    const page = (0, pages_1.pagesTake)(pages_1.PAGES_HEAP, 1);
    if (page === 0)
        return 0;
    const size = 1 << bits;
    let previous = 0;
    for (let at = page + abi_1.PAGE_BYTES - size; at > page; at -= size) {
        store(at, previous);
        previous = at;
    }
    store(headAt, previous);
    return page;
}
/** Takes a block and clears it. */
function heapTakeZero(bytes) {
    const at = heapTake(bytes);
    if (at !== 0)
        memory.fill(at, 0, bytes);
    return at;
}
/** Gives a block back; `bytes` as it was taken (the block's size does as well). */
function heapGive(at, bytes) {
    if (bytes > abi_1.PAGE_BYTES) {
        (0, pages_1.pagesGive)(pages_1.PAGES_HEAP, at, (bytes + abi_1.PAGE_BYTES - 1) / abi_1.PAGE_BYTES);
        return;
    }
    const headAt = freeAt + classOf(bytes) * 4;
    store(at, load(headAt));
    store(headAt, at);
}
/** Bytes that a block taken for `bytes` really has. */
function heapBlockBytes(bytes) {
    if (bytes > abi_1.PAGE_BYTES)
        return ((bytes + abi_1.PAGE_BYTES - 1) / abi_1.PAGE_BYTES) * abi_1.PAGE_BYTES;
    return 1 << classOf(bytes);
}
/** Copies `bytes` from `from` into a new block; 0 where memory is used up (or `bytes` is 0). */
function heapCopy(from, bytes) {
    if (bytes === 0)
        return 0;
    const at = heapTake(bytes);
    if (at !== 0)
        memory.copy(at, from, bytes);
    return at;
}
