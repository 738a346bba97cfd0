/**
 * Goal: no web page of a stranger uses a host on its reader's machine, and pages that may, can.
 */
import { describe, expect, test } from "vitest";
import { Clients } from "../../../host/clients.ts";
import { accessRefusal, createAccess } from "../../../host/control/access.ts";
import { ManualClock } from "../support/service.ts";
import { createTestControl } from "./support.ts";

const path = "/v1/channels/c";
const page = "http://localhost:3000";
const stranger = "https://evil.example";

describe("Origin", () => {
  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"])(
    "of a stranger is refused: %s, and the page may not read why",
    async (method) => {
      const { ask, service } = createTestControl();
      const body = ["PUT", "PATCH", "POST"].includes(method) ? {} : undefined;
      const answer = await ask(method, path, body, { origin: stranger, "access-control-request-method": "PUT" });
      expect(answer.status).toBe(403);
      if (method !== "HEAD") expect(answer.json).toMatchObject({ code: "forbidden", value: stranger });
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      expect(answer.headers.get("access-control-allow-methods")).toBeNull();
      expect(service.channels.list()).toEqual([]);
    },
  );

  test.each(["null", "http://127.0.0.1.evil.example", "http://localhost.evil.example", "https://", "", "x"])(
    "%j is a stranger's",
    async (origin) => {
      const { ask } = createTestControl();
      expect((await ask("PUT", path, {}, { origin })).status).toBe(403);
    },
  );

  test.each([page, "http://127.0.0.1", "https://[::1]:8443", "http://app.localhost:5173"])(
    "%s is loopback and allowed, and the page may read answers, refusals included",
    async (origin) => {
      const { ask } = createTestControl();
      for (const [method, target, status] of [
        ["PUT", path, 201],
        ["GET", path, 200],
        ["GET", "/v1/channels/d", 404],
        ["GET", "/nope", 404],
        ["POST", "/v1/info", 405],
      ] as const) {
        const answer = await ask(method, target, method === "PUT" ? {} : undefined, { origin });
        expect(answer.status, `${method} ${target}`).toBe(status);
        expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
        expect(answer.headers.get("access-control-expose-headers")).toContain("ETag");
        expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
        expect(answer.headers.get("vary")).toBe("Origin");
        expect(answer.headers.get("x-request-id")).toMatch(/^request-\d+$/);
      }
    },
  );

  test("that an operator allows is allowed", async () => {
    const access = createAccess({ origins: ["https://app.example"], loopback: true });
    const { ask } = createTestControl({ access });
    expect((await ask("PUT", path, {}, { origin: "https://app.example" })).status).toBe(201);
    expect((await ask("PUT", path, {}, { origin: "http://app.example" })).status).toBe(403);
    expect((await ask("PUT", path, {}, { origin: "https://app.example:444" })).status).toBe(403);
  });

  test("absent: programs are answered without a word about pages", async () => {
    const { ask } = createTestControl();
    const { headers } = await ask("GET", "/v1/info");
    expect(headers.get("access-control-allow-origin")).toBeNull();
    expect(headers.get("vary")).toBeNull();
  });
});

