/** Modules and the core: what one wants to see is told there, and batches that wait there are decided. */
import * as abi from "../../../core-wasm/abi.ts";
import { addDecider, type DecideBatch, internText } from "../../core/decider.ts";
import type { CoreHolder } from "../../core/instance.ts";
import { errorFromStatus } from "../../core/status.ts";
import { fieldOf } from "../../expression/names.ts";
import { stageNumbers } from "../bound.ts";
import type { Binder, BoundBatch } from "./binder.ts";
import type { Asked } from "./scratch.ts";
import type { Deciders, Target } from "./seat.ts";
import type { PayloadProjection } from "./spec.ts";

/** The deciders of whichever core a holder has at the time. */
export function coreDeciders(holder: CoreHolder): Deciders {
  return {
    add: ({ attrs, payload, sinkAttrs }) =>
      addDecider(holder.core, {
        // Names as expressions have them: what is a field of the event is one here, too.
        attributes: attrs.map((name) => ({ name, field: fieldOf(name) })),
        payloadBytes: payloadBytes(payload),
        columns: sinkAttrs,
      }),
    intern: (handle, text) => void internText(holder.core, handle, text),
    bind(target, stage, handle) {
      const status = bindAt(holder, target, stageNumbers[stage], handle);
      // Who has gone has nothing bound any more.
      const isGone = status === abi.STATUS_CHANNEL_UNKNOWN || status === abi.STATUS_MEMBER_UNKNOWN;
      if (status === abi.STATUS_OK || (handle === 0 && isGone)) return;
      const { result } = holder.core.views;
      throw errorFromStatus(status, result[abi.RESULT_VALUE] as number, result[abi.RESULT_LIMIT] as number);
    },
    release: (handle) => holder.core.exports.deciderRelease(handle),
  };
}

/** Has a module decide a batch. @returns How many words are its answer; undefined where the handle is no module's. */
export function decideByModule(binder: Binder, batch: DecideBatch): number | undefined {
  if (!binder.knows(batch.decider)) return undefined;
  const { words, used } = binder.decide(boundBatch(batch));
  batch.words.set(words.subarray(0, used));
  return used;
}

/** Has a module asked in a dry run, and its words written where the core reads them. As {@link decideByModule}. */
export function askModule(binder: Binder, batch: DecideBatch): Asked | undefined {
  const asked = binder.explain(boundBatch(batch));
  if (asked !== undefined) batch.words.set(asked.words);
  return asked;
}

/** A batch of the core as modules have it. */
export function boundBatch({ count, records, sinks, table, changed, decider, stage }: DecideBatch): BoundBatch {
  return {
    count,
    records,
    table: { sinks, image: table, changed },
    handle: decider,
    stage: stage === abi.STAGE_IN ? "in" : "out",
  };
}

function bindAt({ core }: CoreHolder, { channel, member }: Target, stage: number, handle: number): number {
  return member === 0
    ? core.exports.channelDecider(channel, stage, handle)
    : core.exports.memberDecider(member, stage, handle);
}

function payloadBytes(payload: PayloadProjection): number {
  if (payload === "none") return 0;
  return payload === "full" ? Number.POSITIVE_INFINITY : payload.headBytes;
}
