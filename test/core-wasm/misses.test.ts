/** Misses: each event once, to its sink, with how late it is; and the counts of its stream. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;
const START = 1_700_000_000_000;

function createSink(ordering: number, flags: number) {
  const harness = Harness.create({ now: START });
  const channel = harness.channel("c", { flags });
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  sink.inbox(100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, ordering);
  const publish = (...events: EventInit[]) => source.publish(channel, events);
  const counts = () =>
    [abi.STREAM_MET, abi.STREAM_MISSED, abi.STREAM_DROPPED, abi.STREAM_VIOLATIONS].map((index) =>
      harness.core.streamStatistic(sink.id, channel, index),
    );
  /** Drains at a moment; what was missed, and what was delivered. */
  const drain = (atMs: number) => {
    harness.now = START + atMs;
    const { frames, deliveries } = sink.drain();
    const missed = frames.flatMap(({ kind }) => (kind.case === "missed" ? [kind.value] : []));
    return { missed, ids: deliveries.map(({ event }) => event.id) };
  };
  return { harness, channel, source, sink, publish, counts, drain };
}

const LATE_DROP = abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP;

describe("misses", () => {
  test.each([
    ["fifo", abi.ORDERING_FIFO],
    ["deadline", abi.ORDERING_DEADLINE],
  ])("%s: what is dropped for being late is told with id, sequence and lateness, once", (_, ordering) => {
    const { channel, publish, drain, counts } = createSink(ordering, LATE_DROP);
    publish({ id: "a", type: "t", ttlMs: 10n }, { type: "t", ttlMs: 20n }, { id: "c", type: "t", ttlMs: 100n });
    const { missed, ids } = drain(25);
    expect(ids).toEqual(["c"]);
    expect(missed).toMatchObject([
      { channelNumber: channel, id: "a", sequence: 1n, by: 15 },
      { channelNumber: channel, id: "", sequence: 2n, by: 5 },
    ]);
    expect(missed.every(({ number }) => number === undefined)).toBe(true);
    expect(drain(30)).toEqual({ missed: [], ids: [] });
    expect(counts().slice(1, 3)).toEqual([2, 2]);
  });

  test.each([
    ["fifo", abi.ORDERING_FIFO],
    ["deadline", abi.ORDERING_DEADLINE],
  ])("%s: what is delivered late is told before it", (_, ordering) => {
    const { publish, drain, counts } = createSink(ordering, abi.CHANNEL_ECHO);
    publish({ id: "a", type: "t", ttlMs: 10n }, { id: "b", type: "t", ttlMs: 30n }, { id: "c", type: "t" });
    const { missed, ids } = drain(20);
    expect(ids).toEqual(["a", "b", "c"]);
    expect(missed).toMatchObject([{ id: "a", sequence: 1n, by: 10 }]);
    expect(counts()).toEqual([1, 1, 0, 0]);
  });

  test("at its very moment an event is in time", () => {
    const { publish, drain, counts } = createSink(abi.ORDERING_DEADLINE, LATE_DROP);
    publish({ id: "a", type: "t", ttlMs: 10n });
    expect(drain(10)).toEqual({ missed: [], ids: ["a"] });
    expect(counts()).toEqual([1, 0, 0, 0]);
  });

  test("an event that was cancelled misses nothing", () => {
    const { channel, source, publish, drain, counts } = createSink(abi.ORDERING_DEADLINE, LATE_DROP);
    publish({ id: "a", type: "t", key: "k", ttlMs: 10n });
    source.cancel(channel, "k");
    expect(drain(20)).toEqual({ missed: [], ids: [] });
    expect(counts()[abi.STREAM_MISSED]).toBe(0);
  });

  test("an id too long for a notice is left out; the sequence is there", () => {
    const { publish, drain } = createSink(abi.ORDERING_FIFO, LATE_DROP);
    publish({ id: "x".repeat(257), type: "t", ttlMs: 1n }, { id: "y".repeat(256), type: "t", ttlMs: 1n });
    expect(drain(5).missed).toMatchObject([
      { id: "", sequence: 1n },
      { id: "y".repeat(256), sequence: 2n },
    ]);
  });

  test("a stream tells a miss once, however long its event waits; counts end with the membership", () => {
    const { harness, channel, sink, publish, drain, counts } = createSink(abi.ORDERING_WINDOW, abi.CHANNEL_ECHO);
    harness.core.channelWindow(channel, 1, 2, 10);
    publish({ id: "a", type: "t" });
    const { missed, ids } = drain(45);
    expect(ids).toEqual(["a"]);
    expect(missed).toMatchObject([{ id: "a", by: 35 }]);
    expect(counts()[abi.STREAM_MISSED]).toBe(1);
    harness.core.memberRemove(sink.id, 2);
    expect(counts()).toEqual([0, 0, 0, 0]);
  });
});
