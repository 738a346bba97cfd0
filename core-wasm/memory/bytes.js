"use strict";
/** Byte strings: comparison and hashing. */
Object.defineProperty(exports, "__esModule", { value: true });
exports.hashSeed = hashSeed;
exports.hashBytes = hashBytes;
exports.bytesEqual = bytesEqual;
/** Mixed into every hash, so that nobody outside can prepare collisions. Set once by coreInit(). */
let seed = 0x51ce51ce51ce51ce;
/** Sets the seed of hashBytes(). */
function hashSeed(value) {
    seed = (value + 1) * 0x9e3779b97f4a7c15;
}
/** A 64-bit hash of bytes, never 0. Not cryptographic. */
function hashBytes(at, bytes) {
    let hash = seed ^ (bytes * 0xff51afd7ed558ccd);
    const end = at + bytes;
    for (; at + 8 <= end; at += 8) {
        hash = (hash ^ load(at)) * 0x9fb21c651e98df25;
        hash ^= hash >> 28;
    }
    let last = 0;
    for (; at < end; at++)
        last = (last << 8) | load(at);
    hash = (hash ^ last) * 0xc4ceb9fe1a85ec53;
    hash ^= hash >> 33;
    return hash === 0 ? 1 : hash;
}
/** Whether two byte strings are equal. */
function bytesEqual(a, aBytes, b, bBytes) {
    return aBytes === bBytes && memory.compare(a, b, aBytes) === 0;
}
