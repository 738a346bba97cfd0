/** What an inbox says of late events takes effect over what their channels say; and its marks say when a full one blocks. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { LATE_CHANNEL, LATE_DELIVER, LATE_DIVERT, LATE_DROP } from "../../core-wasm/mailbox/abi.ts";
import { BYTES_MAX, blocked, events, ids } from "./blocked.ts";
import { Harness } from "./harness.ts";

const START = 1_700_000_000_000;
const DROPS = abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP;
const orderings = [
  ["fifo", abi.ORDERING_FIFO],
  ["lifo", abi.ORDERING_LIFO],
  ["deadline", abi.ORDERING_DEADLINE],
  ["window", abi.ORDERING_WINDOW],
] as const;

function world(flags: number, ordering: number = abi.ORDERING_FIFO) {
  const harness = Harness.create({ now: START });
  const { core } = harness;
  const channel = harness.channel("c", { flags });
  const other = harness.channel("late");
  core.channelEmpty(channel, abi.EMPTY_DROP, other);
  const [source, one, two, watcher] = [harness.open(), harness.open(), harness.open(), harness.open()];
  harness.source(source, channel);
  for (const sink of [one, two]) {
    harness.sink(sink, channel);
    sink.inbox(1_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, ordering);
    core.inboxHold(sink.id, 1);
  }
  harness.sink(watcher, other);
  const publish = () =>
    void source.publish(channel, [
      { id: "a", type: "t", ttlMs: 10n },
      { id: "b", type: "t" },
    ]);
  /** Lets the moment pass, and gives what each sink gets then. */
  const pass = () => {
    harness.now += 20;
    core.deadlineTick(harness.now);
    for (const sink of [one, two]) core.inboxHold(sink.id, 0);
    return [ids(one).toSorted(), ids(two).toSorted(), ids(watcher)];
  };
  return { harness, core, channel, source, one, two, publish, pass };
}

describe.each(orderings)("%s", (_, ordering) => {
  test("one inbox delivers what its channel drops, another keeps to the channel", () => {
    const { core, one, publish, pass } = world(DROPS, ordering);
    expect(core.inboxLate(one.id, LATE_DELIVER)).toBe(abi.STATUS_OK);
    publish();
    expect(pass()).toEqual([["a", "b"], ["b"], []]);
  });

  test("one inbox drops or diverts what its channel delivers, also what waited when it was said", () => {
    for (const late of [LATE_DROP, LATE_DIVERT]) {
      const { core, one, publish, pass } = world(abi.CHANNEL_ECHO, ordering);
      publish();
      expect(core.inboxLate(one.id, late)).toBe(abi.STATUS_OK);
      expect(pass()).toEqual([["b"], ["a", "b"], late === LATE_DIVERT ? ["a"] : []]);
    }
  });

  test("it may drop what its channel diverts, and goes back to the channel's word", () => {
    const { core, one, two, publish, pass } = world(DROPS | abi.CHANNEL_LATE_DIVERT, ordering);
    for (const sink of [one, two]) core.inboxLate(sink.id, LATE_DROP);
    publish();
    expect(pass()).toEqual([["b"], ["b"], []]);
    core.inboxLate(one.id, LATE_CHANNEL);
    publish();
    core.inboxHold(one.id, 1);
    expect(core.inboxLate(one.id, 4)).toBe(abi.STATUS_LIMIT);
  });
});

test("what comes late is decided by the inbox, too", () => {
  const { core, harness, source, channel, one, two, pass } = world(DROPS);
  core.inboxLate(one.id, LATE_DELIVER);
  source.publish(channel, [{ id: "late", type: "t", deliverByUs: BigInt(START - 5) * 1000n }]);
  expect(core.inboxEvents(one.id)).toBe(1);
  expect(core.inboxEvents(two.id)).toBe(0);
  expect(pass()).toEqual([["late"], [], []]);
  expect(harness.statistic(abi.STATISTIC_MISSED)).toBe(2);
});

test("diverting where the channel has no other one drops, and is counted as refused", () => {
  const { core, harness, channel, one, publish, pass } = world(abi.CHANNEL_ECHO);
  core.channelEmpty(channel, abi.EMPTY_DROP, 0);
  core.inboxLate(one.id, LATE_DIVERT);
  publish();
  expect(pass()).toEqual([["b"], ["a", "b"], []]);
  expect(harness.statistic(abi.STATISTIC_REFUSED)).toBe(1);
});

describe("marks of an inbox that blocks", () => {
  test.each([
    [0.5, 0.25],
    [1, 0],
    [0.25, 0.125],
    [1, 0.9375],
  ])("it stalls at %d of its capacity and goes on at %d", (stall, release) => {
    const { harness, channel, source, slow, live } = blocked();
    expect(harness.core.inboxMarks(slow.id, stall, release)).toBe(abi.STATUS_OK);
    source.publish(channel, events(100));
    expect(harness.core.inboxEvents(slow.id)).toBe(16 * stall);
    live.drain();
    slow.credit(1, BYTES_MAX);
    let left = 16 * stall;
    while (harness.core.inboxEvents(slow.id) === left && left > 16 * release) {
      slow.drain();
      left--;
      if (left > 16 * release) expect(harness.core.inboxEvents(slow.id)).toBe(left);
      slow.credit(1, BYTES_MAX);
    }
    expect(left).toBe(16 * release);
    expect(harness.core.inboxEvents(slow.id)).toBe(16 * stall);
  });

  test("they change while it stalls", () => {
    const { harness, channel, source, slow } = blocked();
    source.publish(channel, events(20));
    expect(harness.core.inboxEvents(slow.id)).toBe(8);
    expect(harness.core.inboxMarks(slow.id, 1, 0.5)).toBe(abi.STATUS_OK);
    expect(harness.core.inboxEvents(slow.id)).toBe(16);
  });

  test.each([
    [0, 0],
    [1.1, 0.5],
    [0.5, 0.5],
    [0.5, -0.1],
    [Number.NaN, 0],
    [0.5, Number.NaN],
  ])("%d and %d are none", (stall, release) => {
    const { harness, slow } = blocked();
    expect(harness.core.inboxMarks(slow.id, stall, release)).toBe(abi.STATUS_LIMIT);
  });
});
