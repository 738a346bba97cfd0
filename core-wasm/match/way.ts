/**
 * The way of an event that waits: through the routes before the next decider, or to its end. Each event of a batch goes on
 * from where it stands, in the order in which the events came.
 */
import {
  CHANNEL_ECHO,
  EMPTY_DIVERT,
  EMPTY_DROP,
  EMPTY_HOLD,
  EXPLAINED_DECIDER,
  RECEIPT_ID_BYTES,
  RECEIPT_LIMIT,
  RECEIPT_RECORD_BYTES,
  RECEIPT_REFUSED,
  RECEIPT_SEQUENCE_LOW,
  RECEIPT_SINKS,
  RECEIPT_STATUS,
  RECEIPT_VALUE,
  RECEIPTS_OFFSET,
  RESULT_LIMIT,
  RESULT_VALUE,
  ROLE_SINK,
  STAGE_IN,
  STAGE_OUT,
  STATISTIC_REFUSED,
  STATUS_MAILBOX_FULL,
  STATUS_OK,
} from "../abi";
import { Channel } from "../channel/channel";
import { Member, pairWithRole } from "../channel/member";
import { eventTimeUs } from "../event/time";
import { viewAgain } from "../expression/view";
import { Filters, filtersIn, filtersOut, filtersSlots } from "../filter/bind";
import { candidatesClear } from "../filter/candidates";
import { HeldNode, heldBefore, heldPush, heldRemove } from "../filter/held";
import { NO_RECEIPT, Parked, parkedBits, STEP_IN, STEP_OUT, STEP_OWN_IN, STEP_OWN_OUT, STEPS } from "../filter/parked";
import { parkedEnd } from "../filter/parking";
import {
  SELECTED_ALL,
  SELECTED_BITS,
  selectionAdd,
  selectionBits,
  selectionClear,
  selectionCount,
  selectionFromCandidates,
  selectionToCandidates,
} from "../filter/selection";
import { Slots, slotMember, slotOf, slotWords } from "../filter/slots";
import {
  RUN,
  stageEnter,
  stagesAccept,
  stagesBegin,
  stagesEmpty,
  stagesFill,
  stagesFilled,
  stagesOwn,
  stagesOwnOut,
  stagesOwnReason,
  stagesOwnSinks,
  stepRun,
} from "../filter/stages";
import { Slab } from "../mailbox/records";
import { resultGet, resultStatus } from "../result";
import { statisticAdd } from "../statistics";
import { collectedAt, collectMatching } from "./collect";
import {
  channelPlain,
  fanBegin,
  fanEnd,
  fanMember,
  fanRefused,
  fanSinks,
  fanStore,
  rangeExtend,
  rangeSinks,
  refusedLimit,
} from "./fan-out";
import { divert } from "./publish";
import { fanOwn, fanRouted, heldFanBegin, heldFanEnd, heldStore, holdNote, outSinks } from "./routed";

/** The decider whose turn it is; 0: none is asked any more, and WAY_… says where the event goes. */
export let wayDecider: u32 = 0;
let wayEnd: u32 = 0;
const WAY_FAN: u32 = 0;
const WAY_HOLD: u32 = 1;
const WAY_DIVERT: u32 = 2;

/** Words of the bitmap of candidates, in the selection, that the decider is shown; 0: every sink is one. How many there are. */
export let wayWords: u32 = 0;
export let wayCandidates: u32 = 0;
/** SELECTED_… of the event under way. */
let selected: u32 = 0;

/** The stage of a step. */
export function stageOfStep(step: u32): u32 {
  return step < STEP_OWN_IN ? STAGE_OUT : STAGE_IN;
}

function deciderOfStep(filters: Filters, parked: Parked): u32 {
  const step = parked.step;
  if (step === STEP_OUT) return filters.deciderOut;
  if (step === STEP_IN) return filters.deciderIn;
  return step === STEP_OWN_OUT ? parked.deciderOut : parked.deciderIn;
}

function routesOfStep(channel: Channel, parked: Parked): u32 {
  const step = parked.step;
  if (step === STEP_OUT) return filtersOut(channel);
  if (step === STEP_IN) return filtersIn(channel);
  return step === STEP_OWN_OUT ? parked.routesOut : parked.routesIn;
}

/** Takes up an event where it stands, and walks; wayDecider is its next decider then. */
export function wayResume(parked: Parked): void {
  if (parked.selected === SELECTED_BITS) {
    const slots = filtersSlots(changetype<Channel>(parked.channel));
    memory.copy(selectionBits, parkedBits(parked), slotWords(slots) * 4);
  }
  walk(parked, parked.selected);
}

/** The same behind a decision; `selection`: SELECTED_…, of what is in the selection. */
export function wayDecided(parked: Parked, selection: u32): void {
  parked.step++;
  walk(parked, selection);
}

