/**
 * The client's own codec, held against the protobuf library and the generated schemas: the same bytes mean the same on both sides.
 */
import { create, type DescField, type DescMessage, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import { sizeDelimitedPeek } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Delivery, readMessage } from "../../client/wire/deliveries.ts";
import {
  type ClientKind,
  clientFrames,
  frameBytes,
  type HostFrames,
  hostFrames,
  readHostFrame,
} from "../../client/wire/frames.ts";
import { PUBLISH_HEAD_BYTES, publishFrame, writeEvent } from "../../client/wire/publish.ts";
import type { Field, Fields } from "../../client/wire/schema.ts";
import { Writer } from "../../client/wire/writer.ts";
import {
  type ClientFrame,
  ClientFrameSchema,
  DeliverSchema,
  DeliverySchema,
  type HostFrame,
  HostFrameSchema,
} from "../../host/gen/sluice/v1/frame_pb.ts";
import type { EventInput } from "../../host/interface.ts";
import { clientFrameFromJson } from "../../host/socket/json/client.ts";
import { eventFromJson, jsonFromEvent } from "../../host/socket/json/codec.ts";
import { hostFrameFromJson } from "../../host/socket/json/host.ts";
import { examples } from "../../scripts/lib/docs-examples.mjs";
import { propertyParameters } from "../property/runs.ts";

/** What the library makes of one size-delimited frame. */
function decoded(bytes: Uint8Array): ClientFrame {
  const { eof, size, offset } = sizeDelimitedPeek(bytes);
  expect({ eof, end: (offset ?? 0) + (size ?? 0) }).toEqual({ eof: false, end: bytes.length });
  return fromBinary(ClientFrameSchema, bytes.subarray(offset ?? 0));
}

/** The word of the tables for a field of the generated schema. */
function kindOf(field: DescField): unknown {
  if (field.fieldKind === "map") return field.mapKind === "message" ? "attributes" : "amounts";
  const { message } = field;
  if (message !== undefined) {
    if (message.typeName === "google.protobuf.Value") return "json";
    return message.typeName === "google.protobuf.Struct" ? "struct" : message;
  }
  const words: Partial<Record<ScalarType, string>> = {
    [ScalarType.STRING]: "text",
    [ScalarType.BOOL]: "bool",
    [ScalarType.DOUBLE]: "double",
    [ScalarType.UINT32]: "uint",
    [ScalarType.UINT64]: "uint",
    [ScalarType.SFIXED64]: "micros",
  };
  return words[field.scalar as ScalarType];
}

/** Compares a table with a schema: what the table has must be there, as it says. */
function compare(fields: Fields, schema: DescMessage, path: string): string[] {
  return Object.entries(fields).flatMap(([name, [number, kind, several]]: [string, Field]) => {
    const field = schema.fields.find((one) => one.number === number);
    if (field === undefined) return [`${path}.${name}: ${number} is no field`];
    const isNamed = field.localName === name || field.localName === `${name}Us`;
    const isList = (field.fieldKind === "list") === (several === true);
    const known = kindOf(field);
    if (!isNamed || !isList) return [`${path}.${name} is ${field.localName}, ${field.fieldKind}`];
    if (typeof kind === "object") return compare(kind, known as DescMessage, `${path}.${name}`);
    return known === kind ? [] : [`${path}.${name} is ${String(known)}`];
  });
}

