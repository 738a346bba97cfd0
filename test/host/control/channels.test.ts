import { describe, expect, test } from "vitest";
import { channelResource, defaultDefinition } from "../../../host/channel/definition.ts";
import { SluiceError } from "../../../host/errors.ts";
import { limits as defaults } from "../../../host/limits.ts";
import { chunked, createTestControl } from "./support.ts";

const path = "/v1/channels/c";

describe("PUT /v1/channels/{channel}", () => {
  test("creates with 201 and Location, replaces with 200", async () => {
    const { ask, service } = createTestControl();
    const created = await ask("PUT", path, { types: ["a"] });
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(path);
    expect(created.json).toEqual({
      ...channelResource("c", { ...defaultDefinition, types: ["a"] }),
      sinks: 0,
      sources: 0,
      sequence: 0,
      stored: 0,
    });
    const replaced = await ask("PUT", path, { echo: false });
    expect(replaced.status).toBe(200);
    expect(replaced.headers.get("location")).toBeNull();
    expect(replaced.json).toMatchObject({ types: [], echo: false });
    expect(service.channels.get("c")?.definition).toEqual({ ...defaultDefinition, echo: false });
  });

  test("makes a channel of defaults from an empty body, whatever its type", async () => {
    const { ask } = createTestControl();
    expect((await ask("PUT", path)).status).toBe(201);
    expect((await ask("PUT", path, "", { "content-type": "text/plain" })).status).toBe(200);
  });

  test("takes back what GET shows, and the tag stays", async () => {
    const { ask } = createTestControl();
    const created = await ask("PUT", path, { types: ["a"], delivery: { priority: 7, late: "drop" } });
    const shown = await ask("GET", path);
    const again = await ask("PUT", path, shown.json);
    expect(again.status).toBe(200);
    expect(again.json).toEqual(shown.json);
    expect(again.headers.get("etag")).toBe(created.headers.get("etag"));
  });

  test("takes names with slashes percent-encoded", async () => {
    const { ask, service } = createTestControl();
    const created = await ask("PUT", "/v1/channels/a%2Fb%2Fc");
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe("/v1/channels/a%2Fb%2Fc");
    expect(service.channels.get("a/b/c")).toBeDefined();
    expect((await ask("GET", "/v1/channels/a%2fb%2fc")).json).toMatchObject({ name: "a/b/c" });
  });

  test.each([
    ["/v1/channels/a%252Fb", 422, "channel_name"],
    ["/v1/channels/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 422, "channel_name"],
    ["/v1/channels/..%2F..%2Fmetrics", 422, "channel_name"],
    ["/v1/channels/%2Fetc", 422, "channel_name"],
    ["/v1/channels/a%00b", 422, "channel_name"],
    ["/v1/channels/a%0Ab", 422, "channel_name"],
    ["/v1/channels/%FF", 422, "channel_name"],
    ["/v1/channels/%zz", 422, "channel_name"],
    ["/v1/channels/%", 422, "channel_name"],
    ["/v1/channels/a%20b", 422, "channel_name"],
    ["/v1/channels/%C3%A4", 422, "channel_name"],
    [`/v1/channels/${"x".repeat(256)}`, 422, "channel_name"],
    ["/v1/channels/", 404, "not_found"],
    ["/v1/channels/a/b", 404, "not_found"],
    ["/v1/channels//c", 404, "not_found"],
    ["/v1//channels/c", 404, "not_found"],
    ["/v1/channels/../channels/./x/..%2f", 404, "not_found"],
  ])("refuses %s", async (target, status, code) => {
    const { ask, service } = createTestControl();
    for (const method of ["PUT", "GET", "DELETE"]) {
      const answer = await ask(method, target, method === "PUT" ? {} : undefined);
      expect(answer.json, `${method} ${target}`).toMatchObject({ status, code });
      expect(answer.status).toBe(status);
    }
    expect(service.channels.list()).toEqual([]);
  });

  test("is not led out of its folder by encoded dots", async () => {
    const { ask } = createTestControl();
    // A URL parser takes %2e%2e for a step up, so this is plainly GET /metrics.
    expect((await ask("GET", "/v1/channels/%2e%2e/%2e%2e/metrics")).headers.get("content-type")).toContain(
      "text/plain",
    );
    expect((await ask("PUT", "/v1/channels/a%2F..%2Fb")).status).toBe(201);
    expect((await ask("GET", "/v1/channels/b")).status).toBe(404);
  });

  test.each([
    ["a body that is no JSON", "{", {}, 400, "malformed", 1],
    ["a body that is not UTF-8", Uint8Array.from([0x22, 0xff, 0x22]), {}, 400, "not_utf8", undefined],
    ["a name twice", '{"echo":true,"echo":false}', {}, 400, "malformed", "echo"],
    ["nesting", "[".repeat(200), {}, 422, "limit_reached", 129],
    ["an unknown field", '{"delivery":{"prio":1}}', {}, 400, "unknown_field", "delivery.prio"],
    ["a wrong type", '{"echo":"yes"}', {}, 422, "invalid_value", "yes"],
    ["another name", '{"name":"d"}', {}, 422, "invalid_value", "d"],
    ["a feature of later", '{"presence":true}', {}, 422, "not_supported", "presence"],
    ["a number beyond doubles", '{"delivery":{"ttlMs":1e400}}', {}, 422, "invalid_value", "1e400"],
    ["text/plain", "{}", { "content-type": "text/plain" }, 415, "media_type", "text/plain"],
    [
      "another charset",
      "{}",
      { "content-type": "application/json; charset=utf-16" },
      415,
      "media_type",
      "application/json; charset=utf-16",
    ],
    ["a compressed body", "{}", { "content-encoding": "gzip" }, 415, "media_type", "gzip"],
  ] as const)("refuses %s", async (_name, body, headers, status, code, value) => {
    const { ask, service } = createTestControl();
    const answer = await ask("PUT", path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.json).toMatchObject({ type: `urn:sluice:problem:${code}`, status, code, instance: "request-1" });
    expect(answer.json["value"]).toEqual(value);
    expect(service.channels.list()).toEqual([]);
  });

  test.each(["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])("takes %s", async (type) => {
    const { ask } = createTestControl();
    expect((await ask("PUT", path, "{}", { "content-type": type })).status).toBe(201);
  });

  test("answers after the change is on disk, and tells where it cannot be kept", async () => {
    let release = (): void => {};
    const disk = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = createTestControl({ persisted: () => disk });
    let answered = false;
    const answer = slow.ask("PUT", path, {}).then(({ status }) => {
      answered = true;
      return status;
    });
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(slow.service.channels.get("c")).toBeDefined();
    expect(answered).toBe(false);
    release();
    expect(await answer).toBe(201);

    const broken = createTestControl({
      persisted: async () => Promise.reject(new SluiceError("state_unusable", "Cannot write the file")),
    });
    expect((await broken.ask("PUT", path, {})).json).toMatchObject({ status: 503, code: "state_unusable" });
  });
});

describe("body limits", () => {
  const limits = { limits: { ...defaults, bodyBytes: 100 } };

  test("refuse a body that declares too much, unread", async () => {
    const { ask } = createTestControl(limits);
    const { body, taken } = chunked(10, 50);
    const answer = await ask("PUT", path, body, { "content-length": "101" });
    expect(answer.json).toMatchObject({ status: 413, code: "body_too_large", value: 101, limit: 100 });
    expect(taken()).toBe(0);
  });

  test("cut off a body that does not declare its size as soon as it is too large", async () => {
    const { ask } = createTestControl(limits);
    const { body, taken } = chunked(60, 1_000);
    const answer = await ask("PUT", path, body);
    expect(answer.json).toMatchObject({ status: 413, code: "body_too_large", value: 120, limit: 100 });
    expect(taken()).toBe(2);
  });

  test("take a body of exactly the limit, in one part or in many", async () => {
    const { ask } = createTestControl(limits);
    expect((await ask("PUT", path, `{}${" ".repeat(98)}`)).status).toBe(201);
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const part of ["{", "}", " ".repeat(98)]) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });
    expect((await ask("PUT", path, chunks)).status).toBe(200);
  });

  test("tell a client that breaks off within its body", async () => {
    const { ask } = createTestControl();
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    expect((await ask("PUT", path, broken)).json).toMatchObject({ status: 400, code: "malformed" });
  });
});

