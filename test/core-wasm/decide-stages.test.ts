/** Modules on the way of an event: at both stages, beside routes, carried by sources; and what becomes of what is for nobody. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import { encodeProjection, payloadOnly } from "../../host/core/decider.ts";
import { type DecideRecord, Harness } from "./harness.ts";
import { World } from "./route-world.ts";

/** Answers every record by itself; a list of slots is written as one. */
const each =
  (choose: (record: DecideRecord) => number | readonly number[]) =>
  (records: readonly DecideRecord[]): number[] => {
    const variable: number[] = [];
    const words = records.map((record) => {
      const chosen = choose(record);
      if (typeof chosen === "number") return chosen;
      const word = filterAbi.DECISION_LIST | (variable.length << 2);
      variable.push(chosen.length, ...chosen);
      return word;
    });
    return [...words, ...variable];
  };
const only = (...slots: number[]) => each(() => slots);

/** A channel with sinks of its own and a source. */
function world(sinks: number, flags = 0) {
  const made = new World(flags);
  return { ...made, world: made, harness: made.harness, channel: made.channel, all: make(made, sinks) };
}
const make = (made: World, sinks: number) => Array.from({ length: sinks }, (_, load) => made.sink({ load }));
const got = (sinks: { ids: () => string[] }[]) => sinks.map((sink) => sink.ids());

describe("stages", () => {
  test("IN chooses from what OUT has left, and is not asked about an event for nobody", () => {
    const { world: made, harness, channel, all } = world(4);
    const decider = harness.decide(channel, payloadOnly, abi.STAGE_OUT);
    expect(harness.core.channelDecider(channel, abi.STAGE_IN, decider)).toBe(abi.STATUS_OK);
    const seen: unknown[] = [];
    harness.decider = (records, { stage }) => {
      seen.push([stage, ...records.map(({ id, slots }) => [id, slots])]);
      return stage === abi.STAGE_OUT ? each(({ id }) => (id === "2" ? [] : [1, 3]))(records) : only(3)(records);
    };
    made.source.publish(
      channel,
      ["1", "2", "3"].map((id) => ({ type: "t", id })),
    );
    expect(seen).toEqual([
      [abi.STAGE_OUT, ["1", undefined], ["2", undefined], ["3", undefined]],
      [abi.STAGE_IN, ["1", [1, 3]], ["3", [1, 3]]],
    ]);
    expect(got(all)).toEqual([[], [], [], ["1", "3"]]);
  });

  test("routes before a module narrow what it sees, routes behind it what it has chosen", () => {
    const { world: made, harness, channel, all } = world(4);
    made.bind(abi.STAGE_OUT, { where: "sink.load > 0" });
    harness.decide(channel, payloadOnly, abi.STAGE_IN);
    harness.decider = (records) => {
      expect(records[0]?.slots).toEqual([1, 2, 3]);
      return only(1, 3)(records);
    };
    // Receipts tell whom OUT has selected.
    expect(made.publish()).toBe(3);
    harness.undecide(channel, abi.STAGE_IN);
    made.bind(abi.STAGE_OUT);
    harness.decide(channel, payloadOnly, abi.STAGE_OUT);
    made.bind(abi.STAGE_IN, { orderBy: "sink.load", limit: 1 });
    harness.decider = only(2, 3);
    expect(made.publish()).toBe(2);
    expect(got(all)).toEqual([[], ["1"], ["2"], ["1"]]);
  });

  test("receipts tell whom a module of OUT has selected, whatever one of IN leaves of them", () => {
    const { world: made, harness, channel, all } = world(4);
    harness.decide(channel, payloadOnly, abi.STAGE_OUT);
    harness.decide(channel, payloadOnly, abi.STAGE_IN);
    const answers = [only(0, 1, 3), only(3)];
    harness.decider = (records) => (answers.shift() ?? only())(records);
    expect(made.publish()).toBe(3);
    expect(got(all)).toEqual([[], [], [], ["1"]]);
    answers.push(only(0, 2), only());
    expect(made.publish()).toBe(2);
    answers.push(only());
    expect(made.publish()).toBe(0);
    expect(got(all)).toEqual([[], [], [], []]);
  });

  test("a stage has routes or a module: binding the one ends the other", () => {
    const { world: made, harness, channel, all } = world(2);
    made.bind(abi.STAGE_OUT, { limit: 0 });
    harness.decide(channel);
    expect(made.publish()).toBe(2);
    made.bind(abi.STAGE_OUT, { limit: 1 });
    expect(made.publish()).toBe(1);
    expect(harness.batches).toHaveLength(1);
    expect(got(all)).toEqual([["1", "2"], ["1"]]);
  });

  test("what a source carries comes before the channel's, and is asked about its events only", () => {
    const { world: made, harness, channel, all } = world(3);
    const member = 1;
    const own = harness.addDecider();
    expect(harness.core.memberDecider(member, abi.STAGE_OUT, own)).toBe(abi.STATUS_OK);
    harness.core.deciderRelease(own);
    const other = harness.open();
    harness.source(other, channel);
    harness.decide(channel);
    harness.decider = (records, batch) => (batch.own ? only(0, 1)(records) : only(1)(records));
    expect(made.publish({ id: "own" })).toBe(1);
    harness.decider = (records, batch) => {
      expect(batch.own).toBe(false);
      return only(2)(records);
    };
    expect(made.publish({ id: "other" }, other)).toBe(1);
    expect(got(all)).toEqual([[], ["own"], ["other"]]);
    expect(harness.batches.map((batch) => batch.own)).toEqual([true, false, false]);
    expect(harness.batches[1]?.records[0]?.slots).toEqual([0, 1]);
  });

  test("own sinks are no candidates: they follow echo, but for an event that is dropped", () => {
    const { world: made, harness, channel, all } = world(1, abi.CHANNEL_ECHO);
    const mine = made.sink({}, made.source);
    harness.decide(channel);
    harness.decider = (records) => {
      expect(records[0]?.slots).toEqual([0]);
      return only()(records);
    };
    made.publish();
    harness.decider = (records) => records.map(() => filterAbi.DECISION_DROP);
    made.publish();
    harness.core.channelSet(channel, 0, 4, 0);
    harness.decider = (records) => records.map(() => filterAbi.DECISION_ALL);
    made.publish();
    expect(got([...all, mine])).toEqual([["3"], ["1"]]);
  });
});

