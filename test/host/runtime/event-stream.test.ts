/**
 * Server-sent events over real sockets: GET /v1/channels/{channel}/events of a whole host.
 */
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost, ServeOptions } from "../../../host/runtime/open-host.ts";
import { openStream } from "../support/event-stream.ts";
import { until } from "../support/until.ts";

async function serve(options: ServeOptions = {}): Promise<ServedHost> {
  const host = await serveHost({ listen: "127.0.0.1:0", tcp: null, onFatal: () => {}, ...options });
  onTestFinished(() => host.close());
  return host;
}

async function send(host: ServedHost, method: string, path: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${host.url}/v1/channels/${path}`, { method, headers, body: JSON.stringify(body) });
  expect(answer.ok).toBe(true);
  return answer;
}

const publish = (host: ServedHost, ...events: object[]) => send(host, "POST", "c/events", events);

describe("GET /v1/channels/{channel}/events", () => {
  test("tells of events as they come, each on one line, with a position", async () => {
    const host = await serve();
    const stream = await openStream(`${host.url}/v1/channels/c/events`);
    expect(stream.response.statusCode).toBe(200);
    expect(stream.response.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
    expect(stream.response.headers).not.toHaveProperty("sluice-recovered");
    await publish(host, { type: "a", data: { n: 1 } }, { type: "b" });
    const [a, b] = await stream.received(2);
    expect(a).toMatchObject({ event: "message", id: expect.stringMatching(/^[\w-]+$/) });
    expect(JSON.parse(a?.data ?? "")).toMatchObject({ type: "a", data: { n: 1 }, id: expect.any(String) });
    expect(JSON.parse(b?.data ?? "")).toMatchObject({ type: "b" });
    expect(a?.id).not.toBe(b?.id);
    expect(stream.retryMs).toBe(1_000);
  });
});
void connect;
void until;
