/**
 * Breaks on the way: a proxy cuts connections under load, again and again. What is promised: nothing lost, nothing doubled, in
 * order, as long as the host keeps the session; and where it does not, that is said.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { delayOf } from "../../client/backoff.ts";
import type { ClientStatus } from "../../client/client.ts";
import { defaultDefinition } from "../../host/channel/definition.ts";
import { createBreaker } from "../clients/breaker.ts";
import { startHost } from "../host/support/host.ts";
import { open, take } from "./support.ts";

describe("a client whose connections break", () => {
  test("loses, doubles and reorders nothing, however often that happens under load", async () => {
    const { httpPort } = await startHost();
    const breaker = await createBreaker(`http://127.0.0.1:${httpPort}`);
    const client = await open(breaker.url);
    const channel = client.channel<number>("c");
    const stream = channel.subscribe({ window: { events: 256 }, inbox: { capacityEvents: 100_000 } });
    await stream.ready;
    const total = 6_000;
    const reading = take(stream, total);
    const receipts: Promise<unknown>[] = [];
    let cuts = 0;
    for (let n = 0; n < total; n++) {
      receipts.push(channel.publish({ type: "t", data: n }));
      if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (n % 300 === 299) {
        // At whatever moment that is: some of it is on its way, some answers are.
        breaker.cut();
        cuts++;
        await new Promise((resolve) => setTimeout(resolve, (n / 300) % 7));
      }
    }
    await Promise.all(receipts);
    expect((await reading).map(({ data }) => data)).toEqual(Array.from({ length: total }, (_, n) => n));
    expect(cuts).toBe(20);
    // A cut may find nothing to cut: the client waits before it comes again.
    expect(breaker.requests.length).toBeGreaterThan(3);
  });

  test("publishes without receipts as safely", async () => {
    const { httpPort, service } = await startHost();
    const breaker = await createBreaker(`http://127.0.0.1:${httpPort}`);
    const client = await open(breaker.url);
    const got: number[] = [];
    service.subscribe("c", {
      onEvents: (events) => got.push(...events.map(({ event }) => Number(new TextDecoder().decode(event.data)))),
    });
    const monitor = client.channel("c").monitor();
    for (let n = 0; n < 5_000; n++) {
      const room = monitor.add({ type: "t", data: n });
      if (room !== undefined) await room;
      if (n % 500 === 250) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        breaker.cut();
      }
    }
    await monitor.flush();
    await expect.poll(() => got.length).toBe(5_000);
    expect(got).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
  });

  test("says where a session could not go on, and goes on behind what it has where the channel stores", async () => {
    const { httpPort, service } = await startHost();
    const breaker = await createBreaker(`http://127.0.0.1:${httpPort}`);
    service.channels.put("stored", { ...defaultDefinition, store: { events: 100 } });
    const gaps: unknown[] = [];
    const statuses: ClientStatus[] = [];
    // Its sessions end with their connections.
    const client = await open(breaker.url, { lingerMs: 0, onStatus: (status) => statuses.push(status) });
    const options = { onGap: (gap: unknown) => gaps.push(gap) };
    const stored = client.channel<number>("stored").subscribe(options);
    const plain = client.channel<number>("plain").subscribe(options);
    await Promise.all([stored.ready, plain.ready]);
    // Whoever publishes has no breaks.
    const other = await open(httpPort);
    const publish = (data: number) =>
      Promise.all(["stored", "plain"].map((name) => other.channel(name).publish({ type: "t", data })));
    await publish(1);
    expect((await take(stored, 1)).map(({ data }) => data)).toEqual([1]);
    expect((await take(plain, 1)).map(({ data }) => data)).toEqual([1]);
    breaker.cut();
    await publish(2);
    expect((await take(stored, 1)).map(({ data }) => data)).toEqual([2]);
    await expect.poll(() => gaps).toEqual([{ channel: "plain", reason: expect.any(String) }]);
    await expect.poll(() => statuses.map(({ state }) => state)).toEqual(["connected", "reconnecting", "connected"]);
    expect(statuses.at(-1)).toMatchObject({ resumed: false });
  });

  test("gives up after so many attempts in a row, and tells everybody", async () => {
    const { httpPort } = await startHost();
    const breaker = await createBreaker(`http://127.0.0.1:${httpPort}`);
    const client = await open(breaker.url, { reconnect: { minMs: 1, maxMs: 2, attempts: 3 } });
    const reading = take(client.channel("c").subscribe(), 1);
    breaker.end();
    breaker.cut();
    await expect(reading).rejects.toMatchObject({ code: "unreachable" });
    expect(await client.closed).toMatchObject({ code: "unreachable" });
    await expect(client.channel("c").publish({ type: "t" })).rejects.toMatchObject({ code: "unreachable" });
  });
});

describe("a host that closes", () => {
  /** A host that greets nobody and closes with a code. */
  async function closing(code: number, reason: string): Promise<{ url: string; count: () => number }> {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    let count = 0;
    server.on("connection", (socket) => {
      count++;
      socket.close(code, reason);
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
      http.close();
    });
    return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, count: () => count };
  }

  test.each([
    [3000, "draining: The host is going away", "draining", true],
    [3500, "malformed: That was no frame", "malformed", false],
    [3999, "", "unreachable", false],
    [1008, "go away", "unreachable", false],
    [1001, "", "unreachable", true],
  ])("with %i: %s", async (code, reason, told, again) => {
    const host = await closing(code, reason);
    const reconnect = { minMs: 1, maxMs: 2, attempts: 2 };
    const error = await open(host.url, { reconnect, wait: true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: told });
    expect(host.count()).toBe(again ? 3 : 1);
  });

  test("is waited for as long as its drain says, with a fresh session after", async () => {
    const { httpPort, service } = await startHost({ drainRetryMs: 40 });
    const statuses: string[] = [];
    const client = await open(httpPort, { onStatus: ({ state }) => statuses.push(state) });
    const stream = client.channel("c").subscribe();
    await stream.ready;
    void service.drain();
    await expect.poll(() => statuses).toContain("reconnecting");
  });
});

describe("delayOf()", () => {
  const bounds = { minMs: 100, maxMs: 5_000, attempts: 10 };

  test.each([
    [0, 0, 100],
    [0, 1, 200],
    [3, 1, 1_600],
    [3, 0.5, 850],
    [10, 1, 5_000],
    [10_000, 1, 5_000],
    [10_000, 0, 100],
  ])("attempt %i with %d of luck waits %i ms", (attempt, random, delayMs) => {
    expect(delayOf(attempt, bounds, random)).toBe(delayMs);
  });
});
