/** What an operator does to an inbox as a whole, and what a host asks of it before it lets deliveries leave. */
import { DROPPED_DRAINED, RECEIPTS_BYTES, RECEIPTS_OFFSET } from "../abi";
import { lossCount } from "../channel/losses";
import { nowMs } from "../clock";
import { entryChannel, entrySize } from "../event/entry";
import { inboxReleaseIfDrained } from "../match/membership";
import { Connection, CREDIT_NONE } from "../session/connection";
import { Pending } from "./kept";
import { lateLook } from "./late";
import { Mailbox, Run, runFrontHasMeta } from "./records";
import { runAdvance } from "./run";

/** A record of what was discarded: channel number and count, u32 each. */
const RECORD_BYTES: u32 = 8;

/** Discards what waits in an inbox, counts it, and writes how much of which channel to RECEIPTS; returns the number of records. */
export function inboxEmpty(connection: Connection): u32 {
  const inbox = changetype<Mailbox>(connection.inbox);
  let last = RECEIPTS_OFFSET - RECORD_BYTES;
  let records: u32 = 0;
  while (inbox.head !== 0) {
    const run = changetype<Run>(inbox.head);
    const channel = entryChannel(run.at);
    if (records === 0 || load<u32>(last) !== channel) {
      if ((records + 1) * RECORD_BYTES > RECEIPTS_BYTES) break;
      last += RECORD_BYTES;
      records++;
      store<u32>(last, channel);
      store<u32>(last, 0, 4);
    }
    store<u32>(last, load<u32>(last, 4) + 1, 4);
    lossCount(channel, DROPPED_DRAINED, 1);
    runAdvance(inbox, run, entrySize(run.at), 1, runFrontHasMeta(run) ? 1 : 0);
  }
  inboxReleaseIfDrained(inbox);
  return records;
}

/**
 * Whether what waits may leave as a batch of `events` or `bytes`: 0 where it is full, where credit reaches no further, or where
 * something is to be delivered again; else in how many milliseconds the earliest deadline is; −1 where nothing waits.
 */
export function inboxRipeIn(connection: Connection, events: u32, bytes: u32): f64 {
  const inbox = changetype<Mailbox>(connection.inbox);
  if (connection.pending !== 0 && changetype<Pending>(connection.pending).againEvents !== 0) return 0;
  if (inbox.events === 0) return -1;
  if (inbox.events >= events || inbox.bytes >= bytes) return 0;
  if (connection.credit !== CREDIT_NONE) {
    if (<i64>inbox.events >= connection.creditEvents || <i64>inbox.bytes >= connection.creditBytes) return 0;
  }
  lateLook(inbox);
  return inbox.dueMs - nowMs;
}
