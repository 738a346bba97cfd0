/**
 * Outboxes of a channel with a decider: what leaves them is parked outside of ingest(), so the host learns of the batch by
 * drain(), dirtyTake() or decide(), and anything may happen to sinks and channel before it answers.
 */
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { BYTES_MAX, blocked, events, INBOX_EVENTS, ids, range, settle } from "./blocked.ts";

test("of a decided channel goes on when its sink goes, told by dirtyTake() and drain()", () => {
  const ends: Record<string, (world: ReturnType<typeof blocked>) => void> = {
    leave: ({ harness, slow }) => expect(harness.core.memberRemove(slow.id, 2)).toBe(abi.STATUS_OK),
    close: ({ slow }) => slow.close(),
    policy: ({ slow }) => slow.inbox(INBOX_EVENTS, BYTES_MAX, abi.OVERFLOW_DROP_NEWEST),
  };
  for (const [name, end] of Object.entries(ends)) {
    const world = blocked({ decided: true });
    world.source.publish(world.channel, events(500));
    const got = ids(world.live);
    world.harness.dirty();
    end(world);
    // As the host flushes: nothing but what dirtyTake() names is looked at.
    for (let turn = 0; turn < 100; turn++) {
      for (const id of world.harness.dirty()) {
        const part = world.harness.connections.get(id)?.drain().deliveries ?? [];
        if (id === world.live.id) got.push(...part.map(({ event }) => event.id));
      }
    }
    expect(got, name).toEqual(range(500));
  }
});

test("parked events whose sinks or channel go before the decision trap nothing and reach who is left", () => {
  const ends: Record<string, (world: ReturnType<typeof blocked>) => number> = {
    "a sink closes": ({ live }) => {
      live.close();
      return 0;
    },
    "a sink's number is taken by a sink of another channel": ({ harness, live }) => {
      harness.core.memberRemove(live.id, 3);
      harness.sink(live, harness.channel("other"));
      return 0;
    },
    "the channel goes": ({ harness, channel }) => {
      harness.core.channelRemove(channel);
      return 0;
    },
    "the source closes": ({ source }) => {
      source.close();
      return 1;
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    const world = blocked({ decided: true });
    const { harness, channel, source, slow, live } = world;
    source.publish(channel, events(100));
    const before = ids(live);
    // The blocking sink goes: what waited is parked, and nobody has asked the decider yet.
    slow.close();
    const some = end(world);
    const plain = harness.channel("plain");
    const last = harness.open();
    harness.source(last, plain);
    expect(last.receipt(plain, [{ type: "t" }])[0]?.status, name).toBe(abi.STATUS_OK);
    const after = harness.connections.has(live.id) ? ids(live) : [];
    expect([...before, ...after].length, name).toBe(some === 1 ? 100 : before.length);
  }
});

test("of a decided channel goes on over several batches", () => {
  const { harness, channel, source, slow, live } = blocked({ decided: true });
  source.publish(channel, events(500));
  expect(settle(slow, live)).toEqual([range(500), range(500)]);
  expect(harness.batches.flatMap(({ records }) => records)).toHaveLength(500);
});
