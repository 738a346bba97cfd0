/** HTTP: what each runtime's server does with methods, bodies, connections, and with what is no HTTP. */
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished } from "vitest";
import { rawRequest } from "../host/support/request.ts";
import { until } from "../host/support/until.ts";
import type { Suite } from "./suite.ts";

const json = { "content-type": "application/json" };

/** Adds the tests. */
export function addHttpTests({ target, host, check }: Suite): void {
  const at = (path: string): string => `${host().url}${path}`;

  check("tells which runtime it is", async () => {
    const info = await (await fetch(at("/v1/info"))).json();
    expect(info.runtime).toMatch(target.runtime);
    expect(info).toMatchObject({ url: host().url, tcp: expect.stringMatching(/^tcp:/), draining: false });
  });

  check("a channel is made, shown, changed and removed, with its tag", async () => {
    const url = at("/v1/channels/http%2Fresource");
    const made = await fetch(url, { method: "PUT", headers: json, body: '{"types":["a"]}' });
    expect(made.status).toBe(201);
    const tag = made.headers.get("etag") ?? "";
    expect(tag).not.toBe("");
    const shown = await fetch(url);
    expect(shown.headers.get("etag")).toBe(tag);
    expect(await shown.json()).toMatchObject({ name: "http/resource", types: ["a"] });
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([200, tag, ""]);
    const stale = await fetch(url, { method: "PATCH", headers: { ...json, "if-match": '"x"' }, body: '{"types":[]}' });
    expect(stale.status).toBe(412);
    const changed = await fetch(url, { method: "PATCH", headers: { ...json, "if-match": tag }, body: '{"types":[]}' });
    expect(await changed.json()).toMatchObject({ types: [] });
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204);
    const gone = await fetch(url);
    expect([gone.status, gone.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  });

  check("events are published one by one and as an array, and refused by name", async () => {
    const url = at("/v1/channels/http.publish/events");
    const post = (body: string): Promise<Response> => fetch(url, { method: "POST", headers: json, body });
    expect(await (await post('{"type":"a","data":{"ü":1}}')).json()).toMatchObject({ results: [{ sequence: 1 }] });
    expect(await (await post('[{"type":"a"},{"type":"b"}]')).json()).toMatchObject({
      results: [{ sequence: 2 }, { sequence: 3 }],
    });
    const unknown = await post('{"type":"a","tpye":"b"}');
    expect([unknown.status, (await unknown.json()).code]).toEqual([400, "unknown_field"]);
    expect((await post("{")).status).toBe(400);
    const other = await fetch(at("/v1/channels/http.publish"), { method: "POST" });
    expect([other.status, other.headers.get("allow")]).toEqual([405, expect.stringContaining("GET")]);
  });

  check("a body that comes in parts, or with a length, is refused where it is too large", async () => {
    const post = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const options = { method: "POST", headers: { ...json, ...headers }, agent: false };
        const asked = request(at("/v1/channels/http.large/events"), options, (answer) => {
          resolve(answer.statusCode);
          answer.resume();
        });
        // The host may hang up before it has read all.
        asked.on("error", (error: NodeJS.ErrnoException) =>
          error.code === "EPIPE" || error.code === "ECONNRESET" ? undefined : reject(error),
        );
        const part = Buffer.alloc(2 ** 20, " ");
        for (let count = 0; count < 40; count++) asked.write(part);
        asked.end();
      });
    expect(await post({})).toBe(413);
    expect(await post({ "content-length": String(40 * 2 ** 20) })).toBe(413);
    const small = await fetch(at("/v1/channels/http.large/events"), {
      method: "POST",
      headers: json,
      body: '{"type":"a"}',
    });
    expect(small.status).toBe(200);
  });

  check("one connection takes many requests after one another", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ports = new Set<number | undefined>();
    for (let count = 1; count <= 200; count++) {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const options = { method: "POST", headers: json, agent };
        const asked = request(at("/v1/channels/http.alive/events"), options, resolve).on("error", reject);
        asked.end(`{"type":"t","data":${count}}`);
        asked.on("socket", (socket) => ports.add(socket.localPort));
      });
      let text = "";
      for await (const part of answer) text += part;
      expect(JSON.parse(text)).toMatchObject({ results: [{ sequence: count }] });
    }
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  check("requests that come together are answered in their order", async () => {
    const socket = connect(host().httpPort, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    const ids = ["one", "two", "three"];
    socket.write(
      ids.map((id) => `GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: ${id}\r\n\r\n`).join(""),
    );
    const found = (): string[] => [...text.matchAll(/x-request-id: (\w+)/gi)].map(([, id = ""]) => id);
    await until(
      () => found().length === ids.length,
      () => `three answers; there were ${found()}`,
    );
    expect(found()).toEqual(ids);
  });

  check("what is no HTTP is refused and does no harm", async () => {
    const { httpPort } = host();
    expect((await rawRequest(httpPort, "\u0016\u0003\u0001 nonsense\r\n\r\n")).status).toBe(400);
    expect((await rawRequest(httpPort, `GET / HTTP/1.1\r\nX: ${"x".repeat(40_000)}\r\n\r\n`)).status).toBe(431);
    expect((await fetch(at("/health/live"))).status).toBe(200);
  });
}
