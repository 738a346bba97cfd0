/** Property: records and sink tables are byte for byte what the reference writes, whoever comes, goes and changes meanwhile. */
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as filterAbi from "../../core-wasm/filter/abi.ts";
import { fieldOf } from "../../host/expression/names.ts";
import { type Event, EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import type { EventInit } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { utf8 } from "../core-wasm/wire.ts";
import { eventArbitrary } from "./event-arbitrary.ts";
import { recordOf, type Seen, type SeenSink, Slots, tableOf } from "./reference/record.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const CHANNEL = "jobs/one";
const SOURCE = "/test";
/** Attributes that events and sinks have often, and fields that go by a name. */
const NAMES = ["load", "zone", "flag", "n"] as const;
const FIELDS = ["id", "source", "type", "subject", "key", "datacontenttype", "priority", "time", "deliverby"] as const;
/** Texts that meet one another: values, constants of the module, names of types. */
const TEXTS = ["eu", "us", "t", "request", "", "ü-€-😀", SOURCE, CHANNEL] as const;

const scalar = fc.oneof(
  fc.boolean(),
  fc.double(),
  fc.constantFrom(...TEXTS),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
type Scalar = boolean | number | string | bigint;

const wireOf = (value: Scalar) => {
  const kinds = { boolean: "boolean", number: "number", string: "text", bigint: "integer" } as const;
  return { kind: { case: kinds[typeof value as keyof typeof kinds], value } } as {
    kind: { case: "text"; value: string };
  };
};
const attributesOf = (given: Readonly<Record<string, Scalar>>) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [name, wireOf(value)]));

const someAttributes = fc.dictionary(fc.constantFrom(...NAMES), scalar, { maxKeys: 4, noNullPrototype: true });

const seenArbitrary: fc.Arbitrary<Seen> = fc.record({
  attributes: fc.shuffledSubarray([...NAMES, ...FIELDS, "absent"]),
  payloadBytes: fc.constantFrom(0, 1, 7, 64, Infinity),
  columns: fc.shuffledSubarray([...NAMES, "absent"]),
  interned: fc.shuffledSubarray([...TEXTS]),
});

type Step =
  | { readonly do: "join"; readonly picky: boolean }
  | { readonly do: "leave"; readonly sink: number }
  | { readonly do: "update"; readonly sink: number; readonly attributes: Readonly<Record<string, Scalar>> }
  | { readonly do: "publish"; readonly events: readonly EventInit[]; readonly from: number; readonly afterMs: number };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("join" as const), picky: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), sink: fc.nat(99) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("update" as const), sink: fc.nat(99), attributes: someAttributes }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      events: fc.array(eventWith(someAttributes), { minLength: 1, maxLength: 3 }),
      from: fc.nat(5),
      afterMs: fc.nat(5_000),
    }),
  },
);

function eventWith(attributes: fc.Arbitrary<Readonly<Record<string, Scalar>>>): fc.Arbitrary<EventInit> {
  return fc
    .tuple(eventArbitrary, attributes, fc.constantFrom("t", "request", "other"))
    .map(([event, given, type]) => ({ ...event, type, attributes: { ...event.attributes, ...attributesOf(given) } }));
}

interface Sink {
  readonly connection: TestConnection;
  readonly member: number;
  readonly picky: boolean;
  seen: SeenSink;
}

/** What the core presented. */
interface Presented {
  readonly records: Uint8Array;
  readonly table: Uint8Array;
  readonly changed: readonly number[];
}

function presented(memory: Uint8Array): Presented {
  const view = new DataView(memory.buffer);
  const head = (word: number): number => view.getUint32(abi.DECIDE_OFFSET + word * 4, true);
  const part = (at: number, bytes: number): Uint8Array => memory.slice(head(at), head(at) + head(bytes));
  const changedAt = head(filterAbi.BATCH_CHANGED_AT);
  return {
    records: part(filterAbi.BATCH_RECORDS_AT, filterAbi.BATCH_RECORDS_BYTES),
    table: part(filterAbi.BATCH_TABLE_AT, filterAbi.BATCH_TABLE_BYTES),
    changed: Array.from({ length: head(filterAbi.BATCH_CHANGED) }, (_, index) =>
      view.getUint32(changedAt + index * 4, true),
    ).sort((one, other) => one - other),
  };
}

