import { describe, expect, test } from "vitest";
import { createTestControl } from "./support.ts";

const path = "/v1/templates/sensors";
const template = { pattern: "sensors.*", delivery: { ttlMs: 500 }, store: { events: 10 } };

describe("/v1/templates/{template}", () => {
  test("is created, replaced, shown, listed and removed", async () => {
    const { ask } = createTestControl();
    const created = await ask("PUT", path, template);
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(path);
    expect(created.json).toEqual({ name: "sensors", ...template });
    const etag = created.headers.get("etag") ?? "";
    const shown = await ask("GET", path);
    expect([shown.json, shown.headers.get("etag")]).toEqual([created.json, etag]);
    expect((await ask("GET", path, undefined, { "if-none-match": etag })).status).toBe(304);
    expect((await ask("PUT", path, shown.json)).status).toBe(200);
    expect((await ask("GET", "/v1/templates")).json).toEqual({ data: [shown.json], next: null });
    const removed = await ask("DELETE", path);
    expect([removed.status, removed.text]).toEqual([204, ""]);
    expect((await ask("GET", path)).json).toMatchObject({ status: 404, code: "not_found", value: "sensors" });
    expect((await ask("DELETE", path)).status).toBe(404);
  });

  test("is guarded by If-Match and If-None-Match", async () => {
    const { ask, service } = createTestControl();
    const etag = (await ask("PUT", path, template, { "if-none-match": "*" })).headers.get("etag") ?? "";
    expect((await ask("PUT", path, template, { "if-none-match": "*" })).json).toMatchObject({
      status: 412,
      code: "precondition_failed",
    });
    expect((await ask("PUT", path, { pattern: ">" }, { "if-match": '"other"' })).status).toBe(412);
    expect((await ask("DELETE", path, undefined, { "if-match": '"other"' })).status).toBe(412);
    expect(service.templates.get("sensors")?.pattern).toBe("sensors.*");
    expect((await ask("DELETE", path, undefined, { "if-match": etag })).status).toBe(204);
  });

  test.each([
    ["Sensors", 422],
    ["-sensors", 422],
    ["a%2Fb", 422],
    ["..%2Fx", 422],
    ["x".repeat(129), 422],
    ["%FF", 422],
    ["a/b", 404],
  ])("cannot be named %s", async (name, status) => {
    const { ask } = createTestControl();
    for (const method of ["PUT", "GET", "DELETE"])
      expect((await ask(method, `/v1/templates/${name}`, method === "PUT" ? template : undefined)).status).toBe(status);
  });

  test("is refused with what is wrong in it", async () => {
    const { ask } = createTestControl();
    expect((await ask("PUT", path)).json).toMatchObject({ status: 422, code: "invalid_value", value: "pattern" });
    expect((await ask("PUT", path, { ...template, ttl: 1 })).json).toMatchObject({
      code: "unknown_field",
      value: "ttl",
    });
    expect((await ask("PUT", `${path}?x=1`, template)).json).toMatchObject({ code: "unknown_field" });
    expect((await ask("PATCH", path, {})).status).toBe(405);
  });
});

describe("a channel whose name a template matches", () => {
  test("gets from it what PUT leaves out and what PATCH gives up, and what it says itself counts more", async () => {
    const { ask } = createTestControl();
    await ask("PUT", path, template);
    const created = await ask("PUT", "/v1/channels/sensors.a", { delivery: { priority: 9 }, store: { events: 0 } });
    expect(created.json).toMatchObject({ delivery: { priority: 9, ttlMs: 500 }, store: { events: 0 } });
    const patched = await ask("PATCH", "/v1/channels/sensors.a", { store: null, delivery: { ttlMs: 7 } });
    expect(patched.json).toMatchObject({ delivery: { priority: 9, ttlMs: 7 }, store: { events: 10 } });
    // What GET shows is all there is to say, so PUT gives it back unchanged.
    await ask("PUT", path, { ...template, echo: false, delivery: { ttlMs: 1 } });
    const shown = await ask("GET", "/v1/channels/sensors.a");
    expect((await ask("PUT", "/v1/channels/sensors.a", shown.json)).json).toEqual(shown.json);
    expect(shown.json).toMatchObject({ echo: true, delivery: { ttlMs: 7 } });
  });

  test("gets from it all where it comes into being by an event", async () => {
    const { ask } = createTestControl();
    await ask("PUT", path, template);
    await ask("POST", "/v1/channels/sensors.b/events", { type: "t" });
    expect((await ask("GET", "/v1/channels/sensors.b")).json).toMatchObject({ store: { events: 10 }, sequence: 1 });
    expect((await ask("GET", "/v1/channels/sensors.b")).json).toMatchObject({ delivery: { ttlMs: 500 } });
  });

  test("is refused for what is wrong with it, whatever templates would make up for", async () => {
    const { ask } = createTestControl();
    await ask("PUT", path, { pattern: ">", types: ["a"] });
    expect((await ask("PUT", "/v1/channels/c", { types: null })).json).toMatchObject({ code: "invalid_value" });
    expect((await ask("PUT", "/v1/channels/c", [])).json).toMatchObject({ code: "invalid_value" });
  });
});
