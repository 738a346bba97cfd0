/**
 * Watches an attribute `n` that every source counts up by one, and says in the log where numbers are missing. All events go through
 * but those that were there before: an IN filter for sources that send again what may have been lost.
 */
import { attribute, Decision, Event, Sinks, warn } from "sluice/filter";

const NUMBER = attribute("n");
/** Sources that are watched; beyond, the one that was heard of longest ago is forgotten. */
const SOURCES_MAX = 1024;

const last = new Map<u64, i64>();

export function filterIn(event: Event, _sinks: Sinks, decision: Decision): void {
  if (!event.has(NUMBER)) return;
  const source = event.sourceHash;
  const number = event.integer(NUMBER);
  if (last.has(source)) {
    const before = last.get(source);
    if (number <= before) return decision.drop();
    if (number !== before + 1)
      warn(`${event.source} lacks ${(number - before - 1).toString()} events before ${number.toString()}`);
    // Deleted first, so that the map stays in the order in which sources were heard of.
    last.delete(source);
  } else if (last.size === SOURCES_MAX) {
    last.delete(last.keys()[0]);
  }
  last.set(source, number);
}
