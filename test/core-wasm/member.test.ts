import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { type Update, UpdateSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { typeList } from "./frames.ts";
import { Harness } from "./harness.ts";

/** Attributes of a member as the host reads them. */
function attributes(harness: Harness, member: number): Update["attributes"] {
  const bytes = harness.core.memberAttributes(member, abi.OUT_OFFSET);
  return fromBinary(UpdateSchema, harness.memory.slice(abi.OUT_OFFSET, abi.OUT_OFFSET + bytes)).attributes;
}

const number = (value: number) => ({ kind: { case: "number" as const, value } });
const text = (value: string) => ({ kind: { case: "text" as const, value } });

describe("who receives", () => {
  test("echo: the submitter's own sinks receive only where the channel says so", () => {
    for (const [flags, want] of [
      [abi.CHANNEL_ECHO, 1],
      [0, 0],
    ] as const) {
      const harness = Harness.create();
      const channel = harness.channel("c", { flags });
      const [both, other] = [harness.open(), harness.open()];
      harness.member(both, channel, abi.ROLE_SINK | abi.ROLE_SOURCE);
      harness.sink(other, channel);
      expect(both.receipt(channel, [{ type: "t" }])[0]?.sinks).toBe(1 + want);
      expect(both.events()).toHaveLength(want);
      expect(other.events()).toHaveLength(1);
    }
  });

  test("a source that is no sink receives nothing", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const source = harness.open();
    harness.source(source, channel);
    source.publish(channel, [{ type: "t" }]);
    expect(source.events()).toEqual([]);
  });

  test.each([
    { name: "no types", types: undefined, want: ["a", "ab", "b"] },
    { name: "an empty list of types", types: [], want: ["a", "ab", "b"] },
    { name: "one type", types: ["a"], want: ["a"] },
    { name: "two types", types: ["b", "a"], want: ["a", "b"] },
    { name: "a type that nobody says", types: ["x"], want: [] },
    { name: "the longest type", types: ["t".repeat(abi.TYPE_BYTES_MAX)], want: [] },
  ])("a sink with $name", ({ types, want }) => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(sink, channel, types);
    source.publish(channel, [{ type: "a" }, { type: "ab" }, { type: "b" }]);
    expect(sink.events().map((event) => event.type)).toEqual(want);
  });

  test("memberTypes() replaces the types for later events only", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    const member = harness.sink(sink, channel, ["a"]);
    source.publish(channel, [{ type: "a" }, { type: "b" }]);
    harness.core.memberTypes(member, abi.STAGE_OFFSET, 0);
    source.publish(channel, [{ type: "a" }, { type: "b" }]);
    expect(sink.events().map((event) => event.type)).toEqual(["a", "a", "b"]);
  });

  test("more than TYPES_MAX types are refused with that limit, a longer type as well", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const member = harness.sink(harness.open(), channel);
    const many = Array.from({ length: abi.TYPES_MAX + 1 }, (_, index) => `t${index}`);
    harness.stage(typeList(many));
    expect(harness.core.memberTypes(member, abi.STAGE_OFFSET, many.length)).toBe(abi.STATUS_LIMIT);
    expect(harness.result(abi.RESULT_LIMIT)).toBe(abi.TYPES_MAX);
    expect(harness.core.memberTypes(member, abi.STAGE_OFFSET, abi.TYPES_MAX)).toBe(abi.STATUS_OK);
    harness.stage(typeList(["t".repeat(abi.TYPE_BYTES_MAX + 1)]));
    expect(harness.core.channelTypes(channel, abi.STAGE_OFFSET, 1)).toBe(abi.STATUS_TYPE_TOO_LONG);
  });

  test("a late joiner gets no replay", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    source.publish(channel, [{ type: "before" }]);
    harness.sink(sink, channel);
    source.publish(channel, [{ type: "after" }]);
    expect(sink.drain().deliveries.map(({ event, sequence, number: n }) => [event.type, sequence, n])).toEqual([
      ["after", 2n, 1n],
    ]);
  });
});

