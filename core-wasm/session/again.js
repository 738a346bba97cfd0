"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.frameAgain = void 0;
exports.frameAgainSet = frameAgainSet;
exports.frameAgainClear = frameAgainClear;
/** Whether the frame just looked at was left where it is, because parked events must be decided first. */
exports.frameAgain = false;
/** The frame is to be given again. */
function frameAgainSet() {
    exports.frameAgain = true;
}
/** A frame is looked at. */
function frameAgainClear() {
    exports.frameAgain = false;
}
