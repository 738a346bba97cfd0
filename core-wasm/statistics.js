"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.statisticsInit = statisticsInit;
exports.statisticAdd = statisticAdd;
exports.statisticGet = statisticGet;
/** Counters since coreInit(), as f64 so that the host reads them in one call; see STATISTIC_… in abi.ts. */
const abi_1 = require("./abi");
const countersAt = memory.data(256);
if (abi_1.STATISTICS * 8 > 256)
    ERROR("More statistics than room");
/** Sets all counters to 0. */
function statisticsInit() {
    memory.fill(countersAt, 0, 256);
}
/** Adds to a counter. */
function statisticAdd(index, value) {
    const at = countersAt + index * 8;
    store(at, load(at) + value);
}
/** Reads a counter. */
function statisticGet(index) {
    return load(countersAt + index * 8);
}