/** The event as the core stores it: what was absent and must be there is filled in. */
function storedAs(given: EventInit, now: number): Event {
  const event = create(EventSchema, given);
  const byTtl = event.ttlMs === undefined ? undefined : BigInt(Math.floor((now + Number(event.ttlMs)) * 1000));
  const moments = [event.deliverByUs, byTtl].filter((moment) => moment !== undefined);
  const deliverByUs = moments.reduce<bigint | undefined>(
    (least, one) => (least === undefined || one < least ? one : least),
    undefined,
  );
  return create(EventSchema, {
    ...event,
    source: event.source || SOURCE,
    timeUs: event.timeUs ?? BigInt(now) * 1000n,
    ...(deliverByUs === undefined ? {} : { deliverByUs }),
  });
}

/** A channel with a module that is asked about everything, and the reference beside it. */
class Compared {
  readonly harness = Harness.create();
  readonly channel: number;
  readonly source: TestConnection;
  readonly slots = new Slots<Sink>();
  readonly seen: Seen;
  readonly #changed = new Set<number>();
  #generation = 0;
  #last: Presented | undefined = undefined;
  readonly #hashes = new Map<string, bigint>();

  constructor(seen: Seen) {
    this.seen = seen;
    const { harness } = this;
    this.channel = harness.channel(CHANNEL);
    const { attributes, payloadBytes, columns } = seen;
    const decider = harness.decide(this.channel, {
      attributes: attributes.map((name) => ({ name, field: fieldOf(name) })),
      payloadBytes,
      columns,
    });
    for (const [index, text] of seen.interned.entries())
      expect(harness.core.deciderIntern(decider, abi.STAGE_OFFSET, harness.stage(utf8(text)))).toBe(index + 1);
    this.source = harness.open(abi.CONNECTION_STREAM, SOURCE);
    harness.source(this.source, this.channel);
    harness.decider = (records) => {
      this.#last = presented(harness.memory);
      return records.map(() => filterAbi.DECISION_DROP);
    };
  }

  get sinks(): Sink[] {
    return this.slots.sinks.filter((sink) => sink !== undefined);
  }

  run(step: Step): void {
    const { sinks } = this;
    if (step.do === "join") return this.join(step.picky);
    if (step.do === "publish") return this.publish(step.events, step.from === 0 ? sinks[0] : undefined, step.afterMs);
    const sink = sinks[step.sink % Math.max(1, sinks.length)];
    if (sink === undefined) return;
    if (step.do === "leave") this.leave(sink);
    else this.update(sink, step.attributes);
  }

  join(picky = false): void {
    const connection = this.harness.open(abi.CONNECTION_STREAM, SOURCE);
    const member = this.harness.member(
      connection,
      this.channel,
      abi.ROLE_SINK | abi.ROLE_SOURCE,
      picky ? ["request", "more"] : undefined,
    );
    expect(member).not.toBe(0);
    const seen = { member, updatedAt: 0, attributes: {} };
    this.#changed.add(this.slots.take({ connection, member, picky, seen }));
  }

  leave(sink: Sink): void {
    const slot = this.slots.sinks.indexOf(sink);
    expect(this.harness.core.memberRemove(sink.connection.id, sink.member)).toBe(abi.STATUS_OK);
    this.slots.give(slot);
    this.#changed.add(slot);
  }

  update(sink: Sink, attributes: Readonly<Record<string, Scalar>>): void {
    sink.connection.send({
      kind: { case: "update", value: { member: sink.member, attributes: attributesOf(attributes) } },
    });
    sink.seen = {
      ...sink.seen,
      updatedAt: Object.keys(attributes).length === 0 ? sink.seen.updatedAt : this.harness.now,
      attributes: { ...sink.seen.attributes, ...attributes },
    };
    this.#changed.add(this.slots.sinks.indexOf(sink));
  }

