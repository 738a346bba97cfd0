/**
 * Goal: where a read ends means nothing. Method: one recorded conversation per kind of connection is fed whole, byte by
 * byte, and in two parts at every place; outcomes and the bytes of every sink must be the same.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeEvent, encodeFrame } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import {
  clientFrame,
  closeMessage,
  OPCODE_BINARY,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_TEXT,
} from "../core-wasm/websocket.ts";
import { bytesField, join, raw, sizeDelimited, utf8, varintField } from "../core-wasm/wire.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

/** Channel 1 is plain, channel 2 has a decider; the peer is a source of both and member 3 of channel 1. */
function listen(kind: number, bytes: Uint8Array, splits: readonly number[]): string {
  const harness = Harness.create();
  const [plain, decided] = [harness.channel("plain"), harness.channel("decided", { decided: true })];
  const [peer, sink, other] = [harness.open(kind, "/peer"), harness.open(), harness.open(abi.CONNECTION_WEBSOCKET)];
  for (const channel of [plain, decided]) harness.source(peer, channel);
  harness.sink(peer, plain);
  for (const channel of [plain, decided]) {
    harness.sink(sink, channel);
    harness.sink(other, channel, ["a", "c"]);
  }
  // Batches of a decider may be cut elsewhere by another read; what was decided must not be.
  const outcomes = peer.feed(bytes, splits).filter(({ reason }) => reason !== "decide");
  const seen = {
    outcomes,
    decided: harness.batches.flatMap(({ records }) => records),
    sinks: [peer, sink, other].map((connection) => {
      const { rawFrames, controls } = connection.drain();
      return { frames: rawFrames.map((frame) => Buffer.from(frame).toString("hex")), controls };
    }),
  };
  return JSON.stringify(seen, (_, value) => {
    if (typeof value === "bigint") return `${value}`;
    return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
  });
}

const publish = (channel: number, types: readonly string[], ref?: number, dataBytes = 3): Uint8Array => {
  const events = types.map((type) =>
    bytesField(3, encodeEvent({ type, key: "k", data: new Uint8Array(dataBytes).fill(7) })),
  );
  const body = bytesField(2, join(varintField(2, channel), ...events));
  return sizeDelimited(ref === undefined ? body : join(varintField(1, ref), body));
};

const PING = sizeDelimited(encodeFrame({ ref: 2, kind: { case: "ping", value: {} } }));

const FRAMES = [
  publish(1, ["a", "b"]),
  PING,
  publish(2, ["a", "b", "c"], 3),
  publish(1, ["", "a"], 4),
  sizeDelimited(encodeFrame({ ref: 5, kind: { case: "credit", value: { events: 100n, bytes: 100000n } } })),
  publish(1, [""]),
  sizeDelimited(
    encodeFrame({
      kind: { case: "update", value: { member: 3, attributes: { load: { kind: { case: "number", value: 1 } } } } },
    }),
  ),
  publish(2, ["c"]),
  sizeDelimited(encodeFrame({ ref: 6, kind: { case: "cancel", value: { channelNumber: 1, key: "other" } } })),
  publish(99, ["a"], 7),
  publish(1, ["c"], 8, 130),
];

const WEBSOCKET = join(
  clientFrame(OPCODE_BINARY, join(...FRAMES.slice(0, 3))),
  clientFrame(OPCODE_PING, utf8("ping")),
  clientFrame(OPCODE_BINARY, (FRAMES[3] as Uint8Array).subarray(0, 9), { fin: false, key: raw(1, 2, 3, 4) }),
  clientFrame(OPCODE_PING, raw()),
  clientFrame(OPCODE_CONTINUATION, join((FRAMES[3] as Uint8Array).subarray(9), ...FRAMES.slice(4, 7)), {
    key: raw(0, 0, 0, 0),
  }),
  ...FRAMES.slice(7).map((frame) => clientFrame(OPCODE_BINARY, frame, { key: raw(255, 1, 254, 2) })),
  // Parked events wait when the frame in two fragments is complete: it has to be given again after their decision.
  clientFrame(OPCODE_BINARY, join(publish(2, ["a", "b"]), PING.subarray(0, 2)), { fin: false }),
  clientFrame(OPCODE_CONTINUATION, join(PING.subarray(2), publish(2, ["c"], 9).subarray(0, 7)), { fin: false }),
  clientFrame(OPCODE_CONTINUATION, join(publish(2, ["c"], 9).subarray(7), publish(1, ["a"], 10))),
  closeMessage(1000, "done"),
);

