/**
 * Batches: events that wait for the same decider are presented to the host as one block of records, and its words are carried
 * out in their order. JavaScript stands between core and module, so a module that traps never unwinds through here.
 */
import {
  DECIDE_EVENTS_MAX,
  DECIDE_OFFSET,
  DECIDE_RECORDS_BYTES,
  DECIDE_RECORDS_OFFSET,
  DECIDE_WORDS_OFFSET,
  RESULT_INDEX,
  STATUS_DECISION,
  STATUS_OK,
} from "../abi";
import { Channel } from "../channel/channel";
import {
  stageOfStep,
  wayCandidates,
  wayConclude,
  wayDecided,
  wayDecider,
  wayDiverted,
  wayDropped,
  wayKeep,
  wayResume,
  wayWords,
} from "../match/way";
import { resultSet, resultStatus } from "../result";
import {
  BATCH_CHANGED,
  BATCH_CHANGED_AT,
  BATCH_CHANNEL,
  BATCH_DECIDER,
  BATCH_EVENTS,
  BATCH_OWN,
  BATCH_RECORDS_AT,
  BATCH_RECORDS_BYTES,
  BATCH_SINKS,
  BATCH_STAGE,
  BATCH_TABLE_AT,
  BATCH_TABLE_BYTES,
  DECIDER_DROPPED,
  DECIDER_EVENTS,
  DECIDER_SINKS_IN,
  DECIDER_SINKS_OUT,
  DECISION_ALL,
  DECISION_DIVERT,
  DECISION_DROP,
  DECISION_NONE,
  RECORD_BYTES_MAX,
  RECORD_CANDIDATES,
  RECORD_CANDIDATES_AT,
} from "./abi";
import { filtersSlots } from "./bind";
import { Decider, deciderCount, deciderInterned, deciderTable } from "./decider";
import { recordWrite } from "./event-record";
import {
  Parked,
  parkedAtPlace,
  parkedChanges,
  parkedClose,
  parkedEvents,
  parkedPlaces,
  STEP_IN,
  STEP_OUT,
} from "./parked";
import { SELECTED_ALL, SELECTED_BITS, selectionBits, selectionCount } from "./selection";
import { tableBytes, tableShow, tableWrite } from "./sink-table";
import { slotWords } from "./slots";
import { VERDICT_WRONG, verdictRead } from "./verdict";

/** Per event of the batch: u32 place, u32 address of its record. */
const eventsAt: u32 = <u32>memory.data(2048);
if (DECIDE_EVENTS_MAX * 8 !== 2048) ERROR("eventsAt has not room for a batch");
let events: u32 = 0;
let decider: u32 = 0;
let step: u32 = 0;
/** parkedChanges of when it was presented: places are those of then. */
let changes: u32 = 0;

/** Forgets the batch. */
export function batchInit(): void {
  events = 0;
}

/** Presents the next batch in DECIDE; returns its events, 0 where nothing waits for a decider. */
export function batchNext(): u32 {
  while (parkedEvents() !== 0) {
    gather();
    if (events !== 0) {
      headWrite(changetype<Decider>(decider), step, events, false);
      return events;
    }
    parkedClose();
  }
  store<u32>(DECIDE_OFFSET + BATCH_EVENTS * 4, 0);
  return 0;
}

/** Takes events up to their next decider, in their order, as long as that is the same one and there is room. */
function gather(): void {
  events = 0;
  let at = DECIDE_RECORDS_OFFSET;
  let first: u32 = 0;
  // Events that are diverted meanwhile come later.
  const places = parkedPlaces;
  for (let place: u32 = 0; place < places; place++) {
    const parked = parkedAtPlace(place);
    if (parked.channel === 0 || (events !== 0 && !alike(parked, changetype<Parked>(first)))) continue;
    const isFull = at + RECORD_BYTES_MAX > DECIDE_RECORDS_OFFSET + DECIDE_RECORDS_BYTES;
    if (events === DECIDE_EVENTS_MAX || isFull) break;
    wayResume(parked);
    if (wayDecider === 0) {
      // It must not come before those that are asked about.
      if (events !== 0) {
        wayKeep(parked);
        break;
      }
      wayConclude(parked);
      continue;
    }
    if (events === 0) {
      first = changetype<u32>(parked);
      decider = wayDecider;
      step = parked.step;
    } else if (wayDecider !== decider || parked.step !== step) {
      break;
    }
    store<u32>(eventsAt + events * 8, place);
    store<u32>(eventsAt + events * 8, at, 4);
    const identity = eventIdentity(changetype<Channel>(parked.channel), parked.sequence);
    at += recordWrite(at, changetype<Decider>(decider), identity, selectionBits, wayWords, wayCandidates);
    events++;
  }
  changes = parkedChanges;
  store<u32>(DECIDE_OFFSET + BATCH_RECORDS_BYTES * 4, at - DECIDE_RECORDS_OFFSET);
}

/** What makes an event another one than any other of this core, where it has no id. */
export function eventIdentity(channel: Channel, sequence: u64): u64 {
  return ((<u64>channel.number) << 40) ^ sequence;
}

