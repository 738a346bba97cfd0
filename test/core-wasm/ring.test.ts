/** Channels that store: what a late joiner gets, what a recovery can promise, and that neither leaks nor lies. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import type { TestConnection } from "./connection.ts";
import { Harness, type HarnessOptions } from "./harness.ts";
import { data } from "./stalled.ts";

const BYTES = 16 * 1024 * 1024;

/** A channel that stores, with one source. */
function storing(events: number, options: HarnessOptions = {}, bytes = BYTES) {
  const harness = Harness.create(options);
  const channel = harness.channel("c");
  expect(harness.core.channelStore(channel, events, bytes)).toBe(abi.STATUS_OK);
  const source = harness.open();
  harness.source(source, channel);
  let id = 0;
  const publish = (count: number, bytesEach = 8, type = "t"): void => {
    for (let index = 0; index < count; index++)
      source.publish(channel, [{ type, id: String(id), data: data(id++, bytesEach) }]);
  };
  /** Joins as a sink and replays what came after a sequence. */
  const late = (after = 0, types?: readonly string[], connection: TestConnection = harness.open()) => {
    const member = harness.sink(connection, channel, types);
    return { connection, member, complete: harness.core.memberReplay(member, after, harness.now) === 1 };
  };
  return { harness, channel, source, publish, late };
}

const ids = (connection: TestConnection): number[] => connection.events().map((event) => Number(event.id));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe("memberReplay()", () => {
  test.each([
    { stored: 10, published: 4, want: range(0, 4), complete: true },
    { stored: 10, published: 10, want: range(0, 10), complete: true },
    { stored: 10, published: 11, want: range(1, 11), complete: false },
    { stored: 3, published: 100, want: range(97, 100), complete: false },
  ])("gives the last $stored of $published, in order", ({ stored, published, want, complete }) => {
    const { harness, channel, publish, late } = storing(stored);
    publish(published);
    const sink = late();
    expect(sink.complete).toBe(complete);
    expect(harness.core.channelStored(channel)).toBe(want.length);
    expect(ids(sink.connection)).toEqual(want);
  });

  test("what comes later follows what was replayed, without a gap or a double", () => {
    const { publish, late } = storing(100);
    publish(20);
    const sink = late();
    publish(20);
    expect(ids(sink.connection)).toEqual(range(0, 40));
  });

  test.each([
    { after: 95, want: range(95, 100), complete: true },
    { after: 100, want: [], complete: true },
    { after: 90, want: range(90, 100), complete: true },
    { after: 89, want: range(90, 100), complete: false },
    { after: 101, want: range(90, 100), complete: false },
    { after: 2 ** 53, want: range(90, 100), complete: false },
  ])("after sequence $after of 100 with 10 stored: complete $complete", ({ after, want, complete }) => {
    const { publish, late } = storing(10);
    publish(100);
    const sink = late(after);
    expect(sink.complete).toBe(complete);
    expect(ids(sink.connection)).toEqual(want);
  });

  test("a channel that stores nothing replays nothing, and says so unless nothing was missed", () => {
    const { harness, channel, publish, late } = storing(10);
    expect(harness.core.channelStore(channel, 0, BYTES)).toBe(abi.STATUS_OK);
    publish(3);
    expect(late(2).complete).toBe(false);
    expect(late(3).complete).toBe(true);
    expect(ids(late(0).connection)).toEqual([]);
  });

  test("a sink with types gets those of them", () => {
    const { publish, late } = storing(100);
    publish(3, 8, "a");
    publish(3, 8, "b");
    publish(3, 8, "a");
    expect(ids(late(0, ["b"]).connection)).toEqual([3, 4, 5]);
    expect(ids(late(0, ["a"]).connection)).toEqual([0, 1, 2, 6, 7, 8]);
    expect(ids(late(0, ["nobody says this"]).connection)).toEqual([]);
  });

  test("late and cancelled events are not replayed, and are not missing either", () => {
    const { harness, channel, source, late } = storing(10);
    harness.core.channelSet(channel, abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP, 4, 0);
    source.publish(channel, [{ type: "t", id: "0", key: "gone" }]);
    source.publish(channel, [{ type: "t", id: "1", ttlMs: 50n }]);
    source.publish(channel, [{ type: "t", id: "2" }]);
    source.cancel(channel, "gone");
    harness.now += 100;
    const sink = late();
    expect(sink.complete).toBe(true);
    expect(ids(sink.connection)).toEqual([2]);
  });

  test("several channels that lead to one sink keep their own", () => {
    const harness = Harness.create();
    const [one, other] = [harness.channel("one"), harness.channel("other")];
    harness.core.channelStore(one, 10, BYTES);
    const [source, sink, later] = [harness.open(), harness.open(), harness.open()];
    for (const channel of [one, other]) {
      harness.source(source, channel);
      harness.sink(sink, channel);
    }
    for (let index = 0; index < 4; index++) {
      source.publish(one, [{ type: "t", id: `one ${index}` }]);
      source.publish(other, [{ type: "t", id: `other ${index}` }]);
    }
    expect(sink.events()).toHaveLength(8);
    harness.core.memberReplay(harness.sink(later, one), 0, harness.now);
    harness.core.memberReplay(harness.sink(later, other), 0, harness.now);
    expect(later.events().map((event) => event.id)).toEqual(range(0, 4).map((index) => `one ${index}`));
  });

  test("a second membership of a session is named in what it is replayed", () => {
    const { publish, late } = storing(10);
    publish(2);
    const first = late();
    expect(first.connection.events()).toHaveLength(2);
    const second = late(0, undefined, first.connection);
    const drained = second.connection.drain();
    expect(drained.deliveries.map(({ member }) => member)).toEqual([second.member, second.member]);
  });

  test("policy reject: what does not fit is told as dropped", () => {
    const { harness, publish, late } = storing(100);
    publish(10);
    const connection = harness.open();
    connection.inbox(4, BYTES, abi.OVERFLOW_DROP_OLDEST);
    expect(ids(late(0, undefined, connection).connection)).toEqual(range(6, 10));
    const strict = harness.open();
    strict.inbox(4, BYTES, abi.OVERFLOW_DROP_NEWEST);
    expect(ids(late(0, undefined, strict).connection)).toEqual(range(0, 4));
  });

  test("what the inbox had no room for is missing, as what was evicted is", () => {
    const { harness, publish, late } = storing(100);
    publish(10);
    for (const [events, bytes, complete] of [
      [10, BYTES, true],
      [9, BYTES, false],
      [100, 200, false],
    ] as const) {
      const connection = harness.open();
      connection.inbox(events, bytes, abi.OVERFLOW_DROP_OLDEST);
      expect(late(0, undefined, connection).complete).toBe(complete);
    }
  });

  test("events that a decider decided are kept too", () => {
    const { harness, channel, publish, late } = storing(10);
    harness.decide(channel);
    harness.decider = (records) => records.map(() => filterAbi.DECISION_DROP);
    const before = late();
    publish(5);
    harness.dirty();
    expect(before.connection.events()).toEqual([]);
    expect(ids(late().connection)).toEqual(range(0, 5));
  });
});

