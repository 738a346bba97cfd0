/**
 * Groups of hosts where everything goes wrong, and how fast they are where nothing does. Times are virtual, so they can be exact.
 *
 * Each run has its own seed, which a failure prints: SLUICE_PROPERTY_SEED=<seed> npx vitest run test/simulation repeats it.
 * SLUICE_PROPERTY_RUNS=50 makes thousands of runs of it.
 */
import { describe, expect, test } from "vitest";
import { casesOfRun, seedOfRun } from "../hostile/mutate.ts";
import { timeoutMs } from "../property/runs.ts";
import { Chaos } from "./chaos.ts";
import { agree, createGroup, type Host, startGroup, startHost, stateOf } from "./group.ts";

test("hosts agree after any mixture of faults, and no entry ever goes back", { timeout: timeoutMs(60_000) }, () => {
  const first = seedOfRun();
  for (let run = casesOfRun(200); run > 0; run -= 1) new Chaos(first + run - 1).run();
});

test("the same seed gives the same run", () => {
  const [one, other] = [new Chaos(7), new Chaos(7)];
  one.run();
  other.run();
  expect(other.log).toEqual(one.log);
  expect(other.group.nowMs).toBe(one.group.nowMs);
});

describe("100 hosts", () => {
  const group = createGroup(1);
  let hosts: Host[] = [];

  test("that all join by one are a group within 2 s, and one more is known to all within 2 s", () => {
    hosts = Array.from({ length: 100 }, (_, index) => startHost(group, `h${index}`, ["h0"]));
    expect(group.runUntil(() => agree(hosts), 2_000)).toBeDefined();
    group.run(5_000);
    hosts.push(startHost(group, "late", ["h42"]));
    expect(group.runUntil(() => agree(hosts), 2_000)).toBeDefined();
  });

  test("have an entry of one of them within a second", () => {
    const [writer] = hosts as [Host];
    group.act(writer, ({ membership }, nowMs) => membership.set("load", "0.7", nowMs));
    const have = () => hosts.every(({ machine }) => machine.membership.read("h0", "load", 0)?.value === "0.7");
    expect(group.runUntil(have, 1_000)).toBeDefined();
  });

  test("notice that six were killed at once, five of them neighbours on the ring, soon after they would notice one", () => {
    const ring = hosts.map(({ machine }) => machine.id).sort();
    const victims = new Set([...ring.slice(10, 15), ring[50]]);
    for (const host of hosts) if (victims.has(host.machine.id)) group.kill(host);
    hosts = hosts.filter(({ machine }) => !victims.has(machine.id));
    const areGone = () => hosts.every((host) => [...victims].every((id) => stateOf(host, id as string) === "dead"));
    expect(group.runUntil(areGone, 10_000)).toBeLessThanOrEqual(4_000);
  });
});

test("a killed host is dead for all others within 3 s, in groups of 2 to 60 hosts", () => {
  for (const [seed, count] of [2, 3, 4, 7, 20, 60].entries()) {
    const group = createGroup(seed);
    const [victim, ...rest] = startGroup(group, count) as [Host, ...Host[]];
    group.run(1_000 + group.random(1_000));
    group.kill(victim);
    const tookMs = group.runUntil(() => rest.every((host) => stateOf(host, "h0") === "dead"), 10_000);
    expect(tookMs, `${count} hosts`).toBeLessThanOrEqual(3_000);
  }
});

test("nobody is suspect while hosts stand still for up to 300 ms and messages take up to 50 ms", () => {
  for (let seed = 0; seed < casesOfRun(5); seed += 1) {
    const wrong: string[] = [];
    const group = createGroup(seed, ({ machine }, events) => {
      for (const event of events)
        if (event.type === "suspect" || event.type === "dead")
          wrong.push(`${machine.id} says ${event.id} is ${event.type}`);
    });
    group.weather = { delayMs: [1, 50], lostPercent: 0, doubledPercent: 10 };
    const hosts = startGroup(group, 12);
    const restedAtMs = new Map<Host, number>();
    for (let pauses = 0; pauses < 200; pauses += 1) {
      const host = hosts[group.random(hosts.length)] as Host;
      // Two pauses in a row would be one that is twice as long.
      if ((restedAtMs.get(host) ?? 0) <= group.nowMs) {
        group.pause(host, 300);
        restedAtMs.set(host, group.nowMs + 600);
      }
      group.run(group.random(100));
    }
    expect(wrong, `seed ${seed}`).toEqual([]);
  }
});

test("a group at rest costs each host the same, whatever its size", () => {
  const costs = [10, 40, 100].map((count) => {
    const group = createGroup(count);
    const hosts = startGroup(group, count);
    group.run(10_000);
    group.countsBytes = true;
    for (const host of hosts) Object.assign(host, { sent: 0, bytes: 0 });
    group.run(10_000);
    const most = (of: (host: Host) => number) => Math.max(...hosts.map(of)) / 10;
    const mean = (of: (host: Host) => number) => hosts.reduce((sum, host) => sum + of(host), 0) / count / 10;
    return { mean: mean(({ sent }) => sent), most: most(({ sent }) => sent), bytes: mean(({ bytes }) => bytes) };
  });
  // Two neighbours and one other in each of five rounds a second, and as many answers.
  for (const { mean } of costs) expect(mean).toBeCloseTo(30, 0);
  const [small, , large] = costs as [(typeof costs)[0], (typeof costs)[0], (typeof costs)[0]];
  expect(large.most).toBeLessThan(2 * large.mean);
  // Ids have a digit more.
  expect(large.bytes).toBeLessThan(1.05 * small.bytes);
});
