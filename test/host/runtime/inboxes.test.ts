/**
 * Inboxes and test controls over real sockets: what an HTTP client polls, what an operator holds, what time does.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost, ServeOptions } from "../../../host/runtime/open-host.ts";
import { carriers, connectTo, type Reachable } from "../support/client.ts";
import { openStream } from "../support/event-stream.ts";
import { until } from "../support/until.ts";

const FREE = "127.0.0.1:0";
const portOf = (url: string): number => Number(new URL(url).port);

async function serve(options: ServeOptions = {}): Promise<ServedHost & Reachable> {
  const host = await serveHost({ listen: FREE, tcp: FREE, onFatal: () => {}, ...options });
  onTestFinished(() => host.close());
  return { ...host, httpPort: portOf(host.url), tcpPort: portOf(host.tcpUrl ?? "tcp://x:0") };
}

/** Asks in JSON; gives status and body. */
async function ask(host: ServedHost, method: string, path: string, body?: unknown) {
  const answer = await fetch(host.url + path, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  // biome-ignore lint/suspicious/noExplicitAny: fields differ by resource; tests look at what they expect.
  return { status: answer.status, json: (text === "" ? {} : JSON.parse(text)) as any };
}

async function openInbox(host: ServedHost, channel: string, settings: object = {}): Promise<string> {
  const { json } = await ask(host, "POST", "/v1/inboxes", settings);
  await ask(host, "PUT", `/v1/inboxes/${json.id}/joins/${channel}`);
  return `/v1/inboxes/${json.id}`;
}

describe("an inbox that is polled", () => {
  test("gets what clients of all carriers publish, waiting for it", async () => {
    const host = await serve();
    const inbox = await openInbox(host, "c");
    for (const [index, carrier] of carriers.entries()) {
      const client = await connectTo(host, carrier);
      const waiting = ask(host, "GET", `${inbox}/events?waitMs=60000`);
      await client.publish("c", { type: carrier });
      expect((await waiting).json).toMatchObject({
        data: [{ number: index + 1, sequence: index + 1, channel: "c", event: { type: carrier } }],
        next: null,
      });
    }
  });

  test("loses nothing to a client that hangs up while it waits", async () => {
    const host = await serve();
    const inbox = await openInbox(host, "c", { idleMs: 60_000 });
    const gone = new AbortController();
    const waiting = fetch(`${host.url}${inbox}/events?waitMs=60000`, { signal: gone.signal }).catch(() => "gone");
    const polls = (): number => host.service.inboxes.get(inbox.slice("/v1/inboxes/".length))?.polls ?? 0;
    await until(
      () => polls() === 1,
      () => "the poll",
    );
    gone.abort();
    expect(await waiting).toBe("gone");
    await until(
      () => polls() === 0,
      () => "the end of the poll",
    );
    await ask(host, "POST", "/v1/channels/c/events", { type: "a" });
    expect((await ask(host, "GET", `${inbox}/events?waitMs=10000`)).json.data).toHaveLength(1);
  });

  test("is answered when the host goes down", async () => {
    const host = await serve();
    const inbox = await openInbox(host, "c");
    const waiting = ask(host, "GET", `${inbox}/events?waitMs=60000`);
    await ask(host, "GET", inbox);
    await host.drain();
    expect((await waiting).json).toEqual({ data: [], next: null });
  });
});

describe("an operator's hold", () => {
  test.each(carriers)("of a %s session keeps deliveries back until it is released", async (carrier) => {
    const host = await serve();
    const client = await connectTo(host, carrier);
    await client.join("c");
    const { json } = await ask(host, "GET", "/v1/inboxes");
    const [{ id }] = json.data;
    await ask(host, "PATCH", `/v1/inboxes/${id}`, { held: true });
    await ask(host, "POST", "/v1/channels/c/events", [{ type: "a" }, { type: "b" }]);
    client.send({ ref: 1, ping: {} });
    await client.take("pong");
    expect(client.events).toHaveLength(0);
    expect((await ask(host, "GET", `/v1/inboxes/${id}`)).json).toMatchObject({ held: true, depth: { events: 2 } });
    await ask(host, "PATCH", `/v1/inboxes/${id}`, { held: false });
    expect((await client.received(2)).map(({ type }) => type)).toEqual(["a", "b"]);
  });
});

describe("an operator's hold of a stream", () => {
  test("keeps its events back until it is released", async () => {
    const host = await serve();
    const stream = await openStream(`${host.url}/v1/channels/c/events`);
    await ask(host, "PATCH", "/v1/inboxes/s1", { held: true });
    await ask(host, "POST", "/v1/channels/c/events", { type: "a" });
    expect((await ask(host, "GET", "/v1/inboxes/s1")).json).toMatchObject({ kind: "sse", depth: { events: 1 } });
    expect(stream.events).toEqual([]);
    await ask(host, "PATCH", "/v1/inboxes/s1", { held: false });
    await until(
      () => stream.events.length === 1,
      () => "the event",
    );
  });
});

describe("test controls", () => {
  test("begin the service clock at 0, and it stands still", async () => {
    const host = await serve({ testControls: true });
    const inbox = await openInbox(host, "c");
    await ask(host, "POST", "/v1/channels/c/events", { type: "a", ttlMs: 250 });
    const [{ event }] = (await ask(host, "GET", `${inbox}/events`)).json.data;
    expect(event).toMatchObject({ time: "1970-01-01T00:00:00.000Z", deliverBy: "1970-01-01T00:00:00.250Z" });
    expect((await ask(host, "GET", "/v1/info")).json.capabilities.testControls).toBe(true);
    expect((await ask(host, "POST", "/v1/test/clock", { advanceMs: 0 })).json.nowMs).toBe(0);
  });

  test("what became late while it was held is dropped, and told; the rest arrives in order", async () => {
    const host = await serve({ testControls: true });
    await ask(host, "PUT", "/v1/channels/c", { delivery: { late: "drop" } });
    const client = await connectTo(host, "ws-json");
    await client.join("c");
    await ask(host, "PATCH", "/v1/inboxes/s1", { held: true });
    const events = [10, 30, 20, 40].map((ttlMs) => ({ type: `t${ttlMs}`, ttlMs }));
    await ask(host, "POST", "/v1/channels/c/events", events);
    await ask(host, "POST", "/v1/test/clock", { advanceMs: 20 });
    await ask(host, "PATCH", "/v1/inboxes/s1", { held: false });
    expect((await client.received(3)).map(({ type }) => type)).toEqual(["t30", "t20", "t40"]);
    expect(await client.take("dropped")).toMatchObject({ channel: "c", count: 1, reason: "late" });
  });

  test("have everything delivered before the clock moves: it is not late by that", async () => {
    const host = await serve({ testControls: true });
    await ask(host, "PUT", "/v1/channels/c", { delivery: { late: "drop" } });
    const clients = await Promise.all(carriers.map((carrier) => connectTo(host, carrier)));
    for (const client of clients) await client.join("c");
    await ask(host, "POST", "/v1/channels/c/events", { type: "a", ttlMs: 5 });
    await ask(host, "POST", "/v1/test/clock", { advanceMs: 1_000 });
    for (const client of clients) expect(await client.received(1)).toHaveLength(1);
  });

  test("rule idleMs", async () => {
    const host = await serve({ testControls: true });
    const inbox = await openInbox(host, "c");
    await ask(host, "POST", "/v1/test/clock", { advanceMs: 299_999 });
    expect((await ask(host, "GET", inbox)).status).toBe(200);
    expect((await ask(host, "POST", "/v1/test/clock", { advanceMs: 1 })).json.timers).toBe(1);
    expect((await ask(host, "GET", inbox)).status).toBe(404);
  });

  test("same requests, same outcome: members in the order of joining, events by sequence", async () => {
    const outcomes = [];
    for (let run = 0; run < 2; run++) {
      const host = await serve({ testControls: true });
      const inbox = await openInbox(host, "c");
      const { json } = await ask(host, "PUT", `${inbox}/joins/d`);
      await ask(host, "POST", "/v1/channels/d/events", [{ type: "1" }, { type: "2", ttlMs: 7 }]);
      await ask(host, "POST", "/v1/test/clock", { advanceMs: 3 });
      await ask(host, "POST", "/v1/channels/c/events", { type: "3" });
      const polled = JSON.stringify((await ask(host, "GET", `${inbox}/events`)).json);
      outcomes.push([json, polled.replaceAll(host.service.hostId, "host")]);
      await host.close();
    }
    expect(outcomes[0]).toEqual(outcomes[1]);
  });
});
