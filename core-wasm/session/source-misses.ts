/**
 * Misses told to sources that asked (`misses` of a join): one frame for an event, with how many sinks it was late for.
 *
 * The sinks of an event miss it at nearly the same moment, so what is found in one turn is gathered: a table of the last events,
 * whose slots are told when another event needs them, and all of them at the end of the turn.
 */
import { ROLE_MISSES } from "../abi";
import { Member, pairWithRole } from "../channel/member";
import { heapTake } from "../memory/heap";
import { connectionFind } from "./connection";
import { missFrame } from "./miss-frame";

/** A longer id is left out; the sequence names the event as well. */
const ID_BYTES_MAX: u32 = 64;

/** An event that was missed; its id follows the record. */
@unmanaged
class Told {
  sequence: u64;
  byMs: f64;
  /** Of the source. */
  connection: u32;
  channel: u32;
  /** Sinks that missed it; 0: the slot is free. */
  sinks: u32;
  reason: u32;
  idBytes: u32;
  pad: u32;
}
const HEAD_BYTES: u32 = offsetof<Told>();
const TOLD_BYTES: u32 = HEAD_BYTES + ID_BYTES_MAX;
/** Slots, a power of two. */
const SLOTS: u32 = 256;

let slots: u32 = 0;
let used: u32 = 0;

/** Forgets everything. */
export function sourceMissesInit(): void {
  slots = used = 0;
}

/** Notes that a sink has missed an event of a source. Events that were published before it joined are others'. */
export function sourceMiss(
  connection: u32,
  channel: u32,
  sequence: u64,
  idAt: u32,
  idBytes: u32,
  byMs: f64,
  reason: u32,
): void {
  const source = pairWithRole(connection, channel, ROLE_MISSES);
  if (source === 0 || sequence <= changetype<Member>(source).since) return;
  if (slots === 0) {
    slots = heapTake(SLOTS * TOLD_BYTES);
    if (slots === 0) return;
    memory.fill(slots, 0, SLOTS * TOLD_BYTES);
  }
  const told = changetype<Told>(slots + ((<u32>sequence ^ (channel * 0x9e3779b1)) & (SLOTS - 1)) * TOLD_BYTES);
  if (told.sinks !== 0 && told.sequence === sequence && told.channel === channel) {
    told.sinks++;
    if (byMs > told.byMs) told.byMs = byMs;
    return;
  }
  if (told.sinks !== 0) tell(told);
  told.sequence = sequence;
  told.byMs = byMs;
  told.connection = connection;
  told.channel = channel;
  told.sinks = 1;
  told.reason = reason;
  told.idBytes = idBytes <= ID_BYTES_MAX ? idBytes : 0;
  memory.copy(changetype<u32>(told) + HEAD_BYTES, idAt, told.idBytes);
  used++;
}

/** Tells sources all that was gathered. */
export function sourceMissesTell(): void {
  for (let at = slots; used !== 0; at += TOLD_BYTES) {
    if (changetype<Told>(at).sinks !== 0) tell(changetype<Told>(at));
  }
}

/** Whether anything was gathered. */
export function sourceMissesAny(): bool {
  return used !== 0;
}

function tell(told: Told): void {
  const sinks = told.sinks;
  told.sinks = 0;
  used--;
  const connection = connectionFind(told.connection);
  if (connection === null) return;
  const idAt = changetype<u32>(told) + HEAD_BYTES;
  missFrame(connection, told.channel, told.sequence, idAt, told.idBytes, told.byMs, told.reason, sinks);
}
