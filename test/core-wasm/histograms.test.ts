/**
 * Histograms: what is counted is what a stopwatch beside each event would say, within the widths of their buckets, whatever the
 * order of the inbox and however that changes.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as core from "../../core-wasm/abi.ts";
import * as own from "../../core-wasm/mailbox/abi.ts";
import { propertyParameters } from "../property/runs.ts";
import { Harness } from "./harness.ts";

const abi = { ...core, ...own };
const BYTES_MAX = 16 * 1024 * 1024;
const START = 1_700_000_000_000;
const OUT = abi.OUT_OFFSET;

function create(ordering: number = abi.ORDERING_FIFO) {
  const harness = Harness.create({ now: START });
  const channel = harness.channel("c", { flags: abi.CHANNEL_ECHO });
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  const order = (next: number) => sink.inbox(1_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, next);
  order(ordering);
  const read = (histogram: number, connection = sink.id): number[] | undefined => {
    if (harness.core.histogramRead(connection, histogram, OUT) === 0) return undefined;
    const view = new DataView(harness.memory.buffer, OUT, abi.HISTOGRAM_BUCKETS * 8);
    return Array.from({ length: abi.HISTOGRAM_BUCKETS }, (_, bucket) => view.getFloat64(bucket * 8, true));
  };
  const at = (ms: number) => {
    harness.now = START + ms;
  };
  return { harness, channel, source, sink, order, read, at };
}

/** The bucket of a value, as its documentation has it. */
function bucketOf(value: number): number {
  for (let bucket = 0; bucket < abi.HISTOGRAM_BUCKETS - 1; bucket++) if (value <= 2 ** bucket) return bucket;
  return abi.HISTOGRAM_BUCKETS - 1;
}

function expected(values: readonly number[]): number[] {
  const counts = new Array<number>(abi.HISTOGRAM_BUCKETS).fill(0);
  for (const value of values) counts[bucketOf(value)] = (counts[bucketOf(value)] as number) + 1;
  return counts;
}

