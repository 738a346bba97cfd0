/** The dry run where deciders have the word: each is asked in its turn, what waits stays as it is, and answers are checked. */
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { EventInit } from "./frames.ts";
import { type Batch, readBatch } from "./record.ts";
import { World } from "./route-world.ts";

const LOADS = { attributes: [], payloadBytes: 0, columns: ["load"] };

/** A channel with a decider that sees the loads of its sinks, and what explain() is asked and answers. */
function world(sinks: number) {
  const made = new World();
  const { harness, channel } = made;
  const all = Array.from({ length: sinks }, (_, load) => made.sink({ load }));
  /** One call; the batch that it asks about, undefined where it needs no answer. */
  const step = (event: EventInit = {}, from = 0): Batch | undefined => {
    const bytes = harness.stage(toBinary(EventSchema, create(EventSchema, { type: "t", ...event })));
    expect(harness.core.explain(channel, 0, abi.STAGE_OFFSET, bytes, from, harness.now)).toBe(abi.STATUS_OK);
    return harness.result(abi.RESULT_REASON) === abi.REASON_DECIDE ? readBatch(harness.memory) : undefined;
  };
  const answer = (words: readonly number[], how: number = filterAbi.ANSWER_ITS_OWN): number => {
    words.forEach((word, index) => {
      harness.words.set(abi.DECIDE_WORDS_OFFSET, index, word);
    });
    return harness.core.explainAnswer(words.length, how);
  };
  const records = (): number[][] =>
    Array.from({ length: harness.result(abi.RESULT_COUNT) }, (_, index) =>
      [abi.EXPLAIN_VERDICT, abi.EXPLAIN_REASON].map((word) =>
        harness.words.at(abi.RECEIPTS_OFFSET + index * abi.EXPLAIN_RECORD_BYTES, word),
      ),
    );
  return { made, harness, channel, all, step, answer, records };
}

const DELIVERED = [abi.VERDICT_DELIVERED, abi.EXPLAINED_NONE];
const bitmap = (bits: number): number[] => [filterAbi.DECISION_BITMAP, bits];

