/**
 * Goal: readers that never read, never come back or never stop asking cost what is theirs, and nobody else anything.
 * Method: a whole host; streams and polls in great numbers beside a client that behaves.
 */
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectTo, type Reachable } from "../host/support/client.ts";
import { until } from "../host/support/until.ts";
import { type HostileHost, serveForTest } from "./host.ts";

const reachable = (host: HostileHost): Reachable => ({ httpPort: host.port, tcpPort: host.tcpPort });
const STREAM = "GET /v1/channels/c/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n";

/** Opens a stream by hand; `reads` says whether it takes what comes. */
function openStream(port: number, reads: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    socket.on("error", reject);
    if (reads) socket.resume();
    socket.once("connect", () => socket.write(STREAM, () => resolve(socket)));
  });
}

const json = { "content-type": "application/json" };
const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, { method: "POST", headers: json, body: JSON.stringify(body) });

describe("streams that are not read", () => {
  test("are closed after stallMs, and a live sink gets all of 50 MB", { timeout: 60_000 }, async () => {
    const host = await serveForTest({ options: { stallMs: 1_000 } });
    const [live, source] = await Promise.all([connectTo(reachable(host), "tcp"), connectTo(reachable(host), "tcp")]);
    await live.join("c");
    const { pagesUsed: pagesBefore = 0 } = host.service.statistics();
    await Promise.all(Array.from({ length: 30 }, () => openStream(host.port, false)));
    await until(
      () => host.service.sessionCount === 32,
      () => `30 streams; there are ${host.service.sessionCount - 2}`,
    );
    const event = { type: "t", dataContentType: "text/plain", data: "x".repeat(10_000) };
    const events = Array.from({ length: 50 }, () => event);
    for (let round = 1; round <= 100; round++) {
      source.send({ publish: { channel: "c", events } });
      await live.received(round * 50);
    }
    expect(live.events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
    await until(
      () => host.service.sessionCount === 2,
      () => `the end of ${host.service.sessionCount - 2} streams`,
    );
    const { pagesUsed = 0, slotsHeld } = host.service.statistics();
    expect(slotsHeld).toBe(0);
    expect(pagesUsed).toBeLessThanOrEqual(pagesBefore + 400);
    await source.publish("c", { type: "t" });
    await live.received(5_001);
  });
});

describe("streams that come and go", () => {
  test("two thousand of them leave no session, no member and nothing counted", { timeout: 60_000 }, async () => {
    const host = await serveForTest({ clients: { connections: 200, requests: 0 } });
    const live = await connectTo(reachable(host), "ws-json");
    await live.join("c", { role: "both" });
    const one = async (index: number): Promise<void> => {
      const socket = await openStream(host.port, true);
      // At once, when the header has come, or within an event; politely or not.
      if (index % 4 > 0) await new Promise((resolve) => socket.once("data", resolve).once("close", resolve));
      if (index % 4 === 1) live.send({ publish: { channel: "c", events: [{ type: "t", data: "x".repeat(1_000) }] } });
      if (index % 4 === 2) socket.end();
      else if (index % 4 === 3) socket.resetAndDestroy();
      else socket.destroy();
      await new Promise((resolve) => (socket.closed ? resolve(0) : socket.once("close", resolve)));
    };
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 2_000) await one(next++);
    };
    await Promise.all(Array.from({ length: 20 }, lane));
    await until(
      () => host.service.sessionCount === 1,
      () => `the end of ${host.service.sessionCount - 1} streams`,
    );
    const [receipt] = await live.publish("c", { type: "t" });
    expect(receipt).toMatchObject({ sinks: 1 });
    expect(host.faults()).toEqual([]);
  });

  test("that pipeline further requests behind them get the stream and no more", async () => {
    const host = await serveForTest();
    const socket = connect({ port: host.port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.write(`${STREAM}PUT /v1/channels/behind HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n${STREAM}`);
    await until(
      () => host.service.sessionCount >= 1 && text.includes("text/event-stream"),
      () => `a stream; there was ${text}`,
    );
    await post(`${host.url}/v1/channels/c/events`, { type: "t" });
    await until(
      () => text.includes('"type":"t"'),
      () => `an event; there was ${text}`,
    );
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    socket.destroy();
    await until(
      () => host.service.sessionCount === 0,
      () => `no session; there are ${host.service.sessionCount}`,
    );
    expect(host.faults()).toEqual([]);
  });
});

describe("polls", () => {
  async function createInbox(host: HostileHost, channel: string): Promise<string> {
    const { id } = (await (await post(`${host.url}/v1/inboxes`, {})).json()) as { id: string };
    const joined = await fetch(`${host.url}/v1/inboxes/${id}/joins/${channel}`, {
      method: "PUT",
      headers: json,
      body: "{}",
    });
    expect(joined.ok).toBe(true);
    return `${host.url}/v1/inboxes/${id}/events`;
  }

  test("of clients that are gone take no event away, however many there were", async () => {
    const host = await serveForTest();
    const inbox = await createInbox(host, "c");
    for (let round = 0; round < 40; round++) {
      const leaving = httpRequest(`${inbox}?waitMs=60000`).on("error", () => undefined);
      leaving.end();
      await new Promise((resolve) => leaving.once("socket", (socket) => socket.once("connect", resolve)));
      // The host has read the request when it has answered a later one.
      await (await fetch(`${host.url}/health/live`)).text();
      leaving.destroy();
    }
    await (await fetch(`${host.url}/health/live`)).text();
    await post(`${host.url}/v1/channels/c/events`, [{ type: "a" }, { type: "b" }]);
    const { data } = (await (await fetch(`${inbox}?waitMs=5000`)).json()) as { data: { event: { type: string } }[] };
    expect(data.map(({ event }) => event.type)).toEqual(["a", "b"]);
  });

  test("beyond the bound of an inbox are refused, the others are answered", async () => {
    const host = await serveForTest();
    const inbox = await createInbox(host, "c");
    const refused: unknown[] = [];
    const polls = Array.from({ length: 20 }, async () => {
      const answer = await fetch(`${inbox}?waitMs=10000&max=1`);
      if (answer.status === 429) refused.push(answer);
      return { status: answer.status, body: (await answer.json()) as { data?: unknown[] } };
    });
    await until(
      () => refused.length === 4,
      () => `4 refusals; there were ${refused.length}`,
    );
    await post(
      `${host.url}/v1/channels/c/events`,
      Array.from({ length: 16 }, () => ({ type: "t" })),
    );
    const answers = await Promise.all(polls);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(16);
    expect(answers.reduce((sum, { body }) => sum + (body.data?.length ?? 0), 0)).toBe(16);
  });
});

describe("cursors", () => {
  test("that were changed, cut, mixed up or made up are refused by name", async () => {
    const host = await serveForTest();
    for (const name of ["a1", "a2", "a3"]) await fetch(`${host.url}/v1/channels/${name}`, { method: "PUT" });
    for (const name of ["i1", "i2"]) await post(`${host.url}/v1/inboxes`, { idleMs: 60_000 }).then(() => name);
    const list = async (path: string, cursor?: string) => {
      const query = cursor === undefined ? "?limit=1" : `?limit=1&cursor=${encodeURIComponent(cursor)}`;
      const answer = await fetch(`${host.url}/v1/${path}${query}`);
      return { status: answer.status, body: (await answer.json()) as { next?: string; code?: string; value?: string } };
    };
    const cursors = await Promise.all(["channels", "inboxes"].map(async (path) => (await list(path)).body.next ?? ""));
    const [channels = "", inboxes = ""] = cursors;
    expect((await list("channels", channels)).status).toBe(200);
    const changed = Array.from(
      channels,
      (letter, at) => channels.slice(0, at) + (letter === "A" ? "B" : "A") + channels.slice(at + 1),
    );
    const wrong = [
      ...changed,
      channels.slice(0, -1),
      `${channels}A`,
      inboxes,
      "x".repeat(10_000),
      "../..",
      "%00",
      " ",
      "null",
    ];
    for (const cursor of wrong) {
      const { status, body } = await list("channels", cursor);
      expect([cursor.slice(0, 40), status, body.code]).toEqual([cursor.slice(0, 40), 422, "invalid_value"]);
    }
    expect((await list("inboxes", channels)).status).toBe(422);
  });
});
