/**
 * Goal: every rule about one event, by name. Method: an event made by hand is put between two good ones; the bad one
 * must be refused with its status, value and limit, and the good ones must arrive as if nothing had been between them.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { encodeEvent } from "./frames.ts";
import { Harness } from "./harness.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  join,
  raw,
  tag,
  utf8,
  varint,
  varintField,
  WIRE_BYTES,
  WIRE_FIXED64,
  WIRE_VARINT,
} from "./wire.ts";

const TYPE = bytesField(3, "t");
const attribute = (name: Uint8Array | string, value: Uint8Array = varintField(1, 1)): Uint8Array =>
  bytesField(10, join(bytesField(1, name), bytesField(2, value)));
const attributes = (count: number): Uint8Array =>
  join(...Array.from({ length: count }, (_, index) => attribute(`a${index}`)));

/** Publishes good, `event`, good with a receipt; gives the record of `event`, or the problem that refused the frame. */
function refusal(event: Uint8Array, options: Parameters<Harness["channel"]>[1] = {}) {
  const harness = Harness.create();
  const channel = harness.channel("c", options);
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  const good = (id: string) => bytesField(3, encodeEvent({ id, type: "good" }));
  const publish = join(varintField(2, channel), good("first"), bytesField(3, event), good("last"));
  const outcomes = source.feed(source.wrap(join(varintField(1, 5), bytesField(2, publish))));
  const events = sink.events();
  const [outcome] = outcomes;
  if (outcomes.length !== 1 || outcome?.reason !== "receipt") return { outcomes, events, record: undefined };
  expect(events.filter(({ type }) => type === "good").map(({ id }) => id)).toEqual(["first", "last"]);
  expect(outcome.records).toHaveLength(3);
  return { outcomes, events, record: outcome.records[1] };
}

describe("an event is refused", () => {
  test.each([
    { name: "without a type", event: bytesField(1, "id"), want: { status: abi.STATUS_TYPE_MISSING } },
    { name: "with an empty type", event: bytesField(3, ""), want: { status: abi.STATUS_TYPE_MISSING } },
    {
      name: "whose last type is empty",
      event: join(TYPE, bytesField(3, "")),
      want: { status: abi.STATUS_TYPE_MISSING },
    },
    { name: "that is empty", event: raw(), want: { status: abi.STATUS_TYPE_MISSING } },
    {
      name: "with too long a type",
      event: bytesField(3, "t".repeat(abi.TYPE_BYTES_MAX + 1)),
      want: { status: abi.STATUS_TYPE_TOO_LONG, value: abi.TYPE_BYTES_MAX + 1, limit: abi.TYPE_BYTES_MAX },
    },
    {
      name: "with too long a key",
      event: join(TYPE, bytesField(9, "k".repeat(abi.KEY_BYTES_MAX + 1))),
      want: { status: abi.STATUS_KEY_TOO_LONG, value: abi.KEY_BYTES_MAX + 1, limit: abi.KEY_BYTES_MAX },
    },
    {
      name: "with priority 10",
      event: join(TYPE, varintField(6, 10)),
      want: { status: abi.STATUS_PRIORITY, value: 10, limit: 9 },
    },
    {
      name: "with the largest priority",
      event: join(TYPE, varintField(6, 2 ** 32 - 1)),
      want: { status: abi.STATUS_PRIORITY, value: 2 ** 32 - 1, limit: 9 },
    },
    {
      name: "with a ttl beyond all time",
      event: join(TYPE, varintField(8, 2n ** 64n - 1n)),
      want: { status: abi.STATUS_TIME, value: 8 },
    },
    {
      name: "with a ttl that overflows microseconds",
      event: join(TYPE, varintField(8, 2n ** 63n / 1000n)),
      want: { status: abi.STATUS_TIME, value: 8 },
    },
    {
      name: "with a time before all time",
      event: join(TYPE, fixed64Field(5, -(2n ** 63n))),
      want: { status: abi.STATUS_TIME, value: 5 },
    },
    {
      name: "with a deadline beyond all time",
      event: join(TYPE, fixed64Field(7, 2n ** 63n - 1n)),
      want: { status: abi.STATUS_TIME, value: 7 },
    },
    {
      name: "with more than ATTRIBUTES_MAX attributes",
      event: join(TYPE, attributes(abi.ATTRIBUTES_MAX + 1)),
      want: { status: abi.STATUS_ATTRIBUTES_MANY, limit: abi.ATTRIBUTES_MAX },
    },
    {
      name: "larger than EVENT_BYTES_MAX",
      event: join(TYPE, bytesField(12, new Uint8Array(abi.EVENT_BYTES_MAX))),
      want: { status: abi.STATUS_EVENT_TOO_LARGE, limit: abi.EVENT_BYTES_MAX },
    },
    {
      name: "that what is appended makes larger than EVENT_BYTES_MAX",
      event: join(TYPE, bytesField(12, new Uint8Array(abi.EVENT_BYTES_MAX - TYPE.length - 5))),
      want: { status: abi.STATUS_EVENT_TOO_LARGE, limit: abi.EVENT_BYTES_MAX },
    },
  ])("$name", ({ event, want }) => {
    const { record, events } = refusal(event);
    expect(record).toMatchObject({ ...want, sequence: 0n, sinks: 0 });
    expect(events).toHaveLength(2);
  });

  test("of a type that the channel does not take", () => {
    const { record } = refusal(TYPE, { types: ["good", "tt", ""] });
    expect(record).toMatchObject({ status: abi.STATUS_TYPE_REFUSED, sequence: 0n });
  });

  test.each([
    "",
    "A",
    "1a",
    "_a",
    "a-b",
    "a.b",
    "a b",
    "aB",
    "ä",
    "a\u0000",
    "a".repeat(abi.ATTRIBUTE_NAME_BYTES_MAX + 1),
  ])("with the attribute name %j", (name) => {
    expect(refusal(join(TYPE, attribute(name))).record).toMatchObject({ status: abi.STATUS_ATTRIBUTE_NAME });
  });

  test("with an attribute entry without a name", () => {
    const entry = bytesField(10, bytesField(2, varintField(1, 1)));
    expect(refusal(join(TYPE, entry)).record).toMatchObject({ status: abi.STATUS_ATTRIBUTE_NAME });
  });
});

