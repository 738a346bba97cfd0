/**
 * Mailboxes against a plain one (mailbox-model.ts), over all orderings and overflow policies, whatever is changed meanwhile: no event is
 * lost, doubled, or leaves before one that comes first, but as the policies say; and what is lost is counted.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import { Harness } from "../core-wasm/harness.ts";
import { type Item, MailboxModel, type Ordering, type Overflow } from "./mailbox-model.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const START = 1_700_000_000_000;
const BYTES_MAX = 16 * 1024 * 1024;
const CHANNELS = 2;
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
const reasons = {
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
};
const item = fc.record({
  key,
  priority: fc.integer({ min: 2, max: 5 }),
  deadline: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(Number.POSITIVE_INFINITY)),
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
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("patch" as const), ...policy }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("hold" as const), held: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("ack" as const), seed: fc.nat(1_000), through: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 250 }) }) },
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

/** One run: the core and the model, side by side. */
class Pair {
  readonly #harness: Harness;
  readonly #model: MailboxModel;
  readonly #channels: readonly number[];
  readonly #members: number[];
  readonly #source: TestConnection;
  readonly #canceller: TestConnection;
  readonly #explicit: boolean;
  readonly #delivered = new Set<string>();
  #sink: TestConnection;
  #made = 0;

  constructor(harness: Harness, run: number, explicit: boolean) {
    this.#harness = harness;
    this.#explicit = explicit;
    this.#model = new MailboxModel(CHANNELS, explicit ? ACKS : undefined);
    this.#channels = Array.from({ length: CHANNELS }, (_, index) => harness.channel(`c${run}-${index}`));
    [this.#source, this.#canceller, this.#sink] = [harness.open(), harness.open(), harness.open()];
    this.#members = this.#channels.map((number) => {
      harness.source(this.#source, number);
      harness.source(this.#canceller, number);
      return harness.sink(this.#sink, number);
    });
    // From here on nothing leaves that was not asked for.
    this.#sink.credit(1, BYTES_MAX);
    this.#source.publish(this.#channels[0] as number, [{ type: "t" }]);
    this.#model.delivered = this.#sink.events().length;
    this.patch("fifo", "drop-oldest", 1_000);
    if (explicit) harness.core.inboxAcks(this.#sink.id, 1, ACKS.redeliverMs, ACKS.attempts);
  }

  publish(index: number, items: readonly Omit<Item, "id" | "channel">[]): void {
    for (const one of items) {
      const made = { ...one, id: `${this.#made++}`, channel: index };
      const [record] = this.#source.receipt(this.#channels[index] as number, [
        {
          id: made.id,
          type: "t",
          key: made.key,
          priority: made.priority,
          timeUs: BigInt(START + made.time) * 1000n,
          ...(made.deadline === Number.POSITIVE_INFINITY
            ? {}
            : { deliverByUs: BigInt(START + made.deadline * 1_000_000) * 1000n }),
          data: new Uint8Array(this.#made % 50),
        },
      ]);
      const refused = this.#model.publish(made);
      expect(record?.status === abi.STATUS_MAILBOX_FULL).toBe(refused);
    }
  }

  take(credit: number): void {
    this.#sink.credit(credit, 0);
    this.#model.credit += credit;
    this.drain();
  }

  drain(): void {
    const { deliveries } = this.#sink.drain();
    for (const { channel: number, event } of deliveries) this.#delivered.add(`${number} ${event.key}`);
    expect(deliveries.map(({ number, attempt, event }) => `${number}/${attempt} ${event.id}`)).toEqual(
      this.#model.drain(this.#harness.now),
    );
  }

  patch(ordering: Ordering, overflow: Overflow, capacity: number): void {
    const status = this.#sink.inbox(capacity, BYTES_MAX, overflows[overflow], orderings[ordering]);
    expect(status).toBe(abi.STATUS_OK);
    this.#model.patch(ordering, overflow, capacity);
  }

  hold(held: boolean): void {
    this.#sink.hold(held);
    this.#model.held = held;
    this.drain();
  }

  acknowledge(seed: number, through: boolean): void {
    const number = (seed % (this.#model.delivered + 1)) + (through ? 0 : 1);
    if (!this.#explicit || number > this.#model.delivered) return;
    const value = through ? { through: BigInt(number) } : { numbers: [BigInt(number)] };
    this.#sink.send({ kind: { case: "ack", value } });
    this.#model.acknowledge((other) => (through ? other <= number : other === number));
  }

  time(ms: number): void {
    const { core } = this.#harness;
    this.#harness.now += ms;
    core.inboxTick(this.#sink.id, this.#harness.now);
    let dead = 0;
    while (core.inboxDead(this.#sink.id, abi.STAGE_OFFSET) > 0) dead++;
    expect(dead).toBe(this.#model.tick(this.#harness.now));
  }

  /** The carrier breaks, events come meanwhile, and the session goes on behind what was received. */
  break(seed: number, items: readonly Omit<Item, "id" | "channel">[]): void {
    if (!this.#explicit) return;
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
    this.#model.resume(received, now);
  }

  rejoin(index: number): void {
    this.#harness.core.memberRemove(this.#sink.id, this.#members[index] as number);
    this.#members[index] = this.#harness.sink(this.#sink, this.#channels[index] as number);
    this.#model.rejoin(index);
  }

  cancel(index: number, name: string): void {
    const number = this.#channels[index] as number;
    // Who has begun with a key is told, which other tests are about.
    if (name === "" || this.#delivered.has(`${number} ${name}`)) return;
    this.#canceller.cancel(number, name);
    this.#model.cancel(index, name);
  }

  check(): void {
    const { core } = this.#harness;
    expect(core.inboxEvents(this.#sink.id)).toBe(this.#model.waiting.length + this.#model.again.length);
    expect(core.inboxKept(this.#sink.id)).toBe(this.#model.kept.length);
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
    for (const connection of [this.#sink, this.#source, this.#canceller]) connection.close();
    for (const number of this.#channels) this.#harness.core.channelRemove(number);
  }
}

test.each([false, true])(
  "what leaves, and what is lost, is what the model says; acknowledgements: %s",
  (explicit) => {
    const harness = Harness.create({ now: START });
    const noise = harness.open();
    const filler = harness.channel("filler");
    harness.source(noise, filler);
    let run = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const pair = new Pair(harness, run++, explicit);
        for (const one of steps) {
          if (one.kind === "publish") pair.publish(one.channel, one.items);
          else if (one.kind === "take") pair.take(one.credit);
          else if (one.kind === "patch") pair.patch(one.ordering, one.overflow, one.capacity);
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
      propertyParameters(200),
    );
  },
  timeoutMs(20_000),
);