describe("GET /v1/channels/{channel}", () => {
  test("shows the definition and what is counted", async () => {
    const { ask, service } = createTestControl();
    await ask("PUT", path, { types: ["a"] });
    const subscription = service.subscribe("c", { onEvents: () => {} });
    await ask("POST", `${path}/events`, { type: "a" });
    expect((await ask("GET", path)).json).toMatchObject({ name: "c", types: ["a"], sinks: 1, sequence: 1 });
    subscription.close();
    expect((await ask("GET", path)).json).toMatchObject({ sinks: 0 });
  });

  test("answers 304 for the tag that the client has, and HEAD without a body", async () => {
    const { ask } = createTestControl();
    const etag = (await ask("PUT", path, {})).headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[0-9a-f]{16}"$/);
    expect((await ask("GET", path, undefined, { "if-none-match": etag })).status).toBe(304);
    expect((await ask("GET", path, undefined, { "if-none-match": `W/${etag}` })).status).toBe(304);
    expect((await ask("GET", path, undefined, { "if-none-match": '"other"' })).status).toBe(200);
    const head = await ask("HEAD", path);
    expect([head.status, head.text, head.headers.get("etag")]).toEqual([200, "", etag]);
  });

  test("answers 404 for a channel that is not there, and does not make it", async () => {
    const { ask, service } = createTestControl();
    expect((await ask("GET", path)).json).toMatchObject({ status: 404, code: "channel_unknown", value: "c" });
    expect(service.channels.list()).toEqual([]);
  });
});

