/**
 * Window-constrained ordering, against a model that is written from the rules: one list of streams that is searched whole.
 *
 * Time is a grid: an event takes `C`, and one is delivered at the end of each slot. A deadline is met at that very moment.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import { encodeFrame, publishFrame } from "./frames.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;
const START = 1_700_000_000_000;

/** What a channel promises: of `of` deadlines `lose` may be missed. */
interface Window {
  readonly lose: number;
  readonly of: number;
  readonly periodMs: number;
}

/** A sink with the ordering `window` and a channel for each window; `late` events are delivered unless `drop`. */
function createStreams(windows: readonly Window[], { drop = false, serviceMs = 0 } = {}) {
  const harness = Harness.create({ now: START });
  const [source, sink] = [harness.open(), harness.open()];
  const flags = abi.CHANNEL_ECHO | (drop ? abi.CHANNEL_LATE_DROP : 0);
  const channels = windows.map(({ lose, of, periodMs }, index) => {
    const channel = harness.channel(`c${index}`, { flags });
    expect(harness.core.channelWindow(channel, lose, of, periodMs)).toBe(abi.STATUS_OK);
    harness.source(source, channel);
    harness.sink(sink, channel);
    return channel;
  });
  expect(sink.inbox(65_536, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_WINDOW, serviceMs)).toBe(abi.STATUS_OK);
  const publish = (index: number, ...ids: string[]) =>
    source.publish(
      channels[index] as number,
      ids.map((id) => ({ id, type: "t" })),
    );
  const count = (index: number, statistic: number) =>
    harness.core.streamStatistic(sink.id, channels[index] as number, statistic);
  /** Serves one event at a moment; gives the index of its stream, −1 for none. */
  const serve = (atMs: number): number => {
    harness.now = START + atMs;
    sink.credit(1, 1_000_000);
    const [delivery] = sink.drain().deliveries;
    return delivery === undefined ? -1 : channels.indexOf(delivery.channel);
  };
  // From here on nothing leaves that was not asked for: the first credit of a session is used up at once.
  const start = harness.channel("start");
  harness.source(source, start);
  harness.sink(sink, start);
  sink.credit(1, 1_000_000);
  source.publish(start, [{ type: "t" }]);
  expect(sink.events()).toHaveLength(1);
  return { harness, source, sink, channels, publish, count, serve };
}

/** The rules as they stand in the literature, for streams that have two events at first and get another for each that leaves. */
class Model {
  readonly streams: {
    x: number;
    y: number;
    deadline: number;
    tag: boolean;
    violations: number;
    window: Window;
    /** Misses in a row now, and at most. */
    row: number;
    most: number;
    arrivals: number[];
  }[];
  #arrivals: number;

  constructor(windows: readonly Window[]) {
    this.streams = windows.map((window, index) => ({
      x: window.lose,
      y: window.of,
      deadline: window.periodMs,
      tag: false,
      violations: 0,
      window,
      row: 0,
      most: 0,
      arrivals: [0, 1].map((round) => round * windows.length + index),
    }));
    this.#arrivals = 2 * windows.length;
  }

  serve(now: number): number {
    for (;;) {
      const late = this.streams.find(({ deadline }) => deadline < now);
      if (late === undefined) break;
      late.deadline += late.window.periodMs;
      late.most = Math.max(late.most, ++late.row);
      if (late.x > 0) {
        late.x--;
        late.y--;
        if (late.x === 0 && late.y === 0) this.#begin(late);
      } else {
        late.y++;
        late.tag = true;
        late.violations++;
      }
    }
    let best = 0;
    for (let index = 1; index < this.streams.length; index++) if (this.#before(index, best)) best = index;
    const stream = this.streams[best] as (typeof this.streams)[number];
    if (stream.y > stream.x) stream.y--;
    else if (stream.x > 0) {
      stream.x--;
      stream.y--;
    }
    if ((stream.x === 0 && stream.y === 0) || stream.tag) this.#begin(stream);
    stream.deadline += stream.window.periodMs;
    stream.row = 0;
    stream.arrivals.shift();
    stream.arrivals.push(this.#arrivals++);
    return best;
  }

  #begin(stream: (typeof this.streams)[number]): void {
    stream.x = stream.window.lose;
    stream.y = stream.window.of;
    stream.tag = false;
  }

  #before(one: number, other: number): boolean {
    const a = this.streams[one] as (typeof this.streams)[number];
    const b = this.streams[other] as (typeof this.streams)[number];
    if (a.deadline !== b.deadline) return a.deadline < b.deadline;
    const difference = a.x * b.y - b.x * a.y;
    if (difference !== 0) return difference < 0;
    if (a.x === 0 && a.y !== b.y) return a.y > b.y;
    if (a.x !== 0 && a.x !== b.x) return a.x < b.x;
    return (a.arrivals[0] as number) < (b.arrivals[0] as number);
  }
}

