/**
 * Joining, leaving, and what a channel's definition means for its members.
 */
import { describe, expect, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { type Client, carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

/** Sends a marker that every sink gets, so that a test can tell "not delivered" from "not yet". */
async function settle(source: Client, channel: string, ...sinks: readonly Client[]): Promise<void> {
  const before = sinks.map(({ events }) => events.length);
  await source.publish(channel, { type: "marker" });
  await Promise.all(sinks.map((sink, index) => sink.received((before[index] as number) + 1)));
}

describe("join", () => {
  test.each(carriers)("%s: a role decides who gets what", async (carrier) => {
    const host = await startHost();
    const [sink, source, both] = await Promise.all([1, 2, 3].map(() => connectTo(host, carrier)));
    if (sink === undefined || source === undefined || both === undefined) throw new Error("unreachable");
    expect(await sink.join("c")).toMatchObject({ member: "m1", channel: "c", epoch: 1 });
    const credit = (await source.join("c", { role: "source" })).credit;
    expect(credit).toMatchObject({ events: 8192, bytes: 4194304 });
    expect((await both.join("c", { role: "both" })).credit).toBeDefined();
    const [result] = await source.publish("c", { type: "t" });
    expect(result.sinks).toBe(2);
    await Promise.all([sink.received(1), both.received(1)]);
    expect(source.events).toEqual([]);
  });

  test("types of a sink choose its events", async () => {
    const host = await startHost();
    const [one, all, source] = await Promise.all([
      connectTo(host, "ws-json"),
      connectTo(host, "tcp"),
      connectTo(host, "tcp"),
    ]);
    await one.join("c", { types: ["b", "c"] });
    await all.join("c");
    const results = await source.publish("c", { type: "a" }, { type: "b" }, { type: "c" });
    expect(results.map(({ sinks }) => sinks)).toEqual([1, 2, 2]);
    await all.received(3);
    expect((await one.received(2)).map(({ type }) => type)).toEqual(["b", "c"]);
  });

  test("types of a channel refuse other events, one by one", async () => {
    const host = await startHost();
    host.service.channels.put("c", { ...defaultDefinition, types: ["a"] });
    const [sink, source] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "ws-json")]);
    await sink.join("c");
    const results = await source.publish("c", { type: "a" }, { type: "b" }, { type: "a" });
    expect(results.map(({ problem }) => problem?.code)).toEqual([undefined, "type_refused", undefined]);
    expect((await sink.received(2)).map(({ type }) => type)).toEqual(["a", "a"]);
  });

  test("one session may join a channel twice and gets each event once", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    const first = await sink.join("c", { types: ["a"] });
    const second = await sink.join("c", { types: ["a", "b"] });
    expect(first.member).not.toBe(second.member);
    await source.publish("c", { type: "a" }, { type: "b" });
    await settle(source, "c2", await joined(host, "c2"));
    expect((await sink.received(2)).map(({ type }) => type)).toEqual(["a", "b"]);
  });

  async function joined(host: Awaited<ReturnType<typeof startHost>>, channel: string): Promise<Client> {
    const client = await connectTo(host, "tcp");
    await client.join(channel);
    return client;
  }

  const refusals = [
    { name: "a role that is none", join: { channel: "c", role: "king" }, code: "invalid_value" },
    { name: "no channel", join: { channel: "" }, code: "channel_name" },
    { name: "a name that is none", join: { channel: "a b" }, code: "channel_name" },
    { name: "a name of 256 characters", join: { channel: "a".repeat(256) }, code: "channel_name" },
    { name: "an empty type", join: { channel: "c", types: [""] }, code: "invalid_value" },
    {
      name: "65 types",
      join: { channel: "c", types: Array.from({ length: 65 }, (_, index) => `t${index}`) },
      code: "",
    },
    { name: "a type of 257 bytes", join: { channel: "c", types: ["t".repeat(257)] }, code: "type_too_long" },
    { name: "an attribute name in capitals", join: { channel: "c", attributes: { Load: 1 } }, code: "attribute_name" },
    { name: "a bad expression", join: { channel: "c", where: "load < )" }, code: "expression", value: ")" },
    { name: "0.5 in the pure dialect", join: { channel: "c", where: "a < 0.5", dialect: "cesql" }, code: "expression" },
    {
      name: "a filter module",
      join: { channel: "c", role: "source", filters: { out: { module: "m" } } },
      code: "not_supported",
      value: "join.filters.out.module",
    },
    {
      name: "filters of a sink",
      join: { channel: "c", filters: { out: { route: {} } } },
      code: "invalid_value",
      value: "join.filters",
    },
    {
      name: "piggyback of a sink",
      join: { channel: "c", piggyback: ["load"] },
      code: "invalid_value",
      value: "join.piggyback",
    },
    {
      name: "piggyback of a name that is none",
      join: { channel: "c", role: "both", piggyback: ["Load"] },
      code: "attribute_name",
      value: "Load",
    },
    {
      name: "an unknown field of a route",
      join: { channel: "c", role: "both", filters: { in: { routes: [{}, { wher: "a" }] } } },
      code: "unknown_field",
      value: "join.filters.in.routes[1].wher",
    },
    {
      name: "a sink's attribute where there is none",
      join: { channel: "c", role: "source", filters: { out: { route: { when: "sink.load < 1" } } } },
      code: "expression",
      value: "sink.load",
    },
    { name: "misses of a sink", join: { channel: "c", misses: true }, code: "invalid_value", value: "join.misses" },
  ];
  test.each(refusals)("$name is refused with its ref, and the session goes on", async ({ join, code, value }) => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 5, join });
    const problem = await client.take("problem", 5);
    if (code !== "") expect(problem.code).toBe(code);
    if (value !== undefined) expect(problem.value).toBe(value);
    expect(await client.join("fine")).toMatchObject({ channel: "fine" });
    expect(host.service.channels.get("c")?.sinks() ?? 0).toBe(0);
  });

  test("a session has a limited number of memberships, and the error names it", async () => {
    const host = await startHost({ joins: 2 });
    const client = await connectTo(host, "tcp");
    await client.join("a");
    await client.join("b");
    client.send({ ref: 1, join: { channel: "c" } });
    expect(await client.take("problem", 1)).toMatchObject({ code: "limit_reached", limit: 2 });
  });

  test("a channel that does not exist is refused where it may not come into being by itself", async () => {
    const host = await startHost({ implicitChannels: false });
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, join: { channel: "new" } });
    expect(await client.take("problem", 1)).toMatchObject({ code: "channel_unknown", value: "new" });
    client.send({ ref: 2, publish: { channel: "new", events: [{ type: "t" }] } });
    expect(await client.take("problem", 2)).toMatchObject({ code: "channel_unknown" });
    expect(host.service.channels.list()).toEqual([]);
  });
});

