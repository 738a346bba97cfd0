/**
 * Random events: as protobuf-es messages, and as bytes that mean the same in other encodings.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type Event, EventSchema, ValueSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import type { EventInit } from "../core-wasm/frames.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  join,
  readVarint,
  tag,
  utf8,
  varint,
  varintField,
  WIRE_BYTES,
  WIRE_FIXED64,
  WIRE_VARINT,
} from "../core-wasm/wire.ts";

/** The last microsecond of year 9999. */
const TIME_US_MAX = 253_402_300_799_999_999n;

/** Well-formed text of at most `bytesMax` bytes of UTF-8. */
export function text(bytesMax: number): fc.Arbitrary<string> {
  const any = fc.string({ unit: "binary", maxLength: Math.min(bytesMax, 80) });
  return fc
    .oneof(fc.string({ maxLength: Math.min(bytesMax, 80) }), any)
    .filter((value) => utf8(value).length <= bytesMax);
}

const valueArbitrary = fc
  .oneof(
    fc.boolean().map((value) => ({ case: "boolean" as const, value })),
    fc.double().map((value) => ({ case: "number" as const, value })),
    text(200).map((value) => ({ case: "text" as const, value })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ case: "integer" as const, value })),
  )
  .map((kind) => create(ValueSchema, { kind }));

const attributeName = fc.stringMatching(/^[a-z][a-z0-9_]{0,63}$/);

/** Any event that the rules of event.proto allow. */
export const eventArbitrary: fc.Arbitrary<EventInit> = fc.record(
  {
    id: text(100),
    source: text(100),
    type: text(64).filter((type) => type !== ""),
    subject: text(300),
    timeUs: fc.bigInt({ min: 0n, max: TIME_US_MAX }),
    priority: fc.integer({ min: 0, max: 9 }),
    deliverByUs: fc.bigInt({ min: 0n, max: TIME_US_MAX }),
    ttlMs: fc.bigInt({ min: 0n, max: 1_000_000_000_000n }),
    key: text(200),
    attributes: fc.dictionary(attributeName, valueArbitrary, { maxKeys: 12, noNullPrototype: true }),
    dataContentType: text(60),
    data: fc.uint8Array({ maxLength: 400 }),
  },
  { requiredKeys: ["type"] },
);

/** One field as it stands on the wire. */
interface WireField {
  readonly field: number;
  readonly wireType: number;
  /** Value of a varint, or the bytes of the others. */
  readonly value: bigint | Uint8Array;
}

/** Reads the fields of a well-formed message of types that protobuf-es writes. */
function fieldsOf(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const next = (): number => {
    const read = readVarint(bytes, at);
    if (read === undefined) throw new RangeError(`Cut at ${at}`);
    at = read.next;
    return read.value;
  };
  const take = (count: number): Uint8Array => {
    at += count;
    return bytes.slice(at - count, at);
  };
  while (at < bytes.length) {
    const head = next();
    const [field, wireType] = [head >>> 3, head & 7];
    if (wireType === WIRE_VARINT) {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = take(1)[0] as number;
        value |= BigInt(byte & 127) << shift;
        if (byte < 128) break;
      }
      fields.push({ field, wireType, value });
    } else if (wireType === WIRE_BYTES) fields.push({ field, wireType, value: take(next()) });
    else fields.push({ field, wireType, value: take(wireType === WIRE_FIXED64 ? 8 : 4) });
  }
  return fields;
}

function encodeField({ field, wireType, value }: WireField, pad: number): Uint8Array {
  const tagPad = Math.min(5, 1 + (pad % 4));
  if (typeof value === "bigint") return join(tag(field, wireType, tagPad), varint(value, 1 + (pad % 10)));
  if (wireType === WIRE_BYTES) return join(tag(field, wireType, tagPad), varint(value.length, 1 + (pad % 9)), value);
  return join(tag(field, wireType, tagPad), value);
}

const unknownField: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.integer({ min: 13, max: 2 ** 29 - 1 }), fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 30 }))
  .map(([field, kind, bytes]) => {
    if (kind === 0) return varintField(field, BigInt(bytes.length) << 50n, 1 + (bytes.length % 10));
    if (kind === 1) return fixed64Field(field, BigInt(bytes.length));
    if (kind === 2) return fixed32Field(field, bytes.length);
    return bytesField(field, bytes);
  });

/** Field numbers of scalars: repeated, the last counts. `attributes` (10) merge by name and stay in order. */
const decoyField: fc.Arbitrary<WireField> = fc.oneof(
  fc
    .constantFrom(1, 2, 4, 9, 11, 12, 3)
    .chain((field) => text(20).map((value) => ({ field, wireType: WIRE_BYTES, value: utf8(value) }))),
  fc.nat({ max: 9 }).map((value) => ({ field: 6, wireType: WIRE_VARINT, value: BigInt(value) })),
);

/**
 * An event and a strange encoding of it: shuffled fields, padded varints, unknown fields between, and earlier values of
 * fields that a later one replaces.
 */
export const strangeEventArbitrary: fc.Arbitrary<{ init: EventInit; bytes: Uint8Array }> = fc
  .record({
    init: eventArbitrary,
    order: fc.infiniteStream(fc.nat()),
    unknown: fc.array(fc.tuple(fc.nat(), unknownField), { maxLength: 4 }),
    decoys: fc.array(decoyField, { maxLength: 4 }),
    pads: fc.infiniteStream(fc.nat({ max: 90 })),
  })
  .map(({ init, order, unknown, decoys, pads }) => {
    const draw = (stream: { next(): IteratorResult<number> }): number => stream.next().value as number;
    const fields = fieldsOf(toBinary(EventSchema, create(EventSchema, init)));
    const present = new Set(fields.map(({ field }) => field));
    const shuffled = fields.map((field) => ({ field, key: draw(order) % 1000 })).sort((a, b) => a.key - b.key);
    // Decoys come first and only for fields that a real one follows.
    const all = [...decoys.filter(({ field }) => present.has(field)), ...shuffled.map(({ field }) => field)];
    const parts = all.map((field) => encodeField(field, draw(pads)));
    for (const [place, bytes] of unknown) parts.splice(place % (parts.length + 1), 0, bytes);
    return { init, bytes: join(...parts) };
  });

/** What the unknown fields of a decoded event are, for comparison beside equals(), which looks at known ones. */
export function unknownOf(event: Event): string {
  return JSON.stringify(
    (event.$unknown ?? []).map(({ no, wireType, data }) => [no, wireType, Buffer.from(data).toString("hex")]),
  );
}
