/** What a membership promises, one rule at a time, over a network where nothing goes wrong by chance. */
import { describe, expect, test } from "vitest";
import type { Happening } from "../../../host/group/group.ts";
import { Membership } from "../../../host/group/membership.ts";
import type { Message } from "../../../host/group/message.ts";
import { groupLimits } from "../../../host/group/settings.ts";
import { agree, createGroup as createNetwork, startGroup, startHost, stateOf, urlOf } from "../../simulation/group.ts";

function createGroup(seed = 1) {
  const told: { at: string; event: Happening }[] = [];
  const group = createNetwork(seed, ({ machine }, events) => {
    for (const event of events) told.push({ at: machine.id, event });
  });
  return { group, told };
}

/** A message from a host that does not exist. */
function forged(id: string, body: Omit<Message, "from"> | object, url = `sim://${id}`): Message {
  return { from: { id, url, incarnation: 1, version: 1 }, ...body } as Message;
}

function alone(id = "h0"): Membership {
  return new Membership({ id, url: urlOf(id), incarnation: 1, random: () => 0.5 }, 0);
}

describe("joining", () => {
  test("any host of the group is a way in", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 3);
    for (const seed of ["h1", "h2"]) hosts.push(startHost(group, `by-${seed}`.replace("-", ""), [seed]));
    expect(group.runUntil(() => agree(hosts), 2_000)).toBeDefined();
    expect(hosts[0]?.machine.membership.hosts().map(({ id }) => id)).toEqual(["h0", "h1", "h2", "byh1", "byh2"]);
  });

  test("a seed that is not up yet is tried until it is", () => {
    const { group } = createGroup();
    const early = startHost(group, "early", ["late"]);
    group.run(5_000);
    const late = startHost(group, "late", []);
    expect(group.runUntil(() => agree([early, late]), 2_000)).toBeDefined();
  });

  test("a host that is its own seed is a group of one", () => {
    const { group } = createGroup();
    const host = startHost(group, "h0", ["h0"]);
    group.run(5_000);
    expect(host.machine.membership.hosts()).toMatchObject([{ id: "h0", state: "alive", self: true }]);
  });

  test("two groups that name one another become one", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 3);
    hosts.push(startHost(group, "x0", []), startHost(group, "x1", ["x0"]));
    group.run(3_000);
    hosts.push(startHost(group, "bridge", ["x1", "h2"]));
    expect(group.runUntil(() => agree(hosts), 4_000)).toBeDefined();
  });

  test("too many seeds are refused by number and limit", () => {
    const seeds = Array.from({ length: groupLimits.seeds + 1 }, (_, index) => `sim://${index}`);
    expect(() => alone().join(seeds, 0)).toThrow(`Cannot join through ${groupLimits.seeds + 1} addresses`);
  });
});

