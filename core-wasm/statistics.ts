/** Counters since coreInit(), as f64 so that the host reads them in one call; see STATISTIC_… in abi.ts. */
import { STATISTICS } from "./abi";

const countersAt: u32 = <u32>memory.data(256);
if (STATISTICS * 8 > 256) ERROR("More statistics than room");

/** Sets all counters to 0. */
export function statisticsInit(): void {
  memory.fill(countersAt, 0, 256);
}

/** Adds to a counter. */
export function statisticAdd(index: u32, value: f64): void {
  const at = countersAt + index * 8;
  store<f64>(at, load<f64>(at) + value);
}

/** Reads a counter. */
export function statisticGet(index: u32): f64 {
  return load<f64>(countersAt + index * 8);
}
