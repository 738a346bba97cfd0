/**
 * Goal: a subscription to a pattern is what joining each matching channel would be, channels to come included.
 *
 * Method: real sockets in all three forms; what a client may conclude from its own frames is held as it would: a delivery is of
 * a channel that a `joined` before it has told.
 */
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { limits } from "../../../host/limits.ts";
import { type Client, carriers, connectTo, type Told } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";

/** Every delivery by the name of its channel, as the client knows it at that moment: from `joined`, or from the JSON itself. */
function followed(client: Client): { channel: string; type: string; member: string | undefined }[] {
  const names = new Map<number, { channel: string; member: string }>();
  const seen: { channel: string; type: string; member: string | undefined }[] = [];
  for (const { kind, value } of client.told) {
    if (kind === "joined" && value.channelNumber !== undefined) names.set(value.channelNumber, value);
    if (kind !== "deliver") continue;
    for (const { channel, channelNumber, member, event } of value.events) {
      const known = names.get(channelNumber);
      const name = channel || known?.channel;
      if (name === undefined) throw new Error(`A delivery of channel ${channelNumber}, which was never told`);
      seen.push({ channel: name, type: event.type, member: member || known?.member });
    }
  }
  return seen;
}

/** All `joined` frames of a client. */
function joinedOf(client: Client): Told["value"][] {
  return client.told.filter(({ kind }) => kind === "joined").map(({ value }) => value);
}

