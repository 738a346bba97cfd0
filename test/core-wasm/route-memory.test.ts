/** What routes remember: duplicates, and who asked. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { attributesOf, counts, World } from "./route-world.ts";
import type { RouteInit } from "./routes.ts";

describe("unique", () => {
  test("the first of a key passes, later ones do not, until the time is over", () => {
    const world = new World();
    const sink = world.sink();
    const routes = world.bind(abi.STAGE_IN, { when: "type = 'response'", unique: { withinMs: 1000 } });
    let taken = 0;
    const respond = (key: string | undefined) => {
      world.publish({ type: "response", ...(key === undefined ? {} : { key }) });
      const got = sink.ids().length;
      taken += got;
      return got;
    };
    expect([respond("a"), respond("b"), respond("a"), respond(undefined), respond(undefined)]).toEqual([1, 1, 0, 1, 1]);
    world.harness.now += 999;
    expect(respond("a")).toBe(0);
    world.harness.now += 1;
    expect(respond("a")).toBe(1);
    expect(taken).toBe(5);
    expect(world.harness.core.routesStatistic(routes, 0, abi.ROUTE_DUPLICATES)).toBe(2);
    expect(world.harness.core.routesStatistic(routes, 0, abi.ROUTE_EVENTS)).toBe(7);
  });

  test("by an expression; a full memory forgets the oldest and counts it", () => {
    const world = new World();
    world.sink();
    const routes = world.bind(abi.STAGE_OUT, { unique: { by: "n", maxKeys: 100 } });
    const see = (n: number) => world.publish({ attributes: attributesOf({ n }) });
    for (let n = 0; n < 150; n++) expect(see(n)).toBe(1);
    expect(world.harness.core.routesStatistic(routes, 0, abi.ROUTE_EVICTED)).toBe(50);
    expect(world.harness.core.routesStatistic(routes, 0, abi.ROUTE_KEYS)).toBe(100);
    expect(see(149)).toBe(0);
    expect(see(0)).toBe(1);
  });

  test("a binding that replaces another with the same memory goes on with it", () => {
    const world = new World();
    const sink = world.sink({ load: 1 });
    const see = () => {
      world.publish({ key: "a" });
      return sink.ids().length;
    };
    world.bind(abi.STAGE_IN, { unique: {} });
    expect(see()).toBe(1);
    world.bind(abi.STAGE_IN, { where: "sink.load = 1", unique: {} });
    expect(see()).toBe(0);
    world.bind(abi.STAGE_IN, { unique: { withinMs: 10 } });
    expect(see()).toBe(1);
  });

  test("what every inbox refused may come again", () => {
    const world = new World();
    const { connection } = world.sink();
    connection.inbox(1, 1 << 20, abi.OVERFLOW_REJECT);
    world.bind(abi.STAGE_IN, { unique: {} });
    expect(world.publish({ key: "a" })).toBe(1);
    expect(world.source.receipt(world.channel, [{ type: "t", key: "b" }])[0]?.status).toBe(abi.STATUS_MAILBOX_FULL);
    expect(connection.events()).toHaveLength(1);
    expect(world.publish({ key: "b" })).toBe(1);
  });
});

describe("reply", () => {
  const reply: RouteInit = {
    when: "type = 'request'",
    orderBy: "sink.load",
    limit: 1,
    reply: { response: "type = 'response'" },
  };

  test("a response goes to the session that asked with its key, and to no other", () => {
    const world = new World();
    const [one, two] = [world.harness.open(), world.harness.open()];
    const clients = [one, two].map((connection) => {
      world.harness.source(connection, world.channel);
      return world.sink({}, connection);
    });
    const server = world.sink({ load: 0 });
    world.harness.source(server.connection, world.channel);
    const routes = world.bind(abi.STAGE_OUT, reply);
    expect(world.publish({ key: "k1" }, one)).toBe(1);
    expect(world.publish({ key: "k2" }, two)).toBe(1);
    expect(counts([server])).toEqual([2]);
    expect(world.publish({ type: "response", key: "k2" }, server.connection)).toBe(1);
    expect(counts(clients)).toEqual([0, 1]);
    expect(world.publish({ type: "response", key: "k1" }, server.connection)).toBe(1);
    expect(counts(clients)).toEqual([1, 0]);
    expect(world.publish({ type: "response", key: "unknown" }, server.connection)).toBe(0);
    expect(world.publish({ type: "response" }, server.connection)).toBe(0);
    expect(world.harness.core.routesStatistic(routes, 0, abi.ROUTE_UNANSWERED)).toBe(2);
    world.harness.now += 60_001;
    expect(world.publish({ type: "response", key: "k1" }, server.connection)).toBe(0);
  });

  test("whoever asked last with a key gets the response; one that has left gets none", () => {
    const world = new World();
    const [one, two] = [world.harness.open(), world.harness.open()];
    for (const connection of [one, two]) world.harness.source(connection, world.channel);
    const clients = [world.sink({}, one), world.sink({}, two)];
    world.bind(abi.STAGE_OUT, reply);
    world.publish({ key: "k" }, one);
    world.publish({ key: "k" }, two);
    for (const client of clients) client.ids();
    expect(world.publish({ type: "response", key: "k" })).toBe(1);
    expect(counts(clients)).toEqual([0, 1]);
    two.close();
    expect(world.publish({ type: "response", key: "k" })).toBe(0);
  });
});
