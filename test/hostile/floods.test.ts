/**
 * Goal: whoever opens connections and says nothing, little or far too much gets nothing but a refusal in time, and clients
 * that behave notice nothing of it. Method: a whole host with short limits; beside each flood a pair goes on talking.
 */
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../host/limits.ts";
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

describe("answers that are not read", () => {
  test("end their connection after stallMs; idle connections and polls stay", async () => {
    const host = await serveForTest({ options: { stallMs: 500 } });
    const talk = await createPair(reachable(host));
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${host.url}/v1/inboxes`, { method: "POST", headers, body: "{}" });
    const polling = fetch(`${host.url}${made.headers.get("location")}/events?waitMs=2000`).then(({ status }) => status);
    const unread = await Promise.all(Array.from({ length: 20 }, () => open(host.port)));
    for (const { socket } of unread) {
      socket.pause();
      socket.write("GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(60));
    }
    await talk();
    // A reader that has stopped hears of the end by what it writes.
    const left = (): number => unread.filter(({ isOver, socket }) => !isOver && socket.write("G")).length;
    expect(unread.some(({ isOver }) => isOver)).toBe(false);
    await until(
      () => left() === 0 && unread.every(({ isOver }) => isOver),
      () => `the end of ${unread.filter(({ isOver }) => !isOver).length} connections`,
    );
    expect(await polling).toBe(200);
    await talk();
  });
});

describe("bodies that are held back", () => {
  test("take no more than their share together: further large ones are refused, small ones are taken", async () => {
    const host = await serveForTest();
    const talk = await createPair(reachable(host));
    const head = (length: string): string =>
      `POST /v1/channels/held/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${length}\r\n\r\n`;
    const share = Math.floor(limits.bodiesBytes / limits.bodyBytes);
    const held = await Promise.all(Array.from({ length: share + 10 }, () => open(host.port)));
    for (const [at, { socket }] of held.entries())
      socket.write(
        `${head(at % 2 === 0 ? `Content-Length: ${limits.bodyBytes}` : "Transfer-Encoding: chunked")}1\r\n[`,
      );
    await until(
      () => held.filter(({ text }) => text.startsWith("HTTP/1.1 429 ")).length === 10,
      () => `10 refusals; there were ${held.filter(({ text }) => text !== "").length}`,
    );
    expect(held.find(({ text }) => text !== "")?.text).toContain('"code":"rate_limited"');
    await talk();
    expect((await fetch(`${host.url}/v1/channels/small`, { method: "PUT" })).status).toBe(201);
    for (const { socket } of held) socket.destroy();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify([{ type: "t", data: "x".repeat(1_000_000) }]);
    const again = (): Promise<number> =>
      fetch(`${host.url}/v1/channels/held/events`, { method: "POST", headers, body }).then(({ status }) => status);
    await expect.poll(again).toBe(200);
  });
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

  test("fifty requests in one segment are answered in their order, while others are served", async () => {
    const host = await serveForTest();
    const talk = await createPair(reachable(host));
    const raw = await open(host.port);
    const ids = Array.from({ length: 50 }, (_, index) => `r-${index}`);
    const ask = (id: string, at: number): string =>
      at % 5 === 4
        ? `POST /v1/channels/ahead/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: ${id}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"type":"t"}`
        : `GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: ${id}\r\n\r\n`;
    raw.socket.write(ids.map(ask).join(""));
    await talk();
    const answered = (): string[] => Array.from(raw.text.matchAll(/x-request-id: (r-\d+)/gi), ([, id = ""]) => id);
    await until(
      () => answered().length === 50 || raw.isOver,
      () => `50 answers; there were ${answered().length}`,
    );
    expect(answered()).toEqual(ids);
    expect((await fetch(`${host.url}/v1/channels/ahead`).then((answer) => answer.json())).sequence).toBe(10);
  });

  test("ten thousand requests for large answers in one segment are cut off before they fill the memory", async () => {
    const host = await serveForTest();
    const talk = await createPair(reachable(host));
    const before = process.memoryUsage().rss;
    const floods = await Promise.all(Array.from({ length: 20 }, () => open(host.port)));
    for (const { socket } of floods) {
      socket.pause();
      socket.write("GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(10_000));
    }
    await talk();
    await until(
      () => floods.every(({ isOver, socket }) => isOver || !socket.write("G")) && floods.every(({ isOver }) => isOver),
      () => `the end of ${floods.filter(({ isOver }) => !isOver).length} connections`,
    );
    // Without a bound: twenty times seventy megabytes.
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
    await talk();
  });
});