describe("the worked example", () => {
  test("A 1/2, B 3/4, C 6/8 with U = 1 are served A B A C, and nothing is violated", () => {
    const windows = [
      { lose: 1, of: 2, periodMs: 1 },
      { lose: 3, of: 4, periodMs: 1 },
      { lose: 6, of: 8, periodMs: 1 },
    ];
    const { publish, serve, count } = createStreams(windows);
    const slots = 64;
    for (let index = 0; index < 3; index++) publish(index, ...Array.from({ length: slots }, (_, n) => `${n}`));
    const served = Array.from({ length: slots }, (_, slot) => "ABC"[serve(slot + 1)]);
    expect(served.join("")).toBe("ABAC".repeat(slots / 4));
    for (let index = 0; index < 3; index++) expect(count(index, abi.STREAM_VIOLATIONS)).toBe(0);
  });
});

/** Sets with equal periods of q services and U = Σ (1 − lose/of)·C/T ≤ 1. */
const feasible = fc
  .record({
    q: fc.integer({ min: 1, max: 4 }),
    windows: fc.array(
      fc
        .integer({ min: 1, max: 8 })
        .chain((of) => fc.record({ of: fc.constant(of), lose: fc.integer({ min: 0, max: of }) })),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ q, windows }) => {
    const kept: { lose: number; of: number }[] = [];
    let need = 0;
    for (const window of windows) {
      const more = (1 - window.lose / window.of) / q;
      if (need + more > 1 + 1e-12) continue;
      need += more;
      kept.push(window);
    }
    return kept.map((window) => ({ ...window, periodMs: q }));
  })
  .filter((windows) => windows.length > 0);

/** One instance for thousands of sets: no frame is decoded, an event is told by the number of its channel. */
function createBench() {
  const harness = Harness.create({ now: START, poolBytes: 8 * 1024 * 1024 });
  const { core, memory } = harness;
  const frames = new Map<number, Uint8Array>();
  const [source] = [harness.open()];
  let made = 0;
  const publish = (channel: number): void => {
    let bytes = frames.get(channel);
    if (bytes === undefined) {
      bytes = source.wrap(encodeFrame(publishFrame(channel, [{ type: "t" }])));
      frames.set(channel, bytes);
    }
    memory.set(bytes, abi.LANDING_OFFSET);
    expect(core.ingest(source.id, abi.LANDING_OFFSET, bytes.length, harness.now)).toBe(bytes.length);
  };
  /** Runs a set for so many slots with streams that never run dry; gives who was served, and the violations. */
  const run = (windows: readonly Window[], slots: number) => {
    const sink = harness.open();
    sink.inbox(1_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_WINDOW);
    harness.now = START;
    const channels = windows.map(({ lose, of, periodMs }) => {
      const channel = harness.channel(`c${made++}`);
      core.channelWindow(channel, lose, of, periodMs);
      harness.source(source, channel);
      harness.sink(sink, channel);
      return channel;
    });
    for (const channel of channels) publish(channel);
    for (const channel of channels) publish(channel);
    const served: number[] = [];
    for (let slot = 1; slot <= slots; slot++) {
      harness.now = START + slot;
      // With room for less than an event one comes alone; notices of misses come first.
      do core.drain(sink.id, abi.OUT_OFFSET, 1, harness.now);
      while (harness.result(abi.RESULT_DELIVERIES) === 0);
      const channel = channelAt(memory, abi.OUT_OFFSET);
      served.push(channels.indexOf(channel));
      publish(channel);
    }
    const violations = channels.map((channel) => core.streamStatistic(sink.id, channel, abi.STREAM_VIOLATIONS));
    sink.close();
    for (const channel of channels) core.channelRemove(channel);
    return { served, violations };
  };
  return { run };
}