describe("an event is malformed", () => {
  test.each([
    { name: "a tag of field 0", bytes: raw(0x00, 0x00) },
    { name: "a tag of field 0, length-delimited", bytes: raw(0x02, 0x00) },
    { name: "wire type 6", bytes: raw(((20 << 3) & 127) | 6 | 128, 1) },
    { name: "wire type 7", bytes: raw(((20 << 3) & 127) | 7 | 128, 1) },
    { name: "a field number beyond 2^29 − 1", bytes: join(tag(2 ** 29, WIRE_VARINT), raw(0)) },
    { name: "a tag of 11 bytes", bytes: raw(...Array(10).fill(0x80), 1) },
    { name: "a tag that ends", bytes: raw(0x80) },
    { name: "a varint of 11 bytes", bytes: join(tag(20, WIRE_VARINT), raw(...Array(10).fill(0x80), 1)) },
    { name: "a varint that ends", bytes: join(tag(6, WIRE_VARINT), raw(0x80)) },
    { name: "a fixed64 that ends", bytes: join(tag(5, WIRE_FIXED64), raw(1, 2, 3, 4, 5, 6, 7)) },
    { name: "a length one beyond the event", bytes: join(tag(12, WIRE_BYTES), varint(2), raw(1)) },
    { name: "a length of 2^31 − 1", bytes: join(tag(12, WIRE_BYTES), varint(2 ** 31 - 1), raw(1)) },
    { name: "a length of 2^31", bytes: join(tag(12, WIRE_BYTES), varint(2 ** 31), raw(1)) },
    { name: "a length of 2^32 − 1", bytes: join(tag(12, WIRE_BYTES), varint(2 ** 32 - 1), raw(1)) },
    { name: "a length of 2^32 + 1", bytes: join(tag(12, WIRE_BYTES), varint(2n ** 32n + 1n), raw(1)) },
    { name: "a length of 2^63", bytes: join(tag(12, WIRE_BYTES), varint(2n ** 63n), raw(1)) },
    { name: "a length of 2^64 − 1", bytes: join(tag(20, WIRE_BYTES), varint(2n ** 64n - 1n), raw(1)) },
    { name: "a length of 11 bytes", bytes: join(tag(20, WIRE_BYTES), raw(...Array(10).fill(0x80), 0)) },
    {
      name: "an attribute entry whose length lies",
      bytes: bytesField(10, join(tag(1, WIRE_BYTES), varint(9), raw(0x61))),
    },
    {
      name: "an attribute value whose length lies",
      bytes: bytesField(10, join(bytesField(1, "a"), bytesField(2, join(tag(3, WIRE_BYTES), varint(5), raw(0x61))))),
    },
    { name: "an attribute number that ends", bytes: attribute("a", join(tag(2, WIRE_FIXED64), raw(1, 2, 3))) },
    { name: "a group that never ends", bytes: raw(((20 << 3) & 127) | 3 | 128, 1) },
    { name: "the end of a group that never began", bytes: raw(((20 << 3) & 127) | 4 | 128, 1) },
  ])("$name", ({ bytes }) => {
    const { outcomes, record, events } = refusal(join(TYPE, bytes));
    // The whole frame may be refused as well as the one event: it is the frame's bytes that are no protobuf.
    const [outcome] = outcomes;
    const status = record?.status ?? (outcome?.reason === "problem" ? outcome.status : undefined);
    expect(status).toBe(abi.STATUS_MALFORMED);
    expect(events.filter(({ type }) => type === "t")).toEqual([]);
  });

  test.each([
    { name: "type as varint", bytes: varintField(3, 1) },
    { name: "id as fixed64", bytes: fixed64Field(1, 1n) },
    { name: "time as varint", bytes: varintField(5, 1) },
    { name: "priority as bytes", bytes: bytesField(6, raw(4)) },
    { name: "deliver_by as fixed32", bytes: fixed32Field(7, 1) },
    { name: "ttl as fixed64", bytes: fixed64Field(8, 1n) },
    { name: "data as varint", bytes: varintField(12, 1) },
    { name: "attributes as varint", bytes: varintField(10, 1) },
    {
      name: "an attribute name as varint",
      bytes: bytesField(10, join(varintField(1, 1), bytesField(2, varintField(1, 1)))),
    },
    { name: "an attribute number as varint", bytes: attribute("a", varintField(2, 1)) },
  ])("$name: a field with the wrong wire type is STATUS_FRAME_KIND", ({ bytes }) => {
    const { outcomes, record } = refusal(join(TYPE, bytes));
    const [outcome] = outcomes;
    const status = record?.status ?? (outcome?.reason === "problem" ? outcome.status : undefined);
    expect([abi.STATUS_FRAME_KIND, abi.STATUS_MALFORMED]).toContain(status);
  });
});

