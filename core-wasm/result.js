"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.resultSet = resultSet;
exports.resultGet = resultGet;
exports.resultStatus = resultStatus;
/** The words in which a call tells the host what happened; the layout is in abi.ts. */
const abi_1 = require("./abi");
/** Sets one word of RESULT. */
function resultSet(index, value) {
    store(abi_1.RESULT_OFFSET + index * 4, value);
}
/** Reads one word of RESULT. */
function resultGet(index) {
    return load(abi_1.RESULT_OFFSET + index * 4);
}
/** Notes a status with the offending value and the limit it met; returns the status. */
function resultStatus(status, value, limit) {
    resultSet(abi_1.RESULT_STATUS, status);
    resultSet(abi_1.RESULT_VALUE, value);
    resultSet(abi_1.RESULT_LIMIT, limit);
    return status;
}
