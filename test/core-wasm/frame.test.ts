/**
 * Goal: no bytes of a peer trap the core, stall it or reach a neighbour; each gets its status. Method: frames made by
 * hand on a TCP stream, truncated at every length, with lengths that lie; a neighbour works before and after.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { type ClientFrameInit, encodeEvent, encodeFrame } from "./frames.ts";
import { Harness } from "./harness.ts";
import {
  bytesField,
  fixed32Field,
  join,
  raw,
  sizeDelimited,
  tag,
  varint,
  varintField,
  WIRE_BYTES,
  WIRE_VARINT,
} from "./wire.ts";

/** A hostile connection beside a source and a sink that must not notice it. */
function beside() {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [peer, neighbour, sink] = [harness.open(), harness.open(), harness.open()];
  for (const source of [peer, neighbour]) harness.source(source, channel);
  harness.sink(sink, channel);
  const proveNeighbour = (): void => {
    expect(neighbour.receipt(channel, [{ id: "n", type: "t" }])).toMatchObject([{ status: abi.STATUS_OK, sinks: 1 }]);
    expect(sink.events().map(({ id }) => id)).toContain("n");
  };
  return { harness, channel, peer, sink, proveNeighbour };
}

const EVENT = bytesField(3, encodeEvent({ id: "x", type: "t" }));

describe("a frame that is no frame ends the conversation", () => {
  test.each([
    { name: "an empty frame", frame: raw(), status: abi.STATUS_FRAME_KIND },
    { name: "a frame of a ref only", frame: varintField(1, 7), status: abi.STATUS_FRAME_KIND },
    { name: "a frame of an unknown kind", frame: bytesField(99, ""), status: abi.STATUS_FRAME_KIND },
    {
      name: "two kinds in one frame",
      frame: join(bytesField(3, ""), bytesField(14, "")),
      status: abi.STATUS_FRAME_KIND,
    },
    {
      name: "two publishes in one frame",
      frame: join(bytesField(2, EVENT), bytesField(2, EVENT)),
      status: abi.STATUS_FRAME_KIND,
    },
    { name: "a publish as varint", frame: varintField(2, 1), status: abi.STATUS_FRAME_KIND },
    { name: "a ref as bytes", frame: join(bytesField(1, "1"), bytesField(14, "")), status: abi.STATUS_FRAME_KIND },
    {
      name: "a channel number as bytes",
      frame: bytesField(2, join(bytesField(2, "1"), EVENT)),
      status: abi.STATUS_FRAME_KIND,
    },
    {
      name: "an event as fixed32",
      frame: bytesField(2, join(varintField(2, 1), fixed32Field(3, 1))),
      status: abi.STATUS_FRAME_KIND,
    },
    { name: "a tag of field 0", frame: raw(0, 0), status: abi.STATUS_MALFORMED },
    { name: "wire type 7", frame: raw(0x17, 0), status: abi.STATUS_MALFORMED },
    {
      name: "a publish longer than its frame",
      frame: join(tag(2, WIRE_BYTES), varint(9), raw(0x10, 1)),
      status: abi.STATUS_MALFORMED,
    },
    {
      name: "a publish of 2^32 − 1 bytes",
      frame: join(tag(2, WIRE_BYTES), varint(2 ** 32 - 1)),
      status: abi.STATUS_MALFORMED,
    },
    {
      name: "a publish of 2^63 bytes",
      frame: join(tag(2, WIRE_BYTES), varint(2n ** 63n)),
      status: abi.STATUS_MALFORMED,
    },
    {
      name: "an event longer than its publish",
      frame: bytesField(2, join(varintField(2, 1), tag(3, WIRE_BYTES), varint(200), raw(1))),
      status: abi.STATUS_MALFORMED,
    },
    {
      name: "an event of 2^64 − 1 bytes",
      frame: bytesField(2, join(varintField(2, 1), tag(3, WIRE_BYTES), varint(2n ** 64n - 1n))),
      status: abi.STATUS_MALFORMED,
    },
    {
      name: "a varint of 11 bytes",
      frame: join(tag(1, WIRE_VARINT), raw(...Array(10).fill(0xff), 1)),
      status: abi.STATUS_MALFORMED,
    },
    { name: "a credit that ends within a varint", frame: bytesField(3, raw(0x18, 0x80)), status: abi.STATUS_MALFORMED },
    { name: "an ack with a cut list", frame: bytesField(4, bytesField(2, raw(0x80))), status: abi.STATUS_MALFORMED },
  ])("$name", ({ frame, status }) => {
    const { channel, peer, sink, proveNeighbour } = beside();
    const [outcome, ...rest] = peer.feed(sizeDelimited(frame));
    expect(rest).toEqual([]);
    if (outcome?.reason !== "close") throw new Error(`Expected "close", got ${outcome?.reason}`);
    // Where a field has the wrong wire type, it is as true to say that the bytes are malformed.
    expect([status, abi.STATUS_MALFORMED, abi.STATUS_FRAME_KIND]).toContain(outcome.status);
    const later = peer.publish(channel, [{ type: "t" }], 1);
    expect(later.filter(({ reason }) => reason !== "close")).toEqual([]);
    expect(sink.events()).toEqual([]);
    proveNeighbour();
  });
});

