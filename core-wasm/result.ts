/** The words in which a call tells the host what happened; the layout is in abi.ts. */
import { RESULT_LIMIT, RESULT_OFFSET, RESULT_STATUS, RESULT_VALUE } from "./abi";

/** Sets one word of RESULT. */
export function resultSet(index: u32, value: u32): void {
  store<u32>(RESULT_OFFSET + index * 4, value);
}

/** Reads one word of RESULT. */
export function resultGet(index: u32): u32 {
  return load<u32>(RESULT_OFFSET + index * 4);
}

/** Notes a status with the offending value and the limit it met; returns the status. */
export function resultStatus(status: u32, value: u32, limit: u32): u32 {
  resultSet(RESULT_STATUS, status);
  resultSet(RESULT_VALUE, value);
  resultSet(RESULT_LIMIT, limit);
  return status;
}