describe("failure", () => {
  test("a host that is killed is suspect, then dead, and the others know within 3 s", () => {
    const { group, told } = createGroup();
    const [victim, ...rest] = startGroup(group, 5);
    if (victim === undefined) throw new Error("no host");
    group.run(1_234);
    told.length = 0;
    group.kill(victim);
    const tookMs = group.runUntil(() => rest.every((host) => stateOf(host, "h0") === "dead"), 10_000);
    expect(tookMs).toBeLessThanOrEqual(3_000);
    for (const { machine } of rest)
      expect(told.filter(({ at }) => at === machine.id).map(({ event }) => event)).toEqual([
        { type: "suspect", id: "h0" },
        { type: "dead", id: "h0" },
      ]);
  });

  test("a host that stands still for 300 ms again and again is never suspect", () => {
    const { group, told } = createGroup();
    const [host, ...rest] = startGroup(group, 5);
    if (host === undefined) throw new Error("no host");
    told.length = 0;
    for (let round = 0; round < 50; round += 1) {
      group.pause(host, 300);
      group.run(310 + group.random(500));
    }
    expect(told.filter(({ event }) => event.type !== "alive")).toEqual([]);
    expect(agree([host, ...rest])).toBe(true);
  });

  test("a host that stood still for long accuses nobody when it wakes", () => {
    const { group, told } = createGroup();
    const [host, ...rest] = startGroup(group, 4);
    if (host === undefined) throw new Error("no host");
    told.length = 0;
    group.pause(host, 1_500);
    expect(group.runUntil(() => false, 4_000)).toBeUndefined();
    expect(told.filter(({ event }) => event.type === "suspect" && event.id !== host.machine.id)).toEqual([]);
    expect(agree([host, ...rest])).toBe(true);
  });

  test("two hosts that cannot reach one another, but others, stay alive", () => {
    const { group, told } = createGroup();
    const hosts = startGroup(group, 4);
    told.length = 0;
    // A network of our own between two of them would be three parts; here each message between these two is lost.
    const [one, other] = hosts as [(typeof hosts)[0], (typeof hosts)[0]];
    const blocked = new Set([`${one.url} ${other.url}`, `${other.url} ${one.url}`]);
    group.block((from, to) => blocked.has(`${from} ${to}`));
    group.run(20_000);
    expect(told.filter(({ event }) => event.type === "dead")).toEqual([]);
  });

  test("halves of a broken network go on by themselves and are one group again when it is whole", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 6);
    const [left, right] = [hosts.slice(0, 3), hosts.slice(3)];
    group.block((from, to) => left.some(({ url }) => url === from) !== left.some(({ url }) => url === to));
    expect(group.runUntil(() => agree(left) && agree(right), 5_000)).toBeDefined();
    group.run(30_000);
    group.block(undefined);
    expect(group.runUntil(() => agree(hosts), 10_000)).toBeDefined();
  });

  test("a host that leaves has left at once, and nobody suspects it", () => {
    const { group, told } = createGroup();
    const hosts = startGroup(group, 5);
    told.length = 0;
    const [leaver, ...rest] = hosts as [(typeof hosts)[0], ...typeof hosts];
    group.act(leaver, ({ membership }, nowMs) => membership.leave(nowMs));
    expect(group.runUntil(() => rest.every((host) => stateOf(host, "h0") === "left"), 500)).toBeDefined();
    group.run(5_000);
    expect(leaver.machine.nextAtMs).toBe(Number.POSITIVE_INFINITY);
    expect(new Set(told.map(({ event }) => event.type))).toEqual(new Set(["left"]));
  });

  test("a host that is started again under its id is one host, even with its clock behind", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 3);
    group.act(hosts[2] as (typeof hosts)[0], ({ membership }, nowMs) => membership.set("former", "1", nowMs));
    group.run(500);
    group.kill(hosts[2] as (typeof hosts)[0]);
    group.run(100);
    hosts[2] = startHost(group, "h2", ["h0"], -3_600_000);
    expect(group.runUntil(() => agree(hosts), 3_000)).toBeDefined();
    expect(hosts[0]?.machine.membership.entries("h2")).toEqual([]);
  });

  test("those who are gone are forgotten after their time, by all, and nobody reminds the others", () => {
    const { group, told } = createGroup();
    const [victim, ...rest] = startGroup(group, 4);
    if (victim === undefined) throw new Error("no host");
    group.kill(victim);
    group.run(610_000);
    expect(rest.map((host) => stateOf(host, "h0"))).toEqual(["unknown", "unknown", "unknown"]);
    told.length = 0;
    group.run(60_000);
    expect(told).toEqual([]);
  });
});

describe("entries", () => {
  test("an entry is everywhere soon, with its age, whatever the hosts' clocks show", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 8);
    hosts.push(startHost(group, "ahead", ["h0"], 7_200_000));
    group.run(2_000);
    const [writer] = hosts as [(typeof hosts)[0]];
    group.act(writer, ({ membership }, nowMs) => membership.set("load", "0.5", nowMs));
    const read = () => hosts.map(({ machine, skewMs }) => machine.membership.read("h0", "load", group.nowMs + skewMs));
    expect(group.runUntil(() => read().every((reading) => reading?.value === "0.5"), 1_000)).toBeDefined();
    group.run(10_000);
    const ages = read().map((reading) => reading?.ageMs ?? 0);
    // Ways of up to 5 ms each are not known to anybody.
    expect(Math.max(...ages) - Math.min(...ages)).toBeLessThan(50);
    expect(Math.min(...ages)).toBeGreaterThan(9_900);
  });

  test("the last of many changes is what all have, and a removed entry is gone everywhere", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 5);
    const [writer] = hosts as [(typeof hosts)[0]];
    for (let turn = 0; turn < 500; turn += 1) {
      group.act(writer, ({ membership }, nowMs) => membership.set(`k${turn % 7}`, String(turn), nowMs));
      group.run(3);
    }
    group.act(writer, ({ membership }, nowMs) => membership.remove("k3", nowMs));
    expect(group.runUntil(() => agree(hosts), 2_000)).toBeDefined();
    const expected = writer.machine.membership.entries("h0");
    expect(expected.map(({ key }) => key).sort()).toEqual(["k0", "k1", "k2", "k4", "k5", "k6"]);
    for (const { machine } of hosts) expect(machine.membership.entries("h0")).toEqual(expected);
  });

  test("more than a message holds comes in parts", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 3);
    const [writer] = hosts as [(typeof hosts)[0]];
    const value = "x".repeat(groupLimits.valueBytes);
    for (let index = 0; index < 20; index += 1)
      group.act(writer, ({ membership }, nowMs) => membership.set(`big${index}`, value, nowMs));
    hosts.push(startHost(group, "later", ["h2"]));
    expect(group.runUntil(() => agree(hosts), 10_000)).toBeDefined();
    for (const { machine } of hosts) expect(machine.membership.entries("h0")).toHaveLength(20);
  });

  test("whoever was away while removals were forgotten starts over, and keeps nothing that was removed", () => {
    const { group } = createGroup();
    const hosts = startGroup(group, 3, { removedMs: 5_000 });
    const [writer, , away] = hosts as [(typeof hosts)[0], (typeof hosts)[0], (typeof hosts)[0]];
    group.act(writer, ({ membership: machine }, nowMs) => {
      machine.set("stays", "1", nowMs);
      machine.set("goes", "1", nowMs);
    });
    group.run(1_000);
    group.block((from, to) => (from === away.url) !== (to === away.url));
    group.act(writer, ({ membership }, nowMs) => membership.remove("goes", nowMs));
    group.run(20_000);
    expect(away.machine.membership.entries("h0")).toHaveLength(2);
    group.block(undefined);
    expect(group.runUntil(() => agree(hosts), 10_000)).toBeDefined();
    for (const { machine } of hosts) expect(machine.membership.entries("h0").map(({ key }) => key)).toEqual(["stays"]);
  });

  test("keys and values have limits that the error names, and a full host says so", () => {
    const host = alone();
    expect(() => host.set("k".repeat(groupLimits.keyBytes + 1), "1", 0)).toThrow("Cannot take a key");
    expect(() => host.set("k", "é".repeat(groupLimits.valueBytes / 2 + 1), 0)).toThrow("Cannot take a value");
    const value = "x".repeat(groupLimits.valueBytes);
    const fill = () => {
      for (let index = 0; ; index += 1) host.set(`k${index}`, value, 0);
    };
    expect(fill).toThrow("Cannot keep another entry");
    expect(host.remove("k0", 1)).toBe(true);
    // What was removed makes room, for want of others that would have to hear of it.
    host.set("again", value, 2);
    expect(host.read("h0", "again", 5)).toEqual({ value, ageMs: 3 });
  });
});