function walk(parked: Parked, selection: u32): void {
  const channel = changetype<Channel>(parked.channel);
  const filters = changetype<Filters>(channel.filters);
  begin(parked, channel, selection);
  wayDecider = 0;
  wayEnd = WAY_FAN;
  for (; parked.step < STEPS; parked.step++) {
    if (parked.step === STEP_OWN_IN && !enterIn(parked, channel, filters)) return;
    const decider = deciderOfStep(filters, parked);
    if (decider !== 0) {
      showCandidates(parked, channel);
      // As routes of IN, a decider there is not asked about an event that OUT has left nobody for.
      if (parked.step >= STEP_OWN_IN && wayCandidates === 0 && stagesOwnSinks() === 0) continue;
      wayDecider = decider;
      keep(parked);
      return;
    }
    const routes = routesOfStep(channel, parked);
    if (routes === 0) continue;
    if (selected === SELECTED_BITS && !stagesFilled) {
      selectionToCandidates(channel);
      stagesFill();
    }
    stepRun(routes, parked.step === STEP_OWN_OUT || parked.step === STEP_OWN_IN);
  }
}

function begin(parked: Parked, channel: Channel, selection: u32): void {
  selected = selection;
  viewAgain(parked.eventAt, parked.eventBytes, parked.shape, parked.learned, parked.scanned);
  stagesBegin(channel, parked.connection, parked.type, parked.sequence, RUN);
  if (parked.ownReason !== 0) stagesOwnOut(parked.ownReason);
  stageEnter(stageOfStep(parked.step));
}

/** Whether IN can leave out whom OUT has selected. */
function hasIn(filters: Filters, parked: Parked): bool {
  return (filters.in | filters.deciderIn | parked.routesIn | parked.deciderIn) !== 0;
}

/** From OUT to IN. Returns false where it goes no further. */
function enterIn(parked: Parked, channel: Channel, filters: Filters): bool {
  stageEnter(STAGE_IN);
  const isBits = selected === SELECTED_BITS && !stagesFilled;
  if (parked.receipt !== NO_RECEIPT && hasIn(filters, parked))
    parked.outSinks = isBits
      ? selectionCount(filtersSlots(channel)) + stagesOwnSinks()
      : outSinks(channel, parked.connection, parked.type);
  if (filters.empty === EMPTY_DROP && !isBits && !stagesFilled) return true;
  const nobody = isBits ? selectionCount(filtersSlots(channel)) === 0 : stagesEmpty();
  if (!nobody) return true;
  if (filters.empty === EMPTY_HOLD) wayEnd = WAY_HOLD;
  else if (filters.empty === EMPTY_DIVERT) wayEnd = WAY_DIVERT;
  else return stagesOwnSinks() !== 0;
  return false;
}

/** Finds whom the next decider may choose from. */
function showCandidates(parked: Parked, channel: Channel): void {
  const slots = filtersSlots(channel);
  wayWords = slotWords(slots);
  if (stagesFilled) {
    selectionFromCandidates(slots);
    selected = SELECTED_BITS;
  } else if (selected === SELECTED_ALL) {
    if (channel.selectiveSinks === 0 && pairWithRole(parked.connection, channel.number, ROLE_SINK) === 0) {
      wayWords = 0;
      wayCandidates = channel.sinks;
      return;
    }
    selectionClear(slots);
    wayCandidates = collectMatching(channel, parked.connection, parked.type);
    for (let i: u32 = 0; i < wayCandidates; i++)
      selectionAdd(slotOf(changetype<Member>(load<u32>(collectedAt + i * 4))));
    return;
  }
  wayCandidates = selectionCount(slots);
}

/** Notes where an event stands that cannot go on now. */
function keep(parked: Parked): void {
  if (!stagesOwn) parked.ownReason = stagesOwnReason;
  // A decider may take its time, and keys that come again meanwhile are duplicates: they are remembered now.
  stagesAccept(1);
  if (selected === SELECTED_ALL && !stagesFilled) return;
  const slots = filtersSlots(changetype<Channel>(parked.channel));
  if (stagesFilled && wayDecider === 0) selectionFromCandidates(slots);
  parked.selected = SELECTED_BITS;
  memory.copy(parkedBits(parked), selectionBits, slotWords(slots) * 4);
}

/** Keeps an event back that is at the end of its way, because one before it is not. */
export function wayKeep(parked: Parked): void {
  keep(parked);
}

/** An event for nobody, own sinks included. */
export function wayDropped(parked: Parked): void {
  parked.step = STEPS;
  begin(parked, changetype<Channel>(parked.channel), SELECTED_ALL);
  candidatesClear();
  stagesFill();
  stagesOwnOut(EXPLAINED_DECIDER);
  wayEnd = WAY_FAN;
  conclude(parked);
}

/** An event that goes to where the channel diverts to. */
export function wayDiverted(parked: Parked): void {
  begin(parked, changetype<Channel>(parked.channel), SELECTED_ALL);
  wayEnd = WAY_DIVERT;
  conclude(parked);
}

/** Ends the way of an event that wayResume() or wayDecided() has brought to its end. */
export function wayConclude(parked: Parked): void {
  conclude(parked);
}

