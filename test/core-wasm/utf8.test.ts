/**
 * Goal: no publisher can poison a sink with bytes that are not UTF-8. Method: a table of good and bad sequences after
 * Unicode 15 table 3-7, each at every offset around 16-byte blocks (the SIMD path), in every string field.
 */
import { describe, expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { Harness } from "./harness.ts";
import { bytesField, join, raw, varintField } from "./wire.ts";

const GOOD: Record<string, Uint8Array> = {
  "U+0000": raw(0),
  "U+007F": raw(0x7f),
  "U+0080": raw(0xc2, 0x80),
  "U+07FF": raw(0xdf, 0xbf),
  "U+0800": raw(0xe0, 0xa0, 0x80),
  "U+D7FF": raw(0xed, 0x9f, 0xbf),
  "U+E000": raw(0xee, 0x80, 0x80),
  "U+FEFF, a byte order mark": raw(0xef, 0xbb, 0xbf),
  "U+FFFF": raw(0xef, 0xbf, 0xbf),
  "U+10000": raw(0xf0, 0x90, 0x80, 0x80),
  "U+10FFFF": raw(0xf4, 0x8f, 0xbf, 0xbf),
};

const BAD: Record<string, Uint8Array> = {
  "a lone continuation": raw(0x80),
  "the last lone continuation": raw(0xbf),
  "overlong 2 bytes, C0": raw(0xc0, 0x80),
  "overlong 2 bytes, C1": raw(0xc1, 0xbf),
  "overlong 3 bytes": raw(0xe0, 0x9f, 0xbf),
  "overlong 4 bytes": raw(0xf0, 0x8f, 0xbf, 0xbf),
  "the first surrogate": raw(0xed, 0xa0, 0x80),
  "the last surrogate": raw(0xed, 0xbf, 0xbf),
  "a pair of surrogates": raw(0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80),
  "beyond U+10FFFF": raw(0xf4, 0x90, 0x80, 0x80),
  F5: raw(0xf5, 0x80, 0x80, 0x80),
  FE: raw(0xfe),
  FF: raw(0xff),
  "2 bytes cut": raw(0xc3),
  "3 bytes cut after 1": raw(0xe2),
  "3 bytes cut after 2": raw(0xe2, 0x82),
  "4 bytes cut after 1": raw(0xf0),
  "4 bytes cut after 2": raw(0xf0, 0x9f),
  "4 bytes cut after 3": raw(0xf0, 0x9f, 0x98),
  "2 bytes broken by ASCII": raw(0xc3, 0x41),
  "3 bytes broken by ASCII": raw(0xe2, 0x82, 0x41),
  "4 bytes broken by a new start": raw(0xf0, 0x9f, 0x98, 0xc3, 0xa9),
  "one continuation too many": raw(0xc3, 0xa9, 0xa9),
};

const OFFSETS = [0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31, 32, 33, 45, 46, 47, 48, 63, 64, 65];

/** Where the sequence stands in: ASCII before and after, or two-byte characters. */
function around(sequence: Uint8Array, offset: number, after: number, wide: boolean): Uint8Array {
  const fill = (bytes: number) =>
    wide
      ? join(new Uint8Array(bytes & 1).fill(0x61), ...Array.from({ length: bytes >> 1 }, () => raw(0xc3, 0xa9)))
      : new Uint8Array(bytes).fill(0x61);
  return join(fill(offset), sequence, fill(after));
}

/** One source, one sink that drains nothing; returns a function that publishes one event by hand. */
function publisher() {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const source = harness.open();
  harness.source(source, channel);
  return (event: Uint8Array) => {
    const publish = join(varintField(2, channel), bytesField(3, event));
    const [outcome] = source.feed(source.wrap(join(varintField(1, 1), bytesField(2, publish))));
    if (outcome?.reason !== "receipt") throw new Error(`Expected a receipt, got ${outcome?.reason}`);
    return outcome.records[0];
  };
}

const TYPE = bytesField(3, "t");

describe("UTF-8 in `subject`, at every place around blocks of 16 bytes", () => {
  test.each(Object.entries(GOOD))("%s is taken", (_, sequence) => {
    const publish = publisher();
    for (const offset of OFFSETS) {
      for (const after of [0, 1, 15, 16, 40]) {
        for (const wide of [false, true]) {
          const record = publish(join(TYPE, bytesField(4, around(sequence, offset, after, wide))));
          expect(record?.status, `offset ${offset}, ${after} after`).toBe(abi.STATUS_OK);
        }
      }
    }
  });

  test.each(Object.entries(BAD))("%s is refused", (_, sequence) => {
    const publish = publisher();
    for (const offset of OFFSETS) {
      for (const after of [0, 1, 15, 16, 40]) {
        for (const wide of [false, true]) {
          const record = publish(join(TYPE, bytesField(4, around(sequence, offset, after, wide))));
          expect(record, `offset ${offset}, ${after} after`).toMatchObject({ status: abi.STATUS_NOT_UTF8, value: 4 });
        }
      }
    }
  });
});

describe("UTF-8 in every string field", () => {
  const bad = raw(0x61, 0xff);
  const entry = (name: Uint8Array, value: Uint8Array) =>
    bytesField(10, join(bytesField(1, name), bytesField(2, value)));
  test.each([
    { name: "id", field: 1, event: join(TYPE, bytesField(1, bad)) },
    { name: "source", field: 2, event: join(TYPE, bytesField(2, bad)) },
    { name: "type", field: 3, event: bytesField(3, bad) },
    { name: "subject", field: 4, event: join(TYPE, bytesField(4, bad)) },
    { name: "key", field: 9, event: join(TYPE, bytesField(9, bad)) },
    { name: "data_content_type", field: 11, event: join(TYPE, bytesField(11, bad)) },
    { name: "the text of an attribute", field: 10, event: join(TYPE, entry(raw(0x61), bytesField(3, bad))) },
  ])("$name", ({ field, event }) => {
    expect(publisher()(event)).toMatchObject({ status: abi.STATUS_NOT_UTF8, value: field });
  });

  test("a bad value that a good one replaces is bad all the same", () => {
    const event = join(TYPE, bytesField(4, raw(0xff)), bytesField(4, "good"));
    expect(publisher()(event)).toMatchObject({ status: abi.STATUS_NOT_UTF8, value: 4 });
  });

  test("the name of an attribute is refused by its own rule or by this one", () => {
    const status = publisher()(join(TYPE, entry(bad, varintField(1, 1))))?.status;
    expect([abi.STATUS_NOT_UTF8, abi.STATUS_ATTRIBUTE_NAME]).toContain(status);
  });

  test("every byte value alone is judged as TextDecoder judges it", () => {
    const publish = publisher();
    for (let byte = 0; byte < 256; byte++) {
      const record = publish(join(TYPE, bytesField(4, raw(byte))));
      expect(record?.status, `byte ${byte}`).toBe(byte < 128 ? abi.STATUS_OK : abi.STATUS_NOT_UTF8);
    }
  });
});