describe("events for nobody", () => {
  test("are held and asked about again when a sink updates, in their order", () => {
    const { world: made, harness, channel, all } = world(1);
    harness.core.channelEmpty(channel, abi.EMPTY_HOLD, 0);
    harness.decide(channel);
    harness.decider = only();
    for (const id of ["1", "2", "3"]) expect(made.publish({ id })).toBe(0);
    harness.decider = each(({ id }) => (id === "2" ? [] : [0]));
    harness.dirty();
    all[0]?.update({ load: 5 });
    harness.dirty();
    expect(got(all)).toEqual([["1", "3"]]);
    harness.decider = (records) => records.map(() => filterAbi.DECISION_ALL);
    all[0]?.update({ load: 6 });
    harness.dirty();
    expect(got(all)).toEqual([["2"]]);
    const asked = harness.batches.map(({ records }) => records.map(({ id }) => id).join());
    expect(asked).toEqual(["1", "2", "3", "1,2,3", "2"]);
  });

  test("more than a batch of them are all asked about, in order", () => {
    const { world: made, harness, channel, all } = world(1);
    harness.core.channelEmpty(channel, abi.EMPTY_HOLD, 0);
    harness.decide(channel);
    harness.decider = only();
    const ids = Array.from({ length: 700 }, (_, index) => `${index}`);
    made.source.publish(
      channel,
      ids.map((id) => ({ type: "t", id })),
    );
    harness.decider = (records) => records.map(() => filterAbi.DECISION_ALL);
    all[0]?.update({ load: 1 });
    harness.dirty();
    expect(got(all)).toEqual([ids]);
  });

  test("are diverted, as are those that the host itself says so of", () => {
    const { world: made, harness, channel, all } = world(1);
    const [target, listener] = [harness.channel("target"), harness.open()];
    harness.sink(listener, target);
    harness.core.channelEmpty(channel, abi.EMPTY_DIVERT, target);
    harness.decide(channel);
    harness.decider = only();
    made.publish({ id: "empty" });
    harness.core.channelEmpty(channel, abi.EMPTY_DROP, target);
    made.publish({ id: "nobody" });
    harness.decider = (records) => records.map(() => filterAbi.DECISION_DIVERT);
    made.publish({ id: "said" });
    expect(listener.events().map(({ id }) => id)).toEqual(["empty", "said"]);
    expect(got(all)).toEqual([[]]);
  });

  test("that two channels divert to each other end somewhere", () => {
    const { world: made, harness, channel } = world(1);
    const target = harness.channel("target");
    harness.sink(harness.open(), target);
    for (const [from, to] of [
      [channel, target],
      [target, channel],
    ] as const) {
      harness.core.channelEmpty(from, abi.EMPTY_DROP, to);
      harness.decide(from);
    }
    harness.decider = (records) => records.map(() => filterAbi.DECISION_DIVERT);
    made.publish();
    expect(harness.batches).toHaveLength(5);
    expect(harness.statistic(abi.STATISTIC_REFUSED)).toBe(1);
    expect(harness.statistic(abi.STATISTIC_PARKED)).toBe(0);
  });

  test("dropped by a word they are not held", () => {
    const { world: made, harness, channel } = world(1);
    harness.core.channelEmpty(channel, abi.EMPTY_HOLD, 0);
    harness.decide(channel);
    harness.decider = (records) => records.map(() => filterAbi.DECISION_DROP);
    made.publish();
    harness.decider = (records) => records.map(() => filterAbi.DECISION_ALL);
    harness.sink(harness.open(), channel);
    harness.dirty();
    expect(harness.batches).toHaveLength(1);
  });
});

