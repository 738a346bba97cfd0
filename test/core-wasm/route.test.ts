/** Routes: who gets an event, by the event and by the live attributes of every sink. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { attributesOf, counts, type Scalar, World } from "./route-world.ts";
import type { RouteInit } from "./routes.ts";

describe("where", () => {
  test("each sink is asked with its own attributes", () => {
    const world = new World();
    const sinks = [world.sink({ load: 0.5 }), world.sink({ load: 0.9 }), world.sink()];
    world.bind(abi.STAGE_OUT, { where: "sink.load < 0.8" });
    expect(world.publish()).toBe(1);
    expect(counts(sinks)).toEqual([1, 0, 0]);
    sinks[1]?.update({ load: 0.1 });
    expect(world.publish()).toBe(2);
    expect(counts(sinks)).toEqual([1, 1, 0]);
  });

  test("event and sink are compared", () => {
    const world = new World();
    const sinks = [world.sink({ zone: "eu" }), world.sink({ zone: "us" })];
    world.bind(abi.STAGE_OUT, { where: "sink.zone = zone" });
    world.publish({ attributes: attributesOf({ zone: "us" }) });
    expect(counts(sinks)).toEqual([0, 1]);
  });
});

describe("when", () => {
  test("the first route that applies decides; none: all candidates", () => {
    const world = new World();
    const sinks = [world.sink({ load: 1 }), world.sink({ load: 2 }), world.sink({ load: 3 })];
    world.bind(
      abi.STAGE_OUT,
      { when: "type = 'request'", orderBy: "sink.load", limit: 1 },
      { when: "type LIKE 're%'", orderBy: "sink.load", descending: true, limit: 1 },
    );
    expect(world.publish({ type: "request" })).toBe(1);
    expect(counts(sinks)).toEqual([1, 0, 0]);
    expect(world.publish({ type: "release" })).toBe(1);
    expect(counts(sinks)).toEqual([0, 0, 1]);
    expect(world.publish({ type: "other" })).toBe(3);
    expect(counts(sinks)).toEqual([1, 1, 1]);
  });
});

describe("orderBy and limit", () => {
  test.each<[string, RouteInit]>([
    ["kept in order", { orderBy: "sink.load", limit: 2 }],
    ["asked anew, because the event has a part in it", { orderBy: "sink.load + offset", limit: 2 }],
  ])("the n best, %s", (_name, route) => {
    const world = new World();
    const loads = [0.5, 0.2, 0.9, 0.1, 0.7];
    const sinks = loads.map((load) => world.sink({ load }));
    world.bind(abi.STAGE_OUT, route);
    const event = { attributes: attributesOf({ offset: 1 }) };
    expect(world.publish(event)).toBe(2);
    expect(counts(sinks)).toEqual([0, 1, 0, 1, 0]);
    sinks[2]?.update({ load: 0 });
    expect(world.publish(event)).toBe(2);
    expect(counts(sinks)).toEqual([0, 0, 1, 1, 0]);
    sinks[3]?.connection.close();
    expect(world.publish(event)).toBe(2);
    expect(counts(sinks.filter((_, index) => index !== 3))).toEqual([0, 1, 1, 0]);
  });

  test("descending, and sinks without the attribute, with text or NaN come last", () => {
    const world = new World();
    const sinks = [
      world.sink(),
      world.sink({ score: "high" }),
      world.sink({ score: Number.NaN }),
      world.sink({ score: Number.NEGATIVE_INFINITY }),
      world.sink({ score: 2 }),
      world.sink({ score: Number.POSITIVE_INFINITY }),
    ];
    world.bind(abi.STAGE_OUT, { orderBy: "sink.score", descending: true, limit: "copies" });
    const order: number[][] = [];
    for (let copies = 1; copies <= 6; copies++) {
      for (const sink of sinks.slice(3))
        sink.update({ score: sink === sinks[4] ? 2 : sink === sinks[5] ? Infinity : -Infinity });
      world.publish({ attributes: attributesOf({ copies }) });
      order.push(counts(sinks));
    }
    expect(order.slice(0, 3)).toEqual([
      [0, 0, 0, 0, 0, 1],
      [0, 0, 0, 0, 1, 1],
      [0, 0, 0, 1, 1, 1],
    ]);
    expect(order[5]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test.each<[string, Record<string, Scalar>, number]>([
    ["missing: no limit", {}, 3],
    ["NaN: no limit", { copies: Number.NaN }, 3],
    ["0: nobody", { copies: 0 }, 0],
    ["negative: nobody", { copies: -1 }, 0],
    ["a fraction is cut", { copies: 2.9 }, 2],
    ["a text that is a number", { copies: "1" }, 1],
    ["more than there are", { copies: 1e300 }, 3],
  ])("limit from the event: %s", (_name, attributes, want) => {
    const world = new World();
    for (const load of [1, 2, 3]) world.sink({ load });
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: "copies" });
    expect(world.publish({ attributes: attributesOf(attributes) })).toBe(want);
  });

  test("equal loads: fewest selections since the last update, then join order", () => {
    const world = new World();
    const sinks = [0, 1, 2, 3].map(() => world.sink({ load: 0.5 }));
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: 1 });
    const order: number[] = [];
    for (let i = 0; i < 8; i++) {
      world.publish();
      order.push(counts(sinks).indexOf(1));
    }
    expect(order).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    // An update lets a sink begin anew, even with an equal value.
    sinks[3]?.update({ load: 0.5 });
    world.publish();
    world.publish();
    expect(counts(sinks)).toEqual([0, 0, 0, 2]);
  });

  test("10,000 events over 4 equal sinks spread evenly", () => {
    const world = new World();
    const sinks = [0, 1, 2, 3].map(() => world.sink({ load: 0.5 }));
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: 1 });
    const total = [0, 0, 0, 0];
    for (let batch = 0; batch < 100; batch++) {
      world.source.publish(
        world.channel,
        Array.from({ length: 100 }, () => ({ type: "request" })),
      );
      for (const [index, count] of counts(sinks).entries()) total[index] = (total[index] ?? 0) + count;
    }
    expect(total).toEqual([2500, 2500, 2500, 2500]);
  });

  test("charge: each selection adds to the rank until the next update", () => {
    const world = new World();
    const sinks = [world.sink({ load: 0.1 }), world.sink({ load: 0.25 })];
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: 1, charge: 0.1 });
    const chosen = () => {
      world.publish();
      return counts(sinks).indexOf(1);
    };
    // 0.1, 0.2, then 0.3 against 0.25.
    expect([chosen(), chosen(), chosen()]).toEqual([0, 0, 1]);
    sinks[0]?.update({ load: 0.1 });
    expect(chosen()).toBe(0);
  });

  test("maxAgeMs: older ones rank after fresh ones, and come back with an update", () => {
    const world = new World();
    const sinks = [world.sink({ load: 0.1 }), world.sink({ load: 0.2 })];
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: 1, maxAgeMs: 1000 });
    world.harness.now += 600;
    sinks[1]?.update({ load: 0.9 });
    const chosen = () => {
      world.publish();
      return counts(sinks).indexOf(1);
    };
    expect(chosen()).toBe(0);
    world.harness.now += 600;
    expect(chosen()).toBe(1);
    world.harness.now += 600;
    // Both are old: by rank again.
    expect(chosen()).toBe(0);
    sinks[1]?.update({ load: 0.9 });
    expect(chosen()).toBe(1);
  });
});

describe("per", () => {
  test("queue groups: one of each group in turn, and who is in none gets all", () => {
    const world = new World();
    const sinks = [
      world.sink({ group: "a" }),
      world.sink({ group: "a" }),
      world.sink({ group: "b" }),
      world.sink({ group: "b" }),
      world.sink(),
    ];
    world.bind(abi.STAGE_OUT, { per: "sink.group", limit: 1 });
    expect(world.publish()).toBe(3);
    expect(counts(sinks)).toEqual([1, 0, 1, 0, 1]);
    expect(world.publish()).toBe(3);
    expect(counts(sinks)).toEqual([0, 1, 0, 1, 1]);
  });

  test("limit 0 is nobody, whatever the group", () => {
    const world = new World();
    world.sink({ group: "a" });
    world.sink();
    world.bind(abi.STAGE_OUT, { per: "sink.group", limit: 0 });
    expect(world.publish()).toBe(0);
  });
});

describe("choose", () => {
  test("hash keeps a key on one sink, and moves few keys when one leaves", () => {
    const world = new World();
    const sinks = Array.from({ length: 8 }, () => world.sink());
    world.bind(abi.STAGE_OUT, { choose: abi.CHOOSE_HASH });
    const place = (key: string): number => {
      expect(world.publish({ key })).toBe(1);
      return counts(sinks).indexOf(1);
    };
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}`);
    const before = keys.map(place);
    expect(keys.map(place)).toEqual(before);
    expect(new Set(before).size).toBe(8);
    const gone = sinks.splice(3, 1)[0];
    gone?.connection.close();
    const after = keys.map(place).map((index) => (index >= 3 ? index + 1 : index));
    for (const [index, where] of before.entries()) if (where !== 3) expect(after[index]).toBe(where);
  });

  test("random spreads over all, tied takes two", () => {
    const world = new World();
    const sinks = Array.from({ length: 4 }, () => world.sink());
    world.bind(abi.STAGE_OUT, { choose: abi.CHOOSE_RANDOM, limit: 1 });
    for (let i = 0; i < 400; i++) expect(world.publish()).toBe(1);
    for (const count of counts(sinks)) expect(count).toBeGreaterThan(60);
    world.bind(abi.STAGE_OUT, { choose: abi.CHOOSE_TIED });
    expect(world.publish()).toBe(2);
  });
});