describe("several memberships of one session", () => {
  test("share one entry per event, and the member for which it came is told", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    const [a, b] = [harness.sink(sink, channel, ["a"]), harness.sink(sink, channel, ["b"])];
    const records = source.receipt(channel, [{ type: "a" }, { type: "b" }, { type: "x" }]);
    expect(records.map((record) => record.sinks)).toEqual([1, 1, 0]);
    expect(sink.drain().deliveries.map(({ member, event }) => [member, event.type])).toEqual([
      [a, "a"],
      [b, "b"],
    ]);
  });

  test("an event that both accept comes once, counts both as sinks, and names one of them", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    const members = [harness.sink(sink, channel), harness.sink(sink, channel)];
    expect(source.receipt(channel, [{ type: "t" }])[0]?.sinks).toBe(2);
    const { deliveries } = sink.drain();
    expect(deliveries).toHaveLength(1);
    expect(members).toContain(deliveries[0]?.member);
  });

  test("one membership is not told", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(sink, channel);
    source.publish(channel, [{ type: "t" }]);
    expect(sink.drain().deliveries.map((delivery) => delivery.member)).toEqual([0]);
  });
});

describe("sources of a single channel", () => {
  test("a second source is refused with STATUS_SOURCE_TAKEN, from the same session too", () => {
    const harness = Harness.create();
    const channel = harness.channel("c", { flags: abi.CHANNEL_SINGLE });
    const [first, second] = [harness.open(), harness.open()];
    expect(harness.source(first, channel)).not.toBe(0);
    for (const connection of [first, second]) {
      expect(harness.source(connection, channel)).toBe(0);
      expect(harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_SOURCE_TAKEN);
      expect(harness.member(connection, channel, abi.ROLE_SINK | abi.ROLE_SOURCE)).toBe(0);
    }
    expect(harness.core.channelSources(channel)).toBe(1);
    expect(harness.core.channelSinks(channel)).toBe(0);
  });

  test("the place is free again after leaving, closing, and never taken by sinks", () => {
    const harness = Harness.create();
    const channel = harness.channel("c", { flags: abi.CHANNEL_SINGLE });
    const [first, second, third] = [harness.open(), harness.open(), harness.open()];
    harness.sink(third, channel);
    expect(harness.core.memberRemove(first.id, harness.source(first, channel))).toBe(abi.STATUS_OK);
    expect(harness.source(second, channel)).not.toBe(0);
    second.close();
    expect(harness.source(third, channel)).not.toBe(0);
  });
});

describe("live attributes", () => {
  test("merge, replace and remove, and are read back as fields 2 of an Update", () => {
    const harness = Harness.create();
    const connection = harness.open();
    const member = harness.sink(connection, harness.channel("c"));
    const update = (
      attributesSet: Record<string, ReturnType<typeof number> | ReturnType<typeof text>>,
      remove: string[] = [],
    ) => connection.send({ ref: 9, kind: { case: "update", value: { member, attributes: attributesSet, remove } } });
    expect(update({ load: number(0.5), zone: text("eu") })).toEqual([{ reason: "answer", ref: 9 }]);
    expect(attributes(harness, member)).toMatchObject({ load: number(0.5), zone: text("eu") });
    update({ load: number(0.25) });
    update({ free: text("") }, ["zone"]);
    const now = attributes(harness, member);
    expect(Object.keys(now).sort()).toEqual(["free", "load"]);
    expect(now).toMatchObject({ load: number(0.25), free: text("") });
  });

  test.each([
    { name: "another connection's member", status: abi.STATUS_MEMBER_UNKNOWN, member: "other", update: {} },
    { name: "no member at all", status: abi.STATUS_MEMBER_UNKNOWN, member: 999, update: {} },
    { name: "a wrong name", status: abi.STATUS_ATTRIBUTE_NAME, update: { attributes: { Load: number(1) } } },
    {
      name: "too many attributes",
      status: abi.STATUS_ATTRIBUTES_MANY,
      update: {
        attributes: Object.fromEntries(Array.from({ length: abi.ATTRIBUTES_MAX + 1 }, (_, i) => [`a${i}`, number(i)])),
      },
    },
    {
      name: "too many bytes",
      status: abi.STATUS_ATTRIBUTES_TOO_LARGE,
      update: { attributes: { big: text("x".repeat(abi.MEMBER_ATTRIBUTES_BYTES_MAX)) } },
    },
  ])("an update of $name is refused and changes nothing", ({ status, member, update }) => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [mine, theirs] = [harness.open(), harness.open()];
    const [own, other] = [harness.sink(mine, channel), harness.sink(theirs, channel)];
    const value = { member: member === undefined ? own : member === "other" ? other : Number(member), ...update };
    expect(mine.send({ ref: 3, kind: { case: "update", value } })).toMatchObject([
      { reason: "problem", ref: 3, status },
    ]);
    expect(attributes(harness, own)).toEqual({});
    expect(attributes(harness, other)).toEqual({});
  });

  test("memberUpdate() does as the frame does", () => {
    const harness = Harness.create();
    const connection = harness.open();
    const member = harness.sink(connection, harness.channel("c"));
    const bytes = toBinary(UpdateSchema, create(UpdateSchema, { member, attributes: { load: number(2) } }));
    expect(harness.core.memberUpdate(connection.id, abi.STAGE_OFFSET, harness.stage(bytes), harness.now)).toBe(
      abi.STATUS_OK,
    );
    expect(attributes(harness, member)).toMatchObject({ load: number(2) });
    expect(harness.core.memberUpdate(connection.id + 1, abi.STAGE_OFFSET, bytes.length, harness.now)).toBe(
      abi.STATUS_MEMBER_UNKNOWN,
    );
  });
});

