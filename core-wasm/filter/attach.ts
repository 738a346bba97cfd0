/**
 * What ties deciders to channels. A channel with deciders gives its sinks slots, and each decider its table of them; both go
 * with the last one. An event that waits holds what it waits for, so a source may leave before its events are decided.
 */
import { STAGE_IN, STAGE_OUT, STATUS_DECIDER_SINKS, STATUS_LIMIT, STATUS_OK, STATUS_STORE_FULL } from "../abi";
import { Channel } from "../channel/channel";
import { Live, liveTake } from "../channel/live";
import { Member } from "../channel/member";
import { resultStatus } from "../result";
import { DECIDER_SINKS_MAX, DECIDERS_MAX } from "./abi";
import { carriesMark, channelBind, Filters, filtersTake } from "./bind";
import { candidatesReserve } from "./candidates";
import { Decider, deciderInterned, deciderLeave, deciderTable } from "./decider";
import { internedFind } from "./interned";
import { parkedForget, parkedReserve } from "./parked";
import { tableFree, tableMark, tableReserve } from "./sink-table";
import { Slots, slotGive, slotMember, slotOf, slotsFree, slotsNew, slotTake } from "./slots";

/** Notes one more use of a decider by something of a channel. Returns a status. */
export function attach(decider: Decider, channel: Channel): u32 {
  if (decider.bindings === 0) {
    const status = settle(decider, channel);
    if (status !== STATUS_OK) return status;
  } else if (decider.channel !== changetype<u32>(channel)) {
    return resultStatus(STATUS_LIMIT, 2, 1);
  }
  decider.references++;
  decider.bindings++;
  return STATUS_OK;
}

