/**
 * Goal: the fast way out writes the text of the slow one, for every sink, also from its cache.
 * Method: random and strangely encoded events pass both; every message is parsed and compared.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FRAME_RAW_TAG } from "../../../../core-wasm/abi.ts";
import { EventSchema } from "../../../../host/gen/sluice/v1/event_pb.ts";
import { HostFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { createSocketCodec, hostFrameFromJson, jsonFromHostFrame } from "../../../../host/socket/json/codec.ts";
import { type EventInit, encodeEvent } from "../../../core-wasm/frames.ts";
import { bytesField, fixed32Field, fixed64Field, join, varintField } from "../../../core-wasm/wire.ts";
import { eventArbitrary, strangeEventArbitrary } from "../../../property/event-arbitrary.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { event, type HostInit, hostFrame, hostKinds } from "./arbitraries.ts";
import { drained, messagesFrom, testNames, textsFrom } from "./names.ts";

const settings = { firstNumber: 1, events: 64, bytes: 65_536, memberOf: () => 17 };
const none = { ...settings, memberOf: () => undefined };

/** A deliver frame as the core writes it, around bytes of an event. */
function deliverFrame(channel: number, sequence: number, eventBytes: Uint8Array, member = 0): Uint8Array {
  const parts = [varintField(1, channel), varintField(2, sequence), bytesField(3, eventBytes)];
  if (member !== 0) parts.push(varintField(4, member));
  return bytesField(1, bytesField(1, join(...parts)));
}

/** What the slow way writes for the same bytes. */
function slowly(frame: Uint8Array, firstNumber: number, memberOf: () => number | undefined): string {
  return jsonFromHostFrame(fromBinary(HostFrameSchema, frame), testNames, { firstNumber, memberOf });
}

function samples(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    deliverFrame(5, index + 1, encodeEvent({ type: "t", data: Buffer.from(`${index}`) })),
  );
}

