/**
 * Sluice inside of a process: the library's own entry.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { createHost, defaultDefinition, type Host, type HostOptions, SluiceError } from "../../host/index.ts";

async function open(options: HostOptions = {}): Promise<Host> {
  const host = await createHost({ memoryBytes: 96 * 2 ** 20, ...options });
  onTestFinished(() => host.close());
  return host;
}

describe("createHost()", () => {
  test("events come as they were published, with what was left out filled in", async () => {
    const host = await open();
    const orders = host.channel("orders");
    const stream = orders.subscribe({ types: ["made"] });
    const receipt = orders.publish({
      type: "made",
      key: "k",
      attributes: { load: 0.5, urgent: true },
      data: { n: [1, null] },
    });
    orders.publish({ type: "other" });
    expect(receipt).toMatchObject({ sequence: 1, epoch: 1, sinks: 1, hosts: 1 });
    for await (const event of stream) {
      expect(event).toMatchObject({
        id: receipt.id,
        source: expect.stringMatching(/^\//),
        type: "made",
        time: expect.stringMatching(/^20\d\d-/),
        key: "k",
        attributes: { load: 0.5, urgent: true },
        data: { n: [1, null] },
      });
      break;
    }
    // Leaving the loop has left the channel.
    expect(orders.publish({ type: "made" }).sinks).toBe(0);
  });

  test("a subscription may say by an expression what it wants", async () => {
    const host = await open();
    const channel = host.channel("c");
    const got: string[] = [];
    channel.handler((deliveries) => got.push(...deliveries.map(({ event }) => event.type)), {
      where: "load < sink.most",
      attributes: { most: 0.5 },
    });
    expect(channel.publish({ type: "a", attributes: { load: 0.4 } }).sinks).toBe(1);
    expect(channel.publish({ type: "b", attributes: { load: 0.6 } }).sinks).toBe(0);
    host.service.flush();
    expect(got).toEqual(["a"]);
    const refused = (options: object) => () => channel.subscribe(options);
    expect(refused({ where: "load <" })).toThrow(expect.objectContaining({ code: "expression", line: 1, column: 7 }));
    expect(refused({ where: "load < 0.5", dialect: "cesql" })).toThrow(expect.objectContaining({ code: "expression" }));
  });

  test("a publish that is refused throws, one of many is told in its place", async () => {
    const host = await open();
    const channel = host.channel("c");
    expect(() => channel.publish({ type: "" })).toThrow(SluiceError);
    expect(() => channel.publish({ type: "t", priority: 10 })).toThrow(
      expect.objectContaining({ code: "priority_out_of_range" }),
    );
    expect(() => host.channel("a b").publish({ type: "t" })).toThrow(expect.objectContaining({ code: "channel_name" }));
    host.service.channels.put("typed", { ...defaultDefinition, types: ["a"] });
    const results = host.channel("typed").publishAll([{ type: "a" }, { type: "b" }]);
    expect(results).toMatchObject([{ sequence: 1 }, { problem: { code: "type_refused" } }]);
  });

  test("an event of the largest size passes, a larger one is refused with the limit", async () => {
    const host = await open();
    const channel = host.channel("c");
    const stream = channel.subscribe();
    channel.publish({ type: "t", data: "x".repeat(1_048_000) });
    for await (const event of stream) {
      expect((event.data as string).length).toBe(1_048_000);
      break;
    }
    expect(() => channel.publish({ type: "t", data: "x".repeat(1_048_600) })).toThrow(
      expect.objectContaining({ code: "event_too_large", limit: 1_048_576 }),
    );
  });

  test("more events than one frame takes are published in several, in order", async () => {
    const host = await open();
    const channel = host.channel("c");
    const got: number[] = [];
    channel.handler((deliveries) => got.push(...deliveries.map(({ sequence }) => sequence)));
    const results = channel.publishAll(Array.from({ length: 10_000 }, () => ({ type: "t" })));
    expect(results.map((result) => ("sequence" in result ? result.sequence : 0))).toEqual(
      Array.from({ length: 10_000 }, (_, index) => index + 1),
    );
    host.service.flush();
    expect(got).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 1));
  });

  test("a reader that is busy has its inbox held, and nothing is kept without bounds", async () => {
    const host = await open();
    const channel = host.channel("c");
    const dropped: number[] = [];
    const stream = channel.subscribe({
      inbox: { capacityEvents: 100n },
      onDropped: ({ count }) => dropped.push(count),
    });
    const seen: number[] = [];
    for (let round = 0; round < 50; round++) {
      channel.publishAll(Array.from({ length: 100 }, () => ({ type: "t" })));
      host.service.flush();
    }
    const last = channel.publish({ type: "last" });
    for await (const event of stream) {
      seen.push(Number(event.id.split("-").at(-1)));
      if (event.type === "last") break;
    }
    expect(last.sequence).toBe(5_001);
    // What came before it was full, and what the inbox kept since: a bounded number, in order.
    expect(seen.length).toBeLessThan(2_000);
    expect(seen).toEqual([...seen].sort((one, other) => one - other));
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(5_001 - seen.length);
  });

  test("a handler that throws is logged, and goes on", async () => {
    const lines: string[] = [];
    const log = {
      debug() {},
      info() {},
      warn() {},
      error: (message: string) => void lines.push(message),
      with: () => log,
    };
    const host = await open({ log });
    let batches = 0;
    host.channel("c").handler(() => {
      batches++;
      throw new Error("my mistake");
    });
    for (let round = 0; round < 3; round++) {
      host.channel("c").publish({ type: "t" });
      host.service.flush();
    }
    expect(batches).toBe(3);
    expect(lines).toEqual(["subscriber failed", "subscriber failed", "subscriber failed"]);
  });

  test("a handler may publish: it is delivered in a later turn, without end or loss", async () => {
    const host = await open();
    const ping = host.channel("ping");
    const pong = host.channel("pong");
    let rounds = 0;
    const done = new Promise<void>((resolve) => {
      ping.handler(() => (rounds < 100 ? pong.publish({ type: "t" }) : resolve()));
      pong.handler(() => {
        rounds++;
        ping.publish({ type: "t" });
      });
    });
    ping.publish({ type: "t" });
    await done;
    expect(rounds).toBe(100);
  });

  test("a handler may ask for a flush, or leave, in the middle of one", async () => {
    const host = await open();
    const got: string[] = [];
    const streams = Array.from({ length: 5 }, (_, index) =>
      host.channel("c").handler((deliveries) => {
        got.push(...deliveries.map(({ event }) => `${index}${event.type}`));
        if (deliveries[0]?.event.type === "a") {
          host.channel("c").publish({ type: "b" });
          host.service.flush();
          streams[index]?.close();
        }
      }),
    );
    host.channel("c").publish({ type: "a" });
    host.service.flush();
    await expect.poll(() => got.filter((name) => name.endsWith("a"))).toEqual(["0a", "1a", "2a", "3a", "4a"]);
    expect(host.service.channels.get("c")?.sinks()).toBe(0);
    expect(host.service.epoch).toBe(1);
  });

  test("attributes are set, changed and taken away; bad ones are refused", async () => {
    const host = await open();
    const handler = host.channel("c").handler(() => {}, { attributes: { load: 1, zone: "eu" } });
    handler.update({ load: 0.5, zone: null, urgent: true });
    expect(() => handler.update({ Bad: 1 })).toThrow(expect.objectContaining({ code: "attribute_name" }));
    expect(() => host.channel("c").handler(() => {}, { attributes: { Bad: 1 } })).toThrow(
      expect.objectContaining({ code: "attribute_name" }),
    );
    expect(host.service.channels.get("c")?.sinks()).toBe(1);
    handler.close();
    expect(host.service.channels.get("c")?.sinks()).toBe(0);
  });

  test("the end of a channel ends its streams", async () => {
    const host = await open();
    const reasons: string[] = [];
    const stream = host.channel("c").subscribe({ onEnd: (reason) => reasons.push(reason) });
    const read = (async () => {
      for await (const _ of stream);
    })();
    host.service.channels.remove("c");
    await read;
    expect(reasons).toEqual(["channel_deleted"]);
  });

  test("a process that has nothing else to do may end although a host is open", async () => {
    const host = await open();
    host.channel("c").handler(() => {});
    host.channel("c").publish({ type: "t" });
    host.service.flush();
    expect(process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap")).toEqual([]);
  });
});

describe("crossings into the core", () => {
  test.each([1, 8, 64])(
    "with %i sinks: a publish and its delivery make a number of calls that the batch does not change",
    async (sinks) => {
      const host = await open();
      const channel = host.channel("c");
      let got = 0;
      for (let sink = 0; sink < sinks; sink++) channel.handler((deliveries) => (got += deliveries.length));
      channel.publish({ type: "t" });
      host.service.flush();
      const writes = host.service.counters.writes;
      const crossings = host.service.countCrossings();
      const counts = [1, 10, 100, 1_000].map((events) => {
        got = 0;
        crossings.reset();
        channel.publishAll(Array.from({ length: events }, () => ({ type: "t" })));
        const publishing = crossings.read().total;
        host.service.flush();
        expect(got).toBe(events * sinks);
        return { publishing, all: crossings.read().total };
      });
      crossings.stop();
      expect(new Set(counts.map(({ all }) => all)).size).toBe(1);
      // Submitting is the same whoever listens.
      expect(counts[0]?.publishing).toBeLessThanOrEqual(4);
      expect((counts[0]?.all ?? 0) - (counts[0]?.publishing ?? 0)).toBeLessThanOrEqual(sinks + 3);
      expect(host.service.counters.writes).toBe(writes);
      const before = crossings.read().total;
      channel.publish({ type: "t" });
      expect(crossings.read().total).toBe(before);
    },
  );
});
