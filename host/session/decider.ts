/**
 * The seam where filter modules come in: a batch of events with their candidates goes out, one word per event comes back.
 *
 * The layout is that of core-wasm/abi.ts (DECIDE_…, DECISION_…); the words are checked by the core, event by event.
 */
import {
  DECIDE_CANDIDATES,
  DECIDE_CANDIDATES_AT,
  DECIDE_CHANNEL,
  DECIDE_CONNECTION,
  DECIDE_DECIDER,
  DECIDE_EVENT_AT,
  DECIDE_EVENT_BYTES,
  DECIDE_OFFSET,
  DECIDE_RECORD_BYTES,
  DECIDE_WORDS_MAX,
  DECISION_ALL,
  STATISTIC_PARKED,
  STATUS_OK,
} from "../../core-wasm/abi.ts";
import type { Core } from "../core/instance.ts";

/** One event that waits for a decision. Its views are valid until the decider returns. */
export interface DecideRecord {
  /** The encoded event. */
  readonly event: Uint8Array;
  readonly channelNumber: number;
  /** The core's number of the submitting connection. */
  readonly connection: number;
  /** Member numbers of those who would get it. */
  readonly candidates: Uint32Array;
  /** Which decider the channel has. */
  readonly decider: number;
}

/** Events that wait together. */
export interface DecideBatch {
  readonly count: number;
  /** @param index 0 to count − 1. */
  record(index: number): DecideRecord;
  /** Where the answer goes: one DECISION_… word per event, then the variable area. */
  readonly words: Uint32Array;
}

/**
 * Decides a batch.
 *
 * @returns How many words were written. A decider that throws, or writes none, lets every event pass to all.
 */
export type Decider = (batch: DecideBatch) => number;

const WORDS = DECIDE_RECORD_BYTES / 4;

/**
 * The batch that waits in the core.
 *
 * @param count Of the events in it.
 */
export function readBatch(core: Core, count: number): DecideBatch {
  const { bytes, words, decision } = core.views;
  const word = (index: number, field: number): number => words[DECIDE_OFFSET / 4 + index * WORDS + field] as number;
  return {
    count,
    words: decision,
    record(index) {
      const eventAt = word(index, DECIDE_EVENT_AT);
      const candidatesAt = word(index, DECIDE_CANDIDATES_AT) >>> 2;
      return {
        event: bytes.subarray(eventAt, eventAt + word(index, DECIDE_EVENT_BYTES)),
        channelNumber: word(index, DECIDE_CHANNEL),
        connection: word(index, DECIDE_CONNECTION),
        candidates: words.subarray(candidatesAt, candidatesAt + word(index, DECIDE_CANDIDATES)),
        decider: word(index, DECIDE_DECIDER),
      };
    },
  };
}

/** Why a decision went wrong; the events went to all their candidates. */
export type DecisionFault = { readonly error: unknown } | { readonly status: number };

/**
 * Has everything decided that waits in the core, in batches.
 *
 * @param decider Undefined: every event passes to all its candidates.
 * @param now Of the service clock.
 * @param onFault Hears of a decider that throws or gives a wrong word; the traffic goes on without it.
 */
export function decideWaiting(
  core: Core,
  decider: Decider | undefined,
  now: number,
  onFault: (fault: DecisionFault) => void,
): void {
  for (;;) {
    const count = core.exports.statistic(STATISTIC_PARKED);
    if (count === 0) return;
    const batch = readBatch(core, count);
    const words = decideBatch(batch, decider, onFault);
    const status = core.exports.decide(words, now);
    if (status !== STATUS_OK) onFault({ status });
  }
}

function decideBatch(
  batch: DecideBatch,
  decider: Decider | undefined,
  onFault: (fault: DecisionFault) => void,
): number {
  if (decider !== undefined) {
    try {
      return Math.max(0, Math.min(decider(batch) >>> 0, DECIDE_WORDS_MAX));
    } catch (error) {
      onFault({ error });
    }
  }
  batch.words.fill(DECISION_ALL, 0, batch.count);
  return batch.count;
}