describe("a frame is refused and the connection lives", () => {
  test.each([
    { name: "a publish without a channel", frame: bytesField(2, EVENT), status: abi.STATUS_CHANNEL_UNKNOWN },
    {
      name: "a channel name that is no UTF-8",
      frame: bytesField(2, join(bytesField(1, raw(0xff)), EVENT)),
      status: abi.STATUS_NOT_UTF8,
    },
    {
      name: "a cancel key that is no UTF-8",
      frame: bytesField(6, join(varintField(2, 1), bytesField(3, raw(0xc0, 0x80)))),
      status: abi.STATUS_NOT_UTF8,
    },
    {
      name: "an update of an unknown member",
      frame: bytesField(5, varintField(1, 77)),
      status: abi.STATUS_MEMBER_UNKNOWN,
    },
  ])("$name", ({ frame, status }) => {
    const { channel, peer, sink, proveNeighbour } = beside();
    peer.implicitSources = false;
    expect(peer.feed(sizeDelimited(frame))).toMatchObject([{ reason: "problem", status }]);
    expect(sink.events()).toEqual([]);
    proveNeighbour();
    expect(peer.receipt(channel, [{ type: "t" }])).toMatchObject([{ status: abi.STATUS_OK }]);
  });
});

describe("the peer broke the protocol", () => {
  const expectClose = (peer: TestConnection, bytes: Uint8Array, status: number): void => {
    const outcomes = peer.feed(bytes);
    expect(outcomes).toMatchObject([{ reason: "close", status }]);
  };

  test.each([
    {
      name: "one byte beyond FRAME_BYTES_MAX",
      size: varint(abi.FRAME_BYTES_MAX + 1),
      status: abi.STATUS_FRAME_TOO_LARGE,
    },
    { name: "2^31", size: varint(2 ** 31), status: abi.STATUS_FRAME_TOO_LARGE },
    { name: "2^32 − 1", size: varint(2 ** 32 - 1), status: abi.STATUS_FRAME_TOO_LARGE },
    { name: "2^32, which is 0 in 32 bits", size: varint(2n ** 32n), status: abi.STATUS_FRAME_TOO_LARGE },
    { name: "2^63", size: varint(2n ** 63n), status: abi.STATUS_FRAME_TOO_LARGE },
    { name: "2^64 − 1", size: varint(2n ** 64n - 1n), status: abi.STATUS_FRAME_TOO_LARGE },
    { name: "a varint of 11 bytes", size: raw(...Array(10).fill(0x80), 0), status: undefined },
  ])("a frame size of $name", ({ size, status }) => {
    for (const splits of [[], Array.from({ length: size.length }, (_, index) => index + 1)]) {
      const { peer, proveNeighbour } = beside();
      const outcomes = peer.feed(join(size, raw(1, 2, 3)), splits);
      const [outcome] = outcomes;
      if (outcome?.reason !== "close") throw new Error(`Expected "close", got ${outcome?.reason}`);
      if (status === undefined) expect([abi.STATUS_FRAME_TOO_LARGE, abi.STATUS_MALFORMED]).toContain(outcome.status);
      else expect(outcome).toMatchObject({ status, limit: abi.FRAME_BYTES_MAX });
      proveNeighbour();
    }
  });

  test("further input is ignored", () => {
    const { channel, peer, sink, proveNeighbour } = beside();
    expectClose(peer, varint(2 ** 31), abi.STATUS_FRAME_TOO_LARGE);
    const late = peer.publish(channel, [{ type: "t" }], 1);
    expect(late.filter(({ reason }) => reason !== "close")).toEqual([]);
    expect(sink.events()).toEqual([]);
    proveNeighbour();
    peer.close();
    proveNeighbour();
  });
});

