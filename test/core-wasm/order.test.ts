/**
 * Orderings of an inbox, against a plain list that is sorted whenever something leaves.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import type { TestConnection } from "./connection.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;
const EVENTS_MAX = 65_536;
const START = 1_700_000_000_000;

const orderings = {
  fifo: abi.ORDERING_FIFO,
  lifo: abi.ORDERING_LIFO,
  priority: abi.ORDERING_PRIORITY,
  deadline: abi.ORDERING_DEADLINE,
  "priority+deadline": abi.ORDERING_PRIORITY_DEADLINE,
  time: abi.ORDERING_TIME,
} as const;
type Ordering = keyof typeof orderings;
const names = Object.keys(orderings) as Ordering[];

/** One event as the model knows it. */
interface Item {
  readonly id: string;
  readonly channel: number;
  readonly priority: number;
  /** Milliseconds after START; Infinity: none. */
  readonly deadline: number;
  readonly time: number;
  readonly arrival: number;
  /** It says its source: without a deadline nothing is to be added to it. */
  readonly complete: boolean;
}

/** Which of two leaves first: negative for the first one. Written from the documentation, not from the core. */
const compare: Readonly<Record<Ordering, (one: Item, other: Item) => number>> = {
  fifo: (one, other) => one.arrival - other.arrival,
  lifo: (one, other) => other.arrival - one.arrival,
  priority: (one, other) => other.priority - one.priority || one.arrival - other.arrival,
  deadline: (one, other) =>
    difference(one.deadline, other.deadline) || other.priority - one.priority || one.arrival - other.arrival,
  "priority+deadline": (one, other) =>
    other.priority - one.priority || difference(one.deadline, other.deadline) || one.arrival - other.arrival,
  time: (one, other) => one.time - other.time || one.arrival - other.arrival,
};
const lowest = (one: Item, other: Item): number =>
  one.priority - other.priority || difference(other.deadline, one.deadline) || other.arrival - one.arrival;

/** Two infinities are equal. */
function difference(one: number, other: number): number {
  return one === other ? 0 : one - other;
}

function eventOf({ id, priority, deadline, time, complete }: Item): EventInit {
  return {
    id,
    ...(complete ? { source: "/s" } : {}),
    type: "t",
    priority,
    timeUs: BigInt(START + time) * 1000n,
    ...(deadline === Number.POSITIVE_INFINITY ? {} : { deliverByUs: BigInt(START + deadline) * 1000n }),
    data: new Uint8Array(20),
  };
}

function order(sink: TestConnection, ordering: Ordering, capacity = EVENTS_MAX, overflow = abi.OVERFLOW_DROP_OLDEST) {
  return sink.inbox(capacity, BYTES_MAX, overflow, orderings[ordering]);
}

function createSmall(ordering: Ordering) {
  const harness = Harness.create({ now: START });
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  expect(order(sink, ordering)).toBe(abi.STATUS_OK);
  const ids = (): string[] => sink.events().map(({ id }) => id);
  return { harness, channel, source, sink, ids };
}

