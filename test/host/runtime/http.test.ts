/**
 * The rules of HTTP as they hold on the wire, where clients do not tidy up what they send. The host is one; what a test
 * makes has a name of its own.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost } from "../../../host/runtime/open-host.ts";
import { type Answer, rawRequest } from "../support/request.ts";

let host: ServedHost;
let port = 0;

beforeAll(async () => {
  host = await serveHost({ listen: "127.0.0.1:0", tcp: null, onFatal: () => {} });
  port = Number(new URL(host.url).port);
});
afterAll(() => host.close());

/** Sends one request as it is written, and closes. */
function send(method: string, target: string, fields: Record<string, string> = {}, body = ""): Promise<Answer> {
  const headers = { Host: `127.0.0.1:${port}`, Connection: "close", ...fields };
  const length = body === "" ? {} : { "Content-Length": String(body.length) };
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  return rawRequest(port, `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

const json = { "Content-Type": "application/json" };
const codeOf = ({ body }: Answer): unknown => (body === "" ? undefined : JSON.parse(body).code);

/** Both ways of a publish: plainly, and by what only the app knows. */
const ways = [
  { way: "the fast way", fields: json },
  { way: "the app", fields: { ...json, "Idempotency-Key": "k" } },
];

describe("addresses", () => {
  test.each([
    ["/v1/channels/wire%2Fa%2Fb", 200],
    ["/v1/channels/wire%2fa%2fb", 200],
    ["/v1/channels/wire/a/b", 404],
    ["/v1/channels/wire%252Fa%252Fb", 422],
    ["/v1/channels/x/..%2f..%2fwire%2Fa%2Fb", 404],
    ["/v1/channels/..%2F..%2Fmetrics", 422],
    ["/v1/channels/%2e%2e%2F%2e%2e%2Finfo", 422],
    ["/v1/channels/..", 404],
    ["/v1/channels/a%00b", 422],
    ["/v1/channels/a%0d%0aX-Evil:%201", 422],
    ["//127.0.0.1/v1/info", 404],
    ["/v1//info", 404],
    ["/%76%31/info", 200],
    ["/v1/info/", 404],
    ["/v1/info?", 200],
    ["/v1/info#x", 200],
    ["/../../etc/passwd", 404],
    ["/docs/..%2f..%2fpackage.json", 404],
    ["/docs/%2e%2e/%2e%2e/package.json", 404],
  ])("GET %s is %i, and no file and no other resource", async (target, status) => {
    host.service.channels.resolve("wire/a/b");
    const answer = await send("GET", target);
    expect(answer.status).toBe(status);
    if (status === 200 && target.includes("wire")) expect(JSON.parse(answer.body).name).toBe("wire/a/b");
    expect(answer.headers["x-evil"]).toBeUndefined();
    expect(answer.body).not.toContain('"devDependencies"');
  });

  test("with a backslash or without a slash are no addresses", async () => {
    for (const target of ["/v1\\info", "v1/info", "*"]) {
      const answer = await send("GET", target);
      expect([answer.status, codeOf(answer)], target).toEqual([400, "malformed"]);
    }
    for (const bad of ["a b", "127.0.0.1:99999", "[::1", "a@b"])
      expect(codeOf(await send("GET", "/v1/info", { Host: bad })), bad).toMatch(/^(malformed|forbidden)$/);
  });

  test("publishing takes names with slashes, on both ways alike", async () => {
    for (const { way, fields } of ways) {
      const before = host.service.channels.get("wire/p/q")?.sequence() ?? 0;
      const answer = await send("POST", "/v1/channels/wire%2Fp%2Fq/events", fields, '{"type":"t"}');
      expect(answer.status, way).toBe(200);
      expect(host.service.channels.get("wire/p/q")?.sequence()).toBe(before + 1);
      for (const target of ["wire/p/q", "wire%252Fp%252Fq", "..%2Fx", "", "a%00b"]) {
        const refused = await send("POST", `/v1/channels/${target}/events`, fields, '{"type":"t"}');
        expect([404, 422], `${way} ${target}`).toContain(refused.status);
      }
    }
  });
});

describe("pages of strangers", () => {
  test.each(ways)("publish nothing by $way, whatever they say of themselves", async ({ fields }) => {
    const attempts: Record<string, string>[] = [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: "http://127.0.0.1.evil.example" },
      { Origin: "http://localhost, https://evil.example" },
      { Host: "evil.example" },
      { Host: `evil.example:${port}` },
      { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` },
      { Host: "127.0.0.1.evil.example" },
    ];
    for (const attempt of attempts) {
      const answer = await send("POST", "/v1/channels/wire.stranger/events", { ...fields, ...attempt }, '{"type":"t"}');
      expect([answer.status, codeOf(answer)], JSON.stringify(attempt)).toEqual([403, "forbidden"]);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect(host.service.channels.get("wire.stranger")).toBeUndefined();
  });

  test("send no simple request that is taken: bodies need a type that browsers ask for first", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const fields = { "Content-Type": type };
      expect((await send("POST", "/v1/channels/wire.stranger/events", fields, '{"type":"t"}')).status).toBe(415);
      expect((await send("PUT", "/v1/channels/wire.stranger", fields, "{}")).status).toBe(415);
    }
    expect(host.service.channels.get("wire.stranger")).toBeUndefined();
  });

  test.each(ways)("that are allowed publish by $way and may read the answer", async ({ fields }) => {
    const origin = { Origin: "http://localhost:3000" };
    const answer = await send("POST", "/v1/channels/wire.page/events", { ...fields, ...origin }, '{"type":"t"}');
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([200, "http://localhost:3000"]);
    expect(answer.headers["vary"]).toBe("Origin");
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("bodies", () => {
  test.each(["PUT /v1/channels/wire.large", "POST /v1/channels/wire.large/events"])(
    "of %s that declare too much are refused before they are read",
    async (line) => {
      const [method = "", target = ""] = line.split(" ");
      const answer = await send(method, target, { ...json, "Content-Length": String(limits.bodyBytes + 1) });
      expect([answer.status, codeOf(answer)]).toEqual([413, "body_too_large"]);
      expect(JSON.parse(answer.body)).toMatchObject({ value: limits.bodyBytes + 1, limit: limits.bodyBytes });
    },
  );

  test("in chunks are cut off where they become too large", async () => {
    const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
    const head = `PUT /v1/channels/wire.large HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await rawRequest(port, head + chunk.repeat(limits.bodyBytes / 0x10000 + 1));
    expect([answer.status, codeOf(answer)]).toEqual([413, "body_too_large"]);
    expect(host.service.channels.get("wire.large")).toBeUndefined();
  });
});

describe("methods", () => {
  test("HEAD is GET without its body, for refusals as well", async () => {
    for (const target of ["/v1/info", "/v1/channels", "/v1/stats", "/v1/hosts", "/metrics", "/openapi.json", "/nope"]) {
      const [head, get] = await Promise.all([send("HEAD", target), send("GET", target)]);
      expect([head.status, head.body], target).toEqual([get.status, ""]);
      expect(head.headers["content-type"]).toBe(get.headers["content-type"]);
    }
  });

  test("that no resource knows are told what it does know", async () => {
    for (const method of ["PROPFIND", "TRACE", "PATCH"]) {
      const answer = await send(method, "/v1/info");
      expect([answer.status, answer.headers["allow"]], method).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
  });
});

describe("what is no request", () => {
  test.each([
    ["nonsense", "\r\n\r\nnonsense\r\n\r\n", 400, "malformed"],
    ["no Host", "GET /v1/info HTTP/1.1\r\n\r\n", 400, undefined],
    ["a header without an end", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`, 431, "limit_reached"],
    ["two lengths", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed"],
  ])("%s is told so by a problem, and the connection ends", async (_name, text, status, code) => {
    const answer = await rawRequest(port, text);
    expect([answer.status, answer.headers["connection"]]).toEqual([status, "close"]);
    if (code === undefined) return;
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ status, code, instance: expect.any(String) });
  });

  test("does not keep a connection by going on without an end", async () => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {}).resume();
    socket.write("nonsense\r\n\r\n");
    const trickle = setInterval(() => socket.write("x"), 50);
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(trickle);
  });
});
