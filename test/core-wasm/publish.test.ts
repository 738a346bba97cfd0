import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeEvent, encodeFrame } from "./frames.ts";
import { Harness } from "./harness.ts";

/** A source and a sink on one channel. */
function pair(options: Parameters<Harness["channel"]>[1] = {}) {
  const harness = Harness.create({ now: 1_700_000_000_000.25 });
  const channel = harness.channel("c", options);
  const source = harness.open(abi.CONNECTION_STREAM, "/web/1");
  const sink = harness.open();
  harness.source(source, channel);
  harness.sink(sink, channel);
  return { harness, channel, source, sink };
}

describe("what is appended", () => {
  test("time and source of the session where the event has none", () => {
    const { channel, source, sink } = pair();
    source.publish(channel, [{ type: "t" }]);
    const [event] = sink.events();
    expect(event?.source).toBe("/web/1");
    expect(event?.timeUs).toBe(1_700_000_000_000_250n);
    expect(event?.deliverByUs).toBeUndefined();
    expect(event?.priority).toBeUndefined();
  });

  test("nothing where the event has them", () => {
    const { channel, source, sink } = pair({ ttlMs: 5 });
    const given = { type: "t", source: "/mine", timeUs: 5n, deliverByUs: 9_000_000_000_000_000n };
    source.publish(channel, [given]);
    const [event] = sink.events();
    expect(event).toMatchObject(given);
  });

  test("deliver_by from the event's own ttl_ms, before the channel's", () => {
    const { channel, source, sink } = pair({ ttlMs: 5 });
    source.publish(channel, [{ type: "t", ttlMs: 250n }, { type: "t" }]);
    const [own, inherited] = sink.events();
    expect(own?.deliverByUs).toBe(1_700_000_000_250_250n);
    expect(own?.ttlMs).toBe(250n);
    expect(inherited?.deliverByUs).toBe(1_700_000_000_005_250n);
  });

  test("the earlier moment where a deliver_by and a ttl_ms are given", () => {
    const { channel, source, sink } = pair();
    source.publish(channel, [
      { type: "t", ttlMs: 250n, deliverByUs: 8_000_000_000_000_000n },
      { type: "t", ttlMs: 250n, deliverByUs: 1_700_000_000_000_500n },
    ]);
    expect(sink.events().map(({ deliverByUs }) => deliverByUs)).toEqual([
      1_700_000_000_250_250n,
      1_700_000_000_000_500n,
    ]);
  });

  test("the channel's priority where it is not 4 and the event has none", () => {
    const { channel, source, sink } = pair({ priority: 7 });
    source.publish(channel, [{ type: "t" }, { type: "t", priority: 4 }, { type: "t", priority: 0 }]);
    expect(sink.events().map(({ priority }) => priority)).toEqual([7, 4, 0]);
  });

  test("after the source's own bytes, which stay as they are", () => {
    const { channel, source, sink } = pair();
    const given = { id: "i", type: "t", subject: "s", key: "k", priority: 9, data: new Uint8Array([1, 2]) };
    source.publish(channel, [given]);
    const { rawFrames, deliveries } = sink.drain();
    expect(Buffer.from(rawFrames[0] ?? []).includes(Buffer.from(encodeEvent(given)))).toBe(true);
    expect(deliveries[0]?.event).toMatchObject({ id: "i", type: "t", subject: "s", key: "k", priority: 9 });
  });
});