describe("If-Match and If-None-Match", () => {
  test("guard changes: 412 where the resource is not as expected", async () => {
    const { ask, service } = createTestControl();
    const first = (await ask("PUT", path, {}, { "if-none-match": "*" })).headers.get("etag") ?? "";
    expect((await ask("PUT", path, {}, { "if-none-match": "*" })).json).toMatchObject({
      status: 412,
      code: "precondition_failed",
    });
    const second = (await ask("PUT", path, { echo: false }, { "if-match": first })).headers.get("etag") ?? "";
    expect(second).not.toBe(first);
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      const body = method === "DELETE" ? undefined : { echo: true };
      const answer = await ask(method, path, body, { "if-match": first });
      expect(answer.json, method).toMatchObject({
        status: 412,
        code: "precondition_failed",
        value: first,
        limit: second,
      });
    }
    expect(service.channels.get("c")?.definition.echo).toBe(false);
    expect((await ask("PATCH", path, { echo: true }, { "if-match": `"x", ${second}` })).status).toBe(200);
    expect((await ask("DELETE", path, undefined, { "if-match": "*" })).status).toBe(204);
    expect((await ask("PUT", path, {}, { "if-match": "*" })).json).toMatchObject({ status: 412, limit: null });
    expect(service.channels.get("c")).toBeUndefined();
  });
});

