/**
 * Outboxes of sources: an ordering, a capacity and an overflow policy of their own, whatever those of inboxes are; changed while
 * events wait, held and released, without a loss.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import { BYTES_MAX, blocked, ids } from "./blocked.ts";
import type { TestConnection } from "./connection.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const START = 1_700_000_000_000;
const ORDERINGS = [
  ["fifo", abi.ORDERING_FIFO],
  ["lifo", abi.ORDERING_LIFO],
  ["priority", abi.ORDERING_PRIORITY],
  ["deadline", abi.ORDERING_DEADLINE],
  ["priority+deadline", abi.ORDERING_PRIORITY_DEADLINE],
  ["time", abi.ORDERING_TIME],
  ["window", abi.ORDERING_WINDOW],
] as const;

interface OutboxInit {
  readonly events?: number;
  readonly bytes?: number;
  readonly overflow?: number;
  readonly ordering?: number;
  readonly held?: boolean;
}

function world() {
  const harness = Harness.create({ now: START });
  const { core } = harness;
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  const member = harness.source(source, channel);
  harness.sink(sink, channel);
  const set = (
    {
      events = 1_000,
      bytes = BYTES_MAX,
      overflow = abi.OVERFLOW_BLOCK,
      ordering = abi.ORDERING_FIFO,
      held = true,
    }: OutboxInit,
    of = member,
  ) => core.outboxSet(of, events, bytes, overflow, ordering, held ? 1 : 0, harness.now);
  const publish = (...events: EventInit[]) => source.receipt(channel, events);
  const release = (init: OutboxInit = {}) => set({ ...init, held: false });
  return { harness, core, channel, source, sink, member, set, publish, release };
}

/** Events that every ordering has stand differently. */
const sample: readonly EventInit[] = [
  { id: "a", type: "t", priority: 2, ttlMs: 9_000n, timeUs: 50n },
  { id: "b", type: "t", priority: 9, ttlMs: 7_000n, timeUs: 10n },
  { id: "c", type: "t", priority: 2, timeUs: 90n },
  { id: "d", type: "t", priority: 9, ttlMs: 3_000n, timeUs: 70n },
  { id: "e", type: "t", priority: 5, ttlMs: 5_000n, timeUs: 30n },
];

/** The sample as an ordering has it leave, by the words of docs/mailboxes.md. */
function ordered(ordering: number, events: readonly EventInit[]): string[] {
  const priority = ({ priority: value = 4 }: EventInit) => -value;
  const deadline = ({ ttlMs }: EventInit) => (ttlMs === undefined ? Number.POSITIVE_INFINITY : Number(ttlMs));
  const keys: Readonly<Record<number, (event: EventInit, place: number) => readonly number[]>> = {
    [abi.ORDERING_LIFO]: (_, place) => [-place],
    [abi.ORDERING_PRIORITY]: (event) => [priority(event)],
    [abi.ORDERING_DEADLINE]: (event) => [deadline(event), priority(event)],
    [abi.ORDERING_PRIORITY_DEADLINE]: (event) => [priority(event), deadline(event)],
    [abi.ORDERING_TIME]: ({ timeUs = 0n }) => [Number(timeUs)],
  };
  const keyed = events.map((event, place) => ({ event, key: [...(keys[ordering]?.(event, place) ?? []), place] }));
  keyed.sort((one, other) => {
    const at = one.key.findIndex((value, index) => value !== other.key[index]);
    return (one.key[at] ?? 0) < (other.key[at] ?? 0) ? -1 : 1;
  });
  return keyed.map(({ event }) => event.id ?? "");
}

const inOrder = (names: readonly string[]) => names.map((id) => sample.find((event) => event.id === id) as EventInit);

