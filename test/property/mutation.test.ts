/**
 * Goal: no bytes trap the core or reach a neighbour. Method: valid conversations are mutated at random and fed in random
 * parts, several hostile connections beside a pair that must not notice anything.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeEvent, encodeFrame } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import {
  binaryMessage,
  clientFrame,
  OPCODE_BINARY,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_TEXT,
} from "../core-wasm/websocket.ts";
import { bytesField, join, raw, sizeDelimited, utf8, varintField } from "../core-wasm/wire.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const CHANNEL = 1;

const event = encodeEvent({
  id: "1",
  type: "t",
  key: "k",
  ttlMs: 5n,
  attributes: { load: { kind: { case: "number", value: 0.5 } }, zone: { kind: { case: "text", value: "eu" } } },
  data: utf8('{"any":"json"}'),
});
const publish = sizeDelimited(
  join(varintField(1, 1), bytesField(2, join(varintField(2, CHANNEL), bytesField(3, event), bytesField(3, event)))),
);
const named = sizeDelimited(bytesField(2, join(bytesField(1, "c"), bytesField(3, event))));
const frames = [
  publish,
  named,
  sizeDelimited(encodeFrame({ kind: { case: "credit", value: { events: 3n, bytes: 300n } } })),
  sizeDelimited(encodeFrame({ ref: 1, kind: { case: "ack", value: { through: 1n, numbers: [1n, 2n] } } })),
  sizeDelimited(encodeFrame({ kind: { case: "cancel", value: { channelNumber: CHANNEL, key: "k", atUs: 5n } } })),
  sizeDelimited(
    encodeFrame({
      kind: {
        case: "update",
        value: { member: 4, attributes: { load: { kind: { case: "number", value: 2 } } }, remove: ["zone"] },
      },
    }),
  ),
  sizeDelimited(encodeFrame({ kind: { case: "hello", value: { client: "x" } } })),
];

const CONVERSATIONS = [
  { kind: abi.CONNECTION_STREAM, bytes: join(...frames, publish) },
  {
    kind: abi.CONNECTION_WEBSOCKET,
    bytes: join(
      binaryMessage(join(...frames)),
      clientFrame(OPCODE_PING, utf8("p")),
      clientFrame(OPCODE_BINARY, publish.subarray(0, 20), { fin: false }),
      clientFrame(OPCODE_CONTINUATION, publish.subarray(20)),
      binaryMessage(new Uint8Array(200)),
    ),
  },
  {
    kind: abi.CONNECTION_WEBSOCKET_JSON,
    bytes: join(
      clientFrame(OPCODE_TEXT, utf8('{"ä":1}')),
      clientFrame(OPCODE_PING, raw()),
      clientFrame(OPCODE_TEXT, utf8("x")),
    ),
  },
];

/** A change: overwrite, insert, delete, repeat a stretch, or cut. */
const edit = fc.record({
  do: fc.constantFrom("set", "set", "flip", "insert", "delete", "repeat", "cut"),
  at: fc.nat(),
  count: fc.integer({ min: 1, max: 12 }),
  value: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
});

function apply(
  bytes: Uint8Array,
  { do: kind, at, count, value }: { do: string; at: number; count: number; value: number },
): Uint8Array {
  if (bytes.length === 0) return bytes;
  const place = at % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (kind === "insert") return join(before, new Uint8Array(count).fill(value), after);
  if (kind === "delete") return join(before, after.subarray(count));
  if (kind === "repeat") return join(before, after.subarray(0, count), after);
  if (kind === "cut") return before;
  const out = bytes.slice();
  out[place] = kind === "flip" ? (out[place] as number) ^ (1 << (value & 7)) : value;
  return out;
}

test("mutated conversations trap nothing and leave neighbours alone", { timeout: timeoutMs(60_000) }, () => {
  const hostile = fc.record({
    conversation: fc.nat({ max: CONVERSATIONS.length - 1 }),
    edits: fc.array(edit, { minLength: 1, maxLength: 6 }),
    splits: fc.array(fc.nat(), { maxLength: 4 }),
    frame: fc.boolean(),
  });
  let harness = Harness.create();
  let fed = 0;
  let neighbours = neighbour(harness);
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 4 }), (peers) => {
      // One core lives for a while: what an attack leaves behind shows in the next one.
      if (fed++ % 50 === 0) {
        harness = Harness.create();
        neighbours = neighbour(harness);
      }
      const connections = peers.map(({ conversation, edits, splits, frame }) => {
        const { kind, bytes } = CONVERSATIONS[conversation] as (typeof CONVERSATIONS)[number];
        const connection = harness.open(kind, "/hostile");
        harness.sink(connection, CHANNEL);
        const mutated = edits.reduce(apply, bytes);
        const places = [...new Set(splits.map((split) => split % (mutated.length + 1)))].sort((a, b) => a - b);
        if (frame) connection.inject(mutated.subarray(0, 200));
        else connection.feed(mutated, places);
        connection.drain();
        return connection;
      });
      neighbours();
      for (const connection of connections) connection.close();
      neighbours();
    }),
    propertyParameters(400),
  );
});

/** A source and a sink of their own channel; returns what proves that they work. */
function neighbour(harness: Harness): () => void {
  const hostileChannel = harness.channel("c");
  expect(hostileChannel).toBe(CHANNEL);
  const channel = harness.channel("neighbour");
  const [source, sink] = [harness.open(abi.CONNECTION_STREAM, "/neighbour"), harness.open(abi.CONNECTION_WEBSOCKET)];
  harness.source(source, channel);
  harness.sink(sink, channel);
  let sequence = 0n;
  return () => {
    sequence += 1n;
    expect(source.receipt(channel, [{ type: "t", data: event }])).toMatchObject([
      { status: abi.STATUS_OK, sinks: 1, sequence },
    ]);
    const { deliveries, controls } = sink.drain();
    expect(deliveries.map(({ number, event: got }) => [number, Buffer.compare(got.data ?? raw(), event)])).toEqual([
      [sequence, 0],
    ]);
    expect(controls).toEqual([]);
  };
}