describe("echo", () => {
  test.each([true, false])("echo %s decides whether a session hears itself", async (echo) => {
    const host = await startHost();
    host.service.channels.put("c", { ...defaultDefinition, echo });
    const [self, other] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    await self.join("c", { role: "both" });
    await other.join("c");
    const [result] = await self.publish("c", { type: "t" });
    expect(result.sinks).toBe(echo ? 2 : 1);
    await other.received(1);
    await settle(other, "c", self);
    expect(self.events.map(({ type }) => type)).toEqual(echo ? ["t", "marker"] : ["marker"]);
  });
});

describe("source: single", () => {
  test("a second source is refused until the first is gone", async () => {
    const host = await startHost();
    host.service.channels.put("c", { ...defaultDefinition, source: "single" });
    const [first, second, sink] = await Promise.all([
      connectTo(host, "tcp"),
      connectTo(host, "ws-json"),
      connectTo(host, "tcp"),
    ]);
    await sink.join("c");
    const { member } = await first.join("c", { role: "source" });
    second.send({ ref: 1, join: { channel: "c", role: "source" } });
    expect(await second.take("problem", 1)).toMatchObject({ code: "source_taken" });
    second.send({ ref: 2, publish: { channel: "c", events: [{ type: "t" }] } });
    expect(await second.take("problem", 2)).toMatchObject({ code: "source_taken" });
    expect(() => host.service.publish("c", [])).toThrow(/one source/);
    first.send({ ref: 3, leave: { member } });
    expect(await first.take("left", 3)).toMatchObject({ member, reason: "left" });
    second.send({ hello: { client: "second" } });
    await second.publish("c", { type: "t" });
    expect((await sink.received(1)).map(({ source }) => source)).toEqual([expect.stringMatching(/^\/second\//)]);
  });

  test("a session that published may join as the source it already is", async () => {
    const host = await startHost();
    host.service.channels.put("c", { ...defaultDefinition, source: "single" });
    const client = await connectTo(host, "ws-json");
    await client.publish("c", { type: "t" });
    expect(await client.join("c", { role: "source" })).toMatchObject({ channel: "c" });
    const [result] = await client.publish("c", { type: "t" });
    expect(result.sequence).toBe(2);
  });

  test("a publish of the host itself does not keep the place", async () => {
    const host = await startHost();
    host.service.channels.put("c", { ...defaultDefinition, source: "single" });
    host.service.publish("c", []);
    const client = await connectTo(host, "tcp");
    expect(await client.join("c", { role: "source" })).toMatchObject({ channel: "c" });
  });
});

describe("leave", () => {
  test.each(carriers)("%s: nothing more is delivered, and it is answered", async (carrier) => {
    const host = await startHost();
    const [sink, other, source] = await Promise.all([
      connectTo(host, carrier),
      connectTo(host, "tcp"),
      connectTo(host, "tcp"),
    ]);
    const { member } = await sink.join("c");
    await other.join("c");
    sink.send({ ref: 9, leave: { member } });
    expect(await sink.take("left", 9)).toMatchObject({ member, reason: "left" });
    const [result] = await source.publish("c", { type: "t" });
    expect(result.sinks).toBe(1);
    await other.received(1);
    expect(sink.events).toEqual([]);
  });

  test("somebody else's member cannot be taken away", async () => {
    const host = await startHost();
    const [sink, thief] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "ws-json")]);
    const { member } = await sink.join("c");
    thief.send({ ref: 1, leave: { member } });
    expect(await thief.take("problem", 1)).toMatchObject({ code: "member_unknown", value: member });
    thief.send({ ref: 2, update: { member, attributes: { load: 1 } } });
    expect(await thief.take("problem", 2)).toMatchObject({ code: "member_unknown" });
    expect(host.service.channels.get("c")?.sinks()).toBe(1);
  });

  test("a session that ends leaves all its channels", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await client.join("a", { role: "both" });
    await client.join("b");
    client.end();
    await client.closed;
    const { channels } = host.service;
    await expect
      .poll(() => [channels.get("a")?.sinks(), channels.get("a")?.sources(), channels.get("b")?.sinks()])
      .toEqual([0, 0, 0]);
    await expect.poll(() => host.service.statistics()["sessions"]).toBe(0);
  });

  test("members of a channel that is deleted are told", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    const { member } = await sink.join("c");
    await source.join("c", { role: "source" });
    host.service.channels.remove("c");
    expect(await sink.take("left")).toMatchObject({ member, reason: "channel_deleted" });
    expect(await source.take("left")).toMatchObject({ reason: "channel_deleted" });
    // The name may come into being again, as another channel.
    const [result] = await source.publish("c", { type: "t" });
    expect(result).toMatchObject({ sequence: 1, sinks: 0, hosts: 0 });
  });
});