describe("sequences, numbers and receipts", () => {
  test("sequence counts per channel from 1, number per inbox from 1", () => {
    const { harness, channel, source, sink } = pair();
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(sink, other);
    source.publish(channel, [{ type: "a" }, { type: "b" }]);
    source.publish(other, [{ type: "c" }]);
    source.publish(channel, [{ type: "d" }]);
    const seen = sink
      .drain()
      .deliveries.map(({ channel: on, sequence, number, event }) => [on, sequence, number, event.type]);
    expect(seen).toEqual([
      [channel, 1n, 1n, "a"],
      [channel, 2n, 2n, "b"],
      [other, 1n, 3n, "c"],
      [channel, 3n, 4n, "d"],
    ]);
    expect(harness.core.channelSequence(channel)).toBe(3);
    expect(harness.core.channelSequence(other)).toBe(1);
  });

  test("a receipt has one record per event, in order, with selected members as sinks", () => {
    const { harness, channel, source } = pair();
    harness.sink(harness.open(), channel, ["b"]);
    const records = source.receipt(channel, [{ type: "a" }, { type: "b" }, { type: "" }, { type: "b" }]);
    expect(records.map(({ status, sinks, sequence, channel: on }) => [status, sinks, sequence, on])).toEqual([
      [abi.STATUS_OK, 1, 1n, channel],
      [abi.STATUS_OK, 2, 2n, channel],
      [abi.STATUS_TYPE_MISSING, 0, 0n, channel],
      [abi.STATUS_OK, 2, 3n, channel],
    ]);
  });

  test("an event for nobody is accepted and takes a sequence", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const source = harness.open();
    harness.source(source, channel);
    expect(source.receipt(channel, [{ type: "t" }])).toMatchObject([{ status: abi.STATUS_OK, sinks: 0, sequence: 1n }]);
  });

  test("a publish without ref makes no receipt; one of no events an empty one", () => {
    const { channel, source } = pair();
    expect(source.publish(channel, [{ type: "t" }])).toEqual([]);
    expect(source.publish(channel, [], 5)).toEqual([{ reason: "receipt", ref: 5, records: [] }]);
  });

  test("ref 0 is a ref", () => {
    const { channel, source } = pair();
    expect(source.publish(channel, [{ type: "t" }], 0)).toMatchObject([{ reason: "receipt", ref: 0 }]);
  });

  test("a refused event without ref is a problem with its index; the others go on", () => {
    const { channel, source, sink } = pair();
    const outcomes = source.publish(channel, [{ type: "a" }, { type: "" }, { type: "b" }]);
    expect(outcomes).toEqual([
      {
        reason: "problem",
        status: abi.STATUS_TYPE_MISSING,
        value: expect.anything(),
        limit: expect.anything(),
        index: 1,
      },
    ]);
    expect(sink.events().map((event) => event.type)).toEqual(["a", "b"]);
  });

  test("more than PUBLISH_EVENTS_MAX events in one publish are refused with that limit", () => {
    const { channel, source } = pair();
    const events = Array.from({ length: abi.PUBLISH_EVENTS_MAX + 1 }, () => ({ type: "t" }));
    const outcomes = source.publish(channel, events, 1);
    expect(outcomes).toMatchObject([{ reason: "problem", status: abi.STATUS_LIMIT, limit: abi.PUBLISH_EVENTS_MAX }]);
    expect(source.receipt(channel, events.slice(1))).toHaveLength(abi.PUBLISH_EVENTS_MAX);
  });
});

describe("naming the channel", () => {
  test("by name as by number", () => {
    const { source, sink } = pair();
    const value = { channel: "c", events: [{ type: "t" }] };
    expect(source.send({ ref: 1, kind: { case: "publish", value } })).toMatchObject([{ reason: "receipt" }]);
    expect(sink.events()).toHaveLength(1);
  });

  test("REASON_SOURCE hands up the whole frame where the connection is no source, and nothing is published", () => {
    const { harness, sink } = pair();
    const stranger = harness.open();
    stranger.implicitSources = false;
    const value = { channel: "c", events: [{ type: "x" }, { type: "y" }] };
    const outcomes = stranger.send({ ref: 4, kind: { case: "publish", value } });
    expect(outcomes).toMatchObject([{ reason: "source", ref: 4, frame: { ref: 4, kind: { case: "publish" } } }]);
    expect(sink.events()).toEqual([]);
  });

  test("after REASON_SOURCE the frame goes on by ingestFrame(), in order with what follows", () => {
    const { harness, channel, sink } = pair();
    const stranger = harness.open(abi.CONNECTION_STREAM, "/stranger");
    const [first, second] = ["x", "y"].map((type) => stranger.wrap(encodePublish("c", type)));
    const outcomes = stranger.feed(new Uint8Array([...(first ?? []), ...(second ?? [])]));
    expect(outcomes).toEqual([]);
    expect(sink.events().map((event) => [event.type, event.source])).toEqual([
      ["x", "/stranger"],
      ["y", "/stranger"],
    ]);
    expect(harness.core.channelSources(channel)).toBe(2);
  });

  test("an unknown name asks the host, an unknown number is a problem that names it", () => {
    const { source } = pair();
    source.implicitSources = false;
    const value = { channel: "nowhere", events: [{ type: "t" }] };
    expect(source.send({ kind: { case: "publish", value } })).toMatchObject([{ reason: "source" }]);
    expect(source.publish(4711, [{ type: "t" }])).toMatchObject([
      { reason: "problem", status: abi.STATUS_CHANNEL_UNKNOWN, value: 4711 },
    ]);
  });

  test("a stale number of a removed channel never reaches its successor", () => {
    const { harness, channel, source } = pair();
    harness.core.channelRemove(channel);
    const next = harness.channel("next");
    const sink = harness.open();
    harness.sink(sink, next);
    source.implicitSources = false;
    source.publish(channel, [{ type: "t" }]);
    expect(sink.events()).toEqual([]);
  });

  test("name and number in one publish are refused", () => {
    const { channel, source, sink } = pair();
    const value = { channel: "c", channelNumber: channel, events: [{ type: "t" }] };
    expect(source.send({ kind: { case: "publish", value } })).toMatchObject([{ reason: "problem" }]);
    expect(sink.events()).toEqual([]);
  });
});

function encodePublish(channel: string, type: string): Uint8Array {
  return encodeFrame({ kind: { case: "publish", value: { channel, events: [{ type }] } } });
}
