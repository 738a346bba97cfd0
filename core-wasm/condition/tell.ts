/** Tells the host a value. */
import { RESULT_AT, RESULT_BYTES_AT, RESULT_NUMBER_HIGH, RESULT_NUMBER_LOW, RESULT_TYPE } from "../abi";
import { resultSet } from "../result";

/** Tells the value of a slot, 0: missing. */
export function slotTell(slot: u32): void {
  resultSet(RESULT_TYPE, slot === 0 ? 0 : load<u32>(slot));
  if (slot === 0) return;
  resultSet(RESULT_NUMBER_LOW, load<u32>(slot, 8));
  resultSet(RESULT_NUMBER_HIGH, load<u32>(slot, 12));
  resultSet(RESULT_AT, load<u32>(slot, 8));
  resultSet(RESULT_BYTES_AT, load<u32>(slot, 4));
}
