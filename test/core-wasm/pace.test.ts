/**
 * WebSockets that grant no credit: deliveries go as pongs come back, so that what waits does so in its inbox, in order.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { Drained } from "./drained.ts";
import { Harness } from "./harness.ts";
import { clientFrame, OPCODE_PING, OPCODE_PONG } from "./websocket.ts";

const WINDOW = 16_384;
const kinds = [
  ["binary", abi.CONNECTION_WEBSOCKET],
  ["JSON", abi.CONNECTION_WEBSOCKET_JSON],
] as const;

function createPaced(kind: number = abi.CONNECTION_WEBSOCKET, ordering: number = abi.ORDERING_PRIORITY) {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open(kind)];
  harness.source(source, channel);
  harness.sink(sink, channel);
  sink.inbox(65_536, 16 * 1024 * 1024, abi.OVERFLOW_DROP_OLDEST, ordering);
  harness.core.connectionPace(sink.id, WINDOW);
  let made = 0;
  const publish = (count: number, bytes: number, priority = 4) => {
    for (let index = 0; index < count; index++) {
      source.publish(channel, [{ id: `${made++}`, type: "t", priority, data: new Uint8Array(bytes) }]);
    }
  };
  const pings = ({ controls }: Drained) => controls.filter(({ opcode }) => opcode === OPCODE_PING);
  /** Answers the pings of a drain, as every WebSocket client does. */
  const pong = (drained: Drained) => {
    for (const { payload } of pings(drained)) sink.feed(clientFrame(OPCODE_PONG, payload));
  };
  return { harness, channel, source, sink, publish, pong, pings };
}

const ids = (drained: Drained): string[] => drained.deliveries.map(({ event }) => event.id);
const bytesOf = ({ bytes }: Drained): number => bytes.length;

describe("the window", () => {
  test.each(kinds)("%s: bounds what is on its way, and what is urgent overtakes what waits", (_, kind) => {
    const { sink, publish, pong, pings } = createPaced(kind);
    publish(200, 1000);
    const first = sink.drain();
    expect(bytesOf(first)).toBeLessThan(WINDOW + 2_000);
    expect(first.deliveries.length).toBeGreaterThanOrEqual(15);
    expect(pings(first)).toHaveLength(1);
    publish(1, 1000, 9);
    expect(sink.drain().deliveries).toHaveLength(0);
    pong(first);
    const second = sink.drain();
    expect(ids(second)[0]).toBe("200");
    expect(bytesOf(second)).toBeLessThan(WINDOW + 2_000);
  });

  test("small deliveries cost no ping each, and whoever answers gets everything in order", () => {
    const { sink, publish, pong, pings } = createPaced();
    let asked = 0;
    const got: string[] = [];
    for (let round = 0; round < 500; round++) {
      publish(2, 40);
      const drained = sink.drain();
      asked += pings(drained).length;
      got.push(...ids(drained));
      pong(drained);
    }
    expect(got).toEqual(Array.from({ length: 1000 }, (_, index) => `${index}`));
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(20);
  });

  test("an event larger than the window goes alone, with its ping", () => {
    const { sink, publish, pong, pings } = createPaced();
    publish(3, 1_000_000);
    for (let index = 0; index < 3; index++) {
      const drained = sink.drain();
      expect(ids(drained)).toEqual([`${index}`]);
      expect(pings(drained)).toHaveLength(1);
      pong(drained);
    }
  });

  test("pongs that answer nothing give nothing", () => {
    const { sink, publish, pings } = createPaced();
    publish(100, 1000);
    const first = sink.drain();
    const payload = pings(first)[0]?.payload as Uint8Array;
    for (const wrong of [new Uint8Array(0), payload.slice(1), payload.map((byte) => byte + 1), new Uint8Array(125)])
      sink.feed(clientFrame(OPCODE_PONG, wrong));
    expect(sink.drain().deliveries).toHaveLength(0);
    for (let again = 0; again < 3; again++) sink.feed(clientFrame(OPCODE_PONG, payload));
    expect(bytesOf(sink.drain())).toBeLessThan(WINDOW + 2_000);
  });

  test("the first credit frame ends it: from then on the client says how much", () => {
    const { sink, publish, pong, pings } = createPaced();
    publish(100, 1000);
    const first = sink.drain();
    pong(first);
    const sent = first.deliveries.length;
    sink.credit(5, 1_000_000);
    const next = sink.drain();
    expect(next.deliveries).toHaveLength(5);
    expect(pings(next)).toHaveLength(0);
    sink.credit(1000, 1_000_000);
    expect(sink.drain().deliveries).toHaveLength(100 - sent - 5);
  });

  test("holding stops it, releasing goes on, and nothing comes behind a goodbye", () => {
    const { harness, sink, publish, pong, pings } = createPaced();
    publish(8, 1000);
    sink.hold(true);
    expect(bytesOf(sink.drain())).toBe(0);
    sink.hold(false);
    const drained = sink.drain();
    expect(drained.deliveries).toHaveLength(8);
    pong(drained);
    publish(8, 1000);
    sink.hold(true);
    harness.core.closePush(sink.id, 1000, abi.STAGE_OFFSET, 0);
    expect(pings(sink.drain())).toHaveLength(0);
  });

  test("other kinds are paced by their sockets", () => {
    const { sink, publish, pings } = createPaced(abi.CONNECTION_STREAM);
    publish(200, 1000);
    const drained = sink.drain();
    expect(drained.deliveries).toHaveLength(200);
    expect(pings(drained)).toHaveLength(0);
  });
});