describe("an event is taken", () => {
  test.each([
    {
      name: "at every limit of type, key and attribute name",
      event: join(
        bytesField(3, "t".repeat(abi.TYPE_BYTES_MAX)),
        bytesField(9, "k".repeat(abi.KEY_BYTES_MAX)),
        attribute("a".repeat(abi.ATTRIBUTE_NAME_BYTES_MAX)),
      ),
    },
    { name: "with ATTRIBUTES_MAX attributes", event: join(TYPE, attributes(abi.ATTRIBUTES_MAX)) },
    { name: "with priority 0", event: join(TYPE, varintField(6, 0)) },
    { name: "with priority 9", event: join(TYPE, varintField(6, 9)) },
    { name: "with time 0", event: join(TYPE, fixed64Field(5, 0n)) },
    { name: "with the last moment of year 9999", event: join(TYPE, fixed64Field(7, 253_402_300_799_999_999n)) },
    { name: "with ttl 0", event: join(TYPE, varintField(8, 0)) },
    { name: "with a ttl of a century", event: join(TYPE, varintField(8, 3_155_760_000_000)) },
    {
      name: "with NaN and infinity as attributes",
      event: join(
        TYPE,
        attribute("nan", fixed64Field(2, 0x7ff8000000000000n)),
        attribute("inf", fixed64Field(2, 0x7ff0000000000000n)),
      ),
    },
    {
      name: "with unknown fields of every wire type",
      event: join(
        varintField(100, 2n ** 64n - 1n),
        fixed64Field(101, -1n),
        TYPE,
        bytesField(2 ** 29 - 1, "x"),
        fixed32Field(103, 1),
      ),
    },
    { name: "with bytes in data that are no UTF-8", event: join(TYPE, bytesField(12, raw(0xff, 0xfe, 0xc0))) },
  ])("$name", ({ event }) => {
    const { record, events } = refusal(event);
    expect(record).toMatchObject({ status: abi.STATUS_OK, sinks: 1, sequence: 2n });
    expect(events).toHaveLength(3);
  });

  test("at EVENT_BYTES_MAX, what is appended included", () => {
    // Appended: source (2 + "/test") and time_us (9); data's own head is 1 + 3.
    const room = abi.EVENT_BYTES_MAX - TYPE.length - 7 - 9 - 4;
    const { record, events } = refusal(join(TYPE, bytesField(12, new Uint8Array(room).fill(7))));
    expect(record?.status).toBe(abi.STATUS_OK);
    expect(events[1]?.data?.length).toBe(room);
  });
});

test("attribute names are compared as bytes, so a name in text stays text", () => {
  const { events } = refusal(join(TYPE, attribute("zone", bytesField(3, utf8("Grüße")))));
  expect(events[1]?.attributes["zone"]?.kind).toEqual({ case: "text", value: "Grüße" });
});

test("the largest event passes through the smallest store, again and again", () => {
  const harness = Harness.create({ storeBytes: 4 * abi.SLAB_BYTES });
  const channel = harness.channel("c");
  const [source, sink] = [harness.open(), harness.open()];
  harness.source(source, channel);
  harness.sink(sink, channel);
  for (let turn = 0; turn < 20; turn++) {
    const data = new Uint8Array(abi.EVENT_BYTES_MAX - 100).fill(turn);
    expect(source.receipt(channel, [{ type: "t", data }, { type: "t" }]).map(({ status }) => status)).toEqual([0, 0]);
    const [large, small] = sink.events();
    expect(Buffer.compare(large?.data ?? new Uint8Array(0), data)).toBe(0);
    expect(small?.type).toBe("t");
  }
});
