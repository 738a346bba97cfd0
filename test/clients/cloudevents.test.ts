/**
 * The CloudEvents SDK of the specification's own project: what it sends is taken, what we send it reads and validates.
 */
import { CloudEvent, type CloudEventV1, emitterFor, HTTP, httpTransport, type Message, Mode } from "cloudevents";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";

let host: RunningHost;
let channel: string;
let channels = 0;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));
beforeEach(() => {
  channel = `cloudevents${++channels}`;
});

const url = (): string => `${host.url}/v1/channels/${channel}/events`;

/** An event with everything that the specification and our extensions have. */
function full(): CloudEvent<unknown> {
  return new CloudEvent({
    id: "A234-1234-1234",
    source: "https://example.org/k%C3%A4se/42",
    type: "com.example.someevent",
    subject: "blob \u00fc",
    time: "2026-04-05T17:31:00.5Z",
    datacontenttype: "application/json",
    zone: "eu",
    load: 5,
    urgent: true,
    data: { appinfoA: "abc", list: [1, 2.5, null], text: "ü" },
  });
}

/** Sends what the SDK made, as it is. */
async function post({ headers, body }: Message): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(url(), {
    method: "POST",
    headers: headers as Record<string, string>,
    ...(body === undefined ? {} : { body: body as string }),
  });
  return { status: answer.status, json: await answer.json() };
}

/** A sink in our own JSON, to see what an event became. */
async function listen(): Promise<() => Promise<unknown>> {
  const socket = new WebSocket(`${host.url.replace("http", "ws")}/v1/socket`, "sluice.v1.json");
  onTestFinished(() => socket.terminate());
  const frames: { joined?: unknown; deliver?: { events: { event: unknown }[] } }[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send(JSON.stringify({ ref: 1, join: { channel } }));
  const heard = (): unknown[] => frames.flatMap(({ deliver }) => deliver?.events ?? []).map(({ event }) => event);
  await until(
    () => frames.some(({ joined }) => joined !== undefined),
    () => "the join",
  );
  return async () => {
    await until(
      () => heard().length > 0,
      () => "an event",
    );
    return heard()[0];
  };
}

const asNative = {
  id: "A234-1234-1234",
  source: "https://example.org/k%C3%A4se/42",
  type: "com.example.someevent",
  subject: "blob ü",
  attributes: { zone: "eu", load: 5, urgent: true },
  data: { appinfoA: "abc", list: [1, 2.5, null], text: "ü" },
};

describe("the CloudEvents SDK publishes", () => {
  test("in structured mode", async () => {
    const heard = await listen();
    expect(await post(HTTP.structured(full()))).toMatchObject({ status: 200, json: { results: [{ sinks: 1 }] } });
    expect(await heard()).toMatchObject(asNative);
  });

  test("in binary mode", async () => {
    const heard = await listen();
    // Headers are latin-1: what is not, the specification has percent-encoded, and this SDK leaves it to its caller.
    const event = full().cloneWith({ source: "/plain", subject: "plain" });
    expect(await post(HTTP.binary(event))).toMatchObject({ status: 200, json: { results: [{ id: event.id }] } });
    // A header has no types: extensions are texts then.
    const attributes = { zone: "eu", load: "5", urgent: "true" };
    expect(await heard()).toMatchObject({ ...asNative, source: "/plain", subject: "plain", attributes });
  });

  test("a batch", async () => {
    const events = [1, 2, 3].map((n) => full().cloneWith({ id: `batch-${n}` }));
    const body = JSON.stringify(events);
    const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
    const { status, json } = await post({ headers, body });
    expect(status).toBe(200);
    expect(json).toMatchObject({ results: [{ id: "batch-1" }, { id: "batch-2" }, { id: "batch-3", sequence: 3 }] });
  });

  test.each([
    { name: "structured", make: HTTP.structured },
    { name: "binary", make: HTTP.binary },
  ])("bytes, in $name mode", async ({ make }) => {
    const data = Uint8Array.of(0, 1, 2, 253, 254, 255);
    const event = new CloudEvent({ source: "/bytes", type: "t", datacontenttype: "application/octet-stream", data });
    const heard = await listen();
    const { headers, body } = make(event);
    // In binary mode the SDK hands the bytes through; its own transport would send them so.
    expect(await post({ headers, body })).toMatchObject({ status: 200 });
    expect(await heard()).toMatchObject({ dataContentType: "application/octet-stream", dataBase64: "AAEC/f7/" });
  });

  test.each([Mode.BINARY, Mode.STRUCTURED])("by its own transport, mode %s", async (mode) => {
    const heard = await listen();
    const emit = emitterFor(httpTransport(url()), { mode });
    await emit(new CloudEvent({ source: "/emitter", type: "emitted", data: { n: 1 } }));
    expect(await heard()).toMatchObject({ source: "/emitter", type: "emitted", data: { n: 1 } });
  });

  test("what is no CloudEvent, and hears why", async () => {
    const { source: _source, ...rest } = full().toJSON() as CloudEventV1<unknown>;
    const headers = { "content-type": "application/cloudevents+json" };
    const { status, json } = await post({ headers, body: JSON.stringify(rest) });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json).toMatchObject({ detail: expect.stringContaining("source") });
  });
});

describe("the CloudEvents SDK reads", () => {
  async function makeInbox(): Promise<string> {
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${host.url}/v1/inboxes`, { method: "POST", headers, body: "{}" });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    const joined = await fetch(`${host.url}/v1/inboxes/${id}/joins/${channel}`, { method: "PUT", headers, body: "{}" });
    expect(joined.ok).toBe(true);
    return id;
  }

  async function poll(id: string, accept: string): Promise<Message> {
    const answer = await fetch(`${host.url}/v1/inboxes/${id}/events?max=10`, { headers: { accept } });
    expect(answer.status).toBe(200);
    return { headers: Object.fromEntries(answer.headers), body: await answer.text() };
  }

  test("a batch that was polled", async () => {
    const id = await makeInbox();
    await post(HTTP.structured(full()));
    await post({ headers: { "content-type": "application/json" }, body: '{"type":"native","key":"k","ttlMs":60000}' });
    const message = await poll(id, "application/cloudevents-batch+json");
    expect(message.headers["content-type"]).toMatch(/^application\/cloudevents-batch\+json/);
    const events = HTTP.toEvent(message) as CloudEventV1<unknown>[];
    expect(events).toHaveLength(2);
    for (const event of events) expect(new CloudEvent(event).validate()).toBe(true);
    expect(events[0]).toMatchObject({ ...full().toJSON(), time: expect.any(String) });
    expect(Date.parse(events[0]?.time ?? "")).toBe(Date.parse("2026-04-05T17:31:00.5Z"));
    expect(events[1]).toMatchObject({ type: "native", id: expect.any(String), source: expect.stringMatching(/^\//) });
  });
});
