"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.utf8Valid = utf8Valid;
/**
 * Whether bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF).
 *
 * Almost all strings are ASCII, which is seen 16 bytes at a time.
 */
function utf8Valid(at, bytes) {
    const end = at + bytes;
    if (bytes < 16) {
        let seen = 0;
        for (let p = at; p < end; p++)
            seen |= load(p);
        if (seen < 0x80)
            return true;
    }
    while (at < end) {
        if (at + 16 <= end) {
            if (i8x16.bitmask(v128.load(at)) === 0) {
                at += 16;
                continue;
            }
        }
        else if (at + 8 <= end && (load(at) & 0x8080808080808080) === 0) {
            at += 8;
            continue;
        }
        const lead = load(at);
        if (lead < 0x80) {
            at++;
            continue;
        }
        at = sequenceEnd(at, end, lead);
        if (at === 0)
            return false;
    }
    return true;
}
/** Address after the multi-byte sequence that `lead` begins; 0 where it is none. RFC 3629 §4 gives the ranges. */
function sequenceEnd(at, end, lead) {
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (end - at <= more)
        return 0;
    const second = load(at, 1);
    let low = 0x80;
    let high = 0xbf;
    if (lead === 0xe0)
        low = 0xa0;
    else if (lead === 0xed)
        high = 0x9f;
    else if (lead === 0xf0)
        low = 0x90;
    else if (lead === 0xf4)
        high = 0x8f;
    if (second < low || second > high)
        return 0;
    for (let i = 2; i <= more; i++) {
        if ((load(at + i) & 0xc0) !== 0x80)
            return 0;
    }
    return at + 1 + more;
}
