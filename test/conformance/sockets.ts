/** WebSocket and TCP: the same events over every carrier, whatever becomes of the connections. */
import { connect } from "node:net";
import { expect, onTestFinished } from "vitest";
import { encodeFrame } from "../core-wasm/frames.ts";
import { sizeDelimited } from "../core-wasm/wire.ts";
import { carriers, connectTo } from "../host/support/client.ts";
import { rawRequest } from "../host/support/request.ts";
import { until } from "../host/support/until.ts";
import type { Suite } from "./suite.ts";

/** Adds the tests. */
export function addSocketTests({ host, check }: Suite): void {
  check("events cross from every carrier to every carrier, whole and in order", async () => {
    const clients = await Promise.all(carriers.map((carrier) => connectTo(host(), carrier)));
    for (const client of clients) await client.join("sockets.cross", { role: "both" });
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 900_000];
    let count = 0;
    for (const client of clients) {
      for (const size of sizes) {
        const [result] = await client.publish("sockets.cross", {
          type: "t",
          data: { n: count, text: "é".repeat(size / 2) },
        });
        expect(result).toMatchObject({ sequence: ++count, sinks: clients.length });
      }
    }
    for (const client of clients) {
      const received = await client.received(count);
      expect(received.map(({ sequence }) => sequence)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      for (const [index, { data }] of received.entries())
        expect(JSON.parse(data)).toEqual({ n: index, text: "é".repeat((sizes[index % sizes.length] as number) / 2) });
    }
  });

  check(
    "a burst of 20,000 events arrives complete on every carrier",
    async () => {
      const sinks = await Promise.all(carriers.map((carrier) => connectTo(host(), carrier)));
      for (const sink of sinks) await sink.join("sockets.burst");
      const source = await connectTo(host(), "tcp");
      const events = Array.from({ length: 500 }, (_, n) => ({ type: "t", data: { n } }));
      for (let round = 1; round <= 40; round++) {
        await source.publish("sockets.burst", ...events);
        // Within what an inbox takes, so that nothing may be lost.
        for (const sink of sinks) await sink.received(round * events.length);
      }
      for (const { events: received } of sinks)
        expect(received.every(({ sequence }, index) => sequence === index + 1)).toBe(true);
    },
    60_000,
  );

  check("a WebSocket is refused with the status that says why", async () => {
    const upgrade = (fields: Record<string, string>, target = "/v1/socket"): string => {
      const headers = {
        Host: "127.0.0.1",
        Upgrade: "websocket",
        Connection: "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "sluice.v1.json",
        ...fields,
      };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
    };
    const statusOf = async (text: string): Promise<number> => (await rawRequest(host().httpPort, text)).status;
    expect(await statusOf(upgrade({ "Sec-WebSocket-Version": "12" }))).toBe(426);
    expect(await statusOf(upgrade({ "Sec-WebSocket-Protocol": "chat" }))).toBe(400);
    expect(await statusOf(upgrade({ Origin: "https://evil.example" }))).toBe(403);
    expect(await statusOf(upgrade({}, "/v1/sockets"))).toBe(404);
    expect(await statusOf("GET /v1/socket HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).toBe(426);
    // Frames that come with the request are not lost; the example of RFC 6455 §1.3 rules the answer.
    const ping = Buffer.from([0x81, 0x80 | 11, 0, 0, 0, 0, ...Buffer.from('{"ping":{}}')]);
    const answer = await rawRequest(host().httpPort, Buffer.concat([Buffer.from(upgrade({})), ping]));
    expect(answer.status).toBe(101);
    expect(answer.headers["sec-websocket-accept"]).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  check("a WebSocket that is closed politely hears the close, one that speaks nonsense is told so", async () => {
    const polite = await connectTo(host(), "ws-json");
    polite.end();
    expect((await polite.closed).code).toBe(1005);
    const rude = await connectTo(host(), "ws-json");
    rude.sendRaw("{");
    expect((await rude.take("problem")).code).toMatch(/^[a-z_]+$/);
  });

  check("a TCP client that has sent its last hears its receipts before the end", async () => {
    const socket = connect({ port: host().tcpPort, host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    const value = { channel: "sockets.half", events: [{ type: "t" }] };
    socket.end(sizeDelimited(encodeFrame({ ref: 7, kind: { case: "publish", value } })));
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part);
    expect(Buffer.concat(parts).length).toBeGreaterThan(4);
  });

  check("connections that are reset or dropped are forgotten, and clients come back", async () => {
    const before = await host().metric("sluice_sessions");
    for (const carrier of carriers) {
      for (const abrupt of [true, false]) {
        const client = await connectTo(host(), carrier);
        await client.join("sockets.back");
        client.end(abrupt);
        await client.closed;
      }
    }
    const sessions = await settled(() => host().metric("sluice_sessions"), before);
    expect(sessions).toBe(before);
    const again = await connectTo(host(), "ws-proto");
    await again.join("sockets.back", { role: "both" });
    expect(await again.publish("sockets.back", { type: "t" })).toMatchObject([{ sinks: 1 }]);
  });

  for (const carrier of carriers) {
    check(
      `${carrier}: a sink that does not read loses what its inbox cannot take, a live one nothing`,
      async () => {
        const channel = `sockets.slow.${carrier}`;
        const [stalled, live, source] = await Promise.all([
          connectTo(host(), carrier),
          connectTo(host(), "tcp"),
          connectTo(host(), "tcp"),
        ]);
        stalled.send({ ref: 1, inbox: { capacityEvents: 1_000 } });
        await stalled.take("receipt", 1);
        await stalled.join(channel);
        await live.join(channel);
        stalled.pause();
        const rounds = 40;
        const events = Array.from({ length: 500 }, () => ({ type: "t", data: "x".repeat(1_000) }));
        for (let round = 1; round <= rounds; round++) {
          await source.publish(channel, ...events);
          await live.received(round * events.length);
        }
        const total = rounds * events.length;
        stalled.resume();
        await until(
          () => stalled.events.at(-1)?.sequence === total,
          () => `the last event; there were ${stalled.events.length}`,
        );
        const lost = stalled.told
          .filter(({ kind }) => kind === "dropped")
          .reduce((sum, { value }) => sum + value.count, 0);
        // 20 MB were published; the system's buffers and the inbox hold a part of it, the host must not hold the rest.
        expect(lost).toBeGreaterThan(total / 4);
        expect(stalled.events.length + lost).toBe(total);
      },
      60_000,
    );
  }
}

/** Reads until the value is what is wanted or ten seconds are over. */
async function settled(read: () => Promise<number>, want: number): Promise<number> {
  const deadline = performance.now() + 10_000;
  let value = await read();
  while (value !== want && performance.now() < deadline) value = await read();
  return value;
}
