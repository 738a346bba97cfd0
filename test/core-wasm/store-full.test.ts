/** When memory for survivors runs out: a status that passes, never a trap, and nothing accepted is lost in silence. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { check, data, store } from "./stalled.ts";

describe("a full store", () => {
  test("is never told where sinks keep up", () => {
    const { harness, channel, source, live } = store({ poolBytes: 8 * 1024 * 1024 });
    for (let id = 0; id < 400; id++) {
      expect(source.receipt(channel, [{ id: `${id}`, type: "t", data: data(id, 50_000) }])[0]?.status).toBe(
        abi.STATUS_OK,
      );
      live.drain();
    }
    expect(harness.statistic(abi.STATISTIC_REFUSED)).toBe(0);
  });

  test("is a status, never a trap: what was accepted is delivered or told as dropped, and draining ends it", () => {
    const { channel, source, live, stalled } = store({ poolBytes: 6 * 1024 * 1024 });
    const slow = [stalled(), stalled()];
    // More capacity than the pool has: the pool's end is met before any inbox's own.
    for (const sink of slow) sink.inbox(1_000_000, 2 ** 31 - 1, abi.OVERFLOW_DROP_OLDEST);
    const statuses = new Map<number, number>();
    for (let id = 0; id < 1200; id++) {
      const status = source.receipt(channel, [{ id: `${id}`, type: "t", data: data(id, 20_000) }])[0]?.status ?? -1;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      live.drain();
    }
    const accepted = statuses.get(abi.STATUS_OK) ?? 0;
    const refused = statuses.get(abi.STATUS_STORE_FULL) ?? 0;
    expect(accepted + refused).toBe(1200);
    for (const sink of slow) {
      const drained = sink.drain();
      for (const { event } of drained.deliveries) check(event);
      const dropped = drained.dropped.get(`${channel}/overflow`) ?? 0;
      expect(drained.deliveries.length + dropped).toBe(accepted);
      expect(dropped + refused).toBeGreaterThan(0);
    }
    expect(source.receipt(channel, [{ id: "1", type: "t", data: data(1, 20_000) }])[0]?.status).toBe(abi.STATUS_OK);
    expect(live.events()).toHaveLength(1);
  });

  test("never costs a blocking inbox an event that was accepted", () => {
    const { harness, channel, source, live, stalled } = store({ poolBytes: 6 * 1024 * 1024 });
    const slow = stalled();
    slow.inbox(1_000_000, 2 ** 31 - 1, abi.OVERFLOW_BLOCK);
    const accepted: number[] = [];
    const statuses = new Set<number>();
    for (let id = 0; id < 1200; id++) {
      const [record] = source.receipt(channel, [{ id: `${id}`, type: "t", data: data(id, 20_000) }]);
      statuses.add(record?.status ?? -1);
      if (record?.status === abi.STATUS_OK) accepted.push(id);
      live.drain();
    }
    expect(accepted.length).toBeGreaterThan(50);
    expect(accepted.length).toBeLessThan(1200);
    expect(
      [...statuses].every((status) => [abi.STATUS_OK, abi.STATUS_STORE_FULL, abi.STATUS_NO_CREDIT].includes(status)),
    ).toBe(true);
    const got: number[] = [];
    for (let turn = 0; turn < 2000 && got.length < accepted.length; turn++) {
      got.push(...slow.drain().deliveries.map(({ event }) => check(event)));
      live.drain();
    }
    expect(got).toEqual(accepted);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(0);
  });
});
