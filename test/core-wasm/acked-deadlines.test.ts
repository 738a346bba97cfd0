/** Deadlines where deliveries are acknowledged: one is met by the acknowledgement, and missed at its moment where that has not come. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { LATE_DROP } from "../../core-wasm/mailbox/abi.ts";
import { Harness } from "./harness.ts";

const START = 1_700_000_000_000;
const BYTES_MAX = 16 * 1024 * 1024;

function world(ordering: number = abi.ORDERING_FIFO, explicit = 1) {
  const harness = Harness.create({ now: START });
  const { core } = harness;
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  sink.inbox(1_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, ordering);
  expect(core.inboxAcks(sink.id, explicit, 10_000, 3)).toBe(abi.STATUS_OK);
  const publish = (...ttls: readonly number[]) =>
    void source.publish(
      channel,
      ttls.map((ttl) => ({ id: `e${ttl}`, type: "t", ...(ttl === 0 ? {} : { ttlMs: BigInt(ttl) }) })),
    );
  const ack = (value: { through?: bigint; numbers?: bigint[] }) => sink.send({ kind: { case: "ack", value } });
  const counts = () => {
    const count = (index: number) => core.streamStatistic(sink.id, channel, index);
    return { met: count(abi.STREAM_MET), missed: count(abi.STREAM_MISSED) };
  };
  /** Lets the host's timer come after `ms`, and gives what the sink is told. */
  const tick = (ms: number) => {
    harness.now += ms;
    core.deadlineTick(harness.now);
    const { frames, deliveries } = sink.drain();
    const missed = frames.flatMap(({ kind }) => (kind.case === "missed" ? [[kind.value.id, kind.value.reason]] : []));
    return { missed, ids: deliveries.map(({ event }) => event.id) };
  };
  return { harness, core, channel, source, sink, publish, ack, counts, tick };
}

const orderings = [
  ["fifo", abi.ORDERING_FIFO],
  ["deadline", abi.ORDERING_DEADLINE],
  ["priority", abi.ORDERING_PRIORITY],
] as const;

describe.each(orderings)("%s", (_, ordering) => {
  test("a deadline is met by the acknowledgement, not by leaving", () => {
    const { publish, ack, counts, tick } = world(ordering);
    publish(100, 0, 50);
    expect(tick(0).ids.toSorted()).toEqual(["e0", "e100", "e50"]);
    expect(counts()).toEqual({ met: 0, missed: 0 });
    ack({ through: 3n });
    expect(counts()).toEqual({ met: 2, missed: 0 });
    expect(tick(1_000)).toEqual({ missed: [], ids: [] });
    expect(counts()).toEqual({ met: 2, missed: 0 });
  });

  test("what is not acknowledged by then is missed once, at its moment", () => {
    const { core, harness, publish, ack, counts, tick } = world(ordering);
    publish(50, 100);
    tick(0);
    expect(core.deadlineNext()).toBe(START + 50);
    expect(tick(50)).toEqual({ missed: [], ids: [] });
    expect(tick(1)).toEqual({ missed: [["e50", "unacknowledged"]], ids: [] });
    expect(core.deadlineNext()).toBe(START + 100);
    // Before the timer comes the acknowledgement does: too late, and found by it.
    harness.now += 60;
    ack({ numbers: [1n, 2n] });
    expect(tick(100)).toEqual({ missed: [["e100", "unacknowledged"]], ids: [] });
    expect(counts()).toEqual({ met: 0, missed: 2 });
    expect(core.deadlineNext()).toBe(-1);
  });
});

test("a stream of a window has met its own deadline when it is acknowledged by then", () => {
  const { core, channel, publish, ack, counts, tick } = world(abi.ORDERING_WINDOW);
  core.channelWindow(channel, 1, 2, 10);
  publish(0, 0);
  expect(tick(5).ids).toHaveLength(2);
  expect(counts()).toEqual({ met: 0, missed: 0 });
  ack({ numbers: [1n] });
  expect(counts()).toEqual({ met: 1, missed: 0 });
  expect(tick(30).missed).toEqual([["e0", "unacknowledged"]]);
  ack({ numbers: [2n] });
  expect(counts()).toEqual({ met: 1, missed: 1 });
});

test("what was missed while it waited for its acknowledgement is not begun again where late events are dropped", () => {
  const { core, sink, publish, tick } = world();
  expect(core.inboxLate(sink.id, LATE_DROP)).toBe(abi.STATUS_OK);
  publish(50, 0);
  tick(0);
  tick(20_000);
  core.inboxTick(sink.id, START + 20_000);
  expect(tick(0).ids).toEqual(["e0"]);
});

test("what waits for no acknowledgement any more counts as acknowledged then", () => {
  const { core, sink, publish, counts, tick } = world();
  publish(50);
  tick(0);
  expect(core.inboxAcks(sink.id, 0, 10_000, 3)).toBe(abi.STATUS_OK);
  expect(counts()).toEqual({ met: 1, missed: 0 });
});

test("its source hears of what is not acknowledged, if it asked", () => {
  const { core, harness, channel, sink, tick } = world();
  const source = harness.open();
  core.memberAdd(source.id, channel, abi.ROLE_SOURCE | abi.ROLE_MISSES);
  source.publish(channel, [{ id: "a", type: "t", ttlMs: 10n }]);
  sink.drain();
  tick(11);
  const told = source.drain().frames.flatMap(({ kind }) => (kind.case === "missed" ? [kind.value] : []));
  expect(told).toMatchObject([{ id: "a", reason: "unacknowledged", sinks: 1 }]);
});