describe("what is not decided yet", () => {
  test("waits, and comes again in order with those behind it", () => {
    const { world: made, harness, channel, all } = world(2);
    harness.decide(channel);
    harness.decider = () => undefined;
    made.source.publish(
      channel,
      ["1", "2", "3"].map((id) => ({ type: "t", id })),
    );
    const ids = () => harness.next()?.records.map(({ id }) => id);
    expect(ids()).toEqual(["1", "2", "3"]);
    const { DECISION_ALL, DECISION_DROP, DECISION_NONE } = filterAbi;
    expect(harness.answer([DECISION_ALL, DECISION_NONE, DECISION_ALL])).toBe(abi.STATUS_DECISION);
    expect(harness.result(abi.RESULT_INDEX)).toBe(1);
    expect(harness.result(abi.RESULT_REASON)).toBe(abi.REASON_DECIDE);
    expect(ids()).toEqual(["2", "3"]);
    expect(harness.answer([DECISION_DROP, DECISION_ALL])).toBe(abi.STATUS_OK);
    expect(harness.result(abi.RESULT_REASON)).toBe(abi.REASON_DONE);
    expect(ids()).toBeUndefined();
    expect(got(all)).toEqual([
      ["1", "3"],
      ["1", "3"],
    ]);
  });

  test("meets the decider that is bound when it is presented, or none", () => {
    for (const next of ["another", "none"]) {
      const { world: made, harness, channel, all } = world(1);
      const first = harness.decide(channel);
      harness.decider = () => undefined;
      made.source.publish(channel, [{ type: "t", id: "1" }]);
      expect(harness.batches[0]?.decider).toBe(first);
      const second = next === "none" ? harness.undecide(channel) : harness.decide(channel);
      expect(harness.next()?.decider).toBe(second);
      if (next !== "none") harness.answer([filterAbi.DECISION_ALL]);
      made.source.publish(channel, [{ type: "t", id: "2" }]);
      if (next !== "none") harness.answer([filterAbi.DECISION_ALL]);
      expect(got(all), next).toEqual([["1", "2"]]);
    }
  });

  test("a sink that comes or goes after the batch was presented has it presented anew", () => {
    const { world: made, harness, channel, all } = world(2);
    harness.decide(channel);
    harness.decider = () => undefined;
    made.source.publish(channel, [{ type: "t", id: "1" }]);
    harness.next();
    all[0]?.connection.close();
    const late = harness.open();
    const member = harness.sink(late, channel);
    expect(harness.answer([filterAbi.DECISION_ALL])).toBe(abi.STATUS_OK);
    const again = harness.next();
    expect(again?.records[0]?.sinks).toEqual([
      { member: all[1]?.member, slot: 1 },
      { member, slot: 0 },
    ]);
    harness.answer([filterAbi.DECISION_LIST, 1, 0]);
    expect(late.events().map(({ id }) => id)).toEqual(["1"]);
    expect(got(all.slice(1))).toEqual([[]]);
  });
});