describe("join of a pattern", () => {
  test.each(carriers)("%s: follows what is there and what comes, from its first event on", async (carrier) => {
    const host = await startHost();
    host.service.channels.put("sensors.old", defaultDefinition);
    host.service.channels.put("other.old", defaultDefinition);
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    const { member, channel } = await sink.join("sensors.*");
    expect(channel).toBe("sensors.*");
    expect(Number(member.slice(1))).toBeGreaterThanOrEqual(2 ** 31);
    // Publishing is what brings these channels into being.
    const sinks: number[] = [];
    for (const name of ["sensors.old", "sensors.new", "sensors.new.deep", "sensors", "other.new", "sensors.newer"])
      sinks.push((await source.publish(name, { type: name }))[0].sinks);
    expect(sinks).toEqual([1, 1, 0, 0, 0, 1]);
    await sink.received(3);
    const seen = followed(sink);
    expect(seen.map(({ channel: of, type }) => [of, type])).toEqual([
      ["sensors.old", "sensors.old"],
      ["sensors.new", "sensors.new"],
      ["sensors.newer", "sensors.newer"],
    ]);
    const brought = joinedOf(sink).slice(1);
    expect(brought.map((told) => told.channel)).toEqual(["sensors.old", "sensors.new", "sensors.newer"]);
    // JSON names the stand-in as a member, binary by its number.
    for (const told of brought) expect([member, Number(member.slice(1))]).toContain(told.pattern);
    expect(seen.map((one) => one.member)).toEqual(brought.map((told) => told.member));
  });

  test("stands for tokens between both separators, and > for the rest", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "ws-json")]);
    await sink.join("user/>");
    for (const name of ["user/1", "user/1/inbox.new", "user", "user.1", "users/1"])
      await source.publish(name, { type: "t" });
    expect((await sink.received(2)).map(({ channel }) => channel)).toEqual(["user/1", "user/1/inbox.new"]);
  });

  test("applies where, types, dialect and attributes to every channel", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    host.service.channels.put("a.1", defaultDefinition);
    await sink.join("a.*", { where: "LENGTH(zone) = 2 AND zone = home", types: ["t"], dialect: "cesql" });
    await sink.join("b.*", { where: "zone = sink.zone", attributes: { zone: "eu" } });
    for (const name of ["a.1", "a.2", "b.1"]) {
      await source.publish(
        name,
        { type: "t", attributes: { zone: "eu", home: "eu" } },
        { type: "t", attributes: { zone: "us", home: "eu" } },
        { type: "x", attributes: { zone: "eu", home: "eu" } },
      );
    }
    const got = (await sink.received(4)).map(({ channel, type }) => `${channel} ${type}`);
    expect(got).toEqual(["a.1 t", "a.2 t", "b.1 t", "b.1 x"]);
  });

  test("takes the settings that a template gives a channel which a publish brings into being", async () => {
    const host = await startHost();
    host.service.templates.put({ name: "t", pattern: "stored.*", fields: { store: { events: 5 }, echo: false } });
    const both = await connectTo(host, "ws-json");
    await both.join("stored.*");
    await both.publish("stored.a", { type: "own" });
    const source = await connectTo(host, "tcp");
    await source.publish("stored.a", { type: "other" });
    expect((await both.received(1)).map(({ type }) => type)).toEqual(["other"]);
  });

  test("replays what matching channels store at that moment, and tells of each whether it is all", async () => {
    const host = await startHost();
    const stored = { ...defaultDefinition, store: { events: 2 } };
    for (const name of ["s.one", "s.two"]) host.service.channels.put(name, stored);
    host.service.channels.put("s.none", defaultDefinition);
    const source = await connectTo(host, "tcp");
    await source.publish("s.one", { type: "1" });
    await source.publish("s.two", { type: "2" }, { type: "3" }, { type: "4" });
    const [late, fresh] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "ws-json")]);
    const { recovered } = await late.join("s.*");
    expect(recovered).toBe(true);
    expect((await late.received(3)).map(({ type }) => type)).toEqual(["1", "3", "4"]);
    expect(joinedOf(late).map((told) => told.recovered)).toEqual([true, true, true, undefined]);
    expect(await fresh.join("s.*", { replay: false })).not.toHaveProperty("recovered");
    await source.publish("s.one", { type: "5" });
    expect((await fresh.received(1)).map(({ type }) => type)).toEqual(["5"]);
  });

  test.each(carriers)("%s: gives one entry per event where a join and two patterns overlap", async (carrier) => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    await sink.join("x.1");
    await sink.join("x.*");
    await sink.join(">");
    // Counted are memberships, as in results of a session that has joined twice.
    expect((await source.publish("x.1", { type: "a" }))[0].sinks).toBe(3);
    await source.publish("x.2", { type: "b" });
    await source.publish("y", { type: "c" });
    await sink.received(3);
    expect(followed(sink).map(({ channel, type }) => [channel, type])).toEqual([
      ["x.1", "a"],
      ["x.2", "b"],
      ["y", "c"],
    ]);
  });

  test("follows a channel that ends and comes back", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-proto"), connectTo(host, "tcp")]);
    await sink.join("c.*");
    await source.publish("c.1", { type: "before" });
    await sink.received(1);
    host.service.channels.remove("c.1");
    const left = await sink.take("left");
    expect(left).toMatchObject({ reason: "channel_deleted", member: joinedOf(sink)[1].member });
    await source.publish("c.1", { type: "after" });
    await sink.received(2);
    expect(followed(sink).map(({ channel, type }) => [channel, type])).toEqual([
      ["c.1", "before"],
      ["c.1", "after"],
    ]);
  });
});

