/** Goal: the fast way answers as the app does, or leaves the request to it. Method: the same requests go both ways. */
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { definitionFromJson } from "../../../host/channel/definition.ts";
import { Clients } from "../../../host/clients.ts";
import { createAccess } from "../../../host/control/access.ts";
import type { PlainRequest } from "../../../host/control/fast-publish.ts";
import { ClientFrameSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../../../host/limits.ts";
import { jsonFromClientFrame } from "../../../host/socket/json/codec.ts";
import { propertyParameters } from "../../property/runs.ts";
import { clientFrame, mutated, mutations } from "../socket/json/arbitraries.ts";
import { createTestControl, type TestControl } from "./support.ts";

const path = "/v1/channels/c/events";

function plain(
  body: string,
  more: Record<string, string | undefined> = {},
  target = path,
  method = "POST",
): PlainRequest {
  const headers: Record<string, string | undefined> = {
    host: "localhost",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...more,
  };
  return { method, target, client: "127.0.0.1", header: (name) => headers[name] };
}

/** The answer of the fast way as that of the app is shown; undefined where it leaves the request alone. */
function fast({ app }: TestControl, body: string, more?: Record<string, string>, target?: string) {
  const request = plain(body, more, target);
  const bytes = app.fastPublish.bodyBytes(request);
  if (bytes < 0) return undefined;
  expect(bytes).toBe(Buffer.byteLength(body));
  const answer = app.fastPublish.answer(request, Buffer.from(body));
  if (answer === undefined) return undefined;
  const headers = new Headers();
  for (let at = 0; at < answer.headers.length; at += 2)
    headers.append(answer.headers[at] as string, answer.headers[at + 1] as string);
  return { status: answer.status, headers: Object.fromEntries(headers), text: answer.body };
}

/** The app's. */
async function slow({ ask }: TestControl, body: string, more: Record<string, string> = {}, target = path) {
  const { status, headers, text } = await ask("POST", target, body, more);
  return { status, headers: Object.fromEntries(headers), text };
}

describe("FastPublish", () => {
  test.each([
    ["one event", '{"type":"t","data":{"a":1}}', {}, path],
    ["an event with an id", '{"type":"t","id":"ä\\"1"}', {}, path],
    ["an array", '[{"type":"t"},{"type":"bad"}]', {}, path],
    ["nothing", "[]", {}, path],
    ["an event that the channel does not take", '{"type":"bad"}', {}, path],
    ["a request with an id", '{"type":"t"}', { "x-request-id": "mine" }, path],
    ["a request of a page", '{"type":"t"}', { origin: "http://localhost:5173" }, path],
    ["a page that may not", '{"type":"t"}', { origin: "https://evil.example" }, path],
    ["another name of the host", '{"type":"t"}', { host: "evil.example" }, path],
    ["a name with slashes", '{"type":"t"}', {}, "/v1/channels/a%2Fb%2fc/events"],
    [
      "the largest event but one byte",
      `{"type":"t","dataContentType":"text/x","data":"${"x".repeat(limits.eventBytes)}"}`,
      {},
      path,
    ],
  ])("answers %s as the app does", async (_name, body, headers, target) => {
    const make = () => {
      const control = createTestControl({ access: createAccess({ origins: [], loopback: true }) });
      control.service.channels.put("c", definitionFromJson({ types: ["t"] }));
      return control;
    };
    const quick = fast(make(), body, headers as Record<string, string>, target);
    expect(quick).toEqual(await slow(make(), body, headers as Record<string, string>, target));
  });

  test.each([
    ["another media type", { "content-type": "application/cloudevents+json" }],
    ["a charset", { "content-type": "application/json; charset=utf-16" }],
    ["an idempotency key", { "idempotency-key": "k" }],
    ["fields of CloudEvents", { "ce-id": "1" }],
    ["an encoding", { "content-encoding": "gzip" }],
    ["a body in chunks", { "content-length": undefined, "transfer-encoding": "chunked" }],
    ["a body that is too large", { "content-length": String(limits.bodyBytes + 1) }],
  ])("leaves a request with %s to the app", (_name, headers) => {
    const { app } = createTestControl();
    expect(app.fastPublish.bodyBytes(plain('{"type":"t"}', headers))).toBe(-1);
  });

  test.each([
    `${path}?receipt=linked`,
    "/v1/channels/c/members",
    "/v1/channels/%63/events",
    "/v1/channels/../events",
    "/v1/channels/-c/events",
    "/v1/channels/a/b/events",
    "http://localhost/v1/channels/c/events",
  ])("leaves %s to the app", (target) => {
    const { app } = createTestControl();
    expect(app.fastPublish.bodyBytes(plain('{"type":"t"}', {}, target))).toBe(-1);
    expect(app.fastPublish.bodyBytes(plain('{"type":"t"}', {}, path, "PUT"))).toBe(-1);
  });

  test("leaves bodies that are not plainly events to the app, without having counted the request", async () => {
    const control = createTestControl();
    for (const body of ["{", '{"type":"t","colour":1}', '{"type":""}', "5", ""])
      expect(fast(control, body)).toBeUndefined();
    const metrics = await control.ask("GET", "/metrics");
    expect(metrics.text).not.toContain("sluice_http_answers_total{");
  });

  test("answers damaged bodies as the app does, or leaves them to it", async () => {
    const [one, other] = [createTestControl(), createTestControl()];
    await fc.assert(
      fc.asyncProperty(clientFrame("publish"), mutations, fc.boolean(), async (init, changes, damaged) => {
        const { publish } = JSON.parse(jsonFromClientFrame(create(ClientFrameSchema, init)));
        const text = JSON.stringify(publish.events.length === 1 ? publish.events[0] : publish.events);
        const body = damaged ? mutated(text, changes) : text;
        const request = { "x-request-id": "r" };
        const want = await slow(other, body, request);
        expect(fast(one, body, request) ?? (await slow(one, body, request))).toEqual(want);
      }),
      propertyParameters(100),
    );
  });

  test("counts its answers, and what a client may ask", async () => {
    const made = createTestControl();
    const clients = new Clients({ connections: 0, requests: 2 }, made.clock);
    const control = createTestControl({ clients });
    const statuses = [1, 2, 3].map(() => fast(control, '{"type":"t"}')?.status);
    expect(statuses).toEqual([200, 200, 429]);
    control.clock.advance(10_000);
    expect((await control.ask("GET", "/metrics")).text).toMatch(/sluice_http_answers_total\{status="200"\} 2/);
  });

  test("refuses while the host drains, and tells faults of the host as such", () => {
    const control = createTestControl();
    control.service.draining = true;
    expect(fast(control, '{"type":"t"}')).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    const broken = createTestControl();
    Object.assign(broken.service, {
      publishEncoded() {
        throw new Error("secret");
      },
    });
    const answer = fast(broken, '{"type":"t"}');
    expect(answer?.status).toBe(500);
    expect(answer?.text).not.toContain("secret");
    expect(broken.controlLog).toHaveLength(1);
  });
});
