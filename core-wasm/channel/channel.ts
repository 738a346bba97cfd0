/** Channels by number and by name. The record has 128 bytes. */
import { CHANNEL_CANCELS, CHANNEL_FILTERED, CHANNEL_STORES, CHANNELS_MAX } from "../abi";
import { bytesEqual, hashBytes } from "../memory/bytes";
import { heapCopy, heapGive } from "../memory/heap";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";
import { Table, tableAt, tableFind, tableGive, tableNew, tableTake } from "../memory/table";

/** A channel: its settings, its sinks, and what keeps its events from the fast way. */
@unmanaged
export class Channel {
  number: u32;
  /** Sinks that do not want everything. (The table's link, when free.) */
  selectiveSinks: u32;
  /** CHANNEL_… bits. */
  flags: u32;
  priority: u32;
  sequence: u64;
  /** From here to `ttlMs`, 32 bytes: all 0 on a channel without anything special, which is seen with two loads. */
  types: u32;
  /** 1: a module decides about some of its events, which wait for it (filter/parked.ts). */
  parks: u32;
  /** How many sinks have an inbox that does not drop the oldest or has windows, or are a second membership of their session.
   *  While both are 0, events that follow one another fan out as one range. */
  strictSinks: u32;
  doubleSinks: u32;
  /** How many inboxes of policy `block` are beyond their stall mark. */
  blockedBy: u32;
  /** Sources whose outbox holds events (list through Member.nextOutbox). */
  outboxes: u32;
  /** 0: none. */
  ttlMs: f64;
  /** Array of Sink records: those that want everything. Here ends the cache line that publishing needs. */
  plainAt: u32;
  sinks: u32;
  plainCapacity: u32;
  /** Array of the addresses of all sinks' Members in join order, 0 for those that left since (sinks.ts). */
  joinedAt: u32;
  joined: u32;
  sources: u32;
  /** Last source in the list of filled outboxes. */
  outboxesTail: u32;
  nameAt: u32;
  nameBytes: u32;
  /** Next channel number with the same name hash. */
  nameNext: u32;
  joinedCapacity: u32;
  /** Index of the sinks that do not want everything, 0: none (match/index/). */
  index: u32;
  /** Mailbox of what the channel stores, 0: it stores nothing. CHANNEL_STORES in `flags` says so in the first line. */
  ring: u32;
  /** Counters of what its sinks lost, 0: nothing so far (losses.ts). */
  losses: u32;
  /** What is bound to it (filter/bind.ts), 0: nothing. CHANNEL_FILTERED in `flags` says in the first line whether it counts. */
  filters: u32;
  /** How many sinks have an ordered inbox, which asks events for more than where they lie. */
  orderedSinks: u32;
}

const SPECIAL_OFFSET: u32 = 24;
if (offsetof<Channel>("types") !== SPECIAL_OFFSET) ERROR("Channel.types is not where channelSpecial() looks");
if (offsetof<Channel>("ttlMs") !== SPECIAL_OFFSET + 24) ERROR("Channel.ttlMs is not where channelSpecial() looks");

/** Whether anything about a channel keeps its events from the fast way: see Channel.types and what follows. */
export function channelSpecial(channel: Channel): bool {
  const at = changetype<u32>(channel) + SPECIAL_OFFSET;
  const bits = v128.or(v128.load(at), v128.load(at, 16));
  return v128.any_true(bits) || ((channel.priority ^ 4) | (channel.flags & CHANNEL_FILTERED)) !== 0;
}

/** Flags that the core keeps, whatever the host says. */
export const OWN_FLAGS: u32 = CHANNEL_STORES | CHANNEL_FILTERED | CHANNEL_CANCELS;

const RECORD_BITS: u32 = 7;
if (offsetof<Channel>() > 128) ERROR("Channel is larger than its record");

let table: u32 = 0;
let names: u32 = 0;

/** Forgets all channels. Returns false where memory is too small. */
export function channelsInit(): bool {
  table = tableNew(RECORD_BITS, CHANNELS_MAX);
  names = mapNew();
  return table !== 0 && names !== 0;
}

/** The table of channels. */
export function channelTable(): Table {
  return changetype<Table>(table);
}

/** The live channel of that number. */
export function channelAt(number: u32): Channel {
  return changetype<Channel>(tableAt(channelTable(), number));
}

/** The channel of that number, null where there is none. */
export function channelFind(number: u32): Channel | null {
  return changetype<Channel | null>(tableFind(channelTable(), number));
}

/** The number of the channel of that name, 0 where there is none. */
export function channelByName(at: u32, bytes: u32): u32 {
  let number = mapFind(changetype<Map64>(names), hashBytes(at, bytes));
  while (number !== 0) {
    const channel = channelAt(number);
    if (bytesEqual(channel.nameAt, channel.nameBytes, at, bytes)) return number;
    number = channel.nameNext;
  }
  return 0;
}

/** Adds a channel; 0 where the name is taken or memory is used up. */
export function channelNew(nameAt: u32, nameBytes: u32, flags: u32): u32 {
  if (nameBytes === 0 || channelByName(nameAt, nameBytes) !== 0) return 0;
  const reused = channelTable().freeHead;
  // Ids that are derived from (channel number, sequence) must not come again: sequences of a number go on.
  const floor = reused === 0 ? 0 : channelAt(reused).sequence;
  const number = tableTake(channelTable());
  if (number === 0) return 0;
  const channel = channelAt(number);
  if (number === reused) channel.sequence = floor;
  const hash = hashBytes(nameAt, nameBytes);
  const map = changetype<Map64>(names);
  channel.nameAt = heapCopy(nameAt, nameBytes);
  channel.nameBytes = nameBytes;
  channel.nameNext = mapFind(map, hash);
  channel.flags = flags;
  channel.priority = 4;
  if (channel.nameAt === 0 || !mapSet(map, hash, number)) {
    if (channel.nameAt !== 0) heapGive(channel.nameAt, nameBytes);
    tableGive(channelTable(), number);
    return 0;
  }
  return number;
}

/** Frees a channel that has no members any more. */
export function channelFree(channel: Channel): void {
  const map = changetype<Map64>(names);
  const hash = hashBytes(channel.nameAt, channel.nameBytes);
  const first = mapFind(map, hash);
  if (first === channel.number) {
    if (channel.nameNext === 0) mapDelete(map, hash);
    else mapSet(map, hash, channel.nameNext);
  } else {
    let previous = channelAt(first);
    while (previous.nameNext !== channel.number) previous = channelAt(previous.nameNext);
    previous.nameNext = channel.nameNext;
  }
  heapGive(channel.nameAt, channel.nameBytes);
  tableGive(channelTable(), channel.number);
}
