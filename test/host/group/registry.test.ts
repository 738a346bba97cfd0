/** What hosts of a group agree on by name, one rule at a time. */
import { describe, expect, test } from "vitest";
import type { RegistryEvent } from "../../../host/group/registry.ts";
import { agree, createGroup, type Group, type Host, startGroup, startHost } from "../../simulation/group.ts";

type Told = { at: string; event: RegistryEvent }[];

function begin(count: number, seed = 1): { group: Group; hosts: Host[]; told: Told } {
  const told: Told = [];
  const group = createGroup(seed, ({ machine }, events) => {
    for (const event of events)
      if (event.type === "defined" || event.type === "removed" || event.type === "superseded")
        told.push({ at: machine.id, event });
  });
  return { group, hosts: startGroup(group, count), told };
}

function define(group: Group, host: Host, name: string, definition: unknown): void {
  group.act(host, (machine, nowMs) => machine.registry.define("channel", name, definition, nowMs));
}

const viewOf = ({ machine }: Host, name: string) => machine.registry.get("channel", name);

/** Waits until all hosts mean the same by a channel. */
function settle(group: Group, hosts: readonly Host[], name: string): number | undefined {
  const view = (host: Host) => JSON.stringify(viewOf(host, name));
  return group.runUntil(() => hosts.every((host) => view(host) === view(hosts[0] as Host)), 20_000);
}

describe("definitions", () => {
  test("the creator is the contact, and all know what it said within a second", () => {
    const { group, hosts } = begin(5);
    define(group, hosts[3] as Host, "web.requests", { types: ["a"] });
    group.run(1_000);
    for (const host of hosts)
      expect(viewOf(host, "web.requests")).toEqual({
        kind: "channel",
        name: "web.requests",
        contact: "h3",
        term: 1,
        revision: 1,
        definition: { types: ["a"] },
      });
  });

  test("a change at another host is sent to the contact, one at the contact counts a revision", () => {
    const { group, hosts } = begin(3);
    const [first, second] = hosts as [Host, Host];
    define(group, second, "c", { v: 1 });
    group.run(1_000);
    group.act(first, (machine, nowMs) => {
      const atContact = { done: false, contact: "h1" };
      expect(machine.registry.define("channel", "c", { v: 2 }, nowMs)).toEqual(atContact);
      expect(machine.registry.remove("channel", "c", nowMs)).toEqual(atContact);
      expect(machine.membership.entries("h0")).toEqual([]);
    });
    define(group, second, "c", { v: 3 });
    group.run(1_000);
    for (const host of hosts) expect(viewOf(host, "c")).toMatchObject({ revision: 2, term: 1, definition: { v: 3 } });
  });

  test("two hosts that create a channel at once end up with one definition, everywhere the same", () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { group, hosts, told } = begin(4, seed);
      define(group, hosts[2] as Host, "c", { by: "h2" });
      group.run(group.random(20));
      define(group, hosts[1] as Host, "c", { by: "h1" });
      expect(settle(group, hosts, "c")).toBeLessThanOrEqual(1_000);
      group.run(3_000);
      const contacts = hosts.map((host) => viewOf(host, "c")?.contact);
      expect(new Set(contacts).size).toBe(1);
      expect(told.filter(({ event }) => event.type === "removed")).toEqual([]);
      // Not all of the time at once: the first one may have been heard of in time.
      const superseded = told.filter(({ event }) => event.type === "superseded");
      expect(superseded.length).toBeLessThanOrEqual(1);
      if (superseded.length === 1) expect(contacts[0]).toBe("h1");
    }
  });

  test("names of different kinds do not meet, and a contract has one owner", () => {
    const { group, hosts } = begin(3);
    group.act(hosts[1] as Host, (machine, nowMs) => {
      machine.registry.define("contract", "c", { regions: [] }, nowMs);
      machine.registry.define("filter", "c", { digest: "sha256:00" }, nowMs);
    });
    group.run(1_000);
    expect(hosts.map(({ machine }) => machine.registry.isMine("contract", "c"))).toEqual([false, true, false]);
    for (const { machine } of hosts) {
      expect(machine.registry.list("channel")).toEqual([]);
      expect(machine.registry.list("contract")).toHaveLength(1);
    }
  });
});

