"use strict";
/** The service clock of the call under way. The core has no clock: time is an argument of every call that needs it. */
Object.defineProperty(exports, "__esModule", { value: true });
exports.nowMs = void 0;
exports.clockSet = clockSet;
/** Milliseconds since 1970-01-01T00:00:00Z. */
exports.nowMs = 0;
/** Sets the time of this call. */
function clockSet(now) {
    exports.nowMs = now;
}
