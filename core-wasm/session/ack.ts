/** Acknowledgements of deliveries: `ack { through, numbers }`. A frame that names a number never delivered has no effect. */
import { STATUS_ACK_UNKNOWN, STATUS_MALFORMED, STATUS_OK } from "../abi";
import { cursor, fieldSkip, lengthRead, tagRead, varintRead } from "../event/wire";
import { pendingAck, pendingAcked, pendingAckThrough } from "../mailbox/pending";
import { Mailbox } from "../mailbox/records";
import { inboxReleaseIfDrained } from "../match/membership";
import { resultStatus } from "../result";
import { Connection } from "./connection";

const TAG_THROUGH: u32 = 0x08;
const TAG_NUMBERS: u32 = 0x10;
const TAG_NUMBERS_PACKED: u32 = 0x12;

/** Carries out an Ack at [at, at + bytes). Returns a status. */
export function ackFrame(connection: Connection, at: u32, bytes: u32): u32 {
  const status = ackRead(connection, at, bytes, false);
  if (status !== STATUS_OK || connection.pending === 0) return status;
  ackRead(connection, at, bytes, true);
  pendingAcked(connection);
  const inbox = changetype<Mailbox>(connection.inbox);
  if (inbox.stalled !== 0) inboxReleaseIfDrained(inbox);
  return STATUS_OK;
}

/** Goes through the numbers: checks each, or acts on each once all were checked. */
function ackRead(connection: Connection, at: u32, bytes: u32, act: bool): u32 {
  const end = at + bytes;
  while (at < end) {
    const tag = tagRead(at, end);
    if (cursor === 0) return STATUS_MALFORMED;
    let valuesEnd = end;
    at = cursor;
    if (tag === TAG_NUMBERS_PACKED) {
      const size = lengthRead(at, end);
      if (cursor === 0) return STATUS_MALFORMED;
      at = cursor;
      valuesEnd = at + size;
    } else if (tag !== TAG_THROUGH && tag !== TAG_NUMBERS) {
      if (tag >> 3 <= 2) return STATUS_MALFORMED;
      at = fieldSkip(at, end, tag & 7);
      if (at === 0) return STATUS_MALFORMED;
      continue;
    }
    do {
      if (at >= valuesEnd) break;
      const number = varintRead(at, valuesEnd);
      if (cursor === 0) return STATUS_MALFORMED;
      at = cursor;
      if ((number === 0 && tag !== TAG_THROUGH) || number > connection.delivered) return unknown(connection, number);
      if (!act) continue;
      if (tag === TAG_THROUGH) pendingAckThrough(connection, number);
      else pendingAck(connection, number);
    } while (tag === TAG_NUMBERS_PACKED);
  }
  return STATUS_OK;
}

function unknown(connection: Connection, number: u64): u32 {
  return resultStatus(STATUS_ACK_UNKNOWN, number > 0xffffffff ? 0xffffffff : <u32>number, <u32>connection.delivered);
}
