/**
 * Goal: whatever a peer sends, it gets a clear problem or a documented close code, and its neighbours notice nothing.
 * Method: a table of wrong input per carrier; beside each, a pair of clients goes on talking.
 */
import { describe, expect, test } from "vitest";
import { codes, type SluiceCode } from "../../../host/errors.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { bytesField, join, raw, sizeDelimited, utf8, varint, varintField } from "../../core-wasm/wire.ts";
import { type Carrier, carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

interface Row {
  readonly name: string;
  readonly carriers: readonly Carrier[];
  /** What is sent: on WebSocket one message. */
  readonly input: Uint8Array | string;
  readonly code: SluiceCode;
  /** Whether the session ends by it. */
  readonly ends: boolean;
}

const binary: readonly Carrier[] = ["tcp", "ws-proto"];
const json: readonly Carrier[] = ["ws-json"];
const event = (type: string): Uint8Array => bytesField(3, type);
const publish = (...events: readonly Uint8Array[]): Uint8Array =>
  sizeDelimited(
    join(varintField(1, 7), bytesField(2, join(bytesField(1, "c"), ...events.map((body) => bytesField(3, body))))),
  );

const rows: readonly Row[] = [
  {
    name: "a size prefix of more than 5 bytes",
    carriers: binary,
    input: raw(0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
    code: "frame_too_large",
    ends: true,
  },
  { name: "a frame larger than any", carriers: binary, input: varint(1_114_113), code: "frame_too_large", ends: true },
  {
    name: "a frame that is no protobuf",
    carriers: binary,
    input: sizeDelimited(raw(0x12, 0x7f)),
    code: "malformed",
    ends: true,
  },
  {
    name: "a frame of field number 0",
    carriers: binary,
    input: sizeDelimited(raw(0x02, 0x00)),
    code: "malformed",
    ends: true,
  },
  {
    name: "a frame without kind",
    carriers: binary,
    input: sizeDelimited(varintField(1, 5)),
    code: "frame_kind",
    ends: true,
  },
  {
    name: "a frame of two kinds",
    carriers: binary,
    input: sizeDelimited(join(bytesField(14, ""), bytesField(14, ""))),
    code: "frame_kind",
    ends: true,
  },
  {
    name: "a kind of the wrong wire type",
    carriers: binary,
    input: sizeDelimited(varintField(2, 5)),
    code: "frame_kind",
    ends: true,
  },
  {
    name: "a control frame that is no protobuf inside",
    carriers: binary,
    input: sizeDelimited(bytesField(8, raw(0x0a, 0x7f))),
    code: "malformed",
    ends: false,
  },
  {
    name: "a name that is not UTF-8",
    carriers: binary,
    input: sizeDelimited(join(varintField(1, 7), bytesField(8, bytesField(1, raw(0xc0, 0x80))))),
    code: "malformed",
    ends: false,
  },
  { name: "an empty frame", carriers: binary, input: raw(0), code: "frame_kind", ends: true },
  { name: "text on a binary session", carriers: ["ws-proto"], input: "{}", code: "websocket_kind", ends: true },
  { name: "bytes on a text session", carriers: json, input: raw(1, 2, 3), code: "websocket_kind", ends: true },
  {
    name: "half a frame in a message",
    carriers: ["ws-proto"],
    input: raw(5, 0x72),
    code: "websocket_split",
    ends: true,
  },
  { name: "no JSON", carriers: json, input: "{nonsense", code: "malformed", ends: false },
  { name: "an empty message", carriers: json, input: "", code: "malformed", ends: false },
  { name: "JSON that is no object", carriers: json, input: "[1]", code: "invalid_value", ends: false },
  { name: "no kind", carriers: json, input: '{"ref":1}', code: "frame_kind", ends: false },
  { name: "two kinds", carriers: json, input: '{"ping":{},"leave":{"member":"m1"}}', code: "frame_kind", ends: false },
  { name: "an unknown kind", carriers: json, input: '{"shout":{}}', code: "unknown_field", ends: false },
  {
    name: "an unknown field",
    carriers: json,
    input: '{"ref":7,"join":{"channel":"c","colour":"red"}}',
    code: "unknown_field",
    ends: false,
  },
  {
    name: "a field of the wrong type",
    carriers: json,
    input: '{"ref":7,"join":{"channel":5}}',
    code: "invalid_value",
    ends: false,
  },
  { name: "a name twice", carriers: json, input: '{"ping":{},"ping":{}}', code: "malformed", ends: false },
  { name: "a lone surrogate", carriers: json, input: '{"join":{"channel":"\\ud800"}}', code: "not_utf8", ends: false },
  {
    name: "a member that is none",
    carriers: json,
    input: '{"ref":7,"leave":{"member":"x"}}',
    code: "invalid_value",
    ends: false,
  },
];

const cases = rows.flatMap((row) => row.carriers.map((carrier) => ({ ...row, carrier })));

describe("malformed input", () => {
  test.each(cases)("$carrier: $name is answered with $code", async ({ carrier, input, code, ends }) => {
    const host = await startHost();
    const [bad, source, sink] = await Promise.all([
      connectTo(host, carrier),
      connectTo(host, "ws-json"),
      connectTo(host, "tcp"),
    ]);
    await sink.join("c");
    await source.publish("c", { type: "before" });
    bad.sendRaw(input);
    const problem = await bad.take("problem");
    expect(problem).toMatchObject({ code, title: codes[code].title });
    expect(problem.detail.length).toBeGreaterThan(10);
    if (ends) {
      const closed = await bad.closed;
      if (carrier !== "tcp") expect(closed.code).toBe(codes[code].close);
    } else {
      bad.send({ ref: 500, ping: {} });
      await bad.take("pong", 500);
    }
    await source.publish("c", { type: "after" });
    expect((await sink.received(2)).map(({ type }) => type)).toEqual(["before", "after"]);
    expect(host.service.statistics()["coreRestartsTotal"]).toBe(0);
  });

  const events: readonly { name: string; event: Uint8Array; code: SluiceCode }[] = [
    { name: "no type", event: bytesField(9, "k"), code: "type_missing" },
    { name: "a type of 257 bytes", event: event("t".repeat(257)), code: "type_too_long" },
    { name: "a key of 1025 bytes", event: join(event("t"), bytesField(9, "k".repeat(1_025))), code: "key_too_long" },
    { name: "priority 10", event: join(event("t"), varintField(6, 10)), code: "priority_out_of_range" },
    { name: "an id that is not UTF-8", event: join(event("t"), bytesField(1, raw(0xff))), code: "not_utf8" },
    {
      name: "an attribute named Bad",
      event: join(event("t"), bytesField(10, join(bytesField(1, "Bad"), bytesField(2, varintField(1, 1))))),
      code: "attribute_name",
    },
    { name: "a field cut off", event: raw(0x1a, 0x05, 0x61), code: "malformed" },
    { name: "a type of the wrong wire type", event: varintField(3, 1), code: "malformed" },
  ];
  test.each(events)("an event with $name is refused alone, between good ones", async ({ event: bad, code }) => {
    const host = await startHost();
    for (const carrier of binary) {
      const [source, sink] = await Promise.all([connectTo(host, carrier), connectTo(host, "ws-json")]);
      await sink.join("c");
      source.sendRaw(publish(event("a"), bad, event("b")));
      const { results } = await source.take("receipt", 7);
      expect(results.map(({ problem }: { problem?: { code: string } }) => problem?.code)).toEqual([
        undefined,
        code,
        undefined,
      ]);
      expect((await sink.received(2)).map(({ type }) => type)).toEqual(["a", "b"]);
      sink.end();
      await sink.closed;
    }
  });

  test("without a receipt each refused event is told as a problem", async () => {
    const host = await startHost();
    const source = await connectTo(host, "tcp");
    source.send({ publish: { channel: "c", events: [{ type: "t" }] } });
    source.sendRaw(sizeDelimited(bytesField(2, join(bytesField(1, "c"), bytesField(3, varintField(6, 1))))));
    expect(await source.take("problem")).toMatchObject({ code: "type_missing" });
  });

  test("an event that is too large is refused with value and limit", async () => {
    const host = await startHost();
    for (const carrier of carriers) {
      const client = await connectTo(host, carrier);
      client.send({ ref: 3, publish: { channel: "c", events: [{ type: "t", data: "x".repeat(1_048_600) }] } });
      const { results } = await client.take("receipt", 3);
      expect(results[0].problem).toMatchObject({ code: "event_too_large", limit: 1_048_576 });
      expect(results[0].problem.value).toBeGreaterThan(1_048_576);
    }
  });

  test("a text message that is too large ends the session", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.sendRaw(JSON.stringify({ ping: {}, pad: "x".repeat(1_200_000) }));
    expect(await client.take("problem")).toMatchObject({ code: "frame_too_large", limit: 1_114_112 });
    expect((await client.closed).code).toBe(codes.frame_too_large.close);
  });

  test("more events than one receipt holds are refused with the limit", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    client.send({ ref: 1, publish: { channel: "c", events: Array.from({ length: 4_096 }, () => ({ type: "t" })) } });
    expect((await client.take("receipt", 1)).results).toHaveLength(4_096);
    client.sendRaw(
      sizeDelimited(
        encodeFrame({
          ref: 2,
          kind: {
            case: "publish",
            value: { channel: "c", events: Array.from({ length: 4_097 }, () => ({ type: "t" })) },
          },
        }),
      ),
    );
    expect(await client.take("problem", 2)).toMatchObject({ code: "limit_reached", limit: 4_096 });
  });

  test("a channel number that is none is refused, and the session goes on", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    client.sendRaw(
      sizeDelimited(
        encodeFrame({ ref: 1, kind: { case: "publish", value: { channelNumber: 77, events: [{ type: "t" }] } } }),
      ),
    );
    expect(await client.take("problem", 1)).toMatchObject({ code: "channel_unknown", value: 77 });
    client.send({ ref: 2, ping: {} });
    await client.take("pong", 2);
  });
});

describe("split input", () => {
  test.each([true, false])("frames cut at every byte arrive whole, onread %s", async (onread) => {
    const host = await startHost({ onread });
    const sink = await connectTo(host, "ws-json");
    await sink.join("c");
    const source = await connectTo(host, "tcp");
    await source.join("c", { role: "source" });
    const frame = sizeDelimited(
      encodeFrame({
        kind: { case: "publish", value: { channelNumber: 1, events: [{ type: "t", data: utf8('"split"') }] } },
      }),
    );
    for (let cut = 1; cut < frame.length; cut++) {
      source.sendRaw(frame.slice(0, cut));
      // A turn between the halves lets the system deliver them as two reads.
      await new Promise((resolve) => setImmediate(resolve));
      source.sendRaw(frame.slice(cut));
    }
    const events = await sink.received(frame.length - 1);
    expect(new Set(events.map(({ data }) => data))).toEqual(new Set(['"split"']));
  });
});
