/** Events that wait for a sink (`empty: hold`) expire at their moment, although nothing else happens on their channel. */
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";

const START = 1_700_000_000_000;

function world(channels = 1, flags = 0) {
  const harness = Harness.create({ now: START });
  const { core } = harness;
  const source = harness.open();
  const other = harness.channel("late");
  const numbers = Array.from({ length: channels }, (_, index) => {
    const channel = harness.channel(`c${index}`, { flags });
    harness.source(source, channel);
    expect(core.channelEmpty(channel, abi.EMPTY_HOLD, other)).toBe(abi.STATUS_OK);
    return channel;
  });
  const publish = (channel: number, id: string, ttl: number) =>
    void source.publish(channel, [{ id, type: "t", ...(ttl === 0 ? {} : { ttlMs: BigInt(ttl) }) }]);
  const tick = (at: number) => {
    harness.now = START + at;
    return core.deadlineTick(harness.now);
  };
  const dropped = () => harness.statistic(abi.STATISTIC_DROPPED_LATE);
  return { harness, core, numbers, other, publish, tick, dropped };
}

test("the host is asked for a turn, and is told when the next one expires", () => {
  const { core, numbers, publish, tick, dropped } = world();
  const [channel = 0] = numbers;
  publish(channel, "none", 0);
  expect([core.flushDue(), core.deadlineNext()]).toEqual([0, -1]);
  publish(channel, "b", 50);
  publish(channel, "a", 20);
  publish(channel, "c", 50);
  expect(core.flushDue()).toBe(1);
  expect(core.deadlineNext()).toBe(START + 20);
  expect(core.flushDue()).toBe(0);
  // At its very moment it is in time.
  expect([tick(20), dropped()]).toEqual([START + 20, 0]);
  expect([tick(21), dropped()]).toEqual([START + 50, 1]);
  expect([tick(51), dropped()]).toEqual([-1, 3]);
});

test("a sink that comes later gets what has not expired", () => {
  const { harness, numbers, publish, tick, dropped } = world();
  const [channel = 0] = numbers;
  for (const [id, ttl] of [
    ["a", 10],
    ["b", 0],
    ["c", 30],
  ] as const)
    publish(channel, id, ttl);
  tick(15);
  const sink = harness.open();
  harness.sink(sink, channel);
  harness.dirty();
  expect(sink.events().map(({ id }) => id)).toEqual(["b", "c"]);
  expect([tick(100), dropped()]).toEqual([-1, 1]);
});

test("where late events are diverted they go there at their moment", () => {
  const { harness, numbers, other, publish, tick } = world(1, abi.CHANNEL_LATE_DROP | abi.CHANNEL_LATE_DIVERT);
  const watcher = harness.open();
  harness.sink(watcher, other);
  publish(numbers[0] ?? 0, "a", 10);
  tick(11);
  expect(watcher.events().map(({ id }) => id)).toEqual(["a"]);
});

test("many channels expire, some in a tick, and none is forgotten", () => {
  const { numbers, publish, tick, dropped } = world(100);
  for (const [index, channel] of numbers.entries()) publish(channel, "a", 100 - index);
  expect(tick(1)).toBe(START + 1);
  let next = tick(200);
  for (let turns = 0; next !== -1 && turns < 20; turns++) next = tick(200);
  expect([next, dropped()]).toEqual([-1, 100]);
});

test("a channel that goes takes its moment along", () => {
  const { core, numbers, publish, tick } = world(2);
  for (const channel of numbers) publish(channel, "a", 10);
  expect(core.channelRemove(numbers[0] ?? 0)).toBe(abi.STATUS_OK);
  expect(core.deadlineNext()).toBe(START + 10);
  expect(core.channelRemove(numbers[1] ?? 0)).toBe(abi.STATUS_OK);
  expect(tick(20)).toBe(-1);
});
