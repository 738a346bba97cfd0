/**
 * Goal: no single client takes a host for itself. Method: a whole host with small rules; one address asks too much on every
 * way in, is refused in the words of that way, and is served again when it asks less.
 */
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { codes } from "../../host/errors.ts";
import { carriers, connectTo, type Reachable } from "../host/support/client.ts";
import { rawRequest } from "../host/support/request.ts";
import { until } from "../host/support/until.ts";
import { type HostileHost, serveForTest } from "./host.ts";

const reachable = (host: HostileHost): Reachable => ({ httpPort: host.port, tcpPort: host.tcpPort });
const LIVE = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

function hold(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    socket.on("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

/** What a connection that the host ends at once is told. */
function told(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

describe("connections of one client", () => {
  test("beyond the rule are told so on every port, and there is room again when one ends", async () => {
    const host = await serveForTest({ clients: { connections: 4, requests: 0 } });
    const sessions = await Promise.all(carriers.map((carrier) => connectTo(reachable(host), carrier)));
    const idle = await hold(host.port);
    const answer = await told(host.port);
    expect(answer).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
    expect(answer).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ code: "rate_limited", limit: 4 });
    expect(await told(host.tcpPort)).toContain("rate_limited");
    expect(host.service.sessionCount).toBe(3);
    // A WebSocket is one connection, not two: its request went on in it.
    for (const session of sessions) await session.join("c");
    idle.destroy();
    await until(
      () => idle.closed,
      () => "the end of the idle connection",
    );
    await expect.poll(() => rawRequest(host.port, LIVE).then(({ status }) => status)).toBe(200);
    sessions[0]?.end(true);
    sessions[1]?.end();
    await Promise.all([sessions[0]?.closed, sessions[1]?.closed]);
    await expect.poll(() => host.service.sessionCount).toBe(1);
    const again = await connectTo(reachable(host), "ws-json");
    await again.join("c");
  });

  test("that come and go leave nothing counted", async () => {
    const host = await serveForTest({ clients: { connections: 8, requests: 0 } });
    for (let round = 0; round < 60; round++) {
      const carrier = carriers[round % 3] as (typeof carriers)[number];
      const client = await connectTo(reachable(host), carrier);
      client.end(round % 2 === 0);
      await client.closed;
    }
    await expect.poll(() => host.service.sessionCount).toBe(0);
    const all = await Promise.all(Array.from({ length: 8 }, () => connectTo(reachable(host), "tcp")));
    for (const client of all) await client.join("c");
  });
});

describe("one client that asks too often", () => {
  const json = { "content-type": "application/json" };
  const asks: readonly (readonly [name: string, path: string, init: RequestInit])[] = [
    ["by GET", "/v1/info", {}],
    ["by publishing", "/v1/channels/c/events", { method: "POST", headers: json, body: '{"type":"t"}' }],
    ["by what is not there", "/v1/nothing", {}],
  ];
  test.each(asks)("%s gets 429 with Retry-After, and is served again a second later", async (_name, path, init) => {
    const host = await serveForTest({ clients: { connections: 0, requests: 20 } });
    const ask = async (): Promise<number> => {
      const answer = await fetch(host.url + path, init);
      const body = await answer.json();
      if (answer.status !== 429) return answer.status;
      expect(body).toMatchObject({ code: "rate_limited", limit: 20 });
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      return answer.status;
    };
    const served = await ask();
    // At once: a slow machine would else be granted more while it asks.
    const statuses = await Promise.all(Array.from({ length: 120 }, ask));
    expect(statuses.filter((status) => status === served).length).toBeGreaterThanOrEqual(19);
    expect(new Set(statuses)).toEqual(new Set([served, 429]));
    await expect.poll(ask, { timeout: 5_000 }).toBe(served);
  });

  test("opens too many WebSockets and is refused by 429, too many streams by a problem", async () => {
    const host = await serveForTest({ clients: { connections: 0, requests: 5 } });
    const open = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${host.port}/v1/socket`, "sluice.v1.json");
        socket.on("open", () => resolve(101));
        socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
        socket.on("error", reject);
        onTestFinished(() => socket.terminate());
      });
    const statuses = await Promise.all(Array.from({ length: 60 }, open));
    expect(new Set(statuses)).toEqual(new Set([101, 429]));
    expect(await told(host.tcpPort)).toContain("rate_limited");
  });

  test.each(carriers)(
    "by %s frames for the host: the session ends with rate_limited, others go on",
    async (carrier) => {
      const host = await serveForTest({ clients: { connections: 0, requests: 50 } });
      const [flood, other] = await Promise.all([
        connectTo(reachable(host), carrier),
        connectTo(reachable(host), "tcp"),
      ]);
      await other.join("c", { role: "both" });
      for (let index = 0; index < 500; index++) flood.send({ ref: index, ping: {} });
      const { code } = await flood.closed;
      if (carrier !== "tcp") expect(code).toBe(codes.rate_limited.close);
      expect(await flood.take("problem")).toMatchObject({ code: "rate_limited", limit: 50 });
      expect(flood.told.filter(({ kind }) => kind === "pong").length).toBeLessThan(60);
      // What the core does alone is bounded by credit and by nothing else.
      await other.publish("c", { type: "t" });
      await other.received(1);
    },
  );

  test("by events alone is not refused: credit bounds those", async () => {
    const host = await serveForTest({ clients: { connections: 0, requests: 10 } });
    const client = await connectTo(reachable(host), "tcp");
    await client.join("c", { role: "both" });
    for (let index = 0; index < 200; index++) client.send({ publish: { channel: "c", events: [{ type: "t" }] } });
    await client.received(200);
  });
});
