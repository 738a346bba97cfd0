/**
 * Peers that read slowly or oddly, over real sockets: they cost what their own inbox allows, and nobody else anything.
 */
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";

describe("a sink that does not read", () => {
  test.each(carriers)(
    "%s: keeps what its inbox takes, is told what it lost, and a live one gets everything",
    async (carrier) => {
      const host = await startHost();
      const [stalled, live, source] = await Promise.all([
        connectTo(host, carrier),
        connectTo(host, "tcp"),
        connectTo(host, "tcp"),
      ]);
      stalled.send({ ref: 1, inbox: { capacityEvents: 1_000 } });
      await stalled.take("receipt", 1);
      await stalled.join("c");
      await live.join("c");
      const { number } = host.service.channels.get("c") ?? { number: 0 };
      stalled.pause();
      const events = Array.from({ length: 500 }, () => ({ type: "t", data: new Uint8Array(1_000).fill(0x78) }));
      const value = { channel: "c", events: events.map((event) => ({ ...event, dataContentType: "text/plain" })) };
      const publish = sizeDelimited(encodeFrame({ kind: { case: "publish", value } }));
      const rounds = 60;
      for (let round = 1; round <= rounds; round++) {
        source.sendRaw(publish);
        await live.received(round * 500);
      }
      // 30 MB were published: more than the buffers of the system take, and the rest waits in the inbox or is gone.
      const { droppedOverflowTotal = 0, slotsHeld = 0 } = host.service.statistics();
      expect(droppedOverflowTotal).toBeGreaterThan(0);
      expect(slotsHeld).toBeLessThanOrEqual(1);
      expect(host.service.channels.byNumber(number)?.sequence()).toBe(rounds * 500);
      stalled.resume();
      const dropped = await stalled.take("dropped");
      expect(dropped).toMatchObject({ reason: "overflow" });
      await until(
        () => stalled.events.at(-1)?.sequence === rounds * 500,
        () => `the last event; there were ${stalled.events.length}`,
      );
      const told = stalled.told
        .filter(({ kind }) => kind === "dropped")
        .reduce((sum, { value }) => sum + value.count, 0);
      expect(stalled.events.length + told).toBe(rounds * 500);
      const sequences = stalled.events.map(({ sequence }) => sequence);
      expect(sequences).toEqual([...sequences].sort((one, other) => one - other));
    },
    60_000,
  );
});

describe("a WebSocket client of somebody else", () => {
  const open = (port: number, protocol: string): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, [protocol]);
      socket.on("open", () => resolve(socket));
      socket.on("error", reject);
    });

  test("may cut a message into fragments, with pings in between", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "tcp");
    await sink.join("c");
    const socket = await open(host.httpPort, "sluice.v1.json");
    const heard: string[] = [];
    socket.on("message", (data) => heard.push(data.toString()));
    let pongs = 0;
    socket.on("pong", () => pongs++);
    const text = JSON.stringify({
      ref: 1,
      publish: { channel: "c", events: [{ type: "t", data: "zwölf Boxkämpfer" }] },
    });
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 7) {
      socket.send(bytes.subarray(at, at + 7), { fin: at + 7 >= bytes.length, binary: false });
      if (at % 3 === 0) socket.ping("still there?");
    }
    expect((await sink.received(1))[0]?.data).toBe('"zwölf Boxkämpfer"');
    await until(
      () => heard.length > 0,
      () => "a receipt",
    );
    expect(JSON.parse(heard[0] as string)).toMatchObject({ receipt: { ref: 1, results: [{ sinks: 1 }] } });
    await until(
      () => pongs > 3,
      () => "pongs",
    );
    socket.close(1000, "bye");
    const code = await new Promise((resolve) => socket.on("close", resolve));
    expect(code).toBe(1000);
  });

  test("is not compressed, whatever it offers", async () => {
    const host = await startHost();
    const socket = new WebSocket(`ws://127.0.0.1:${host.httpPort}/v1/socket`, ["sluice.v1.proto"], {
      perMessageDeflate: true,
    });
    await new Promise((resolve, reject) => {
      socket.on("open", resolve);
      socket.on("error", reject);
    });
    expect(socket.extensions).toBe("");
    expect(socket.protocol).toBe("sluice.v1.proto");
    socket.terminate();
  });

  test("that closes without a code is answered without one", async () => {
    const host = await startHost();
    const socket = await open(host.httpPort, "sluice.v1.proto");
    socket.close();
    const code = await new Promise((resolve) => socket.on("close", resolve));
    expect(code).toBe(1005);
    await until(
      () => host.service.sessionCount === 0,
      () => "no session",
    );
  });
});
