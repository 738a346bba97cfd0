/** What sessions are told of deadlines that were missed: sinks each event once, with how late it is, and sources that asked. */
import { STATISTIC_MISSED } from "../abi";
import { entryEvent, entryEventBytes, entrySequence } from "../event/entry";
import { cursor, fieldSkip, lengthRead, tagRead } from "../event/wire";
import { accountOf } from "../mailbox/accounts";
import { latenessCount } from "../mailbox/histograms";
import { statisticAdd } from "../statistics";
import { Connection } from "./connection";
import { missFrame } from "./miss-frame";
import { sourceMiss } from "./source-misses";

/** Ids that are longer are left out; the sequence names the event as well. */
const ID_BYTES_MAX: u32 = 256;
const TAG_ID: u32 = 0x0a;

/** Counts an event that will not be in time, and tells of it. `source`: connection of a source that wants to hear of it, 0: none. */
export function missTell(
  connection: Connection,
  channel: u32,
  entryAt: u32,
  source: u32,
  byMs: f64,
  reason: u32,
): void {
  accountOf(connection.number, channel).missed++;
  missSay(connection, channel, entryAt, source, byMs, reason);
}

/** Tells the sink, and the source if it asked, of an event that was counted. */
export function missSay(connection: Connection, channel: u32, entryAt: u32, source: u32, byMs: f64, reason: u32): void {
  statisticAdd(STATISTIC_MISSED, 1);
  latenessCount(byMs);
  idFind(entryAt);
  const sequence = entrySequence;
  if (source !== 0) sourceMiss(source, channel, sequence, idAt, idBytes, byMs, reason);
  missFrame(connection, channel, sequence, idAt, idBytes, byMs, reason, 0);
}

let idAt: u32 = 0;
let idBytes: u32 = 0;

/** Finds the id of an entry's event; the last one counts, as in protobuf. */
function idFind(entryAt: u32): void {
  let at = entryEvent(entryAt);
  const end = at + entryEventBytes;
  idBytes = 0;
  while (at < end) {
    const tag = tagRead(at, end);
    const value = cursor;
    if (tag === TAG_ID) {
      const bytes = lengthRead(value, end);
      idAt = cursor;
      idBytes = bytes <= ID_BYTES_MAX ? bytes : 0;
    }
    at = fieldSkip(value, end, tag & 7);
  }
}
