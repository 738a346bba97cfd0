import { describe, expect, test } from "vitest";
import { createTestControl } from "./support.ts";

const path = "/v1/conditions/load";
const at = "1970-01-01T00:16:40.000Z";

describe("/v1/conditions/{condition}", () => {
  test("is created, replaced, shown, listed and removed", async () => {
    const { ask } = createTestControl();
    const created = await ask("PUT", path, { kind: "value", initial: 0.5 });
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(path);
    expect(created.json).toEqual({ name: "load", kind: "value", initial: 0.5, observed: true, value: 0.5, at });
    const shown = await ask("GET", path);
    expect(shown.json).toEqual(created.json);
    expect((await ask("GET", path, undefined, { "if-none-match": shown.headers.get("etag") ?? "" })).status).toBe(304);
    // What GET shows can be PUT back.
    expect((await ask("PUT", path, shown.json)).status).toBe(200);
    expect((await ask("PUT", path, { kind: "counter" }, { "if-match": '"other"' })).status).toBe(412);
    expect((await ask("GET", "/v1/conditions")).json).toEqual({ data: [shown.json], next: null });
    expect((await ask("DELETE", path)).status).toBe(204);
    expect((await ask("GET", path)).json).toMatchObject({ status: 404, code: "condition_unknown", value: "load" });
    expect((await ask("DELETE", path)).status).toBe(404);
  });

  test("is set and added to", async () => {
    const { ask, clock } = createTestControl();
    await ask("PUT", path, { kind: "counter" });
    clock.advance(1500);
    expect((await ask("PUT", `${path}/value`, { add: 2 })).json).toEqual({
      value: 2,
      at: "1970-01-01T00:16:41.500Z",
      kind: "counter",
    });
    expect((await ask("PUT", `${path}/value`, { value: 7 })).json).toMatchObject({ value: 7 });
    expect((await ask("PUT", `${path}/value`, { value: "7" })).json).toMatchObject({
      code: "invalid_value",
      value: "7",
    });
    expect((await ask("PUT", `${path}/value`, { value: null })).json).toMatchObject({ status: 422 });
    expect((await ask("PUT", `${path}/value`, { add: 1, value: 1 })).json).toMatchObject({ code: "unknown_field" });
    expect((await ask("PUT", "/v1/conditions/other/value", { value: 1 })).status).toBe(404);
  });

  test.each([
    [{ kind: "velue" }, { code: "invalid_value" }],
    [{}, { code: "invalid_value" }],
    [
      { kind: "quantile", q: 1.5 },
      { code: "invalid_value", value: 1.5, limit: 1 },
    ],
    [
      { kind: "value", colour: 1 },
      { code: "unknown_field", value: "colour" },
    ],
    [
      { kind: "window", windowMs: 0 },
      { code: "invalid_value", value: 0, limit: 1 },
    ],
    [
      { kind: "rate", windowMs: 86_400_001 },
      { code: "invalid_value", limit: 86_400_000 },
    ],
    [
      { kind: "value", name: "other" },
      { code: "invalid_value", value: "other", limit: "load" },
    ],
    [{ kind: "value", initial: "x".repeat(1025) }, { status: 422 }],
    [
      { kind: "expression", expression: "x >" },
      { code: "expression", line: 1, column: 4 },
    ],
    [
      { kind: "expression", expression: "nothing" },
      { code: "expression", value: "nothing", column: 1 },
    ],
    [
      { kind: "host", metric: "cpu" },
      { code: "not_supported", value: "cpu" },
    ],
  ])("refuses %o", async (body, problem) => {
    const { ask } = createTestControl();
    expect((await ask("PUT", path, body)).json).toMatchObject(problem);
    expect((await ask("GET", "/v1/conditions")).json).toEqual({ data: [], next: null });
  });

  test("follows a channel", async () => {
    const { ask, clock } = createTestControl();
    await ask("PUT", path, { kind: "channel", channel: "c", metric: "rate" });
    expect((await ask("GET", path)).json).toMatchObject({ value: null });
    await ask("POST", "/v1/channels/c/events", { type: "t" });
    clock.advance(1000);
    await ask(
      "POST",
      "/v1/channels/c/events",
      [1, 2, 3].map(() => ({ type: "t" })),
    );
    clock.advance(1000);
    expect((await ask("GET", path)).json).toMatchObject({ value: 3 });
  });

  test("is not removed while another follows from it", async () => {
    const { ask } = createTestControl();
    await ask("PUT", path, { kind: "value" });
    await ask("PUT", "/v1/conditions/twice", { kind: "expression", expression: "load * 2" });
    expect((await ask("DELETE", path)).json).toMatchObject({ status: 409, code: "condition_in_use", limit: ["twice"] });
  });
});

describe("PATCH /v1/conditions", () => {
  test("changes all or none", async () => {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/conditions/a", { kind: "value" });
    await ask("PUT", "/v1/conditions/b", { kind: "counter" });
    expect((await ask("PATCH", "/v1/conditions", { values: { a: 1, b: { add: 2 } } })).json).toEqual({
      values: { a: { value: 1, at, kind: "value" }, b: { value: 2, at, kind: "counter" } },
    });
    expect((await ask("PATCH", "/v1/conditions", { values: { a: 5, b: "x" } })).status).toBe(422);
    expect((await ask("PATCH", "/v1/conditions", { values: { a: 5, c: 1 } })).json).toMatchObject({
      status: 404,
      code: "condition_unknown",
      value: "c",
    });
    expect((await ask("GET", "/v1/conditions/a")).json).toMatchObject({ value: 1 });
  });
});
