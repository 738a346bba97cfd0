/**
 * Members: one session's part in one channel, as sink, source or both. The record has 128 bytes; what publishing needs
 * comes first and shares a cache line.
 *
 * A second index leads from (connection, channel) to its members, which publishing by number, notices of drops and
 * `member` in deliveries need.
 */
import { MEMBERS_MAX } from "../abi";
import { Map64, mapDelete, mapFind, mapNew, mapSet } from "../memory/map";
import { Table, tableAt, tableFind, tableNew } from "../memory/table";

/** A member's record. As a source it carries the outbox, as a sink what it was not delivered. */
@unmanaged
export class Member {
  number: u32;
  tableNext: u32;
  connection: u32;
  channel: u32;
  /** ROLE_… bits. */
  role: u32;
  /** Address of the session's inbox, for the fan-out. */
  inbox: u32;
  /** Address of the channel's record. */
  channelAt: u32;
  /** Source: what left the outbox since the last credit frame. */
  spentEvents: u32;
  spentBytes: u32;
  granting: u32;
  /** Source: events in its outbox, and that (match/outbox.ts); 0: it has none. */
  outboxEvents: u32;
  outbox: u32;
  nextOutbox: u32;
  nextGrant: u32;

  /** Set of types wanted, 0: any; program that must hold, 0: none. */
  types: u32;
  where: u32;
  nextOfConnection: u32;
  /** Next member of the same connection in the same channel. */
  nextOfPair: u32;
  /** Drops to tell, by DROPPED_… reason, and whether this is in the connection's list. */
  droppedOverflow: u32;
  droppedLate: u32;
  droppedCancelled: u32;
  droppedConflated: u32;
  noticed: u32;
  nextNotice: u32;

  /** Its live attributes and what else only some members have (live.ts), 0: nothing. */
  live: u32;
  /** Counts joins of this core: lower is older. */
  order: u32;
  /** Sink: its place among those that joined the channel; what it wants everything of: its place there, else its first
   *  Filing in the index. See sinks.ts and match/index/. */
  place: u32;
  indexed: u32;
  /** Source: the channel's sequence when it joined. */
  since: u64;
}

/** In `role`, beside the ROLE_… of abi.ts: the outbox of this source is held. */
export const ROLE_HELD: u32 = 32;

const RECORD_BITS: u32 = 7;
if (offsetof<Member>() > 128) ERROR("Member is larger than its record");

let table: u32 = 0;
let pairs: u32 = 0;
let joins: u32 = 0;

/** The next place in join order. */
export function joinOrderNext(): u32 {
  return ++joins;
}

/** Forgets all members. Returns false where memory is too small. */
export function membersInit(): bool {
  joins = 0;
  table = tableNew(RECORD_BITS, MEMBERS_MAX);
  pairs = mapNew();
  return table !== 0 && pairs !== 0;
}

/** The table of members. */
export function memberTable(): Table {
  return changetype<Table>(table);
}

/** The live member of that number. */
export function memberAt(number: u32): Member {
  return changetype<Member>(tableAt(memberTable(), number));
}

/** The member of that number, null where there is none. */
export function memberFind(number: u32): Member | null {
  return changetype<Member | null>(tableFind(memberTable(), number));
}

function pairKey(connection: u32, channel: u32): u64 {
  return ((<u64>connection) << 32) | channel;
}

/** Address of the first member of a connection in a channel, 0 where there is none. */
export function pairFirst(connection: u32, channel: u32): u32 {
  return mapFind(changetype<Map64>(pairs), pairKey(connection, channel));
}

/** Address of the first member of a connection in a channel with that role, 0 where there is none. */
export function pairWithRole(connection: u32, channel: u32, role: u32): u32 {
  let at = pairFirst(connection, channel);
  while (at !== 0 && (changetype<Member>(at).role & role) === 0) at = changetype<Member>(at).nextOfPair;
  return at;
}

/** Appends a member to its pair's list. Returns false where memory is used up. */
export function pairAdd(member: Member): bool {
  const at = changetype<u32>(member);
  let last = pairFirst(member.connection, member.channel);
  if (last === 0) return mapSet(changetype<Map64>(pairs), pairKey(member.connection, member.channel), at);
  while (changetype<Member>(last).nextOfPair !== 0) last = changetype<Member>(last).nextOfPair;
  changetype<Member>(last).nextOfPair = at;
  return true;
}

/** Takes a member out of its pair's list. */
export function pairRemove(member: Member): void {
  const map = changetype<Map64>(pairs);
  const key = pairKey(member.connection, member.channel);
  const at = changetype<u32>(member);
  let previous = mapFind(map, key);
  if (previous === at) {
    if (member.nextOfPair === 0) mapDelete(map, key);
    else mapSet(map, key, member.nextOfPair);
    return;
  }
  while (changetype<Member>(previous).nextOfPair !== at) previous = changetype<Member>(previous).nextOfPair;
  changetype<Member>(previous).nextOfPair = member.nextOfPair;
}
