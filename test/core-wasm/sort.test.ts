/**
 * Orders that are put off: what leaves all at once leaves in the very order in which it would leave one by one.
 * Method: sinks of one channel with the same ordering, of which one takes all that there is and the others a little at a time, while
 * events come; what they get by then is held against a plain list that is sorted.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const START = 1_700_000_000_000;
const BYTES_MAX = 16 * 1024 * 1024;

interface Item {
  readonly id: string;
  readonly priority: number;
  readonly deadline: number;
  readonly time: number;
  readonly arrival: number;
}

/** Which of two leaves first: negative for the first one. Written from the documentation, not from the core. */
const compare: Readonly<Record<string, (one: Item, other: Item) => number>> = {
  LIFO: (one, other) => other.arrival - one.arrival,
  PRIORITY: (one, other) => other.priority - one.priority || one.arrival - other.arrival,
  DEADLINE: (one, other) =>
    one.deadline - other.deadline || other.priority - one.priority || one.arrival - other.arrival,
  PRIORITY_DEADLINE: (one, other) =>
    other.priority - one.priority || one.deadline - other.deadline || one.arrival - other.arrival,
  TIME: (one, other) => one.time - other.time || one.arrival - other.arrival,
};
const names = Object.keys(compare);
const orderingOf = (name: string): number => (abi as unknown as Record<string, number>)[`ORDERING_${name}`] as number;

const eventOf = ({ id, priority, deadline, time }: Item): EventInit => ({
  id,
  type: "t",
  priority,
  timeUs: BigInt(START + time) * 1000n,
  deliverByUs: BigInt(START + deadline) * 1000n,
  data: new Uint8Array(id.length * 3),
});

/** A burst of events, and whether who takes little takes after it. */
const bursts = fc.array(
  fc.record({
    items: fc.array(
      fc.record({ priority: fc.nat({ max: 9 }), deadline: fc.integer({ min: 60_000, max: 60_020 }), time: fc.nat(9) }),
      { minLength: 1, maxLength: 40 },
    ),
    bytes: fc.constantFrom(0, 60, 150, 400),
  }),
  { minLength: 1, maxLength: 8 },
);

function world(name: string) {
  const harness = Harness.create({ now: START });
  const channel = harness.channel("c");
  const source = harness.open();
  harness.source(source, channel);
  const sinks = [1, 2, 3].map(() => {
    const sink = harness.open();
    harness.sink(sink, channel);
    expect(sink.inbox(65_536, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, orderingOf(name))).toBe(abi.STATUS_OK);
    return sink;
  });
  let arrivals = 0;
  const publish = (items: readonly Omit<Item, "id" | "arrival">[]): Item[] => {
    const made = items.map((item) => ({ ...item, id: `${arrivals}`, arrival: arrivals++ }));
    source.publish(channel, made.map(eventOf));
    return made;
  };
  return { harness, channel, source, sinks, publish };
}

describe("an order that is put off", () => {
  test.each(names)("%s: is the order of what is taken one by one", { timeout: timeoutMs(60_000) }, (name) => {
    fc.assert(
      fc.property(bursts, (given) => {
        const { sinks, publish } = world(name);
        const [all, same, little] = sinks;
        let waiting: Item[] = [];
        for (const { items, bytes } of given) {
          const made = publish(items);
          const expected = made.toSorted(compare[name]).map(({ id }) => id);
          expect(all?.events().map(({ id }) => id)).toEqual(expected);
          expect(same?.events().map(({ id }) => id)).toEqual(expected);
          waiting = [...waiting, ...made].sort(compare[name]);
          if (bytes === 0) continue;
          const got = little?.drain(bytes).deliveries.map(({ event }) => event.id) ?? [];
          expect(got.length).toBeGreaterThan(0);
          expect(got).toEqual(waiting.splice(0, got.length).map(({ id }) => id));
        }
        expect(little?.events().map(({ id }) => id)).toEqual(waiting.map(({ id }) => id));
      }),
      propertyParameters(20),
    );
  });

  test("knows events of the same size in the same place from those before them", () => {
    const { sinks, publish } = world("PRIORITY");
    for (const priorities of [
      [1, 9, 5],
      [9, 1, 5],
      [5, 5, 9],
    ]) {
      const made = publish(priorities.map((priority) => ({ priority, deadline: 60_000, time: 0 })));
      const expected = made.toSorted(compare["PRIORITY"]).map(({ id }) => id);
      for (const sink of sinks) expect(sink.events().map(({ id }) => id)).toEqual(expected);
    }
  });

  test("is another one when the ordering changes while events wait", () => {
    const { sinks, publish } = world("PRIORITY");
    const [sink] = sinks;
    const made = publish([
      { priority: 1, deadline: 60_001, time: 3 },
      { priority: 9, deadline: 60_009, time: 1 },
      { priority: 5, deadline: 60_005, time: 2 },
    ]);
    for (const name of ["LIFO", "TIME", "DEADLINE"])
      expect(sink?.inbox(65_536, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, orderingOf(name))).toBe(abi.STATUS_OK);
    expect(sink?.events().map(({ id }) => id)).toEqual(made.toSorted(compare["DEADLINE"]).map(({ id }) => id));
  });

  test("drops the oldest where the inbox is full, whatever their order", () => {
    const { sinks, publish } = world("PRIORITY");
    const [sink] = sinks;
    sink?.inbox(2, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_PRIORITY);
    publish([9, 1, 5].map((priority) => ({ priority, deadline: 60_000, time: 0 })));
    expect(sink?.events().map(({ id }) => id)).toEqual(["2", "1"]);
  });

  test("is kept for more than can be sorted at once", () => {
    const { sinks, publish } = world("PRIORITY_DEADLINE");
    const items = Array.from({ length: 9_000 }, (_, index) => ({
      priority: (index * 7) % 10,
      deadline: 60_000 + ((index * 13) % 997),
      time: 0,
    }));
    const made: Item[] = [];
    for (let at = 0; at < items.length; at += 500) made.push(...publish(items.slice(at, at + 500)));
    const expected = made.toSorted(compare["PRIORITY_DEADLINE"]).map(({ id }) => id);
    const [sink] = sinks;
    const got: (string | undefined)[] = [];
    for (let some = sink?.events() ?? []; some.length > 0; some = sink?.events() ?? [])
      got.push(...some.map(({ id }) => id));
    expect(got).toEqual(expected);
  });
});
