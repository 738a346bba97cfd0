/** What a sink is told of deadlines that were missed: each event once, with how late it is. */
import { nowMs } from "../clock";
import { entryChannel, entryEvent, entryEventBytes, entrySequence } from "../event/entry";
import { cursor, fieldSkip, lengthRead, tagRead, varintBytes, varintWrite } from "../event/wire";
import { accountOf } from "../mailbox/accounts";
import { latenessCount } from "../mailbox/histograms";
import { Connection } from "./connection";
import { controlFrame } from "./control";

/** Ids that are longer are left out; the sequence names the event as well. */
const ID_BYTES_MAX: u32 = 256;
/** A sink that does not read is not told more: the counts go on. */
const WAITING_BYTES_MAX: u32 = 1048576;
/** Room for one frame: tags and sizes, four varints, a double, the id. */
const frameAt: u32 = <u32>memory.data(352);
const TAG_MISSED: u8 = 0x2a;
const TAG_ID: u32 = 0x0a;

/** Counts an event that will not be in time, and tells the sink. `number` of its delivery; 0: it gets none. */
export function missTell(connection: Connection, entryAt: u32, number: u64, deadlineMs: f64): void {
  const channel = entryChannel(entryAt);
  accountOf(connection.number, channel).missed++;
  missFrame(connection, channel, entryAt, number, deadlineMs);
}

/** HostFrame{missed{channel_number 2, number 3, id 4, by 5, sequence 6}}. */
export function missFrame(connection: Connection, channel: u32, entryAt: u32, number: u64, deadlineMs: f64): void {
  latenessCount(nowMs - deadlineMs);
  if (connection.controlBytes - connection.controlRead > WAITING_BYTES_MAX) return;
  idFind(entryAt);
  const sequence = entrySequence;
  let body = 1 + varintBytes(channel) + 9 + 1 + varintBytes(sequence);
  if (number !== 0) body += 1 + varintBytes(number);
  if (idBytes !== 0) body += 1 + varintBytes(idBytes) + idBytes;
  let at = frameAt;
  store<u8>(at, TAG_MISSED);
  at = varintWrite(at + 1, body);
  store<u8>(at, 0x10);
  at = varintWrite(at + 1, channel);
  if (number !== 0) {
    store<u8>(at, 0x18);
    at = varintWrite(at + 1, number);
  }
  if (idBytes !== 0) {
    store<u8>(at, 0x22);
    at = varintWrite(at + 1, idBytes);
    memory.copy(at, idAt, idBytes);
    at += idBytes;
  }
  store<u8>(at, 0x29);
  store<f64>(at, nowMs - deadlineMs, 1);
  store<u8>(at, 0x30, 9);
  at = varintWrite(at + 10, sequence);
  controlFrame(connection, frameAt, at - frameAt);
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
