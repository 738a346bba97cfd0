import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";
import { bytesField, raw, varintField } from "./wire.ts";

/** HostFrame { pong { ref } }. */
const pong = (ref: number): Uint8Array => bytesField(11, varintField(1, ref));
/** HostFrame { problem { detail } } of a given size. */
const problem = (detailBytes: number): Uint8Array => bytesField(9, bytesField(4, "x".repeat(detailBytes)));

function sink(kind: number = abi.CONNECTION_STREAM) {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [source, peer] = [harness.open(), harness.open(kind)];
  harness.source(source, channel);
  harness.sink(peer, channel);
  const push = (frame: Uint8Array) => harness.core.controlPush(peer.id, abi.STAGE_OFFSET, harness.stage(frame));
  return { harness, channel, source, peer, push };
}

describe("controlPush()", () => {
  test.each([abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON, abi.CONNECTION_LOCAL])(
    "answers come before deliveries, in order, on a connection of kind %d",
    (kind) => {
      const { channel, source, peer, push } = sink(kind);
      source.publish(channel, [{ type: "1" }]);
      expect(push(pong(1))).toBe(abi.STATUS_OK);
      expect(push(pong(2))).toBe(abi.STATUS_OK);
      const frames = peer
        .drain()
        .frames.map(({ kind: frame }) => (frame.case === "pong" ? frame.value.ref : frame.case));
      expect(frames).toEqual([1, 2, "deliver"]);
      expect(peer.drain().bytes.length).toBe(0);
    },
  );

  test("a peer that reads no answers is STATUS_CONTROL_FULL at CONTROL_BYTES_MAX", () => {
    const { harness, peer, push } = sink();
    const frame = problem(100_000);
    let accepted = 0;
    let status: number = abi.STATUS_OK;
    while (status === abi.STATUS_OK && accepted < 100) {
      status = push(frame);
      if (status === abi.STATUS_OK) accepted += 1;
    }
    expect(status).toBe(abi.STATUS_CONTROL_FULL);
    expect(harness.result(abi.RESULT_LIMIT)).toBe(abi.CONTROL_BYTES_MAX);
    expect(accepted).toBeGreaterThan(abi.CONTROL_BYTES_MAX / 110_000);
    expect(accepted).toBeLessThanOrEqual(abi.CONTROL_BYTES_MAX / 100_000);
    const { frames } = peer.drain();
    expect(frames).toHaveLength(accepted);
    expect(push(frame)).toBe(abi.STATUS_OK);
  });

  test("a large answer comes alone and whole", () => {
    const { peer, push } = sink(abi.CONNECTION_WEBSOCKET);
    push(pong(1));
    push(problem(1_000_000));
    push(pong(2));
    const parts = [];
    for (let part = peer.drainOnce(4096); part.bytes.length > 0; part = peer.drainOnce(4096)) parts.push(part);
    expect(parts.flatMap(({ frames }) => frames.map(({ kind }) => kind.case))).toEqual(["pong", "problem", "pong"]);
    expect(parts.every(({ bytes, frames }) => bytes.length <= 4096 || frames.length === 1)).toBe(true);
  });
});

describe("drain()", () => {
  test.each([abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET])(
    "takes whole frames up to bytesMax on kind %d",
    (kind) => {
      const { channel, source, peer } = sink(kind);
      const count = 50;
      for (let index = 0; index < count; index++) {
        source.publish(channel, [{ id: `${index}`, type: "t", data: new Uint8Array(index * 7) }]);
      }
      const ids: string[] = [];
      let number = 0n;
      for (let part = peer.drainOnce(500); part.bytes.length > 0; part = peer.drainOnce(500)) {
        expect(part.bytes.length <= 500 || part.deliveries.length === 1).toBe(true);
        for (const delivery of part.deliveries) {
          number += 1n;
          expect(delivery.number).toBe(number);
          ids.push(delivery.event.id);
        }
      }
      expect(ids).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
    },
  );

  test("one event larger than bytesMax comes alone", () => {
    const { channel, source, peer } = sink();
    source.publish(channel, [{ id: "small", type: "t" }]);
    source.publish(channel, [{ id: "big", type: "t", data: new Uint8Array(1_000_000) }]);
    source.publish(channel, [{ id: "last", type: "t" }]);
    const parts = [peer.drainOnce(1000), peer.drainOnce(1000), peer.drainOnce(1000), peer.drainOnce(1000)];
    expect(parts.map(({ deliveries }) => deliveries.map(({ event }) => event.id))).toEqual([
      ["small"],
      ["big"],
      ["last"],
      [],
    ]);
  });

  test("gives an event the same bytes on every kind of sink", () => {
    const { harness, channel, source, peer } = sink();
    const others = [abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON, abi.CONNECTION_LOCAL].map((kind) => {
      const connection = harness.open(kind);
      harness.sink(connection, channel);
      return connection;
    });
    source.publish(channel, [{ id: "1", type: "t", attributes: { a: { kind: { case: "number", value: 1 } } } }]);
    const first = [...(peer.drain().rawFrames[0] ?? [])];
    for (const other of others) expect([...(other.drain().rawFrames[0] ?? [])]).toEqual(first);
  });

  test("counts deliveries and bytes", () => {
    const { harness, channel, source, peer } = sink();
    source.publish(channel, [{ type: "1" }, { type: "2" }]);
    const { bytes } = peer.drain();
    expect(harness.statistic(abi.STATISTIC_EVENTS_IN)).toBe(2);
    expect(harness.statistic(abi.STATISTIC_DELIVERIES)).toBe(2);
    expect(harness.statistic(abi.STATISTIC_BYTES_OUT)).toBe(bytes.length);
  });
});