/** Events as applications write them. */
const attribute = fc.oneof(
  fc.boolean(),
  fc.string(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
const text = fc.string({ unit: "grapheme", maxLength: 200 }).filter((one) => one.isWellFormed());
const event = fc.record(
  {
    type: text,
    id: text,
    source: text,
    subject: text,
    time: fc.constantFrom("2026-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999999Z", "2026-06-01T12:00:00+02:00"),
    priority: fc.nat(9),
    ttlMs: fc.nat(),
    key: text,
    attributes: fc.dictionary(name, attribute, { maxKeys: 5 }),
    data: fc.jsonValue({ maxDepth: 3 }),
  },
  { requiredKeys: ["type"] },
);

describe("the tables of frames", () => {
  test("say what the schemas say", () => {
    const part = (schema: DescMessage): DescMessage => schema;
    expect(compare(clientFrames, part(ClientFrameSchema), "client")).toEqual([]);
    expect(compare(hostFrames, part(HostFrameSchema), "host")).toEqual([]);
  });

  test.each(Object.keys(clientFrames) as ClientKind[])("write %s as the library reads it", (kind) => {
    const { json } = examples.ClientFrame[kind] as { json: string };
    const read = clientFrameFromJson(json);
    if (!read.ok) throw read.error;
    const { ref, [kind]: example } = JSON.parse(json);
    const part = {
      ...example,
      ...(example.member === undefined ? {} : { member: 3 }),
      ...(example.at === undefined ? {} : { at: 1_767_225_600_000_000n }),
    };
    expect(decoded(frameBytes(kind, part, ref))).toEqual(read.frame);
  });

  test.each(Object.keys(hostFrames))("read %s as the library writes it", (kind) => {
    const { json } = examples.HostFrame[kind] as { json: string };
    const read = hostFrameFromJson(json);
    if (!read.ok) throw read.error;
    const bytes = toBinary(HostFrameSchema, read.value as HostFrame);
    const frame = readHostFrame(bytes, 0, bytes.length);
    const expected = JSON.parse(json)[kind];
    // What the binary form says otherwise: members are numbers, and what is false or empty is absent.
    if (typeof expected.member === "string") expected.member = Number(expected.member.slice(1));
    for (const name of Object.keys(expected)) if (expected[name] === false) delete expected[name];
    expect(frame[kind as keyof HostFrames]).toEqual(expected);
  });
});

describe("writeEvent()", () => {
  test("writes what the library reads as the same event, whatever is in it", () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        fc.option(fc.nat(2 ** 32 - 1)),
        (events, channel, number, ref) => {
          const writer = new Writer(PUBLISH_HEAD_BYTES + 1, PUBLISH_HEAD_BYTES);
          const sizes = events.map((one) => writeEvent(writer, one as EventInput));
          const frame = decoded(publishFrame(writer, channel, number, ref ?? undefined));
          if (frame.kind.case !== "publish") throw new Error(frame.kind.case);
          const { value } = frame.kind;
          expect([frame.ref, value.channelNumber, Number(value.number)]).toEqual([ref ?? undefined, channel, number]);
          for (const [index, one] of events.entries()) {
            const checked = eventFromJson({ ...one, type: one.type || "t" });
            if (!checked.ok) throw checked.error;
            const expected = jsonFromEvent(checked.value);
            expect(jsonFromEvent(value.events[index] as never)).toEqual({ ...expected, type: one.type || undefined });
          }
          expect(sizes).toHaveLength(events.length);
        },
      ),
      propertyParameters(100),
    );
  });

  test.each([
    [{ type: "t", tpye: 1 }, "unknown_field", "tpye"],
    [{ type: 3 }, "invalid_value", "type"],
    [{ type: "t", priority: 1.5 }, "invalid_value", "priority"],
    [{ type: "t", ttlMs: -1 }, "invalid_value", "ttlMs"],
    [{ type: "t", time: "yesterday" }, "invalid_value", "time"],
    [{ type: "t", attributes: { a: {} } }, "invalid_value", "attributes.a"],
    [{ type: "t", attributes: { a: Number.NaN } }, "invalid_value", "attributes.a"],
    [{ type: "t", attributes: 7 }, "invalid_value", "attributes"],
    [{ type: "t", data: 1n }, "invalid_value", "data"],
    [{ type: "t", data: () => 1 }, "invalid_value", "data"],
    [{ type: "t", dataContentType: "text/plain", data: 7 }, "invalid_value", "data"],
    [{ type: "t", data: 1, dataBase64: "AA==" }, "contradiction", ["data", "dataBase64"]],
    [{ type: "t", dataBase64: "?" }, "invalid_value", "dataBase64"],
    [{ type: "\ud800" }, "not_utf8", "\ufffd"],
  ])("refuses %o, and leaves what was written as it was", (wrong, code, value) => {
    const writer = new Writer(64, PUBLISH_HEAD_BYTES);
    writeEvent(writer, { type: "before" });
    const before = writer.done().slice();
    expect(() => writeEvent(writer, wrong as unknown as EventInput)).toThrow(expect.objectContaining({ code, value }));
    expect(writer.done()).toEqual(before);
  });
});

describe("readMessage()", () => {
  /** A deliver frame of one event, as the library writes it. */
  function deliver(input: object): { bytes: Uint8Array; json: object } {
    const read = eventFromJson(input);
    if (!read.ok) throw read.error;
    const delivery = create(DeliverySchema, { channelNumber: 7, sequence: 300n, event: read.value });
    const value = create(DeliverSchema, { events: [delivery] });
    const body = toBinary(HostFrameSchema, create(HostFrameSchema, { kind: { case: "deliver", value } }));
    const size = body.length < 128 ? [body.length] : [(body.length & 127) | 128, body.length >> 7];
    return { bytes: Uint8Array.from([...size, ...body]), json: jsonFromEvent(read.value) };
  }

  function read(bytes: Uint8Array): Delivery[] {
    const deliveries: Delivery[] = [];
    readMessage(bytes, {
      place: { host: "h", epoch: 5 },
      onDelivery: (delivery) => deliveries.push(delivery),
      onFrame: () => {},
    });
    return deliveries;
  }

  test("gives events as the library reads them", () => {
    fc.assert(
      fc.property(event, (one) => {
        const given = {
          ...one,
          type: one.type || "t",
          id: one.id || "i",
          source: one.source || "/s",
          time: "2026-01-01T00:00:00.123456Z",
        };
        const { bytes, json } = deliver(given);
        const [delivery] = read(bytes);
        expect(delivery).toMatchObject({ channelNumber: 7, sequence: 300, epoch: 5, attempt: 1 });
        expect(delivery?.event.toJSON()).toEqual(json);
      }),
      propertyParameters(100),
    );
  });

  test("derives the id of an event that its source gave none", () => {
    expect(read(deliver({ type: "t" }).bytes)[0]?.event.id).toBe("h-5-7-8c");
  });

  test.each([
    ["text", { dataContentType: "text/plain", data: "ü" }, { data: "ü" }],
    ["bytes", { dataContentType: "image/png", dataBase64: "AP8=" }, { dataBase64: "AP8=" }],
    [
      "bytes that say they are JSON",
      { dataContentType: "application/json", dataBase64: "AP8=" },
      { dataBase64: "AP8=" },
    ],
  ])("gives data of %s", (_name, given, expected) => {
    expect(read(deliver({ type: "t", ...given }).bytes)[0]?.event.toJSON()).toMatchObject(expected);
  });

  test("refuses what ends in the middle, wherever that is", () => {
    const { bytes } = deliver({ type: "t", attributes: { a: "b" }, data: { n: 1 } });
    for (let end = 1; end < bytes.length; end++)
      expect(() => read(bytes.subarray(0, end)), String(end)).toThrow(expect.objectContaining({ code: "malformed" }));
  });
});
