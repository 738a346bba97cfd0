/**
 * Requests go to the sink with the least load; whatever else there is goes to everyone. Who gets a request counts as more loaded at
 * once, by `charge`, until its next update: otherwise all requests between two updates would go to the same sink.
 */
import { attribute, Config, constant, Decision, Event, Sinks, sinkAttribute } from "sluice/filter";

const KIND = attribute("kind");
const LOAD = sinkAttribute("load");
const REQUEST = constant("request");

let charge: f64 = 0.5;

export function init(config: Config): void {
  charge = config.number("charge", charge);
}

export function filterOut(event: Event, sinks: Sinks, decision: Decision): void {
  if (!event.is(KIND, REQUEST)) return;
  let chosen = -1;
  let least = Infinity;
  for (let slot = event.nextCandidate(-1); slot !== -1; slot = event.nextCandidate(slot)) {
    const load = sinks.number(slot, LOAD);
    // Whoever says no load is asked last, but asked: NaN is less than nothing.
    if (load < least || chosen === -1) {
      chosen = slot;
      least = load < Infinity ? load : Infinity;
    }
  }
  if (chosen === -1) return decision.none();
  decision.select(chosen);
  sinks.add(chosen, LOAD, charge);
}
