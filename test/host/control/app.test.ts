import { describe, expect, test, vi } from "vitest";
import { definitionFromJson } from "../../../host/channel/definition.ts";
import { etagOf } from "../../../host/control/etag.ts";
import { limits } from "../../../host/limits.ts";
import { createMetrics } from "../../../host/metrics.ts";
import { createTestControl } from "./support.ts";

describe("GET /v1/info", () => {
  test("says what runs here and what it can do", async () => {
    const { ask, clock } = createTestControl({
      info: { version: "1.2.3", runtime: "test 1", capabilities: { durable: true }, tcp: "tcp://127.0.0.1:1" },
    });
    clock.advance(2_500);
    const { status, json } = await ask("GET", "/v1/info");
    expect(status).toBe(200);
    expect(json).toEqual({
      version: "1.2.3",
      host: "host",
      epoch: 1,
      runtime: "test 1",
      startedAt: "1970-01-01T00:16:40.000Z",
      uptimeMs: 2_500,
      draining: false,
      capabilities: {
        cloudevents: true,
        conditions: true,
        contracts: true,
        "channels.implicit": true,
        durable: true,
        explain: true,
        expressions: true,
        "filters.routes": true,
        "filters.upload": false,
        groups: false,
        inboxes: true,
        members: true,
        sse: true,
        store: true,
        templates: true,
      },
      clients: { connections: 0, requests: 0 },
      configDigest: null,
      url: null,
      tcp: "tcp://127.0.0.1:1",
      limits,
    });
  });
});

describe("probes", () => {
  test("are well while the host serves; while it drains it lives and is not ready", async () => {
    const { ask, service } = createTestControl();
    expect((await ask("GET", "/health/live")).json).toEqual({ status: "ok" });
    expect((await ask("GET", "/health/ready")).json).toEqual({ status: "ok" });
    service.draining = true;
    expect((await ask("GET", "/health/live")).status).toBe(200);
    const ready = await ask("GET", "/health/ready");
    expect(ready.json).toMatchObject({ status: 503, code: "draining" });
    expect(ready.headers.get("retry-after")).toBe("1");
    expect((await ask("PUT", "/v1/channels/c", {})).json).toMatchObject({ status: 503, code: "draining" });
    expect((await ask("GET", "/v1/channels")).status).toBe(200);
  });
});