describe("update of a pattern", () => {
  test.each(carriers)("%s: changes all members, and those to come", async (carrier) => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    const { member } = await sink.join("z.*", { where: "zone = sink.zone", attributes: { zone: "eu", old: 1 } });
    const publish = async (name: string) => {
      const events = ["eu", "us"].map((zone) => ({ type: zone, attributes: { zone } }));
      return (await source.publish(name, ...events)).map(({ sinks }: { sinks: number }) => sinks);
    };
    expect(await publish("z.1")).toEqual([1, 0]);
    sink.send({ ref: 7, update: { member, attributes: { zone: "us", old: null } } });
    expect((await sink.take("receipt", 7)).results).toEqual([]);
    expect(await publish("z.1")).toEqual([0, 1]);
    expect(await publish("z.2")).toEqual([0, 1]);
    const [shown] = host.service.members.list("z.2").filter(({ role }) => role === "sink");
    expect(Object.keys(shown?.attributes() ?? {})).toEqual(["zone"]);
  });

  test("is refused where the attributes of all together are too many or too large, and then changes nothing", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    const { member } = await sink.join("z.*", { attributes: { kept: 1 } });
    const many = Object.fromEntries(Array.from({ length: limits.attributes }, (_, at) => [`a${at}`, at]));
    sink.send({ ref: 1, update: { member, attributes: many } });
    expect(await sink.take("problem", 1)).toMatchObject({ code: "attributes_too_many", limit: limits.attributes });
    const large = { large: "x".repeat(limits.memberAttributesBytes) };
    sink.send({ ref: 2, update: { member, attributes: large } });
    expect(await sink.take("problem", 2)).toMatchObject({
      code: "attributes_too_large",
      limit: limits.memberAttributesBytes,
    });
    await sink.publish("z.1", { type: "t" });
    const [shown] = host.service.members.list("z.1").filter(({ role }) => role === "sink");
    expect(Object.keys(shown?.attributes() ?? {})).toEqual(["kept"]);
  });

  test("of one that is not there, or another session's, is refused", async () => {
    const host = await startHost();
    const [mine, theirs] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "ws-json")]);
    const { member } = await mine.join("z.*");
    theirs.send({ ref: 1, update: { member, attributes: { a: 1 } } });
    expect(await theirs.take("problem", 1)).toMatchObject({ code: "member_unknown", value: member });
    theirs.send({ ref: 2, leave: { member } });
    expect(await theirs.take("problem", 2)).toMatchObject({ code: "member_unknown" });
    theirs.send({ ref: 3, update: { member: "m4294967295", attributes: {} } });
    expect(await theirs.take("problem", 3)).toMatchObject({ code: "member_unknown" });
  });
});

describe("leave of a pattern", () => {
  test.each(carriers)("%s: ends all of its memberships, and nothing else", async (carrier) => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    await sink.join("l.1");
    const { member } = await sink.join("l.*");
    for (const name of ["l.1", "l.2", "l.3"]) await source.publish(name, { type: "t" });
    await sink.received(3);
    sink.send({ ref: 5, leave: { member } });
    expect(await sink.take("left", 5)).toMatchObject({ member, reason: "left" });
    const sinks: number[] = [];
    for (const name of ["l.1", "l.2", "l.4"]) sinks.push((await source.publish(name, { type: "t" }))[0].sinks);
    expect(sinks).toEqual([1, 0, 0]);
    expect(host.service.statistics()["patterns"]).toBe(0);
  });

  test("refuses a single member of it, and names the one that stands for all", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    const { member } = await sink.join("l.*");
    await sink.publish("l.1", { type: "t" });
    await sink.received(1);
    const [, one] = joinedOf(sink);
    sink.send({ ref: 6, leave: { member: one.member } });
    expect(await sink.take("problem", 6)).toMatchObject({ code: "invalid_value", value: one.member, limit: member });
  });

  test("comes with the end of the session", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "tcp")]);
    await sink.join("e.*");
    sink.end(true);
    await until(
      () => host.service.statistics()["patterns"] === 0,
      () => "the pattern to end",
    );
    expect((await source.publish("e.1", { type: "t" }))[0].sinks).toBe(0);
  });
});

