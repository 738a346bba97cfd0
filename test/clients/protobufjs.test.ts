/**
 * Goal: the schemas alone are enough to talk to a host. Method: protobuf.js reads `schemas/` at run time and encodes and
 * decodes all frames; nothing of ours is used, over TCP and over a binary WebSocket.
 */
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";

const schemas = fileURLToPath(new URL("../../schemas/", import.meta.url));
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith(schemas) ? target : schemas + target);
root.loadSync(`${schemas}sluice/v1/frame.proto`);
const ClientFrame = root.lookupType("sluice.v1.ClientFrame");
const HostFrame = root.lookupType("sluice.v1.HostFrame");

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

/** A frame of the host as plain data: counters as numbers, bytes as base64, nothing for what is absent. */
// biome-ignore lint/suspicious/noExplicitAny: fields differ by kind; tests look at what they expect.
type Told = Record<string, any>;

interface Client {
  send(...frames: object[]): void;
  readonly told: Told[];
  /** The first frame of a kind. */
  take(kind: string): Promise<Told>;
}

function encode(frame: object): Uint8Array {
  const wrong = ClientFrame.verify(frame);
  if (wrong !== null) throw new Error(wrong);
  return ClientFrame.encodeDelimited(ClientFrame.create(frame)).finish();
}

function createClient(write: (bytes: Uint8Array) => void): Client & { hear(bytes: Uint8Array): number } {
  const told: Told[] = [];
  return {
    told,
    send: (...frames) => write(Buffer.concat(frames.map(encode))),
    hear(bytes) {
      const reader = protobuf.Reader.create(bytes);
      let whole = 0;
      while (reader.pos < reader.len) {
        try {
          const frame = HostFrame.decodeDelimited(reader);
          told.push(HostFrame.toObject(frame, { longs: Number, bytes: String }));
          whole = reader.pos;
        } catch (error) {
          // The rest of the last frame is still on its way.
          if (error instanceof RangeError) break;
          throw error;
        }
      }
      return whole;
    },
    async take(kind) {
      await until(
        () => told.some((frame) => kind in frame),
        () => `a ${kind} frame; there were ${JSON.stringify(told)}`,
      );
      return told.find((frame) => kind in frame)?.[kind];
    },
  };
}

async function openTcp(): Promise<Client> {
  const [name = "", port = ""] = host.tcp.split(":");
  const socket = connect(Number(port), name);
  onTestFinished(() => void socket.destroy());
  const client = createClient((bytes) => socket.write(bytes));
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    rest = rest.subarray(client.hear(rest));
  });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return client;
}

async function openWebSocket(): Promise<Client> {
  const socket = new WebSocket(`${host.url.replace("http", "ws")}/v1/socket`, "sluice.v1.proto");
  onTestFinished(() => socket.terminate());
  const client = createClient((bytes) => socket.send(bytes));
  socket.on("message", (data: Buffer) => expect(client.hear(data)).toBe(data.length));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return client;
}

describe.each([
  { name: "TCP", open: openTcp },
  { name: "WebSocket", open: openWebSocket },
])("protobuf.js over $name", ({ name, open }) => {
  const channel = `protobufjs.${name}`;

  test("greets, joins, publishes, gets its receipt and the event", async () => {
    const client = await open();
    client.send({ ref: 1, hello: { client: "protobuf.js" } }, { ref: 2, join: { channel, role: "both" } });
    expect(await client.take("welcome")).toMatchObject({ ref: 1, limits: { publishEvents: 4_096 } });
    const { channelNumber } = await client.take("joined");
    const data = new TextEncoder().encode('{"n":1}');
    const attributes = {
      load: { number: 0.5 },
      zone: { text: "eu" },
      urgent: { boolean: true },
      count: { integer: -7 },
    };
    client.send({
      ref: 3,
      publish: { channelNumber, events: [{ type: "a", key: "k", attributes, data }, { type: "b" }] },
    });
    const { results } = await client.take("receipt");
    expect(results).toMatchObject([{ sequence: 1, sinks: 1, hosts: 1 }, { sequence: 2 }]);
    await until(
      () => client.told.filter((frame) => "deliver" in frame).length === 2,
      () => `two deliveries; there were ${JSON.stringify(client.told)}`,
    );
    const events = client.told.flatMap((frame) => frame["deliver"]?.events ?? []);
    expect(events).toMatchObject([
      {
        channelNumber,
        sequence: 1,
        event: { type: "a", key: "k", attributes, data: Buffer.from(data).toString("base64") },
      },
      { channelNumber, sequence: 2, event: { type: "b", source: expect.stringMatching(/^\/protobuf\.js\/\d+$/) } },
    ]);
  });

  test("reads a problem, its value and its limit, and goes on", async () => {
    const client = await open();
    client.send({ ref: 9, publish: { channel, events: [{ type: "x".repeat(300) }] } });
    const { results } = await client.take("receipt");
    expect(results[0].problem).toMatchObject({ code: "type_too_long", limit: { numberValue: 256 } });
    client.send({ ref: 10, leave: { member: 4_711 } });
    expect(await client.take("problem")).toMatchObject({
      ref: 10,
      code: "member_unknown",
      value: { stringValue: "m4711" },
    });
    client.send({ ref: 11, ping: {} });
    expect(await client.take("pong")).toEqual({ ref: 11 });
  });
});
