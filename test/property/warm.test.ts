/**
 * Goal: what a core has seen before must not change what it says of the next event. The core remembers the shape of
 * events that repeat and checks the next ones by it; a wrong memory would let bytes pass that a fresh core refuses.
 * Method: one core is warmed by an event, then that event is changed byte by byte; a fresh core is the oracle.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { type EventInit, encodeEvent } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { bytesField, join, varintField } from "../core-wasm/wire.ts";
import { eventArbitrary, strangeEventArbitrary } from "./event-arbitrary.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

/** Says what becomes of one event: its status and value, or the bytes that a sink gets behind the entry's head. */
function judge(): { say(event: Uint8Array): string; warm(event: Uint8Array): void } {
  const harness = Harness.create();
  const channel = harness.channel("c", { flags: abi.CHANNEL_ECHO | abi.CHANNEL_LATE_DROP, ttlMs: 60_000 });
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  const publish = (event: Uint8Array) =>
    source.feed(
      source.wrap(join(varintField(1, 1), bytesField(2, join(varintField(2, channel), bytesField(3, event))))),
    );
  return {
    warm: (event) => {
      for (let turn = 0; turn < 4; turn++) publish(event);
      sink.drain();
    },
    say: (event) => {
      const [outcome] = publish(event);
      if (outcome?.reason !== "receipt") return `${outcome?.reason}`;
      const [record] = outcome.records;
      const { deliveries } = sink.drain();
      if (record?.status !== abi.STATUS_OK) return `status ${record?.status}, value ${record?.value}`;
      return JSON.stringify(
        deliveries.map(({ event: got }) => got),
        (_, value) => {
          if (typeof value === "bigint") return `${value}`;
          return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
        },
      );
    },
  };
}

/** Events that repeat in practice, each with every kind of field that a shape treats apart. */
const TYPICAL = [
  { type: "t" },
  { source: "/a", type: "load", timeUs: 1_700_000_000_000_000n, data: new Uint8Array([0x7b, 0x7d]) },
  { type: "request", key: "r-17", priority: 7, ttlMs: 250n, subject: "s" },
  {
    type: "x",
    deliverByUs: 1_700_000_000_250_000n,
    timeUs: 5n,
    attributes: { load: { kind: { case: "number" as const, value: 0.5 } } },
  },
  {
    id: "01J",
    source: "/web/1",
    type: "request",
    attributes: { zone: { kind: { case: "text" as const, value: "eu" } } },
    data: new Uint8Array(70),
  },
  { type: "t", priority: 9, ttlMs: 253_402_300_799_999n },
];
/** Of a number that is there twice the last one counts, and both must be valid. */
const REPEATED = join(encodeEvent({ type: "t", priority: 3, ttlMs: 500n }), varintField(6, 5), varintField(8, 700));

test("every single changed byte of a known event is judged as by a core that never saw it", {
  timeout: timeoutMs(60_000),
}, () => {
  const values = [0x00, 0x01, 0x08, 0x7f, 0x80, 0xc3, 0xff];
  for (const event of [...TYPICAL.map(encodeEvent), REPEATED]) {
    const [warm, cold] = [judge(), judge()];
    warm.warm(event);
    for (let at = 0; at < event.length; at++) {
      for (const value of new Set([
        ...values,
        (event[at] as number) ^ 1,
        (event[at] as number) ^ 0x80,
        ((event[at] as number) + 1) & 255,
      ])) {
        const changed = event.slice();
        changed[at] = value;
        // The oracle forgets by seeing something else of each size in between.
        cold.warm(encodeEvent({ type: "z".repeat(1 + ((at * 31 + value) % 40)) }));
        expect(warm.say(changed), `byte ${at} as ${value}`).toBe(cold.say(changed));
        warm.warm(event);
      }
    }
  }
});

test("random events and their neighbours are judged alike by warm and fresh cores", {
  timeout: timeoutMs(60_000),
}, () => {
  const encoded = fc.oneof(
    eventArbitrary.map(encodeEvent),
    strangeEventArbitrary.map(({ bytes }) => bytes),
  );
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(encoded, changes, (event, edits) => {
      const [warm, cold] = [judge(), judge()];
      for (const [at, value] of edits) {
        const changed = event.slice();
        changed[at % event.length] = value;
        warm.warm(event);
        expect(warm.say(changed)).toBe(cold.say(changed));
      }
    }),
    propertyParameters(25),
  );
});

test("a stream of same-size events of several shapes is judged as each event by a fresh core", {
  timeout: timeoutMs(60_000),
}, () => {
  const name = fc.stringMatching(/^[a-z]{3}$/);
  /** All of one size: what differs is which fields are there and what is in them. */
  const sameSize = fc
    .tuple(fc.constantFrom(0, 1, 2, 3, 4, 5), name, fc.nat({ max: 255 }))
    .map(([shape, text, byte]) => {
      const head = [
        { type: text, key: text, subject: text },
        { type: text, data: new Uint8Array(8).fill(byte) },
        { type: text, priority: byte % 10, ttlMs: BigInt(byte % 100), id: `${text}${text}` },
        { type: text, timeUs: BigInt(byte) << 40n, source: "" },
        { type: text, deliverByUs: BigInt(byte) << 41n },
        { type: text, attributes: { [text]: { kind: { case: "boolean" as const, value: byte > 99 } } } },
      ][shape] as EventInit;
      const bytes = encodeEvent(head);
      // A last field fills up to 48 bytes: a repeated `id`, which counts, or a content type.
      const room = 48 - bytes.length - 2;
      return join(bytes, shape % 2 === 0 ? bytesField(1, "i".repeat(room)) : bytesField(11, "j".repeat(room)));
    });
  const step = fc.tuple(
    sameSize,
    fc.option(fc.tuple(fc.nat({ max: 47 }), fc.nat({ max: 255 })), { nil: undefined, freq: 2 }),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 14, size: "max" }), (steps) => {
      const warm = judge();
      for (const [event, edit] of steps) {
        const changed = event.slice();
        if (edit !== undefined) changed[edit[0]] = edit[1];
        expect(changed.length).toBe(48);
        expect(warm.say(changed)).toBe(judge().say(changed));
        warm.warm(event);
      }
    }),
    propertyParameters(15),
  );
});
