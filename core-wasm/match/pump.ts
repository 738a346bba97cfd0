/** Outboxes that go on: events that waited take the way that they would have taken at once. */
import { STATISTIC_REFUSED, STATUS_OK, STATUS_STORE_FULL } from "../abi";
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { entryEvent, entryEventBytes } from "../event/entry";
import { scanEvent } from "../event/scan";
import { Filters } from "../filter/bind";
import { NO_RECEIPT, parkedFull } from "../filter/parked";
import { Run } from "../mailbox/records";
import { connectionFind } from "../session/connection";
import { statisticAdd } from "../statistics";
import { creditSpend } from "./credit";
import { rangeFlush } from "./fan-out";
import { memberFree } from "./free";
import { outboxFirst, outboxHeld, outboxList, outboxRemove, outboxUnlist, Parcel } from "./outbox";
import { dispatch } from "./publish";

/** Channels whose outboxes wait for a batch to be decided (list through Filters.nextPump). */
let waiting: u32 = 0;

/** Forgets them. */
export function pumpInit(): void {
  waiting = 0;
}

function pumpLater(channel: Channel): void {
  const filters = changetype<Filters>(channel.filters);
  if (filters.pump !== 0) return;
  filters.pump = 1;
  filters.nextPump = waiting;
  waiting = channel.filters;
}

/** A channel ends, whose filters these are. */
export function pumpForget(address: u32): void {
  if (address === 0 || changetype<Filters>(address).pump === 0) return;
  if (waiting === address) waiting = changetype<Filters>(address).nextPump;
  for (let at = waiting; at !== 0; at = changetype<Filters>(at).nextPump) {
    const next = changetype<Filters>(at).nextPump;
    if (next === address) changetype<Filters>(at).nextPump = changetype<Filters>(next).nextPump;
  }
}

/** Lets all of them go on, as far as there is room now. */
export function pumpWaiting(): void {
  for (let at = waiting; at !== 0 && !parkedFull(); at = waiting) {
    const filters = changetype<Filters>(at);
    waiting = filters.nextPump;
    filters.pump = 0;
    outboxesPump(changetype<Channel>(filters.channel));
  }
}

/** Lets the outboxes of a channel go on while nothing blocks it, but for those that are held. */
export function outboxesPump(channel: Channel): void {
  // The first one that is held: who comes upon it again has been round.
  let round: u32 = 0;
  let moved = false;
  while (channel.outboxes !== 0 && channel.blockedBy === 0) {
    if (channel.parks !== 0 && parkedFull()) {
      pumpLater(channel);
      break;
    }
    const source = changetype<Member>(channel.outboxes);
    if (outboxHeld(source)) {
      if (round === channel.outboxes && !moved) break;
      if (round === 0) round = channel.outboxes;
      if (round === channel.outboxes) moved = false;
      turn(channel, source);
      continue;
    }
    const run = changetype<Run>(outboxFirst(source));
    const parcel = changetype<Parcel>(run.slab);
    const at = entryEvent(run.at);
    const bytes = entryEventBytes;
    scanEvent(at, bytes);
    const from = parcel.connection;
    const status = dispatch(channel, from, changetype<u32>(source), 0, 0, at, bytes, parcel.acceptedMs, NO_RECEIPT);
    if (status === STATUS_STORE_FULL) break;
    moved = true;
    // Every sink refused it meanwhile: it was accepted, so at least it is counted.
    if (status !== STATUS_OK) statisticAdd(STATISTIC_REFUSED, 1);
    const spends = parcel.spends;
    const last = source.outboxEvents === 1;
    // Sources take turns, event by event.
    if (!last) turn(channel, source);
    outboxRemove(source, channel, run);
    const connection = connectionFind(source.connection);
    if (connection !== null) creditSpend(connection, source, 1, spends);
    else if (last) memberFree(source);
  }
  rangeFlush();
}

/** Puts the first source of a channel's list at its end. */
function turn(channel: Channel, source: Member): void {
  if (source.nextOutbox === 0) return;
  outboxUnlist(channel, source);
  outboxList(channel, source);
}