describe("sizes", () => {
  test("a frame of FRAME_BYTES_MAX passes, in landing zones", () => {
    const { peer, proveNeighbour } = beside();
    // A hello whose token fills the frame: 1 + 3 bytes of its head and 1 + 3 of the token's.
    const hello = bytesField(7, bytesField(2, new Uint8Array(abi.FRAME_BYTES_MAX - 8).fill(0x61)));
    expect(hello.length).toBe(abi.FRAME_BYTES_MAX);
    const outcomes = peer.feed(sizeDelimited(hello));
    expect(outcomes).toMatchObject([{ reason: "control", frame: { kind: { case: "hello" } } }]);
    expect(outcomes[0]?.reason === "control" && outcomes[0].bytes.length).toBe(abi.FRAME_BYTES_MAX);
    proveNeighbour();
  });

  test("padded sizes of up to 5 bytes are read", () => {
    const { channel, peer, sink } = beside();
    const publish = bytesField(2, join(varintField(2, channel), EVENT));
    for (let bytes = 1; bytes <= 5; bytes++) {
      expect(peer.feed(sizeDelimited(publish, bytes))).toEqual([]);
      expect(sink.events().map(({ id }) => id)).toEqual(["x"]);
    }
  });

  test("truncated at each length a frame only waits, and the rest completes it", () => {
    const { harness, channel, sink } = beside();
    const bytes = sizeDelimited(join(varintField(1, 9), bytesField(2, join(varintField(2, channel), EVENT, EVENT))));
    for (let length = 0; length < bytes.length; length++) {
      const peer = harness.open();
      harness.source(peer, channel);
      expect(peer.feed(bytes.subarray(0, length))).toEqual([]);
      expect(sink.events()).toEqual([]);
      expect(peer.feed(bytes.subarray(length))).toMatchObject([{ reason: "receipt", ref: 9 }]);
      expect(sink.events().map(({ id }) => id)).toEqual(["x", "x"]);
      peer.close();
    }
  });

  test("a frame truncated inside, its size told right, is malformed at each length", () => {
    const { harness, channel, sink, proveNeighbour } = beside();
    const frame = bytesField(
      2,
      join(varintField(2, channel), bytesField(3, encodeEvent({ id: "id", type: "type", key: "k", subject: "s" }))),
    );
    for (let length = 1; length < frame.length; length++) {
      const peer = harness.open();
      harness.source(peer, channel);
      expect(peer.feed(sizeDelimited(frame.subarray(0, length)))).toMatchObject([
        { reason: "close", status: abi.STATUS_MALFORMED },
      ]);
      peer.close();
    }
    expect(sink.events()).toEqual([]);
    proveNeighbour();
  });
});

describe("fields in any order", () => {
  test("the channel number after the events, the ref after the publish", () => {
    const { channel, peer, sink } = beside();
    const publish = bytesField(2, join(EVENT, EVENT, varintField(4, 1), varintField(2, channel)));
    expect(peer.feed(sizeDelimited(join(publish, varintField(1, 9))))).toMatchObject([{ reason: "receipt", ref: 9 }]);
    expect(sink.events()).toHaveLength(2);
  });

  test("unknown fields of frame and publish are skipped", () => {
    const { channel, peer, sink } = beside();
    const publish = bytesField(2, join(bytesField(50, "?"), varintField(2, channel), EVENT, fixed32Field(51, 1)));
    expect(peer.feed(sizeDelimited(join(fixed32Field(60, 2), publish, varintField(61, 3))))).toEqual([]);
    expect(sink.events()).toHaveLength(1);
  });

  test("the last of repeated channel numbers and refs counts", () => {
    const { channel, peer, sink } = beside();
    const publish = bytesField(2, join(varintField(2, 99), EVENT, varintField(2, channel)));
    expect(peer.feed(sizeDelimited(join(varintField(1, 1), publish, varintField(1, 2))))).toMatchObject([
      { reason: "receipt", ref: 2 },
    ]);
    expect(sink.events()).toHaveLength(1);
  });
});

describe("control frames", () => {
  test.each<{ kind: NonNullable<ClientFrameInit["kind"]> }>([
    { kind: { case: "hello", value: { client: "app" } } },
    { kind: { case: "join", value: { channel: "c", role: "sink" } } },
    { kind: { case: "leave", value: { member: 3 } } },
    { kind: { case: "inbox", value: { overflow: "reject" } } },
    { kind: { case: "set", value: {} } },
    { kind: { case: "evaluate", value: { contract: "x" } } },
    { kind: { case: "observe", value: { contract: "x" } } },
    { kind: { case: "ping", value: {} } },
  ])("$kind.case comes up with its ref, byte for byte, and the input stops behind it", ({ kind }) => {
    const { peer } = beside();
    const frame = encodeFrame({ ref: 31, kind });
    const outcomes = peer.feed(
      join(sizeDelimited(frame), sizeDelimited(encodeFrame({ kind: { case: "ping", value: {} } }))),
    );
    expect(outcomes.map((outcome) => outcome.reason)).toEqual(["control", "control"]);
    expect(outcomes[0]).toMatchObject({ reason: "control", ref: 31, frame: { ref: 31, kind: { case: kind.case } } });
    expect(outcomes[0]?.reason === "control" && [...outcomes[0].bytes]).toEqual([...frame]);
  });

  test("keep their place among publishes", () => {
    const { channel, peer, sink } = beside();
    const seen: number[] = [];
    const publish = sizeDelimited(bytesField(2, join(varintField(2, channel), EVENT)));
    const ping = sizeDelimited(bytesField(14, ""));
    for (const part of [publish, ping, publish, publish, ping, publish]) {
      for (const outcome of peer.feed(part)) if (outcome.reason === "control") seen.push(sink.events().length);
    }
    expect(seen).toEqual([1, 2]);
    expect(peer.feed(join(publish, ping, publish)).map((outcome) => outcome.reason)).toEqual(["control"]);
  });
});