describe("waits", () => {
  test("of events that came together are counted as they are, of one inbox and of all", () => {
    const { source, sink, channel, read, at } = create();
    expect(read(abi.HISTOGRAM_WAIT)).toBeUndefined();
    source.publish(channel, [{ type: "a" }, { type: "b" }, { type: "c" }]);
    at(100);
    sink.drain();
    expect(read(abi.HISTOGRAM_WAIT)).toEqual(expected([400, 400, 400]));
    expect(read(abi.HISTOGRAM_WAIT, 0)).toEqual(expected([400, 400, 400]));
    expect(read(abi.HISTOGRAM_DEPTH)).toEqual(expected([3]));
    expect(read(abi.HISTOGRAM_LATENESS)).toBeUndefined();
    expect(read(abi.HISTOGRAMS, 0)).toBeUndefined();
    expect(read(abi.HISTOGRAM_WAIT, 4_000)).toBeUndefined();
  });

  test("of events that came one after the other lie between those of the first and the last", () => {
    const { source, sink, channel, read, at } = create();
    for (let ms = 0; ms < 100; ms++) {
      at(ms);
      source.publish(channel, [{ type: "t" }]);
    }
    at(100);
    sink.drain();
    const waits = read(abi.HISTOGRAM_WAIT) as number[];
    const exact = expected(Array.from({ length: 100 }, (_, index) => (index + 1) * 4));
    expect(waits.reduce((sum, count) => sum + count, 0)).toBe(100);
    // Half of a run's events are in the two last buckets; parts are an eighth of it each.
    for (const bucket of [8, 9]) expect(Math.abs((waits[bucket] ?? 0) - (exact[bucket] ?? 0))).toBeLessThanOrEqual(13);
    expect(waits.slice(10)).toEqual(new Array(abi.HISTOGRAM_BUCKETS - 10).fill(0));
  });

  test("stay what they are through any orders, splits and holds", () => {
    const orderings = [
      abi.ORDERING_FIFO,
      abi.ORDERING_LIFO,
      abi.ORDERING_PRIORITY,
      abi.ORDERING_DEADLINE,
      abi.ORDERING_TIME,
    ];
    const step = fc.oneof(
      fc.record({ afterMs: fc.integer({ min: 1, max: 5_000 }), publish: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ afterMs: fc.integer({ min: 0, max: 5_000 }), order: fc.constantFrom(...orderings) }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.constantFrom(...orderings), (steps, last) => {
        const { source, sink, channel, order, read, at } = create();
        let ms = 0;
        const came: number[] = [];
        for (const one of steps) {
          ms += one.afterMs;
          at(ms);
          if ("order" in one) order(one.order);
          // In a plain inbox what follows would be one run with what is there, and known by its ends only.
          order(abi.ORDERING_LIFO);
          if (!("publish" in one)) continue;
          source.publish(
            channel,
            Array.from({ length: one.publish }, () => ({ type: "t" })),
          );
          for (let event = 0; event < one.publish; event++) came.push(ms);
        }
        order(last);
        ms += 1_000;
        at(ms);
        sink.drain();
        if (came.length === 0) return;
        // Arrivals in one moment differ by a microsecond each.
        const waits = came.map((moment) => (ms - moment) * 4);
        const counted = read(abi.HISTOGRAM_WAIT) as number[];
        const near = (shift: number) => expected(waits.map((wait) => wait + shift));
        expect(counted.reduce((sum, count) => sum + count, 0)).toBe(came.length);
        for (let bucket = 0; bucket < abi.HISTOGRAM_BUCKETS; bucket++) {
          const bounds = [near(-1), near(0), near(1)].map((counts) => counts[bucket] as number);
          expect(counted[bucket]).toBeGreaterThanOrEqual(Math.min(...bounds));
          expect(counted[bucket]).toBeLessThanOrEqual(Math.max(...bounds));
        }
      }),
      propertyParameters(40),
    );
  });

  test("stay what they are when thousands that wait are put in order", () => {
    const { harness, source, sink, channel, read, at } = create();
    sink.inbox(20_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_FIFO);
    harness.core.inboxHold(sink.id, 1);
    const between = harness.channel("between", { flags: abi.CHANNEL_ECHO });
    harness.source(source, between);
    harness.sink(source, between);
    const thousand = Array.from({ length: 1_000 }, () => ({ type: "t" }));
    for (let sent = 0; sent < 9; sent++) {
      // The last three come when the others have waited for a while, and not right behind them in the store.
      if (sent === 6) {
        at(900);
        source.publish(between, [{ type: "t" }]);
      }
      source.publish(channel, thousand);
    }
    at(1_000);
    sink.inbox(20_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_DEADLINE);
    harness.core.inboxHold(sink.id, 0);
    while (sink.drain().deliveries.length > 0);
    expect(read(abi.HISTOGRAM_WAIT)).toEqual(
      expected(Array.from({ length: 9_000 }, (_, index) => (index < 6_000 ? 4_000 : 400))),
    );
  });

  test("of a clock that goes back are none", () => {
    for (const ordering of [abi.ORDERING_FIFO, abi.ORDERING_LIFO]) {
      const { source, sink, channel, read, at } = create(ordering);
      source.publish(channel, [{ type: "t" }]);
      at(-60_000);
      sink.drain();
      expect(read(abi.HISTOGRAM_WAIT)).toEqual(expected([0]));
    }
  });
});

describe("lateness", () => {
  test("is that of misses, each once", () => {
    const { source, sink, channel, read, at, order } = create(abi.ORDERING_DEADLINE);
    source.publish(channel, [{ type: "t", ttlMs: 10n }, { type: "t", ttlMs: 1_000n }, { type: "t" }]);
    at(30);
    sink.drain();
    order(abi.ORDERING_FIFO);
    expect(read(abi.HISTOGRAM_LATENESS, 0)).toEqual(expected([80]));
  });
});

test("histograms go with their connection, and take no memory before anything is delivered", () => {
  const { harness, source, sink, channel } = create();
  const used = () => harness.statistic(abi.STATISTIC_PAGES_USED);
  for (let round = 0; round < 3_000; round++) {
    const other = harness.open();
    harness.sink(other, channel);
    source.publish(channel, [{ type: "t" }]);
    other.drain();
    sink.drain();
    harness.core.connectionClose(other.id);
    if (round === 100) expect(used()).toBeGreaterThan(0);
  }
  const before = used();
  for (let round = 0; round < 1_000; round++) {
    const other = harness.open();
    harness.sink(other, channel);
    source.publish(channel, [{ type: "t" }]);
    other.drain();
    sink.drain();
    harness.core.connectionClose(other.id);
  }
  expect(used()).toBe(before);
});
