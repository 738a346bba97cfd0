/** A decider that the core asks in words and the model in plain lists. */
import { fromBinary } from "@bufbuild/protobuf";
import * as abi from "../../core-wasm/abi.ts";
import { type Event, EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { DecideRecord } from "../core-wasm/outcome.ts";

/** Chooses by the first byte of data, all kinds of answers in turn. */
export function choose(event: Event, candidates: number): readonly number[] {
  const all = Array.from({ length: candidates }, (_, index) => index);
  const kind = (event.data?.[0] ?? 1) & 3;
  if (kind === abi.DECISION_DROP) return [];
  if (kind === abi.DECISION_ALL) return all;
  if (kind === abi.DECISION_BITMAP) return all.filter((index) => index % 2 === 1);
  return candidates === 0 ? [] : [candidates - 1];
}

/** The same as decision words. */
export function decide(records: readonly DecideRecord[]): number[] {
  const words: number[] = [];
  const variable: number[] = [];
  for (const record of records) {
    const event = fromBinary(EventSchema, record.event);
    const kind = (event.data?.[0] ?? 1) & 3;
    const chosen = choose(event, record.candidates.length);
    words.push(kind | (variable.length << 2));
    if (kind === abi.DECISION_BITMAP) {
      const bitmap = new Array<number>(Math.ceil(record.candidates.length / 32)).fill(0);
      for (const index of chosen) bitmap[index >> 5] = (bitmap[index >> 5] ?? 0) | (1 << (index & 31));
      variable.push(...bitmap);
    } else if (kind === abi.DECISION_LIST) variable.push(chosen.length, ...chosen);
  }
  return [...words, ...variable];
}