describe("explain() where a decider has the word", () => {
  test("presents the event as decideNext() does, and goes on with the answer", () => {
    const { harness, channel, all, step, answer, records } = world(3);
    const decider = harness.decide(channel, LOADS);
    harness.core.explainForget();
    const batch = step({ id: "x" });
    expect(batch).toMatchObject({ channel, decider, own: false, stage: abi.STAGE_OUT });
    expect(batch?.records).toMatchObject([{ id: "x", type: "t", candidates: 3, slots: undefined }]);
    expect(batch?.table.rows.map(({ id, columns }) => [id, ...columns])).toEqual(
      all.map(({ member }, load) => [member, load]),
    );
    expect(records()).toEqual([]);
    expect(answer(bitmap(0b101))).toBe(abi.STATUS_OK);
    expect(step({ id: "x" })).toBeUndefined();
    expect(records()).toEqual([DELIVERED, [abi.VERDICT_REJECTED, abi.EXPLAINED_DECIDER], DELIVERED]);
  });

  test.each([
    ["its own word", filterAbi.ANSWER_ITS_OWN, abi.VERDICT_REJECTED, abi.EXPLAINED_DECIDER],
    ["what is done where it failed", filterAbi.ANSWER_FAILED, abi.VERDICT_REJECTED, filterAbi.EXPLAINED_DECIDER_FAILED],
    ["nothing", filterAbi.ANSWER_UNASKED, abi.VERDICT_UNKNOWN, filterAbi.EXPLAINED_DECIDER_UNASKED],
  ])("tells %s, on both stages", (_name, how, verdict, reason) => {
    for (const stage of [abi.STAGE_OUT, abi.STAGE_IN]) {
      const { harness, channel, step, answer, records } = world(2);
      harness.decide(channel, LOADS, stage);
      harness.core.explainForget();
      expect(step()?.stage).toBe(stage);
      expect(answer([filterAbi.DECISION_DROP], how)).toBe(abi.STATUS_OK);
      expect(step()).toBeUndefined();
      const told = [verdict, reason + (stage === abi.STAGE_IN ? abi.EXPLAINED_IN : 0)];
      expect(records()).toEqual([told, told]);
    }
  });

  test("asks again where a word is wrong, takes no word unasked, and forgets", () => {
    const { harness, channel, step, answer, records } = world(2);
    harness.decide(channel, LOADS);
    harness.core.explainForget();
    expect(answer([filterAbi.DECISION_ALL])).toBe(abi.STATUS_DECISION);
    step();
    for (const words of [[], bitmap(0b100), [filterAbi.DECISION_NONE], [filterAbi.DECISION_LIST, 1, 2]])
      expect(answer(words)).toBe(abi.STATUS_DECISION);
    expect(answer([filterAbi.DECISION_ALL], 3)).toBe(abi.STATUS_DECISION);
    expect(step()).toBeDefined();
    expect(answer([filterAbi.DECISION_ALL])).toBe(abi.STATUS_OK);
    expect(answer([filterAbi.DECISION_ALL])).toBe(abi.STATUS_DECISION);
    expect(step()).toBeUndefined();
    expect(records()).toEqual([DELIVERED, DELIVERED]);
    harness.core.explainForget();
    expect(step()).toBeDefined();
  });

  test("leaves what waits and the counters as they are", () => {
    const { made, harness, channel, all, step, answer } = world(3);
    const decider = harness.decide(channel, LOADS);
    made.publish();
    const counted = () =>
      Array.from({ length: filterAbi.DECIDER_COUNTERS }, (_, at) => harness.core.deciderStatistic(decider, 0, at));
    const before = counted();
    harness.decider = () => undefined;
    made.source.publish(channel, [{ type: "t", id: "waits" }]);
    for (let turn = 0; turn < 2; turn++) {
      harness.core.explainForget();
      expect(step({ id: "x" })?.records.map(({ id }) => id)).toEqual(["x"]);
      answer([filterAbi.DECISION_DROP]);
      expect(step({ id: "x" })).toBeUndefined();
    }
    expect(counted()).toEqual(before);
    expect(harness.statistic(abi.STATISTIC_PARKED)).toBe(1);
    expect(harness.core.channelSequence(channel)).toBe(2);
    harness.decider = (records) => records.map(() => filterAbi.DECISION_ALL);
    harness.decideAll();
    expect(all.map((sink) => sink.ids())).toEqual(Array(3).fill(["1", "waits"]));
  });

  test("shows what has changed in the table, and leaves it to be told", () => {
    const { made, harness, channel, all, step, answer } = world(3);
    harness.decide(channel, LOADS);
    made.publish();
    all[1]?.update({ load: 9 });
    for (let turn = 0; turn < 2; turn++) {
      harness.core.explainForget();
      const table = step()?.table;
      expect(table?.rows.map(({ columns }) => columns[0])).toEqual([0, 9, 2]);
      expect(table?.generation).toBe(2);
      answer([filterAbi.DECISION_DROP]);
      expect(step()).toBeUndefined();
    }
    made.publish();
    expect(harness.batches.map(({ table }) => [table.generation, table.changed])).toEqual([
      [1, [0, 1, 2]],
      [2, [1]],
    ]);
    harness.core.explainForget();
    expect(step()?.table.generation).toBe(2);
  });

  test("asks once however many sinks there are to tell of", () => {
    const { harness, channel, step, answer, records } = world(abi.EXPLAIN_RECORDS_MAX + 3);
    harness.decide(channel, LOADS);
    harness.core.explainForget();
    step();
    answer([filterAbi.DECISION_LIST, 2, 0, abi.EXPLAIN_RECORDS_MAX + 1]);
    expect(step()).toBeUndefined();
    expect(records().filter(([verdict]) => verdict === abi.VERDICT_DELIVERED)).toHaveLength(1);
    expect(step({}, abi.EXPLAIN_RECORDS_MAX)).toBeUndefined();
    const out = [abi.VERDICT_REJECTED, abi.EXPLAINED_DECIDER];
    expect(records()).toEqual([out, DELIVERED, out]);
  });
});
