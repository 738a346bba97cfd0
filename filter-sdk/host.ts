/** What the host does for a filter. */

import { hostIntern, hostLog, hostNow, hostRand } from "./imports";

/** Levels of the host's log. */
const INFO = 1;
const WARN = 2;

/**
 * Writes a line to the log of the filter, which `sluice filter logs` shows. Beyond 100 lines in a batch or 64 KiB in a minute
 * lines are left out and counted.
 */
export function log(text: string): void {
  write(INFO, text);
}

/** As {@link log}, marked as a warning. */
export function warn(text: string): void {
  write(WARN, text);
}

function write(level: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  hostLog(level, changetype<usize>(bytes), bytes.byteLength);
}

/** The time by the host's clock, ms since 1970. It stands still within a batch of events. */
export function now(): f64 {
  return hostNow();
}

/** A number from 0 up to 1, without 1. The host chooses the seed, so a run can be repeated. */
export function random(): f64 {
  return <f64>(<u32>hostRand()) / 4294967296.0;
}

/** The number of a text. */
export function intern(at: usize, bytes: i32): i32 {
  return hostIntern(at, bytes);
}