describe("createSocketCodec().render()", () => {
  test("writes any event as the slow way does, however it is encoded, first and again from the cache", () => {
    const codec = createSocketCodec(testNames);
    let sequence = 0;
    const bytes = fc.oneof(
      strangeEventArbitrary.map((strange) => strange.bytes),
      eventArbitrary.map(encodeEvent),
      event.map(encodeEvent),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(5, 6, 99), fc.constantFrom(0, 3), (encoded, channel, member) => {
        sequence += 1;
        const frame = deliverFrame(channel, sequence, encoded, member);
        const want = slowly(frame, 41, settings.memberOf);
        for (let sink = 0; sink < 3; sink += 1) {
          expect(textsFrom(codec.render(drained(frame), { ...settings, firstNumber: 41 }))).toEqual([want]);
        }
        expect(hostFrameFromJson(want)).toMatchObject({ ok: true });
      }),
      propertyParameters(1_000),
    );
  });

  test("passes over fields that it does not know, whatever they hold", () => {
    // What is skipped looks like fields: whoever lands within it reads another priority.
    const decoy = varintField(6, 9);
    const unknown = [
      bytesField(13, join(decoy, decoy)),
      bytesField(200, new Uint8Array(300).fill(0x30)),
      varintField(14, 1n << 40n),
      fixed64Field(15, 0x3030_3030_3030n),
      fixed32Field(16, 0x3030),
      bytesField(2 ** 29 - 1, decoy),
    ];
    for (const field of unknown) {
      const frame = deliverFrame(5, 1, join(field, bytesField(3, "t"), field, varintField(6, 1), field));
      const [text] = textsFrom(createSocketCodec(testNames).render(drained(frame), settings));
      expect(text).toContain('"event":{"id":"host-7-5-1","type":"t","priority":1}');
    }
  });

  test("writes every other kind as the slow way does", () => {
    const codec = createSocketCodec(testNames);
    const kinds = (Object.keys(hostKinds) as (keyof typeof hostKinds)[]).map(hostFrame);
    fc.assert(
      fc.property(fc.oneof(...kinds), (init) => {
        const frame = toBinary(HostFrameSchema, create(HostFrameSchema, init));
        expect(textsFrom(codec.render(drained(frame), none))).toEqual([slowly(frame, 1, none.memberOf)]);
      }),
      propertyParameters(300),
    );
  });

  test("groups deliveries up to `events`, and numbers them from `firstNumber` on", () => {
    const codec = createSocketCodec(testNames);
    const texts = textsFrom(codec.render(drained(...samples(7)), { ...settings, firstNumber: 10, events: 3 }));
    const numbers = texts.map((text) =>
      JSON.parse(text).deliver.events.map(({ number }: { number: number }) => number),
    );
    expect(numbers).toEqual([[10, 11, 12], [13, 14, 15], [16]]);
  });

  test("ends a deliver frame at `bytes`", () => {
    const codec = createSocketCodec(testNames);
    const one = drained(...samples(1)).length;
    const texts = textsFrom(codec.render(drained(...samples(5)), { ...settings, bytes: 2 * one }));
    expect(texts.map((text) => JSON.parse(text).deliver.events.length)).toEqual([2, 2, 1]);
  });

  test("keeps the order of frames of different kinds", () => {
    const codec = createSocketCodec(testNames);
    const [first, second] = samples(2) as [Uint8Array, Uint8Array];
    const pong: HostInit = { kind: { case: "pong", value: { ref: 1 } } };
    const kinds = textsFrom(codec.render(drained(pong, first, pong, second), settings)).map(
      (text) => Object.keys(JSON.parse(text))[0],
    );
    expect(kinds).toEqual(["pong", "deliver", "pong", "deliver"]);
  });

  test("lets WebSocket control frames pass as they are", () => {
    const codec = createSocketCodec(testNames);
    const close = Uint8Array.from([0x88, 0x02, 0x0f, 0xa0]);
    const raw = join(Uint8Array.from([FRAME_RAW_TAG, close.length]), close);
    const messages = messagesFrom(codec.render(drained(samples(1)[0] as Uint8Array, raw), settings));
    expect(messages.map(({ opcode }) => opcode)).toEqual([1, 8]);
    expect([...(messages[1]?.payload ?? [])]).toEqual([0x0f, 0xa0]);
  });

  test("writes the header that a message of each size needs", () => {
    const codec = createSocketCodec(testNames);
    for (const size of [0, 10, 200, 65_000, 70_000, 300_000, 10, 0]) {
      const frame = deliverFrame(
        5,
        size + 1_000,
        encodeEvent({ id: "i", type: "t", dataContentType: "text/plain", data: Buffer.from("x".repeat(size)) }),
      );
      expect(textsFrom(codec.render(drained(frame), settings))).toEqual([slowly(frame, 1, settings.memberOf)]);
    }
  });

  test("finds room for what grows: control characters, base64", () => {
    const codec = createSocketCodec(testNames);
    const grown: EventInit[] = [
      { id: "i", type: "t", subject: "\u0001".repeat(200_000) },
      { id: "i", type: "t", dataContentType: "text/plain", data: Buffer.from('"\\\u0002'.repeat(100_000)) },
      { id: "i", type: "t", data: new Uint8Array(500_000).fill(255) },
      { id: "i", type: "t", attributes: { a: { kind: { case: "text", value: "\u0001".repeat(100_000) } } } },
    ];
    for (const [index, init] of grown.entries()) {
      const frame = deliverFrame(5, index + 1, encodeEvent(init));
      expect(textsFrom(codec.render(drained(frame), settings))).toEqual([slowly(frame, 1, settings.memberOf)]);
    }
  });

  test("tells the member of the frame before that of the session", () => {
    const codec = createSocketCodec(testNames);
    const encoded = encodeEvent({ type: "t" });
    const texts = textsFrom(
      codec.render(drained(deliverFrame(5, 1, encoded), deliverFrame(5, 1, encoded, 3)), settings),
    );
    expect(JSON.parse(texts[0] as string).deliver.events.map(({ member }: { member: string }) => member)).toEqual([
      "m17",
      "m3",
    ]);
  });

  test("renders an event once for all its sinks", () => {
    let asked = 0;
    const codec = createSocketCodec({
      ...testNames,
      derivedId: (...of) => {
        asked += 1;
        return testNames.derivedId(...of);
      },
    });
    const frame = drained(...samples(1));
    const first = codec.render(frame, settings).slice();
    const before = asked;
    for (let sink = 0; sink < 7; sink += 1) expect(codec.render(frame, settings)).toEqual(first);
    expect(asked).toBe(before);
  });

  test("does not mistake an event for one that had its channel number and sequence before", () => {
    const codec = createSocketCodec(testNames);
    const text = (init: EventInit) =>
      textsFrom(codec.render(drained(deliverFrame(5, 1, encodeEvent(init))), settings))[0];
    expect(text({ type: "old", timeUs: 1n })).toContain('"old"');
    expect(text({ type: "new", timeUs: 2n })).toContain('"new"');
    codec.clear();
    expect(text({ type: "old", timeUs: 1n })).toContain('"old"');
  });

  test("forgets rendered events and names when the epoch changes", () => {
    let epoch = 7;
    const codec = createSocketCodec({ ...testNames, epoch: () => epoch });
    const frame = drained(...samples(1));
    expect(textsFrom(codec.render(frame, settings))[0]).toContain('"epoch":7');
    epoch = 8;
    expect(textsFrom(codec.render(frame, settings))[0]).toContain('"epoch":8,"event":{"id":"host-8-5-1"');
  });

  test("tells a channel by the name that it has now, and one that is gone as an empty name", () => {
    let name: string | undefined = "before";
    const codec = createSocketCodec({ ...testNames, channelName: () => name });
    const text = (sequence: number) =>
      textsFrom(codec.render(drained(deliverFrame(5, sequence, encodeEvent({ type: "t" }))), settings))[0];
    expect(text(1)).toContain('"channel":"before"');
    name = "after";
    expect(text(2)).toContain('"channel":"after"');
    name = undefined;
    expect(text(3)).toContain('"channel":""');
  });

  test("leaves what keep() holds alone", () => {
    const codec = createSocketCodec(testNames);
    const held = codec.render(drained(...samples(3)), settings);
    const before = held.slice();
    codec.keep();
    codec.render(drained(...samples(9)), settings);
    expect(held).toEqual(before);
  });

  test("writes nothing for nothing", () => {
    expect(createSocketCodec(testNames).render(new Uint8Array(0), settings).length).toBe(0);
  });
});