describe("orderings", () => {
  const events: EventInit[] = [
    { id: "plain", type: "t" },
    { id: "urgent", type: "t", priority: 9 },
    { id: "soon", type: "t", ttlMs: 10n },
    { id: "later", type: "t", ttlMs: 20n, priority: 5 },
    { id: "early", type: "t", timeUs: 5n },
    { id: "soon too", type: "t", ttlMs: 10n, priority: 6 },
  ];
  test.each<[Ordering, string[]]>([
    ["fifo", ["plain", "urgent", "soon", "later", "early", "soon too"]],
    ["lifo", ["soon too", "early", "later", "soon", "urgent", "plain"]],
    ["priority", ["urgent", "soon too", "later", "plain", "soon", "early"]],
    ["deadline", ["soon too", "soon", "later", "urgent", "plain", "early"]],
    ["priority+deadline", ["urgent", "soon too", "later", "soon", "plain", "early"]],
    ["time", ["early", "plain", "urgent", "soon", "later", "soon too"]],
  ])("%s", (ordering, expected) => {
    const { channel, source, ids } = createSmall(ordering);
    source.publish(channel, events);
    expect(ids()).toEqual(expected);
    expect(ids()).toEqual([]);
  });

  test("an event without a priority has that of its channel, one without a deadline that of its channel's ttl", () => {
    const { harness, channel, source, sink } = createSmall("priority");
    const urgent = harness.channel("urgent", { priority: 8, ttlMs: 50 });
    harness.source(source, urgent);
    harness.sink(sink, urgent);
    const publish = () => {
      source.publish(channel, [{ id: "plain", type: "t" }]);
      source.publish(urgent, [{ id: "by channel", type: "t" }]);
    };
    publish();
    expect(sink.events().map(({ id }) => id)).toEqual(["by channel", "plain"]);
    order(sink, "deadline");
    publish();
    expect(sink.events().map(({ id }) => id)).toEqual(["by channel", "plain"]);
  });

  test("a moment before 1970 and the last one of 9999 have their places", () => {
    const { channel, source, ids } = createSmall("deadline");
    source.publish(channel, [
      { id: "none", type: "t" },
      { id: "9999", type: "t", deliverByUs: 253_402_300_799_999_999n },
      { id: "now", type: "t", deliverByUs: BigInt(START) * 1000n },
      { id: "0001", type: "t", deliverByUs: -62_135_596_800_000_000n },
    ]);
    expect(ids()).toEqual(["0001", "now", "9999", "none"]);
  });

  test("credit takes the most urgent of what waits at that moment", () => {
    const { channel, source, sink, ids } = createSmall("priority");
    sink.credit(1, 1_000_000);
    source.publish(channel, [
      { id: "1", type: "t" },
      { id: "2", type: "t", priority: 5 },
    ]);
    expect(ids()).toEqual(["2"]);
    source.publish(channel, [{ id: "3", type: "t", priority: 6 }]);
    sink.credit(2, 0);
    expect(ids()).toEqual(["3", "1"]);
  });

  test("a WebSocket gets them in that order, too", () => {
    const { harness, channel, source } = createSmall("fifo");
    const sink = harness.open(abi.CONNECTION_WEBSOCKET);
    harness.sink(sink, channel);
    order(sink, "lifo");
    source.publish(channel, [
      { id: "1", type: "t" },
      { id: "2", type: "t" },
    ]);
    expect(sink.events().map(({ id }) => id)).toEqual(["2", "1"]);
  });

  test("a key that is cancelled leaves the order as well", () => {
    const { channel, source, sink, ids } = createSmall("priority");
    source.publish(channel, [
      { id: "1", type: "t", key: "k", priority: 9 },
      { id: "2", type: "t" },
    ]);
    source.cancel(channel, "k");
    expect(ids()).toEqual(["2"]);
    expect(sink.drain().deliveries).toEqual([]);
  });

  test("an ordering or a policy that is none is refused, and nothing changes", () => {
    const { channel, source, sink, ids } = createSmall("lifo");
    expect(sink.inbox(10, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, 99)).toBe(abi.STATUS_LIMIT);
    expect(sink.inbox(10, BYTES_MAX, 99, abi.ORDERING_FIFO)).toBe(abi.STATUS_LIMIT);
    expect(sink.inbox(0, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, abi.ORDERING_FIFO)).toBe(abi.STATUS_LIMIT);
    source.publish(channel, [
      { id: "1", type: "t" },
      { id: "2", type: "t" },
    ]);
    expect(ids()).toEqual(["2", "1"]);
  });
});

