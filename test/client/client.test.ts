/** The client against real hosts: what goes in comes out, refusals have their codes, and what ends, ends. */
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../client/library.ts";
import { conditionFromJson } from "../../host/condition/schema.ts";
import { startHost } from "../host/support/host.ts";
import { open, take } from "./support.ts";

describe("a channel of a client", () => {
  test("gives what was published, with what was left out filled in", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort, { name: "shop" });
    const orders = client.channel("orders");
    const stream = orders.subscribe({ types: ["made"] });
    await stream.ready;
    const receipt = await orders.publish({
      type: "made",
      key: "k",
      priority: 7,
      attributes: { load: 0.5, urgent: true, zone: "eü", n: -3 },
      data: { n: [1, null], text: "ü".repeat(300) },
    });
    await orders.publish({ type: "other" });
    expect(receipt).toMatchObject({ sequence: 1, epoch: 1, sinks: 1, hosts: 1 });
    const [event] = await take(stream, 1);
    expect(event).toMatchObject({
      id: receipt.id,
      source: expect.stringMatching(/^\/shop\//),
      type: "made",
      time: expect.stringMatching(/^20\d\d-/),
      key: "k",
      priority: 7,
      attributes: { load: 0.5, urgent: true, zone: "eü", n: -3 },
      data: { n: [1, null], text: "ü".repeat(300) },
    });
    expect(JSON.parse(JSON.stringify(event))).not.toHaveProperty("subject");
  });

  test("keeps the order of what is published, and tells of each what became of it", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel<{ n: number }>("many");
    const stream = channel.subscribe({ window: { events: 100 } });
    await stream.ready;
    const events = Array.from({ length: 5_000 }, (_, n) => ({ type: "t", data: { n } }));
    const results = await channel.publish([...events, { type: "" }]);
    expect(results.slice(0, -1).map((result) => "sequence" in result && result.sequence)).toEqual(
      events.map((_, index) => index + 1),
    );
    expect(results.at(-1)).toMatchObject({ code: "type_missing", retryable: false });
    expect((await take(stream, 5_000)).map(({ data }) => data?.n)).toEqual(events.map(({ data }) => data.n));
  });

  test("ends a loop that is left, and its membership", async () => {
    const { httpPort, service } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("c");
    const stream = channel.subscribe();
    await stream.ready;
    expect((await channel.publish({ type: "t" })).sinks).toBe(1);
    for await (const { type } of stream) {
      expect(type).toBe("t");
      break;
    }
    await expect.poll(() => service.channels.get("c")?.name).toBe("c");
    await expect.poll(async () => (await channel.publish({ type: "t" })).sinks).toBe(0);
  });

  test("refuses with the codes of HTTP, value and limit", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("c");
    await expect(channel.publish({ type: "t", priority: 12 })).rejects.toMatchObject({
      name: "SluiceError",
      code: "priority_out_of_range",
      value: 12,
      limit: 9,
      retryable: false,
    });
    await expect(client.channel("no name").publish({ type: "t" })).rejects.toMatchObject({ code: "channel_name" });
    const odd = { type: "t", tpye: "x" } as { type: string };
    await expect(channel.publish(odd)).rejects.toMatchObject({ code: "unknown_field", value: "tpye" });
    const stream = channel.subscribe({ where: "load <" });
    await expect(stream.ready).rejects.toMatchObject({ code: "expression", line: 1, column: 7 });
    await expect(take(stream, 1)).rejects.toBeInstanceOf(SluiceError);
  });

  test("holds back what its reader does not take, and the host keeps it by the rules of the inbox", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel<number>("slow");
    const dropped: number[] = [];
    const stream = channel.subscribe({
      window: { events: 10 },
      inbox: { capacityEvents: 20, overflow: "drop-oldest" },
      onDropped: ({ count }) => dropped.push(count),
    });
    await stream.ready;
    const events = Array.from({ length: 100 }, (_, n) => ({ type: "t", data: n }));
    await channel.publish(events.slice(0, 10));
    await channel.publish(events.slice(10));
    const got = (await take(stream, 30)).map(({ data }) => data);
    // What credit covered, and the newest of the rest.
    expect(got).toEqual([...Array(10).keys(), ...Array.from({ length: 20 }, (_, n) => 80 + n)]);
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(70);
  });

  test("calls a handler with batches, one call at a time", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("handled");
    let [busy, most, seen] = [0, 0, 0];
    const subscription = channel.handler(async (deliveries) => {
      most = Math.max(most, ++busy);
      await new Promise((resolve) => setImmediate(resolve));
      seen += deliveries.length;
      expect(deliveries[0]).toMatchObject({ channel: "handled", attempt: 1 });
      busy--;
    });
    await subscription.ready;
    for (let round = 0; round < 20; round++) await channel.publish({ type: "t" });
    await expect.poll(() => seen).toBe(20);
    expect(most).toBe(1);
  });

  test("takes patterns, and several channels with one inbox", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const stream = client.subscribe(["sensors.*", "alarms"]);
    await stream.ready;
    for (const name of ["sensors.a", "alarms", "other", "sensors.b"])
      await client.channel(name).publish({ type: name });
    const deliveries = await take(stream.deliveries(), 3);
    expect(deliveries.map(({ channel, event }) => [channel, event.type])).toEqual(
      ["sensors.a", "alarms", "sensors.b"].map((name) => [name, name]),
    );
  });

  test("sets conditions and adds to others in one change, or in none", async () => {
    const { httpPort, service } = await startHost();
    const { conditions } = service;
    const definitions = { mode: { kind: "value", initial: "calm" }, calls: { kind: "counter", initial: 2 } };
    for (const [name, definition] of Object.entries(definitions))
      conditions.put(name, conditionFromJson(definition, name));
    const client = await open(httpPort);
    await client.set({ mode: "busy" }, { add: { calls: 2.5 } });
    expect(["mode", "calls"].map((name) => conditions.read(name).value)).toEqual(["busy", 4.5]);
    await expect(client.set({ mode: "hot" }, { add: { nobody: 1 } })).rejects.toMatchObject({
      code: "condition_unknown",
    });
    expect(conditions.read("mode").value).toBe("busy");
  });

  test("changes live attributes, which filters of hosts see", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("c");
    const stream = channel.subscribe({ where: "load < sink.most", attributes: { most: 0.5 } });
    await stream.ready;
    expect((await channel.publish({ type: "a", attributes: { load: 0.6 } })).sinks).toBe(0);
    await channel.update({ most: 0.7 });
    expect((await channel.publish({ type: "b", attributes: { load: 0.6 } })).sinks).toBe(1);
    await stream.update({ most: null });
    expect((await channel.publish({ type: "c", attributes: { load: 0.6 } })).sinks).toBe(0);
  });

  test("cancels a key", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("work");
    const stream = channel.subscribe({ window: { events: 1 } });
    await stream.ready;
    await channel.publish([
      { type: "t", key: "a" },
      { type: "t", key: "b" },
    ]);
    expect(await channel.cancel("b")).toEqual({ withdrawn: 1, forwarded: 0 });
    expect((await take(stream, 1)).map(({ key }) => key)).toEqual(["a"]);
  });

  test("acknowledges by asking for the next event, and gets again what it did not", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("jobs");
    const stream = channel.subscribe({ ack: "explicit", inbox: { redeliverMs: 500 } });
    await stream.ready;
    await channel.publish([{ type: "a" }, { type: "b" }]);
    const attempts: [string, number][] = [];
    for await (const { event, attempt, ack } of stream.deliveries()) {
      attempts.push([event.type, attempt]);
      if (event.type === "a" || attempt === 2) ack();
      if (attempt === 2) break;
    }
    expect(attempts).toEqual([
      ["a", 1],
      ["b", 1],
      ["b", 2],
    ]);
  });
});

