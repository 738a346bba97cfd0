/**
 * The opening handshake, row by row of RFC 6455 §4.2.1.
 */
import { describe, expect, test } from "vitest";
import { createOriginCheck, isLoopbackName, negotiate } from "../../../../host/socket/websocket/handshake.ts";

const good = {
  host: "127.0.0.1:7480",
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-protocol": "sluice.v1.json",
};
const decide = (headers: Record<string, string | undefined>, method = "GET") =>
  negotiate({ method, headers: { ...good, ...headers } }, createOriginCheck(["https://app.example"], true));

describe("negotiate() takes", () => {
  const rows = [
    { name: "JSON", headers: {}, kind: "websocket-json", protocol: "sluice.v1.json" },
    {
      name: "protobuf",
      headers: { "sec-websocket-protocol": "sluice.v1.proto" },
      kind: "websocket",
      protocol: "sluice.v1.proto",
    },
    {
      name: "the client's first choice",
      headers: { "sec-websocket-protocol": "chat, sluice.v1.proto, sluice.v1.json" },
      kind: "websocket",
      protocol: "sluice.v1.proto",
    },
    {
      name: "headers in any case and as lists",
      headers: { upgrade: "WebSocket", connection: "keep-alive, UPGRADE" },
      kind: "websocket-json",
      protocol: "sluice.v1.json",
    },
    {
      name: "a page of this host",
      headers: { origin: "http://127.0.0.1:7480" },
      kind: "websocket-json",
      protocol: "sluice.v1.json",
    },
    {
      name: "a page that is allowed",
      headers: { origin: "https://app.example" },
      kind: "websocket-json",
      protocol: "sluice.v1.json",
    },
    {
      name: "a page on loopback",
      headers: { origin: "http://localhost:3000" },
      kind: "websocket-json",
      protocol: "sluice.v1.json",
    },
  ];
  test.each(rows)("$name", ({ headers, kind, protocol }) => {
    expect(decide(headers)).toMatchObject({ ok: true, kind, protocol });
  });

  test("a token as a subprotocol, which is never the one that is chosen", () => {
    expect(decide({ "sec-websocket-protocol": "bearer.abc-123, sluice.v1.json" })).toMatchObject({
      ok: true,
      protocol: "sluice.v1.json",
      token: "abc-123",
    });
    expect(decide({ authorization: "Bearer xyz" })).toMatchObject({ ok: true, token: "xyz" });
    expect(decide({})).toMatchObject({ ok: true, token: undefined });
  });
});

describe("negotiate() refuses", () => {
  const rows = [
    {
      name: "another method",
      headers: {},
      method: "POST",
      status: 405,
      code: "method_not_allowed",
      header: ["allow", "GET"],
    },
    {
      name: "no upgrade",
      headers: { upgrade: undefined },
      status: 426,
      code: "websocket_protocol",
      header: ["upgrade", "websocket"],
    },
    {
      name: "no Connection: Upgrade",
      headers: { connection: "keep-alive" },
      status: 426,
      code: "websocket_protocol",
      header: ["connection", "Upgrade"],
    },
    {
      name: "version 8",
      headers: { "sec-websocket-version": "8" },
      status: 426,
      code: "websocket_protocol",
      header: ["sec-websocket-version", "13"],
    },
    {
      name: "no version",
      headers: { "sec-websocket-version": undefined },
      status: 426,
      code: "websocket_protocol",
      header: ["sec-websocket-version", "13"],
    },
    { name: "no key", headers: { "sec-websocket-key": undefined }, status: 400, code: "websocket_protocol" },
    {
      name: "a key of 15 bytes",
      headers: { "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAA" },
      status: 400,
      code: "websocket_protocol",
    },
    {
      name: "no subprotocol",
      headers: { "sec-websocket-protocol": undefined },
      status: 400,
      code: "websocket_protocol",
    },
    {
      name: "unknown subprotocols",
      headers: { "sec-websocket-protocol": "mqtt, sluice.v2.json" },
      status: 400,
      code: "websocket_protocol",
    },
    {
      name: "the name of a method of objects",
      headers: { "sec-websocket-protocol": "constructor" },
      status: 400,
      code: "websocket_protocol",
    },
    { name: "a page of somebody else", headers: { origin: "https://evil.example" }, status: 403, code: "forbidden" },
    { name: "an origin that is none", headers: { origin: "null" }, status: 403, code: "forbidden" },
    {
      name: "a host name that begins like loopback",
      headers: { origin: "http://127.0.0.1.evil.example" },
      status: 403,
      code: "forbidden",
    },
  ];
  test.each(rows)("$name", ({ headers, method, status, code, header }) => {
    const refused = decide(headers, method);
    expect(refused).toMatchObject({ ok: false, status, error: { code } });
    if (header !== undefined && !refused.ok) expect(refused.headers[header[0] as string]).toBe(header[1]);
  });

  test("a secret is not repeated in the refusal", () => {
    const refused = decide({ "sec-websocket-protocol": "bearer.s3cret" });
    expect(JSON.stringify(refused)).not.toContain("s3cret");
    expect(refused.ok).toBe(false);
  });
});

describe("createOriginCheck()", () => {
  test("on loopback a name of somebody else does not help, even where it leads here", () => {
    const isAllowed = createOriginCheck([], true);
    expect(isAllowed("http://evil.example:7480", "evil.example:7480")).toBe(false);
    expect(isAllowed("http://127.0.0.1:7480", "127.0.0.1:7480")).toBe(true);
    expect(isAllowed("http://localhost:3000", "127.0.0.1:7480")).toBe(true);
  });

  test("elsewhere a host takes its own pages, and no others", () => {
    const isAllowed = createOriginCheck([], false);
    expect(isAllowed("https://sluice.example", "sluice.example")).toBe(true);
    expect(isAllowed("https://sluice.example:444", "sluice.example")).toBe(false);
    expect(isAllowed("http://localhost:3000", "sluice.example")).toBe(false);
  });
});

test.each([
  ["localhost", true],
  ["app.localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["[::1]", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["128.0.0.1", false],
  ["127.0.0.1.example", false],
  ["localhost.example", false],
])("isLoopbackName(%s) is %s", (name, want) => {
  expect(isLoopbackName(name)).toBe(want);
});