describe("drop-lowest", () => {
  test("drops the lowest priority, then the latest deadline, then the newest", () => {
    const { harness, channel, source, sink, ids } = createSmall("fifo");
    order(sink, "fifo", 4, abi.OVERFLOW_DROP_LOWEST);
    const publish = (...events: EventInit[]) => source.publish(channel, events);
    publish({ id: "a", type: "t", priority: 2, ttlMs: 10n }, { id: "b", type: "t", priority: 1, ttlMs: 10n });
    publish({ id: "c", type: "t", priority: 1, ttlMs: 20n }, { id: "d", type: "t", priority: 1, ttlMs: 20n });
    publish({ id: "e", type: "t", priority: 9 });
    publish({ id: "f", type: "t", priority: 9 });
    publish({ id: "g", type: "t", priority: 9 });
    publish({ id: "h", type: "t", priority: 0 });
    expect(harness.core.inboxEvents(sink.id)).toBe(4);
    expect(ids()).toEqual(["a", "e", "f", "g"]);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(4);
  });
});

type Step =
  | {
      readonly do: "publish";
      readonly channel: 0 | 1;
      /** In one frame, or in one each. */
      readonly together: boolean;
      readonly items: readonly Omit<Item, "arrival" | "id" | "channel">[];
    }
  | { readonly do: "take"; readonly count: number }
  | { readonly do: "order"; readonly ordering: Ordering; readonly lowest: boolean; readonly capacity: number }
  | { readonly do: "leave"; readonly channel: 0 | 1 }
  | { readonly do: "fill"; readonly count: number };

const itemArbitrary = fc.record({
  priority: fc.integer({ min: 0, max: 9 }),
  deadline: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.POSITIVE_INFINITY)),
  time: fc.integer({ min: 0, max: 20 }),
  complete: fc.boolean(),
});
const channelArbitrary = fc.constantFrom<0 | 1>(0, 1);
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      channel: channelArbitrary,
      together: fc.boolean(),
      items: fc.array(itemArbitrary, { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("take" as const), count: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("order" as const),
      ordering: fc.constantFrom(...names),
      lowest: fc.boolean(),
      capacity: fc.constantFrom(3, 10, EVENTS_MAX),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), channel: channelArbitrary }) },
  // Others fill the store meanwhile, so that what waits is moved to chunks of its mailbox.
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fill" as const), count: fc.integer({ min: 1, max: 40 }) }) },
);