describe("limits", () => {
  test("a channel with a module has 4,096 sinks, and no module comes to one with more", () => {
    const harness = Harness.create({ poolBytes: 64 * 1024 * 1024 });
    const channel = harness.channel("c");
    const connection = harness.open();
    for (let sinks = 0; sinks < filterAbi.DECIDER_SINKS_MAX; sinks++) harness.sink(connection, channel);
    harness.decide(channel);
    expect(harness.sink(connection, channel)).toBe(0);
    expect(harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_DECIDER_SINKS);
    expect(harness.result(abi.RESULT_LIMIT)).toBe(4096);
    const source = harness.open();
    harness.source(source, channel);
    harness.decider = each(() => [4095, 0, 4095]);
    expect(source.receipt(channel, [{ type: "t" }])).toMatchObject([{ sinks: 2 }]);
    harness.undecide(channel);
    expect(harness.sink(connection, channel)).not.toBe(0);
    const decider = harness.addDecider();
    expect(harness.core.channelDecider(channel, abi.STAGE_OUT, decider)).toBe(abi.STATUS_DECIDER_SINKS);
    expect(harness.result(abi.RESULT_VALUE)).toBe(4097);
  });

  test("a module belongs to one channel as long as it is bound", () => {
    const harness = Harness.create();
    const [first, second] = [harness.channel("first"), harness.channel("second")];
    const decider = harness.addDecider();
    expect(harness.core.channelDecider(first, abi.STAGE_OUT, decider)).toBe(abi.STATUS_OK);
    expect(harness.core.channelDecider(second, abi.STAGE_OUT, decider)).toBe(abi.STATUS_LIMIT);
    harness.undecide(first);
    expect(harness.core.channelDecider(second, abi.STAGE_OUT, decider)).toBe(abi.STATUS_OK);
  });

  test("a channel and its sources have 64 modules together", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    for (let index = 0; index < filterAbi.DECIDERS_MAX; index++) {
      const member = harness.source(harness.open(), channel);
      expect(harness.core.memberDecider(member, abi.STAGE_OUT, harness.addDecider())).toBe(abi.STATUS_OK);
    }
    expect(harness.core.channelDecider(channel, abi.STAGE_OUT, harness.addDecider())).toBe(abi.STATUS_LIMIT);
  });

  test.each([
    ["too many attributes", (view: DataView) => view.setUint32(0, 65, true), abi.STATUS_LIMIT],
    ["too many columns", (view: DataView) => view.setUint32(4, 33, true), abi.STATUS_LIMIT],
    ["an attribute that is not there", (view: DataView) => view.setUint32(0, 2, true), abi.STATUS_MALFORMED],
    ["a field that is none", (view: DataView) => view.setUint16(16, 10, true), abi.STATUS_MALFORMED],
    ["a name without a letter", (view: DataView) => view.setUint16(18, 0, true), abi.STATUS_MALFORMED],
    ["a name beyond the end", (view: DataView) => view.setUint16(18, 5, true), abi.STATUS_MALFORMED],
  ])("%s is refused", (_name, spoil, status) => {
    const harness = Harness.create();
    const bytes = encodeProjection({ attributes: [{ name: "load" }], payloadBytes: 0, columns: [] });
    spoil(new DataView(bytes.buffer));
    expect(harness.core.deciderAdd(abi.STAGE_OFFSET, harness.stage(bytes))).toBe(0);
    expect(harness.result(abi.RESULT_STATUS)).toBe(status);
  });
});

test("what goes while events wait takes nothing along that they need", () => {
  for (const what of ["source", "channel", "member's module"]) {
    const { world: made, harness, channel, all } = world(1);
    const own = harness.addDecider();
    harness.core.memberDecider(1, abi.STAGE_IN, own);
    harness.core.deciderRelease(own);
    harness.decider = () => undefined;
    made.source.publish(channel, [{ type: "t", id: "1" }]);
    if (what === "source") made.source.close();
    if (what === "channel") harness.core.channelRemove(channel);
    if (what === "member's module") harness.core.memberDecider(1, abi.STAGE_IN, 0);
    harness.decider = (records) => records.map(() => filterAbi.DECISION_ALL);
    harness.decideAll();
    expect(got(all), what).toEqual([what === "channel" ? [] : ["1"]]);
    expect(harness.statistic(abi.STATISTIC_PARKED)).toBe(0);
  }
});
