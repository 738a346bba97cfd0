import { create, equals } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventSchema } from "../../../../host/gen/sluice/v1/event_pb.ts";
import { eventFromJson, jsonFromEvent, textFromEvent } from "../../../../host/socket/json/codec.ts";
import { mediaForm } from "../../../../host/socket/json/media.ts";
import { propertyParameters } from "../../../property/runs.ts";
import { event } from "./arbitraries.ts";

describe("eventFromJson()", () => {
  test("takes what jsonFromEvent() and textFromEvent() give", () => {
    fc.assert(
      fc.property(event, (init) => {
        const given = create(EventSchema, init);
        const text = textFromEvent(given);
        expect(jsonFromEvent(given)).toEqual(JSON.parse(text));
        const read = eventFromJson(JSON.parse(text));
        if (!read.ok) throw read.error;
        // Parsed JSON is written anew, so spacing may differ; all else is the same.
        expect(jsonFromEvent(read.value)).toEqual(jsonFromEvent(given));
        const { data: _given, ...rest } = given;
        const { data: _read, ...again } = read.value;
        expect(equals(EventSchema, create(EventSchema, again), create(EventSchema, rest))).toBe(true);
      }),
      propertyParameters(200),
    );
  });

  test("refuses what JSON text could not hold either", () => {
    expect(eventFromJson({ type: "\ud800" })).toMatchObject({ ok: false, error: { code: "not_utf8" } });
    expect(eventFromJson({ type: "t", attributes: { a: Number.NaN } })).toMatchObject({
      ok: false,
      error: { code: "invalid_value" },
    });
    expect(eventFromJson({ type: "t", attributes: { a: "\udc00" } })).toMatchObject({
      ok: false,
      error: { code: "not_utf8" },
    });
    expect(eventFromJson(undefined)).toMatchObject({ ok: false, error: { code: "invalid_value" } });
    expect(eventFromJson(Object.assign(Object.create(null), { type: "t" })).ok).toBe(true);
  });

  test("counts empty texts as absent", () => {
    const read = eventFromJson({ type: "t", id: "", source: "", subject: "", key: "", dataContentType: "" });
    if (!read.ok) throw read.error;
    expect(textFromEvent(read.value)).toBe('{"type":"t"}');
  });
});

describe("textFromEvent()", () => {
  test("carries JSON data byte by byte", () => {
    const data = '{ "n": 12345678901234567890, "é": "\\u00e9" }\n';
    expect(textFromEvent(create(EventSchema, { type: "t", data: Buffer.from(data) }))).toBe(
      `{"type":"t","data":${data}}`,
    );
  });

  test("leaves out ttlMs where the moment is told", () => {
    const given = create(EventSchema, { type: "t", ttlMs: 5n, deliverByUs: 0n });
    expect(jsonFromEvent(given)).toEqual({ type: "t", deliverBy: "1970-01-01T00:00:00.000Z" });
    expect(jsonFromEvent(create(EventSchema, { type: "t", ttlMs: 5n }))).toEqual({ type: "t", ttlMs: 5 });
  });
});

describe("mediaForm()", () => {
  test.each([
    ["", "json"],
    ["application/json", "json"],
    ["Application/JSON; charset=utf-8", "json"],
    ["application/cloudevents+json", "json"],
    ["text/json", "json"],
    [" ", "json"],
    ["text/plain", "text"],
    ["text/csv;header=present", "text"],
    ["application/xml", "text"],
    ["image/svg+xml", "text"],
    ["application/yaml", "text"],
    ["application/octet-stream", "binary"],
    ["application/jsonx", "binary"],
    ["application/protobuf", "binary"],
    ["image/png", "binary"],
    ["nonsense", "binary"],
  ])("of %j is %s", (mediaType, form) => {
    expect(mediaForm(mediaType)).toBe(form);
  });
});