function conclude(parked: Parked): void {
  const channel = changetype<Channel>(parked.channel);
  if (parked.held !== 0) concludeHeld(parked, channel);
  else if (wayEnd === WAY_FAN && followsOn(parked, channel)) concludeRange(parked, channel);
  else concludeOne(parked, channel);
  parkedEnd(parked);
}

/** Whether it may be fanned out together with its neighbours: as if there were no filters. */
function followsOn(parked: Parked, channel: Channel): bool {
  if (selected !== SELECTED_ALL || stagesFilled || !stagesOwn || parked.metas !== 0) return false;
  if ((filtersOut(channel) | filtersIn(channel) | parked.routesOut | parked.routesIn) !== 0) return false;
  return channelPlain(channel) && channel.selectiveSinks === 0;
}

function concludeRange(parked: Parked, channel: Channel): void {
  const slab = changetype<Slab>(parked.slab);
  rangeExtend(channel, parked.connection, slab, parked.at, parked.bytes, 0, parked.deadline, false);
  if (parked.receipt !== NO_RECEIPT) receiptWrite(parked, STATUS_OK, rangeSinks(channel, parked.connection), 0);
}

function concludeOne(parked: Parked, channel: Channel): void {
  const slab = changetype<Slab>(parked.slab);
  fanBegin(slab, parked.at, parked.bytes, parked.metaFirst, parked.metas, parked.deadline);
  let status = STATUS_OK;
  if (wayEnd === WAY_HOLD) status = hold(parked, channel, slab);
  else if (wayEnd === WAY_FAN) fanSelected(parked, channel);
  if (fanSinks !== 0 && fanRefused === fanSinks) status = resultStatus(STATUS_MAILBOX_FULL, parked.bytes, refusedLimit);
  if (status === STATUS_OK) {
    stagesAccept(fanSinks);
    fanStore(channel);
  } else {
    statisticAdd(STATISTIC_REFUSED, 1);
  }
  fanEnd();
  receiptWrite(parked, status, max(parked.outSinks, fanSinks), fanRefused);
  if (wayEnd === WAY_DIVERT) divert(channel, parked.connection, parked.at, parked.acceptedMs, false, parked.diverts);
}

function fanSelected(parked: Parked, channel: Channel): void {
  if (stagesFilled || selected === SELECTED_ALL) return fanRouted(channel, parked.connection, parked.type);
  fanSlots(channel, filtersSlots(channel));
  if (stagesOwn && (channel.flags & CHANNEL_ECHO) !== 0) fanOwn(channel, parked.connection, parked.type);
}

function fanSlots(channel: Channel, slots: Slots): void {
  for (let i: u32 = 0; i < slotWords(slots); i++) {
    for (let bits = load<u32>(selectionBits + i * 4); bits !== 0; bits &= bits - 1)
      fanMember(channel, changetype<Member>(slotMember(slots, i * 32 + <u32>ctz<u32>(bits))));
  }
}

function hold(parked: Parked, channel: Channel, slab: Slab): u32 {
  const node = heldPush(
    channel,
    parked.at,
    parked.bytes,
    parked.routesOut,
    parked.routesIn,
    parked.deciderOut,
    parked.deciderIn,
  );
  return holdNote(channel, node, parked.connection, slab, parked.metaFirst, parked.metas, parked.deadline);
}

/** A held event that has been decided anew: it leaves for its sinks, or stays. A word to drop it ends its waiting. */
function concludeHeld(parked: Parked, channel: Channel): void {
  const address = parked.held;
  const node = changetype<HeldNode>(address);
  node.parked = 0;
  if (wayEnd !== WAY_FAN) return;
  if (!heldStore(channel, node, eventTimeUs(parked.eventAt, parked.eventBytes, 0))) return;
  heldFanBegin(node);
  fanSelected(parked, channel);
  if (heldFanEnd(channel, node)) heldRemove(channel, heldBefore(channel, address), address);
}

function receiptWrite(parked: Parked, status: u32, sinks: u32, refused: u32): void {
  if (parked.receipt === NO_RECEIPT) return;
  const receipt = RECEIPTS_OFFSET + parked.receipt * RECEIPT_RECORD_BYTES;
  const ok = status === STATUS_OK;
  store<u32>(receipt + RECEIPT_SINKS * 4, ok ? sinks : 0);
  store<u32>(receipt + RECEIPT_REFUSED * 4, ok ? refused : 0);
  if (ok) return;
  // As if it had been refused at once.
  store<u32>(receipt + RECEIPT_STATUS * 4, status);
  store<u64>(receipt + RECEIPT_SEQUENCE_LOW * 4, 0);
  store<u32>(receipt + RECEIPT_VALUE * 4, resultGet(RESULT_VALUE));
  store<u32>(receipt + RECEIPT_LIMIT * 4, resultGet(RESULT_LIMIT));
  store<u32>(receipt + RECEIPT_ID_BYTES * 4, 0);
}