describe("dirtyTake()", () => {
  test("names each connection with something to send once, and none without", () => {
    const { harness, channel, source, peer, push } = sink();
    harness.dirty();
    source.publish(channel, [{ type: "1" }, { type: "2" }]);
    push(pong(1));
    expect(harness.dirty()).toEqual([peer.id]);
    peer.drain();
    expect(harness.dirty()).toEqual([]);
    source.publish(channel, [{ type: "3" }]);
    expect(harness.dirty()).toEqual([peer.id]);
  });

  test("names a connection again when it gets credit, is released, or pinged", () => {
    const { harness, channel, source, peer } = sink();
    peer.credit(1, 1_000_000);
    source.publish(channel, [{ type: "1" }, { type: "2" }]);
    peer.drain();
    harness.dirty();
    peer.credit(1, 0);
    expect(harness.dirty()).toContain(peer.id);
    peer.drain();
    peer.credit(1, 0);
    peer.hold(true);
    source.publish(channel, [{ type: "3" }]);
    peer.drain();
    harness.dirty();
    peer.hold(false);
    expect(harness.dirty()).toContain(peer.id);
    expect(peer.events().map(({ type }) => type)).toEqual(["3"]);
  });

  test("gives more than DIRTY_COUNT_MAX connections in turns", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const source = harness.open();
    harness.source(source, channel);
    const peers = Array.from({ length: abi.DIRTY_COUNT_MAX + 10 }, () => {
      const connection = harness.open();
      harness.sink(connection, channel);
      return connection;
    });
    source.publish(channel, [{ type: "1" }]);
    expect(new Set(harness.dirty())).toEqual(new Set(peers.map(({ id }) => id)));
    for (const connection of peers) expect(connection.events()).toHaveLength(1);
  });

  test("never names a closed connection", () => {
    const { harness, channel, source, peer } = sink();
    source.publish(channel, [{ type: "1" }]);
    peer.close();
    expect(harness.dirty()).toEqual([]);
  });
});

test("ingestFrame() does as the same frame over the wire", () => {
  const { channel, source, peer } = sink();
  const event = bytesField(3, bytesField(3, "t"));
  const frame = new Uint8Array([
    ...varintField(1, 5),
    ...bytesField(2, new Uint8Array([...varintField(2, channel), ...event])),
  ]);
  expect(source.inject(frame)).toMatchObject([
    { reason: "receipt", ref: 5, records: [{ status: abi.STATUS_OK, sinks: 1 }] },
  ]);
  expect(peer.events()).toHaveLength(1);
  expect(source.inject(bytesField(14, ""))).toMatchObject([{ reason: "control" }]);
  expect(source.inject(raw(0xff))).toMatchObject([{ reason: "close", status: abi.STATUS_MALFORMED }]);
});

test("an inbox of policy disconnect that overflows is told to the host and gives no more", () => {
  const { harness, channel, source, peer } = sink();
  peer.inbox(2, 1_000_000, abi.OVERFLOW_DISCONNECT);
  expect(source.receipt(channel, [{ type: "1" }, { type: "2" }, { type: "3" }]).map(({ status }) => status)).toEqual([
    0, 0, 0,
  ]);
  expect(harness.dirty()).toContain(peer.id);
  expect(peer.drainOnce().deliveries).toEqual([]);
  expect(harness.drainStatus).toBe(abi.STATUS_DISCONNECT);
});