describe("a client", () => {
  test("says that nobody answers", async () => {
    await expect(open(1)).rejects.toMatchObject({ code: "unreachable", retryable: true });
    await expect(open("ftp://127.0.0.1")).rejects.toThrow(/ftp:/);
  });

  test("ends all that is made of it, and then refuses", async () => {
    const { httpPort } = await startHost();
    const client = await open(httpPort);
    const channel = client.channel("c");
    const reading = take(channel.subscribe(), 1);
    const monitor = channel.monitor();
    await monitor.emit({ type: "t" });
    await client.close();
    expect(await reading.catch(() => [])).toHaveLength(1);
    await expect(channel.publish({ type: "t" })).rejects.toMatchObject({ code: "closed" });
    await expect(monitor.emit({ type: "t" })).rejects.toMatchObject({ code: "closed" });
    expect(() => channel.subscribe()).toThrow(expect.objectContaining({ code: "closed" }));
    expect(await client.closed).toBeUndefined();
  });

  test("sends what was published before it is closed", async () => {
    const { httpPort, service } = await startHost();
    const client = await open(httpPort);
    const got: string[] = [];
    service.subscribe("c", { onEvents: (events) => got.push(...events.map(({ event }) => event.type)) });
    for (let n = 0; n < 3; n++) void client.channel("c").publish({ type: `t${n}` }, { receipt: "none" });
    await client.close();
    await expect.poll(() => got).toEqual(["t0", "t1", "t2"]);
  });
});
