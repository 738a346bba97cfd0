/** Goal: CloudEvents 1.0.2 as its documents say, JSON format and binary mode; each row is a rule of theirs or of ours. */
import { describe, expect, test } from "vitest";
import { isSluiceError } from "../../../../host/errors.ts";
import type { Event } from "../../../../host/gen/sluice/v1/event_pb.ts";
import { eventFromCloudEvent, eventFromHeaders } from "../../../../host/socket/cloudevents/read.ts";
import { jsonFromEvent } from "../../../../host/socket/json/event.ts";
import { readJson } from "../../../../host/socket/json/reader.ts";

const least = { specversion: "1.0", id: "1", source: "/s", type: "t" };

/** Reads JSON text as a body is read. */
function read(text: string): Event {
  const value = readJson(text, (path) => path.length === 1 && path[0] === "data");
  if (!value.ok) throw value.error;
  return eventFromCloudEvent(value.value, []);
}

const native = (members: object) => jsonFromEvent(read(JSON.stringify({ ...least, ...members })));
const base = { id: "1", source: "/s", type: "t" };

/** What a refusal says. */
function refusal(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    if (isSluiceError(thrown)) return [thrown.code, thrown.value];
    throw thrown;
  }
  return "taken";
}

describe("eventFromCloudEvent()", () => {
  test("takes the least that there can be", () => {
    expect(native({})).toEqual(base);
  });

  test("takes the example of the specification", () => {
    const event = native({
      type: "com.example.someevent",
      source: "/mycontext",
      id: "C234-1234-1234",
      time: "2018-04-05T17:31:00Z",
      subject: null,
      comexampleextension1: "value",
      comexampleothervalue: 5,
      unsetextension: null,
      datacontenttype: "application/json",
      data: { appinfoA: "abc", appinfoB: 123, appinfoC: true },
    });
    expect(event).toEqual({
      type: "com.example.someevent",
      source: "/mycontext",
      id: "C234-1234-1234",
      time: "2018-04-05T17:31:00.000Z",
      attributes: { comexampleextension1: "value", comexampleothervalue: 5 },
      dataContentType: "application/json",
      data: { appinfoA: "abc", appinfoB: 123, appinfoC: true },
    });
  });

  test.each([
    ["partitionkey is the key", { partitionkey: "k" }, { key: "k" }],
    ["expirytime is deliverBy", { expirytime: "2030-01-01T00:00:00Z" }, { deliverBy: "2030-01-01T00:00:00.000Z" }],
    ["priority is the priority", { priority: 7 }, { priority: 7 }],
    ["priority may be text", { priority: "0" }, { priority: 0 }],
    ["dataschema is an attribute", { dataschema: "http://x/y" }, { attributes: { dataschema: "http://x/y" } }],
    ["extensions keep their kinds", { a: true, b: "1", c: 1.5 }, { attributes: { a: true, b: "1", c: 1.5 } }],
    ["data may be null", { data: null }, { data: null }],
    ["data may be a text that is JSON", { data: "I'm just a string" }, { data: "I'm just a string" }],
    [
      "data of a text type is its content",
      { datacontenttype: "application/xml", data: "<much wow='xml'/>" },
      { dataContentType: "application/xml", data: "<much wow='xml'/>" },
    ],
    [
      "data_base64 is bytes",
      { datacontenttype: "application/octet-stream", data_base64: "AAH/" },
      { dataContentType: "application/octet-stream", dataBase64: "AAH/" },
    ],
    ["data_base64 may hold JSON", { data_base64: "eyJhIjoxfQ==" }, { data: { a: 1 } }],
  ])("%s", (_rule, members, fields) => {
    expect(native(members)).toEqual({ ...base, ...fields });
  });

  test("keeps data byte by byte", () => {
    const data = '{ "n" : 12345678901234567890,\n "n": 1e999 }';
    const { data: bytes } = read(`{"specversion":"1.0","id":"1","source":"s","type":"t","data":${data}}`);
    expect(new TextDecoder().decode(bytes)).toBe(data);
  });

  test.each([
    ["another version", { ...least, specversion: "0.3" }, ["invalid_value", "0.3"]],
    ["no version", { ...least, specversion: undefined }, ["invalid_value", "specversion"]],
    ["no id", { ...least, id: undefined }, ["invalid_value", "id"]],
    ["an empty id", { ...least, id: "" }, ["invalid_value", ""]],
    ["no source", { ...least, source: null }, ["invalid_value", "source"]],
    ["no type", { ...least, type: undefined }, ["type_missing", "type"]],
    ["a time that is none", { ...least, time: "now" }, ["invalid_value", "now"]],
    ["a name in upper case", { ...least, myExt: "x" }, ["attribute_name", "myExt"]],
    ["a name that begins with a digit", { ...least, "1a": "x" }, ["attribute_name", "1a"]],
    ["an extension that is an object", { ...least, ext: { a: 1 } }, ["invalid_value", "ext"]],
    ["priority 10", { ...least, priority: 10 }, ["priority_out_of_range", 10]],
    ["data twice", { ...least, data: 1, data_base64: "AA==" }, ["invalid_value", "AA=="]],
    ["data that is no text", { ...least, datacontenttype: "text/plain", data: 5 }, ["invalid_value", "data"]],
    ["base64 without padding", { ...least, data_base64: "AA" }, ["invalid_value", "AA"]],
    ["no object", 5, ["invalid_value", 5]],
    ["an array", [least], ["invalid_value", ""]],
  ])("refuses %s", (_name, given, want) => {
    expect(refusal(() => read(JSON.stringify(given)))).toEqual(want);
  });

  test("refuses __proto__ by name", () => {
    const text = '{"specversion":"1.0","id":"1","source":"s","type":"t","__proto__":"x"}';
    expect(refusal(() => read(text))).toEqual(["attribute_name", "__proto__"]);
  });
});

