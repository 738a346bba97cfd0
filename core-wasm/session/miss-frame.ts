/** The frame that tells of a missed deadline. */
import { varintBytes, varintWrite } from "../event/wire";
import { Connection } from "./connection";
import { controlFrame } from "./control";

/** A peer that does not read is not told more: the counts go on. */
const WAITING_BYTES_MAX: u32 = 1048576;
/** Nor is one whose carrier is gone: there may be thousands of those. */
const AWAY_BYTES_MAX: u32 = 16384;
/** Room for one frame: tags and sizes, five varints, a double, the id, the longest reason. */
const frameAt: u32 = <u32>memory.data(384);
const TAG_MISSED: u8 = 0x2a;

/** Why a deadline was missed: it passed while the event waited, before the event came, cannot be met any more, or passed before the
 *  acknowledgement came. */
export const MISS_WAITED: u32 = 0;
export const MISS_LATE: u32 = 1;
export const MISS_HOPELESS: u32 = 2;
export const MISS_UNACKNOWLEDGED: u32 = 3;

/** The reasons as docs/frames.md names them, each in 16 bytes without its length. */
const reasonsAt: u32 = <u32>memory.data<u8>([
  0x77,
  0x61,
  0x69,
  0x74,
  0x65,
  0x64,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0, // "waited"
  0x6c,
  0x61,
  0x74,
  0x65,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0, // "late"
  0x68,
  0x6f,
  0x70,
  0x65,
  0x6c,
  0x65,
  0x73,
  0x73,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0, // "hopeless"
  0x75,
  0x6e,
  0x61,
  0x63,
  0x6b,
  0x6e,
  0x6f,
  0x77,
  0x6c,
  0x65,
  0x64,
  0x67,
  0x65,
  0x64, // "unacknowledged"
]);
const REASON_BYTES_MAX: u32 = 16;

function reasonBytes(reason: u32): u32 {
  if (reason === MISS_UNACKNOWLEDGED) return 14;
  return reason === MISS_WAITED ? 6 : reason === MISS_LATE ? 4 : 8;
}

/** HostFrame{missed{channel_number 2, id 4, by 5, sequence 6, sinks 7, reason 8}}. `sinks` 0: it is told to a sink. */
export function missFrame(
  connection: Connection,
  channel: u32,
  sequence: u64,
  idAt: u32,
  idBytes: u32,
  byMs: f64,
  reason: u32,
  sinks: u32,
): void {
  const most: u32 = connection.away === 0 ? WAITING_BYTES_MAX : AWAY_BYTES_MAX;
  if (connection.controlBytes - connection.controlRead > most) return;
  const why = reasonBytes(reason);
  let body = 1 + varintBytes(channel) + 9 + 1 + varintBytes(sequence) + 2 + why;
  if (idBytes !== 0) body += 1 + varintBytes(idBytes) + idBytes;
  if (sinks !== 0) body += 1 + varintBytes(sinks);
  let at = frameAt;
  store<u8>(at, TAG_MISSED);
  at = varintWrite(at + 1, body);
  store<u8>(at, 0x10);
  at = varintWrite(at + 1, channel);
  if (idBytes !== 0) {
    store<u8>(at, 0x22);
    at = varintWrite(at + 1, idBytes);
    memory.copy(at, idAt, idBytes);
    at += idBytes;
  }
  store<u8>(at, 0x29);
  store<f64>(at, byMs, 1);
  store<u8>(at, 0x30, 9);
  at = varintWrite(at + 10, sequence);
  if (sinks !== 0) {
    store<u8>(at, 0x38);
    at = varintWrite(at + 1, sinks);
  }
  store<u8>(at, 0x42);
  store<u8>(at, <u8>why, 1);
  memory.copy(at + 2, reasonsAt + reason * REASON_BYTES_MAX, why);
  controlFrame(connection, frameAt, at + 2 + why - frameAt);
}
