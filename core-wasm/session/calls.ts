/** What the host calls about output; index.ts exports it. Described in host/core/exports.ts. */
import { DIRTY_COUNT_MAX, DIRTY_OFFSET, REASON_DECIDE, REASON_DONE, RESULT_COUNT, RESULT_REASON } from "../abi";
import { clockSet } from "../clock";
import { heldDue } from "../filter/held";
import { heldDueFresh } from "../filter/held-due";
import { parkedEvents } from "../filter/parked";
import { turnDue, turnEnd } from "../match/deadlines";
import { heldRetry } from "../match/routed";
import { resultSet } from "../result";
import { connectionFind, dirtyFirst, dirtyRemove } from "./connection";
import { connectionDrain } from "./drain";

/** Whether a turn would do anything: something is to be sent or tried again, or a moment is to be waited for. */
export function flushDue(): bool {
  return dirtyFirst() !== null || heldDue() || heldDueFresh() || turnDue() || parkedEvents() !== 0;
}

/** Takes connections with something to send. */
export function dirtyTake(): u32 {
  heldRetry();
  turnEnd();
  let count: u32 = 0;
  while (count < DIRTY_COUNT_MAX) {
    const connection = dirtyFirst();
    if (connection === null) break;
    dirtyRemove(connection);
    store<u32>(DIRTY_OFFSET + count * 4, connection.number);
    count++;
  }
  resultDeciding();
  return count;
}

/** Tells the host whether events wait for a decision. */
export function resultDeciding(): void {
  resultSet(RESULT_COUNT, parkedEvents());
  resultSet(RESULT_REASON, parkedEvents() === 0 ? REASON_DONE : REASON_DECIDE);
}

/** Writes what a connection may send. */
export function drain(number: u32, out: u32, bytesMax: u32, now: f64): u32 {
  const connection = connectionFind(number);
  if (connection === null) return 0;
  clockSet(now);
  return connectionDrain(connection, out, bytesMax);
}