describe("what cannot be a subscription to a pattern", () => {
  test.each([
    [{ role: "source" }, "invalid_value", "source"],
    [{ role: "both" }, "invalid_value", "both"],
    [{ after: { epoch: 1, sequence: 1 } }, "invalid_value", "join.after"],
    [{ where: "load >" }, "expression", ""],
    [{ attributes: { Load: 1 } }, "attribute_name", "Load"],
  ])("%j is refused with %s", async (fields, code, value) => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    sink.send({ ref: 1, join: { channel: "p.*", ...fields } });
    expect(await sink.take("problem", 1)).toMatchObject({ code, value });
    expect(host.service.statistics()["patterns"]).toBe(0);
  });

  test.each(["a*", "*a.b", "a.>.b", ">a"])("%s is no pattern", async (channel) => {
    const host = await startHost();
    const [json, binary] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    for (const client of [json, binary]) {
      try {
        client.send({ ref: 1, join: { channel } });
      } catch {
        // The helper for binary frames reads JSON first, and refuses it as the host does.
        continue;
      }
      expect(await client.take("problem", 1)).toMatchObject({ code: "invalid_value", value: channel });
    }
  });

  test("nobody publishes to a pattern", async () => {
    const host = await startHost();
    expect(() => host.service.publish("p.*", [])).toThrow(expect.objectContaining({ code: "channel_name" }));
  });
});

describe("limits", () => {
  test("patterns of one session are named with their limit", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    for (let at = 0; at < limits.patterns; at++) await sink.join(`p${at}.*`);
    sink.send({ ref: 1, join: { channel: "more.*" } });
    expect(await sink.take("problem", 1)).toMatchObject({ code: "limit_reached", limit: limits.patterns });
    sink.send({ ref: 2, join: { channel: "plain" } });
    await sink.take("joined", 2);
  });

  test("a join that would follow too many channels is refused whole", async () => {
    const host = await startHost();
    for (let at = 0; at <= limits.patternChannels; at++) host.service.channels.put(`m.${at}`, defaultDefinition);
    const sink = await connectTo(host, "ws-json");
    sink.send({ ref: 1, join: { channel: "m.*" } });
    expect(await sink.take("problem", 1)).toMatchObject({
      code: "limit_reached",
      value: limits.patternChannels + 1,
      limit: limits.patternChannels,
    });
    expect(host.service.channels.get("m.0")?.sinks()).toBe(0);
  });

  test("one channel too many is told to those who do not follow it, and the others do", async () => {
    const host = await startHost({ joins: 3 });
    const [full, free, source] = await Promise.all([
      connectTo(host, "ws-json"),
      connectTo(host, "ws-json"),
      connectTo(host, "tcp"),
    ]);
    await full.join("f.*");
    await full.join("x");
    await full.join("y");
    await free.join("f.*");
    expect((await source.publish("f.1", { type: "t" }))[0].sinks).toBe(2);
    expect((await source.publish("f.2", { type: "t" }))[0].sinks).toBe(1);
    expect(await full.take("problem")).toMatchObject({
      code: "limit_reached",
      value: "f.2",
      limit: 3,
      detail: expect.stringContaining('The pattern "f.*"'),
    });
    expect(host.service.statistics()["patternsMissedTotal"]).toBe(1);
  });
});

describe("what a pattern costs", () => {
  test("creating channels that nobody follows does not depend on how many patterns there are", async () => {
    const host = await startHost();
    const put = (from: number): number => {
      const start = performance.now();
      for (let at = from; at < from + 2_000; at++) host.service.channels.put(`none.${at}`, defaultDefinition);
      return performance.now() - start;
    };
    const without = put(0);
    for (let at = 0; at < 10_000; at++) host.service.subscribe(`p${at}.*`, { onEvents: () => {} });
    expect(host.service.statistics()["patterns"]).toBe(10_000);
    // Comparing each channel with each pattern would be 20 million comparisons: seconds.
    expect(put(10_000)).toBeLessThan(10 * without + 500);
  });

  test("a subscription leaves a thousand channels in a moment", async () => {
    const host = await startHost();
    for (let at = 0; at < 1_000; at++) host.service.channels.put(`k.${at}`, defaultDefinition);
    const sink = await connectTo(host, "tcp");
    const { member } = await sink.join("k.*");
    sink.send({ ref: 1, inbox: { held: true } });
    await sink.take("receipt", 1);
    for (let at = 0; at < 1_000; at++) await host.service.publish(`k.${at}`, []);
    const start = performance.now();
    sink.send({ ref: 2, leave: { member } });
    await sink.take("left", 2);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(host.service.channels.get("k.0")?.sinks()).toBe(0);
  });
});

