import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

/** HostFrame { pong {} }. */
const PONG = Uint8Array.of(0x5a, 0);
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

describe("overflow", () => {
  test("drop-oldest keeps the newest and tells the count once", () => {
    const { harness, channel, sink, publish } = small(2, abi.OVERFLOW_DROP_OLDEST);
    publish("1", "2", "3", "4", "5");
    const drained = sink.drain();
    expect(drained.deliveries.map(({ event, number }) => [event.type, number])).toEqual([
      ["4", 1n],
      ["5", 2n],
    ]);
    expect([...drained.dropped]).toEqual([[`${channel}/overflow`, 3]]);
    expect(drained.frames[0]?.kind.case).toBe("dropped");
    expect(drained.frames.filter((frame) => frame.kind.case === "dropped")).toHaveLength(1);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(3);
    publish("6");
    expect(sink.drain().dropped.size).toBe(0);
  });

  test("drop-newest keeps the oldest", () => {
    const { channel, sink, publish } = small(2, abi.OVERFLOW_DROP_NEWEST);
    const records = publish("1", "2", "3");
    expect(records.map((record) => record.status)).toEqual([0, 0, 0]);
    const drained = sink.drain();
    expect(types(drained.deliveries.map((delivery) => delivery.event))).toEqual(["1", "2"]);
    expect([...drained.dropped]).toEqual([[`${channel}/overflow`, 1]]);
  });

  test("reject refuses with STATUS_MAILBOX_FULL and the capacity, and takes no sequence", () => {
    const { harness, channel, source, sink, publish } = small(2, abi.OVERFLOW_REJECT);
    const records = publish("1", "2", "3");
    expect(records[2]).toMatchObject({ status: abi.STATUS_MAILBOX_FULL, limit: 2, sequence: 0n });
    expect(source.publish(channel, [{ type: "4" }])).toMatchObject([
      { reason: "problem", status: abi.STATUS_MAILBOX_FULL, limit: 2, index: 0 },
    ]);
    expect(harness.core.channelSequence(channel)).toBe(2);
    const drained = sink.drain();
    expect(types(drained.deliveries.map((delivery) => delivery.event))).toEqual(["1", "2"]);
    expect(drained.dropped.size).toBe(0);
    expect(publish("5")[0]?.status).toBe(abi.STATUS_OK);
  });

  test("reject by one of several sinks is accepted, with the refusals counted", () => {
    const { harness, channel, sink, publish } = small(1, abi.OVERFLOW_REJECT);
    const other = harness.open();
    harness.sink(other, channel);
    const records = publish("1", "2");
    expect(records.map(({ status, sinks, refused }) => [status, sinks, refused])).toEqual([
      [0, 2, 0],
      [0, 2, 1],
    ]);
    expect(types(sink.events())).toEqual(["1"]);
    expect(types(other.events())).toEqual(["1", "2"]);
  });

  test("capacity in bytes overflows as well", () => {
    const { harness, channel, source, sink } = small(100, abi.OVERFLOW_DROP_OLDEST);
    const event = (id: string) => ({ id, type: "t", data: new Uint8Array(1000) });
    source.publish(channel, [event("1")]);
    const each = harness.core.inboxBytes(sink.id);
    expect(each).toBeGreaterThan(1000);
    sink.inbox(100, each * 2, abi.OVERFLOW_DROP_OLDEST);
    source.publish(channel, [event("2"), event("3")]);
    expect(sink.events().map(({ id }) => id)).toEqual(["2", "3"]);
  });

  test.each([
    { name: "of exactly its bytes keeps", less: 0, kept: 3 },
    { name: "one byte smaller drops", less: 1, kept: 2 },
  ])("a capacity $name the last event", ({ less, kept }) => {
    for (const overflow of [abi.OVERFLOW_DROP_OLDEST, abi.OVERFLOW_DROP_NEWEST]) {
      const { harness, channel, source, sink } = small(100, overflow);
      const event = { type: "t", data: new Uint8Array(1000) };
      source.publish(channel, [event, event, event]);
      const bytes = harness.core.inboxBytes(sink.id);
      sink.drain();
      sink.inbox(100, bytes - less, overflow);
      source.publish(channel, [event, event, event]);
      expect(harness.core.inboxEvents(sink.id)).toBe(kept);
      expect(sink.events()).toHaveLength(kept);
    }
  });

  test("a smaller capacity drops at once what is beyond it", () => {
    const { channel, sink, harness, publish } = small(10, abi.OVERFLOW_DROP_OLDEST);
    publish("1", "2", "3", "4");
    sink.inbox(2, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST);
    expect(harness.core.inboxEvents(sink.id)).toBe(2);
    const drained = sink.drain();
    expect(types(drained.deliveries.map((delivery) => delivery.event))).toEqual(["3", "4"]);
    expect(drained.dropped.get(`${channel}/overflow`)).toBe(2);
  });

  test("inboxEvents() and inboxBytes() count what waits and fall to zero", () => {
    const { harness, sink, publish } = small(10, abi.OVERFLOW_DROP_OLDEST);
    publish("1", "2", "3");
    expect(harness.core.inboxEvents(sink.id)).toBe(3);
    const waiting = harness.core.inboxBytes(sink.id);
    const { bytes } = sink.drain();
    expect(waiting).toBe(bytes.length);
    expect(harness.core.inboxEvents(sink.id)).toBe(0);
    expect(harness.core.inboxBytes(sink.id)).toBe(0);
  });

  test("notices are one per channel and reason", () => {
    const { harness, channel, source, sink } = small(1, abi.OVERFLOW_DROP_OLDEST);
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(sink, other);
    for (const on of [channel, other, channel, other, channel]) source.publish(on, [{ type: "t", key: "k" }]);
    source.cancel(channel, "k");
    const drained = sink.drain();
    expect(Object.fromEntries(drained.dropped)).toEqual({
      [`${channel}/overflow`]: 2,
      [`${other}/overflow`]: 2,
      [`${channel}/cancelled`]: 1,
    });
    expect(drained.frames.filter((frame) => frame.kind.case === "dropped")).toHaveLength(3);
  });
});

