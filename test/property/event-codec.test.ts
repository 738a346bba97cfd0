/**
 * Goal: whatever a source may encode, every sink decodes as protobuf itself would, plus what the host appends.
 * Method: protobuf-es is the oracle; random events go through the core in their usual and in strange encodings.
 */
import { create, equals, fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { type Event, EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { type EventInit, encodeEvent } from "../core-wasm/frames.ts";
import { Harness } from "../core-wasm/harness.ts";
import { bytesField, join, varintField } from "../core-wasm/wire.ts";
import { eventArbitrary, strangeEventArbitrary, unknownOf } from "./event-arbitrary.ts";
import { completeEvent } from "./reference/event.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const SOURCE = "/implicit/1";

/** A core that lives over many runs: events of one run must not change those of the next. */
function through(): (events: readonly Uint8Array[]) => { events: Event[]; now: number } {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const source = harness.open(abi.CONNECTION_WEBSOCKET, SOURCE);
  harness.source(source, channel);
  const sinks = [harness.open(), harness.open(abi.CONNECTION_WEBSOCKET)];
  for (const sink of sinks) harness.sink(sink, channel);
  return (events) => {
    harness.now += 1.25;
    const publish = join(varintField(2, channel), ...events.map((event) => bytesField(3, event)));
    const outcomes = source.feed(source.wrap(join(varintField(1, 1), bytesField(2, publish))));
    expect(outcomes).toMatchObject([
      { reason: "receipt", records: events.map(() => ({ status: abi.STATUS_OK, sinks: 2 })) },
    ]);
    const [first, second] = sinks.map((sink) => sink.drain());
    expect(second?.rawFrames).toEqual(first?.rawFrames);
    return { events: (first?.deliveries ?? []).map(({ event }) => event), now: harness.now };
  };
}

function expectSame(got: Event | undefined, init: EventInit, now: number, source = SOURCE): void {
  const want = completeEvent(init, source, 0, now);
  expectEqual(got, want);
}

/** equals() of protobuf-es, but NaN is NaN; unknown fields are compared apart. */
function expectEqual(got: Event | undefined, want: Event): void {
  if (got !== undefined && equals(EventSchema, want, got)) return;
  expect({ ...got, $unknown: undefined }).toEqual({ ...want, $unknown: undefined });
}

test("random events arrive as they were said, with what was absent appended", { timeout: timeoutMs(60_000) }, () => {
  const pass = through();
  fc.assert(
    fc.property(fc.array(eventArbitrary, { minLength: 1, maxLength: 6 }), (inits) => {
      const { events, now } = pass(inits.map((init) => encodeEvent(init)));
      expect(events).toHaveLength(inits.length);
      inits.forEach((init, index) => {
        expectSame(events[index], init, now);
      });
    }),
    propertyParameters(400),
  );
});

test("fields in any order, repeated fields, padded varints and unknown fields mean what protobuf says", {
  timeout: timeoutMs(60_000),
}, () => {
  const pass = through();
  fc.assert(
    fc.property(strangeEventArbitrary, ({ init, bytes }) => {
      const oracle = fromBinary(EventSchema, bytes);
      // The generator itself is held to the oracle first, so that a failure below is the core's.
      expectEqual(oracle, create(EventSchema, init));
      const { events, now } = pass([bytes]);
      expectSame(events[0], init, now);
      expect(unknownOf(events[0] as Event)).toBe(unknownOf(oracle));
    }),
    propertyParameters(400),
  );
});

test("random bytes in place of an event are refused, or taken only where protobuf-es reads them as well", {
  timeout: timeoutMs(60_000),
}, () => {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  const alike = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    eventArbitrary.chain((init) => {
      const bytes = encodeEvent(init);
      return fc
        .array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 })
        .map((changes) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) changed[at] = value;
          return changed;
        });
    }),
  );
  fc.assert(
    fc.property(alike, (bytes) => {
      const publish = join(varintField(2, channel), bytesField(3, bytes));
      source.feed(source.wrap(join(varintField(1, 1), bytesField(2, publish))));
      const events = sink.events();
      if (events.length === 0) return;
      const oracle = fromBinary(EventSchema, bytes);
      expect(events).toHaveLength(1);
      expectSame(events[0], oracle, harness.now, "/test");
    }),
    propertyParameters(1500),
  );
});