describe("update", () => {
  test.each(carriers)("%s: attributes of a member are set, changed and removed", async (carrier) => {
    const host = await startHost();
    const client = await connectTo(host, carrier);
    const { member } = await client.join("c", { attributes: { load: 0.5, zone: "eu" } });
    client.send({ ref: 1, update: { member, attributes: { load: 0.25 }, remove: ["zone"] } });
    expect(await client.take("receipt", 1)).toMatchObject({ results: [] });
    if (carrier === "ws-json") client.send({ ref: 2, update: { member, attributes: { Bad: 1 } } });
    else
      client.sendRaw(
        sizeDelimited(
          encodeFrame({
            ref: 2,
            kind: { case: "update", value: { member: 1, attributes: { Bad: { kind: { case: "number", value: 1 } } } } },
          }),
        ),
      );
    expect(await client.take("problem", 2)).toMatchObject({ code: "attribute_name" });
  });
});

describe("hello", () => {
  test("a session cannot be resumed yet, and the answer says so", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, hello: { session: "anything", received: 7, lingerMs: 30_000 } });
    const welcome = await client.take("welcome", 1);
    expect(welcome.resumed).toBe(false);
    expect(welcome.session).not.toBe("anything");
    expect(welcome.limits).toEqual({
      frameBytes: 1_114_112,
      eventBytes: 1_048_576,
      publishEvents: 4_096,
      joins: 10_000,
    });
  });

  test("a second one is refused, and so is a name that is too long", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    client.send({ ref: 1, hello: { client: "ä".repeat(40) } });
    expect(await client.take("problem", 1)).toMatchObject({ code: "invalid_value", value: 240, limit: 200 });
    client.send({ ref: 2, hello: { client: "a b" } });
    await client.take("welcome", 2);
    client.send({ ref: 3, hello: {} });
    expect(await client.take("problem", 3)).toMatchObject({ code: "invalid_value", value: "hello" });
    const sink = await connectTo(host, "ws-json");
    await sink.join("c");
    await client.publish("c", { type: "t" });
    expect((await sink.received(1))[0]?.source).toBe("/a%20b/1");
  });

  test("an inbox that cannot be is refused before the session is greeted", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, hello: { inbox: { ordering: "best" } } });
    expect(await client.take("problem", 1)).toMatchObject({ code: "invalid_value", value: "best" });
    client.send({ ref: 2, hello: {} });
    await client.take("welcome", 2);
  });
});

describe("ping", () => {
  test("is answered with its ref", async () => {
    const host = await startHost();
    for (const carrier of carriers) {
      const client = await connectTo(host, carrier);
      client.send({ ref: 77, ping: {} });
      await client.take("pong", 77);
    }
  });
});
