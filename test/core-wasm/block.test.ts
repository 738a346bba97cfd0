/**
 * The outbox: where a sink's inbox is of policy `block` and full, events wait with their source. What was accepted is
 * delivered or expires; a publisher beyond its credit is told so (docs/frames.md).
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { BYTES_MAX, blocked, events, INBOX_EVENTS, ids, range, settle } from "./blocked.ts";

describe("a full inbox of policy block", () => {
  test("holds events back at their source, within its capacity, and loses none", () => {
    const { harness, channel, source, slow, live } = blocked();
    const records = source.receipt(channel, events(200));
    expect(records.every(({ status }) => status === abi.STATUS_OK)).toBe(true);
    expect(harness.core.inboxEvents(slow.id)).toBeLessThanOrEqual(INBOX_EVENTS);
    const waiting = records.filter(({ sequence }) => sequence === 0n).length;
    expect(waiting).toBeGreaterThanOrEqual(200 - INBOX_EVENTS);
    expect(harness.core.channelSequence(channel)).toBe(200 - waiting);
    expect(settle(slow, live)).toEqual([range(200), range(200)]);
    expect(harness.core.channelSequence(channel)).toBe(200);
    for (const index of [abi.STATISTIC_DROPPED_OVERFLOW, abi.STATISTIC_REFUSED])
      expect(harness.statistic(index)).toBe(0);
  });

  test("keeps its promise of bytes as well", () => {
    const { harness, channel, source, slow, live } = blocked();
    slow.inbox(1000, 50_000, abi.OVERFLOW_BLOCK);
    for (let id = 0; id < 60; id++) {
      expect(source.receipt(channel, [{ id: `${id}`, type: "t", data: new Uint8Array(4000) }])[0]?.status).toBe(
        abi.STATUS_OK,
      );
      expect(harness.core.inboxBytes(slow.id)).toBeLessThanOrEqual(50_000);
    }
    expect(settle(slow, live)).toEqual([range(60), range(60)]);
  });

  test("takes one event that is larger than its capacity rather than blocking for ever", () => {
    const { channel, source, slow, live } = blocked();
    slow.inbox(10, 1000, abi.OVERFLOW_BLOCK);
    source.publish(channel, [{ id: "0", type: "t", data: new Uint8Array(5000) }, ...events(3, 1)]);
    expect(settle(slow, live)).toEqual([range(4), range(4)]);
  });

  test("does not hold back other channels of the same source", () => {
    const { harness, channel, source, slow, live } = blocked();
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(live, other);
    source.publish(channel, events(100));
    live.drain();
    source.publish(other, events(1, 900));
    expect(ids(live)).toEqual(["900"]);
    expect(settle(slow)[0]).toHaveLength(100);
  });

  test("lets go when it leaves, closes, changes its policy, or the channel goes", () => {
    const ends: Record<string, (world: ReturnType<typeof blocked>) => void> = {
      leave: ({ harness, slow }) => expect(harness.core.memberRemove(slow.id, 2)).toBe(abi.STATUS_OK),
      close: ({ slow }) => slow.close(),
      policy: ({ slow }) => slow.inbox(INBOX_EVENTS, BYTES_MAX, abi.OVERFLOW_DROP_NEWEST),
      capacity: ({ slow }) => slow.inbox(100_000, BYTES_MAX, abi.OVERFLOW_BLOCK),
    };
    for (const [name, end] of Object.entries(ends)) {
      const world = blocked();
      world.source.publish(world.channel, events(100));
      expect(ids(world.live).length, name).toBeLessThan(100);
      end(world);
      expect(ids(world.live).at(-1), name).toBe("99");
      expect(world.source.receipt(world.channel, events(1))[0]?.sequence, name).toBe(101n);
    }
  });

  test("two of them: the slower one sets the pace, both get everything", () => {
    const { harness, channel, source, slow, live } = blocked();
    const second = harness.open();
    harness.sink(second, channel);
    second.inbox(4, BYTES_MAX, abi.OVERFLOW_BLOCK);
    source.publish(channel, events(300));
    expect(settle(slow, second, live)).toEqual([range(300), range(300), range(300)]);
  });
});

describe("the outbox", () => {
  test("is as large as the source's credit; beyond is STATUS_NO_CREDIT with the credit left", () => {
    const { channel, source, slow, live } = blocked();
    const statuses: number[] = [];
    for (let batch = 0; batch < 5; batch++) {
      const records = source.receipt(channel, events(2048, batch * 2048));
      statuses.push(...records.map(({ status }) => status));
      const refused = records.find(({ status }) => status === abi.STATUS_NO_CREDIT);
      if (refused !== undefined) expect(refused.limit).toBe(0);
    }
    const accepted = statuses.filter((status) => status === abi.STATUS_OK).length;
    expect(accepted).toBeGreaterThanOrEqual(abi.SOURCE_CREDIT_EVENTS);
    expect(accepted).toBeLessThanOrEqual(abi.SOURCE_CREDIT_EVENTS + INBOX_EVENTS);
    expect(new Set(statuses)).toEqual(new Set([abi.STATUS_OK, abi.STATUS_NO_CREDIT]));
    expect(settle(slow, live)).toEqual([range(accepted), range(accepted)]);
    expect(source.receipt(channel, events(1))[0]?.status).toBe(abi.STATUS_OK);
  });

  test("is bounded in bytes", () => {
    const { channel, source } = blocked();
    let accepted = 0;
    for (let id = 0; id < 60; id++) {
      const [record] = source.receipt(channel, [{ id: `${id}`, type: "t", data: new Uint8Array(100_000) }]);
      if (record?.status === abi.STATUS_OK) accepted += 1;
      else expect(record?.status).toBe(abi.STATUS_NO_CREDIT);
    }
    expect(accepted * 100_000).toBeLessThan(abi.SOURCE_CREDIT_BYTES + INBOX_EVENTS * 100_000);
    expect(accepted * 100_000).toBeGreaterThan(abi.SOURCE_CREDIT_BYTES - 200_000);
  });

  test("has its whole room again when it is empty, in events and in bytes", () => {
    for (const bytes of [0, 50_000]) {
      const { channel, source, slow, live } = blocked();
      const fill = (): number => {
        let accepted = 0;
        for (let turn = 0; turn < 1000; turn++) {
          const batch = bytes === 0 ? 512 : 16;
          const data = new Uint8Array(bytes);
          const records = source.receipt(
            channel,
            Array.from({ length: batch }, () => ({ type: "t", data })),
          );
          const taken = records.filter(({ status }) => status === abi.STATUS_OK).length;
          accepted += taken;
          if (taken < batch) return accepted;
        }
        throw new Error("The outbox has no end");
      };
      const first = fill();
      for (let turn = 0; turn < 3; turn++) {
        expect(settle(slow, live).map((got) => got.length)).toEqual([first, first]);
        expect(fill()).toBe(first);
      }
    }
  });

  test("keeps the moment of acceptance and the session's source", () => {
    const { harness, channel, source, slow, live } = blocked();
    source.publish(channel, events(100));
    harness.now += 5000;
    source.close();
    const got = [...live.drain().deliveries];
    for (let turn = 0; turn < 50; turn++) {
      slow.drain();
      got.push(...live.drain().deliveries);
    }
    expect(got).toHaveLength(100);
    expect(got.every(({ event }) => event.source === "/blocked" && event.timeUs === 1_700_000_000_000_000n)).toBe(true);
  });

  test("what expires in it is late", () => {
    const { harness, channel, source, slow, live } = blocked({ flags: abi.CHANNEL_LATE_DROP });
    source.publish(
      channel,
      events(50).map((event) => ({ ...event, ttlMs: 10n })),
    );
    harness.now += 11;
    expect(settle(slow, live)).toEqual([[], []]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LATE)).toBe(100);
  });

  test("a cancel reaches it", () => {
    const { channel, source, slow, live } = blocked();
    source.publish(
      channel,
      events(60).map((event) => ({ ...event, key: `k${Number(event.id) % 2}` })),
    );
    source.cancel(channel, "k1");
    const odd = range(60).filter((id) => Number(id) % 2 === 0);
    expect(settle(slow, live)).toEqual([odd, odd]);
  });

  test("several sources keep their own order", () => {
    const { harness, channel, source, slow, live } = blocked();
    const second = harness.open();
    harness.source(second, channel);
    for (let turn = 0; turn < 40; turn++) {
      source.publish(channel, events(2, turn * 2));
      second.publish(channel, events(2, 1000 + turn * 2));
    }
    for (const got of settle(slow, live)) {
      expect(got.filter((id) => Number(id) < 1000)).toEqual(range(80));
      expect(got.filter((id) => Number(id) >= 1000)).toEqual(range(80, 1000));
    }
  });

  test("an event that would be too large with what is appended is refused at once", () => {
    const { channel, source } = blocked();
    source.publish(channel, events(50));
    const event = { type: "t", data: new Uint8Array(abi.EVENT_BYTES_MAX - 10) };
    expect(source.receipt(channel, [event])[0]?.status).toBe(abi.STATUS_EVENT_TOO_LARGE);
  });

  test("of a removed channel is discarded and counted", () => {
    const { harness, channel, source, slow } = blocked();
    source.publish(channel, events(100));
    expect(harness.core.channelRemove(channel)).toBe(abi.STATUS_OK);
    expect(ids(slow)).toEqual([]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBeGreaterThanOrEqual(100);
  });
});

describe("credit of a source", () => {
  test.each([
    { name: "events", dataBytes: 0, total: 60_000, batch: 500 },
    { name: "bytes", dataBytes: 20_000, total: 1500, batch: 20 },
  ])(
    "comes back as fast as $name leave, so that an obedient publisher is never refused nor stuck",
    ({ dataBytes, total, batch }) => {
      const { harness, channel, source, slow, live } = blocked();
      slow.inbox(2000, BYTES_MAX, abi.OVERFLOW_BLOCK);
      let creditEvents: number = abi.SOURCE_CREDIT_EVENTS;
      let creditBytes: number = abi.SOURCE_CREDIT_BYTES;
      let published = 0;
      let received = 0;
      for (let turn = 0; published < total; turn++) {
        expect(turn).toBeLessThan(5000);
        const room = Math.min(batch, creditEvents, Math.floor(creditBytes / (dataBytes + 60)), total - published);
        if (room > 0) {
          const data = new Uint8Array(dataBytes);
          expect(
            source.publish(
              channel,
              Array.from({ length: room }, () => ({ type: "t", data })),
            ),
          ).toEqual([]);
          published += room;
          creditEvents -= room;
          creditBytes -= room * (dataBytes + 60);
        }
        live.drain();
        received += slow.drain().deliveries.length;
        for (const { kind } of source.drain().frames) {
          if (kind.case !== "credit") throw new Error(`Expected credit, got ${kind.case}`);
          expect(kind.value.channelNumber).toBe(channel);
          creditEvents += Number(kind.value.events);
          creditBytes += Number(kind.value.bytes);
        }
        expect(creditEvents).toBeLessThanOrEqual(abi.SOURCE_CREDIT_EVENTS);
      }
      for (let turn = 0; turn < 100; turn++) received += slow.drain().deliveries.length;
      expect(received).toBe(total);
      expect(harness.statistic(abi.STATISTIC_REFUSED)).toBe(0);
    },
  );
});