describe("leaving", () => {
  test("memberRemove() is refused for another connection's member", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [mine, theirs] = [harness.open(), harness.open()];
    const member = harness.sink(mine, channel);
    expect(harness.core.memberRemove(theirs.id, member)).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.channelSinks(channel)).toBe(1);
  });

  test("what was queued for the member is discarded and counted, the rest stays in order", () => {
    const harness = Harness.create();
    const [one, two] = [harness.channel("one"), harness.channel("two")];
    const [source, sink] = [harness.open(), harness.open()];
    for (const channel of [one, two]) harness.source(source, channel);
    const leaving = harness.sink(sink, one);
    harness.sink(sink, two);
    source.publish(one, [{ type: "1" }, { type: "2" }]);
    source.publish(two, [{ type: "3" }]);
    source.publish(one, [{ type: "4" }]);
    source.publish(two, [{ type: "5" }]);
    expect(harness.core.memberRemove(sink.id, leaving)).toBe(abi.STATUS_OK);
    source.publish(one, [{ type: "6" }]);
    const { deliveries } = sink.drain();
    expect(deliveries.map(({ event, number: n }) => [event.type, n])).toEqual([
      ["3", 1n],
      ["5", 2n],
    ]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(3);
    expect(harness.core.inboxEvents(sink.id)).toBe(0);
    expect(harness.core.inboxBytes(sink.id)).toBe(0);
  });

  test("closing a connection discards and counts what waited, ends its memberships and frees its id", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink, other] = [harness.open(), harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(sink, channel);
    harness.sink(other, channel);
    source.publish(channel, [{ type: "1" }, { type: "2" }]);
    sink.close();
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(2);
    expect(harness.core.channelSinks(channel)).toBe(1);
    expect(source.receipt(channel, [{ type: "3" }])[0]?.sinks).toBe(1);
    expect(other.events().map((event) => event.type)).toEqual(["1", "2", "3"]);
    expect(harness.statistic(abi.STATISTIC_CONNECTIONS)).toBe(2);
    const fresh = harness.open();
    harness.sink(fresh, channel);
    source.publish(channel, [{ type: "4" }]);
    expect(fresh.drain().deliveries.map(({ event, number: n }) => [event.type, n])).toEqual([["4", 1n]]);
  });

  test("removing a channel ends its memberships, discards and counts what was undelivered", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(sink, channel);
    source.publish(channel, [{ type: "1" }]);
    expect(harness.core.channelRemove(channel)).toBe(abi.STATUS_OK);
    expect(harness.statistic(abi.STATISTIC_MEMBERS)).toBe(0);
    expect(harness.statistic(abi.STATISTIC_CHANNELS)).toBe(0);
    expect(sink.drain().deliveries).toEqual([]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(1);
  });
});
