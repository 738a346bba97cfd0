/** One of so many events goes through, of each source by itself and the first one always; sinks that say `full` get them all. */
import { Config, Decision, Event, Sinks, sinkAttribute } from "sluice/filter";

const FULL = sinkAttribute("full");
/** Sources that are told apart; beyond, those share a counter whose hashes do. */
const COUNTERS = 1024;

let every: u32 = 10;
const counters = new StaticArray<u32>(COUNTERS);

export function init(config: Config): void {
  every = <u32>max(config.number("every", 10), 1);
}

export function filterOut(event: Event, sinks: Sinks, decision: Decision): void {
  const counter = event.sourceHash % COUNTERS;
  const isSample = counters[<i32>counter]++ % every === 0;
  if (isSample) return;
  decision.none();
  for (let slot = event.nextCandidate(-1); slot !== -1; slot = event.nextCandidate(slot)) {
    if (sinks.number(slot, FULL) === 1) decision.select(slot);
  }
}
