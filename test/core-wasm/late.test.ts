/** Deadlines are looked at when they have passed, whether or not anything leaves; what is late is delivered, dropped or diverted. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters } from "../property/runs.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;
const START = 1_700_000_000_000;
const LATE_DROP = abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP;
const LATE_DIVERT = LATE_DROP | abi.CHANNEL_LATE_DIVERT;
const ORDERINGS = [
  ["fifo", abi.ORDERING_FIFO],
  ["lifo", abi.ORDERING_LIFO],
  ["priority", abi.ORDERING_PRIORITY],
  ["deadline", abi.ORDERING_DEADLINE],
  ["priority+deadline", abi.ORDERING_PRIORITY_DEADLINE],
  ["time", abi.ORDERING_TIME],
  ["window", abi.ORDERING_WINDOW],
] as const;

function world(flags: number, ordering: number = abi.ORDERING_FIFO, sinks = 1) {
  const harness = Harness.create({ now: START });
  const { core } = harness;
  const channel = harness.channel("c", { flags });
  const other = harness.channel("late");
  core.channelEmpty(channel, abi.EMPTY_DROP, other);
  const source = harness.open();
  harness.source(source, channel);
  const inboxes = Array.from({ length: sinks }, () => {
    const sink = harness.open();
    harness.sink(sink, channel);
    sink.inbox(100_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, ordering);
    return sink;
  });
  const [sink] = inboxes as [(typeof inboxes)[0]];
  /** What a connection is told, answers apart from events. */
  const told = (connection = sink) => {
    const { frames, deliveries, dropped } = connection.drain();
    const missed = frames.flatMap(({ kind }) => (kind.case === "missed" ? [kind.value] : []));
    return { missed, ids: deliveries.map(({ event }) => event.id), dropped };
  };
  /** Lets the clock reach a moment, as the host's timer does: in ticks of 1 ms beyond what is due. */
  const advance = (toMs: number) => {
    for (let turn = 0; ; turn++) {
      const next = core.deadlineNext();
      if (turn > 100_000) throw new Error("The clock never gets there");
      const at = Math.max(harness.now, next + 1);
      if (next < 0 || at > START + toMs) break;
      harness.now = at;
      core.deadlineTick(at);
    }
    harness.now = START + toMs;
  };
  const counts = (connection = sink) => {
    const count = (index: number) => core.streamStatistic(connection.id, channel, index);
    return { met: count(abi.STREAM_MET), missed: count(abi.STREAM_MISSED), dropped: count(abi.STREAM_DROPPED) };
  };
  const publish = (...events: EventInit[]) => source.publish(channel, events);
  return { harness, core, channel, other, source, sink, inboxes, told, advance, counts, publish };
}

const events = (...ttls: readonly number[]): EventInit[] =>
  ttls.map((ttl, index) => ({ id: `e${index}`, type: "t", ...(ttl === 0 ? {} : { ttlMs: BigInt(ttl) }) }));

describe("an inbox that is held", () => {
  test.each(ORDERINGS)("%s: learns of each miss a tick after its moment, and drops what it must", (_, ordering) => {
    const { core, sink, publish, advance, told, counts } = world(LATE_DROP, ordering);
    core.inboxHold(sink.id, 1);
    publish(...events(30, 10, 0, 20, 10, 90));
    advance(50);
    const { missed, ids, dropped } = told();
    expect(missed.map(({ id, by, reason }) => [id, by, reason])).toEqual([
      ["e1", 1, "waited"],
      ["e4", 1, "waited"],
      ["e3", 1, "waited"],
      ["e0", 1, "waited"],
    ]);
    expect(ids).toEqual([]);
    expect([...dropped.values()]).toEqual([4]);
    expect(core.inboxEvents(sink.id)).toBe(2);
    core.inboxHold(sink.id, 0);
    expect(told().ids.toSorted()).toEqual(["e2", "e5"]);
    expect(counts()).toEqual({ met: 1, missed: 4, dropped: 4 });
    advance(200);
    expect(told()).toMatchObject({ missed: [], ids: [] });
  });

  test.each(ORDERINGS)("%s: learns of them once where it gets late events nevertheless", (_, ordering) => {
    const { core, sink, publish, advance, told, counts } = world(abi.CHANNEL_ECHO, ordering);
    core.inboxHold(sink.id, 1);
    publish(...events(10, 0, 40, 20));
    advance(15);
    expect(told().missed.map(({ id, by }) => [id, by])).toEqual([["e0", 1]]);
    advance(30);
    expect(told().missed.map(({ id, by }) => [id, by])).toEqual([["e3", 1]]);
    core.inboxHold(sink.id, 0);
    const { missed, ids } = told();
    expect(missed).toEqual([]);
    expect(ids.toSorted()).toEqual(["e0", "e1", "e2", "e3"]);
    expect(counts()).toEqual({ met: 1, missed: 2, dropped: 0 });
  });

  test("without credit it is no different", () => {
    const { sink, publish, advance, told } = world(LATE_DROP);
    sink.credit(1, 1_000_000);
    publish(...events(10, 10, 10));
    expect(told().ids).toEqual(["e0"]);
    advance(12);
    expect(told().missed.map(({ id }) => id)).toEqual(["e1", "e2"]);
  });

  test("streams of windows miss at their moments, too", () => {
    const { core, channel, sink, publish, advance, told } = world(abi.CHANNEL_ECHO, abi.ORDERING_WINDOW);
    core.channelWindow(channel, 1, 2, 10);
    core.inboxHold(sink.id, 1);
    publish(...events(0, 0));
    advance(11);
    expect(told().missed.map(({ id, by }) => [id, by])).toEqual([["e0", 1]]);
  });
});