describe("credit", () => {
  test("no credit frame, no window; the first one ends that", () => {
    const { sink, publish } = small(100, abi.OVERFLOW_DROP_OLDEST);
    publish("1", "2");
    expect(sink.events()).toHaveLength(2);
    sink.credit(2, 1_000_000);
    publish("3", "4", "5", "6");
    expect(types(sink.events())).toEqual(["3", "4"]);
    expect(types(sink.events())).toEqual([]);
    sink.credit(1, 0);
    expect(types(sink.events())).toEqual(["5"]);
  });

  test("events and bytes are separate windows, and both add up", () => {
    const { harness, sink, publish } = small(100, abi.OVERFLOW_DROP_OLDEST);
    publish("1", "2", "3");
    const each = harness.core.inboxBytes(sink.id) / 3;
    sink.credit(100, each);
    expect(types(sink.events())).toEqual(["1"]);
    sink.credit(0, each * 2);
    expect(types(sink.events())).toEqual(["2", "3"]);
  });

  test("credit with ref is answered", () => {
    const { sink } = small(100, abi.OVERFLOW_DROP_OLDEST);
    const value = { events: 1n, bytes: 1n };
    expect(sink.send({ ref: 8, kind: { case: "credit", value } })).toEqual([{ reason: "answer", ref: 8 }]);
    expect(sink.send({ kind: { case: "credit", value } })).toEqual([]);
  });

  test.each([
    { name: "events alone", credit: [2, 0] as const, want: 2 },
    { name: "bytes alone", credit: [0, 1] as const, want: 1 },
  ])("a first grant of $name leaves the other without a window", ({ credit: [events, bytes], want }) => {
    const { sink, publish } = small(100, abi.OVERFLOW_DROP_OLDEST);
    sink.credit(events, bytes);
    publish("1", "2", "3");
    expect(sink.events()).toHaveLength(want);
  });

  test("one event may overdraw the credit in bytes, so that none is larger than any credit", () => {
    const { harness, sink, publish } = small(100, abi.OVERFLOW_DROP_OLDEST);
    sink.credit(100, 1);
    publish("1", "2");
    expect(types(sink.events())).toEqual(["1"]);
    sink.credit(0, harness.core.inboxBytes(sink.id) - 1);
    expect(types(sink.events())).toEqual([]);
    sink.credit(0, 1);
    expect(types(sink.events())).toEqual(["2"]);
  });

  test("the largest grants do not wrap around", () => {
    const { sink, publish } = small(100, abi.OVERFLOW_DROP_OLDEST);
    const value = { events: 2n ** 64n - 1n, bytes: 2n ** 64n - 1n };
    for (let turn = 0; turn < 3; turn++) sink.send({ kind: { case: "credit", value } });
    publish("1", "2");
    expect(sink.events()).toHaveLength(2);
  });

  test("answers and notices of drops need no credit", () => {
    const { channel, sink, publish, harness } = small(1, abi.OVERFLOW_DROP_OLDEST);
    sink.credit(1, 1_000_000);
    publish("1");
    sink.events();
    publish("2", "3");
    harness.core.controlPush(sink.id, abi.STAGE_OFFSET, harness.stage(PONG));
    const drained = sink.drain();
    expect(drained.frames.map((frame) => frame.kind.case)).toEqual(["pong", "dropped"]);
    expect([...drained.dropped]).toEqual([[`${channel}/overflow`, 1]]);
  });
});

describe("hold", () => {
  test("a held inbox fills, its answers pass, and release gives everything in order", () => {
    const { harness, sink, publish } = small(100, abi.OVERFLOW_DROP_OLDEST);
    sink.hold(true);
    publish("1", "2");
    harness.core.controlPush(sink.id, abi.STAGE_OFFSET, harness.stage(PONG));
    expect(sink.drain().frames.map((frame) => frame.kind.case)).toEqual(["pong"]);
    sink.hold(false);
    expect(types(sink.events())).toEqual(["1", "2"]);
  });
});
