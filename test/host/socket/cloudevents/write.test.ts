/** Goal: what is written is CloudEvents 1.0.2, by our own reader and by the SDK that others use, and nothing gets lost. */
import { create, equals } from "@bufbuild/protobuf";
import { type CloudEvent, HTTP } from "cloudevents";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Event, EventSchema } from "../../../../host/gen/sluice/v1/event_pb.ts";
import { ClientFrameSchema } from "../../../../host/gen/sluice/v1/frame_pb.ts";
import { eventFromCloudEvent, eventFromHeaders } from "../../../../host/socket/cloudevents/read.ts";
import { cloudEventBatch, cloudEventMessage, cloudEventText } from "../../../../host/socket/cloudevents/write.ts";
import { eventFromJson } from "../../../../host/socket/json/event.ts";
import { readJson } from "../../../../host/socket/json/reader.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { type ClientInit, clientFrame } from "../json/arbitraries.ts";

/** A native event as a sink gets it. */
function event(native: object): Event {
  const read = eventFromJson({ source: "/s", type: "t", ...native });
  if (!read.ok) throw read.error;
  return read.value;
}

const written = (native: object) => JSON.parse(cloudEventText({ event: event(native), id: "i" }));
const base = { specversion: "1.0", id: "i", source: "/s", type: "t" };
const bytes = (text: string) => new TextEncoder().encode(text);

describe("cloudEventText()", () => {
  test.each([
    ["the least", {}, {}],
    ["time", { time: "2026-01-01T00:00:00.5Z" }, { time: "2026-01-01T00:00:00.500Z" }],
    ["fields that are extensions", { key: "k", priority: 7 }, { partitionkey: "k", priority: 7 }],
    ["deliverBy", { deliverBy: "2030-01-01T00:00:00Z" }, { expirytime: "2030-01-01T00:00:00.000Z" }],
    ["JSON, its media type said", { data: { a: [1] } }, { datacontenttype: "application/json", data: { a: [1] } }],
    ["text", { dataContentType: "text/plain", data: "x" }, { datacontenttype: "text/plain", data: "x" }],
    [
      "bytes",
      { dataContentType: "image/png", dataBase64: "AAE=" },
      { datacontenttype: "image/png", data_base64: "AAE=" },
    ],
    ["bytes that are no JSON", { dataBase64: "AAE=" }, { data_base64: "AAE=" }],
    ["attributes", { attributes: { zone: "eu", urgent: true, n: -5 } }, { zone: "eu", urgent: true, n: -5 }],
    ["numbers that are no Integer as text", { attributes: { a: 0.42, b: 2 ** 31 } }, { a: "0.42", b: "2147483648" }],
    ["names without underscores", { attributes: { max_load: 1 } }, { maxload: 1 }],
    ["names that are taken", { attributes: { id: 1, max_load: 2, maxload: 3 } }, { id2: 1, maxload2: 2, maxload: 3 }],
    [
      "names of extensions with a field",
      { key: "k", attributes: { partitionkey: "x" } },
      { partitionkey: "k", partitionkey2: "x" },
    ],
    ["dataschema", { attributes: { dataschema: "http://x" } }, { dataschema: "http://x" }],
  ])("writes %s", (_name, native, want) => {
    expect(written(native)).toEqual({ ...base, ...want });
  });

  test("carries data byte by byte", () => {
    const data = '{ "n" : 12345678901234567890 }';
    const given = create(EventSchema, { source: "/s", type: "t", data: bytes(data) });
    expect(cloudEventText({ event: given, id: "i" })).toContain(`"data":${data}`);
  });

  test("gives what our own reader takes back: events without numbers that CloudEvents cannot say", () => {
    fc.assert(
      fc.property(clientFrame("publish"), (init) => {
        for (const given of publishedOf(init)) {
          const value = readJson(cloudEventText({ event: given, id: given.id }), (path) => path[0] === "data");
          if (!value.ok) throw value.error;
          expect(equals(EventSchema, eventFromCloudEvent(value.value, []), withMediaType(given))).toBe(true);
        }
      }),
      propertyParameters(100),
    );
  });
});

