/**
 * Mailboxes against a plain one (mailbox-model.ts), over all orderings, overflow policies and ways with late events, whatever is changed
 * meanwhile, windows too, taken from in turn or by type and predicate: no event is lost, doubled, or leaves before one that comes first,
 * but as the policies say; what is lost is counted, and what misses its deadline is told once.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { LATE_CHANNEL, LATE_DELIVER, LATE_DIVERT, LATE_DROP } from "../../core-wasm/mailbox/abi.ts";
import { compileExpression } from "../../host/expression/compile.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import { type Drained, parseDrained } from "../core-wasm/drained.ts";
import { encodeFrame, typeList } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { type Late, MailboxModel, type Overflow } from "./mailbox-model.ts";
import type { Item, Ordering } from "./mailbox-ranks.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";
import type { Window } from "./window-model.ts";

const START = 1_700_000_000_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** What becomes of late events, channel by channel. */
const LATE: readonly Late[] = ["deliver", "drop", "divert"];
const CHANNELS = LATE.length;
/** Deadlines lie on a grid, so that some are equal. */
const GRID_MS = 20;
const ACKS = { redeliverMs: 100, attempts: 3 };

const orderings: Readonly<Record<Ordering, number>> = {
  fifo: abi.ORDERING_FIFO,
  lifo: abi.ORDERING_LIFO,
  priority: abi.ORDERING_PRIORITY,
  deadline: abi.ORDERING_DEADLINE,
  "priority+deadline": abi.ORDERING_PRIORITY_DEADLINE,
  time: abi.ORDERING_TIME,
  window: abi.ORDERING_WINDOW,
};
const overflows: Readonly<Record<Overflow, number>> = {
  "drop-oldest": abi.OVERFLOW_DROP_OLDEST,
  "drop-newest": abi.OVERFLOW_DROP_NEWEST,
  "drop-lowest": abi.OVERFLOW_DROP_LOWEST,
  "keep-latest": abi.OVERFLOW_KEEP_LATEST,
  reject: abi.OVERFLOW_REJECT,
  block: abi.OVERFLOW_BLOCK,
};
const lates: Readonly<Record<Late | "channel", number>> = {
  channel: LATE_CHANNEL,
  deliver: LATE_DELIVER,
  drop: LATE_DROP,
  divert: LATE_DIVERT,
};
/** What may be asked for, and whether that holds of an event. */
const wheres: Readonly<Record<string, (item: Item) => boolean>> = {
  "": () => true,
  "key = 'a' OR key = 'c'": ({ key: its }) => its === "a" || its === "c",
  "priority > 3 AND type <> 'y'": ({ priority, type }) => priority > 3 && type !== "y",
};
const reasons = {
  late: abi.DROPPED_LATE,
  overflow: abi.DROPPED_OVERFLOW,
  conflated: abi.DROPPED_CONFLATED,
  cancelled: abi.DROPPED_CANCELLED,
  left: abi.DROPPED_LEFT,
};

