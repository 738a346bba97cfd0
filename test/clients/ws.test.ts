/**
 * `ws`, the usual WebSocket client of Node, as anybody would use it: JSON, no code of ours.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

// biome-ignore lint/suspicious/noExplicitAny: fields differ by kind; tests look at what they expect.
type Frame = Record<string, any>;

interface Opened {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  say(frame: object): void;
  take(kind: string): Promise<Frame>;
  events(count: number): Promise<Frame[]>;
}

async function open(protocols: string | string[] = "sluice.v1.json", options: ClientOptions = {}): Promise<Opened> {
  const socket = new WebSocket(`${host.url.replace("http", "ws")}/v1/socket`, protocols, options);
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data))));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const deliveries = (): Frame[] => frames.flatMap((frame) => frame["deliver"]?.events ?? []);
  return {
    socket,
    frames,
    say: (frame) => socket.send(JSON.stringify(frame)),
    async take(kind) {
      await until(
        () => frames.some((frame) => kind in frame),
        () => `a ${kind} frame; there were ${JSON.stringify(frames)}`,
      );
      return frames.find((frame) => kind in frame)?.[kind];
    },
    async events(count) {
      await until(
        () => deliveries().length >= count,
        () => `${count} events; there were ${deliveries().length}`,
      );
      return deliveries();
    },
  };
}

describe("ws", () => {
  test("joins, publishes, is delivered to, updates, leaves", async () => {
    const client = await open();
    client.say({ ref: 1, join: { channel: "ws.all", role: "both", attributes: { load: 0.5 } } });
    const { member } = await client.take("joined");
    client.say({ ref: 2, publish: { channel: "ws.all", events: [{ type: "t", data: { n: 1 } }, { type: "t" }] } });
    expect((await client.take("receipt")).results).toMatchObject([{ sequence: 1, sinks: 1 }, { sequence: 2 }]);
    expect(await client.events(2)).toMatchObject([
      { number: 1, channel: "ws.all", member, sequence: 1, event: { type: "t", data: { n: 1 } } },
      { number: 2, sequence: 2 },
    ]);
    client.say({ update: { member, attributes: { load: 0.9, zone: "eu" } } });
    client.say({ ref: 3, leave: { member } });
    expect(await client.take("left")).toMatchObject({ ref: 3, member, reason: "left" });
  });

  test("chooses the protocol it names first, and is told which it is", async () => {
    const json = await open(["sluice.v1.json", "sluice.v1.proto"]);
    expect(json.socket.protocol).toBe("sluice.v1.json");
    const withToken = await open(["bearer.c2VjcmV0", "sluice.v1.json"]);
    expect(withToken.socket.protocol).toBe("sluice.v1.json");
  });

  test("pings and is answered with the same bytes", async () => {
    const { socket } = await open();
    const pong = new Promise((resolve) => socket.once("pong", (data) => resolve(String(data))));
    socket.ping("are you there?");
    expect(await pong).toBe("are you there?");
  });

  test("sends a message in fragments", async () => {
    const client = await open();
    const text = JSON.stringify({ ref: 1, join: { channel: "ws.fragments" } });
    for (let at = 0; at < text.length; at += 9)
      client.socket.send(text.slice(at, at + 9), { fin: at + 9 >= text.length });
    expect(await client.take("joined")).toMatchObject({ channel: "ws.fragments" });
  });

  test("gets an event of a megabyte as it was sent", async () => {
    const client = await open();
    client.say({ ref: 1, join: { channel: "ws.large", role: "both" } });
    await client.take("joined");
    const data = "0123456789".repeat(100_000);
    client.say({ publish: { channel: "ws.large", events: [{ type: "t", data }] } });
    expect((await client.events(1))[0]?.["event"].data).toBe(data);
  });

  test("gets what was published over HTTP, in order, 5,000 events", async () => {
    const client = await open();
    client.say({ ref: 1, join: { channel: "ws.many" } });
    await client.take("joined");
    for (let from = 0; from < 5_000; from += 1_000) {
      const events = Array.from({ length: 1_000 }, (_, index) => ({ type: "t", data: from + index }));
      const answer = await fetch(`${host.url}/v1/channels/ws.many/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(events),
      });
      expect(answer.status).toBe(200);
    }
    const events = await client.events(5_000);
    expect(events.map(({ event }) => event.data)).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    expect(events.map(({ number }) => number)).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
  });

  test("that says something wrong is told what and where, and goes on", async () => {
    const client = await open();
    client.say({ ref: 5, join: { channel: "ws.wrong", colour: "red" } });
    expect(await client.take("problem")).toMatchObject({ ref: 5, code: "unknown_field", value: "join.colour" });
    client.say({ ref: 6, ping: {} });
    expect(await client.take("pong")).toEqual({ ref: 6 });
  });

  test("closes and is answered with its own code", async () => {
    const { socket } = await open();
    const closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
    socket.close(4_001, "enough");
    expect(await closed).toBe(4_001);
  });

  test("is not compressed, whatever it offers", async () => {
    const { socket } = await open("sluice.v1.json", { perMessageDeflate: true });
    expect(socket.extensions).toBe("");
  });
});
