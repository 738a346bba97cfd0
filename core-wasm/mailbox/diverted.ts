/**
 * Late events on their way to another channel (`late: divert`). They wait here, as copies, until the call under way has done with
 * inboxes and ranges; match/divert.ts publishes them then.
 *
 * Many sinks may miss one event. It is diverted once: its meta says so, and for copies of it in chunks of single inboxes a table
 * of the last events does, since they all miss it at the same moment.
 */
import { STATISTIC_REFUSED } from "../abi";
import { channelFind } from "../channel/channel";
import { entryChannel, entryEvent, entrySequence, entrySize } from "../event/entry";
import { heapGive, heapTake, heapTakeZero } from "../memory/heap";
import { statisticAdd } from "../statistics";
import { META_CANCELLED, META_DIVERTED, Meta } from "./records";

/** An event on its way; its entry follows the record. */
@unmanaged
export class Diverted {
  next: u32;
  /** Of the submitter; 0: unknown. */
  connection: u32;
  bytes: u32;
  pad: u32;
}
export const DIVERTED_HEAD_BYTES: u32 = offsetof<Diverted>();

/** Events that the table remembers, a power of two. */
const REMEMBERED: u32 = 4096;

let head: u32 = 0;
let tail: u32 = 0;
let table: u32 = 0;

/** Forgets everything. */
export function divertedInit(): void {
  head = tail = table = 0;
}

/** Whether events wait to be diverted. */
export function divertedAny(): bool {
  return head !== 0;
}

/** Copies a late entry that is to be diverted, if this is the first sink to miss it. `metaAt`: address of its meta, 0: none. */
export function divertKeep(entryAt: u32, metaAt: u32): void {
  const number = entryChannel(entryAt);
  if (channelFind(number) === null) return;
  if (metaAt !== 0) {
    const meta = changetype<Meta>(metaAt);
    if ((meta.flags & (META_DIVERTED | META_CANCELLED)) !== 0) return;
    meta.flags |= META_DIVERTED;
  }
  entryEvent(entryAt);
  if (!remember(number, entrySequence)) return;
  const bytes = entrySize(entryAt);
  const at = heapTake(DIVERTED_HEAD_BYTES + bytes);
  if (at === 0) {
    statisticAdd(STATISTIC_REFUSED, 1);
    return;
  }
  const node = changetype<Diverted>(at);
  node.next = 0;
  node.connection = metaAt === 0 ? 0 : changetype<Meta>(metaAt).submitter;
  node.bytes = bytes;
  memory.copy(at + DIVERTED_HEAD_BYTES, entryAt, bytes);
  if (head === 0) head = at;
  else changetype<Diverted>(tail).next = at;
  tail = at;
}

/** Notes an event; false where it is remembered already. Without memory for the table every copy counts for itself. */
function remember(channel: u32, sequence: u64): bool {
  if (table === 0) table = heapTakeZero(REMEMBERED * 8);
  if (table === 0) return true;
  const key = ((<u64>channel) << 40) ^ sequence;
  const at = table + ((<u32>sequence ^ (channel * 0x9e3779b1)) & (REMEMBERED - 1)) * 8;
  if (load<u64>(at) === key) return false;
  store<u64>(at, key);
  return true;
}

/** Address of the next event on its way, which is the caller's to free then; 0: none. */
export function divertedShift(): u32 {
  const at = head;
  if (at !== 0) head = changetype<Diverted>(at).next;
  return at;
}

/** Frees what divertedShift() gave. */
export function divertedFree(at: u32): void {
  heapGive(at, DIVERTED_HEAD_BYTES + changetype<Diverted>(at).bytes);
}