describe("strangers", () => {
  test.each([
    ["an id that cannot be", forged("Not An Id", { kind: "ping", fingerprint: "0".repeat(16) })],
    ["a fingerprint that is none", forged("x", { kind: "ping", fingerprint: "zz" })],
    ["no address", forged("x", { kind: "ping", fingerprint: "0".repeat(16) }, "")],
    ["a version beyond all", forged("x", { kind: "summary", complete: true, lines: [line({ version: 2 ** 53 })] })],
    ["a negative floor", forged("x", { kind: "summary", complete: true, lines: [line({ floor: -1 })] })],
    ["entries out of order", forged("x", { kind: "news", more: false, records: [record([2, 1])] })],
    ["entries beyond the end", forged("x", { kind: "news", more: false, records: [record([1, 9])] })],
    [
      "an age from the future",
      forged("x", { kind: "news", more: false, records: [{ ...record([1]), standingAgeMs: -1 }] }),
    ],
  ])("%s is refused, counted, and changes nothing", (_, message) => {
    const host = alone();
    host.take();
    host.receive(message, 10);
    expect(host.take()).toEqual({ messages: [], events: [] });
    expect(host.counters).toMatchObject({ refused: 1, received: 0 });
    expect(host.hosts()).toHaveLength(1);
  });

  test("a message that claims to be from this host is told as a conflict and not believed", () => {
    const host = alone();
    host.receive(forged("h0", { kind: "ping", fingerprint: "0".repeat(16) }, "sim://thief"), 10);
    expect(host.take().events).toEqual([{ type: "conflict", id: "h0", url: "sim://thief" }]);
  });

  test("a group has a bound: who comes beyond it is refused, and one who is gone makes room", () => {
    const host = alone();
    const meet = (id: string, standing = "alive") => {
      const records = [{ ...record([]), id, url: urlOf(id), standing }];
      host.receive(forged(id, { kind: "news", more: false, records }), 10);
    };
    meet("gone", "left");
    for (let index = 2; index < groupLimits.hosts; index += 1) meet(`m${index}`);
    expect(host.hosts()).toHaveLength(groupLimits.hosts);
    host.take();
    meet("last");
    expect(host.take().events).toEqual([
      { type: "forgotten", id: "gone" },
      { type: "alive", id: "last" },
    ]);
    meet("beyond");
    expect(host.take().events).toEqual([{ type: "refused", id: "beyond", limit: "hosts" }]);
    expect(host.hosts()).toHaveLength(groupLimits.hosts);
  });

  test("however many ask, no more than a bound is sent before the next round", () => {
    const host = alone();
    for (let index = 0; index < groupLimits.messages * 3; index += 1)
      host.receive(forged("x", { kind: "ping", fingerprint: "0".repeat(16) }), 10);
    expect(host.take().messages.length).toBe(groupLimits.messages);
    expect(host.counters.unsent).toBeGreaterThan(0);
  });
});

function line(change: object): object {
  return { id: "x", incarnation: 1, version: 1, floor: 0, standing: "alive", ...change };
}

/** News of host x with entries of these versions, said to be all up to version 5. */
function record(versions: readonly number[]): object {
  const entries = versions.map((version) => ({ key: `k${version}`, value: "1", version, ageMs: 0 }));
  const counters = { incarnation: 1, joinedAtMs: 0, standing: "alive", standingAgeMs: 0, from: 0, to: 5, floor: 0 };
  return { id: "x", url: "sim://x", ...counters, entries };
}