describe.each(ORDERINGS)("an outbox ordered by %s", (_, ordering) => {
  test("lets events go in that order, and they get their sequence by it", () => {
    const { core, channel, sink, set, publish, release } = world();
    expect(set({ ordering })).toBe(abi.STATUS_OK);
    const receipts = publish(...sample);
    expect(receipts.map(({ status, sequence }) => [status, sequence])).toEqual(sample.map(() => [abi.STATUS_OK, 0n]));
    expect(core.channelSequence(channel)).toBe(0);
    expect(sink.drain().deliveries).toEqual([]);
    expect(release({ ordering })).toBe(abi.STATUS_OK);
    const { deliveries } = sink.drain();
    expect(deliveries.map(({ event }) => event.id)).toEqual(ordered(ordering, sample));
    expect(deliveries.map(({ sequence }) => Number(sequence))).toEqual([1, 2, 3, 4, 5]);
  });

  test("goes together with an inbox of any ordering", () => {
    for (const [, inner] of ORDERINGS) {
      const { sink, set, publish, release } = world();
      sink.inbox(1_000, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, inner);
      set({ ordering });
      publish(...sample);
      release({ ordering });
      expect(ids(sink)).toEqual(ordered(inner, inOrder(ordered(ordering, sample))));
    }
  });

  test("takes over what waits from any other one", () => {
    for (const [, before] of ORDERINGS) {
      const { sink, set, publish, release } = world();
      set({ ordering: before });
      publish(...sample);
      expect(set({ ordering })).toBe(abi.STATUS_OK);
      release({ ordering });
      expect(ids(sink)).toEqual(ordered(ordering, sample));
    }
  });

  test("orders what a blocking inbox holds up, as far as that has room", () => {
    const { harness, channel, source, slow } = blocked();
    const member = 1;
    harness.core.inboxMarks(slow.id, 0.0625, 0);
    harness.core.outboxSet(member, 1_000, BYTES_MAX, abi.OVERFLOW_BLOCK, ordering, 0, harness.now);
    source.publish(channel, [{ id: "first", type: "t" }, ...sample]);
    expect(harness.core.outboxEvents(member)).toBe(5);
    const got: string[] = [];
    for (let turn = 0; turn < 8; turn++) got.push(...ids(slow));
    expect(got).toEqual(["first", ...ordered(ordering, sample)]);
  });
});