describe("a preflight", () => {
  const asking = { origin: page, "access-control-request-method": "PUT" };

  test("is told methods and headers of the resource, and changes nothing", async () => {
    const { ask, service } = createTestControl();
    const answer = await ask("OPTIONS", path, undefined, {
      ...asking,
      "access-control-request-headers": "content-type,if-match,ce-id,CE-Specversion,x-evil,xce-id",
      "access-control-request-private-network": "true",
    });
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(answer.headers.get("access-control-allow-origin")).toBe(page);
    expect(answer.headers.get("access-control-allow-methods")).toBe("DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
    const headers = answer.headers.get("access-control-allow-headers")?.split(", ") ?? [];
    for (const name of ["content-type", "if-match", "idempotency-key", "last-event-id", "ce-id", "ce-specversion"])
      expect(headers).toContain(name);
    for (const name of ["x-evil", "xce-id", "*"]) expect(headers).not.toContain(name);
    expect(Number(answer.headers.get("access-control-max-age"))).toBeGreaterThan(0);
    expect(answer.headers.get("access-control-allow-private-network")).toBe("true");
    expect(service.channels.list()).toEqual([]);
  });

  test("is bounded, whatever it asks for", async () => {
    const { ask } = createTestControl();
    const many = Array.from({ length: 5_000 }, (_, index) => `ce-a${index}`).join(",");
    const answer = await ask("OPTIONS", path, undefined, { ...asking, "access-control-request-headers": many });
    expect(answer.headers.get("access-control-allow-headers")?.length).toBeLessThan(1_000);
  });

  test("OPTIONS without one tells methods, while draining, too", async () => {
    const { ask, service } = createTestControl();
    service.draining = true;
    const answer = await ask("OPTIONS", "/v1/info");
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    expect(answer.headers.get("access-control-allow-methods")).toBeNull();
    expect((await ask("OPTIONS", "/nope")).status).toBe(404);
  });
});

describe("Host", () => {
  const loopback = createAccess({ origins: ["https://proxy.example"], loopback: true });

  test.each([
    "localhost",
    "localhost:7480",
    "LOCALHOST:7480",
    "127.0.0.1:7480",
    "127.9.9.9",
    "[::1]:7480",
    "a.localhost",
    "proxy.example",
    "proxy.example:8443",
  ])("%s means a host on loopback", (host) => {
    expect(accessRefusal(loopback, undefined, host)).toBeUndefined();
  });

  test.each([
    "evil.example",
    "evil.example:7480",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "localhost:80@evil.example",
    "evil.example:80:localhost",
    "10.0.0.1",
    "[::2]",
    "",
    ":7480",
  ])("%s does not: DNS rebinding reads nothing", (host) => {
    expect(accessRefusal(loopback, undefined, host)).toMatchObject({ code: "forbidden", value: host });
  });

  test("is any name for a host that others can reach, whose own pages are allowed", () => {
    const open = createAccess({ origins: [], loopback: false });
    expect(accessRefusal(open, undefined, "sluice.example")).toBeUndefined();
    expect(accessRefusal(open, "https://sluice.example", "sluice.example")).toBeUndefined();
    expect(accessRefusal(open, "https://other.example", "sluice.example")?.code).toBe("forbidden");
  });

  test("is looked at for every request, reading included", async () => {
    const { ask } = createTestControl();
    for (const target of ["/v1/info", "/metrics", "/v1/channels", "/nope"])
      expect((await ask("GET", target, undefined, { host: "evil.example" })).json).toMatchObject({ code: "forbidden" });
    expect((await ask("GET", "/v1/info", undefined, { host: "localhost:1" })).status).toBe(200);
  });
});

describe("clients", () => {
  test("that ask too often are told 429 and when to come back, each by itself", async () => {
    const clock = new ManualClock();
    const { askFrom } = createTestControl({ clients: new Clients({ connections: 0, requests: 2 }, clock) });
    for (let count = 0; count < 2; count += 1) expect((await askFrom("10.0.0.1", "GET", "/v1/info")).status).toBe(200);
    const answer = await askFrom("10.0.0.1", "GET", "/v1/info");
    expect(answer.status).toBe(429);
    expect(answer.json).toMatchObject({ code: "rate_limited", limit: 2, instance: "request-3" });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect((await askFrom("10.0.0.2", "GET", "/v1/info")).status).toBe(200);
    const told = await askFrom("10.0.0.1", "GET", "/v1/info", { origin: page });
    expect([told.status, told.headers.get("access-control-allow-origin")]).toEqual([429, page]);
    // Who is refused for another reason has asked all the same.
    for (let count = 0; count < 2; count += 1)
      expect((await askFrom("10.0.0.3", "GET", "/v1/info", { origin: stranger })).status).toBe(403);
    expect((await askFrom("10.0.0.3", "GET", "/v1/info")).status).toBe(429);
    clock.advance(500);
    expect((await askFrom("10.0.0.1", "GET", "/v1/info")).status).toBe(200);
  });
});