/** Makes a channel the one of a decider that has none. */
function settle(decider: Decider, channel: Channel): u32 {
  const address = filtersTake(channel);
  if (channel.sinks > DECIDER_SINKS_MAX) return resultStatus(STATUS_DECIDER_SINKS, channel.sinks, DECIDER_SINKS_MAX);
  if (address === 0 || !candidatesReserve(channel.sinks + 1) || !parkedReserve())
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  const filters = changetype<Filters>(address);
  if (filters.deciderCount === DECIDERS_MAX) return resultStatus(STATUS_LIMIT, DECIDERS_MAX + 1, DECIDERS_MAX);
  if (filters.slots === 0) filters.slots = slotsNew(channel);
  if (filters.slots === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  const slots = changetype<Slots>(filters.slots);
  const table = deciderTable(decider);
  if (!tableReserve(table, slots.high)) {
    parksMark(channel);
    return resultStatus(STATUS_STORE_FULL, 0, 0);
  }
  for (let slot: u32 = 0; slot < slots.high; slot++) tableMark(table, slot);
  decider.channel = changetype<u32>(channel);
  decider.next = filters.deciders;
  filters.deciders = changetype<u32>(decider);
  filters.deciderCount++;
  channelTextFind(decider);
  parksMark(channel);
  return STATUS_OK;
}

/** Finds the number of the name of a decider's channel. */
export function channelTextFind(decider: Decider): void {
  if (decider.channel === 0) return;
  const channel = changetype<Channel>(decider.channel);
  decider.channelText = internedFind(deciderInterned(decider), channel.nameAt, channel.nameBytes);
}

/** Ends a use that attach() noted; 0 is none. */
export function detach(address: u32): void {
  if (address === 0) return;
  const decider = changetype<Decider>(address);
  if (--decider.bindings === 0) {
    const channel = changetype<Channel>(decider.channel);
    const filters = changetype<Filters>(channel.filters);
    if (filters.deciders === address) {
      filters.deciders = decider.next;
    } else {
      let before = changetype<Decider>(filters.deciders);
      while (before.next !== address) before = changetype<Decider>(before.next);
      before.next = decider.next;
    }
    filters.deciderCount--;
    decider.channel = decider.next = decider.channelText = 0;
    tableFree(deciderTable(decider));
    parksMark(channel);
  }
  deciderLeave(decider);
}

/** Marks a channel whose events have to wait, and frees the slots of one that nobody knows them of any more. */
export function parksMark(channel: Channel): void {
  const filters = changetype<Filters>(channel.filters);
  channel.parks = (filters.deciders | filters.parked) !== 0 ? 1 : 0;
  if (channel.parks !== 0 || filters.slots === 0) return;
  slotsFree(filters.slots);
  filters.slots = 0;
}

/** Binds a decider to a stage of a channel, in place of routes and of the one before; 0: none. Returns a status. */
export function channelDecide(channel: Channel, stage: u32, decider: u32): u32 {
  if (stage > STAGE_IN) return resultStatus(STATUS_LIMIT, stage, STAGE_IN);
  if (decider !== 0) {
    const status = attach(changetype<Decider>(decider), channel);
    if (status !== STATUS_OK) return status;
    channelBind(channel, stage, 0);
  } else if (channel.filters === 0) {
    return STATUS_OK;
  }
  const filters = changetype<Filters>(channel.filters);
  const before = stage === STAGE_OUT ? filters.deciderOut : filters.deciderIn;
  if (stage === STAGE_OUT) filters.deciderOut = decider;
  else filters.deciderIn = decider;
  detach(before);
  return STATUS_OK;
}

/** Has a source carry a decider for its own events; as channelDecide(). */
export function memberDecide(member: Member, channel: Channel, stage: u32, decider: u32): u32 {
  if (stage > STAGE_IN) return resultStatus(STATUS_LIMIT, stage, STAGE_IN);
  const address = liveTake(member);
  if (address === 0) return resultStatus(STATUS_STORE_FULL, 0, 0);
  if (decider !== 0) {
    const status = attach(changetype<Decider>(decider), channel);
    if (status !== STATUS_OK) return status;
  }
  const live = changetype<Live>(address);
  const before = stage === STAGE_OUT ? live.deciderOut : live.deciderIn;
  if (stage === STAGE_OUT) live.deciderOut = decider;
  else live.deciderIn = decider;
  carriesMark(member, live);
  detach(before);
  return STATUS_OK;
}

/** Whether a channel has as many sinks as a module may see. */
export function slotsFull(channel: Channel): bool {
  return channel.parks !== 0 && channel.sinks >= DECIDER_SINKS_MAX;
}

/** A sink has joined: it gets a slot, and a row in every table. Returns false where memory is used up. */
export function slotsJoin(channel: Channel, member: Member): bool {
  const filters = changetype<Filters>(channel.filters);
  if (filters.slots === 0) return true;
  const slots = changetype<Slots>(filters.slots);
  if (!slotTake(slots, member)) return false;
  for (let at = filters.deciders; at !== 0; at = changetype<Decider>(at).next) {
    if (tableReserve(deciderTable(changetype<Decider>(at)), slots.high)) continue;
    slotGive(slots, slotOf(member));
    return false;
  }
  slotMark(filters, slotOf(member));
  parkedForget(channel, slotOf(member));
  return true;
}

/** A sink leaves. */
export function slotsLeave(channel: Channel, member: Member): void {
  if (!hasSlot(channel, member)) return;
  const filters = changetype<Filters>(channel.filters);
  slotMark(filters, slotOf(member));
  slotGive(changetype<Slots>(filters.slots), slotOf(member));
  parkedForget(channel, slotOf(member));
}

/** A sink's attributes have changed. */
export function slotsUpdate(member: Member): void {
  const channel = changetype<Channel>(member.channelAt);
  if (hasSlot(channel, member)) slotMark(changetype<Filters>(channel.filters), slotOf(member));
}

function hasSlot(channel: Channel, member: Member): bool {
  if (channel.filters === 0) return false;
  const slots = changetype<Filters>(channel.filters).slots;
  if (slots === 0 || member.live === 0 || slotOf(member) >= changetype<Slots>(slots).high) return false;
  return slotMember(changetype<Slots>(slots), slotOf(member)) === changetype<u32>(member);
}

function slotMark(filters: Filters, slot: u32): void {
  for (let at = filters.deciders; at !== 0; at = changetype<Decider>(at).next)
    tableMark(deciderTable(changetype<Decider>(at)), slot);
}