/** Channel number of a HostFrame with one Delivery: three sizes, each but the first behind a tag, then the field. */
function channelAt(memory: Uint8Array, at: number): number {
  let place = at;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = memory[place++] as number;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  for (let level = 0; level < 3; level++) {
    varint();
    place++;
  }
  return varint();
}

describe("properties", () => {
  test(
    "2,000 feasible sets with equal periods: no violation, short gaps, and the very order of the rules",
    () => {
      const bench = createBench();
      const slots = 96;
      fc.assert(
        fc.property(feasible, (windows) => {
          const { served, violations } = bench.run(windows, slots);
          const model = new Model(windows);
          expect(served).toEqual(served.map((_, slot) => model.serve(slot + 1)));
          expect(violations).toEqual(windows.map(() => 0));
          windows.forEach(({ lose, of, periodMs }, index) => {
            // Who may lose everything is promised nothing.
            if (lose === of) return;
            const starts = [0, ...served.flatMap((stream, slot) => (stream === index ? [slot] : [])), slots];
            const gaps = starts.slice(1).map((start, place) => start - (starts[place] as number));
            expect(Math.max(...gaps)).toBeLessThanOrEqual((2 * lose + 2) * periodMs - 1);
            expect(model.streams[index]?.most).toBeLessThanOrEqual(2 * lose);
          });
        }),
        propertyParameters(2_000),
      );
    },
    timeoutMs(120_000),
  );

  test(
    "any set at all, however overloaded, is served by the rules",
    () => {
      const bench = createBench();
      const any = fc.array(
        fc.record({
          lose: fc.integer({ min: 0, max: 5 }),
          more: fc.integer({ min: 0, max: 5 }),
          periodMs: fc.integer({ min: 1, max: 5 }),
        }),
        { minLength: 1, maxLength: 10 },
      );
      fc.assert(
        fc.property(any, (sets) => {
          const windows = sets.map(({ lose, more, periodMs }) => ({ lose, of: Math.max(1, lose + more), periodMs }));
          const { served, violations } = bench.run(windows, 60);
          const model = new Model(windows);
          expect(served).toEqual(served.map((_, slot) => model.serve(slot + 1)));
          expect(violations).toEqual(model.streams.map((stream) => stream.violations));
        }),
        propertyParameters(500),
      );
    },
    timeoutMs(120_000),
  );
});

