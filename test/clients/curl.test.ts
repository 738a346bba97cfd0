/**
 * curl against a real process: what people type first, and what curl does on its own account (Expect, chunks, HTTP/1.0).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, startHost, startProgram, stopHost } from "../host/cli/sluice.ts";
import { needsProgram } from "../setup/needs.ts";
import { curl, curlStream } from "./curl.ts";

const JSON_TYPE = ["--header", "content-type: application/json"];

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

const at = (path: string): string => `${host.url}${path}`;

describe("curl", () => {
  test("asks for info, with a request id that is told back", async (context) => {
    needsProgram(context, "curl");
    const answer = await curl([at("/v1/info"), "--header", "x-request-id: mine-1"]);
    expect(answer).toMatchObject({ status: 200, json: { url: host.url, draining: false } });
    expect(answer.headers["x-request-id"]).toBe("mine-1");
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
  });

  test("makes, reads, changes and removes a channel", async (context) => {
    needsProgram(context, "curl");
    const made = await curl([
      "--request",
      "PUT",
      at("/v1/channels/curl.crud"),
      ...JSON_TYPE,
      "--data",
      '{"types":["a"]}',
    ]);
    expect(made).toMatchObject({ status: 201, json: { name: "curl.crud", types: ["a"] } });
    expect(made.headers["location"]).toBe("/v1/channels/curl.crud");
    const read = await curl([at("/v1/channels/curl.crud")]);
    expect(read.headers["etag"]).toBe(made.headers["etag"]);
    const stale = ["--header", 'if-match: "stale"', ...JSON_TYPE, "--data", '{"echo":false}'];
    const refused = await curl(["--request", "PATCH", at("/v1/channels/curl.crud"), ...stale]);
    expect(refused).toMatchObject({ status: 412, json: { code: "precondition_failed" } });
    const fresh = ["--header", `if-match: ${read.headers["etag"]}`, ...JSON_TYPE, "--data", '{"echo":false}'];
    const changed = await curl(["--request", "PATCH", at("/v1/channels/curl.crud"), ...fresh]);
    expect(changed).toMatchObject({ status: 200, json: { echo: false } });
    expect(await curl(["--request", "DELETE", at("/v1/channels/curl.crud")])).toMatchObject({ status: 204, body: "" });
    expect(await curl([at("/v1/channels/curl.crud")])).toMatchObject({
      status: 404,
      json: { code: "channel_unknown" },
    });
  });

  test("publishes one event, an array, and a file of two megabytes", async (context) => {
    needsProgram(context, "curl");
    const events = at("/v1/channels/curl.publish/events");
    const one = await curl([events, ...JSON_TYPE, "--data", '{"type":"a","data":{"n":1}}']);
    expect(one).toMatchObject({ status: 200, json: { results: [{ sequence: 1, sinks: 0 }] } });
    const many = await curl([events, ...JSON_TYPE, "--data", '[{"type":"a"},{"type":"b"}]']);
    expect(many.json.results).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
    // curl waits for 100 Continue before it sends a body of this size.
    const large = JSON.stringify([1, 2].map(() => ({ type: "t", data: "x".repeat(1_000_000) })));
    const sent = await curl([events, ...JSON_TYPE, "--data-binary", "@-"], { input: large });
    expect(sent.json.results).toMatchObject([{ sequence: 4 }, { sequence: 5 }]);
  });

  test("sends a body in chunks, without saying how long it is", async (context) => {
    needsProgram(context, "curl");
    const chunked = [...JSON_TYPE, "--request", "POST", "--header", "transfer-encoding: chunked", "--upload-file", "-"];
    const answer = await curl([at("/v1/channels/curl.chunked/events"), ...chunked], { input: '{"type":"t"}' });
    expect(answer).toMatchObject({ status: 200, json: { results: [{ sequence: 1 }] } });
    const large = `{"type":"t","data":"${"x".repeat(3_000_000)}"}`;
    const refused = await curl([at("/v1/channels/curl.chunked/events"), ...chunked], { input: large }).catch(String);
    // Cut off in the middle of its upload, curl may see the reset before the answer; either way nothing was published.
    if (typeof refused !== "string") expect(refused).toMatchObject({ status: 413, json: { code: "body_too_large" } });
    const { json } = await curl([at("/v1/channels/curl.chunked")]);
    expect(json.sequence).toBe(1);
  });

  test("that forgets the content type is told which one is wanted", async (context) => {
    needsProgram(context, "curl");
    const answer = await curl([at("/v1/channels/curl.type/events"), "--data", '{"type":"t"}']);
    expect(answer).toMatchObject({ status: 415, json: { code: "media_type" } });
    expect(answer.json.value).toBe("application/x-www-form-urlencoded");
  });

  test("asks with HEAD and gets the headers of GET and no body", async (context) => {
    needsProgram(context, "curl");
    await curl(["--request", "PUT", at("/v1/channels/curl.head")]);
    const [head, get] = [
      await curl(["--head", at("/v1/channels/curl.head")]),
      await curl([at("/v1/channels/curl.head")]),
    ];
    expect(head).toMatchObject({ status: 200, body: "" });
    for (const name of ["etag", "content-type"]) expect(head.headers[name]).toBe(get.headers[name]);
    expect((await curl(["--head", at("/v1/channels/curl.none")])).status).toBe(404);
  });

  test("by another method is told which ones there are", async (context) => {
    needsProgram(context, "curl");
    const answer = await curl(["--request", "TRACE", at("/v1/channels/c")]);
    expect(answer).toMatchObject({ status: 405, json: { code: "method_not_allowed" } });
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) expect(answer.headers["allow"]).toContain(method);
  });

  test("speaks HTTP/1.0 and is answered", async (context) => {
    needsProgram(context, "curl");
    const answer = await curl([
      "--http1.0",
      at("/v1/channels/curl.old/events"),
      ...JSON_TYPE,
      "--data",
      '{"type":"t"}',
    ]);
    expect(answer).toMatchObject({ status: 200, json: { results: [{ sequence: 1 }] } });
  });

  test("keeps its connection for further requests", async (context) => {
    needsProgram(context, "curl");
    const urls = [1, 2, 3].map(() => at("/health/live"));
    const shown = ["--write-out", "%{num_connects} ", "--output", "/dev/null"];
    const args = ["--silent", "--show-error", ...urls.flatMap((url) => [...shown, url])];
    const { stdout } = await startProgram("curl", args, { input: "" }).finished;
    expect(stdout.trim().split(" ")).toEqual(["1", "0", "0"]);
  });

  test("offers to upgrade to HTTP/2 and is answered in HTTP/1.1", async (context) => {
    needsProgram(context, "curl");
    expect((await curl(["--http2", at("/health/live")])).status).toBe(200);
    const events = at("/v1/channels/curl.h2c/events");
    const published = await curl(["--http2", events, ...JSON_TYPE, "--data", '{"type":"t"}']);
    expect(published).toMatchObject({ status: 200, json: { results: [{ sequence: 1 }] } });
    expect((await curl(["--http2", at("/v1/socket")])).status).toBe(426);
  });

  test("asks for a path as it is, dots and all, and is led nowhere", async (context) => {
    needsProgram(context, "curl");
    for (const path of [
      "/v1/../../../etc/passwd",
      "/v1/channels/../../metrics/../x",
      "//v1/info",
      "/v1/channels/%2e%2e%2f",
    ])
      expect([404, 422]).toContain((await curl(["--path-as-is", at(path)])).status);
  });

  test("streams server-sent events, and asks with HEAD for what it would get", async (context) => {
    needsProgram(context, "curl");
    const events = at("/v1/channels/curl.stream/events");
    const accept = ["--header", "accept: text/event-stream"];
    const stream = curlStream([events, ...accept]);
    await stream.until("stdout", /content-type: text\/event-stream/i);
    await curl([events, ...JSON_TYPE, "--data", '[{"type":"a","data":{"n":1}},{"type":"b"}]']);
    await stream.until("stdout", /\nid: \S+\ndata: \{[^\n]*"n":1[^\n]*\}\n\nid: \S+\ndata: \{[^\n]*"type":"b"/);
    await stream.stop("SIGKILL");
    const head = await curl(["--head", events, ...accept]);
    expect(head).toMatchObject({
      status: 200,
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
    const wrong = await curl([`${events}?typ=a`, ...accept]);
    expect(wrong).toMatchObject({ status: 400, json: { code: "unknown_field", value: "query.typ" } });
  });

  test("polls an inbox, and waits for what comes", async (context) => {
    needsProgram(context, "curl");
    const made = await curl(["--request", "POST", at("/v1/inboxes"), ...JSON_TYPE, "--data", '{"idleMs":60000}']);
    expect(made.status).toBe(201);
    const inbox = at(made.headers["location"] ?? "");
    const joined = await curl([
      "--request",
      "PUT",
      `${inbox}/joins/curl.polled`,
      ...JSON_TYPE,
      "--data",
      '{"types":["a"]}',
    ]);
    expect([200, 201]).toContain(joined.status);
    expect(await curl([`${inbox}/events`])).toMatchObject({ status: 200, json: { data: [], next: null } });
    const waiting = curl([`${inbox}/events?waitMs=15000&max=1`]);
    const events = at("/v1/channels/curl.polled/events");
    await curl([events, ...JSON_TYPE, "--data", '[{"type":"b"},{"type":"a","data":"one"},{"type":"a","data":"two"}]']);
    expect((await waiting).json.data).toMatchObject([{ number: 1, channel: "curl.polled", event: { data: "one" } }]);
    expect((await curl([`${inbox}/events`])).json.data).toMatchObject([{ number: 2, event: { data: "two" } }]);
    expect((await curl(["--request", "DELETE", inbox])).status).toBe(204);
    expect((await curl([`${inbox}/events`])).status).toBe(404);
  });

  test("repeats a publish with its key and gets the same answer, once published", async (context) => {
    needsProgram(context, "curl");
    const events = at("/v1/channels/curl.repeated/events");
    const publish = [events, ...JSON_TYPE, "--header", "idempotency-key: curl-1", "--data", '{"type":"t"}'];
    const first = await curl([...publish, "--retry", "2"]);
    const again = await curl(publish);
    expect(again.json).toEqual(first.json);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect((await curl([at("/v1/channels/curl.repeated")])).json.sequence).toBe(1);
  });

  test("asks across origins as a page of this machine would, with a preflight", async (context) => {
    needsProgram(context, "curl");
    const origin = ["--header", "origin: http://localhost:8080"];
    const asked = ["--header", "access-control-request-method: PUT"];
    const preflight = await curl(["--request", "OPTIONS", at("/v1/channels/c"), ...origin, ...asked]);
    expect(preflight.headers["access-control-allow-origin"]).toBe("http://localhost:8080");
    expect(preflight.headers["access-control-allow-methods"]).toContain("PUT");
    const foreign = await curl([at("/v1/info"), "--header", "origin: https://evil.example"]);
    expect(foreign).toMatchObject({ status: 403, json: { code: "forbidden" } });
    const rebound = await curl([at("/v1/info"), "--header", "host: evil.example"]);
    expect(rebound).toMatchObject({ status: 403, json: { code: "forbidden" } });
  });
});
