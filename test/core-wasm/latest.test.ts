/**
 * Overflow `keep-latest`: a newer event of a key takes the place of the one that waits.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;

function createLatest(ordering: number = abi.ORDERING_FIFO, capacity = 65_536) {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  expect(sink.inbox(capacity, BYTES_MAX, abi.OVERFLOW_KEEP_LATEST, ordering)).toBe(abi.STATUS_OK);
  const publish = (...events: readonly Partial<EventInit>[]) =>
    source.publish(
      channel,
      events.map((event) => ({ type: "t", ...event }) as EventInit),
    );
  const ids = (): string[] => sink.events().map(({ id }) => id);
  return { harness, channel, source, sink, publish, ids };
}

describe("keep-latest", () => {
  test("a newer event stands where the one of its key stood; events without a key all stay", () => {
    const { publish, ids, harness, sink } = createLatest();
    publish({ id: "a1", key: "a" }, { id: "1" }, { id: "b1", key: "b" }, { id: "2" }, { id: "a2", key: "a" });
    publish({ id: "a3", key: "a", data: new Uint8Array(3000) });
    expect(harness.core.inboxEvents(sink.id)).toBe(4);
    expect(ids()).toEqual(["a3", "1", "b1", "2"]);
    expect(harness.core.inboxBytes(sink.id)).toBe(0);
    expect(harness.statistic(abi.STATISTIC_DROPPED_CONFLATED)).toBe(2);
    // What has left is not replaced.
    publish({ id: "a4", key: "a" }, { id: "b2", key: "b" });
    expect(ids()).toEqual(["a4", "b2"]);
  });

  test("drops are told once, coalesced", () => {
    const { publish, sink, channel } = createLatest();
    publish(...Array.from({ length: 100 }, (_, index) => ({ id: `${index}`, key: "k" })));
    const drained = sink.drain();
    expect([...drained.dropped]).toEqual([[`${channel}/conflated`, 99]]);
    expect(drained.deliveries.map(({ event }) => event.id)).toEqual(["99"]);
  });

  test("an event that ranks otherwise takes its own place in the order", () => {
    const { publish, ids } = createLatest(abi.ORDERING_PRIORITY);
    publish({ id: "a1", key: "a", priority: 2 }, { id: "b1", key: "b", priority: 2 }, { id: "c1", key: "c" });
    publish({ id: "b2", key: "b", priority: 9 }, { id: "a2", key: "a", priority: 2 }, { id: "d", priority: 2 });
    expect(ids()).toEqual(["b2", "c1", "a2", "d"]);
  });

  test("lifo: the newer one leaves first", () => {
    const { publish, ids } = createLatest(abi.ORDERING_LIFO);
    publish({ id: "a1", key: "a" }, { id: "b1", key: "b" }, { id: "a2", key: "a" });
    expect(ids()).toEqual(["a2", "b1"]);
  });

  test("where nothing is to be replaced the oldest gives way, with a key or without", () => {
    const { publish, ids, harness } = createLatest(abi.ORDERING_FIFO, 3);
    publish(
      { id: "a1", key: "a" },
      { id: "1" },
      { id: "b1", key: "b" },
      { id: "c1", key: "c" },
      { id: "a2", key: "a" },
    );
    expect(ids()).toEqual(["b1", "c1", "a2"]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(2);
    expect(harness.statistic(abi.STATISTIC_DROPPED_CONFLATED)).toBe(0);
  });

  test("keys of two channels are two keys", () => {
    const { harness, source, sink, publish, ids } = createLatest();
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(sink, other);
    publish({ id: "1", key: "k" });
    source.publish(other, [{ id: "2", type: "t", key: "k" }]);
    expect(ids()).toEqual(["1", "2"]);
  });

  test("what is cancelled is replaced by nothing, and its notice conflates nothing", () => {
    const { source, channel, publish, ids } = createLatest();
    publish({ id: "1", key: "k" });
    source.cancel(channel, "k");
    publish({ id: "2", key: "k" });
    expect(ids()).toEqual(["2"]);
    source.cancel(channel, "k");
    publish({ id: "3", key: "k" });
    expect(ids()).toEqual(["", "3"].map((id) => expect.stringContaining(id) as unknown as string));
  });

  test("a policy that begins while events wait keeps them, and conflates with the newest of each key", () => {
    const { sink, publish, ids } = createLatest();
    sink.inbox(100, BYTES_MAX, abi.OVERFLOW_DROP_LOWEST);
    publish({ id: "1", key: "k" }, { id: "2", key: "k" }, { id: "3" });
    sink.inbox(100, BYTES_MAX, abi.OVERFLOW_KEEP_LATEST);
    publish({ id: "4", key: "k" });
    sink.inbox(100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST);
    publish({ id: "5", key: "k" });
    expect(ids()).toEqual(["1", "4", "3", "5"]);
  });

  test("a steady stream of keys takes no page, however far what waits has been moved", () => {
    const { harness, publish, ids } = createLatest();
    const filler = harness.channel("filler");
    const noise = harness.open();
    harness.source(noise, filler);
    const pages: number[] = [];
    for (let round = 0; round < 400; round++) {
      publish({ id: `${round}`, key: `k${round % 50}`, data: new Uint8Array(round % 300) });
      noise.publish(filler, [{ type: "t", data: new Uint8Array(20_000) }]);
      if (round >= 200) pages.push(harness.statistic(abi.STATISTIC_PAGES_USED));
    }
    expect(Math.max(...pages.slice(100))).toBeLessThanOrEqual(Math.max(...pages.slice(0, 100)));
    expect(ids()).toEqual(Array.from({ length: 50 }, (_, index) => `${350 + index}`));
  });
});
