import { describe, expect, test } from "vitest";
import { definitionFromJson } from "../../../host/channel/definition.ts";
import { limits } from "../../../host/limits.ts";
import type { LocalDelivery } from "../../../host/session/local.ts";
import { jsonFromEvent } from "../../../host/socket/json/codec.ts";
import { createTestControl, type TestControl } from "./support.ts";

const path = "/v1/channels/c/events";

/** Events that a subscriber of "c" got so far. */
function subscribe({ service, settle }: TestControl): () => unknown[] {
  const deliveries: LocalDelivery[] = [];
  service.subscribe("c", { onEvents: (batch) => deliveries.push(...batch) });
  return () => {
    settle();
    return deliveries.map(({ event }) => jsonFromEvent(event));
  };
}

describe("POST /v1/channels/{channel}/events", () => {
  test("publishes one event and tells where it went", async () => {
    const control = createTestControl();
    const received = subscribe(control);
    const event = {
      id: "e1",
      source: "/web/1",
      type: "request",
      subject: "s",
      time: "2026-01-01T00:00:00.123456Z",
      priority: 7,
      key: "r-17",
      attributes: { load: 0.42, zone: "eu", urgent: true, n: 5 },
      data: { any: "json" },
    };
    const answer = await control.ask("POST", path, event);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ results: [{ id: "e1", sequence: 1, epoch: 1, sinks: 1, hosts: 1 }] });
    expect(received()).toEqual([event]);
  });

  test("publishes an array in its order, one result each", async () => {
    const control = createTestControl();
    const received = subscribe(control);
    const answer = await control.ask("POST", path, [{ type: "a" }, { type: "b", id: "mine" }, { type: "c" }]);
    expect(answer.json["results"]).toMatchObject([
      { id: "host-1-1-1", sequence: 1 },
      { id: "mine", sequence: 2 },
      { id: "host-1-1-3", sequence: 3 },
    ]);
    expect(received().map((event) => (event as { type: string }).type)).toEqual(["a", "b", "c"]);
  });

  test("takes an empty array for no events", async () => {
    expect((await createTestControl().ask("POST", path, [])).json).toEqual({ results: [] });
  });

  test("carries a payload byte by byte", async () => {
    const control = createTestControl();
    const deliveries: LocalDelivery[] = [];
    control.service.subscribe("c", { onEvents: (batch) => deliveries.push(...batch) });
    const payload = '{ "n" : 12345678901234567890,\n "n": 1e999, "s":"\\ud800" }';
    expect((await control.ask("POST", path, `{"type":"t","data":${payload}}`)).status).toBe(200);
    control.settle();
    expect(new TextDecoder().decode(deliveries[0]?.event.data)).toBe(payload);
  });

  test("makes an unknown channel where that is allowed, and is 404 where not", async () => {
    const open = createTestControl();
    expect((await open.ask("POST", "/v1/channels/new%2Fone/events", { type: "t" })).status).toBe(200);
    expect(open.service.channels.get("new/one")).toBeDefined();
    const closed = createTestControl({}, { implicitChannels: false });
    expect((await closed.ask("POST", path, { type: "t" })).json).toMatchObject({
      status: 404,
      code: "channel_unknown",
      value: "c",
    });
    expect(closed.service.channels.list()).toEqual([]);
  });

  test.each([
    ["no JSON", '{"type":"t"', 400, "malformed", 11],
    ["nothing", "", 400, "malformed", 0],
    ["an unknown field", '{"typ":"t"}', 400, "unknown_field", "typ"],
    ["an array that breaks off", '[{"type":"t"},{"type":"t"', 400, "malformed", 25],
    ["no type", "{}", 422, "type_missing", "type"],
    ["a type that is no text", '{"type":1}', 422, "invalid_value", 1],
    ["priority 10", '{"type":"t","priority":10}', 422, "priority_out_of_range", 10],
    ["an attribute name", '{"type":"t","attributes":{"A":1}}', 422, "attribute_name", "A"],
    ["a number", "5", 422, "invalid_value", 5],
    ["a wrapped array", '{"events":[{"type":"t"}]}', 400, "unknown_field", "events"],
    ["bytes that are not UTF-8", Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, "not_utf8", undefined],
  ])("refuses %s as a whole: nothing is published", async (_name, body, status, code, value) => {
    const control = createTestControl();
    const received = subscribe(control);
    const answer = await control.ask("POST", path, body);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ status, code });
    expect(answer.json["value"]).toEqual(value);
    expect(received()).toEqual([]);
  });

  test("refuses more events than one publish may have", async () => {
    const { ask } = createTestControl();
    const events = (count: number) => `[${Array(count).fill('{"type":"t"}').join(",")}]`;
    expect((await ask("POST", path, events(limits.publishEvents))).status).toBe(200);
    expect((await ask("POST", path, events(limits.publishEvents + 1))).json).toMatchObject({
      status: 422,
      limit: limits.publishEvents,
    });
  });

  test("takes the largest event, and refuses a larger one by name", async () => {
    const { ask } = createTestControl();
    const event = (bytes: number) => `{"type":"t","dataContentType":"text/plain","data":"${"x".repeat(bytes)}"}`;
    expect((await ask("POST", path, event(limits.eventBytes - 100))).status).toBe(200);
    const answer = await ask("POST", path, event(limits.eventBytes));
    expect(answer.json).toMatchObject({ status: 413, code: "event_too_large", limit: limits.eventBytes });
  });

  test("answers the problem of a single event as its own, and within the results of an array", async () => {
    const { ask, service } = createTestControl();
    service.channels.put("c", definitionFromJson({ types: ["good"] }));
    expect((await ask("POST", path, { type: "bad" })).json).toMatchObject({ status: 422, code: "type_refused" });
    const mixed = await ask("POST", path, [{ type: "bad" }, { type: "good" }]);
    expect(mixed.status).toBe(200);
    expect(mixed.json["results"]).toMatchObject([
      {
        problem: {
          code: "type_refused",
          status: 422,
          title: "The channel does not take this type",
          detail: expect.any(String),
        },
      },
      { sequence: 1 },
    ]);
    const one = await ask("POST", path, [{ type: "bad" }]);
    expect([one.status, (one.json["results"] as unknown[]).length]).toEqual([200, 1]);
  });

  test("publishes an array without those events that are wrong, each result in its place", async () => {
    const control = createTestControl();
    const received = subscribe(control);
    const answer = await control.ask("POST", path, [
      { type: "a" },
      { type: "b", colour: 1 },
      { type: "c", priority: 10 },
      7,
      { type: "d" },
    ]);
    expect(answer.status).toBe(200);
    expect(answer.json["results"]).toMatchObject([
      { sequence: 1 },
      { problem: { code: "unknown_field", status: 400, value: "[1].colour" } },
      { problem: { code: "priority_out_of_range", status: 422, value: 10, limit: 9 } },
      { problem: { code: "invalid_value", status: 422, value: 7 } },
      { sequence: 2 },
    ]);
    expect(received()).toMatchObject([{ type: "a" }, { type: "d" }]);
  });

  test("tells the problems of an array of which nothing can be published", async () => {
    const answer = await createTestControl().ask("POST", path, [{}, { type: "" }]);
    expect(answer.json["results"]).toMatchObject([
      { problem: { code: "type_missing" } },
      { problem: { code: "type_missing" } },
    ]);
  });

  test("answers 429 with Retry-After where every selected inbox refuses", async () => {
    const { ask, service } = createTestControl();
    const subscription = service.subscribe("c", {
      inbox: { capacityEvents: 1n, overflow: "reject" },
      onEvents: () => {},
    });
    subscription.hold(true);
    const taken = await ask("POST", path, { type: "t" });
    expect([taken.status, taken.headers.get("retry-after")]).toEqual([200, null]);
    const refused = await ask("POST", path, { type: "t" });
    expect(refused.json).toMatchObject({ status: 429, code: "mailbox_full", limit: 1 });
    expect(refused.headers.get("retry-after")).toBe("1");
  });

  test.each([
    ["?receipt=stored", 422, "not_supported", "query.receipt"],
    ["?receipt=written", 422, "invalid_value", "written"],
    ["?reciept=stored", 400, "unknown_field", "query.reciept"],
  ])("refuses %s: a promise that it cannot keep", async (query, status, code, value) => {
    const control = createTestControl();
    const received = subscribe(control);
    expect((await control.ask("POST", path + query, { type: "t" })).json).toMatchObject({ status, code, value });
    expect(received()).toEqual([]);
  });

  test.each(["accepted", "linked"])("takes ?receipt=%s, which is what one host gives", async (receipt) => {
    expect((await createTestControl().ask("POST", `${path}?receipt=${receipt}`, { type: "t" })).status).toBe(200);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/cloudevents+avro", ""])(
    "refuses %j: pages of other origins can send it unasked",
    async (type) => {
      const { ask } = createTestControl();
      const answer = await ask("POST", path, '{"type":"t"}', { "content-type": type });
      expect(answer.json).toMatchObject({
        status: 415,
        code: "media_type",
        limit: ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"],
      });
    },
  );

  test("publishes to more channels than one session may be in", async () => {
    const { ask } = createTestControl({}, { joins: 2 });
    for (const name of ["a", "b", "c", "a", "d"])
      expect((await ask("POST", `/v1/channels/${name}/events`, { type: "t" })).status).toBe(200);
    const again = await ask("POST", "/v1/channels/a/events", { type: "t" });
    expect(again.json["results"]).toMatchObject([{ sequence: 3 }]);
  });

  test("refuses to publish while it drains", async () => {
    const { ask, service } = createTestControl();
    service.draining = true;
    const answer = await ask("POST", path, { type: "t" });
    expect(answer.json).toMatchObject({ status: 503, code: "draining" });
    expect(answer.headers.get("retry-after")).toBe("1");
  });
});