/** Whether two events have the same filters before them. */
function alike(a: Parked, b: Parked): bool {
  if (a.channel !== b.channel || a.deciderOut !== b.deciderOut || a.deciderIn !== b.deciderIn) return false;
  return a.routesOut === b.routesOut && a.routesIn === b.routesIn;
}

/**
 * Presents the event of the view alone, as batchNext() would, to be decided by somebody else than the decider: what waits, and
 * what the decider has yet to be told of the table, stay as they are. Between batches only.
 *
 * @param at Step at which it is asked: STEP_….
 * @param words Of the candidates in the selection; 0: every sink is one.
 */
export function batchShow(asked: Decider, at: u32, identity: u64, words: u32, candidates: u32): void {
  const bytes = recordWrite(DECIDE_RECORDS_OFFSET, asked, identity, selectionBits, words, candidates);
  store<u32>(DECIDE_OFFSET + BATCH_RECORDS_BYTES * 4, bytes);
  headWrite(asked, at, 1, true);
}

function headWrite(asked: Decider, at: u32, count: u32, shown: bool): void {
  const channel = changetype<Channel>(asked.channel);
  const slots = filtersSlots(channel);
  const table = deciderTable(asked);
  if (shown) tableShow(table, slots, asked.columnsAt, deciderInterned(asked));
  else tableWrite(table, slots, asked.columnsAt, deciderInterned(asked));
  store<u32>(DECIDE_OFFSET + BATCH_EVENTS * 4, count);
  store<u32>(DECIDE_OFFSET + BATCH_CHANNEL * 4, channel.number);
  store<u32>(DECIDE_OFFSET + BATCH_STAGE * 4, stageOfStep(at));
  store<u32>(DECIDE_OFFSET + BATCH_DECIDER * 4, changetype<u32>(asked));
  store<u32>(DECIDE_OFFSET + BATCH_OWN * 4, at === STEP_OUT || at === STEP_IN ? 0 : 1);
  store<u32>(DECIDE_OFFSET + BATCH_RECORDS_AT * 4, DECIDE_RECORDS_OFFSET);
  store<u32>(DECIDE_OFFSET + BATCH_SINKS * 4, slots.high);
  store<u32>(DECIDE_OFFSET + BATCH_TABLE_AT * 4, table.imageAt);
  store<u32>(DECIDE_OFFSET + BATCH_TABLE_BYTES * 4, tableBytes(table, slots));
  store<u32>(DECIDE_OFFSET + BATCH_CHANGED_AT * 4, table.changedAt);
  store<u32>(DECIDE_OFFSET + BATCH_CHANGED * 4, table.changed);
}

/** Carries out words, in order, up to the first that is missing or wrong. Returns a status; RESULT_INDEX says which. */
export function batchDecide(words: u32): u32 {
  const batch = events;
  events = 0;
  resultSet(RESULT_INDEX, 0);
  // Somebody came or went: the batch is presented anew.
  if (batch === 0 || changes !== parkedChanges) return STATUS_OK;
  let status = STATUS_OK;
  for (let i: u32 = 0; i < batch; i++) {
    const parked = parkedAtPlace(load<u32>(eventsAt + i * 8));
    if (carryOut(parked, i, batch, words, load<u32>(eventsAt + i * 8, 4))) continue;
    const word = i < words ? load<u32>(DECIDE_WORDS_OFFSET + i * 4) : DECISION_NONE;
    status = resultStatus(STATUS_DECISION, word, 0);
    resultSet(RESULT_INDEX, i);
    break;
  }
  parkedClose();
  return status;
}

/** Carries out the word of one event; false where there is none, or it is wrong. */
function carryOut(parked: Parked, index: u32, batch: u32, words: u32, record: u32): bool {
  const slots = filtersSlots(changetype<Channel>(parked.channel));
  const verdict = verdictRead(index, batch, words, record, slots);
  if (verdict === VERDICT_WRONG) return false;
  const asked = changetype<Decider>(decider);
  const stage = stageOfStep(step);
  const candidates = load<u32>(record + RECORD_CANDIDATES);
  let left: u32 = 0;
  let selected = SELECTED_ALL;
  if (verdict === DECISION_ALL) {
    left = candidates;
    const offset = load<u32>(record + RECORD_CANDIDATES_AT);
    if (offset !== 0) {
      selected = SELECTED_BITS;
      memory.copy(selectionBits, record + offset, slotWords(slots) * 4);
    }
  } else if (verdict !== DECISION_DROP && verdict !== DECISION_DIVERT) {
    selected = SELECTED_BITS;
    left = selectionCount(slots);
  }
  deciderCount(asked, stage, DECIDER_EVENTS, 1);
  deciderCount(asked, stage, DECIDER_SINKS_IN, candidates);
  deciderCount(asked, stage, DECIDER_SINKS_OUT, left);
  if (left === 0) deciderCount(asked, stage, DECIDER_DROPPED, 1);
  if (verdict === DECISION_DROP) {
    wayDropped(parked);
  } else if (verdict === DECISION_DIVERT) {
    wayDiverted(parked);
  } else {
    wayDecided(parked, selected);
    if (wayDecider === 0) wayConclude(parked);
  }
  return true;
}
