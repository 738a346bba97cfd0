/**
 * Goal: the command line's own frame code agrees with protobuf-es, however the stream is split.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { describe, expect, test } from "vitest";
import { createFrameReader, createFrameSplitter, deliveriesIn, publishFrame } from "../../../host/cli/frames.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { ClientFrameSchema, type HostFrame, HostFrameSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";

const event = (type: string, dataBytes = 3) => create(EventSchema, { type, data: new Uint8Array(dataBytes).fill(7) });
const deliver = (count: number): HostFrame =>
  create(HostFrameSchema, {
    kind: {
      case: "deliver",
      value: {
        events: Array.from({ length: count }, (_, index) => ({
          channelNumber: 1,
          sequence: BigInt(index + 1),
          event: event("t", 300),
        })),
      },
    },
  });
const frames: HostFrame[] = [
  create(HostFrameSchema, { kind: { case: "pong", value: { ref: 1 } } }),
  deliver(1),
  create(HostFrameSchema, { kind: { case: "receipt", value: { ref: 2, results: [{ sequence: 1n, sinks: 3 }] } } }),
  deliver(4),
  create(HostFrameSchema, { kind: { case: "drain", value: { retryMs: 1000n } } }),
];
/** Encoded again: messages compare badly, because bytes may be a Buffer. */
const hex = (frame: HostFrame): string => Buffer.from(toBinary(HostFrameSchema, frame)).toString("hex");
const want = frames.map(hex);
const stream = Buffer.concat(frames.map((frame) => sizeDelimitedEncode(HostFrameSchema, frame)));

describe("createFrameReader()", () => {
  test("gives the same frames at every split point", () => {
    for (let at = 0; at <= stream.length; at += 1) {
      const got: string[] = [];
      const read = createFrameReader((frame) => got.push(hex(frame)));
      read(stream.subarray(0, at));
      read(stream.subarray(at));
      expect(got).toEqual(want);
    }
  });

  test("gives the same frames byte by byte, from a buffer that is written again", () => {
    const got: string[] = [];
    const read = createFrameReader((frame) => got.push(hex(frame)));
    const shared = new Uint8Array(1);
    for (const byte of stream) {
      shared[0] = byte;
      read(shared);
      shared[0] = 0xee;
    }
    expect(got).toEqual(want);
  });

  test.each([
    { name: "a size beyond reason", bytes: [0xff, 0xff, 0xff, 0xff, 0x0f] },
    { name: "a size that never ends", bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
    { name: "text", bytes: [...Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n".padEnd(100, "x"))] },
  ])("refuses $name and asks what answers there", ({ bytes }) => {
    const read = createFrameReader(() => undefined);
    expect(() => read(Uint8Array.from(bytes))).toThrow(/Sluice host/);
  });
});

describe("createFrameSplitter()", () => {
  test("puts a large frame together from many chunks", () => {
    const large = Buffer.from(
      sizeDelimitedEncode(
        HostFrameSchema,
        create(HostFrameSchema, { kind: { case: "deliver", value: { events: [{ event: event("t", 1_000_000) }] } } }),
      ),
    );
    const sizes: number[] = [];
    const feed = createFrameSplitter((frame) => sizes.push(frame.length));
    for (let at = 0; at < large.length; at += 1_000) feed(large.subarray(at, at + 1_000));
    expect(sizes).toEqual([large.length - 3]);
  });
});

describe("deliveriesIn()", () => {
  test("counts as protobuf-es does, without decoding", () => {
    for (const frame of [...frames, deliver(0), deliver(200)]) {
      const want = frame.kind.case === "deliver" ? frame.kind.value.events.length : 0;
      expect(deliveriesIn(toBinary(HostFrameSchema, frame))).toBe(want);
    }
  });
});

describe("publishFrame()", () => {
  const encoded = [event("a"), event("b")].map((one) => toBinary(EventSchema, one));

  test.each([
    { channel: "orders", ref: 7 },
    { channel: 12, ref: undefined },
    { channel: "orders", ref: 4_294_967_295 },
  ])("is what protobuf-es reads for $channel and ref $ref", ({ channel, ref }) => {
    const bytes = publishFrame(channel, encoded, ref);
    const size = bytes[0] ?? 0;
    expect(size).toBe(bytes.length - 1);
    const frame = fromBinary(ClientFrameSchema, bytes.subarray(1));
    expect(frame.ref).toBe(ref);
    expect(frame.kind.case).toBe("publish");
    if (frame.kind.case !== "publish") return;
    expect(frame.kind.value).toMatchObject(
      typeof channel === "string" ? { channel, channelNumber: 0 } : { channel: "", channelNumber: channel },
    );
    expect(frame.kind.value.events.map((one) => one.type)).toEqual(["a", "b"]);
  });
});
