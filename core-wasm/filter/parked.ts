/**
 * Events that wait for a decider: stored and sequenced, with how far they have come on their way through the filters. All
 * channels share the room. What a decider sees of an event is written when it is asked, so nothing in that is stale.
 *
 *   array     Parked │ Parked │ …       in the order in which they came
 *   bitmaps   512 B  │ 512 B  │ …       whom earlier filters have left, where they have narrowed it
 */
import { DECIDE_EVENTS_MAX, SLAB_BYTES } from "../abi";
import { Channel } from "../channel/channel";
import { heapTake } from "../memory/heap";
import { Filters } from "./bind";
import { SELECTED_ALL } from "./selection";
import { SLOT_BITS_BYTES } from "./slots";

/** One event that waits. */
@unmanaged
export class Parked {
  sequence: u64;
  deadline: f64;
  /** When it came in, ms. */
  acceptedMs: f64;
  /** Address of the Channel, 0: it is done with. */
  channel: u32;
  /** Its entry, and the Slab of that, 0: it is a held one (held.ts). */
  slab: u32;
  at: u32;
  bytes: u32;
  eventAt: u32;
  eventBytes: u32;
  /** The shape that its first so many bytes have, as it was then. */
  shape: u32;
  learned: u32;
  scanned: u32;
  metaFirst: u32;
  metas: u32;
  /** Index in RECEIPTS, or NO_RECEIPT. */
  receipt: u32;
  connection: u32;
  /** Number of its type among those that filters name. */
  type: u32;
  /** Address of the HeldNode, 0: it is none. */
  held: u32;
  /** The next of its filters, STEP_…, and whom those before it have left, SELECTED_…. */
  step: u32;
  selected: u32;
  /** EXPLAINED_… of why own sinks do not get it, 0: they do. */
  ownReason: u32;
  /** Channels that it was diverted to so far. */
  diverts: u32;
  /** What its source carries, 0: nothing. */
  routesOut: u32;
  routesIn: u32;
  deciderOut: u32;
  deciderIn: u32;
  /** Sinks that OUT has selected, where IN may leave some of them out and a receipt is asked for; else 0. */
  outSinks: u32;
}
const PARKED_BYTES: u32 = offsetof<Parked>();

/** The filters of an event in their order: what its source carries, then the channel's, first for OUT. */
export const STEP_OWN_OUT: u32 = 0;
export const STEP_OUT: u32 = 1;
export const STEP_OWN_IN: u32 = 2;
export const STEP_IN: u32 = 3;
export const STEPS: u32 = 4;

/** No record of RECEIPTS waits for the decision. */
export const NO_RECEIPT: u32 = 0xffffffff;
/** Room beyond a full batch: what is diverted while a batch is carried out waits, too. */
const CAPACITY: u32 = DECIDE_EVENTS_MAX * 2;

let parkedAt: u32 = 0;
let bitsAt: u32 = 0;
/** Places in use; those of events that are done with are among them. */
export let parkedPlaces: u32 = 0;
let live: u32 = 0;
let bytesParked: u32 = 0;
/** Counts what makes a batch that was presented another one. */
export let parkedChanges: u32 = 0;

/** Forgets all events, and the room for them. */
export function parkedInit(): void {
  parkedAt = bitsAt = parkedPlaces = live = bytesParked = 0;
}

/** Makes room, once. Returns false where memory is used up. */
export function parkedReserve(): bool {
  if (parkedAt === 0) parkedAt = heapTake(CAPACITY * PARKED_BYTES);
  if (bitsAt === 0) bitsAt = heapTake(CAPACITY * SLOT_BITS_BYTES);
  return parkedAt !== 0 && bitsAt !== 0;
}

/** The event at a place. */
export function parkedAtPlace(place: u32): Parked {
  return changetype<Parked>(parkedAt + place * PARKED_BYTES);
}

/** Its bitmap of slots. */
export function parkedBits(parked: Parked): u32 {
  return bitsAt + ((changetype<u32>(parked) - parkedAt) / PARKED_BYTES) * SLOT_BITS_BYTES;
}

/** Events that wait. */
export function parkedEvents(): u32 {
  return live;
}

/** Whether events must be decided before another one may wait. */
export function parkedFull(): bool {
  return parkedPlaces >= DECIDE_EVENTS_MAX || bytesParked >= SLAB_BYTES;
}

/** Takes a place; the caller sets entry and event. There is one: only diverted events come where parkedFull() holds. */
export function parkedTake(channel: Channel, bytes: u32): Parked {
  const parked = parkedAtPlace(parkedPlaces++);
  memory.fill(changetype<u32>(parked), 0, PARKED_BYTES);
  parked.channel = changetype<u32>(channel);
  parked.bytes = bytes;
  parked.selected = SELECTED_ALL;
  parked.receipt = NO_RECEIPT;
  changetype<Filters>(channel.filters).parked++;
  live++;
  bytesParked += bytes;
  return parked;
}

/** Gives a place back, which is free after parkedClose(). */
export function parkedGive(parked: Parked): void {
  changetype<Filters>(changetype<Channel>(parked.channel).filters).parked--;
  parked.channel = 0;
  live--;
  bytesParked -= parked.bytes;
}

/** Whether there is a place, even for a diverted event. */
export function parkedRoom(): bool {
  return parkedPlaces < CAPACITY;
}

/** Closes the gaps. */
export function parkedClose(): void {
  parkedChanges++;
  let to: u32 = 0;
  for (let place: u32 = 0; place < parkedPlaces; place++) {
    const parked = parkedAtPlace(place);
    if (parked.channel === 0) continue;
    if (to !== place) {
      memory.copy(changetype<u32>(parkedAtPlace(to)), changetype<u32>(parked), PARKED_BYTES);
      if (parked.selected !== SELECTED_ALL)
        memory.copy(bitsAt + to * SLOT_BITS_BYTES, bitsAt + place * SLOT_BITS_BYTES, SLOT_BITS_BYTES);
    }
    to++;
  }
  parkedPlaces = to;
}

/** A slot of a channel has another sink, or none: nobody has selected that one. */
export function parkedForget(channel: Channel, slot: u32): void {
  parkedChanges++;
  if (changetype<Filters>(channel.filters).parked === 0) return;
  for (let place: u32 = 0; place < parkedPlaces; place++) {
    const parked = parkedAtPlace(place);
    if (parked.channel !== changetype<u32>(channel) || parked.selected === SELECTED_ALL) continue;
    const word = parkedBits(parked) + (slot >> 5) * 4;
    store<u32>(word, load<u32>(word) & ~((<u32>1) << (slot & 31)));
  }
}