  /** Publishes a batch, and compares what the module is shown of it. */
  publish(given: readonly EventInit[], from: Sink | undefined, afterMs: number): void {
    const { harness, slots, seen } = this;
    harness.now += afterMs;
    this.#last = undefined;
    (from?.connection ?? this.source).publish(this.channel, given);
    const last = this.#last as Presented | undefined;
    if (last === undefined) throw new Error("The module was not asked");
    if (this.#changed.size > 0) this.#generation++;
    expect(last.changed).toEqual([...this.#changed].sort((one, other) => one - other));
    this.#changed.clear();
    const rows = slots.sinks.map((sink) => sink?.seen);
    expect(Buffer.compare(last.table, tableOf(rows, this.#generation, seen))).toBe(0);
    const narrowed = from !== undefined || this.sinks.some(({ picky }) => picky);
    let at = 0;
    for (const event of given.map((one) => storedAs(one, harness.now))) {
      const view = new DataView(last.records.buffer, at);
      const takers = slots.sinks.flatMap((sink, slot) =>
        sink === undefined || sink === from || (sink.picky && event.type !== "request") ? [] : [slot],
      );
      const idHash = view.getBigUint64(8, true);
      this.#compareHash(event.id, idHash);
      const expected = recordOf(event, seen, {
        channel: CHANNEL,
        idHash,
        slots: narrowed ? takers : undefined,
        candidates: takers.length,
        rows: slots.sinks.length,
      });
      const actual = last.records.subarray(at, at + view.getUint32(0, true));
      // A difference of a few bytes is easier read than thousands.
      if (Buffer.compare(actual, expected) !== 0) expect([...actual]).toEqual([...expected]);
      at += actual.length;
    }
    expect(at).toBe(last.records.length);
  }

  /** Ids have hashes, which are never 0, and events without an id differ in theirs. */
  #compareHash(id: string, hash: bigint): void {
    expect(hash).not.toBe(0n);
    const known = id === "" ? undefined : this.#hashes.get(id);
    if (known === undefined) expect([...this.#hashes.values()]).not.toContain(hash);
    else expect(hash).toBe(known);
    this.#hashes.set(id === "" ? `none ${this.#hashes.size}` : id, hash);
  }
}

describe("what a module sees", () => {
  test(
    "is what the reference writes, with sinks that come, change and go",
    () => {
      fc.assert(
        fc.property(
          seenArbitrary,
          fc.constantFrom(0, 1, 31, 32, 33, 70),
          fc.array(stepArbitrary, { maxLength: 25 }),
          (seen, sinks, steps) => {
            const compared = new Compared(seen);
            for (let index = 0; index < sinks; index++) compared.join();
            for (const step of steps) compared.run(step);
            compared.publish([{ type: "t" }], undefined, 0);
          },
        ),
        propertyParameters(25),
      );
    },
    timeoutMs(30_000),
  );

  test("the slot that has been free longest is given again first, and none is forgotten", () => {
    const compared = new Compared({ attributes: [], payloadBytes: 0, columns: ["load"], interned: [] });
    for (let index = 0; index < 40; index++) compared.join();
    compared.publish([{ type: "t" }], undefined, 0);
    const [first, second] = [compared.sinks[33], compared.sinks[5]] as [Sink, Sink];
    for (const sink of [first, second]) compared.leave(sink);
    compared.publish([{ type: "t" }], undefined, 0);
    for (let index = 0; index < 3; index++) compared.join();
    // Slots 33, 5, and a new one.
    expect(compared.slots.sinks).toHaveLength(41);
    compared.publish([{ type: "t" }], undefined, 0);
  });

  test.each([65_536 - 88 - 16 - 10, 65_440, 70_000, 200_000])(
    "texts and data of %i bytes are cut at 64 KiB, texts at a character",
    (bytes) => {
      const seen = { attributes: ["subject"], payloadBytes: Infinity, columns: [], interned: [] };
      const compared = new Compared(seen);
      compared.join();
      compared.publish([{ type: "t", data: new Uint8Array(bytes).fill(7) }], undefined, 0);
      for (const shift of ["", "a", "aa", "aaa"]) {
        const subject = shift + "😀".repeat(Math.floor(bytes / 4));
        compared.publish([{ type: "t", subject, data: new Uint8Array(9) }], undefined, 0);
      }
    },
  );
});
