/**
 * Server-sent events over real sockets: GET /v1/channels/{channel}/events of whole hosts.
 */
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost, ServeOptions } from "../../../host/runtime/open-host.ts";
import { openStream } from "../support/event-stream.ts";
import { until } from "../support/until.ts";

const PATH = "/v1/channels/c/events";

async function serve(options: ServeOptions = {}): Promise<ServedHost> {
  const host = await serveHost({ listen: "127.0.0.1:0", tcp: null, onFatal: () => {}, ...options });
  onTestFinished(() => host.close());
  return host;
}

async function publish(host: ServedHost, ...events: object[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(host.url + PATH, { method: "POST", headers, body: JSON.stringify(events) });
  expect(answer.ok).toBe(true);
}

/** A connection on which a test writes what it likes. */
function raw(host: ServedHost): { socket: Socket; text(): string } {
  const socket = connect(Number(new URL(host.url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", () => {});
  return { socket, text: () => text };
}

const typeOf = ({ data }: { data: string }): string => JSON.parse(data).type;
const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`;
const ASK = get(PATH, "Accept: text/event-stream\r\n");

describe("GET /v1/channels/{channel}/events", () => {
  test("answers with a header of its own and a body that ends with the connection", async () => {
    const host = await serve();
    const stream = await openStream(host.url + PATH, { origin: "http://localhost:3000", "x-request-id": "r-1" });
    expect(stream.response.statusCode).toBe(200);
    const { headers } = stream.response;
    expect(headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      "x-request-id": "r-1",
      "access-control-allow-origin": "http://localhost:3000",
      connection: "close",
    });
    expect(headers).not.toHaveProperty("sluice-recovered");
    expect(headers).not.toHaveProperty("transfer-encoding");
  });

  test("is answered alike to clients that accept anything, as curl does", async () => {
    const host = await serve();
    const stream = await openStream(host.url + PATH, { accept: "*/*" });
    expect(stream.response.headers).toMatchObject({ "content-type": "text/event-stream", connection: "close" });
    await publish(host, { type: "a" });
    expect((await stream.received(1)).map(typeOf)).toEqual(["a"]);
  });

  test("tells all its clients the same, the largest event included", async () => {
    const host = await serve();
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(host.url + PATH)));
    await publish(host, { type: "a", data: { n: 1 } }, { type: "b" });
    await publish(host, { type: "large", data: "x".repeat(1_000_000) });
    for (const stream of streams) expect((await stream.received(3)).map(typeOf)).toEqual(["a", "b", "large"]);
    expect(new Set(streams.map((stream) => stream.text().length)).size).toBe(1);
  });

  test("a client that comes back with its last event id goes on where it was", async () => {
    const host = await serve();
    await fetch(`${host.url}/v1/channels/c`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: '{"store":{"events":100}}',
    });
    const first = await openStream(host.url + PATH);
    await publish(host, { type: "a" });
    await first.received(1);
    first.leave();
    await publish(host, { type: "b" }, { type: "c" });
    const second = await openStream(host.url + PATH, { "last-event-id": first.id });
    expect(second.response.headers["sluice-recovered"]).toBe("true");
    await publish(host, { type: "d" });
    expect((await second.received(3)).map(typeOf)).toEqual(["b", "c", "d"]);
  });

  test("a last event id of any bytes is a gap and no refusal", async () => {
    const host = await serve();
    for (const id of ["\u00ff\u00fe", "%00", "a".repeat(4_000), "  ", "0"]) {
      const stream = await openStream(host.url + PATH, { "last-event-id": id });
      expect(stream.response.statusCode).toBe(200);
      expect(await stream.received(1)).toMatchObject([{ event: "gap" }]);
      stream.leave();
    }
  });

  test("a client that goes is a session less", async () => {
    const host = await serve();
    const streams = await Promise.all(Array.from({ length: 10 }, () => openStream(host.url + PATH)));
    expect(host.service.sessionCount).toBe(10);
    for (const stream of streams) stream.leave();
    await until(
      () => host.service.sessionCount === 0,
      () => `the sessions to end; there are ${host.service.sessionCount}`,
    );
    expect(host.service.channels.get("c")?.sinks()).toBe(0);
  });

  test("a client that goes before it was answered leaves no session", async () => {
    const host = await serve();
    for (let count = 0; count < 20; count += 1) {
      const { socket } = raw(host);
      socket.write(ASK, () => socket.resetAndDestroy());
    }
    await publish(host, { type: "a" });
    await until(
      () => host.service.sessionCount === 0,
      () => `the sessions to end; there are ${host.service.sessionCount}`,
    );
  });

  test("the end of the channel is told, and the connection ends", async () => {
    const host = await serve();
    const stream = await openStream(host.url + PATH);
    await publish(host, { type: "a" });
    await fetch(`${host.url}/v1/channels/c`, { method: "DELETE" });
    await stream.ended();
    expect(stream.events.map(({ event }) => event)).toEqual(["message", "left"]);
  });

  test("a drain is told with the time to come back, and the connection ends", async () => {
    const host = await serve({ options: { drainRetryMs: 1_234 } });
    const stream = await openStream(host.url + PATH);
    await host.drain();
    await stream.ended();
    expect(stream.events).toMatchObject([{ event: "drain", data: '{"retryMs":1234}' }]);
    expect(stream.retryMs).toBe(1_234);
  });

  test("a restart of the core is told, and the connection ends", async () => {
    const host = await serve();
    const stream = await openStream(host.url + PATH);
    await publish(host, { type: "a" });
    await stream.received(1);
    host.service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    await stream.ended();
    expect(stream.events.map(({ event }) => event)).toEqual(["message", "drain", "problem"]);
    expect(JSON.parse(stream.events[2]?.data ?? "")).toMatchObject({ code: "core_restarted" });
    const back = await openStream(host.url + PATH, { "last-event-id": stream.id });
    expect(back.response.headers["sluice-recovered"]).toBe("false");
    expect(JSON.parse((await back.received(1))[0]?.data ?? "")).toMatchObject({ reason: "restarted" });
  });
});

describe("a client that does not read", () => {
  test("gets everything in order once it does", async () => {
    const host = await serve();
    const stream = await openStream(host.url + PATH);
    stream.response.pause();
    const events = Array.from({ length: 100 }, () => ({ type: "a", data: "x".repeat(10_000) }));
    for (let count = 0; count < 10; count += 1) await publish(host, ...events);
    expect(stream.events.length).toBeLessThan(1_000);
    stream.response.resume();
    const received = await stream.received(1_000);
    expect(received.map(({ data }) => Number.parseInt(JSON.parse(data).id.split("-")[3], 36))).toEqual(
      Array.from({ length: 1_000 }, (_, index) => index + 1),
    );
  });

  test("is closed after stallMs, and nobody else notices", async () => {
    const host = await serve({ options: { stallMs: 400 } });
    const { socket } = raw(host);
    socket.pause();
    socket.write(ASK);
    const other = await openStream(host.url + PATH);
    await until(
      () => host.service.sessionCount === 2,
      () => "two sessions",
    );
    const events = Array.from({ length: 64 }, () => ({ type: "a", data: "x".repeat(20_000) }));
    for (let count = 0; count < 10; count += 1) await publish(host, ...events);
    await other.received(640);
    await until(
      () => host.service.sessionCount === 1,
      () => "the silent one to be closed",
    );
    await publish(host, { type: "b" });
    expect(typeOf((await other.received(641))[640] as { data: string })).toBe("b");
  });
});

describe("other requests on the connection", () => {
  test("a subscription behind a request that is not answered yet waits for its turn", async () => {
    const host = await serve();
    const { socket, text } = raw(host);
    socket.write(get("/v1/info") + ASK);
    await until(
      () => text().includes("text/event-stream"),
      () => `both answers; there came ${text()}`,
    );
    await publish(host, { type: "a" });
    await until(
      () => text().includes('"type":"a"'),
      () => `the event; there came ${text()}`,
    );
    expect(text().indexOf('"host"')).toBeLessThan(text().indexOf("text/event-stream"));
  });

  test("a request behind a subscription is not answered into it", async () => {
    const host = await serve();
    const { socket, text } = raw(host);
    socket.write(ASK + get("/v1/info"));
    await until(
      () => text().includes("retry:"),
      () => `the stream; there came ${text()}`,
    );
    socket.write(get("/v1/info"));
    await publish(host, { type: "a" });
    await until(
      () => text().includes('"type":"a"'),
      () => `the event; there came ${text()}`,
    );
    expect(text().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test("a refused subscription leaves the connection as it was", async () => {
    const host = await serve();
    const { socket, text } = raw(host);
    socket.write(get(`${PATH}?nosuch=1`, "Accept: text/event-stream\r\n"));
    await until(
      () => text().includes("unknown_field"),
      () => `the refusal; there came ${text()}`,
    );
    socket.write(ASK);
    await until(
      () => text().includes("retry:"),
      () => `the stream; there came ${text()}`,
    );
    expect(host.service.sessionCount).toBe(1);
  });
});
