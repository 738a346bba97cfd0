/** A decider that the core asks in words and the model in plain lists. */
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import type { DecideRecord } from "../core-wasm/harness.ts";

/** Chooses by the first byte of data, all kinds of answers in turn: indexes of candidates, undefined to drop the event. */
export function choose(data: Uint8Array | undefined, candidates: number): readonly number[] | undefined {
  const all = Array.from({ length: candidates }, (_, index) => index);
  const kind = (data?.[0] ?? 1) & 3;
  if (kind === filterAbi.DECISION_DROP) return undefined;
  if (kind === filterAbi.DECISION_ALL) return all;
  if (kind === filterAbi.DECISION_BITMAP) return all.filter((index) => index % 2 === 1);
  return candidates === 0 ? [] : [candidates - 1];
}

/** The same as decision words. `sinks`: rows of the table. */
export function decide(records: readonly DecideRecord[], { table }: { table: { rows: readonly unknown[] } }): number[] {
  const words: number[] = [];
  const variable: number[] = [];
  for (const { payload, sinks } of records) {
    const kind = (payload[0] ?? 1) & 3;
    const byNumber = [...sinks].sort((one, other) => one.member - other.member);
    const slots = (choose(payload, sinks.length) ?? []).map((index) => byNumber[index]?.slot ?? 0);
    words.push(kind | (variable.length << 2));
    if (kind === filterAbi.DECISION_BITMAP) {
      const bitmap = new Array<number>(Math.ceil(table.rows.length / 32)).fill(0);
      for (const slot of slots) bitmap[slot >> 5] = (bitmap[slot >> 5] ?? 0) | (1 << (slot & 31));
      variable.push(...bitmap);
    } else if (kind === filterAbi.DECISION_LIST) variable.push(slots.length, ...slots);
  }
  return [...words, ...variable];
}
