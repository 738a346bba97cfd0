/** What an inbox holds and will not deliver: late and cancelled events. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;

/** A source and a sink with a small inbox. */
function small(capacityEvents: number, overflow: number, flags: number = abi.CHANNEL_ECHO) {
  const harness = Harness.create();
  const channel = harness.channel("c", { flags });
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  expect(sink.inbox(capacityEvents, BYTES_MAX, overflow)).toBe(abi.STATUS_OK);
  const publish = (...types: string[]) =>
    source.receipt(
      channel,
      types.map((type) => ({ type })),
    );
  return { harness, channel, source, sink, publish };
}

const types = (events: readonly { type: string }[]) => events.map((event) => event.type);

describe("lateness", () => {
  test.each([
    { name: "delivered at the very deadline", flags: abi.CHANNEL_LATE_DROP, afterMs: 10, late: 0 },
    { name: "dropped after it", flags: abi.CHANNEL_LATE_DROP, afterMs: 10.001, late: 1 },
    { name: "delivered where late events are", flags: 0, afterMs: 1000, late: 0 },
  ])("an event is $name", ({ flags, afterMs, late }) => {
    const { harness, channel, source, sink } = small(10, abi.OVERFLOW_DROP_OLDEST, flags);
    source.publish(channel, [{ type: "1", ttlMs: 10n }, { type: "2" }]);
    harness.now += afterMs;
    const drained = sink.drain();
    expect(types(drained.deliveries.map((delivery) => delivery.event))).toEqual(late === 1 ? ["2"] : ["1", "2"]);
    const dropped = mergeDropped(drained.dropped, sink.drain().dropped);
    expect(dropped.get(`${channel}/late`) ?? 0).toBe(late);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LATE)).toBe(late);
    expect(drained.deliveries.map((delivery) => delivery.number)).toEqual(late === 1 ? [1n] : [1n, 2n]);
  });

  test("an event that is late on arrival is never delivered and counted", () => {
    const { harness, channel, source, sink } = small(10, abi.OVERFLOW_DROP_OLDEST, abi.CHANNEL_LATE_DROP);
    source.publish(channel, [
      { type: "1", deliverByUs: 1n },
      { type: "2", ttlMs: 0n },
    ]);
    expect(types(sink.events())).toEqual(["2"]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LATE)).toBe(1);
  });
});

describe("cancel", () => {
  test("withdraws undelivered events of the key on that channel from every inbox", () => {
    const { harness, channel, source, sink } = small(10, abi.OVERFLOW_DROP_OLDEST);
    const other = harness.channel("other");
    harness.source(source, other);
    const second = harness.open();
    for (const on of [channel, other]) harness.sink(second, on);
    source.publish(channel, [
      { type: "1", key: "k" },
      { type: "2", key: "kk" },
      { type: "3" },
      { type: "4", key: "k" },
    ]);
    source.publish(other, [{ type: "5", key: "k" }]);
    expect(source.cancel(channel, "k")).toEqual([]);
    source.publish(channel, [{ type: "6", key: "k" }]);
    expect(types(sink.events())).toEqual(["2", "3", "6"]);
    const drained = second.drain();
    expect(types(drained.deliveries.map((delivery) => delivery.event))).toEqual(["2", "3", "5", "6"]);
    expect([...drained.dropped]).toEqual([[`${channel}/cancelled`, 2]]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_CANCELLED)).toBe(4);
  });

  test("spares events younger than its moment", () => {
    const { channel, source, sink } = small(10, abi.OVERFLOW_DROP_OLDEST);
    source.publish(channel, [
      { type: "1", key: "k", timeUs: 1000n },
      { type: "2", key: "k", timeUs: 1001n },
    ]);
    source.cancel(channel, "k", 1000n);
    expect(types(sink.events())).toEqual(["2"]);
  });

  test("of what a sink held back takes effect before it is let go, and frees its room at once", () => {
    const { channel, source, sink, publish } = small(2, abi.OVERFLOW_DROP_NEWEST);
    sink.hold(true);
    source.publish(channel, [{ type: "1" }, { type: "2", key: "k" }]);
    source.cancel(channel, "k");
    publish("3");
    expect([...sink.drain().dropped]).toEqual([[`${channel}/cancelled`, 1]]);
    sink.hold(false);
    expect(types(sink.events())).toEqual(["1", "3"]);
  });

  test("of an unknown channel number is a problem", () => {
    const { source } = small(2, abi.OVERFLOW_DROP_NEWEST);
    expect(source.cancel(99, "k")).toMatchObject([
      { reason: "problem", status: abi.STATUS_CHANNEL_UNKNOWN, value: 99 },
    ]);
  });
});

function mergeDropped(...maps: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  return new Map(maps.flatMap((map) => [...map]));
}