describe("eventFromHeaders()", () => {
  const fields = (more: Record<string, string> = {}): [string, string][] =>
    Object.entries({ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t", ...more });
  const body = new TextEncoder().encode('{"a":1}');

  test("takes the body as it is, and its media type", () => {
    const event = eventFromHeaders(fields(), "application/json; charset=utf-8", body);
    expect(jsonFromEvent(event)).toEqual({
      ...base,
      dataContentType: "application/json; charset=utf-8",
      data: { a: 1 },
    });
    expect(event.data).toEqual(body);
  });

  test("takes an empty body for no data", () => {
    expect(eventFromHeaders(fields(), "", new Uint8Array(0)).data).toBeUndefined();
  });

  test("reads attributes from fields in any case; extensions stay text", () => {
    const event = eventFromHeaders(
      fields({ "CE-Subject": "Euro%20%E2%82%AC", "ce-load": "0.42", "ce-priority": "9", "x-other": "y" }),
      "",
      body,
    );
    expect(jsonFromEvent(event)).toEqual({
      ...base,
      subject: "Euro €",
      priority: 9,
      attributes: { load: "0.42" },
      data: { a: 1 },
    });
  });

  test.each([
    ["a missing field", "ce-id", undefined, ["invalid_value", "headers.id"]],
    ["another version", "ce-specversion", "1.1", ["invalid_value", "1.1"]],
    ["a media type that is said twice", "ce-datacontenttype", "text/plain", ["unknown_field", "ce-datacontenttype"]],
    ["a payload in a field", "ce-data", "x", ["unknown_field", "ce-data"]],
    ["a name with a dash", "ce-my-ext", "x", ["attribute_name", "my-ext"]],
    ["what is no UTF-8", "ce-subject", "%80", ["malformed", "%80"]],
  ])("refuses %s", (_name, name, value, want) => {
    const given = fields().filter(([field]) => field !== name);
    if (value !== undefined) given.push([name, value]);
    expect(refusal(() => eventFromHeaders(given, "", body))).toEqual(want);
  });
});
