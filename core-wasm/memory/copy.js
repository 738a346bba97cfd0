"use strict";
/** Copies that are mostly short: a bulk memory.copy of a hundred bytes costs more in the call than in the copy. */
Object.defineProperty(exports, "__esModule", { value: true });
exports.copyBytes = copyBytes;
const BULK_BYTES = 512;
/** Copies `bytes` that do not overlap. */
function copyBytes(to, from, bytes) {
    if (bytes > BULK_BYTES) {
        memory.copy(to, from, bytes);
        return;
    }
    if (bytes >= 16) {
        const last = bytes - 16;
        for (let i = 0; i < last; i += 16)
            v128.store(to + i, v128.load(from + i));
        // The last 16 bytes may overlap what was copied already.
        v128.store(to + last, v128.load(from + last));
        return;
    }
    if (bytes >= 8) {
        store(to, load(from));
        store(to + bytes - 8, load(from + bytes - 8));
        return;
    }
    for (let i = 0; i < bytes; i++)
        store(to + i, load(from + i));
}
