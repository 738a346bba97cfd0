/**
 * Events that begin to wait for a decider (parked.ts), and those that are done with it. One that waits holds its entry, and what
 * its source carried, so both may go meanwhile.
 */
import { Channel } from "../channel/channel";
import { Live } from "../channel/live";
import { Member } from "../channel/member";
import { scanShape } from "../event/scan";
import { Shape } from "../event/shape";
import { Slab } from "../mailbox/records";
import { slabIdle } from "../mailbox/slab";
import { attach, detach, parksMark } from "./attach";
import { Filters } from "./bind";
import { Decider } from "./decider";
import { Parked, parkedAtPlace, parkedClose, parkedGive, parkedPlaces, parkedTake } from "./parked";
import { Routes, routesRelease } from "./route";

/** Has an entry wait, whose event was scanned just now. `source`: address of the Member, 0: none. `slab` null: it is held. */
export function park(
  channel: Channel,
  connection: u32,
  source: u32,
  type: u32,
  slab: Slab | null,
  at: u32,
  bytes: u32,
  eventAt: u32,
  eventBytes: u32,
  scanned: u32,
): Parked {
  const parked = parkedTake(channel, bytes);
  parked.sequence = channel.sequence;
  parked.slab = slab === null ? 0 : changetype<u32>(slab);
  parked.at = at;
  parked.eventAt = eventAt;
  parked.eventBytes = eventBytes;
  parked.shape = scanShape;
  parked.learned = scanShape === 0 ? 0 : changetype<Shape>(scanShape).learned;
  parked.scanned = scanned;
  parked.connection = connection;
  parked.type = type;
  const carried = source === 0 ? 0 : changetype<Member>(source).live;
  if (carried !== 0) {
    const own = changetype<Live>(carried);
    parkedCarry(parked, channel, own.routesOut, own.routesIn, own.deciderOut, own.deciderIn);
  }
  if (slab !== null) slab.pins++;
  return parked;
}

/** Notes what goes before the channel's filters, and keeps it as long as the event waits. */
export function parkedCarry(
  parked: Parked,
  channel: Channel,
  routesOut: u32,
  routesIn: u32,
  deciderOut: u32,
  deciderIn: u32,
): void {
  carryUse(channel, routesOut, routesIn, deciderOut, deciderIn);
  parked.routesOut = routesOut;
  parked.routesIn = routesIn;
  parked.deciderOut = deciderOut;
  parked.deciderIn = deciderIn;
}

/** One more use of what a source carries. Deciders are attached already, so this cannot fail. */
export function carryUse(channel: Channel, routesOut: u32, routesIn: u32, deciderOut: u32, deciderIn: u32): void {
  if (routesOut !== 0) changetype<Routes>(routesOut).references++;
  if (routesIn !== 0) changetype<Routes>(routesIn).references++;
  if (deciderOut !== 0) attach(changetype<Decider>(deciderOut), channel);
  if (deciderIn !== 0) attach(changetype<Decider>(deciderIn), channel);
}

/** One use less. */
export function carryEnd(routesOut: u32, routesIn: u32, deciderOut: u32, deciderIn: u32): void {
  routesRelease(routesOut);
  routesRelease(routesIn);
  detach(deciderOut);
  detach(deciderIn);
}

/** An event is done with; its place is free after parkedClose(). */
export function parkedEnd(parked: Parked): void {
  const channel = changetype<Channel>(parked.channel);
  if (parked.slab !== 0) {
    const slab = changetype<Slab>(parked.slab);
    slab.pins--;
    slabIdle(slab);
  }
  carryEnd(parked.routesOut, parked.routesIn, parked.deciderOut, parked.deciderIn);
  parkedGive(parked);
  parksMark(channel);
}

/** Discards what waits on a channel that ends; returns how many events those were. */
export function parkedDrop(channel: Channel): u32 {
  if (channel.filters === 0 || changetype<Filters>(channel.filters).parked === 0) return 0;
  let dropped: u32 = 0;
  for (let place: u32 = 0; place < parkedPlaces; place++) {
    if (parkedAtPlace(place).channel !== changetype<u32>(channel)) continue;
    parkedEnd(parkedAtPlace(place));
    dropped++;
  }
  parkedClose();
  return dropped;
}

/** A held event is held no more. */
export function parkedUnhold(node: u32): void {
  for (let place: u32 = 0; place < parkedPlaces; place++) {
    const parked = parkedAtPlace(place);
    if (parked.channel !== 0 && parked.held === node) parkedEnd(parked);
  }
}
