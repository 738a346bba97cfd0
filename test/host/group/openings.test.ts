/** Opening channels of a group, and fetching modules by digest: one rule at a time. */
import { describe, expect, test } from "vitest";
import type { FetchEvent } from "../../../host/group/holdings.ts";
import type { OpeningEvent } from "../../../host/group/openings.ts";
import { createGroup, type Group, type Host, startGroup, startHost } from "../../simulation/group.ts";

type Told = ({ at: string } & (OpeningEvent | FetchEvent))[];

function begin(count: number): { group: Group; hosts: Host[]; told: Told } {
  const told: Told = [];
  const group = createGroup(3, ({ machine }, events) => {
    for (const event of events)
      if (event.type === "opened" || event.type === "missing" || event.type === "fetch")
        told.push({ at: machine.id, ...event });
  });
  return { group, hosts: startGroup(group, count), told };
}

function define(group: Group, host: Host, name: string): void {
  group.act(host, ({ registry }, nowMs) => registry.define("channel", name, {}, nowMs));
  group.run(500);
}

function open(group: Group, host: Host, name: string): void {
  group.act(host, ({ openings }, nowMs) => openings.open(name, nowMs));
}

function link(group: Group, host: Host, id: string, isUp: boolean): void {
  group.act(host, ({ openings }, nowMs) => openings.link(id, isUp, nowMs));
}

describe("opening a channel", () => {
  test("is answered at once where no other host has members, and then all know of this one", () => {
    const { group, hosts, told } = begin(3);
    define(group, hosts[0] as Host, "c");
    open(group, hosts[1] as Host, "c");
    expect(told).toEqual([
      { at: "h1", type: "opened", ticket: 1, name: "c", contact: "h0", term: 1, linked: [], pending: [] },
    ]);
    group.run(500);
    expect(hosts.map(({ machine }) => machine.openings.hostsOf("c"))).toEqual([["h1"], [], ["h1"]]);
  });

  test("waits for the links to the other hosts with members, and says which are up", () => {
    const { group, hosts, told } = begin(4);
    define(group, hosts[0] as Host, "c");
    for (const host of hosts.slice(0, 2)) open(group, host, "c");
    group.run(500);
    told.length = 0;
    const opener = hosts[2] as Host;
    open(group, opener, "c");
    expect(opener.machine.openings.wanted()).toEqual(["h0", "h1"]);
    link(group, opener, "h1", true);
    expect(told.filter(({ at }) => at === "h2")).toEqual([]);
    link(group, opener, "h0", true);
    expect(told.filter(({ at }) => at === "h2")).toMatchObject([{ type: "opened", linked: ["h0", "h1"], pending: [] }]);
  });

  test("names what is not linked in time as pending, and waits no longer", () => {
    const { group, hosts, told } = begin(3);
    define(group, hosts[0] as Host, "c");
    open(group, hosts[0] as Host, "c");
    group.run(500);
    link(group, hosts[1] as Host, "h0", true);
    link(group, hosts[1] as Host, "h0", false);
    open(group, hosts[1] as Host, "c");
    group.run(1_900);
    expect(told.filter(({ at }) => at === "h1")).toEqual([]);
    group.run(200);
    expect(told.filter(({ at }) => at === "h1")).toMatchObject([{ type: "opened", linked: [], pending: ["h0"] }]);
  });

  test("that is not known yet waits for it; of one that nobody knows it says so", () => {
    const { group, hosts, told } = begin(2);
    define(group, hosts[0] as Host, "c");
    const late = startHost(group, "late", ["h1"]);
    open(group, late, "c");
    open(group, late, "none");
    group.run(3_000);
    expect(told).toMatchObject([
      { type: "opened", name: "c", contact: "h0" },
      { type: "missing", name: "none" },
    ]);
    expect(late.machine.openings.hostsOf("none")).toEqual([]);
  });

  test("leads to no host that is gone, or whose members have left", () => {
    const { group, hosts } = begin(4);
    define(group, hosts[3] as Host, "c");
    for (const host of hosts) open(group, host, "c");
    group.run(3_000);
    const wanted = () => (hosts[0] as Host).machine.openings.wanted();
    expect(wanted()).toEqual(["h1", "h2", "h3"]);
    group.kill(hosts[1] as Host);
    group.act(hosts[2] as Host, ({ openings }, nowMs) => openings.close("c", nowMs));
    group.run(4_000);
    expect(wanted()).toEqual(["h3"]);
  });

  test("has a bound on what waits", () => {
    const { group, hosts } = begin(1);
    const fill = () => {
      for (;;) open(group, hosts[0] as Host, "none");
    };
    expect(fill).toThrow('Cannot open "none", 4096 openings wait');
  });
});

describe("bytes of a digest", () => {
  const want = (group: Group, host: Host, digest: string) =>
    group.act(host, ({ holdings }, nowMs) => holdings.want(digest, nowMs));
  const hold = (group: Group, host: Host, digest: string) =>
    group.act(host, ({ holdings }, nowMs) => holdings.hold(digest, nowMs));

  test("are fetched from a host that holds them, as soon as there is one", () => {
    const { group, hosts, told } = begin(3);
    want(group, hosts[0] as Host, "sha256:1");
    group.run(1_000);
    expect(told).toEqual([]);
    hold(group, hosts[2] as Host, "sha256:1");
    group.run(1_000);
    expect(told).toEqual([{ at: "h0", type: "fetch", digest: "sha256:1", from: "h2" }]);
    hold(group, hosts[0] as Host, "sha256:1");
    group.run(20_000);
    expect(told).toHaveLength(1);
  });

  test.each(["says nothing", "has them not", "dies"])("are asked of another one where the first one %s", (how) => {
    const { group, hosts, told } = begin(3);
    hold(group, hosts[1] as Host, "sha256:1");
    hold(group, hosts[2] as Host, "sha256:1");
    group.run(1_000);
    want(group, hosts[0] as Host, "sha256:1");
    const [first] = told as FetchEvent[];
    if (how === "has them not")
      group.act(hosts[0] as Host, ({ holdings }, nowMs) => holdings.failed("sha256:1", nowMs));
    if (how === "dies") group.kill(hosts.find(({ machine }) => machine.id === first?.from) as Host);
    group.run(how === "has them not" ? 0 : 5_100);
    expect(new Set(told.map((event) => (event as FetchEvent).from))).toEqual(new Set(["h1", "h2"]));
  });

  test("that are held or needed no more are fetched from nobody, by nobody", () => {
    const { group, hosts, told } = begin(2);
    hold(group, hosts[0] as Host, "sha256:1");
    want(group, hosts[0] as Host, "sha256:1");
    group.act(hosts[0] as Host, ({ holdings }, nowMs) => holdings.drop("sha256:1", nowMs));
    group.run(1_000);
    want(group, hosts[1] as Host, "sha256:1");
    group.act(hosts[1] as Host, ({ holdings }) => holdings.unwant("sha256:1"));
    hold(group, hosts[0] as Host, "sha256:1");
    group.run(10_000);
    expect(told).toEqual([]);
  });
});
