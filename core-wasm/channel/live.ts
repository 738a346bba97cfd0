/**
 * What is live about a member: its attributes with their ages, how often routes have chosen it, and the filters that it
 * carries. A side record: members that have nothing of this do not pay for it.
 *
 *   attributesAt   entry entry entry …      fields 2 of an Update as they came: 0x12, size, name and Value
 *   agesAt         f64   f64   f64          when each was set, ms, in the same order
 */
import { heapGive, heapTakeZero } from "../memory/heap";
import { Member } from "./member";

/** The side record of a member. */
@unmanaged
export class Live {
  /** Live attributes as encoded map entries, their bytes, how many, and the moments at which they were set. */
  attributesAt: u32;
  attributesBytes: u32;
  count: u32;
  agesAt: u32;
  /** How often routes with a limit have chosen this sink since its last update. */
  selections: u32;
  /** Its places in the trees of routes (list through RankNode.nextOfMember). */
  nodes: u32;
  /** Routes that it carries for its own events, by STAGE_…; 0: none. */
  routesOut: u32;
  routesIn: u32;
  /** Deciders, likewise. */
  deciderOut: u32;
  deciderIn: u32;
  /** Its number for modules, where its channel has any (filter/slots.ts). */
  slot: u32;
  /** Names of attributes of its own events that become its live ones: u16 bytes and text each. */
  piggybackAt: u32;
  piggybackBytes: u32;
}

/** Bytes of the moments of `count` attributes, in steps so that they rarely move. */
export function agesBytes(count: u32): u32 {
  return ((count + 1) & ~1) * 8;
}

/** The side record of a member, made where there is none; 0 where memory is used up. */
export function liveTake(member: Member): u32 {
  if (member.live === 0) member.live = heapTakeZero(offsetof<Live>());
  return member.live;
}

/** Frees attributes, names and the record itself; routes and nodes are gone already. */
export function liveFree(member: Member): void {
  if (member.live === 0) return;
  const live = changetype<Live>(member.live);
  if (live.attributesAt !== 0) heapGive(live.attributesAt, live.attributesBytes);
  if (live.agesAt !== 0) heapGive(live.agesAt, agesBytes(live.count));
  if (live.piggybackAt !== 0) heapGive(live.piggybackAt, live.piggybackBytes);
  heapGive(member.live, offsetof<Live>());
  member.live = 0;
}