const JSON_TEXT = join(
  clientFrame(OPCODE_TEXT, utf8('{"ping":{}}')),
  clientFrame(OPCODE_TEXT, utf8('{"publish":{"channel":"grüße'), { fin: false }),
  clientFrame(OPCODE_PING, utf8("x")),
  clientFrame(OPCODE_CONTINUATION, utf8('","events":[]}}'), { key: raw(7, 7, 7, 7) }),
  clientFrame(OPCODE_TEXT, utf8("x".repeat(130))),
  closeMessage(),
);

const TCP_BROKEN = join(...FRAMES.slice(0, 5), raw(2, 9, 9));
const BROKEN = join(WEBSOCKET.subarray(0, -12), raw(0xf0, 0x80, 1, 2, 3, 4));

/** `from`: the first split worth trying, where another conversation has the same beginning. */
const RECORDED = [
  { name: "a TCP stream", kind: abi.CONNECTION_STREAM, bytes: join(...FRAMES), from: 1 },
  {
    name: "a TCP stream that ends in a broken frame",
    kind: abi.CONNECTION_STREAM,
    bytes: TCP_BROKEN,
    from: TCP_BROKEN.length - 8,
  },
  { name: "a WebSocket", kind: abi.CONNECTION_WEBSOCKET, bytes: WEBSOCKET, from: 1 },
  {
    name: "a WebSocket that breaks the protocol",
    kind: abi.CONNECTION_WEBSOCKET,
    bytes: BROKEN,
    from: BROKEN.length - 12,
  },
  { name: "a WebSocket of JSON text", kind: abi.CONNECTION_WEBSOCKET_JSON, bytes: JSON_TEXT, from: 1 },
];

test.each(RECORDED)("$name reads the same byte by byte", ({ kind, bytes }) => {
  const every = Array.from({ length: bytes.length }, (_, index) => index);
  expect(listen(kind, bytes, every)).toBe(listen(kind, bytes, []));
});

test.each(RECORDED)(
  "$name reads the same in two parts, at every place",
  { timeout: timeoutMs(60_000) },
  ({ kind, bytes, from }) => {
    const whole = listen(kind, bytes, []);
    for (let split = from; split < bytes.length; split++)
      expect(listen(kind, bytes, [split]), `split at ${split}`).toBe(whole);
  },
);

test.each(RECORDED)("$name reads the same in random parts", { timeout: timeoutMs(60_000) }, ({ kind, bytes }) => {
  const whole = listen(kind, bytes, []);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: bytes.length - 1 }), { maxLength: 12 }), (splits) => {
      expect(
        listen(
          kind,
          bytes,
          [...splits].sort((a, b) => a - b),
        ),
      ).toBe(whole);
    }),
    propertyParameters(10),
  );
});

test("the recorded conversations say something of each kind", () => {
  for (const { kind, bytes, name } of RECORDED) {
    const seen = JSON.parse(listen(kind, bytes, [])) as {
      outcomes: { reason: string }[];
      sinks: { frames: string[] }[];
    };
    const reasons = new Set(seen.outcomes.map(({ reason }) => reason));
    if (kind === abi.CONNECTION_WEBSOCKET_JSON) expect([...reasons], name).toEqual(["text", "closed"]);
    else for (const reason of ["control", "receipt", "answer"]) expect(reasons, name).toContain(reason);
    if (name === "a WebSocket" || name === "a TCP stream") expect(reasons, name).toContain("problem");
    if (name.includes("br")) expect(reasons, name).toContain("close");
    if (kind !== abi.CONNECTION_WEBSOCKET_JSON) expect(seen.sinks[1]?.frames.length, name).toBeGreaterThan(4);
  }
});
