/** Goal: CloudEvents come in by HTTP in each of their modes, also as other people's code makes them. */
import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, test } from "vitest";
import type { LocalDelivery } from "../../../../host/session/local.ts";
import { jsonFromEvent } from "../../../../host/socket/json/codec.ts";
import { createTestControl, type TestControl } from "../support.ts";

const path = "/v1/channels/c/events";
const structured = { "content-type": "application/cloudevents+json" };
const batch = { "content-type": "application/cloudevents-batch+json" };
const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };
const event = { specversion: "1.0", id: "1", source: "/s", type: "t", zone: "eu", data: { a: 1 } };
const native = { id: "1", source: "/s", type: "t", attributes: { zone: "eu" }, data: { a: 1 } };

function subscribe({ service, settle }: TestControl): () => unknown[] {
  const deliveries: LocalDelivery[] = [];
  service.subscribe("c", { onEvents: (some) => deliveries.push(...some) });
  return () => {
    settle();
    return deliveries.map(({ event: { timeUs: _, ...rest } }) => jsonFromEvent(rest));
  };
}

describe("POST /v1/channels/{channel}/events with CloudEvents", () => {
  test("takes structured mode, with or without a charset", async () => {
    const control = createTestControl();
    const received = subscribe(control);
    const answer = await control.ask("POST", path, event, structured);
    expect(answer.json).toEqual({ results: [{ id: "1", sequence: 1, epoch: 1, sinks: 1, hosts: 1 }] });
    const type = "application/cloudevents+json; charset=UTF-8";
    expect((await control.ask("POST", path, event, { "content-type": type })).status).toBe(200);
    expect(received()).toEqual([native, native]);
  });

  test("takes batches, result by result", async () => {
    const control = createTestControl();
    const received = subscribe(control);
    const answer = await control.ask("POST", path, [event, { ...event, id: undefined }, event], batch);
    expect(answer.json["results"]).toMatchObject([
      { sequence: 1 },
      { problem: { code: "invalid_value", value: "[1].id" } },
      { sequence: 2 },
    ]);
    expect(received()).toEqual([native, native]);
    expect((await control.ask("POST", path, "[]", batch)).json).toEqual({ results: [] });
  });

  test("takes binary mode with any body", async () => {
    const control = createTestControl();
    const received = subscribe(control);
    const json = { ...binary, "ce-zone": "eu", "content-type": "application/json" };
    expect((await control.ask("POST", path, '{"a":1}', json)).status).toBe(200);
    const png = { ...binary, "content-type": "image/png" };
    expect((await control.ask("POST", path, Uint8Array.from([0, 1, 255]), png)).status).toBe(200);
    expect(received()).toEqual([
      { ...native, dataContentType: "application/json" },
      { id: "1", source: "/s", type: "t", dataContentType: "image/png", dataBase64: "AAH/" },
    ]);
  });

  test.each([
    ["an array in structured mode", [event], structured, 422, "invalid_value"],
    ["one event as a batch", event, batch, 422, "invalid_value"],
    ["another version", { ...event, specversion: "0.3" }, structured, 422, "invalid_value"],
    ["no JSON", "{", structured, 400, "malformed"],
    ["another format", event, { "content-type": "application/cloudevents+avro" }, 415, "media_type"],
    ["a compressed body", "x", { ...binary, "content-encoding": "gzip" }, 415, "media_type"],
    ["a field that is missing", "x", { ...binary, "ce-type": "" }, 422, "type_missing"],
  ])("refuses %s", async (_name, body, headers, status, code) => {
    const answer = await createTestControl().ask("POST", path, body, headers as Record<string, string>);
    expect(answer.json).toMatchObject({ status, code });
  });

  test.each(["structured", "binary"] as const)("takes what the cloudevents SDK makes in %s mode", async (mode) => {
    const control = createTestControl();
    const received = subscribe(control);
    const made = new CloudEvent({ id: "1", source: "/s", type: "t", zone: "eu", data: { a: 1 }, subject: "ä b" });
    const message = HTTP[mode](made);
    const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
    const answer = await control.ask("POST", path, message.body, Object.fromEntries(headers));
    expect([answer.status, answer.json]).toMatchObject([200, { results: [{ id: "1" }] }]);
    expect(received()).toMatchObject([{ ...native, subject: "ä b" }]);
  });
});