describe("GET /metrics", () => {
  test("shows what the service counts and what was answered", async () => {
    const metrics = createMetrics();
    const { ask } = createTestControl({ metrics });
    metrics.gauge("mine", "Mine", () => 5);
    await ask("POST", "/v1/channels/c/events", [{ type: "a" }, { type: "b" }]);
    await ask("GET", "/v1/channels/d");
    const { status, headers, text } = await ask("GET", "/metrics");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    for (const line of [
      "# TYPE sluice_events_total counter",
      "sluice_events_total 2",
      "# TYPE sluice_channels gauge",
      "sluice_channels 1",
      'sluice_http_answers_total{status="200"} 1',
      'sluice_http_answers_total{status="404"} 1',
      "sluice_mine 5",
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });
});

describe("GET /openapi.json", () => {
  test("describes every route that is there, and every answer with its schema", async () => {
    const { ask } = createTestControl();
    const { json } = await ask("GET", "/openapi.json");
    expect(json).toMatchObject({ openapi: "3.1.0", info: { title: "Sluice", version: "1.2.3" } });
    const paths = json["paths"] as Record<
      string,
      Record<string, { summary: string; responses: Record<string, { description: string }> }>
    >;
    for (const path of [
      "/health/live",
      "/health/ready",
      "/metrics",
      "/openapi.json",
      "/v1/channels",
      "/v1/channels/{channel}",
      "/v1/channels/{channel}/events",
      "/v1/info",
    ]) {
      expect(Object.keys(paths)).toContain(path);
    }
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        expect(operation.summary, `${method} ${path}`).toMatch(/\S/);
        // A subscription has no end to wait for.
        const asked = `${method} ${path}` === "get /v1/channels/{channel}/events" ? "HEAD" : method.toUpperCase();
        const real = await ask(asked, path.replaceAll(/\{\w+\}/g, "c"));
        expect(real.json["code"], `${method} ${path}`).not.toBe("method_not_allowed");
        // There may be nothing under a name that this test made up, and no pages where nobody built them.
        if (/^\/v1\/(?!.*\{(?!channel))/.test(path))
          expect(real.json["code"], `${method} ${path}`).not.toBe("not_found");
        expect(Object.keys(operation.responses), `${method} ${path}`).toContain(String(real.status));
      }
    }
  });
});

describe("the description", () => {
  test("refers to what is in it, and names the parameters of every path", async () => {
    const { json, text } = await createTestControl().ask("GET", "/openapi.json");
    const schemas = (json["components"] as { schemas: Record<string, unknown> }).schemas;
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
      expect(Object.keys(schemas)).toContain(name);
    expect(text.match(/"\$ref":"(?!#\/components\/schemas\/)[^"]*"/g) ?? []).toEqual([]);
    interface Operation {
      readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
    }
    for (const [path, methods] of Object.entries(json["paths"] as Record<string, Record<string, Operation>>)) {
      const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name).sort();
      for (const [method, { parameters = [] }] of Object.entries(methods)) {
        const described = parameters.filter((parameter) => parameter.in === "path");
        expect(described.map(({ name }) => name).sort(), `${method} ${path}`).toEqual(names);
        expect(described.every(({ required }) => required === true)).toBe(true);
        expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
      }
    }
  });
});

describe("what is not there", () => {
  test.each(["/v1", "/v1/nope", "/v2/channels", "/metrics/x", "/v1/test/clock", "/V1/info"])(
    "%s is 404",
    async (path) => {
      const answer = await createTestControl().ask("GET", path);
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.json).toEqual({
        type: "urn:sluice:problem:not_found",
        title: "There is nothing at this address",
        status: 404,
        code: "not_found",
        detail: `Cannot find anything at ${path}`,
        value: path,
        instance: "request-1",
      });
    },
  );

  test("repeats a long address only in part", async () => {
    const { text } = await createTestControl().ask("GET", `/${"x".repeat(5_000)}`);
    expect(text.length).toBeLessThan(1_000);
  });

  test.each([
    ["POST", "/v1/info", "GET, HEAD, OPTIONS"],
    ["PUT", "/metrics", "GET, HEAD, OPTIONS"],
    ["DELETE", "/health/live", "GET, HEAD, OPTIONS"],
    ["POST", "/v1/channels", "GET, HEAD, OPTIONS"],
    ["POST", "/v1/channels/c", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
    ["FROBNICATE", "/v1/channels/c", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
  ])("%s %s is 405 and says what is allowed", async (method, path, allow) => {
    const answer = await createTestControl().ask(method, path);
    expect(answer.json).toMatchObject({
      status: 405,
      code: "method_not_allowed",
      value: method,
      limit: allow.split(", "),
    });
    expect(answer.headers.get("allow")).toBe(allow);
  });
});

describe("every answer", () => {
  test("carries the id of its request: the client's where that can go into a log", async () => {
    const { ask } = createTestControl();
    expect((await ask("GET", "/v1/info")).headers.get("x-request-id")).toBe("request-1");
    expect((await ask("GET", "/v1/info", undefined, { "x-request-id": "mine-7" })).headers.get("x-request-id")).toBe(
      "mine-7",
    );
    expect((await ask("GET", "/nope", undefined, { "x-request-id": "mine-8" })).json["instance"]).toBe("mine-8");
    for (const bad of ["a b", "x".repeat(65), "{}"]) {
      expect((await ask("GET", "/v1/info", undefined, { "x-request-id": bad })).headers.get("x-request-id")).toMatch(
        /^request-\d+$/,
      );
    }
  });

  test("forbids browsers to guess its type", async () => {
    const { ask } = createTestControl();
    for (const path of ["/v1/info", "/metrics", "/nope"])
      expect((await ask("GET", path)).headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("tells nothing of a fault in the host but its request id, which the log has too", async () => {
    const { ask, controlLog, service } = createTestControl();
    vi.spyOn(service, "publishEncoded").mockImplementation(() => {
      throw new TypeError("secret");
    });
    const answer = await ask("POST", "/v1/channels/c/events", { type: "t" });
    expect(answer.json).toMatchObject({ status: 500, code: "internal", instance: "request-1" });
    expect(answer.text).not.toContain("secret");
    expect(controlLog).toMatchObject([
      { level: "error", message: "request failed", requestId: "request-1", error: { message: "secret" } },
    ]);
  });
});

describe("etagOf()", () => {
  test("is the same for the same content and another for other content", () => {
    const one = definitionFromJson({ types: ["a"] });
    expect(etagOf(one)).toBe(etagOf(definitionFromJson({ types: ["a"] })));
    const tags = new Set(
      Array.from({ length: 2_000 }, (_, index) => etagOf(definitionFromJson({ delivery: { ttlMs: index + 1 } }))),
    );
    expect(tags.size).toBe(2_000);
  });
});
