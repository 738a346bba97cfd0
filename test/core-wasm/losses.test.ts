import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

/** What sinks of a channel lost: overflow, late, cancelled, left. */
function lost(harness: Harness, channel: number): number[] {
  return Array.from({ length: abi.DROPPED_REASONS }, (_, reason) => harness.core.channelLost(channel, reason));
}

describe("channelLost()", () => {
  test("counts what overflowed by the channel of the event that gave way", () => {
    const harness = Harness.create();
    const [one, two] = [harness.channel("one"), harness.channel("two")];
    const [source, sink] = [harness.open(), harness.open()];
    for (const channel of [one, two]) {
      harness.source(source, channel);
      harness.sink(sink, channel);
    }
    harness.core.inboxSet(sink.id, 2, 1_000_000, abi.OVERFLOW_DROP_OLDEST);
    source.publish(one, [{ type: "1" }, { type: "2" }, { type: "3" }]);
    source.publish(two, [{ type: "4" }, { type: "5" }, { type: "6" }]);
    expect(lost(harness, one)).toEqual([3, 0, 0, 0, 0, 0, 0]);
    expect(lost(harness, two)).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(4);
  });

  test("counts what waited for a member that leaves, and for a connection that closes", () => {
    const harness = Harness.create();
    const [one, two] = [harness.channel("one"), harness.channel("two")];
    const [source, sink] = [harness.open(), harness.open()];
    for (const channel of [one, two]) harness.source(source, channel);
    const leaving = harness.sink(sink, one);
    harness.sink(sink, two);
    source.publish(one, [{ type: "1" }]);
    source.publish(two, [{ type: "2" }, { type: "3" }]);
    harness.core.memberRemove(sink.id, leaving);
    expect([lost(harness, one), lost(harness, two)]).toEqual([
      [0, 0, 0, 1, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0],
    ]);
    sink.close();
    expect(lost(harness, two)).toEqual([0, 0, 0, 2, 0, 0, 0]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(3);
  });

  test("is 0 for channels and reasons that are not there, and begins anew with the channel", () => {
    const harness = Harness.create();
    const channel = harness.channel("c");
    expect(lost(harness, 99)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(harness.core.channelLost(channel, abi.DROPPED_REASONS)).toBe(0);
    expect(harness.core.channelLost(channel, 0xffffffff)).toBe(0);
    const [source, sink] = [harness.open(), harness.open()];
    harness.source(source, channel);
    harness.sink(sink, channel);
    source.publish(channel, [{ type: "1" }]);
    sink.close();
    expect(lost(harness, channel)).toEqual([0, 0, 0, 1, 0, 0, 0]);
    harness.core.channelRemove(channel);
    expect(lost(harness, channel)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    for (let round = 0; round < 5; round++) {
      const fresh = harness.channel(`c${round}`);
      expect(lost(harness, fresh)).toEqual([0, 0, 0, 0, 0, 0, 0]);
      harness.core.channelRemove(fresh);
    }
  });
});

describe("channelAdd()", () => {
  test("goes on with the sequence of the channel that had the number before, so that derived ids never repeat", () => {
    const harness = Harness.create();
    const seen = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const channel = harness.channel("again");
      const source = harness.open();
      harness.source(source, channel);
      for (const { sequence } of source.receipt(channel, [{ type: "1" }, { type: "2" }])) {
        const id = `${channel}-${sequence}`;
        expect(seen.has(id), id).toBe(false);
        seen.add(id);
      }
      source.close();
      harness.core.channelRemove(channel);
    }
    expect(seen.size).toBe(12);
  });
});
