/**
 * A whole host on Node: ports, HTTP beside WebSocket, state over restarts, refusals at the start.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { codes } from "../../../host/errors.ts";
import { limits } from "../../../host/limits.ts";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost, ServeOptions } from "../../../host/runtime/open-host.ts";
import { carriers, connectTo, type Reachable } from "../support/client.ts";
import { rawRequest } from "../support/request.ts";

const FREE = "127.0.0.1:0";

async function serve(options: ServeOptions = {}): Promise<ServedHost & Reachable> {
  const host = await serveHost({ listen: FREE, tcp: FREE, onFatal: () => {}, ...options });
  onTestFinished(() => host.close());
  return { ...host, httpPort: portOf(host.url), tcpPort: portOf(host.tcpUrl ?? "tcp://x:0") };
}

const portOf = (url: string): number => Number(new URL(url).port);

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe("serveHost()", () => {
  test("what is posted over HTTP reaches sinks of all carriers", async () => {
    const host = await serve();
    const sinks = await Promise.all(carriers.map((carrier) => connectTo(host, carrier)));
    for (const sink of sinks) await sink.join("c");
    const answer = await fetch(`${host.url}/v1/channels/c/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([{ type: "a", data: { n: 1 } }, { type: "b" }]),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ results: [{ sequence: 1, sinks: 3, hosts: 1 }, { sequence: 2 }] });
    for (const sink of sinks)
      expect((await sink.received(2)).map(({ type, data }) => type + data)).toEqual(['a{"n":1}', "b"]);
  });

  test("a channel that is put over HTTP rules sessions, and its deletion is told to them", async () => {
    const host = await serve();
    const put = await fetch(`${host.url}/v1/channels/c`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ types: ["a"], source: "single" }),
    });
    expect(put.status).toBe(201);
    const client = await connectTo(host, "ws-json");
    const { member } = await client.join("c", { role: "source" });
    const [, refused] = await client.publish("c", { type: "a" }, { type: "b" });
    expect(refused.problem.code).toBe("type_refused");
    const taken = await fetch(`${host.url}/v1/channels/c/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"type":"a"}',
    });
    expect(taken.status).toBe(409);
    expect((await fetch(`${host.url}/v1/channels/c`, { method: "DELETE" })).status).toBe(204);
    expect(await client.take("left")).toMatchObject({ member, reason: "channel_deleted" });
  });

  test("info and metrics tell of sessions and sockets", async () => {
    const host = await serve({ version: "1.2.3" });
    const client = await connectTo(host, "tcp");
    await client.join("c", { role: "both" });
    await client.publish("c", { type: "t" });
    await client.received(1);
    const info = await (await fetch(`${host.url}/v1/info`)).json();
    expect(info).toMatchObject({
      version: "1.2.3",
      host: host.service.hostId,
      epoch: 1,
      url: host.url,
      tcp: host.tcpUrl,
    });
    const metrics = await (await fetch(`${host.url}/metrics`)).text();
    for (const line of ["sluice_sessions 1", "sluice_events_total 1", "sluice_deliveries_total 1"])
      expect(metrics).toContain(line);
    expect(metrics).toMatch(/sluice_loop_utilization 0?\.?\d+/);
  });

  test("where others can reach it, a host counts its clients, takes its own pages, and makes no channel unasked", async () => {
    const host = await serve({ listen: "0.0.0.0:0", tcp: null, insecure: true });
    const { clients, capabilities } = await (await fetch(`${host.url}/v1/info`)).json();
    expect(clients).toEqual({ connections: limits.clientConnections, requests: limits.clientRequests });
    expect(capabilities["channels.implicit"]).toBe(false);
    const ask = (origin: string): Promise<{ status: number }> =>
      rawRequest(
        host.httpPort,
        `POST /v1/channels/c/events HTTP/1.1\r\nHost: sluice.example\r\nOrigin: ${origin}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"type":"t"}`,
      );
    expect((await ask("https://sluice.example")).status, "its own page").toBe(404);
    expect((await ask("https://evil.example")).status, "a stranger's").toBe(403);
    expect((await ask("http://localhost:3000")).status, "loopback is somebody else's here").toBe(403);
    host.service.channels.put("c", defaultDefinition);
    expect((await ask("https://sluice.example")).status).toBe(200);
  });

  test("without a TCP port there is none", async () => {
    const host = await serveHost({ listen: FREE, tcp: null });
    onTestFinished(() => host.close());
    expect(host.tcpUrl).toBeNull();
  });
});

describe("the address of sockets over HTTP", () => {
  const upgrade = (fields: Record<string, string>, target = "/v1/socket"): string => {
    const headers = {
      Host: "127.0.0.1",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol": "sluice.v1.json, bearer.s3cret",
      ...fields,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
  };

  test("an upgrade is answered as RFC 6455 wants, and the token is not echoed", async () => {
    const host = await serve();
    const answer = await rawRequest(host.httpPort, upgrade({}));
    expect(answer.status).toBe(101);
    // The example of RFC 6455 §1.3.
    expect(answer.headers["sec-websocket-accept"]).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(answer.headers["sec-websocket-protocol"]).toBe("sluice.v1.json");
    expect(answer.headers["sec-websocket-extensions"]).toBeUndefined();
    expect(JSON.stringify(answer)).not.toContain("s3cret");
  });

  test.each([
    { name: "no upgrade", request: "GET /v1/socket HTTP/1.1\r\nHost: x\r\n\r\n", status: 426 },
    {
      name: "another method",
      request: "POST /v1/socket HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
      status: 405,
    },
    { name: "another version", request: upgrade({ "Sec-WebSocket-Version": "12" }), status: 426 },
    { name: "a bad key", request: upgrade({ "Sec-WebSocket-Key": "short" }), status: 400 },
    { name: "no protocol of ours", request: upgrade({ "Sec-WebSocket-Protocol": "chat" }), status: 400 },
    { name: "a foreign page", request: upgrade({ Origin: "https://evil.example" }), status: 403 },
    {
      name: "a foreign page by a target with two slashes",
      request: upgrade({ Origin: "https://evil.example" }, "//v1/socket"),
      status: 404,
    },
    { name: "another path", request: upgrade({}, "/v1/sockets"), status: 404 },
  ])("$name is answered with $status and a problem", async ({ request, status }) => {
    const host = await serve();
    const answer = await rawRequest(host.httpPort, request);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    const problem = JSON.parse(answer.body);
    expect(problem).toMatchObject({ status, code: expect.any(String), instance: expect.stringMatching(/.{8}/) });
    expect(codes).toHaveProperty(problem.code);
  });

  test("frames that came with the upgrade request are not lost", async () => {
    const host = await serve();
    const frame = Buffer.from([0x81, 0x80 | 11, 0, 0, 0, 0, ...Buffer.from('{"ping":{}}')]);
    const answer = await rawRequest(host.httpPort, Buffer.concat([Buffer.from(upgrade({})), frame]));
    expect(answer.status).toBe(101);
    await expect.poll(() => host.service.statistics()["deliveryBytesTotal"]).toBeGreaterThan(0);
  });

  test("what is no HTTP is refused and does no harm", async () => {
    const host = await serve();
    expect((await rawRequest(host.httpPort, "\u0016\u0003\u0001 nonsense\r\n\r\n")).status).toBe(400);
    expect((await rawRequest(host.httpPort, `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`)).status).toBe(431);
    expect((await fetch(`${host.url}/health/live`)).status).toBe(200);
  });
});

describe("state", () => {
  test("channels and identity survive a restart, and the epoch grows", async () => {
    const data = await folder();
    const first = await serve({ data });
    await fetch(`${first.url}/v1/channels/kept`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ types: ["a"], delivery: { ttlMs: 5_000 } }),
    });
    const client = await connectTo(first, "ws-json");
    await client.join("by-the-way");
    await first.close();

    const second = await serve({ data });
    expect(second.service.hostId).toBe(first.service.hostId);
    expect(second.service.epoch).toBe(first.service.epoch + 1);
    expect(second.service.channels.list().map(({ name }) => name)).toEqual(["kept"]);
    expect(second.service.channels.get("kept")?.definition).toMatchObject({ types: ["a"], delivery: { ttlMs: 5_000 } });
    await fetch(`${second.url}/v1/channels/kept`, { method: "DELETE" });
    await second.close();
    expect(JSON.parse(await readFile(join(data, "state.json"), "utf8")).channels).toEqual([]);
  });

  test("a restart of the core is kept as well", async () => {
    const data = await folder();
    const host = await serve({ data });
    host.service.core.exports = {
      ...host.service.core.exports,
      ingestFrame: () => {
        throw new WebAssembly.RuntimeError("unreachable");
      },
    };
    expect(
      (
        await fetch(`${host.url}/v1/channels/c/events`, {
          method: "POST",
          body: '{"type":"t"}',
          headers: { "content-type": "application/json" },
        })
      ).status,
    ).toBe(503);
    expect(host.service.epoch).toBe(2);
    await host.close();
    const next = await serve({ data });
    expect(next.service.epoch).toBe(3);
  });
});

describe("refusals at the start", () => {
  test.each(["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])(
    "%s needs credentials, or someone who says that it does not",
    async (listen) => {
      await expect(serveHost({ listen, tcp: null })).rejects.toMatchObject({ code: "unauthorized", value: listen });
      await expect(serveHost({ listen: FREE, tcp: listen })).rejects.toMatchObject({ code: "unauthorized" });
    },
  );

  test("an insecure host listens where it is told", async () => {
    const host = await serve({ listen: "0.0.0.0:0", insecure: true });
    expect(host.url).toMatch(/^http:\/\/0\.0\.0\.0:\d+$/);
  });

  test("a port in use is named, and the other port is closed again", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => busy.once("listening", resolve));
    onTestFinished(() => void busy.close());
    const { port } = busy.address() as AddressInfo;
    const refused = serveHost({ listen: FREE, tcp: `127.0.0.1:${port}` });
    await expect(refused).rejects.toMatchObject({
      code: "invalid_value",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    await expect(serveHost({ listen: `127.0.0.1:${port}`, tcp: null })).rejects.toThrow(/in use/);
  });

  test.each(["nonsense", "127.0.0.1", "127.0.0.1:70000", "::1:80"])("%s is no address", async (listen) => {
    await expect(serveHost({ listen })).rejects.toMatchObject({ code: "invalid_value" });
  });

  test("too little memory is said with the bytes that are needed", async () => {
    await expect(serveHost({ listen: FREE, tcp: null, options: { memoryBytes: 1_000_000 } })).rejects.toMatchObject({
      code: "memory_too_small",
      value: 1_000_000,
      limit: expect.any(Number),
    });
  });

  test("a core that is not there is said with its place", async () => {
    await expect(serveHost({ listen: FREE, tcp: null, core: "/nowhere/core.wasm" })).rejects.toThrow(
      "/nowhere/core.wasm",
    );
  });
});

describe("drain()", () => {
  test("probes hear that the host is not ready, sessions are told, and the ports are free again", async () => {
    const host = await serve({ options: { drainMs: 400 } });
    const client = await connectTo(host, "ws-json");
    await client.join("c", { role: "both" });
    client.send({ ref: 1, inbox: { held: true } });
    await client.take("receipt", 1);
    await client.publish("c", { type: "t" });
    const drained = host.drain();
    expect((await fetch(`${host.url}/health/ready`)).status).toBe(503);
    await client.take("drain");
    expect((await client.closed).code).toBe(codes.draining.close);
    await drained;
    await expect(fetch(`${host.url}/health/live`)).rejects.toThrow();
    await expect(connectTo(host, "tcp")).rejects.toThrow(/ECONNREFUSED/);
  });
});
