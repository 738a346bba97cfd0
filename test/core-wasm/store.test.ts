/**
 * The bounded log. Goal: what a slow sink keeps is copied out and charged to it; the store itself never grows, never
 * stands still for a sink, and never loses or changes a byte of a survivor.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { encodeFrame, publishFrame } from "./frames.ts";
import { Harness } from "./harness.ts";
import { check, data, SLABS, STORE_BYTES, store } from "./stalled.ts";
import { join } from "./wire.ts";

describe("a stalled sink", () => {
  test("that takes 1 % of the events pins no slab and keeps every byte", () => {
    const { harness, channel, source, live, stalled } = store();
    const slow = stalled(["rare"]);
    const bytes = 2000;
    const count = 5000;
    const slabs: number[] = [];
    for (let id = 0; id < count; id++) {
      source.publish(channel, [{ id: `${id}`, type: id % 100 === 0 ? "rare" : "t", data: data(id, bytes) }]);
      if (id % 50 === 49) {
        expect(live.drain().deliveries).toHaveLength(50);
        slabs.push(harness.statistic(abi.STATISTIC_SLABS));
      }
    }
    expect(Math.max(...slabs)).toBeLessThanOrEqual(SLABS);
    expect(harness.statistic(abi.STATISTIC_EVACUATED_BYTES)).toBeGreaterThan(40 * bytes);
    expect(harness.statistic(abi.STATISTIC_EVACUATED_BYTES)).toBeLessThan(100 * bytes);
    const drained = slow.drain();
    expect(drained.deliveries.map(({ event }) => check(event))).toEqual(
      Array.from({ length: 50 }, (_, index) => index * 100),
    );
    expect(drained.dropped.size).toBe(0);
  });

  test("that takes everything keeps its newest by its own policy, intact and in order", () => {
    const { harness, channel, source, live, stalled } = store();
    const slow = stalled();
    slow.inbox(10_000, 3 * 1024 * 1024, abi.OVERFLOW_DROP_OLDEST);
    const count = 3000;
    for (let id = 0; id < count; id++) {
      source.publish(channel, [{ id: `${id}`, type: "t", data: data(id, 3000) }]);
      if (id % 20 === 0) live.drain();
    }
    expect(harness.core.inboxBytes(slow.id)).toBeLessThanOrEqual(3 * 1024 * 1024);
    const drained = slow.drain();
    const ids = drained.deliveries.map(({ event }) => check(event));
    expect(ids.at(-1)).toBe(count - 1);
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => count - ids.length + index));
    expect(ids.length).toBeGreaterThan(900);
    expect(drained.dropped.get(`${channel}/overflow`)).toBe(count - ids.length);
  });

  test("that resumes in the middle of an evacuated stretch misses nothing", () => {
    const { channel, source, live, stalled } = store();
    const slow = stalled();
    const seen: number[] = [];
    for (let id = 0; id < 4000; id++) {
      source.publish(channel, [{ id: `${id}`, type: "t", data: data(id, 1000) }]);
      live.drain();
      if (id % 37 === 0) for (const { event } of slow.drainOnce(5000).deliveries) seen.push(check(event));
    }
    for (const { event } of slow.drain().deliveries) seen.push(check(event));
    expect(seen).toEqual(Array.from({ length: 4000 }, (_, index) => index));
  });

  test("beside others that stall differently: each has its own survivors", () => {
    const { channel, source, live, stalled } = store();
    const sinks = [stalled(["t0"]), stalled(["t0", "t1"]), stalled(["t2"]), stalled()];
    const wants = [[0], [0, 1], [2], [0, 1, 2, 3, 4, 5, 6]];
    for (let id = 0; id < 2100; id++) {
      source.publish(channel, [{ id: `${id}`, type: `t${id % 7}`, data: data(id, 1500) }]);
      if (id % 10 === 0) live.drain();
    }
    sinks.forEach((sink, index) => {
      const ids = sink.drain().deliveries.map(({ event }) => check(event));
      expect(ids).toEqual(Array.from({ length: 2100 }, (_, id) => id).filter((id) => wants[index]?.includes(id % 7)));
    });
  });
});

describe("events of every size", () => {
  test("1 MiB events between small ones, with a stalled sink", () => {
    const { harness, channel, source, live, stalled } = store();
    const slow = stalled(["rare"]);
    const sizes = [10, 1_048_000, 100, 262_144, 262_000, 65_536, 300_000, 1];
    const count = 160;
    const wanted: number[] = [];
    for (let id = 0; id < count; id++) {
      const type = id % 9 === 0 ? "rare" : "t";
      if (type === "rare") wanted.push(id);
      source.publish(channel, [{ id: `${id}`, type, data: data(id, sizes[id % sizes.length] as number) }]);
      expect(live.drain().deliveries.map(({ event }) => check(event))).toEqual([id]);
    }
    expect(slow.drain().deliveries.map(({ event }) => check(event))).toEqual(wanted);
    expect(harness.statistic(abi.STATISTIC_REFUSED)).toBe(0);
  });

  test("keyed and TTL events between plain ones keep their order and bytes", () => {
    const { channel, source, live, stalled } = store();
    const slow = stalled();
    for (let id = 0; id < 2000; id++) {
      const extra = id % 3 === 0 ? { key: `k${id % 5}` } : id % 3 === 1 ? { ttlMs: 60_000n } : {};
      source.publish(channel, [{ id: `${id}`, type: "t", data: data(id, 800), ...extra }]);
      live.drain();
    }
    expect(slow.drain().deliveries.map(({ event }) => check(event))).toEqual(
      Array.from({ length: 2000 }, (_, id) => id),
    );
  });

  test("a cancel reaches survivors that were evacuated", () => {
    const { channel, source, live, stalled } = store();
    const slow = stalled();
    for (let id = 0; id < 2000; id++) {
      source.publish(channel, [{ id: `${id}`, type: "t", data: data(id, 1000), key: `k${id % 4}` }]);
      live.drain();
    }
    source.cancel(channel, "k1");
    const drained = slow.drain();
    expect(drained.deliveries.map(({ event }) => check(event))).toEqual(
      Array.from({ length: 2000 }, (_, id) => id).filter((id) => id % 4 !== 1),
    );
    expect(drained.dropped.get(`${channel}/cancelled`)).toBe(500);
  });

  test("a deadline that passed while evacuated is late all the same", () => {
    const harness = Harness.create({ storeBytes: STORE_BYTES });
    const channel = harness.channel("c", { flags: abi.CHANNEL_LATE_DROP });
    const [source, slow] = [harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(slow, channel);
    for (let id = 0; id < 3000; id++) {
      source.publish(channel, [{ id: `${id}`, type: "t", data: data(id, 1000), ttlMs: id % 2 === 0 ? 5n : 5000n }]);
    }
    harness.now += 100;
    expect(slow.drain().deliveries.map(({ event }) => check(event))).toEqual(
      Array.from({ length: 1500 }, (_, id) => id * 2 + 1),
    );
    expect(harness.statistic(abi.STATISTIC_DROPPED_LATE)).toBe(1500);
  });
});

describe("entries that no inbox holds yet", () => {
  /** Frames of one read: each publishes one event of so many bytes on a channel. */
  const read = (
    source: TestConnection,
    ...events: readonly (readonly [channel: number, id: number, bytes: number])[]
  ) =>
    source.feed(
      join(
        ...events.map(([channel, id, bytes]) =>
          source.wrap(encodeFrame(publishFrame(channel, [{ id: `${id}`, type: "t", data: data(id, bytes) }]))),
        ),
      ),
    );

  test.each([
    { name: "plain", options: {}, types: undefined },
    { name: "typed", options: {}, types: ["t"] },
    { name: "decided", options: { decided: true }, types: undefined },
  ])("are not overwritten when the range before them met nobody, on a $name channel", ({ options, types }) => {
    const harness = Harness.create({ storeBytes: STORE_BYTES });
    const [nobody, channel] = [harness.channel("nobody"), harness.channel("c", options)];
    const [source, sink] = [harness.open(), harness.open()];
    for (const on of [nobody, channel]) harness.source(source, on);
    harness.sink(sink, channel, types);
    read(
      source,
      [nobody, 0, 50],
      [channel, 1, 50],
      [channel, 2, 500],
      [nobody, 3, 10],
      [channel, 4, 50],
      [channel, 5, 900],
    );
    expect(sink.drain().deliveries.map(({ event }) => check(event))).toEqual([1, 2, 4, 5]);
  });

  test("are not overwritten when the range before them overflowed an inbox at once", () => {
    const harness = Harness.create({ storeBytes: STORE_BYTES });
    const [tight, channel] = [harness.channel("tight"), harness.channel("c")];
    const [source, first, second] = [harness.open(), harness.open(), harness.open()];
    for (const on of [tight, channel]) harness.source(source, on);
    harness.sink(first, tight);
    first.inbox(10, 20, abi.OVERFLOW_DROP_OLDEST);
    harness.sink(second, channel);
    for (let turn = 0; turn < 20; turn++) {
      const keyed = { type: "t", key: "k", ttlMs: 1000n };
      source.publish(tight, [keyed]);
      read(
        source,
        [tight, 0, 60],
        [channel, 1, 60],
        [channel, 2, 700],
        [tight, 3, 300_000],
        [channel, 4, 60],
        [channel, 5, 700],
      );
      expect(second.drain().deliveries.map(({ event }) => check(event))).toEqual([1, 2, 4, 5]);
    }
  });
});