/** The events of a random publish, made sayable: id and source there, no TTL, attributes by CloudEvents' rules. */
function publishedOf(init: ClientInit): Event[] {
  const { kind } = create(ClientFrameSchema, init);
  if (kind.case !== "publish") throw new Error("The arbitrary makes publishes");
  return kind.value.events.map((given) => {
    const attributes = Object.entries(given.attributes).filter(
      ([name, { kind }]) => /^[a-z][a-z0-9]{3,}$/.test(name) && (kind.case === "boolean" || kind.case === "text"),
    );
    const made = create(EventSchema, {
      ...given,
      id: given.id || "1",
      source: given.source || "/s",
      attributes: Object.fromEntries(attributes),
    });
    delete made.ttlMs;
    return made;
  });
}

/** JSON whose media type was implied has it said. */
function withMediaType(given: Event): Event {
  const text = JSON.parse(cloudEventText({ event: given, id: given.id }));
  return create(EventSchema, { ...given, dataContentType: text.datacontenttype ?? "" });
}

describe("cloudEventMessage()", () => {
  test("says attributes in fields and gives the payload as it is", () => {
    const given = event({ subject: "Euro €", key: "k", attributes: { urgent: true }, data: { a: 1 } });
    const message = cloudEventMessage({ event: given, id: "i" });
    expect(message.headers).toEqual({
      "ce-specversion": "1.0",
      "ce-id": "i",
      "ce-source": "/s",
      "ce-type": "t",
      "ce-subject": "Euro%20%E2%82%AC",
      "ce-partitionkey": "k",
      "ce-urgent": "true",
      "content-type": "application/json",
    });
    expect(new TextDecoder().decode(message.body)).toBe('{"a":1}');
  });

  test.each([
    ["text/plain; charset=utf-8", "x", "text/plain; charset=utf-8"],
    ["", '{"a":1}', "application/json"],
    ["", "no json", "application/octet-stream"],
    ["text/html\r\nset-cookie: a=b", "x", "application/octet-stream"],
    ["ä/ö", "x", "application/octet-stream"],
  ])("says the media type %j of %j as %j", (dataContentType, data, want) => {
    const given = create(EventSchema, { source: "s", type: "t", dataContentType, data: bytes(data) });
    expect(cloudEventMessage({ event: given, id: "i" }).headers["content-type"]).toBe(want);
  });

  test("gives what our own reader takes back", () => {
    const given = event({
      id: "i",
      subject: 'a "b" %20\n',
      attributes: { zone: "eu" },
      dataContentType: "text/x",
      data: "ä",
    });
    const { headers, body } = cloudEventMessage({ event: given, id: "i" });
    const back = eventFromHeaders(Object.entries(headers), headers["content-type"] ?? "", body);
    expect(equals(EventSchema, back, given)).toBe(true);
  });
});

describe("the cloudevents SDK", () => {
  const given = event({
    subject: "Euro",
    time: "2026-01-01T00:00:00.5Z",
    key: "k",
    priority: 7,
    attributes: { zone: "eu", max_load: 0.42, urgent: true },
    data: { a: 1 },
  });
  const want = {
    id: "i",
    source: "/s",
    type: "t",
    subject: "Euro",
    partitionkey: "k",
    zone: "eu",
    maxload: "0.42",
    data: { a: 1 },
  };

  test("takes structured mode, and finds it valid", () => {
    const body = cloudEventText({ event: given, id: "i" });
    const read = HTTP.toEvent({ headers: { "content-type": "application/cloudevents+json" }, body }) as CloudEvent;
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({ ...want, urgent: true, priority: 7 });
  });

  test("takes batches", () => {
    const body = cloudEventBatch([
      { event: given, id: "i" },
      { event: given, id: "j" },
    ]);
    const headers = { "content-type": "application/cloudevents-batch+json" };
    const read = HTTP.toEvent({ headers, body }) as CloudEvent[];
    expect(read.map(({ id }) => id)).toEqual(["i", "j"]);
  });

  test("takes binary mode", () => {
    const { headers, body } = cloudEventMessage({ event: given, id: "i" });
    const read = HTTP.toEvent({ headers: { ...headers }, body: new TextDecoder().decode(body) }) as CloudEvent;
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject(want);
  });
});
