/**
 * Memory that stays where it is: a running core takes no page for the next event, and a session that ends gives
 * everything back. Nothing is measured here but pages.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeFrame } from "./frames.ts";
import { Harness } from "./harness.ts";
import { join, sizeDelimited } from "./wire.ts";

/** Nightly runs set it higher. */
const FACTOR = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? "1");

/** Publishes `events` events of one shape in landing zones, draining without decoding. Gives pages after each round. */
function run(harness: Harness, event: object, events: number, flags = abi.CHANNEL_ECHO): number[] {
  const channel = harness.channel(`c${harness.channelNumbers.size}`, { flags });
  const source = harness.open();
  harness.source(source, channel);
  const sinks = [abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET].map((kind) => harness.open(kind));
  for (const sink of sinks) harness.sink(sink, channel);
  const batch = Array.from({ length: 100 }, () => ({ type: "t", ...event }));
  const frame = sizeDelimited(
    encodeFrame({ kind: { case: "publish", value: { channelNumber: channel, events: batch } } }),
  );
  const chunk = join(...Array.from({ length: Math.max(1, Math.floor(abi.LANDING_BYTES / frame.length)) }, () => frame));
  const perChunk = (chunk.length / frame.length) * 100;
  const { core } = harness;
  const pages: number[] = [];
  let delivered = 0;
  const rounds = Math.ceil(events / perChunk);
  for (let round = 0; round < rounds; round++) {
    harness.now += 0.25;
    harness.memory.set(chunk, abi.LANDING_OFFSET);
    expect(core.ingest(source.id, abi.LANDING_OFFSET, chunk.length, harness.now)).toBe(chunk.length);
    for (const sink of sinks) {
      while (core.drain(sink.id, abi.OUT_OFFSET, abi.OUT_SLOT_BYTES, harness.now) > 0) {
        delivered += harness.result(abi.RESULT_DELIVERIES);
      }
    }
    if (round % 16 === 15) pages.push(harness.statistic(abi.STATISTIC_PAGES_USED));
  }
  expect(delivered).toBe(2 * rounds * perChunk);
  return pages;
}

describe("PAGES_USED stays constant", () => {
  test.each([
    { name: "10^6 plain events", event: { data: new Uint8Array(60) }, events: 1_000_000 },
    {
      name: "2 · 10^5 events with a key and a deadline",
      event: { key: "k", ttlMs: 1000n, data: new Uint8Array(60) },
      events: 200_000,
    },
    { name: "2 · 10^4 events of 1 KB", event: { data: new Uint8Array(1000) }, events: 20_000 },
  ])("over $name with sinks that drain", ({ event, events }) => {
    const pages = run(Harness.create(), event, events * FACTOR);
    const settled = pages.slice(Math.ceil(pages.length / 4));
    expect(settled.length).toBeGreaterThan(2);
    expect(new Set(settled).size).toBe(1);
  });

  test("over a long run with a stalled sink that overflows all the time", () => {
    const harness = Harness.create();
    const channel = harness.channel("stalled");
    const source = harness.open();
    harness.source(source, channel);
    const slow = harness.open();
    harness.sink(slow, channel);
    slow.inbox(500, 200_000, abi.OVERFLOW_DROP_OLDEST);
    const pages: number[] = [];
    const batch = Array.from({ length: 50 }, (_, index) => ({
      type: "t",
      key: `k${index}`,
      data: new Uint8Array(1000),
    }));
    for (let turn = 0; turn < 800 * FACTOR; turn++) {
      source.publish(channel, batch);
      pages.push(harness.statistic(abi.STATISTIC_PAGES_USED));
    }
    const settled = pages.slice(pages.length / 2);
    expect(Math.max(...settled) - Math.min(...settled)).toBeLessThanOrEqual(2);
    expect(Math.max(...settled)).toBeLessThanOrEqual(Math.max(...pages.slice(0, pages.length / 2)) + 1);
  });
});

describe("everything is given back", () => {
  /** One life of a session with everything a session can have. */
  function life(harness: Harness, turn: number): void {
    const channel = harness.channel(`channel-${turn}`, { types: ["t", `type-${turn}`] });
    const kinds = [
      abi.CONNECTION_STREAM,
      abi.CONNECTION_WEBSOCKET,
      abi.CONNECTION_WEBSOCKET_JSON,
      abi.CONNECTION_LOCAL,
    ];
    const connections = kinds.map((kind) => harness.open(kind, `/source-${turn}`));
    const [source, second, third] = connections;
    if (source === undefined || second === undefined || third === undefined) throw new Error("no connections");
    harness.source(source, channel);
    for (const connection of connections) harness.sink(connection, channel, [`type-${turn}`, "t"]);
    const member = harness.sink(second, channel);
    second.inbox(3, 1_000_000, abi.OVERFLOW_DROP_OLDEST);
    second.feed(
      second.wrap(
        encodeFrame({
          kind: { case: "update", value: { member, attributes: { load: { kind: { case: "number", value: turn } } } } },
        }),
      ),
    );
    third.credit(2, 1_000_000);
    source.publish(
      channel,
      Array.from({ length: 5 }, (_, index) => ({ type: "t", key: `k${index}`, ttlMs: 5n, data: new Uint8Array(300) })),
    );
    source.cancel(channel, "k1");
    harness.core.controlPush(third.id, abi.STAGE_OFFSET, harness.stage(new Uint8Array([0x5a, 0])));
    third.drain();
    // Half a frame stays in the assembly buffer, half a message in the WebSocket one.
    source.feed(source.wrap(new Uint8Array(500)).subarray(0, 200));
    if (turn % 2 === 0) harness.core.memberRemove(second.id, member);
    if (turn % 3 === 0) harness.core.channelRemove(channel);
    for (const connection of turn % 2 === 0 ? connections : [...connections].reverse()) connection.close();
    if (turn % 3 !== 0) harness.core.channelRemove(channel);
    harness.dirty();
  }

  test("connections, channels and members leave no page behind over thousands of lives", () => {
    const harness = Harness.create();
    const turns = 3000 * FACTOR;
    const pages: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      life(harness, turn);
      pages.push(harness.statistic(abi.STATISTIC_PAGES_USED));
    }
    for (const index of [
      abi.STATISTIC_CONNECTIONS,
      abi.STATISTIC_CHANNELS,
      abi.STATISTIC_MEMBERS,
      abi.STATISTIC_PARKED,
    ]) {
      expect(harness.statistic(index)).toBe(0);
    }
    // What a table took for its first entries it may keep; from then on there is no growth.
    expect(Math.max(...pages.slice(turns / 3))).toBeLessThanOrEqual(Math.max(...pages.slice(0, turns / 3)));
    expect(pages.at(-1)).toBe(pages[Math.floor(turns / 3)]);
  });

  test("ten thousand sinks at once, twice: the second time takes no more than the first", () => {
    const harness = Harness.create({ poolBytes: 96 * 1024 * 1024 });
    const channel = harness.channel("c");
    const source = harness.open();
    harness.source(source, channel);
    const peaks: number[] = [];
    const rests: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const sinks = Array.from({ length: 10_000 }, () => {
        const connection = harness.open();
        harness.sink(connection, channel);
        return connection;
      });
      source.publish(channel, [{ type: "t" }]);
      peaks.push(harness.statistic(abi.STATISTIC_PAGES_USED));
      for (const sink of sinks) sink.close();
      rests.push(harness.statistic(abi.STATISTIC_PAGES_USED));
    }
    expect(peaks[2]).toBe(peaks[1]);
    expect(rests[2]).toBe(rests[1]);
  });
});
