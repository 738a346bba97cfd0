/**
 * Goal: what managers give away together is never more than there is, whoever dies when.
 * Method: managers in virtual time around a real host; after every step the leases that holders believe in are counted.
 */
import { defaultDefinition } from "sluice";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../examples/lib/random.mjs";
import { openSimulatedHost } from "../../examples/lib/simulated-host.mjs";
import { Manager } from "../../examples/resource-manager/manager.mjs";
import { CHANNEL, defaultTimes } from "../../examples/resource-manager/protocol.mjs";
import { criteria } from "../../examples/resource-manager/requester.mjs";

type Resource = { name: string; kind: string; capacity: number };
const cpu = (name: string, capacity: number): Resource => ({ name, kind: "cpu", capacity });

/** Managers by name, and a check of every step. */
async function kernels(resources: Readonly<Record<string, readonly Resource[]>>, seed = 1) {
  const { time, service, open, close } = await openSimulatedHost({ seed });
  service.channels.put(CHANNEL, defaultDefinition);
  const lost: string[] = [];
  const managers = new Map<string, Manager>();
  const add = (name: string, own: readonly Resource[], location = name): Manager => {
    const manager = new Manager({
      name,
      resources: own,
      location,
      session: open(0.2 + managers.size / 100),
      clock: time,
      onLost: (resource) => lost.push(`${name}: ${resource}`),
    });
    managers.set(name, manager);
    return manager;
  };
  for (const [name, own] of Object.entries(resources)) add(name, own);
  const settle = time.afterEach;
  let checks = 0;
  const check = (): void => {
    const believed = new Map<string, number>();
    for (const { requester } of managers.values()) {
      for (const { resource, amount, validUntil } of requester.allocations.values())
        if (validUntil > time.now()) believed.set(resource, (believed.get(resource) ?? 0) + amount);
    }
    for (const { resource } of [...managers.values()].flatMap(({ provider }) => provider.ledgers)) {
      checks++;
      const amount = believed.get(resource.name) ?? 0;
      if (amount > resource.capacity)
        throw new Error(
          `${amount} of ${resource.name} are given away at ${time.now()} ms, there are ${resource.capacity}`,
        );
    }
  };
  time.afterEach = () => {
    settle();
    check();
  };
  time.runUntil(10);
  const manager = (name: string): Manager => managers.get(name) as Manager;
  return { time, manager, managers, add, lost, close, checks: () => checks };
}

