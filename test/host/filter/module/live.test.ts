/** Modules on a real host, over real sockets: who gets what, whatever the modules do meanwhile. */
import { describe, expect, test } from "vitest";
import { defaultDefinition, withFilter } from "../../../../host/channel/definition.ts";
import { bindingFromJson } from "../../../../host/filter/route.ts";
import type { Stage } from "../../../../host/filter/schema.ts";
import { type Client, carriers, connectTo } from "../../support/client.ts";
import { breakCore, startHost, type TestHost } from "../../support/host.ts";
import { until } from "../../support/until.ts";
import { binaryOf, counterText, LOOP, moduleText, only, TRAP } from "./kit.ts";
import { memoryRegistry } from "./registry.ts";

/** A host with modules by name; each is the revision of its place. */
async function start(texts: Readonly<Record<string, string>> = {}) {
  const filters = memoryRegistry();
  for (const [name, text] of Object.entries(texts)) await filters.put(name, binaryOf(text));
  const host = await startHost({ filters });
  const bind = (channel: string, stages: { readonly [Name in Stage]?: object | null }): void => {
    let definition = host.service.channels.get(channel)?.definition ?? defaultDefinition;
    for (const [stage, binding] of Object.entries(stages))
      definition = withFilter(definition, stage as Stage, binding && bindingFromJson(binding));
    host.service.channels.put(channel, definition);
  };
  return { ...host, filters, bind };
}

/** So many sinks of a channel. */
async function sinks(host: TestHost, channel: string, count: number): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => connectTo(host, "tcp")));
  for (const client of clients) await client.join(channel);
  return clients;
}

/** Ids that a client was told, in their order. */
const idsOf = ({ events }: Client): string[] => events.map(({ id }) => id);

const events = (from: number, count: number): { id: string; type: string }[] =>
  Array.from({ length: count }, (_, index) => ({ id: `e${from + index}`, type: "t" }));

describe("a module on a channel", () => {
  test("chooses at OUT, and narrows at IN", async () => {
    const host = await start({ two: only(0b011), one: only(0b010) });
    host.bind("c", { out: { module: "two" }, in: { module: "one" } });
    const [a, b, c] = (await sinks(host, "c", 3)) as [Client, Client, Client];
    const source = await connectTo(host, "tcp");
    await source.publish("c", ...events(0, 5));
    await b.received(5);
    expect([a, b, c].map(idsOf)).toEqual([[], events(0, 5).map(({ id }) => id), []]);
  });

  test("keeps its state from batch to batch, and from OUT to IN", async () => {
    const host = await start({ counter: counterText });
    host.bind("c", {
      out: { module: "counter", config: { limit: 6 } },
      in: { module: "counter", config: { limit: 6 } },
    });
    const [sink] = (await sinks(host, "c", 1)) as [Client];
    const source = await connectTo(host, "tcp");
    await source.publish("c", { id: "a", type: "t" });
    await source.publish("c", { id: "b", type: "t" });
    await source.publish("c", { id: "c", type: "t" });
    await source.publish("c", { id: "d", type: "t" });
    await sink.received(3);
    host.bind("c", { out: null, in: null });
    await source.publish("c", { id: "e", type: "t" });
    await sink.received(4);
    // Each event is seen twice, so three get through.
    expect(idsOf(sink)).toEqual(["a", "b", "c", "e"]);
    expect(host.service.modules?.pool).toMatchObject({ instances: 0, bytes: 0 });
  });

  test.each([
    ["pass", 4],
    ["drop", 0],
  ])("that fails lets %s decide", async (onError, count) => {
    const host = await start({ bad: moduleText({ word: TRAP }) });
    host.bind("c", { out: { module: "bad", onError } });
    const [sink] = (await sinks(host, "c", 1)) as [Client];
    const source = await connectTo(host, "tcp");
    await source.publish("c", ...events(0, 4));
    host.bind("c", { out: null });
    await source.publish("c", { id: "last", type: "t" });
    await sink.received(count + 1);
    expect(idsOf(sink)).toEqual([...events(0, count).map(({ id }) => id), "last"]);
  });

  test("events that it fails on can go elsewhere", async () => {
    const host = await start({ bad: moduleText({ word: TRAP }) });
    host.service.channels.put("elsewhere", defaultDefinition);
    host.service.channels.put("c", {
      ...defaultDefinition,
      delivery: { ...defaultDefinition.delivery, divertTo: "elsewhere" },
    });
    host.bind("c", { out: { module: "bad", onError: "divert" } });
    const [sink] = (await sinks(host, "c", 1)) as [Client];
    const [other] = (await sinks(host, "elsewhere", 1)) as [Client];
    const source = await connectTo(host, "tcp");
    await source.publish("c", ...events(0, 3));
    await other.received(3);
    expect(idsOf(sink)).toEqual([]);
  });

  test("stands where it stood after a trap of the core, without what it knew", async () => {
    const host = await start({ counter: counterText, one: only(0b01) });
    host.bind("c", { out: { module: "counter", config: { limit: 3 } }, in: { module: "one" } });
    const [before] = (await sinks(host, "c", 1)) as [Client];
    const source = await connectTo(host, "tcp");
    await source.publish("c", ...events(0, 4));
    await before.received(3);
    breakCore(host.service, "ingest");
    source.send({ ref: 9, ping: {} });
    await Promise.all([before.closed, source.closed]);
    expect(host.service.modules?.pool.instances).toBe(2);
    const [a, b] = (await sinks(host, "c", 2)) as [Client, Client];
    await (await connectTo(host, "tcp")).publish("c", ...events(0, 4));
    await a.received(3);
    expect([a, b].map(idsOf)).toEqual([["e0", "e1", "e2"], []]);
    const totals = [...(host.service.modules?.totals.read() ?? [])];
    expect(totals.map(({ name, counters: { events: count, live } }) => [name, count, live])).toEqual([
      ["counter", 8, 1],
      ["one", 6, 1],
    ]);
  });

  test("that loops holds up no neighbour", async () => {
    const host = await start({ loop: moduleText({ word: LOOP }) });
    host.bind("bad", { out: { module: "loop" } });
    const [stuck] = (await sinks(host, "bad", 1)) as [Client];
    const [free] = (await sinks(host, "good", 1)) as [Client];
    const source = await connectTo(host, "tcp");
    for (let at = 0; at < 1_000; at += 10) {
      source.send({ publish: { channel: "bad", events: events(at, 10) } });
      source.send({ publish: { channel: "good", events: events(at, 10) } });
    }
    await Promise.all([stuck.received(1_000), free.received(1_000)]);
    const all = events(0, 1_000).map(({ id }) => id);
    expect([idsOf(free), idsOf(stuck)]).toEqual([all, all]);
    const [totals] = [...(host.service.modules?.totals.read() ?? [])];
    // Most events never met it: it was let alone.
    expect(totals?.counters.faults.fuel).toBeGreaterThanOrEqual(3);
    expect(totals?.counters.skipped).toBeGreaterThan(900);
  });
});