describe("what JSON cannot say", () => {
  const attributes = (encoded: Uint8Array) => {
    const [text] = textsFrom(createSocketCodec(testNames).render(drained(deliverFrame(5, 1, encoded)), settings));
    return JSON.parse(text as string).deliver.events[0].event.attributes;
  };
  const number = (value: number) => ({ kind: { case: "number" as const, value } });

  test("NaN and infinities are left out", () => {
    const given = { nan: number(Number.NaN), up: number(Number.POSITIVE_INFINITY), one: number(1) };
    expect(attributes(encodeEvent({ type: "t", attributes: given }))).toEqual({ one: 1 });
    expect(attributes(encodeEvent({ type: "t", attributes: { nan: number(Number.NaN) } }))).toBeUndefined();
  });

  test("integers beyond 2^53 keep their digits", () => {
    const encoded = encodeEvent({ type: "t", attributes: { a: { kind: { case: "integer", value: -(2n ** 63n) } } } });
    const [text] = textsFrom(createSocketCodec(testNames).render(drained(deliverFrame(5, 1, encoded)), settings));
    expect(text).toContain('"attributes":{"a":-9223372036854775808}');
  });

  test("a name that comes twice is told once, with its last value", () => {
    const entry = (value: number) => bytesField(10, join(bytesField(1, "a"), bytesField(2, varintField(4, 2 * value))));
    const frame = deliverFrame(5, 1, join(bytesField(3, "t"), entry(1), entry(2)));
    const [text] = textsFrom(createSocketCodec(testNames).render(drained(frame), settings));
    expect(text).toContain('"attributes":{"a":2}');
  });

  test("data that is JSON by name and not by its bytes is told as base64", () => {
    for (const data of ["{", "", "[1,]", "\ufeff1", "nul", '"\u0001"', `${"[".repeat(200)}${"]".repeat(200)}`]
      .map((text) => Buffer.from(text))
      .concat(Buffer.from([0x22, 0xff, 0x22]))) {
      const event = create(EventSchema, { id: "i", type: "t", data });
      const frame = deliverFrame(5, 1, toBinary(EventSchema, event));
      const [text] = textsFrom(createSocketCodec(testNames).render(drained(frame), settings));
      expect(JSON.parse(text as string).deliver.events[0].event).toMatchObject({ dataBase64: data.toString("base64") });
    }
  });
});
