/**
 * Goal: whoever opens connections and says nothing, little or far too much gets nothing but a refusal in time, and clients
 * that behave notice nothing of it. Method: a whole host with short limits; beside each flood a pair goes on talking.
 */
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectTo, type Reachable } from "../host/support/client.ts";
import { rawRequest } from "../host/support/request.ts";
import { until } from "../host/support/until.ts";
import { type HostileHost, serveForTest } from "./host.ts";

/** A connection that only the host ends. */
interface Raw {
  readonly socket: Socket;
  readonly text: string;
  readonly isOver: boolean;
}

function open(port: number): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    onTestFinished(() => void socket.destroy());
    const state = { socket, text: "", isOver: false };
    socket.on("data", (chunk) => {
      state.text += chunk.toString("latin1");
    });
    socket.on("error", reject);
    socket.on("close", () => {
      state.isOver = true;
    });
    socket.once("connect", () => resolve(state));
  });
}

/** A source and a sink beside a flood; gives what proves that they work. */
async function createPair(host: Reachable): Promise<() => Promise<void>> {
  const [source, sink] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
  await sink.join("pair");
  let said = 0;
  return async () => {
    said++;
    expect(await source.publish("pair", { type: "t" })).toMatchObject([{ sequence: said, sinks: 1 }]);
    await sink.received(said);
  };
}

const reachable = (host: HostileHost): Reachable => ({ httpPort: host.port, tcpPort: host.tcpPort });

describe("connections that say nothing", () => {
  test("are closed after handshakeMs, on both ports, a thousand of them", { timeout: 40_000 }, async () => {
    const host = await serveForTest({ options: { handshakeMs: 1_000 } });
    const talk = await createPair(reachable(host));
    const idle = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => open(at % 2 === 0 ? host.port : host.tcpPort)),
    );
    await talk();
    await until(
      () => idle.every(({ isOver }) => isOver),
      () => `the end of ${idle.filter(({ isOver }) => !isOver).length} connections`,
    );
    // HTTP is told in HTTP, a stream in a frame.
    for (const [at, { text }] of idle.entries())
      expect(text).toContain(at % 2 === 0 ? "HTTP/1.1 408" : "frame_timeout");
    await talk();
    expect(host.service.sessionCount).toBe(2);
  });
});

describe("requests that never end", () => {
  const beginnings = {
    "a head, header by header": { first: "GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\n", more: "X-A: b\r\n" },
    "a request line, letter by letter": { first: "GET /", more: "x" },
    "a body, byte by byte": {
      first:
        "POST /v1/channels/slow/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[",
      more: " ",
    },
    "a body in chunks of a byte": {
      first:
        "POST /v1/channels/slow/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
      more: "1\r\n \r\n",
    },
  };
  test.each(Object.entries(beginnings))(
    "%s: cut off, and others are served meanwhile",
    async (_name, { first, more }) => {
      const host = await serveForTest({ options: { handshakeMs: 400, requestMs: 800 } });
      const talk = await createPair(reachable(host));
      const slow = await Promise.all(Array.from({ length: 50 }, () => open(host.port)));
      for (const { socket } of slow) socket.write(first);
      const trickle = setInterval(() => {
        for (const { socket, isOver } of slow) if (!isOver && socket.writable) socket.write(more);
      }, 20);
      onTestFinished(() => clearInterval(trickle));
      await talk();
      await until(
        () => slow.every(({ isOver }) => isOver),
        () => `the end of ${slow.filter(({ isOver }) => !isOver).length} requests`,
      );
      for (const { text } of slow) expect(text).toMatch(/^(HTTP\/1\.1 408 |$)/);
      await talk();
      expect((await fetch(`${host.url}/v1/channels/slow`)).status).toBe(404);
    },
  );
});

describe("too much at once", () => {
  test("headers beyond 16 KiB, in one or in many, are refused", async () => {
    const host = await serveForTest();
    const head = "GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    expect((await rawRequest(host.port, `${head}X: ${"x".repeat(20_000)}\r\n\r\n`)).status).toBe(431);
    expect((await rawRequest(host.port, `${head}${"A: b\r\n".repeat(10_000)}\r\n`)).status).toBe(431);
    expect(
      (await rawRequest(host.port, `GET /v1/channels/${"x".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`)).status,
    ).toBe(431);
    expect((await fetch(`${host.url}/health/live`)).status).toBe(200);
  });

  test("two lengths, or a length and chunks, are no request: nothing is smuggled", async () => {
    const host = await serveForTest();
    const head = "POST /v1/channels/smuggled/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
    const inner = "PUT /v1/channels/inner HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    for (const fields of [
      `Content-Length: 2\r\nContent-Length: ${inner.length}\r\n`,
      `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n`,
      "Transfer-Encoding: chunked, identity\r\n",
      "Content-Length: +2\r\n",
      "Content-Length : 2\r\n",
    ]) {
      const { status } = await rawRequest(host.port, `${head}${fields}\r\n[]${inner}`);
      expect(status, fields).toBe(400);
    }
    expect((await fetch(`${host.url}/v1/channels/inner`)).status).toBe(404);
  });

  test("ten thousand requests in one segment are answered, all of them, while others are served", async () => {
    const host = await serveForTest();
    const talk = await createPair(reachable(host));
    const raw = await open(host.port);
    const answers = (): number => raw.text.split("HTTP/1.1 200 OK\r\n").length - 1;
    raw.socket.write("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(10_000));
    await talk();
    await until(
      () => answers() === 10_000 || raw.isOver,
      () => `10,000 answers; there were ${answers()}`,
    );
    expect(answers()).toBe(10_000);
    await talk();
  });
});
