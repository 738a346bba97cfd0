/**
 * The first reply to a key goes through, later ones go nowhere: for an IN filter where a request was sent to several servers. Keys are
 * remembered by their hash, the oldest are forgotten; a new revision takes over what was seen.
 */
import { attribute, Config, constant, Decision, Event, Sinks, StateReader, StateWriter } from "sluice/filter";

const KEY = attribute("key");
const REPLY = constant("reply");

/** A ring beside a set: what is written over was the oldest. */
let ring = new StaticArray<u64>(1024);
let at = 0;
const seen = new Set<u64>();

export function init(config: Config): void {
  const keys = config.number("keys", 1024);
  ring = new StaticArray<u64>(<i32>min(max(keys, 1), 4096));
}

export function filterIn(event: Event, _sinks: Sinks, decision: Decision): void {
  if (!event.typeIs(REPLY)) return;
  const key = event.hash(KEY);
  if (key === 0) return;
  if (seen.has(key)) return decision.drop();
  remember(key);
}

export function save(state: StateWriter): void {
  // From the oldest to the newest.
  for (let i = 0; i < ring.length; i++) {
    const key = ring[(at + i) % ring.length];
    if (key !== 0) state.integer(key);
  }
}

export function restore(state: StateReader): void {
  while (state.hasMore) {
    const key = <u64>state.integer();
    if (state.isComplete && !seen.has(key)) remember(key);
  }
}

function remember(key: u64): void {
  const oldest = ring[at];
  if (oldest !== 0) seen.delete(oldest);
  ring[at] = key;
  at = (at + 1) % ring.length;
  seen.add(key);
}