/** Bytes that one round of a client brings which takes `bytesPerMs`, on a way that takes `travelMs`, after many rounds. */
function settled(bytesPerMs: number, travelMs: number): number {
  const { harness, channel, source, sink } = createPaced(abi.CONNECTION_WEBSOCKET, abi.ORDERING_FIFO);
  const { core, memory } = harness;
  const batch = Array.from({ length: 30 }, () => ({ type: "t", data: new Uint8Array(4_000) }));
  const sizes: number[] = [];
  for (let round = 0; round < 240; round++) {
    while (core.inboxBytes(sink.id) < 3_000_000) source.publish(channel, batch);
    const bytes = core.drain(sink.id, abi.OUT_OFFSET, abi.OUT_SLOT_BYTES, harness.now);
    harness.now += travelMs + bytes / bytesPerMs;
    // The ping is the last that was written.
    sink.feed(clientFrame(OPCODE_PONG, memory.slice(abi.OUT_OFFSET + bytes - 4, abi.OUT_OFFSET + bytes)));
    if (round >= 120) sizes.push(bytes);
  }
  return sizes.sort((one, other) => one - other)[60] as number;
}

describe("its size", () => {
  test("grows while that brings more: a far client is not slowed", () => {
    expect(settled(10_000, 50)).toBeGreaterThan(8 * WINDOW);
  });

  test("shrinks while that costs nothing: a slow client has its events in order", () => {
    expect(settled(10, 0.1)).toBeLessThanOrEqual(WINDOW);
  });
});

describe("the first grant", () => {
  test.each(kinds)("%s: counts what is in flight", (_, kind) => {
    const { sink, publish, pong } = createPaced(kind);
    publish(200, 1000);
    const first = sink.drain();
    const flies = first.deliveries.length;
    sink.credit(flies + 3, 10_000_000);
    expect(ids(sink.drain())).toHaveLength(3);
    // The answer to the ping tells nothing any more.
    pong(first);
    expect(ids(sink.drain())).toHaveLength(0);
    sink.credit(2, 0);
    expect(ids(sink.drain())).toHaveLength(2);
  });

  test("takes nothing from a client that has confirmed all it got", () => {
    const { sink, publish, pong } = createPaced();
    publish(15, 1000);
    pong(sink.drain());
    sink.credit(4, 10_000_000);
    publish(10, 100);
    expect(ids(sink.drain())).toHaveLength(4);
  });

  test("of bytes does so, too", () => {
    const { sink, publish } = createPaced();
    publish(200, 1000);
    const flies = sink.drain().deliveries.reduce((sum, { event }) => sum + (event.data?.length ?? 0), 0);
    sink.send({ kind: { case: "credit", value: { bytes: BigInt(flies + 4_000) } } });
    const more = ids(sink.drain()).length;
    expect(more).toBeGreaterThan(1);
    expect(more).toBeLessThan(6);
  });

  test("that is smaller than what flies leaves nobody waiting for the other", () => {
    const { sink, publish, pong } = createPaced();
    publish(200, 1000);
    const first = sink.drain();
    // It has had all of them when it grants one, but its answer to the ping comes behind.
    sink.credit(1, 1_000_000);
    expect(ids(sink.drain())).toHaveLength(0);
    pong(first);
    expect(ids(sink.drain())).toHaveLength(1);
    sink.credit(1, 0);
    expect(ids(sink.drain())).toHaveLength(1);
    expect(ids(sink.drain())).toHaveLength(0);
  });
});
