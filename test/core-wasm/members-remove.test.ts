import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

/** Removes members of a connection in one call. */
function remove(harness: Harness, connection: number, members: readonly number[]): number {
  const words = Uint32Array.from(members);
  harness.stage(new Uint8Array(words.buffer));
  return harness.core.membersRemove(connection, abi.STAGE_OFFSET, members.length);
}

describe("membersRemove()", () => {
  test("discards what waited for those that leave, and keeps the rest in order", () => {
    const harness = Harness.create();
    const channels = ["one", "two", "three", "four"].map((name) => harness.channel(name));
    const [source, sink] = [harness.open(), harness.open()];
    for (const channel of channels) harness.source(source, channel);
    const members = channels.map((channel) => harness.sink(sink, channel));
    const second = harness.sink(sink, channels[2] as number);
    for (const [index, channel] of [...channels, ...channels].entries())
      source.publish(channel, [{ type: `${index}` }]);
    expect(remove(harness, sink.id, members.slice(0, 3))).toBe(abi.STATUS_OK);
    // Of the third channel another member is left.
    expect(sink.events().map(({ type }) => type)).toEqual(["2", "3", "6", "7"]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(4);
    expect(channels.map((channel) => harness.core.channelSinks(channel))).toEqual([0, 0, 1, 1]);
    expect(remove(harness, sink.id, [second, members[3] as number])).toBe(abi.STATUS_OK);
    expect(harness.core.inboxEvents(sink.id)).toBe(0);
  });

  test("removes the others where one is unknown or another's, and says so", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    const [mine, theirs] = [harness.open(), harness.open()];
    const [own, others] = [harness.sink(mine, channel), harness.sink(theirs, channel)];
    expect(remove(harness, mine.id, [others, 999, own])).toBe(abi.STATUS_MEMBER_UNKNOWN);
    expect(harness.core.channelSinks(channel)).toBe(1);
    expect(remove(harness, 99, [own])).toBe(abi.STATUS_MEMBER_UNKNOWN);
  });

  test("goes through the inbox once: 2,000 members and 20,000 events take well below a second", () => {
    const harness = Harness.create();
    const [source, sink] = [harness.open(), harness.open()];
    const channels = Array.from({ length: 2_000 }, (_, at) => harness.channel(`c${at}`));
    const members = channels.map((channel) => harness.sink(sink, channel));
    for (const channel of channels) {
      harness.source(source, channel);
      source.publish(
        channel,
        Array.from({ length: 10 }, () => ({ type: "t" })),
      );
    }
    expect(harness.core.inboxEvents(sink.id)).toBe(20_000);
    const from = performance.now();
    remove(harness, sink.id, members.reverse());
    expect(performance.now() - from).toBeLessThan(500);
    expect(harness.core.inboxEvents(sink.id)).toBe(0);
  });
});

describe("an update of a number that stands for a pattern", () => {
  test("comes up to the host once its attributes are found well-formed; others are refused here", () => {
    const harness = Harness.create();
    const connection = harness.open();
    const update = (member: number, name = "load") => {
      const attributes = { [name]: { kind: { case: "boolean" as const, value: true } } };
      return connection.send({ kind: { case: "update", value: { member, attributes } } }).map(({ reason }) => reason);
    };
    expect(update(abi.MEMBER_PATTERN_MIN)).toEqual(["control"]);
    expect(update(0xffffffff)).toEqual(["control"]);
    expect(update(abi.MEMBER_PATTERN_MIN - 1)).toEqual(["problem"]);
    expect(update(abi.MEMBER_PATTERN_MIN, "Load")).toEqual(["problem"]);
  });
});