describe("plain inboxes", () => {
  test("what has no deadline costs no look, and leaves as one piece", () => {
    const { core, publish, told } = world(abi.CHANNEL_ECHO);
    publish(...events(0, 0, 0));
    expect(core.deadlineNext()).toBe(-1);
    expect(told().ids).toHaveLength(3);
  });

  test("a deadline is known when its event comes, and forgotten some time after it has left", () => {
    const { core, harness, publish, told } = world(abi.CHANNEL_ECHO);
    publish(...events(50, 20, 70));
    expect(core.deadlineNext()).toBe(START + 20);
    expect(told().ids).toHaveLength(3);
    harness.now += 21;
    expect(core.deadlineTick(harness.now)).toBe(-1);
    expect(core.statistic(abi.STATISTIC_DUE)).toBe(0);
  });

  test("another fate of late events counts for what waits", () => {
    const { core, channel, sink, publish, advance, told, counts } = world(abi.CHANNEL_ECHO);
    core.inboxHold(sink.id, 1);
    publish(...events(10, 0, 20, 90));
    advance(15);
    expect(told().missed).toHaveLength(1);
    core.channelSet(channel, LATE_DROP, 4, 0);
    advance(16);
    // Told once, and dropped all the same.
    expect(told()).toMatchObject({ missed: [], dropped: new Map([[`${channel}/late`, 1]]) });
    core.inboxHold(sink.id, 0);
    expect(told().ids).toEqual(["e1", "e2", "e3"]);
    expect(counts()).toEqual({ met: 2, missed: 1, dropped: 1 });
  });

  test("another ordering forgets no deadline and tells none twice", () => {
    const { core, sink, publish, advance, told } = world(abi.CHANNEL_ECHO);
    core.inboxHold(sink.id, 1);
    publish(...events(10, 30, 50));
    advance(15);
    expect(told().missed).toHaveLength(1);
    sink.inbox(100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_LIFO);
    advance(35);
    expect(told().missed.map(({ id }) => id)).toEqual(["e1"]);
    sink.inbox(100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_FIFO);
    advance(60);
    expect(told().missed.map(({ id }) => id)).toEqual(["e2"]);
  });
});

describe("what is late when it comes", () => {
  const past = { deliverByUs: BigInt(START - 5) * 1000n };

  test("is told at once, with what is to become of it", () => {
    for (const [flags, ids] of [
      [LATE_DROP, ["b"]],
      [abi.CHANNEL_ECHO, ["a", "b"]],
    ] as const) {
      const { publish, told, counts, sink, core } = world(flags);
      core.inboxHold(sink.id, 1);
      publish({ id: "a", type: "t", ...past }, { id: "b", type: "t", ttlMs: 10n });
      expect(told().missed).toMatchObject([{ id: "a", by: 5, reason: "late" }]);
      expect(counts().missed).toBe(1);
      core.inboxHold(sink.id, 0);
      expect(told()).toMatchObject({ missed: [], ids });
    }
  });

  test("is late however many deadlines were told before, and they are no later for it", () => {
    const { publish, told, advance, core, sink } = world(abi.CHANNEL_ECHO);
    core.inboxHold(sink.id, 1);
    publish({ id: "x", type: "t", ttlMs: 10n });
    advance(10);
    publish({ id: "a", type: "t", ...past });
    advance(12);
    expect(told().missed.map(({ id }) => id)).toEqual(["a", "x"]);
  });

  test("what its sink cannot have in time is hopeless, where it must not be late", () => {
    const { publish, told, sink, counts, core } = world(LATE_DROP);
    core.inboxSet(sink.id, 100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_FIFO, 20);
    publish(...events(10, 20, 0, 19));
    const { missed, ids } = told();
    expect(missed.map(({ id, by, reason }) => [id, by, reason])).toEqual([
      ["e0", 10, "hopeless"],
      ["e3", 1, "hopeless"],
    ]);
    expect(ids).toEqual(["e1", "e2"]);
    expect(counts()).toEqual({ met: 1, missed: 2, dropped: 2 });
  });

  test("where late events are delivered nothing is hopeless", () => {
    const { publish, told, sink, core } = world(abi.CHANNEL_ECHO);
    core.inboxSet(sink.id, 100, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_FIFO, 20);
    publish(...events(10));
    expect(told()).toMatchObject({ missed: [], ids: ["e0"] });
  });
});

