/** Goal: where sinks choose, an event that none of them wants takes no room; whatever else is promised of it holds. */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeFrame } from "./frames.ts";
import { check, data, store } from "./stalled.ts";
import { join } from "./wire.ts";

/** What an event may say beside its type, id and data. */
interface Head {
  readonly source?: string;
  readonly timeUs?: bigint;
  readonly key?: string;
  readonly ttlMs?: bigint;
}

const BARE: Head = { source: "/s", timeUs: 1n };

/** A channel whose sinks want the type `rare`; they have taken nothing so far. */
function choosing(sinks = 1) {
  const { harness, channel, source, live, stalled } = store();
  live.close();
  return { harness, channel, source, sinks: Array.from({ length: sinks }, () => stalled(["rare"])) };
}

describe("an event that nobody wants", () => {
  test.each<[string, Head, number]>([
    ["that is delivered as it comes", BARE, 1000],
    ["to which its time and source are added", {}, 1000],
    ["with a key", { ...BARE, key: "k" }, 1000],
    ["with a TTL", { ...BARE, ttlMs: 60_000n }, 1000],
    ["that is larger than a slab", BARE, 300_000],
    ["that is larger than a slab, to which its time is added", {}, 300_000],
  ])("%s takes no room, and those before and after it stay whole", (_title, more, bytes) => {
    const { harness, channel, source, sinks } = choosing();
    const count = bytes > abi.SLAB_BYTES ? 100 : 1000;
    const event = (id: number, type: string) => ({ ...more, id: String(id), type, data: data(id, bytes) });
    source.publish(channel, [event(0, "rare")]);
    const pages = harness.statistic(abi.STATISTIC_PAGES_USED);
    for (let id = 1; id < count; id++) source.publish(channel, [event(id, "t")]);
    expect(harness.statistic(abi.STATISTIC_SLABS)).toBeLessThanOrEqual(2);
    expect(harness.statistic(abi.STATISTIC_PAGES_USED)).toBe(pages);
    source.publish(channel, [event(count, "rare")]);
    expect(harness.statistic(abi.STATISTIC_EVACUATED_BYTES)).toBe(0);
    const { deliveries, dropped } = sinks[0]?.drain() ?? { deliveries: [], dropped: new Map() };
    expect(deliveries.map(({ event }) => check(event))).toEqual([0, count]);
    expect(deliveries.map(({ sequence }) => Number(sequence))).toEqual([1, count + 1]);
    expect(dropped.size).toBe(0);
  });

  test("has a sequence, and its receipt says that nobody was selected", () => {
    const { channel, source } = choosing();
    const types = ["rare", "t", "t", "rare"];
    for (const common of [BARE, {}]) {
      const told = source.receipt(
        channel,
        types.map((type) => ({ ...common, type })),
      );
      expect(told.map(({ sinks }) => sinks)).toEqual([1, 0, 0, 1]);
      expect(told.map(({ sequence }) => Number(sequence - (told[0]?.sequence ?? 0n)))).toEqual([0, 1, 2, 3]);
    }
  });

  test.each([
    ["is stored where the channel stores", true],
    ["reaches those that want everything", false],
  ])("%s", (_title, stores) => {
    const { harness, channel, source, sinks } = choosing();
    if (stores) expect(harness.core.channelStore(channel, 10, 1 << 20)).toBe(abi.STATUS_OK);
    const everything = harness.open();
    if (!stores) harness.sink(everything, channel);
    for (const [id, type] of ["t", "rare", "t"].entries()) source.publish(channel, [{ ...BARE, id: String(id), type }]);
    if (stores) {
      const member = harness.sink(everything, channel);
      expect(harness.core.memberReplay(member, 0, harness.now)).toBe(1);
    }
    expect(everything.events().map(({ id }) => id)).toEqual(["0", "1", "2"]);
    expect(sinks[0]?.events().map(({ id }) => id)).toEqual(["1"]);
  });

  test("between events of another channel leaves their order as it is", () => {
    const { harness, channel, source, sinks } = choosing(2);
    const plain = harness.channel("plain");
    harness.source(source, plain);
    for (const sink of sinks) harness.sink(sink, plain);
    const wanted: string[] = [];
    const bytes: Uint8Array[] = [];
    for (let id = 0; id < 200; id++) {
      const on = id % 3 === 0 ? plain : channel;
      const type = id % 7 === 0 ? "rare" : "t";
      if (on === plain || type === "rare") wanted.push(String(id));
      const kind = {
        case: "publish" as const,
        value: { channelNumber: on, events: [{ ...BARE, id: String(id), type }] },
      };
      bytes.push(source.wrap(encodeFrame({ kind })));
    }
    // In one read, so that ranges are under way when others come between.
    source.feed(join(...bytes));
    for (const sink of sinks) expect(sink.events().map(({ id }) => id)).toEqual(wanted);
  });
});
