/**
 * The memory that all inboxes share for what the store does not hold any more: one that takes what it can leaves room for others.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

const SHARED = 32 * 1024 * 1024;
const POOL = 2 * SHARED + 4 * 1024 * 1024;
const CAPACITY = 1024 * 1024 * 1024;

/** Inboxes that take what they can, and a channel for others; all are held. */
function createCrowd(greedy: number) {
  const harness = Harness.create({ mailboxBytes: SHARED, poolBytes: POOL });
  const [big, small] = [harness.channel("big"), harness.channel("small")];
  const source = harness.open();
  for (const channel of [big, small]) harness.source(source, channel);
  const open = (channel: number, overflow: number) => {
    const sink = harness.open();
    harness.sink(sink, channel);
    sink.inbox(1_000_000, CAPACITY, overflow);
    sink.hold(true);
    return sink;
  };
  const hogs = Array.from({ length: greedy }, () => open(big, abi.OVERFLOW_DROP_OLDEST));
  const fill = (count: number) => {
    for (let index = 0; index < count; index++) source.publish(big, [{ type: "big", data: new Uint8Array(16_000) }]);
  };
  const tell = () => source.publish(small, [{ type: "small", data: new Uint8Array(500) }]);
  return { harness, big, hogs, open: () => open(small, abi.OVERFLOW_DROP_OLDEST), fill, tell };
}

describe("the room that inboxes share", () => {
  test.each([1, 3, 10])("%i that take all they can starve nobody, and are told once what they lost", (greedy) => {
    const { harness, big, hogs, open, fill, tell } = createCrowd(greedy);
    const early = open();
    tell();
    fill(1_000);
    const late = Array.from({ length: 5 }, open);
    for (let round = 0; round < 20; round++) {
      tell();
      fill(50);
    }
    early.hold(false);
    expect(early.events()).toHaveLength(21);
    for (const sink of late) {
      sink.hold(false);
      const drained = sink.drain();
      expect(drained.deliveries).toHaveLength(20);
      expect(drained.dropped.size).toBe(0);
    }
    for (const hog of hogs) {
      hog.hold(false);
      const { deliveries, dropped, frames } = hog.drain();
      expect(frames.filter(({ kind }) => kind.case === "dropped")).toHaveLength(1);
      expect(deliveries.length).toBeGreaterThan(0);
      expect(deliveries.length + (dropped.get(`${big}/overflow`) ?? 0)).toBe(2_000);
      const sequences = deliveries.map(({ sequence }) => Number(sequence));
      expect(sequences).toEqual([...sequences].sort((one, other) => one - other));
    }
    for (const connection of [...harness.connections.values()]) connection.close();
    expect(harness.statistic(abi.STATISTIC_SLABS)).toBeLessThanOrEqual(1);
  });

  test("what is taken is given back: the next one finds as much", () => {
    const { harness, hogs, fill } = createCrowd(1);
    const [hog] = hogs;
    const kept: number[] = [];
    for (let round = 0; round < 3; round++) {
      fill(2_000);
      kept.push(harness.core.inboxEvents(hog?.id ?? 0));
      hog?.hold(false);
      hog?.drain();
      hog?.hold(true);
    }
    expect(new Set(kept).size).toBe(1);
  });
});