describe("late events go to another channel", () => {
  test.each(ORDERINGS)("%s: once, however many sinks miss them, with all that is in them", (_, ordering) => {
    const { harness, core, other, inboxes, publish, advance, told } = world(LATE_DIVERT, ordering, 3);
    const watcher = harness.open();
    harness.sink(watcher, other);
    for (const { id } of inboxes) core.inboxHold(id, 1);
    const attributes = { zone: { kind: { case: "text" as const, value: "eu" } } };
    publish({ id: "a", type: "t", ttlMs: 10n, priority: 7, key: "k", attributes }, ...events(0, 30));
    advance(20);
    const { deliveries } = watcher.drain();
    expect(deliveries).toMatchObject([{ channel: other, event: { id: "a", priority: 7, key: "k", attributes } }]);
    for (const inbox of inboxes) expect(told(inbox).missed).toMatchObject([{ id: "a", by: 1 }]);
    expect(core.statistic(abi.STATISTIC_DIVERTED)).toBe(1);
    expect(core.statistic(abi.STATISTIC_MISSED)).toBe(3);
  });

  test("once, too, where inboxes that fell behind have copies of their own", () => {
    const { harness, core, other, inboxes, publish, source, advance } = world(LATE_DIVERT, abi.ORDERING_FIFO, 3);
    const watcher = harness.open();
    harness.sink(watcher, other);
    const filler = harness.channel("filler");
    harness.source(source, filler);
    for (const { id } of inboxes) core.inboxHold(id, 1);
    publish(...events(500, 500));
    // The store is a log of four slabs: what is older is copied for those who still need it.
    for (let index = 0; index < 40; index++) source.publish(filler, [{ type: "t", data: new Uint8Array(40_000) }]);
    publish({ id: "last", type: "t", ttlMs: 500n });
    advance(600);
    expect(watcher.events().map(({ id }) => id)).toEqual(["e0", "e1", "last"]);
  });

  test("has no deadline where it comes to, so it is late once and goes round never", () => {
    const { harness, core, channel, other, sink, publish, advance, told } = world(LATE_DIVERT);
    core.channelSet(other, LATE_DIVERT, 4, 0);
    core.channelEmpty(other, abi.EMPTY_DROP, channel);
    const watcher = harness.open();
    harness.sink(watcher, other);
    core.inboxHold(watcher.id, 1);
    core.inboxHold(sink.id, 1);
    publish(...events(10));
    advance(1000);
    core.inboxHold(watcher.id, 0);
    core.inboxHold(sink.id, 0);
    expect(watcher.drain()).toMatchObject({ deliveries: [{ event: { id: "e0" } }] });
    expect(told().ids).toEqual([]);
    expect(core.statistic(abi.STATISTIC_DIVERTED)).toBe(1);
  });

  test("a channel that is not there takes nothing; it is counted", () => {
    const { core, other, publish, advance } = world(LATE_DIVERT);
    core.channelRemove(other);
    publish(...events(10));
    advance(20);
    expect(core.statistic(abi.STATISTIC_REFUSED)).toBe(1);
  });

  test("what was cancelled goes nowhere", () => {
    const { harness, core, channel, other, source, sink, publish, advance } = world(LATE_DIVERT);
    const watcher = harness.open();
    harness.sink(watcher, other);
    core.inboxHold(sink.id, 1);
    publish({ id: "a", type: "t", key: "k", ttlMs: 10n });
    source.cancel(channel, "k");
    advance(20);
    expect(watcher.events()).toEqual([]);
  });
});

