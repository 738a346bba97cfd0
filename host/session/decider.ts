/**
 * Where filter modules come in: events that wait in the core are decided in batches, one word per event.
 *
 * Layouts are those of core-wasm/abi.ts; the words are checked by the core, event by event.
 */
import { DECIDE_WORDS_MAX, RESULT_INDEX, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import { DECISION_ALL, DECISION_NONE } from "../../core-wasm/filter/abi.ts";
import { type DecideBatch, nextBatch } from "../core/decider.ts";
import { type Core, isStackEnd } from "../core/instance.ts";

/**
 * Decides a batch.
 *
 * @returns How many words were written; undefined where it knows nothing of the batch. Then, or where it throws, every event
 *   of the batch passes to all; one that leaves out a word, or writes a wrong one, lets that event pass, and is asked again
 *   about those behind it.
 */
export type Decider = (batch: DecideBatch) => number | undefined;

/** Why a decision went wrong: what was thrown, or the index and the word of the event that went to all. */
export type DecisionFault = { readonly error: unknown } | { readonly index: number; readonly word: number };

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
  const { result } = core.views;
  for (let batch = nextBatch(core, now); batch !== undefined; batch = nextBatch(core, now)) {
    batch.words.fill(DECISION_NONE, 0, batch.count);
    const words = wordsOf(batch, decider, onFault);
    if (core.exports.decide(words, now) === STATUS_OK) continue;
    onFault({ index: result[RESULT_INDEX] as number, word: result[RESULT_VALUE] as number });
    // The one that has no word goes to all, and the others come again.
    const rest = nextBatch(core, now);
    if (rest === undefined) return;
    rest.words.fill(DECISION_NONE, 0, rest.count);
    rest.words[0] = DECISION_ALL;
    core.exports.decide(rest.count, now);
  }
}

function wordsOf(batch: DecideBatch, decider: Decider | undefined, onFault: (fault: DecisionFault) => void): number {
  if (decider !== undefined) {
    try {
      const words = decider(batch);
      if (words !== undefined) return Math.max(0, Math.min(words >>> 0, DECIDE_WORDS_MAX));
    } catch (error) {
      // Nobody decided, and nothing says that all may have it: the batch waits until there is a stack to decide it on.
      if (isStackEnd(error)) throw error;
      onFault({ error });
    }
  }
  batch.words.fill(DECISION_ALL, 0, batch.count);
  return batch.count;
}
