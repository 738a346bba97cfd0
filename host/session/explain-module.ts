/** Filter modules in a dry run: where the core stops at one, somebody asks in its place, and tells the core what was said. */
import { STATUS_OK } from "../../core-wasm/abi.ts";
import { ANSWER_FAILED, ANSWER_ITS_OWN, ANSWER_UNASKED } from "../../core-wasm/filter/abi.ts";
import { presentedBatch } from "../core/decider.ts";
import { askModule } from "../filter/module/core.ts";
import type { Asked } from "../filter/module/scratch.ts";
import type { Engine } from "./engine.ts";

/** A module that was asked, and whose it is. */
export interface AskedModule extends Omit<Asked, "words"> {
  /** `source`: the submitter brought it for its own events. */
  readonly of: "channel" | "source";
}

/**
 * Answers for the module that explain() has just asked for.
 *
 * @returns What was said; undefined where what decides is no module.
 */
export function answerFor({ core, modules }: Pick<Engine, "core" | "modules">): AskedModule | undefined {
  const batch = presentedBatch(core);
  const asked = modules && askModule(modules, batch);
  const { explainAnswer } = core.exports;
  const how = asked?.decision === undefined ? ANSWER_UNASKED : asked.failed ? ANSWER_FAILED : ANSWER_ITS_OWN;
  // Words were checked on the way here; were they wrong all the same, nobody would know what becomes of the event.
  if (explainAnswer(asked?.words.length ?? 0, how) !== STATUS_OK) explainAnswer(0, ANSWER_UNASKED);
  if (asked === undefined) return undefined;
  const { words: _, ...told } = asked;
  return { ...told, of: batch.own ? "source" : "channel" };
}
