// The driver's own encoder and reader against protobuf-es: a bench that sends wrong bytes measures nothing.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readFields, readVarint, varint } from "../../bench/driver/protobuf.mjs";
import {
  encodeEvent,
  joinFrame,
  publishFrame,
  readDelivery,
  readHostFrame,
  updateFrame,
} from "../../bench/driver/sluice-frames.mjs";
import { ClientFrameSchema, HostFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { propertyParameters } from "../property/runs.ts";

/** A frame without the size before it, which must be right. */
function unwrapped(delimited: Buffer): Uint8Array {
  const size = readVarint(delimited, 0);
  if (size === null) throw new Error("no size");
  expect(delimited.length - size.next).toBe(size.value);
  return Uint8Array.from(delimited.subarray(size.next));
}

test("varint() and readVarint() agree over all safe integers", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = varint(value);
      expect(readVarint(bytes, 0)).toEqual({ value, next: bytes.length });
      expect(readVarint(bytes.subarray(0, -1), 0)).toBeNull();
    }),
    propertyParameters(100),
  );
});

test("publishFrame() is read by protobuf-es as it was meant", () => {
  const plain = encodeEvent({ channel: "c", payload: Buffer.from("abc") }, "/bench/1");
  const rich = encodeEvent(
    { channel: "c", payload: Buffer.alloc(300, 7), type: "u", key: "k-1", ttlMs: 60_000 },
    "/bench/1",
  );
  const { kind } = fromBinary(ClientFrameSchema, unwrapped(publishFrame(300, [plain, rich])));
  if (kind.case !== "publish") throw new Error(`a ${kind.case} frame`);
  expect(kind.value.channelNumber).toBe(300);
  expect(kind.value.events).toMatchObject([
    { type: "t", source: "/bench/1", key: "", data: new Uint8Array([97, 98, 99]) },
    { type: "u", source: "/bench/1", key: "k-1", ttlMs: 60_000n, data: new Uint8Array(300).fill(7) },
  ]);
  expect(Number(kind.value.events[0]?.timeUs) / 1000).toBeCloseTo(Date.now(), -5);
  expect(kind.value.events[0]?.ttlMs).toBeUndefined();
});

test("publishFrame() carries priority, attributes and a ref", () => {
  const event = { channel: "c", payload: Buffer.alloc(0), priority: 7, attributes: { zone: "z", load: 3 } };
  const frame = fromBinary(ClientFrameSchema, unwrapped(publishFrame(1, [encodeEvent(event, "/bench/1")], 9)));
  expect(frame.ref).toBe(9);
  if (frame.kind.case !== "publish") throw new Error(`a ${frame.kind.case} frame`);
  const [read] = frame.kind.value.events;
  expect(read?.priority).toBe(7);
  expect(read?.attributes["zone"]?.kind).toEqual({ case: "text", value: "z" });
  expect(read?.attributes["load"]?.kind).toEqual({ case: "number", value: 3 });
});

test("updateFrame() is read by protobuf-es as it was meant", () => {
  const { kind } = fromBinary(ClientFrameSchema, unwrapped(updateFrame(300, { load: 0.25 })));
  if (kind.case !== "update") throw new Error(`a ${kind.case} frame`);
  expect(kind.value.member).toBe(300);
  expect(kind.value.attributes["load"]?.kind).toEqual({ case: "number", value: 0.25 });
});

test("joinFrame() is read by protobuf-es as it was meant", () => {
  const frame = fromBinary(
    ClientFrameSchema,
    unwrapped(joinFrame("a/b", "sink", 7, { types: ["t", "u"], where: "a = 1", attributes: { load: 0.5 } })),
  );
  expect(frame.ref).toBe(7);
  expect(frame.kind).toMatchObject({
    case: "join",
    value: { channel: "a/b", role: "sink", types: ["t", "u"], where: "a = 1" },
  });
  if (frame.kind.case !== "join") throw new Error(`a ${frame.kind.case} frame`);
  expect(frame.kind.value.attributes["load"]?.kind).toEqual({ case: "number", value: 0.5 });
});

const hostFrame = (kind: Parameters<typeof create<typeof HostFrameSchema>>[1]) =>
  Buffer.from(toBinary(HostFrameSchema, create(HostFrameSchema, kind)));

test("readHostFrame() understands what protobuf-es writes", () => {
  const joined = hostFrame({
    kind: { case: "joined", value: { ref: 3, member: 9, channel: "c", channelNumber: 400, epoch: 5n } },
  });
  expect(readHostFrame(joined)).toEqual({ kind: "joined", ref: 3, channelNumber: 400, member: 9 });
  expect(readHostFrame(hostFrame({ kind: { case: "receipt", value: { ref: 8 } } }))).toEqual({
    kind: "receipt",
    ref: 8,
  });
  expect(readHostFrame(hostFrame({ kind: { case: "dropped", value: { count: 12n, reason: "overflow" } } }))).toEqual({
    kind: "dropped",
    count: 12,
  });
  expect(readHostFrame(hostFrame({ kind: { case: "credit", value: { events: 5n } } }))).toEqual({ kind: "credit" });
  expect(readHostFrame(hostFrame({ kind: { case: "pong", value: {} } }))).toEqual({ kind: "other" });
});

test("readHostFrame() throws the problem that the host told", () => {
  const problem = hostFrame({ kind: { case: "problem", value: { code: "no_credit", detail: "0 left" } } });
  expect(() => readHostFrame(problem)).toThrow("Problem no_credit: 0 left");
});

test("readDelivery() reads channel and sequence of a single delivery, and refuses two", () => {
  const one = { channelNumber: 2, sequence: 70_000n, event: { type: "t", source: "/s" } };
  expect(readDelivery(hostFrame({ kind: { case: "deliver", value: { events: [one] } } }))).toEqual({
    channelNumber: 2,
    sequence: 70_000,
  });
  expect(() => readDelivery(hostFrame({ kind: { case: "deliver", value: { events: [one, one] } } }))).toThrow(
    "more than one event",
  );
});

test("readFields() refuses truncated messages", () => {
  expect(() => readFields(Buffer.from([0x0a, 5, 1, 2]))).toThrow("does not fit");
  expect(() => readFields(Buffer.from([0x08, 0x80]))).toThrow("Truncated");
  expect(sizeDelimitedEncode(HostFrameSchema, create(HostFrameSchema)).length).toBe(1);
});