describe("Manager", () => {
  test("tells of all resources when it joins, one manager for each or one for all", async () => {
    const { manager, time, close } = await kernels({
      "one-cpu": [cpu("i.cpu", 2)],
      "one-disk": [{ name: "i.disk", kind: "disk", capacity: 10 }],
      all: [cpu("iii.cpu", 4), { name: "iii.net", kind: "network", capacity: 100 }],
      none: [],
    });
    time.runUntil(600);
    expect([...manager("none").known.keys()].sort()).toEqual(["i.cpu", "i.disk", "iii.cpu", "iii.net"]);
    close();
  });

  test.each([
    { criterion: criteria.emptiest, chosen: "b.cpu" },
    { criterion: criteria.nearest, chosen: "here.cpu" },
    { criterion: criteria.fastest, chosen: "a.cpu" },
  ])("picks $chosen of several offers and releases the others", async ({ criterion, chosen }) => {
    const { manager, time, add, close } = await kernels({ a: [cpu("a.cpu", 4)], b: [cpu("b.cpu", 8)] });
    add("c", [cpu("here.cpu", 5)], "here");
    const application = add("app", [], "here");
    time.runUntil(20);
    let resource = "";
    application.requester.allocate({
      kind: "cpu",
      amount: 2,
      criterion,
      onResult: (got) => (resource = got?.resource ?? ""),
    });
    time.runUntil(100);
    const held = () =>
      ["a", "b", "c"].flatMap((name) =>
        manager(name).provider.ledgers.map(({ resource: r, free }) => [r.name, r.capacity - free]),
      );
    expect(held()).toEqual([
      ["a.cpu", 2],
      ["b.cpu", 2],
      ["here.cpu", 2],
    ]);
    time.runUntil(200);
    expect(resource).toBe(chosen);
    expect(held().filter(([, taken]) => taken !== 0)).toEqual([[chosen, 2]]);
    close();
  });

  test("answers that nobody has so much, and does not give the same twice", async () => {
    const { manager, time, close } = await kernels({ a: [cpu("a.cpu", 3)], x: [], y: [] });
    const got: (string | undefined)[] = [];
    for (const name of ["x", "y"])
      manager(name).requester.allocate({ kind: "cpu", amount: 2, onResult: (one) => got.push(one?.resource) });
    manager("x").requester.allocate({ kind: "gpu", amount: 1, onResult: (one) => got.push(one?.resource) });
    time.runUntil(3000);
    expect(got.filter((one) => one === "a.cpu")).toHaveLength(1);
    expect(got).toHaveLength(3);
    close();
  });

  test("keeps an allocation by renewing, changes it within what there is, and gives it back", async () => {
    const { manager, time, close } = await kernels({ a: [cpu("a.cpu", 4)], x: [] });
    manager("x").requester.allocate({ kind: "cpu", amount: 2 });
    time.runUntil(10_000);
    const [allocation] = [...manager("x").requester.allocations.values()];
    expect(allocation).toMatchObject({ resource: "a.cpu", amount: 2 });
    const key = allocation?.key ?? "";
    manager("x").requester.change(key, 4);
    time.runUntil(10_010);
    expect(manager("a").provider.ledgers[0]?.free).toBe(0);
    manager("x").requester.change(key, 5);
    time.runUntil(11_000);
    expect(manager("x").requester.allocations.get(key)?.amount).toBe(4);
    manager("x").requester.release(key);
    time.runUntil(11_010);
    expect(manager("a").provider.ledgers[0]?.free).toBe(4);
    close();
  });

  test("says resourceLost to who has it when its manager dies, and takes another one", async () => {
    const { manager, time, lost, close } = await kernels({ a: [cpu("a.cpu", 4)], b: [cpu("b.cpu", 2)], x: [] });
    const had: string[] = [];
    const again = (): void =>
      manager("x").requester.allocate({
        kind: "cpu",
        amount: 1,
        criterion: criteria.emptiest,
        onResult: (one) => had.push(one?.resource ?? "none"),
        onLost: again,
      });
    again();
    time.runUntil(1000);
    manager("a").kill();
    time.runUntil(1000 + defaultTimes.lossMs + defaultTimes.announceMs + 500);
    expect(lost.sort()).toEqual(["b: a.cpu", "x: a.cpu"]);
    expect(had).toEqual(["a.cpu", "b.cpu"]);
    close();
  });

  test("asks anew when the chosen one dies in the middle of the negotiation", async () => {
    const { manager, time, close } = await kernels({ a: [cpu("a.cpu", 8)], b: [cpu("b.cpu", 2)], x: [] });
    const had: (string | undefined)[] = [];
    manager("x").requester.allocate({
      kind: "cpu",
      amount: 1,
      criterion: criteria.emptiest,
      onResult: (one) => had.push(one?.resource),
    });
    // The offers are in, the choice is not made.
    time.runUntil(50);
    manager("a").kill();
    time.runUntil(2000);
    expect(had).toEqual(["b.cpu"]);
    expect(manager("b").provider.ledgers[0]?.free).toBe(1);
    close();
  });

  test("takes back what it held and leased to one that dies", async () => {
    const { manager, time, close } = await kernels({ a: [cpu("a.cpu", 4)], x: [], y: [] });
    manager("x").requester.allocate({ kind: "cpu", amount: 1 });
    time.runUntil(500);
    manager("y").requester.allocate({ kind: "cpu", amount: 2 });
    time.runUntil(550);
    expect(manager("a").provider.ledgers[0]?.free).toBe(1);
    manager("x").kill();
    manager("y").kill();
    time.runUntil(550 + defaultTimes.leaseMs + 10);
    expect(manager("a").provider.ledgers[0]?.free).toBe(4);
    close();
  });

  test.each([1, 2, 3, 4])("never gives more than there is, whoever comes and dies: seed %i", async (seed) => {
    const random = createRandom(seed, "deeds");
    const { time, add, managers, checks, close } = await kernels({ seed: [cpu("seed.cpu", 3)] }, seed);
    for (let step = 0; step < 150; step++) {
      const all = [...managers.keys()];
      const name = all[random.below(all.length)] ?? "";
      const manager = managers.get(name) as Manager;
      const deed = random.next();
      if (deed < 0.1 || all.length < 3)
        add(`m${step}`, random.next() < 0.5 ? [] : [cpu(`m${step}.cpu`, 1 + random.below(5))]);
      else if (deed < 0.16) {
        if (random.next() < 0.5) manager.kill();
        else manager.leave();
        managers.delete(name);
      } else if (deed < 0.7)
        manager.requester.allocate({ kind: "cpu", amount: 1 + random.below(3), criterion: criteria.emptiest });
      else {
        const [key = ""] = manager.requester.allocations.keys();
        if (deed < 0.85) manager.requester.change(key, random.below(5));
        else manager.requester.release(key);
      }
      time.runUntil(time.now() + random.exponential(80));
    }
    expect(checks()).toBeGreaterThan(1000);
    // Without anybody who asks all comes back.
    for (const [name, manager] of [...managers]) {
      if (manager.provider.ledgers.length > 0) continue;
      manager.kill();
      managers.delete(name);
    }
    for (const manager of managers.values())
      for (const key of [...manager.requester.allocations.keys()]) manager.requester.release(key);
    time.runUntil(time.now() + 4000);
    for (const { provider } of managers.values())
      for (const { resource, free } of provider.ledgers)
        expect([resource.name, free]).toEqual([resource.name, resource.capacity]);
    close();
  });
});