describe("PATCH /v1/channels/{channel}", () => {
  test("merges, and null gives the default back", async () => {
    const { ask } = createTestControl();
    await ask("PUT", path, { types: ["a"], delivery: { priority: 7, ttlMs: 5 } });
    const patched = await ask(
      "PATCH",
      path,
      { types: null, delivery: { ttlMs: 9 } },
      { "content-type": "application/merge-patch+json" },
    );
    expect(patched.status).toBe(200);
    expect(patched.json).toMatchObject({ types: [], delivery: { priority: 7, ttlMs: 9 } });
    expect((await ask("GET", path)).headers.get("etag")).toBe(patched.headers.get("etag"));
  });

  test.each([
    ["an unknown channel", "/v1/channels/d", {}, 404, "channel_unknown"],
    ["an unknown field", path, { delivery: { prio: 1 } }, 400, "unknown_field"],
    ["a renaming", path, { name: "d" }, 422, "invalid_value"],
    ["an array", path, [], 422, "invalid_value"],
  ])("refuses %s and changes nothing", async (_name, target, patch, status, code) => {
    const { ask } = createTestControl();
    const before = (await ask("PUT", path, { types: ["a"] })).text;
    expect((await ask("PATCH", target, patch)).json).toMatchObject({ status, code });
    expect((await ask("GET", path)).text).toBe(before);
  });
});

describe("DELETE /v1/channels/{channel}", () => {
  test("removes with 204, and is 404 after that", async () => {
    const { ask, service } = createTestControl();
    await ask("PUT", path, {});
    const removed = await ask("DELETE", path);
    expect([removed.status, removed.text]).toEqual([204, ""]);
    expect(service.channels.get("c")).toBeUndefined();
    expect((await ask("DELETE", path)).json).toMatchObject({ status: 404, code: "channel_unknown" });
  });
});

describe("GET /v1/channels", () => {
  test("lists by name, page after page, whatever is made or removed in between", async () => {
    const { ask, service } = createTestControl();
    const names = ["b", "a/b", "a", "c.d", "Z", "_x", "a-b"];
    for (const name of names) service.channels.put(name, defaultDefinition);
    const seen: unknown[] = [];
    let cursor = "";
    for (let pages = 0; pages < 10; pages += 1) {
      const { json } = await ask("GET", `/v1/channels?limit=2${cursor}`);
      seen.push(...(json["data"] as { name: string }[]).map(({ name }) => name));
      if (pages === 0) service.channels.remove(seen[0] as string);
      if (json["next"] === null) break;
      cursor = `&cursor=${encodeURIComponent(String(json["next"]))}`;
    }
    expect(seen).toEqual([...names].sort());
  });

  test("gives 100 where the request does not say, and says where more are", async () => {
    const { ask, service } = createTestControl();
    for (let index = 0; index < 101; index += 1) service.channels.put(`c${index}`, defaultDefinition);
    const first = await ask("GET", "/v1/channels");
    expect(first.json["data"]).toHaveLength(100);
    const second = await ask("GET", `/v1/channels?cursor=${String(first.json["next"])}`);
    expect(second.json).toMatchObject({ data: [{ name: "c99" }], next: null });
    expect((await ask("GET", "/v1/channels?limit=101")).json["next"]).toBeNull();
  });

  test("is an empty list where there are none", async () => {
    expect((await createTestControl().ask("GET", "/v1/channels")).json).toEqual({ data: [], next: null });
  });

  test.each([
    ["limit=0", 422, "invalid_value"],
    ["limit=1001", 422, "invalid_value"],
    ["limit=1.5", 422, "invalid_value"],
    ["limit=-1", 422, "invalid_value"],
    ["limit=", 422, "invalid_value"],
    ["limit=9999999999999", 422, "invalid_value"],
    ["limit=1&limit=2", 422, "invalid_value"],
    ["cursor=%%%", 422, "invalid_value"],
    ["cursor=!!!!", 422, "invalid_value"],
    ["cursor=IA", 422, "invalid_value"],
    ["lim=1", 400, "unknown_field"],
    ["__proto__=1", 400, "unknown_field"],
  ])("refuses ?%s", async (query, status, code) => {
    const { ask } = createTestControl();
    expect((await ask("GET", `/v1/channels?${query}`)).json).toMatchObject({ status, code });
  });
});