describe("a full outbox", () => {
  const keyed = (id: string, key: string, priority = 4): EventInit => ({ id, type: "t", key, priority });
  const told = (source: TestConnection) =>
    [...source.drain().dropped].map(([name, count]) => [name.split("/")[1], count]);

  test.each([
    ["drop-oldest", abi.OVERFLOW_DROP_OLDEST, ["c", "d"]],
    ["drop-newest", abi.OVERFLOW_DROP_NEWEST, ["a", "b"]],
    ["drop-lowest", abi.OVERFLOW_DROP_LOWEST, ["b", "d"]],
  ])("%s: one gives way, and its source is told", (_, overflow, left) => {
    const { harness, source, sink, set, publish, release } = world();
    set({ events: 2, overflow });
    const receipts = publish(keyed("a", "k", 1), keyed("b", "k", 7), keyed("c", "k", 2), keyed("d", "k", 6));
    expect(receipts.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(told(source)).toEqual([["overflow", 2]]);
    release({ events: 2, overflow });
    expect(ids(sink)).toEqual(left);
    expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(2);
  });

  test.each([
    ["block", abi.OVERFLOW_BLOCK, abi.STATUS_NO_CREDIT],
    ["reject", abi.OVERFLOW_REJECT, abi.STATUS_MAILBOX_FULL],
  ])("%s: what comes is refused, and nothing is lost", (_, overflow, status) => {
    const { sink, set, publish, release } = world();
    set({ events: 2, overflow });
    expect(publish(...sample).map((receipt) => receipt.status)).toEqual([0, 0, status, status, status]);
    release({ events: 2, overflow });
    expect(ids(sink)).toEqual(["a", "b"]);
  });

  test("disconnect: the session of its source ends", () => {
    const { harness, source, set, publish } = world();
    set({ events: 1, overflow: abi.OVERFLOW_DISCONNECT });
    expect(publish(...sample.slice(0, 2)).map(({ status }) => status)).toEqual([0, abi.STATUS_MAILBOX_FULL]);
    source.drain();
    expect(harness.drainStatus).toBe(abi.STATUS_DISCONNECT);
  });

  test("keep-latest: a newer event stands where the older one of its key stood, or where it ranks", () => {
    for (const [ordering, left] of [
      [abi.ORDERING_FIFO, ["a2", "b", "c"]],
      [abi.ORDERING_PRIORITY, ["b", "c", "a2"]],
      [abi.ORDERING_LIFO, ["a2", "c", "b"]],
    ] as const) {
      const { source, sink, set, publish, release } = world();
      set({ overflow: abi.OVERFLOW_KEEP_LATEST, ordering });
      publish(keyed("a", "x", 9), keyed("b", "y", 8), keyed("c", "", 7), keyed("a2", "x", 1));
      expect(told(source)).toEqual([["conflated", 1]]);
      release({ overflow: abi.OVERFLOW_KEEP_LATEST, ordering });
      expect(ids(sink)).toEqual(left);
    }
  });

  test("has a limit of bytes, too, and one event larger than that gives way itself", () => {
    const { core, member, sink, set, publish, release } = world();
    const large = (id: string, bytes: number): EventInit => ({ id, type: "t", data: new Uint8Array(bytes) });
    set({ bytes: 10_000, overflow: abi.OVERFLOW_DROP_OLDEST });
    publish(large("a", 4_000), large("b", 4_000), large("c", 4_000));
    expect(core.outboxBytes(member)).toBeLessThanOrEqual(10_000);
    publish(large("d", 20_000));
    expect(core.outboxEvents(member)).toBe(0);
    publish(large("e", 100));
    release({ bytes: 10_000, overflow: abi.OVERFLOW_DROP_OLDEST });
    expect(ids(sink)).toEqual(["e"]);
  });

  test("that is made smaller loses nothing where nothing gives way, and the oldest where it does", () => {
    for (const [overflow, left] of [
      [abi.OVERFLOW_BLOCK, ["a", "b", "c", "d", "e"]],
      [abi.OVERFLOW_DROP_OLDEST, ["d", "e"]],
    ] as const) {
      const { sink, set, publish, release } = world();
      set({ overflow });
      publish(...sample);
      set({ events: 2, overflow });
      release({ events: 2, overflow });
      expect(ids(sink)).toEqual(left);
    }
  });
});

describe("a held outbox", () => {
  test("holds nobody else's events, and its own from the first on", () => {
    const { harness, channel, sink, set, publish, release } = world();
    const others = [harness.open(), harness.open()] as const;
    const members = others.map((other) => harness.source(other, channel));
    set({});
    set({}, members[0]);
    publish({ id: "mine", type: "t" });
    others[0].publish(channel, [{ id: "held", type: "t" }]);
    others[1].publish(channel, [{ id: "free", type: "t" }]);
    expect(ids(sink)).toEqual(["free"]);
    release();
    expect(ids(sink)).toEqual(["mine"]);
    publish({ id: "more", type: "t" });
    expect(ids(sink)).toEqual(["more"]);
  });

  test("whose source goes lets go of what was accepted", () => {
    for (const end of ["leave", "close"]) {
      const { core, source, sink, member, set, publish } = world();
      set({ ordering: abi.ORDERING_PRIORITY });
      publish(...sample);
      if (end === "leave") core.memberRemove(source.id, member);
      else source.close();
      expect(ids(sink)).toEqual(ordered(abi.ORDERING_PRIORITY, sample));
    }
  });

  test("of a channel that goes is discarded and counted", () => {
    const { harness, core, channel, set, publish } = world();
    set({ ordering: abi.ORDERING_DEADLINE });
    publish(...sample);
    expect(core.channelRemove(channel)).toBe(abi.STATUS_OK);
    expect(harness.statistic(abi.STATISTIC_DROPPED_LEFT)).toBe(5);
  });

  test("is reached by a cancel, which gives its credit back", () => {
    const { core, channel, source, sink, member, set, publish, release } = world();
    set({ ordering: abi.ORDERING_PRIORITY });
    publish({ id: "a", type: "t", key: "k" }, { id: "b", type: "t" }, { id: "c", type: "t", key: "k" });
    source.send({ kind: { case: "cancel", value: { channelNumber: channel, key: "k" } } });
    expect(core.outboxEvents(member)).toBe(1);
    release();
    expect(ids(sink)).toEqual(["b"]);
  });

  test("expires what is too late when it leaves", () => {
    const { harness, core, channel, sink, set, publish, release } = world();
    core.channelSet(channel, abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP, 4, 0);
    set({});
    publish(...sample);
    harness.now += 6_000;
    release();
    expect(ids(sink)).toEqual(["a", "b", "c"]);
  });
});

test("settings that cannot be are refused, and members that have no outbox", () => {
  const { harness, core, channel, sink, member } = world();
  const set = (of: number, events: number, bytes: number, overflow: number, ordering: number) =>
    core.outboxSet(of, events, bytes, overflow, ordering, 0, harness.now);
  expect(set(member, 0, 1, 0, 0)).toBe(abi.STATUS_LIMIT);
  expect(set(member, 1, 0, 0, 0)).toBe(abi.STATUS_LIMIT);
  expect(set(member, 1, 1, 7, 0)).toBe(abi.STATUS_LIMIT);
  expect(set(member, 1, 1, 0, 7)).toBe(abi.STATUS_LIMIT);
  expect(set(harness.sink(sink, channel), 1, 1, 0, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
  expect(set(99, 1, 1, 0, 0)).toBe(abi.STATUS_MEMBER_UNKNOWN);
});

/** Credit that the host has granted in frames, events and bytes. */
function granted(source: TestConnection): [number, number] {
  let [events, bytes] = [0, 0];
  for (const { kind } of source.drain().frames) {
    if (kind.case !== "credit") continue;
    events += Number(kind.value.events);
    bytes += Number(kind.value.bytes);
  }
  return [events, bytes];
}

test("credit is the room of the outbox: more of it is told at once, and what was dropped comes back", () => {
  const { source, set, publish, release } = world();
  // joined has told 8,192 events; with 100 a source has too much, and gets nothing back before that is used up.
  set({ events: 100, bytes: abi.SOURCE_CREDIT_BYTES, held: false });
  expect(granted(source)).toEqual([0, 0]);
  set({ events: 8_192 + 50, bytes: abi.SOURCE_CREDIT_BYTES, held: false });
  expect(granted(source)[0]).toBe(50);
  set({ events: 10, bytes: abi.SOURCE_CREDIT_BYTES, overflow: abi.OVERFLOW_DROP_OLDEST });
  set({ events: 8_242, bytes: abi.SOURCE_CREDIT_BYTES, overflow: abi.OVERFLOW_DROP_OLDEST });
  granted(source);
  set({ events: 8_242, bytes: 500, overflow: abi.OVERFLOW_DROP_OLDEST });
  publish(...Array.from({ length: 200 }, (_, index) => ({ id: `${index}`, type: "t" })));
  release({ events: 8_242, bytes: 500, overflow: abi.OVERFLOW_DROP_OLDEST });
  expect(granted(source)[0]).toBeGreaterThan(100);
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ publish: fc.integer({ min: 1, max: 5 }), priority: fc.integer({ min: 0, max: 9 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ordering: fc.constantFrom(...ORDERINGS.map(([, ordering]) => ordering)),
      held: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ drain: fc.constant(true) }) },
  { weight: 1, arbitrary: fc.record({ capacity: fc.integer({ min: 1, max: 40 }) }) },
);

test(
  "whatever is published, drained, held and changed: what was accepted is delivered once, in a channel's one order",
  () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const { harness, channel, source, slow, live } = blocked();
        const settings = { events: 50, ordering: 0, held: false };
        const apply = () =>
          harness.core.outboxSet(
            1,
            settings.events,
            BYTES_MAX,
            3,
            settings.ordering,
            settings.held ? 1 : 0,
            harness.now,
          );
        const accepted: string[] = [];
        const got: string[][] = [[], []];
        let made = 0;
        const drain = () => {
          got[0]?.push(...ids(slow));
          got[1]?.push(...ids(live));
        };
        for (const one of steps) {
          harness.now += 1;
          if ("publish" in one) {
            const events = Array.from({ length: one.publish }, () => ({
              id: `${made++}`,
              type: "t",
              priority: one.priority,
            }));
            source.receipt(channel, events).forEach(({ status }, index) => {
              if (status === abi.STATUS_OK) accepted.push(events[index]?.id ?? "");
            });
            expect(harness.core.outboxEvents(1)).toBeLessThanOrEqual(50);
          } else if ("drain" in one) {
            drain();
          } else {
            if ("capacity" in one) settings.events = one.capacity;
            else Object.assign(settings, one);
            expect(apply()).toBe(abi.STATUS_OK);
          }
        }
        settings.held = false;
        apply();
        for (let turn = 0; turn < 40; turn++) drain();
        expect(harness.core.outboxEvents(1)).toBe(0);
        expect(got[0]?.toSorted()).toEqual(accepted.toSorted());
        // Both sinks take in the order of arrival: that in which it left the outbox.
        expect(got[1]).toEqual(got[0]);
      }),
      propertyParameters(60),
    );
  },
  timeoutMs(30_000),
);