describe("model", () => {
  test(
    "no event is lost, doubled, or leaves before one that comes first, whatever is changed meanwhile",
    () => {
      const harness = Harness.create({ now: START });
      const [source, noise] = [harness.open(), harness.open()];
      const filler = harness.channel("filler");
      harness.source(noise, filler);
      let runs = 0;
      fc.assert(
        fc.property(fc.array(stepArbitrary, { minLength: 1, maxLength: 40 }), (steps) => {
          const sink = harness.open();
          runs++;
          const channels = [harness.channel(`a${runs}`), harness.channel(`b${runs}`)] as const;
          // One wants everything, the other one chooses: what they get goes different ways.
          const join = (channel: 0 | 1) => harness.sink(sink, channels[channel], channel === 0 ? undefined : ["t"]);
          const members = [join(0), join(1)];
          for (const channel of channels) harness.source(source, channel);
          let waiting: Item[] = [];
          let ordering: Ordering = "fifo";
          let policy = lowest;
          let drops = false;
          let capacity = EVENTS_MAX;
          let arrivals = 0;
          const trim = (): void => {
            while (waiting.length > capacity) {
              const victim = [...waiting].sort(drops ? policy : compare.fifo)[0];
              waiting = waiting.filter((item) => item !== victim);
            }
          };
          const take = (count: number): void => {
            const expected = [...waiting].sort(compare[ordering]).slice(0, count);
            sink.credit(expected.length, 1_000_000);
            expect(sink.events().map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
            waiting = waiting.filter((item) => !expected.includes(item));
            expect(harness.core.inboxEvents(sink.id)).toBe(waiting.length);
          };
          // From here on nothing leaves that was not asked for.
          sink.credit(1, 1_000_000);
          source.publish(channels[0], [{ type: "t" }]);
          expect(sink.events()).toHaveLength(1);
          for (const step of steps) {
            if (step.do === "publish") {
              const made = step.items.map((item) => {
                return { ...item, id: `${arrivals}`, channel: step.channel, arrival: arrivals++ };
              });
              for (const events of step.together ? [made] : made.map((one) => [one]))
                source.publish(channels[step.channel], events.map(eventOf));
              for (const one of made) {
                waiting.push(one);
                trim();
              }
              if (members[step.channel] === 0) waiting = waiting.filter(({ channel }) => channel !== step.channel);
            } else if (step.do === "take") {
              take(step.count);
            } else if (step.do === "order") {
              ({ ordering, capacity, lowest: drops } = step);
              policy = lowest;
              const overflow = drops ? abi.OVERFLOW_DROP_LOWEST : abi.OVERFLOW_DROP_OLDEST;
              expect(order(sink, ordering, capacity, overflow)).toBe(abi.STATUS_OK);
              trim();
            } else if (step.do === "leave") {
              harness.core.memberRemove(sink.id, members[step.channel] as number);
              waiting = waiting.filter(({ channel }) => channel !== step.channel);
              members[step.channel] = join(step.channel);
            } else {
              const events = Array.from({ length: step.count }, () => ({ type: "t", data: new Uint8Array(30_000) }));
              noise.publish(filler, events);
            }
          }
          take(waiting.length);
          expect(harness.core.inboxBytes(sink.id)).toBe(0);
          sink.close();
          for (const channel of channels) harness.core.channelRemove(channel);
        }),
        propertyParameters(300),
      );
    },
    timeoutMs(20_000),
  );

  // An order counts arrivals anew after some thousands: an inbox that is never empty must not notice.
  test.each<Ordering>(["priority", "deadline", "priority+deadline", "time"])(
    "12,000 events through an inbox of %s that is never empty leave in its order",
    (ordering) => {
      const harness = Harness.create({ now: START });
      const channel = harness.channel("c");
      const [source, sink] = [harness.open(), harness.open()];
      harness.source(source, channel);
      harness.sink(sink, channel);
      expect(order(sink, ordering)).toBe(abi.STATUS_OK);
      let waiting: Item[] = [];
      let random = 1;
      const below = (limit: number): number => {
        random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
        return (random >>> 8) % limit;
      };
      const take = (count: number): void => {
        const expected = [...waiting].sort(compare[ordering]).slice(0, count);
        sink.credit(expected.length, 1_000_000_000);
        const got = new Set(expected);
        expect(sink.events().map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        waiting = waiting.filter((item) => !got.has(item));
      };
      // From here on nothing leaves that was not asked for.
      sink.credit(1, 1_000_000);
      source.publish(channel, [{ type: "t" }]);
      expect(sink.events()).toHaveLength(1);
      for (let arrival = 0; arrival < 12_000; ) {
        const batch = Array.from({ length: 1 + below(300) }, (): Item => {
          const deadline = below(3) === 0 ? Number.POSITIVE_INFINITY : 60_000 + below(4) * 1_000;
          // Few values, so that equal ones abound.
          const [priority, time, complete] = [below(3), below(5), below(2) === 0];
          return { id: `${arrival}`, channel, priority, deadline, time, complete, arrival: arrival++ };
        });
        source.publish(
          channel,
          batch.map((item) => ({ ...eventOf(item), key: item.id })),
        );
        waiting.push(...batch);
        // Some are withdrawn from the middle.
        for (let count = below(40); count > 0 && waiting.length > 300; count--) {
          const [gone] = waiting.splice(below(waiting.length), 1);
          source.send({
            kind: {
              case: "cancel",
              value: { channelNumber: channel, key: gone?.id ?? "", atUs: BigInt(START + 1e9) * 1000n },
            },
          });
        }
        if (waiting.length > 600) take(below(waiting.length - 200));
      }
      expect(harness.core.inboxEvents(sink.id)).toBe(waiting.length);
      take(waiting.length);
      expect(harness.core.inboxBytes(sink.id)).toBe(0);
    },
  );
});