describe.each(carriers)("a module that a source brings, over %s", (carrier) => {
  test("decides about its own events, before the channel's, and goes with it", async () => {
    const host = await start({ two: only(0b011), one: only(0b010) });
    host.bind("c", { out: { module: "two" } });
    const [a, b, c] = (await sinks(host, "c", 3)) as [Client, Client, Client];
    const source = await connectTo(host, carrier);
    const filters = { out: { module: "one" }, in: { module: "one" } };
    const { member } = await source.join("c", { role: "source", filters });
    expect(host.service.modules?.pool.instances).toBe(2);
    await source.publish("c", { id: "own", type: "t" });
    source.send({ leave: { member } });
    await source.take("left");
    expect(host.service.modules?.pool.instances).toBe(1);
    await source.publish("c", { id: "channel", type: "t" });
    await source.join("c", { role: "source", filters });
    source.end(true);
    await until(
      () => host.service.modules?.pool.instances === 1,
      () => "the module of a broken connection to go",
    );
    await a.received(1);
    await b.received(2);
    expect([a, b, c].map(idsOf)).toEqual([["channel"], ["own", "channel"], []]);
  });

  test("that is not there is refused, and the source is none", async () => {
    const host = await start({ one: only(0b010) });
    const source = await connectTo(host, carrier);
    const filters = { out: { module: "one" }, in: { module: "none" } };
    source.send({ ref: 1, join: { channel: "c", role: "source", filters } });
    expect(await source.take("problem", 1)).toMatchObject({ code: "filter_unknown" });
    expect(host.service.modules?.pool.instances).toBe(0);
    expect(host.service.modules?.isUsed).toBe(false);
  });
});

describe("a thousand revisions under load", () => {
  test("no event is lost, told twice, or decided by two of them", async () => {
    const host = await start({ test: only(0b01) });
    host.bind("c", { out: { module: "test" } });
    const [a, b] = (await sinks(host, "c", 2)) as [Client, Client];
    const source = await connectTo(host, "tcp");
    const uploads = [binaryOf(only(0b01)), binaryOf(only(0b10))] as const;
    const SWAPS = 1_000;
    const EACH = 10;
    for (let swap = 0; swap < SWAPS; swap++) {
      source.send({ publish: { channel: "c", events: events(swap * EACH, EACH) } });
      // Some switches meet events that wait, some find none.
      if (swap % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      await host.filters.put("test", uploads[((swap + 1) % 2) as 0 | 1]);
    }
    await until(
      () => a.events.length + b.events.length >= SWAPS * EACH,
      () => `${SWAPS * EACH} events; there were ${a.events.length} and ${b.events.length}`,
    );
    // One more, so that whatever is told twice has been told.
    await source.publish("c", { id: "last", type: "t" });
    await until(
      () => [...idsOf(a), ...idsOf(b)].includes("last"),
      () => "the last event",
    );
    const told = [...idsOf(a), ...idsOf(b)].filter((id) => id !== "last");
    expect(told).toHaveLength(SWAPS * EACH);
    expect(new Set(told).size).toBe(SWAPS * EACH);
    // Each sink is told in order, and both are told something.
    for (const ids of [idsOf(a), idsOf(b)]) {
      const numbers = ids.filter((id) => id !== "last").map((id) => Number(id.slice(1)));
      expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
      expect(numbers.length).toBeGreaterThan(0);
    }
    const totals = [...(host.service.modules?.totals.read() ?? [])];
    expect(totals.reduce((sum, { switches }) => sum + switches, 0)).toBe(SWAPS);
    expect(host.service.modules?.pool.instances).toBeLessThanOrEqual(2);
  });
});