describe("the contact", () => {
  test.each(["killed", "leaves"])("that %s is followed by the host that joined first, with the next term", (how) => {
    const { group, hosts, told } = begin(5);
    define(group, hosts[3] as Host, "c", { v: 1 });
    group.run(1_000);
    const [gone] = hosts.splice(3, 1) as [Host];
    if (how === "killed") group.kill(gone);
    else group.act(gone, ({ membership }, nowMs) => membership.leave(nowMs));
    const follower = () => hosts.every((host) => viewOf(host, "c")?.contact === "h0");
    expect(group.runUntil(follower, how === "killed" ? 4_000 : 1_000)).toBeDefined();
    for (const host of hosts) expect(viewOf(host, "c")).toMatchObject({ term: 2, revision: 1, definition: { v: 1 } });
    expect(told.filter(({ event }) => event.type === "removed")).toEqual([]);
  });

  test("that is started again before anybody missed it finds its channels in other hands", () => {
    const { group, hosts } = begin(4);
    define(group, hosts[3] as Host, "c", { v: 1 });
    group.run(1_000);
    group.kill(hosts[3] as Host);
    hosts[3] = startHost(group, "h3", ["h0"]);
    group.run(3_000);
    for (const host of hosts) expect(viewOf(host, "c")).toMatchObject({ contact: "h0", term: 2, definition: { v: 1 } });
  });

  test("that says something else in its next life is not heard: the channel is what it was", () => {
    const { group, hosts } = begin(4);
    define(group, hosts[3] as Host, "c", { v: 1 });
    group.run(1_000);
    group.kill(hosts[3] as Host);
    // Term 2, as that of h0.
    group.runUntil(() => hosts.slice(0, 3).every((host) => viewOf(host, "c")?.contact === "h0"), 5_000);
    group.kill(hosts[0] as Host);
    hosts[0] = startHost(group, "h0", ["h1"]);
    define(group, hosts[0], "c", { v: "new" });
    hosts.length = 3;
    group.run(5_000);
    for (const host of hosts) expect(viewOf(host, "c")).toMatchObject({ contact: "h1", term: 3, definition: { v: 1 } });
  });

  test("of each part of a broken network is one, and the one of the higher term stays when it is whole", () => {
    const { group, hosts, told } = begin(6);
    const [contact] = hosts as [Host];
    define(group, contact, "c", { v: 1 });
    group.run(1_000);
    const isLeft = (url: string) => ["sim://h0", "sim://h1"].includes(url);
    group.block((from, to) => isLeft(from) !== isLeft(to));
    group.run(6_000);
    define(group, contact, "c", { v: "lost" });
    group.run(1_000);
    expect(hosts.map((host) => viewOf(host, "c")?.contact)).toEqual(["h0", "h0", "h2", "h2", "h2", "h2"]);
    told.length = 0;
    group.block(undefined);
    group.runUntil(() => agree(hosts), 10_000);
    for (const host of hosts) expect(viewOf(host, "c")).toMatchObject({ contact: "h2", term: 2, definition: { v: 1 } });
    expect(told.filter(({ event }) => event.type === "superseded")).toEqual([
      { at: "h0", event: { type: "superseded", kind: "channel", name: "c", by: "h2" } },
    ]);
  });
});

describe("names that are taken back", () => {
  test("mean nothing anywhere, and may be given again by anybody", () => {
    const { group, hosts, told } = begin(4);
    define(group, hosts[1] as Host, "c", { v: 1 });
    group.run(1_000);
    group.act(hosts[1] as Host, (machine, nowMs) => machine.registry.remove("channel", "c", nowMs));
    group.run(1_000);
    expect(hosts.map((host) => viewOf(host, "c"))).toEqual([undefined, undefined, undefined, undefined]);
    expect(told.filter(({ event }) => event.type === "removed")).toHaveLength(4);
    define(group, hosts[2] as Host, "c", { v: 2 });
    group.run(1_000);
    for (const host of hosts) expect(viewOf(host, "c")).toMatchObject({ contact: "h2", term: 2, definition: { v: 2 } });
  });

  test("are not revived by a host that was away meanwhile", () => {
    const { group, hosts } = begin(4);
    define(group, hosts[3] as Host, "c", { v: 1 });
    group.run(1_000);
    group.block((from, to) => (from === hosts[3]?.url) !== (to === hosts[3]?.url));
    // The others have a new contact, which takes the channel back.
    group.run(6_000);
    group.act(hosts[0] as Host, (machine, nowMs) => machine.registry.remove("channel", "c", nowMs));
    group.run(1_000);
    group.block(undefined);
    group.run(10_000);
    expect(agree(hosts)).toBe(true);
    expect(hosts.map((host) => viewOf(host, "c"))).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("are forgotten in the end", () => {
    const { group, hosts } = begin(2);
    define(group, hosts[0] as Host, "c", { v: 1 });
    group.act(hosts[0] as Host, (machine, nowMs) => machine.registry.remove("channel", "c", nowMs));
    group.run(1_000);
    expect(hosts[1]?.machine.membership.entries("h0")).toHaveLength(1);
    group.run(600_000);
    expect(hosts[1]?.machine.membership.entries("h0")).toEqual([]);
  });
});

test.each([
  "",
  "{",
  "null",
  "7",
  '{"term":0,"revision":1}',
  '{"term":1e300,"revision":1,"definition":1}',
  '{"term":1}',
])("an entry %j of a peer is no claim and does no harm", (value) => {
  const { group, hosts, told } = begin(2);
  group.act(hosts[1] as Host, ({ membership }, nowMs) => membership.set("channel/c", value, nowMs));
  group.run(1_000);
  expect(hosts[0]?.machine.registry.list("channel")).toEqual([]);
  expect(told).toEqual([]);
});
