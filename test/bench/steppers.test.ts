// The counters must be right at every split of the stream: sockets split anywhere.
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DelimitedStepper } from "../../bench/driver/delimited-stepper.mjs";
import { FixedStepper } from "../../bench/driver/fixed-stepper.mjs";
import { sizeDelimited } from "../../bench/driver/protobuf.mjs";
import { numberedPayload, StampReader } from "../../bench/driver/stamp.mjs";
import { maskedMessage, OPCODE_BINARY, WebSocketStepper } from "../../bench/driver/websocket.mjs";
import type { Wire } from "../../bench/driver/wire.mjs";
import { HostFrameSchema } from "../../host/gen/sluice/v1/frame_pb.ts";

const frame = (kind: Parameters<typeof create<typeof HostFrameSchema>>[1]): Buffer =>
  sizeDelimited(Buffer.from(toBinary(HostFrameSchema, create(HostFrameSchema, kind))));

const deliver = (sequence: number, dataBytes: number): Buffer =>
  frame({
    kind: {
      case: "deliver",
      value: {
        events: [
          { channelNumber: 1, sequence: BigInt(sequence), event: { type: "t", data: new Uint8Array(dataBytes) } },
        ],
      },
    },
  });

/** Feeds a stream in two chunks, split at each place in turn. */
function* splits(stream: Buffer): Generator<readonly [Buffer, Buffer]> {
  for (let at = 0; at <= stream.length; at++) yield [stream.subarray(0, at), stream.subarray(at)];
}

const pong = frame({ kind: { case: "pong", value: { ref: 1 } } });
const stream = Buffer.concat([deliver(1, 3), pong, deliver(2, 200), deliver(3, 20_000), pong, deliver(300, 1)]);

test("DelimitedStepper counts deliveries and hands over the rest at every split", () => {
  for (const [first, second] of splits(stream)) {
    const others: number[] = [];
    const stepper = new DelimitedStepper({ other: (bytes) => others.push(bytes.length) });
    stepper.consume(first, 0, first.length);
    stepper.consume(second, 0, second.length);
    expect([stepper.count, others]).toEqual([4, [pong.length - 1, pong.length - 1]]);
  }
});

test("DelimitedStepper counts byte by byte, and inspects with the right index", () => {
  const seen: number[] = [];
  const whole = new DelimitedStepper({ other() {}, inspect: (_buffer, _from, _to, index) => seen.push(index) });
  whole.consume(stream, 0, stream.length);
  whole.consume(stream, 0, stream.length);
  expect(seen).toEqual([0, 4]);
  const stepper = new DelimitedStepper({ other() {} });
  for (let at = 0; at < stream.length; at++) stepper.consume(stream, at, at + 1);
  expect(stepper.count).toBe(4);
});

test("FixedStepper counts at every split, skips noise and refuses garbage", () => {
  const text = Buffer.from("MabcPING\r\nMdefMghi");
  for (const [first, second] of splits(text)) {
    if (first.length > 4 && first.length < 10) continue; // Noise is never split by the protocols that have it in one segment.
    const stepper = new FixedStepper({ frameBytes: 4, first: 77, other: (buffer, at) => (buffer[at] === 80 ? 6 : 0) });
    stepper.consume(first, 0, first.length);
    stepper.consume(second, 0, second.length);
    expect(stepper.count).toBe(3);
  }
  expect(() => new FixedStepper({ frameBytes: 4, first: 77 }).consume(Buffer.from("Mabcx"), 0, 5)).toThrow('"x"');
});

/** A server's message: as maskedMessage(), but not masked. */
function serverMessage(opcode: number, payload: Buffer): Buffer {
  const masked = maskedMessage(opcode, payload, Buffer.alloc(4));
  const headBytes = masked.length - payload.length - 4;
  const head = Buffer.from(masked.subarray(0, headBytes));
  head[1] = (head[1] ?? 0) & 127;
  return Buffer.concat([head, payload]);
}

test("WebSocketStepper passes the frames inside on, and answers pings, at every split", () => {
  const ping = serverMessage(9, Buffer.from("are you there"));
  const messages = Buffer.concat([
    serverMessage(OPCODE_BINARY, stream),
    ping,
    serverMessage(OPCODE_BINARY, deliver(9, 1)),
    serverMessage(OPCODE_BINARY, deliver(10, 70_000)),
  ]);
  for (
    let at = 0;
    at < messages.length;
    at = at < 400 || at > stream.length - 50 ? at + (at > stream.length + 500 ? 997 : 1) : at + 97
  ) {
    const written: Buffer[] = [];
    const wire = { socket: { write: (bytes: Buffer) => written.push(bytes) } } as unknown as Wire;
    const inner = new DelimitedStepper({ other() {} });
    const stepper = new WebSocketStepper(wire, { part: (buffer, from, to) => inner.consume(buffer, from, to) });
    stepper.consume(messages, 0, at);
    stepper.consume(messages, at, messages.length);
    expect([inner.count, stepper.messages, written.length]).toEqual([6, 3, 1]);
    expect(written[0]?.[0]).toBe(0x8a);
  }
});

test("WebSocketStepper throws the close code of the server", () => {
  const close = Buffer.concat([Buffer.from([0x88, 8]), Buffer.from([0x0b, 0xb8]), Buffer.from("reason")]);
  expect(() => new WebSocketStepper({} as Wire).consume(close, 0, close.length)).toThrow("3000 reason");
});

test("StampReader finds a number at every split, and hands the chunks on", () => {
  const text = Buffer.concat([Buffer.from("head @st"), numberedPayload(40, 123), Buffer.from("tail")]);
  const sentAt = Array.from({ length: 200 }, () => performance.now() + 1e6);
  sentAt[123] = performance.now() - 1;
  for (const [first, second] of splits(text)) {
    let bytes = 0;
    const reader = new StampReader(sentAt, { consume: (_buffer, from, to) => (bytes += to - from) });
    reader.consume(first, 0, first.length);
    reader.consume(second, 0, second.length);
    reader.settle();
    expect(reader.agesUs).toHaveLength(1);
    expect(reader.agesUs[0]).toBeGreaterThan(999);
    expect(bytes).toBe(text.length);
  }
});