describe("channelStore()", () => {
  test("fewer events: the oldest go at once; more: what is kept stays", () => {
    const { harness, channel, publish, late } = storing(10);
    publish(10);
    harness.core.channelStore(channel, 4, BYTES);
    expect(ids(late().connection)).toEqual(range(6, 10));
    harness.core.channelStore(channel, 8, BYTES);
    publish(3);
    expect(ids(late().connection)).toEqual(range(6, 13));
  });

  test("its bytes are bounded as well as its events", () => {
    const { harness, channel, publish, late } = storing(1_000, {}, 10_000);
    publish(100, 1_000);
    const kept = harness.core.channelStored(channel);
    expect(kept).toBeGreaterThan(5);
    expect(kept).toBeLessThan(10);
    expect(ids(late().connection)).toEqual(range(100 - kept, 100));
  });

  test("what it keeps survives the store's slabs and is whole", () => {
    const { harness, publish, late } = storing(2_000);
    // Eight times the store of four slabs passes by.
    publish(8_000, 1_000);
    expect(harness.statistic(abi.STATISTIC_EVACUATED_BYTES)).toBeGreaterThan(0);
    for (const sink of [late(), late(6_500)]) {
      const events = sink.connection.events();
      expect(events.map((event) => Number(event.id))).toEqual(range(8_000 - events.length, 8_000));
      for (const event of events)
        expect(Buffer.compare(event.data ?? Buffer.alloc(0), data(Number(event.id), 1_000))).toBe(0);
    }
    expect(late(6_500).complete).toBe(true);
    publish(3_000, 1_000);
    expect(late(6_500).complete).toBe(false);
  });

  test("where memory runs out the oldest go, publishing goes on, and a recovery is refused honestly", () => {
    const { publish, late, harness, channel } = storing(1_000_000, { poolBytes: 4 * 1024 * 1024 }, 1024 * 1024 * 1024);
    publish(20_000, 1_000);
    const kept = harness.core.channelStored(channel);
    expect(kept).toBeGreaterThan(100);
    expect(kept).toBeLessThan(20_000);
    expect(late(1).complete).toBe(false);
    // The ring has them; whether the inbox could hold them all is no less part of the answer.
    const all = late(20_000 - kept);
    expect(all.complete).toBe(ids(all.connection).length === kept);
    const few = late(20_000 - 50);
    expect(few.complete).toBe(true);
    expect(ids(few.connection)).toHaveLength(50);
  });

  test("removing the channel gives all memory back", () => {
    const { harness, channel, publish, late } = storing(100_000);
    const round = (): number => {
      harness.core.channelStore(channel, 100_000, BYTES);
      publish(5_000, 500);
      const sink = late();
      sink.connection.events();
      sink.connection.close();
      harness.core.channelStore(channel, 0, BYTES);
      return harness.statistic(abi.STATISTIC_PAGES_USED);
    };
    round();
    const pages = round();
    for (let index = 0; index < 5; index++) expect(round()).toBe(pages);
    harness.core.channelStore(channel, 10, BYTES);
    publish(20);
    expect(harness.core.channelRemove(channel)).toBe(abi.STATUS_OK);
  });

  test("CHANNEL_STORES is not channelSet()'s to give or to take", () => {
    const { harness, channel, publish, late } = storing(10);
    harness.core.channelSet(channel, abi.CHANNEL_ECHO, 4, 0);
    publish(2);
    expect(ids(late().connection)).toEqual([0, 1]);
    const other = harness.channel("other", { flags: abi.CHANNEL_ECHO | abi.CHANNEL_STORES });
    const source = harness.open();
    harness.source(source, other);
    source.publish(other, [{ type: "t" }]);
    expect(harness.core.channelStored(other)).toBe(0);
  });

  test("an unknown channel", () => {
    const { harness } = storing(1);
    expect(harness.core.channelStore(99, 1, 1)).toBe(abi.STATUS_CHANNEL_UNKNOWN);
    expect(harness.core.channelStored(99)).toBe(0);
    expect(harness.core.memberReplay(99, 0, harness.now)).toBe(0);
  });
});
