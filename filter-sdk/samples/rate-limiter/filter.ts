/**
 * At most so many events a second reach each sink, in bursts of at most so many: a bucket of tokens for each slot. Urgent events,
 * priority 8 and above, are not counted.
 */
import { Config, Decision, Event, now, Sinks, StateReader, StateWriter } from "sluice/filter";

const URGENT = 8;
const SINKS_MAX = 4096;

let perSecond: f64 = 10;
let burst: f64 = 10;

const tokens = new StaticArray<f64>(SINKS_MAX);
const filledAtMs = new StaticArray<f64>(SINKS_MAX);
/** Whose bucket it is: slots are taken again by later sinks. */
const owners = new StaticArray<u32>(SINKS_MAX);

export function init(config: Config): void {
  perSecond = config.number("perSecond", perSecond);
  burst = max(config.number("burst", perSecond), 1);
}

export function filterOut(event: Event, sinks: Sinks, decision: Decision): void {
  if (event.priority >= URGENT) return;
  const time = now();
  decision.none();
  for (let slot = event.nextCandidate(-1); slot !== -1; slot = event.nextCandidate(slot)) {
    if (take(slot, sinks.id(slot), time)) decision.select(slot);
  }
}

export function save(state: StateWriter): void {
  for (let slot = 0; slot < SINKS_MAX; slot++) {
    if (owners[slot] === 0) continue;
    state.integer(slot);
    state.integer(owners[slot]);
    state.number(tokens[slot]);
    state.number(filledAtMs[slot]);
    // A host takes 64 KiB: what finds no room begins with a full bucket.
    if (state.bytes > 60_000) return;
  }
}

export function restore(state: StateReader): void {
  while (state.hasMore) {
    const slot = <i32>state.integer();
    const owner = <u32>state.integer();
    const left = state.number();
    const at = state.number();
    if (!state.isComplete || <u32>slot >= <u32>SINKS_MAX) return;
    owners[slot] = owner;
    tokens[slot] = left;
    filledAtMs[slot] = at;
  }
}

function take(slot: i32, owner: u32, time: f64): bool {
  if (owners[slot] !== owner) {
    owners[slot] = owner;
    tokens[slot] = burst;
  } else {
    const grown = (max(time - filledAtMs[slot], 0) * perSecond) / 1000;
    tokens[slot] = min(tokens[slot] + grown, burst);
  }
  filledAtMs[slot] = time;
  if (tokens[slot] < 1) return false;
  tokens[slot] -= 1;
  return true;
}
