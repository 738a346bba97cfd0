/**
 * Requests that are odd by themselves, each for a reason of its own: what scanners, proxies and mistakes send. None may be
 * answered by a fault, and none may reach what it has no business with.
 */
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveForTest } from "./host.ts";

const HOST = "Host: 127.0.0.1\r\n";
const json = "Content-Type: application/json\r\n";

/** Status of the first answer, 0 where the host hung up without one; the rest of what came. */
function ask(port: number, text: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    let heard = "";
    const finish = (): void => {
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1] ?? 0), text: heard });
      socket.destroy();
    };
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
      if (heard.includes("\r\n\r\n")) finish();
    });
    socket.on("error", finish);
    socket.on("close", finish);
    socket.write(text, "latin1");
  });
}

const odd: readonly (readonly [name: string, request: string, statuses: readonly number[]])[] = [
  ["no host", "GET /v1/info HTTP/1.1\r\n\r\n", [400]],
  ["two hosts", `GET /v1/info HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`, [400, 403]],
  ["an empty host", "GET /v1/info HTTP/1.1\r\nHost: \r\n\r\n", [400, 403]],
  ["a host that is no name", "GET /v1/info HTTP/1.1\r\nHost: [::1\r\n\r\n", [400, 403]],
  ["a host with a path", "GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1/../x\r\n\r\n", [400, 403]],
  ["a host with credentials", "GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\n\r\n", [400, 403]],
  ["a whole URL of this host", `GET http://127.0.0.1/v1/info HTTP/1.1\r\n${HOST}\r\n`, [200, 400, 404]],
  // No browser sends this but to a proxy, so it is no way around the rule for hosts.
  ["a whole URL of another host", `GET http://evil.example/v1/info HTTP/1.1\r\n${HOST}\r\n`, [200, 400, 403, 404]],
  ["a URL of another scheme", `GET file:///etc/passwd HTTP/1.1\r\n${HOST}\r\n`, [400, 403, 404]],
  ["a target without a slash", `GET v1/info HTTP/1.1\r\n${HOST}\r\n`, [400, 404]],
  ["two slashes", `GET //evil.example/v1/info HTTP/1.1\r\n${HOST}\r\n`, [400, 404]],
  ["a backslash", `GET /v1\\info HTTP/1.1\r\n${HOST}\r\n`, [400, 404]],
  ["OPTIONS *", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, [200, 204, 400, 404]],
  ["CONNECT", `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${HOST}\r\n`, [0, 400, 405]],
  ["PRI, the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [0, 400, 505]],
  ["HTTP/0.9", "GET /v1/info\r\n\r\n", [400]],
  ["a line break in the target", `GET /v1/in\nfo HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a NUL in the target", `GET /v1/in\0fo HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a NUL in a header", `GET /v1/info HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, [400]],
  ["latin-1 in the target", `GET /v1/channels/k\xe4se HTTP/1.1\r\n${HOST}\r\n`, [400, 404, 422]],
  ["a header folded over two lines", `GET /v1/info HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, [200, 400]],
  ["a fragment", `GET /v1/info#x HTTP/1.1\r\n${HOST}\r\n`, [200, 400, 404]],
  ["a broken percent sign", `GET /v1/channels/%zz HTTP/1.1\r\n${HOST}\r\n`, [400, 404, 422]],
  ["an encoded traversal", `GET /v1/channels/..%2f..%2fmetrics HTTP/1.1\r\n${HOST}\r\n`, [404, 422]],
  ["a doubly encoded slash", `PUT /v1/channels/a%252fb HTTP/1.1\r\n${HOST}\r\n`, [404, 422]],
  ["an overlong slash", `PUT /v1/channels/a%c0%afb HTTP/1.1\r\n${HOST}\r\n`, [404, 422]],
  ["a traversal into the pages", `GET /docs/..%2f..%2fpackage.json HTTP/1.1\r\n${HOST}\r\n`, [404]],
  ["a query of ten thousand names", `GET /v1/channels?${"a=1&".repeat(3_000)} HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ["a query named __proto__", `GET /v1/channels?__proto__=1&constructor=2 HTTP/1.1\r\n${HOST}\r\n`, [400]],
  [
    "a body named __proto__",
    `PUT /v1/channels/odd HTTP/1.1\r\n${HOST}${json}Content-Length: 22\r\n\r\n{"__proto__":{"x":1}} `,
    [400],
  ],
  ["a body that GET has", `GET /v1/info HTTP/1.1\r\n${HOST}${json}Content-Length: 2\r\n\r\n{}`, [200, 400]],
  ["a negative length", `PUT /v1/channels/odd HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`, [400]],
  [
    "a length beyond 2^64",
    `PUT /v1/channels/odd HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\n`,
    [400, 413],
  ],
  ["a length of 5 GB", `PUT /v1/channels/odd HTTP/1.1\r\n${HOST}${json}Content-Length: 5000000000\r\n\r\n{`, [413]],
  [
    "an encoding that nobody knows",
    `PUT /v1/channels/odd HTTP/1.1\r\n${HOST}Transfer-Encoding: br\r\n\r\n`,
    [400, 501],
  ],
  [
    "chunks that lie",
    `PUT /v1/channels/odd HTTP/1.1\r\n${HOST}${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
    [400],
  ],
  ["an expectation that nobody knows", `GET /v1/info HTTP/1.1\r\n${HOST}Expect: coffee\r\n\r\n`, [200, 417]],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [0, 400]],
  ["a Redis command", "*1\r\n$4\r\nPING\r\n", [0, 400]],
  ["a range", `GET /v1/info HTTP/1.1\r\n${HOST}Range: bytes=0-0,-1,5-4\r\n\r\n`, [200, 206, 416]],
];

describe("odd requests", () => {
  test.each(odd)("%s", async (_name, request, statuses) => {
    const host = await serveForTest();
    const answer = await ask(host.port, request);
    expect(statuses, answer.text.slice(0, 400)).toContain(answer.status);
    expect(answer.text).not.toMatch(/root:|at \S+ \(|node:internal/);
    expect(host.faults()).toEqual([]);
    expect(host.service.channels.list()).toEqual([]);
    expect((await fetch(`${host.url}/health/live`)).status).toBe(200);
  });
});