const channel = fc.integer({ min: 0, max: CHANNELS - 1 });
const key = fc.constantFrom("", "", "a", "b", "c");
const policy = {
  ordering: fc.constantFrom(...(Object.keys(orderings) as Ordering[])),
  overflow: fc.constantFrom(...(Object.keys(overflows) as Overflow[])),
  capacity: fc.constantFrom(2, 4, 8, 1_000),
  serviceMs: fc.constantFrom(0, 0, 15),
};
/** Few, so that all rules of precedence come up: equal deadlines, equal shares, nothing to lose. */
const window = fc.constantFrom(
  { lose: 0, of: 2, periodMs: 20 },
  { lose: 0, of: 3, periodMs: 20 },
  { lose: 1, of: 2, periodMs: 20 },
  { lose: 2, of: 4, periodMs: 20 },
  { lose: 1, of: 3, periodMs: 40 },
);
const item = fc.record({
  type: fc.constantFrom("x", "y"),
  key,
  priority: fc.integer({ min: 2, max: 5 }),
  /** From now. */
  deadline: fc.constantFrom(-40, 20, 60, 200, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  time: fc.integer({ min: 0, max: 3 }),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      channel,
      items: fc.array(item, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("take" as const), credit: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("patch" as const), ...policy }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hold" as const), held: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("ack" as const), seed: fc.nat(1_000), through: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      ms: fc.oneof(fc.constantFrom(10, 20, 30), fc.integer({ min: 0, max: 250 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("pick" as const),
      types: fc.subarray(["x", "y", "cancel"]),
      where: fc.constantFrom(...Object.keys(wheres)),
      most: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("late" as const),
      late: fc.constantFrom(...(Object.keys(lates) as (Late | "channel")[])),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("window" as const),
      channel,
      window: fc.option(window, { nil: undefined, freq: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("break" as const),
      seed: fc.nat(1_000),
      items: fc.array(item, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rejoin" as const), channel }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), channel, key }) },
  // Others fill the store, so that what waits is moved to chunks of its mailbox.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fill" as const), count: fc.integer({ min: 1, max: 40 }) }) },
);

/** How a run begins: half of them with windows in all channels, and ordered by them. */
const beginning = fc.oneof(
  fc.record({ ...policy, windows: fc.constant(undefined) }),
  fc.record({ ...policy, ordering: fc.constant("window" as const), windows: fc.tuple(window, window, window) }),
);

type Made = Omit<Item, "id" | "channel">;

/** How a run goes: the sink acknowledges, and it is polled. */
interface Way {
  readonly explicit: boolean;
  readonly polled: boolean;
}

/** One run: the core and the model, side by side. */
class Pair {
  readonly #harness: Harness;
  readonly #model: MailboxModel;
  readonly #channels: readonly number[];
  readonly #divertTo: number;
  readonly #members: number[];
  readonly #source: TestConnection;
  readonly #canceller: TestConnection;
  readonly #watcher: TestConnection;
  readonly #way: Way;
  readonly #diverted: string[] = [];
  #told: string[] = [];
  #sink: TestConnection;
  #made = 0;

  constructor(harness: Harness, run: number, way: Way) {
    const { core } = harness;
    this.#harness = harness;
    this.#way = way;
    this.#model = new MailboxModel({ acks: way.explicit ? ACKS : undefined, polled: way.polled, late: LATE });
    harness.now = START;
    [this.#source, this.#canceller, this.#watcher] = [harness.open(), harness.open(), harness.open()];
    this.#sink = harness.open(way.polled ? abi.CONNECTION_LOCAL : abi.CONNECTION_STREAM);
    this.#divertTo = harness.channel(`d${run}`);
    harness.sink(this.#watcher, this.#divertTo);
    this.#channels = LATE.map((late, index) => {
      const drops = late === "deliver" ? 0 : abi.CHANNEL_LATE_DROP;
      const flags = abi.CHANNEL_ECHO | drops | (late === "divert" ? abi.CHANNEL_LATE_DIVERT : 0);
      const number = harness.channel(`c${run}-${index}`, { flags });
      core.channelEmpty(number, abi.EMPTY_DROP, this.#divertTo);
      return number;
    });
    this.#members = this.#channels.map((number) => {
      harness.source(this.#source, number);
      harness.source(this.#canceller, number);
      return harness.sink(this.#sink, number);
    });
    if (!way.polled) {
      // From here on nothing leaves that was not asked for.
      this.#sink.credit(1, BYTES_MAX);
      this.#source.publish(this.#channels[0] as number, [{ type: "x" }]);
      this.#model.delivered = this.#sink.events().length;
    }
    this.patch("fifo", "drop-oldest", 1_000, 0);
    if (way.explicit) core.inboxAcks(this.#sink.id, 1, ACKS.redeliverMs, ACKS.attempts);
  }

  publish(index: number, items: readonly Made[]): void {
    for (const one of items) {
      const deadline = Math.floor((this.#model.now + one.deadline) / GRID_MS) * GRID_MS;
      const made = { ...one, deadline, id: `${this.#made++}`, channel: index };
      const [record] = this.#source.receipt(this.#channels[index] as number, [
        {
          id: made.id,
          type: made.type,
          key: made.key,
          priority: made.priority,
          timeUs: BigInt(START + made.time) * 1000n,
          ...(deadline === Number.POSITIVE_INFINITY ? {} : { deliverByUs: BigInt(START + deadline) * 1000n }),
          data: new Uint8Array(this.#made % 50),
        },
      ]);
      const refused = this.#model.publish(made);
      expect(record?.status === abi.STATUS_MAILBOX_FULL).toBe(refused);
    }
  }

  take(events: number): void {
    this.#model.credit += events;
    if (!this.#way.polled) this.#sink.credit(events, 0);
    this.drain();
  }

  drain(): void {
    const got = this.#way.polled ? this.#poll(this.#model.credit) : this.#note(this.#sink.drain());
    expect(got).toEqual(this.#model.drain());
    if (this.#way.polled) this.#model.credit = 0;
  }

  /** Takes so many, one by one, as a host does for whoever polls. */
  #poll(events: number): string[] {
    const got: string[] = [];
    while (got.length < events) {
      const part = this.#sink.drainOnce(1);
      if (part.bytes.length === 0) break;
      got.push(...this.#note(part));
    }
    return got;
  }

  /** Notes what is told of misses, and gives what was delivered. */
  #note({ frames, deliveries }: Pick<Drained, "frames" | "deliveries">): string[] {
    for (const { kind } of frames) if (kind.case === "missed") this.#told.push(`${kind.value.reason} ${kind.value.id}`);
    return deliveries.map(
      ({ number, attempt, event: { id, type, key: its } }) =>
        `${number}/${attempt} ${type === "cancel" ? `cancel ${its}` : id}`,
    );
  }

  pick(types: readonly string[], where: string, most: number): void {
    if (!this.#way.polled) return;
    const { core, memory, now } = this.#harness;
    const expression =
      where === ""
        ? 0
        : core.expressionAdd(abi.STAGE_OFFSET, this.#harness.stage(compileExpression(where, "sluice").program));
    this.#harness.stage(typeList(types));
    const at = abi.OUT_OFFSET;
    const bytes = core.inboxPick(
      this.#sink.id,
      abi.STAGE_OFFSET,
      types.length,
      expression,
      most,
      at,
      abi.OUT_SLOT_BYTES,
      now,
    );
    const number = BigInt(this.#harness.result(abi.RESULT_NUMBER_LOW));
    const fresh = this.#harness.result(abi.RESULT_DELIVERIES);
    const picked = parseDrained(this.#sink.kind, memory.slice(at, at + bytes), number, fresh);
    if (expression !== 0) core.expressionRelease(expression);
    const holds = wheres[where] as (item: Item) => boolean;
    const asked = (item: Item): boolean => (types.length === 0 || types.includes(item.type)) && holds(item);
    expect(this.#note(picked)).toEqual(this.#model.pick(asked, most));
  }

  patch(ordering: Ordering, overflow: Overflow, capacity: number, serviceMs: number): void {
    const status = this.#sink.inbox(capacity, BYTES_MAX, overflows[overflow], orderings[ordering], serviceMs);
    expect(status).toBe(abi.STATUS_OK);
    this.#model.patch(ordering, overflow, capacity, serviceMs);
  }

  late(late: Late | "channel"): void {
    expect(this.#harness.core.inboxLate(this.#sink.id, lates[late])).toBe(abi.STATUS_OK);
    this.#model.late = late;
  }

  window(index: number, wanted: Window | undefined): void {
    const { lose, of, periodMs } = wanted ?? { lose: 0, of: 0, periodMs: 0 };
    const status = this.#harness.core.channelWindow(this.#channels[index] as number, lose, of, periodMs);
    expect(status).toBe(abi.STATUS_OK);
    this.#model.window(index, wanted);
  }

  hold(held: boolean): void {
    this.#sink.hold(held);
    this.#model.held = held;
    this.drain();
  }

  acknowledge(seed: number, through: boolean): void {
    const number = (seed % (this.#model.delivered + 1)) + (through ? 0 : 1);
    if (!this.#way.explicit || number > this.#model.delivered) return;
    const value = through ? { through: BigInt(number) } : { numbers: [BigInt(number)] };
    const frame = { kind: { case: "ack" as const, value } };
    if (this.#way.polled) this.#sink.inject(encodeFrame(frame));
    else this.#sink.send(frame);
    this.#model.acknowledge((other) => (through ? other <= number : other === number));
  }

  time(ms: number): void {
    const { core } = this.#harness;
    this.#harness.now += ms;
    this.#model.now += ms;
    this.settle();
    core.inboxTick(this.#sink.id, this.#harness.now);
    let dead = 0;
    while (core.inboxDead(this.#sink.id, abi.STAGE_OFFSET) > 0) dead++;
    expect(dead).toBe(this.#model.tick());
  }

  /** The carrier breaks, events come meanwhile, and the session goes on behind what was received. */
  break(seed: number, items: readonly Made[]): void {
    if (!this.#way.explicit || this.#way.polled) return;
    const { core, now } = this.#harness;
    this.drain();
    core.connectionDetach(this.#sink.id);
    this.publish(seed % CHANNELS, items);
    // The very first one was never to be acknowledged, so it is not kept.
    const received = 1 + (seed % this.#model.delivered);
    const carrier = this.#harness.open(seed % 2 === 0 ? abi.CONNECTION_STREAM : abi.CONNECTION_WEBSOCKET);
    expect(core.connectionResume(this.#sink.id, carrier.id, received, now)).toBe(abi.STATUS_OK);
    carrier.close();
    core.inboxHold(this.#sink.id, this.#model.held ? 1 : 0);
    this.#sink = this.#harness.adopt(this.#sink.id, carrier.kind);
    this.#model.resume(received);
  }

  rejoin(index: number): void {
    this.#harness.core.memberRemove(this.#sink.id, this.#members[index] as number);
    this.#members[index] = this.#harness.sink(this.#sink, this.#channels[index] as number);
    this.#model.rejoin(index);
  }

  cancel(index: number, name: string): void {
    if (name === "") return;
    this.#canceller.cancel(this.#channels[index] as number, name);
    this.#model.cancel(index, name);
  }

  /** What a host does after each turn: deadlines are looked at, and what is told by itself goes out. */
  settle(): void {
    const { core, now } = this.#harness;
    core.deadlineTick(now);
    core.inboxGather(this.#sink.id, 1);
    expect(this.#note(this.#sink.drain())).toEqual([]);
    core.inboxGather(this.#sink.id, 0);
    for (const { id } of this.#watcher.events()) this.#diverted.push(id);
    this.#model.look();
    expect(this.#told.sort()).toEqual(this.#model.told.sort());
    this.#told = [];
    this.#model.told = [];
  }

  check(): void {
    this.settle();
    const { core } = this.#harness;
    expect(core.inboxEvents(this.#sink.id)).toBe(this.#model.waiting.length + this.#model.again.length);
    expect(core.inboxKept(this.#sink.id)).toBe(this.#model.kept.length);
    const count = (number: number, index: number) => core.streamStatistic(this.#sink.id, number, index);
    const accounts = this.#channels.map((number) => ({
      met: count(number, abi.STREAM_MET),
      missed: count(number, abi.STREAM_MISSED),
      dropped: count(number, abi.STREAM_DROPPED),
      violations: count(number, abi.STREAM_VIOLATIONS),
    }));
    expect(accounts).toEqual(this.#model.accounts);
  }

  /** Takes all that is left, and compares what was lost. */
  end(): void {
    this.hold(false);
    for (let round = 0; round < 1_000 && this.#model.waiting.length + this.#model.again.length > 0; round++) {
      this.take(100);
      this.acknowledge(this.#model.delivered, true);
    }
    this.check();
    for (const [name, reason] of Object.entries(reasons)) {
      const lost = this.#channels.map((number) => this.#harness.core.channelLost(number, reason));
      expect([name, ...lost]).toEqual([
        name,
        ...this.#channels.map((_, index) => this.#model.lost.get(`${name} ${index}`) ?? 0),
      ]);
    }
    expect(this.#diverted.sort()).toEqual(this.#model.diverted.sort());
    for (const connection of [this.#sink, this.#source, this.#canceller, this.#watcher]) connection.close();
    for (const number of [...this.#channels, this.#divertTo]) this.#harness.core.channelRemove(number);
  }
}

const ways = [
  { explicit: false, polled: false },
  { explicit: true, polled: false },
  { explicit: false, polled: true },
  { explicit: true, polled: true },
];

test.each(ways)(
  "what leaves, what is lost and what is told is what the model says; acknowledged: $explicit, polled: $polled",
  (way) => {
    const harness = Harness.create({ now: START });
    const noise = harness.open();
    const filler = harness.channel("filler");
    harness.source(noise, filler);
    let run = 0;
    fc.assert(
      fc.property(beginning, fc.array(step, { minLength: 1, maxLength: 60 }), (first, steps) => {
        const pair = new Pair(harness, run++, way);
        pair.patch(first.ordering, first.overflow, 1_000, first.serviceMs);
        first.windows?.forEach((wanted, index) => {
          pair.window(index, wanted);
        });
        for (const one of steps) {
          if (one.kind === "publish") pair.publish(one.channel, one.items);
          else if (one.kind === "take") pair.take(one.credit);
          else if (one.kind === "pick") pair.pick(one.types, one.where, one.most);
          else if (one.kind === "patch") pair.patch(one.ordering, one.overflow, one.capacity, one.serviceMs);
          else if (one.kind === "late") pair.late(one.late);
          else if (one.kind === "window") pair.window(one.channel, one.window);
          else if (one.kind === "hold") pair.hold(one.held);
          else if (one.kind === "ack") pair.acknowledge(one.seed, one.through);
          else if (one.kind === "time") pair.time(one.ms);
          else if (one.kind === "break") pair.break(one.seed, one.items);
          else if (one.kind === "rejoin") pair.rejoin(one.channel);
          else if (one.kind === "cancel") pair.cancel(one.channel, one.key);
          else
            noise.publish(
              filler,
              Array.from({ length: one.count }, () => ({ type: "t", data: new Uint8Array(30_000) })),
            );
          pair.check();
        }
        pair.end();
      }),
      propertyParameters(100),
    );
  },
  timeoutMs(20_000),
);