describe("a session that lingers", () => {
  test.each(carriers)("%s: follows channels meanwhile, and is told of them when it comes back", async (carrier) => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    sink.send({ ref: 1, hello: { lingerMs: 60_000 } });
    const { session } = await sink.take("welcome", 1);
    const { member } = await sink.join("r.*");
    sink.end(true);
    await until(
      () => host.service.statistics()["lingering"] === 1,
      () => "the session to linger",
    );
    expect((await source.publish("r.new", { type: "t" }))[0].sinks).toBe(1);
    const again = await connectTo(host, carrier);
    again.send({ ref: 1, hello: { lingerMs: 60_000, session, received: 0 } });
    expect((await again.take("welcome", 1)).resumed).toBe(true);
    await again.received(1);
    expect(followed(again).map(({ channel, type }) => [channel, type])).toEqual([["r.new", "t"]]);
    // The number that stands for the pattern is still the client's.
    again.send({ ref: 2, leave: { member } });
    await again.take("left", 2);
    expect((await source.publish("r.new", { type: "t" }))[0].sinks).toBe(0);
  });
});

describe("update of a pattern with many members", () => {
  test("reaches each of a thousand, whose numbers have one byte and more", async () => {
    const host = await startHost();
    for (let at = 0; at < 1_000; at++) host.service.channels.put(`u.${at}`, defaultDefinition);
    const sink = await connectTo(host, "tcp");
    const { member } = await sink.join("u.*", { attributes: { n: 0 } });
    sink.send({ ref: 1, update: { member, attributes: { n: 7 } } });
    await sink.take("receipt", 1);
    for (let at = 0; at < 1_000; at++) {
      const [shown] = host.service.members.list(`u.${at}`);
      expect(shown?.attributes()["n"]?.kind.value, `u.${at}`).toBe(7n);
    }
  });
});

describe("explain", () => {
  test("tells of a sink that a pattern brought as of any other", async () => {
    const host = await startHost();
    host.service.channels.put("x.1", defaultDefinition);
    const sink = await connectTo(host, "ws-json");
    await sink.join("x.*", { where: "load > 1" });
    const event = create(EventSchema, { type: "t" });
    const { sinks } = host.service.explain("x.1", event);
    expect(sinks).toMatchObject([
      { verdict: "rejected", stage: "match", reason: "missing", member: { pattern: "x.*", channel: "x.1" } },
    ]);
    expect(joinedOf(sink)[1].member).toBe(`m${sinks[0]?.member.member}`);
  });
});

describe("members of a channel", () => {
  test("are shown with the pattern that brought them", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    await sink.join("v.*");
    await sink.join("v.1");
    const shown = host.service.members.list("v.1").map(({ pattern, role }) => ({ pattern, role }));
    expect(shown).toEqual([
      { pattern: "v.*", role: "sink" },
      { pattern: undefined, role: "sink" },
    ]);
  });
});

describe("a trap of the core while a channel is followed", () => {
  test("starts a new core: whoever published is told, and the channel is there without the sessions of the old one", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    await sink.join("t.*");
    const { exports } = host.service.core;
    const { memberAdd } = exports;
    exports.memberAdd = () => {
      exports.memberAdd = memberAdd;
      throw new WebAssembly.RuntimeError("unreachable");
    };
    expect(() => host.service.channels.put("t.1", defaultDefinition)).toThrow(
      expect.objectContaining({ code: "core_restarted" }),
    );
    expect((await sink.closed).code).toBe(3001);
    expect(host.service.statistics()).toMatchObject({ patterns: 0, epoch: 2 });
    const [again, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    await again.join("t.*");
    expect((await source.publish("t.1", { type: "t" }))[0].sinks).toBe(1);
  });
});
