/** The way through the stages: what sources carry, OUT, IN, echo, and events that nobody is selected for. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";
import { counts, World } from "./route-world.ts";
import { addRoutes, bindRoutes } from "./routes.ts";

describe("stages", () => {
  test("OUT leaves the submitter's own sinks to echo; IN narrows what OUT has left", () => {
    const world = new World(abi.CHANNEL_ECHO);
    const own = world.sink({ load: 0 }, world.source);
    const sinks = [world.sink({ load: 1, zone: "a" }), world.sink({ load: 2, zone: "b" }), world.sink({ load: 3 })];
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: 2 });
    world.bind(abi.STAGE_IN, { where: "sink.zone = 'b'" });
    // Receipts tell whom OUT has selected: two, and its own beside them.
    expect(world.publish()).toBe(3);
    expect(own.ids()).toHaveLength(1);
    expect(counts(sinks)).toEqual([0, 1, 0]);
    world.bind(abi.STAGE_IN);
    world.bind(abi.STAGE_OUT);
    expect(world.publish()).toBe(4);
  });

  test("receipts tell whom OUT has selected, whatever IN leaves of them", () => {
    const world = new World();
    const sinks = [1, 2, 3, 4].map((load) => world.sink({ load }));
    world.bind(abi.STAGE_IN, { limit: 0 });
    expect(world.publish()).toBe(4);
    world.bind(abi.STAGE_OUT, { where: "sink.load > 1" });
    expect(world.publish()).toBe(3);
    world.bind(abi.STAGE_IN, { orderBy: "sink.load", limit: 1 });
    expect(world.publish()).toBe(3);
    world.bind(abi.STAGE_OUT, { limit: 0 });
    expect(world.publish()).toBe(0);
    expect(counts(sinks)).toEqual([0, 1, 0, 0]);
  });

  test("a source's own filter runs before the channel's, for its events only", () => {
    const world = new World();
    const sinks = [1, 2, 3].map((load) => world.sink({ load }));
    world.bind(abi.STAGE_OUT, { orderBy: "sink.load", limit: 1 });
    const other = world.harness.open();
    const member = world.harness.source(other, world.channel);
    const carried = addRoutes(world.harness, [{ where: "sink.load > 1" }]);
    expect(world.harness.core.memberRoutes(member, abi.STAGE_OUT, carried)).toBe(abi.STATUS_OK);
    expect(world.publish({}, other)).toBe(1);
    expect(counts(sinks)).toEqual([0, 1, 0]);
    expect(world.publish()).toBe(1);
    expect(counts(sinks)).toEqual([1, 0, 0]);
    world.bind(abi.STAGE_OUT);
    expect(world.publish({}, other)).toBe(2);
    expect(world.publish()).toBe(3);
    expect(world.harness.core.memberRoutes(member, abi.STAGE_OUT, 0)).toBe(abi.STATUS_OK);
    expect(world.publish({}, other)).toBe(3);
  });

  test("what waits in the outbox of a source that has gone still goes through its filter", () => {
    const world = new World();
    const [blocker, even] = [world.sink({ n: 1 }), world.sink({ n: 2 })];
    blocker.connection.inbox(2, 1 << 20, abi.OVERFLOW_BLOCK);
    const leaver = world.harness.open();
    const member = world.harness.source(leaver, world.channel);
    world.publish();
    const carried = addRoutes(world.harness, [{ where: "sink.n = 2" }]);
    expect(world.harness.core.memberRoutes(member, abi.STAGE_OUT, carried)).toBe(abi.STATUS_OK);
    leaver.publish(world.channel, [{ type: "t", id: "late" }]);
    expect(even.ids()).toEqual(["1"]);
    leaver.close();
    expect(blocker.ids()).toEqual(["1"]);
    expect(even.ids()).toEqual(["late"]);
    expect(blocker.ids()).toEqual([]);
  });

  test("channelSet() neither binds nor unbinds", () => {
    const world = new World();
    const sinks = [world.sink(), world.sink()];
    world.harness.core.channelSet(world.channel, abi.CHANNEL_FILTERED, 4, 0);
    expect(world.publish()).toBe(2);
    world.bind(abi.STAGE_OUT, { limit: 1 });
    world.harness.core.channelSet(world.channel, 0, 4, 0);
    expect(world.publish()).toBe(1);
    expect(counts(sinks)).toEqual([2, 1]);
  });

  test("types and where of sinks come first", () => {
    const world = new World();
    const [first, second] = [world.harness.open(), world.harness.open()];
    world.harness.sink(first, world.channel, ["other"]);
    world.harness.sink(second, world.channel, ["request"]);
    world.bind(abi.STAGE_OUT, { limit: 1 });
    expect(world.publish()).toBe(1);
    expect([first.events().length, second.events().length]).toEqual([0, 1]);
  });
});

describe("empty", () => {
  test("hold: events wait for a sink that qualifies, in order, under their own sequence", () => {
    const world = new World();
    const { core } = world.harness;
    world.bind(abi.STAGE_OUT, { where: "sink.load < 0.5" });
    expect(core.channelEmpty(world.channel, abi.EMPTY_HOLD, 0)).toBe(abi.STATUS_OK);
    expect([world.publish(), world.publish({ key: "k" })]).toEqual([0, 0]);
    const sink = world.sink({ load: 0.9 });
    world.harness.dirty();
    expect(sink.ids()).toEqual([]);
    sink.update({ load: 0.1 });
    world.harness.dirty();
    const { deliveries } = sink.connection.drain();
    expect(deliveries.map(({ event, sequence }) => [event.id, Number(sequence)])).toEqual([
      ["1", 1],
      ["2", 2],
    ]);
    expect(world.publish()).toBe(1);
  });

  test("hold: no more than its limit, and not beyond their time", () => {
    const world = new World();
    expect(world.harness.core.channelEmpty(world.channel, abi.EMPTY_HOLD, 0)).toBe(abi.STATUS_OK);
    for (let i = 0; i < abi.EMPTY_HELD_MAX; i++) world.publish({ ttlMs: i < 10 ? 100n : 10_000n });
    expect(world.source.receipt(world.channel, [{ type: "t" }])[0]).toMatchObject({
      status: abi.STATUS_MAILBOX_FULL,
      limit: abi.EMPTY_HELD_MAX,
    });
    world.harness.now += 101;
    const sink = world.sink();
    world.source.send({ kind: { case: "credit", value: { events: 1n } } });
    world.harness.dirty();
    expect(sink.ids()).toHaveLength(abi.EMPTY_HELD_MAX - 10);
    expect(world.harness.statistic(abi.STATISTIC_DROPPED_LATE)).toBe(10);
  });

  test("divert: the event goes to another channel instead; a circle ends", () => {
    const world = new World();
    const { core } = world.harness;
    const other = world.harness.channel("other", { flags: 0 });
    const reader = world.harness.open();
    world.harness.sink(reader, other);
    expect(core.channelEmpty(world.channel, abi.EMPTY_DIVERT, other)).toBe(abi.STATUS_OK);
    world.publish();
    expect(reader.events().map(({ id }) => id)).toEqual(["1"]);
    reader.close();
    expect(core.channelEmpty(other, abi.EMPTY_DIVERT, world.channel)).toBe(abi.STATUS_OK);
    const refused = world.harness.statistic(abi.STATISTIC_REFUSED);
    world.publish();
    expect(world.harness.statistic(abi.STATISTIC_REFUSED)).toBe(refused + 1);
    expect(core.channelRemove(other)).toBe(abi.STATUS_OK);
    world.publish();
  });
});

describe("routesAdd()", () => {
  const refused = (bytes: Uint8Array): number => {
    const harness = Harness.create();
    expect(harness.core.routesAdd(abi.STAGE_OFFSET, harness.stage(bytes))).toBe(0);
    return harness.result(abi.RESULT_STATUS);
  };

  test("lists of a wrong size, and too many routes, are refused", () => {
    expect(refused(new Uint8Array(4))).toBe(abi.STATUS_MALFORMED);
    expect(refused(new Uint8Array(9))).toBe(abi.STATUS_MALFORMED);
    const many = new Uint8Array(8 + 65 * abi.ROUTE_RECORD_BYTES);
    many[0] = 65;
    expect(refused(many)).toBe(abi.STATUS_LIMIT);
  });

  test("a channel that ends frees everything that was bound to it and its members", () => {
    const harness = Harness.create();
    const pages = () => harness.statistic(abi.STATISTIC_PAGES_USED);
    let before = 0;
    for (let round = 0; round < 60; round++) {
      const channel = harness.channel("c", { flags: 0 });
      const connection = harness.open();
      const member = harness.member(connection, channel, abi.ROLE_SINK | abi.ROLE_SOURCE);
      bindRoutes(harness, channel, abi.STAGE_OUT, [
        { orderBy: "sink.load", limit: 1, unique: {}, reply: { response: "type = 'r'" } },
      ]);
      bindRoutes(harness, channel, abi.STAGE_IN, [{ where: `sink.n${round} = 1` }]);
      harness.core.memberRoutes(member, abi.STAGE_OUT, addRoutes(harness, [{ limit: 2 }]));
      harness.core.channelEmpty(channel, abi.EMPTY_HOLD, 0);
      connection.publish(
        channel,
        Array.from({ length: 200 }, (_, index) => ({ type: "t", key: String(index) })),
      );
      if (round % 2 === 0) connection.close();
      harness.core.channelRemove(channel);
      if (round % 2 === 1) connection.close();
      if (round === 5) before = pages();
    }
    expect(pages()).toBeLessThanOrEqual(before + 1);
  });
});