describe("sources", () => {
  function telling(sinks: number) {
    const set = world(LATE_DROP, abi.ORDERING_FIFO, sinks);
    const teller = set.harness.open();
    const member = set.core.memberAdd(teller.id, set.channel, abi.ROLE_SOURCE | abi.ROLE_MISSES);
    expect(member).not.toBe(0);
    for (const { id } of set.inboxes) set.core.inboxHold(id, 1);
    return { ...set, teller };
  }

  test("that asked are told once for all sinks", () => {
    const { teller, channel, source, advance, told } = telling(5);
    teller.publish(channel, events(10, 20));
    source.publish(channel, [{ id: "x", type: "t", ttlMs: 10n }]);
    advance(15);
    expect(told(teller).missed).toMatchObject([
      { id: "e0", channelNumber: channel, sequence: 1n, by: 1, sinks: 5, reason: "waited" },
    ]);
    expect(told(source).missed).toEqual([]);
    advance(30);
    expect(told(teller).missed).toMatchObject([{ id: "e1", sinks: 5 }]);
  });

  test("are told of what is late when it comes in the same turn", () => {
    const { teller, channel, core, told } = telling(2);
    teller.publish(channel, [{ id: "a", type: "t", deliverByUs: BigInt(START - 3) * 1000n }]);
    core.dirtyTake();
    expect(told(teller).missed).toMatchObject([{ id: "a", by: 3, sinks: 2, reason: "late" }]);
  });

  test("that came later hear nothing of events before, whatever number their connection has", () => {
    const { harness, teller, channel, core, advance, told } = telling(1);
    teller.publish(channel, events(10));
    // The number that was freed last rests until another is.
    const spare = harness.open();
    teller.close();
    spare.close();
    const next = harness.open();
    expect(next.id).toBe(teller.id);
    core.memberAdd(next.id, channel, abi.ROLE_SOURCE | abi.ROLE_MISSES);
    advance(20);
    expect(told(next).missed).toEqual([]);
  });

  test("hear of a thousand misses in a turn, each once", () => {
    const { teller, channel, advance, told } = telling(2);
    for (let part = 0; part < 10; part++)
      teller.publish(
        channel,
        Array.from({ length: 100 }, (_, index) => ({ id: `${part * 100 + index}`, type: "t", ttlMs: 10n })),
      );
    advance(20);
    const { missed } = told(teller);
    expect(new Set(missed.map(({ id }) => id)).size).toBe(1000);
    expect(missed.reduce((sum, { sinks }) => sum + sinks, 0)).toBe(2000);
  });
});

test("whatever comes, leaves and changes: each event is delivered or dropped once, and missed once where it was late", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ publish: fc.array(fc.nat(60), { minLength: 1, maxLength: 40 }) }) },
    { weight: 4, arbitrary: fc.record({ advance: fc.nat(25) }) },
    { weight: 3, arbitrary: fc.record({ credit: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ ordering: fc.constantFrom(...ORDERINGS.map(([, ordering]) => ordering)) }) },
    { weight: 1, arbitrary: fc.record({ held: fc.boolean() }) },
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { minLength: 5, maxLength: 60 }), (drops, steps) => {
      const { core, sink, harness, publish, advance, told, counts } = world(drops ? LATE_DROP : abi.CHANNEL_ECHO);
      const deadlines = new Map<string, number>();
      const missedAt = new Map<string, number>();
      const deliveredAt = new Map<string, number>();
      let nowMs = 0;
      let number = 0;
      sink.credit(0, 1_000_000_000);
      const hear = () => {
        const { missed, ids } = told();
        for (const { id, by } of missed) {
          expect(missedAt.has(id)).toBe(false);
          missedAt.set(id, deadlines.get(id) as number);
          expect(by).toBe(1);
        }
        for (const id of ids) {
          expect(deliveredAt.has(id)).toBe(false);
          deliveredAt.set(id, nowMs);
        }
      };
      for (const one of steps) {
        if ("publish" in one) {
          const made = one.publish.map((ttl) => ({ id: `${number++}`, type: "t", ttlMs: BigInt(ttl + 1) }));
          for (const { id, ttlMs } of made) deadlines.set(id, nowMs + Number(ttlMs));
          publish(...made);
        } else if ("advance" in one) {
          nowMs += one.advance;
          advance(nowMs);
        } else if ("credit" in one) sink.credit(one.credit, 0);
        else if ("ordering" in one)
          core.inboxSet(sink.id, 100_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, one.ordering, 0);
        else core.inboxHold(sink.id, one.held ? 1 : 0);
        hear();
      }
      nowMs += 100;
      advance(nowMs);
      core.inboxHold(sink.id, 0);
      sink.credit(100_000, 0);
      hear();
      for (const [id, deadline] of deadlines) {
        const delivered = deliveredAt.get(id);
        const inTime = delivered !== undefined && delivered <= deadline;
        expect(missedAt.has(id), `event ${id}`).toBe(!inTime);
        expect(delivered !== undefined).toBe(inTime || !drops);
      }
      expect(counts().missed).toBe(missedAt.size);
      expect(counts().met + counts().missed).toBe(deadlines.size);
      expect(harness.core.inboxEvents(sink.id)).toBe(0);
    }),
    propertyParameters(100),
  );
});
