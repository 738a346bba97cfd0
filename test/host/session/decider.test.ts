/**
 * The seam for filter modules, with deciders made by hand: every kind of word, wrong ones, and one that fails.
 */

import { describe, expect, test } from "vitest";
import { DECIDE_EVENTS_MAX, STAGE_OUT } from "../../../core-wasm/abi.ts";
import { DECISION_ALL, DECISION_BITMAP, DECISION_DROP, DECISION_LIST } from "../../../core-wasm/filter/abi.ts";
import type { DecideBatch } from "../../../host/core/decider.ts";
import type { Decider } from "../../../host/session/decider.ts";
import { readRecord } from "../../core-wasm/record.ts";
import { TestCarrier } from "../support/carrier.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { createTestService } from "../support/service.ts";

/** Gives every event of a batch the same kind of word. */
function each(
  write: (batch: DecideBatch, index: number, next: number) => { word: number; variable: readonly number[] },
): Decider {
  return (batch) => {
    // Places are counted within the variable area, which begins behind the words of the events.
    let next = 0;
    for (let index = 0; index < batch.count; index++) {
      const { word, variable } = write(batch, index, next);
      batch.words[index] = word;
      batch.words.set(variable, batch.count + next);
      next += variable.length;
    }
    return batch.count + next;
  };
}

const rows: readonly { name: string; decider: Decider | undefined; want: readonly number[] }[] = [
  { name: "drop", decider: each(() => ({ word: DECISION_DROP, variable: [] })), want: [0, 0, 0] },
  { name: "all", decider: each(() => ({ word: DECISION_ALL, variable: [] })), want: [10, 10, 10] },
  {
    name: "a bitmap",
    decider: each((_batch, _index, next) => ({ word: DECISION_BITMAP | (next << 2), variable: [0b101] })),
    want: [10, 0, 10],
  },
  {
    name: "a list",
    decider: each((_batch, _index, next) => ({ word: DECISION_LIST | (next << 2), variable: [1, 1] })),
    want: [0, 10, 0],
  },
  {
    name: "an empty list",
    decider: each((_batch, _index, next) => ({ word: DECISION_LIST | (next << 2), variable: [0] })),
    want: [0, 0, 0],
  },
  { name: "nobody who decides", decider: undefined, want: [10, 10, 10] },
  {
    name: "an index beyond the candidates: all",
    decider: each((_batch, _index, next) => ({ word: DECISION_LIST | (next << 2), variable: [1, 3] })),
    want: [10, 10, 10],
  },
  {
    name: "a place beyond the words: all",
    decider: each(() => ({ word: DECISION_LIST | (131_071 << 2), variable: [] })),
    want: [10, 10, 10],
  },
  { name: "too few words: all", decider: () => 0, want: [10, 10, 10] },
  { name: "a number of words that is none: all", decider: () => Number.NaN, want: [10, 10, 10] },
  {
    name: "a decider that throws: all",
    decider: () => {
      throw new Error("no idea");
    },
    want: [10, 10, 10],
  },
];

describe("decider", () => {
  test.each(rows)("$name", ({ decider, want }) => {
    const { service, settle, log } = createTestService({}, decider === undefined ? {} : { decider });
    const sinks = [new TestCarrier(service), new TestCarrier(service), new TestCarrier(service)];
    for (const sink of sinks) sink.join("c");
    service.setDecider("c", true);
    const source = new TestCarrier(service);
    source.publish("c", 10);
    settle();
    expect(sinks.map((sink) => sink.delivered())).toEqual(want);
    const complaints = log.filter(({ message }) => String(message).startsWith("decider failed"));
    expect(complaints.length > 0).toBe(/: all$/.test(rows.find((row) => row.decider === decider)?.name ?? ""));
    expect(service.statistics()["parked"]).toBe(0);
  });

  test("sees events, channel, stage, and the sinks that may get them", () => {
    const seen: unknown[] = [];
    const { service, settle } = createTestService(
      {},
      {
        decider({ count, channelNumber, stage, sinks, records, table, words }) {
          for (let index = 0, at = 0; index < count; index++) {
            const record = readRecord(records.subarray(at), sinks);
            at += record.size;
            seen.push([channelNumber, stage, sinks, table.length, record.type, record.candidates]);
            words[index] = DECISION_ALL;
          }
          return count;
        },
      },
    );
    const sinks = [new TestCarrier(service), new TestCarrier(service)];
    for (const sink of sinks) sink.join("c");
    service.setDecider("c", true);
    new TestCarrier(service).publish("c", 2);
    settle();
    const record = [service.channels.get("c")?.number, STAGE_OUT, 2, 48, "t", 2];
    expect(seen).toEqual([record, record]);
  });

  test("batches are bounded, nothing is lost and the order stays", () => {
    const sizes: number[] = [];
    const { service, settle } = createTestService(
      {},
      {
        decider(batch) {
          sizes.push(batch.count);
          batch.words.fill(DECISION_ALL, 0, batch.count);
          return batch.count;
        },
      },
    );
    const sink = new TestCarrier(service);
    sink.join("c");
    service.setDecider("c", true);
    new TestCarrier(service).publish("c", 1_000);
    settle();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(DECIDE_EVENTS_MAX);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1_000);
    const sequences = sink
      .frames()
      .flatMap((kind) => (kind.case === "deliver" ? kind.value.events.map(({ sequence }) => Number(sequence)) : []));
    expect(sequences).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  });

  test.each(carriers)("%s: a receipt tells how many sinks were selected", async (carrier) => {
    const host = await startHost({
      decider: each((_batch, _index, next) => ({ word: DECISION_LIST | (next << 2), variable: [1, 0] })),
    });
    const [first, second, source] = [
      await connectTo(host, "tcp"),
      await connectTo(host, "tcp"),
      await connectTo(host, carrier),
    ];
    await first.join("c");
    await second.join("c");
    host.service.setDecider("c", true);
    const results = await source.publish("c", ...Array.from({ length: 100 }, () => ({ type: "t" })));
    expect(results.map(({ sinks }) => sinks)).toEqual(Array.from({ length: 100 }, () => 1));
    await first.received(100);
    expect(second.events).toEqual([]);
  });

  test("what a blocking inbox lets go is decided too", () => {
    const { service, settle } = createTestService({}, { decider: each(() => ({ word: DECISION_ALL, variable: [] })) });
    const sink = new TestCarrier(service);
    sink.join("c");
    sink.send({ kind: { case: "inbox", value: { overflow: "block", capacityEvents: 10n, held: true } } });
    service.setDecider("c", true);
    new TestCarrier(service).publish("c", 500);
    settle();
    expect(sink.delivered()).toBe(0);
    sink.send({ kind: { case: "inbox", value: { held: false } } });
    settle();
    expect(sink.delivered()).toBe(500);
  });
});