describe("beside windows", () => {
  const window = { lose: 1, of: 2, periodMs: 10 };

  test("a channel without a window waits while a stream waits, where nobody knows how long an event takes", () => {
    const { harness, source, sink, publish, serve } = createStreams([window]);
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(sink, other);
    source.publish(other, [{ type: "t" }, { type: "t" }]);
    publish(0, "1");
    expect([serve(0), serve(0), serve(0), serve(0)]).toEqual([0, -1, -1, -1]);
  });

  test("with serviceMs it goes first while no deadline is at risk", () => {
    const { harness, source, sink, channels, publish } = createStreams([window], { serviceMs: 3 });
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(sink, other);
    source.publish(
      other,
      Array.from({ length: 4 }, () => ({ type: "t" })),
    );
    publish(0, "1");
    const take = (atMs: number) => {
      harness.now = START + atMs;
      sink.credit(1, 1_000_000);
      return sink.drain().deliveries[0]?.channel;
    };
    // Its deadline is at 10 and an event takes 3: at 4 there is time for one other event and for its own, at 5 there is not.
    expect([take(0), take(4), take(5), take(8)]).toEqual([other, other, channels[0], other]);
  });

  test("late events of a channel that drops are dropped when their deadline has passed, and told", () => {
    const { harness, sink, channels, publish, count } = createStreams([window], { drop: true });
    publish(0, "1", "2", "3");
    harness.now = START + 25;
    sink.credit(10, 1_000_000);
    const drained = sink.drain();
    // Deadlines at 10, 20 and 30.
    expect(drained.deliveries.map(({ event }) => event.id)).toEqual(["3"]);
    expect([...drained.dropped]).toEqual([[`${channels[0]}/late`, 2]]);
    expect(
      [abi.STREAM_MET, abi.STREAM_MISSED, abi.STREAM_DROPPED, abi.STREAM_VIOLATIONS].map((index) => count(0, index)),
    ).toEqual([1, 2, 2, 1]);
  });

  test("an event that waits for many periods misses once", () => {
    const { publish, serve, count } = createStreams([window]);
    publish(0, "1");
    expect(serve(95)).toBe(0);
    expect(count(0, abi.STREAM_MISSED)).toBe(1);
    expect(count(0, abi.STREAM_MET)).toBe(0);
  });

  test("a clock that jumps by years counts whole windows and serves on", () => {
    const { publish, serve, count } = createStreams([{ lose: 1, of: 4, periodMs: 1 }]);
    publish(0, "1", "2", "3");
    expect(serve(4_000_000_000)).toBe(0);
    expect(count(0, abi.STREAM_VIOLATIONS)).toBe(2_999_999_997);
    expect([serve(4_000_000_000), serve(4_000_000_000)]).toEqual([0, 0]);
    expect(count(0, abi.STREAM_MET)).toBe(2);
  });

  test("a clock that goes back misses nothing", () => {
    const { publish, serve, count } = createStreams([window]);
    publish(0, "1", "2");
    expect([serve(-1_000_000), serve(-2_000_000)]).toEqual([0, 0]);
    expect(count(0, abi.STREAM_MISSED)).toBe(0);
  });

  test("a window that comes, changes and goes while events wait loses none of them", () => {
    const { harness, source, sink, channels, publish } = createStreams([window, window]);
    const other = harness.channel("other");
    harness.source(source, other);
    harness.sink(sink, other);
    publish(0, "a1", "a2");
    source.publish(other, [
      { id: "o1", type: "t" },
      { id: "o2", type: "t" },
    ]);
    publish(1, "b1", "b2");
    expect(harness.core.channelWindow(other, 0, 1, 5)).toBe(abi.STATUS_OK);
    expect(harness.core.channelWindow(channels[0] as number, 0, 0, 0)).toBe(abi.STATUS_OK);
    expect(harness.core.channelWindow(channels[1] as number, 0, 3, 20)).toBe(abi.STATUS_OK);
    sink.credit(100, 1_000_000);
    // o has deadlines at 5 and 10, b at 10 and 30; a is best effort now. At 10 b has more to lose for longer.
    expect(sink.events().map(({ id }) => id)).toEqual(["o1", "b1", "o2", "b2", "a1", "a2"]);
  });

  test.each([
    ["more losses than deadlines", 3, 2, 1],
    ["a window beyond the largest", 1, abi.WINDOW_EVENTS_MAX + 1, 1],
    ["no period", 1, 2, 0],
    ["a negative period", 1, 2, -1],
    ["a period that is no number", 1, 2, Number.NaN],
    ["a period beyond a day", 1, 2, abi.WINDOW_PERIOD_MS_MAX + 1],
  ])("%s is refused, and the window stays as it was", (_, lose, of, periodMs) => {
    const { harness, channels, publish, serve } = createStreams([window]);
    expect(harness.core.channelWindow(channels[0] as number, lose, of, periodMs)).toBe(abi.STATUS_LIMIT);
    publish(0, "1");
    expect(serve(10)).toBe(0);
  });
});
