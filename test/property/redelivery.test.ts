/**
 * Acknowledgements, redelivery, breaks and returns against a plain model of docs/delivery.md: what leaves the core is exactly what
 * the model says, so nothing is lost, doubled beyond the contract, or reordered.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import { Harness } from "../core-wasm/harness.ts";
import { propertyParameters } from "./runs.ts";

const REDELIVER_MS = 100;
const ATTEMPTS = 4;
const CAPACITY = 12;
const LEVELS = 6;

type Step =
  | { readonly kind: "publish"; readonly events: number }
  | { readonly kind: "drain" }
  | { readonly kind: "ack"; readonly seed: number }
  | { readonly kind: "through"; readonly seed: number }
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "break"; readonly seed: number; readonly events: number }
  | { readonly kind: "leave" }
  | { readonly kind: "credit"; readonly events: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("publish" as const), events: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 5, arbitrary: fc.constant({ kind: "drain" as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ack" as const), seed: fc.nat(1_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("through" as const), seed: fc.nat(1_000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 0, max: 250 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("break" as const), seed: fc.nat(1_000), events: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "leave" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("credit" as const), events: fc.integer({ min: 1, max: 4 }) }) },
);

interface Kept {
  readonly number: number;
  readonly type: string;
  attempts: number;
  sentMs: number;
  again: boolean;
}

/** The model: lists, and nothing clever. */
class Model {
  waiting: string[] = [];
  /** In the order in which they were sent last. */
  kept: Kept[] = [];
  again: Kept[] = [];
  delivered = 0;
  credit = Number.POSITIVE_INFINITY;

  publish(type: string): void {
    this.waiting.push(type);
    while (this.waiting.length > Math.max(0, CAPACITY - this.kept.length)) this.waiting.shift();
  }

  drain(now: number): string[] {
    const left: string[] = [];
    while (this.again.length > 0 && this.credit > 0) {
      const kept = this.again.shift() as Kept;
      kept.attempts++;
      kept.sentMs = now;
      kept.again = false;
      this.kept = [...this.kept.filter((other) => other !== kept), kept];
      left.push(`${kept.number}/${kept.attempts} ${kept.type}`);
      this.credit--;
    }
    while (this.waiting.length > 0 && this.credit > 0) {
      const type = this.waiting.shift() as string;
      this.kept.push({ number: ++this.delivered, type, attempts: 1, sentMs: now, again: false });
      left.push(`${this.delivered}/1 ${type}`);
      this.credit--;
    }
    return left;
  }

  acknowledge(numbers: (number: number) => boolean): void {
    this.kept = this.kept.filter(({ number }) => !numbers(number));
    this.again = this.again.filter(({ number }) => !numbers(number));
  }

  /** What is given up. */
  tick(now: number): string[] {
    const dead: Kept[] = [];
    for (let level = 0; level < LEVELS; level++) {
      for (const kept of this.kept) {
        if (kept.again || Math.min(kept.attempts - 1, LEVELS - 1) !== level) continue;
        if (kept.sentMs + REDELIVER_MS * 2 ** level > now) continue;
        if (kept.attempts >= ATTEMPTS) dead.push(kept);
        else {
          kept.again = true;
          this.again.push(kept);
        }
      }
    }
    this.kept = this.kept.filter((kept) => !dead.includes(kept));
    return dead.map(({ number, attempts, type }) => `${number}/${attempts} ${type}`);
  }

  resume(received: number, now: number): void {
    for (const kept of this.kept) if (!kept.again) kept.sentMs = now;
    const missed = this.kept.filter(({ number }) => number > received).sort((one, other) => one.number - other.number);
    // Those that were to come again and were received before keep their place before them.
    this.again = this.again.filter(({ number }) => number <= received);
    for (const kept of missed) {
      if (!kept.again) this.credit++;
      kept.again = true;
      this.again.push(kept);
    }
  }

  leave(): void {
    this.waiting = [];
    this.kept = [];
    this.again = [];
  }
}

const kinds = [abi.CONNECTION_STREAM, abi.CONNECTION_WEBSOCKET, abi.CONNECTION_WEBSOCKET_JSON];

