/** Outboxes that go on: events that waited for a blocking inbox take the way they would have taken at once. */
import { STATISTIC_REFUSED, STATUS_OK, STATUS_STORE_FULL } from "../abi";
import { Channel } from "../channel/channel";
import { Member } from "../channel/member";
import { scanEvent } from "../event/scan";
import { Filters } from "../filter/bind";
import { NO_RECEIPT, parkedFull } from "../filter/parked";
import { connectionFind } from "../session/connection";
import { statisticAdd } from "../statistics";
import { rangeFlush } from "./fan-out";
import { memberFree } from "./free";
import { NODE_BYTES, OutboxNode, outboxList, outboxShift, outboxUnlistFirst } from "./outbox";
import { creditSpend, dispatch } from "./publish";

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

/** Lets the outboxes of a channel go on while nothing blocks it. */
export function outboxesPump(channel: Channel): void {
  while (channel.outboxes !== 0 && channel.blockedBy === 0) {
    if (channel.parks !== 0 && parkedFull()) {
      pumpLater(channel);
      break;
    }
    const source = changetype<Member>(channel.outboxes);
    const address = source.outboxHead;
    const node = changetype<OutboxNode>(address);
    if (node.cancelled === 0) {
      scanEvent(address + NODE_BYTES, node.bytes);
      const status = dispatch(
        channel,
        node.connection,
        changetype<u32>(source),
        0,
        0,
        address + NODE_BYTES,
        node.bytes,
        node.acceptedMs,
        NO_RECEIPT,
      );
      if (status === STATUS_STORE_FULL) break;
      // Every sink refused it meanwhile: it was accepted, so at least it is counted.
      if (status !== STATUS_OK) statisticAdd(STATISTIC_REFUSED, 1);
    }
    const connection = connectionFind(source.connection);
    if (connection !== null) creditSpend(connection, source, 1, node.bytes);
    outboxShift(source);
    // Sources take turns, event by event.
    outboxUnlistFirst(channel);
    if (source.outboxEvents !== 0) outboxList(channel, source);
    else if (source.connection === 0) memberFree(source);
  }
  rangeFlush();
}
