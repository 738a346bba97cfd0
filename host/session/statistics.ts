/**
 * What is counted where, under one name each, for `/metrics` and `GET /v1/info`.
 */
import {
  STATISTIC_BYTES_IN,
  STATISTIC_BYTES_OUT,
  STATISTIC_CANCELS,
  STATISTIC_CANCELS_FORWARDED,
  STATISTIC_CHANNELS,
  STATISTIC_CONNECTIONS,
  STATISTIC_DELIVERIES,
  STATISTIC_DIVERTED,
  STATISTIC_DUE,
  STATISTIC_EVACUATED_BYTES,
  STATISTIC_EVENTS_IN,
  STATISTIC_KEPT,
  STATISTIC_KEPT_BYTES,
  STATISTIC_MEMBERS,
  STATISTIC_MISSED,
  STATISTIC_PAGES,
  STATISTIC_PAGES_USED,
  STATISTIC_PARKED,
  STATISTIC_REDELIVERIES,
  STATISTIC_REFUSED,
  STATISTIC_SLABS,
  STATISTIC_STARTED_EVICTED,
} from "../../core-wasm/abi.ts";
import type { Engine } from "./engine.ts";
import { losses, lossTotal } from "./reasons.ts";

/** The core's counters by name. Those that end in "Total" only grow, until the core is restarted. */
const coreNames: readonly (readonly [name: string, index: number])[] = [
  ["eventsTotal", STATISTIC_EVENTS_IN],
  ["eventBytesTotal", STATISTIC_BYTES_IN],
  ["deliveriesTotal", STATISTIC_DELIVERIES],
  ["deliveryBytesTotal", STATISTIC_BYTES_OUT],
  ["refusedTotal", STATISTIC_REFUSED],
  ...losses.map((loss) => [lossTotal(loss), loss.statistic] as const),
  ["missedTotal", STATISTIC_MISSED],
  ["divertedTotal", STATISTIC_DIVERTED],
  ["inboxesDue", STATISTIC_DUE],
  ["cancelsTotal", STATISTIC_CANCELS],
  ["cancelsForwardedTotal", STATISTIC_CANCELS_FORWARDED],
  ["startsForgottenTotal", STATISTIC_STARTED_EVICTED],
  ["redeliveriesTotal", STATISTIC_REDELIVERIES],
  ["unacknowledged", STATISTIC_KEPT],
  ["unacknowledgedBytes", STATISTIC_KEPT_BYTES],
  ["evacuatedBytesTotal", STATISTIC_EVACUATED_BYTES],
  ["pagesUsed", STATISTIC_PAGES_USED],
  ["pages", STATISTIC_PAGES],
  ["slabs", STATISTIC_SLABS],
  ["connections", STATISTIC_CONNECTIONS],
  ["coreChannels", STATISTIC_CHANNELS],
  ["members", STATISTIC_MEMBERS],
  ["parked", STATISTIC_PARKED],
];

/** Reads everything. One call into the core per counter, so ask as often as a person or a scraper does, not per event. */
export function readStatistics(engine: Engine, sessions: number, channels: number): Record<string, number> {
  const { counters } = engine;
  const read: Record<string, number> = {};
  for (const [name, index] of coreNames) read[name] = engine.core.exports.statistic(index);
  return {
    ...read,
    channels,
    sessions,
    epoch: engine.core.epoch,
    slotsHeld: engine.slots.held,
    sessionsOpenedTotal: counters.sessionsOpened,
    sessionsRefusedTotal: counters.sessionsRefused,
    sessionsClosedTotal: counters.sessionsClosed,
    problemsTotal: counters.problems,
    writesTotal: counters.writes,
    writesHeldTotal: counters.writesHeld,
    writesCopiedTotal: counters.writesCopied,
    flushesTotal: counters.flushes,
    coreRestartsTotal: counters.coreRestarts,
    patterns: engine.patterns.count,
    patternsMissedTotal: counters.patternsMissed,
    deadLettersTotal: counters.deadLetters,
    handlerErrorsTotal: counters.handlerErrors,
    cascadesRefusedTotal: counters.cascadesRefused,
    sessionsResumedTotal: counters.sessionsResumed,
    lingeringRefusedTotal: counters.lingeringRefused,
    lingering: engine.resumption.count,
  };
}