/** The core, driven by the same steps. */
class Subject {
  readonly harness = Harness.create();
  readonly channel = this.harness.channel("c");
  readonly source = this.harness.open();
  sink: TestConnection = this.harness.open();
  member = 0;

  constructor(ordering: number) {
    this.harness.source(this.source, this.channel);
    this.member = this.harness.sink(this.sink, this.channel);
    this.sink.inbox(CAPACITY, 1 << 20, abi.OVERFLOW_DROP_OLDEST, ordering);
    this.harness.core.inboxWindow(this.sink.id, 100, 1 << 20);
    this.harness.core.inboxAcks(this.sink.id, 1, REDELIVER_MS, ATTEMPTS);
  }

  drain(): string[] {
    return this.sink.drain().deliveries.map(({ number, attempt, event }) => `${number}/${attempt} ${event.type}`);
  }

  tick(): number {
    this.harness.core.inboxTick(this.sink.id, this.harness.now);
    let dead = 0;
    while (this.harness.core.inboxDead(this.sink.id, abi.STAGE_OFFSET) > 0) dead++;
    return dead;
  }

  resume(received: number, seed: number): void {
    const { core } = this.harness;
    const kind = kinds[seed % kinds.length] as number;
    const carrier = this.harness.open(kind);
    expect(core.connectionResume(this.sink.id, carrier.id, received, this.harness.now)).toBe(abi.STATUS_OK);
    core.connectionClose(carrier.id);
    core.inboxHold(this.sink.id, 0);
    this.sink = this.harness.adopt(this.sink.id, kind);
  }
}

test.each([abi.ORDERING_FIFO, abi.ORDERING_TIME])("what leaves is what the model says, ordering %i", (ordering) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 80 }), (steps) => {
      const model = new Model();
      const subject = new Subject(ordering);
      const { harness } = subject;
      let events = 0;
      const publish = (count: number): void => {
        for (let index = 0; index < count; index++) {
          const type = `e${++events}`;
          subject.source.publish(subject.channel, [{ type, timeUs: BigInt(events) }]);
          model.publish(type);
        }
      };
      for (const one of steps) {
        if (one.kind === "publish") publish(one.events);
        else if (one.kind === "drain") expect(subject.drain()).toEqual(model.drain(harness.now));
        else if (one.kind === "ack" && model.delivered > 0) {
          const number = (one.seed % model.delivered) + 1;
          subject.sink.send({ kind: { case: "ack", value: { numbers: [BigInt(number)] } } });
          model.acknowledge((other) => other === number);
        } else if (one.kind === "through") {
          const number = one.seed % (model.delivered + 1);
          subject.sink.send({ kind: { case: "ack", value: { through: BigInt(number) } } });
          model.acknowledge((other) => other <= number);
        } else if (one.kind === "time") {
          harness.now += one.ms;
          expect(subject.tick()).toBe(model.tick(harness.now).length);
        } else if (one.kind === "break") {
          // What leaves now is lost on its way.
          expect(subject.drain()).toEqual(model.drain(harness.now));
          harness.core.connectionDetach(subject.sink.id);
          publish(one.events);
          const received = one.seed % (model.delivered + 1);
          subject.resume(received, one.seed);
          model.resume(received, harness.now);
        } else if (one.kind === "leave") {
          harness.core.memberRemove(subject.sink.id, subject.member);
          subject.member = harness.sink(subject.sink, subject.channel);
          model.leave();
        } else if (one.kind === "credit") {
          subject.sink.credit(one.events, 1 << 20);
          model.credit = (model.credit === Number.POSITIVE_INFINITY ? 0 : model.credit) + one.events;
        }
        expect(harness.core.inboxKept(subject.sink.id)).toBe(model.kept.length);
        expect(harness.core.inboxEvents(subject.sink.id)).toBe(model.waiting.length + model.again.length);
      }
      harness.core.connectionClose(subject.sink.id);
      expect(harness.statistic(abi.STATISTIC_KEPT)).toBe(0);
    }),
    propertyParameters(60),
  );
});
