import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MOMENT_US_MAX,
  MOMENT_US_MIN,
  microsFromBytes,
  microsFromMoment,
  momentFromMicros,
} from "../../../../host/socket/json/moment.ts";
import { bytesOf } from "../../../../host/socket/json/scan.ts";
import { propertyParameters } from "../../../property/runs.ts";

const fast = (text: string) => microsFromBytes(bytesOf(`x${text}x`), 1, 1 + bytesOf(text).length);

describe("microsFromMoment()", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0n],
    ["1969-12-31T23:59:59.999999Z", -1n],
    ["2026-01-01T00:00:00.123456Z", 1_767_225_600_123_456n],
    ["2026-01-01T00:00:00.1Z", 1_767_225_600_100_000n],
    ["2026-01-01T00:00:00.123456789Z", 1_767_225_600_123_456n],
    ["2026-01-01t00:00:00z", 1_767_225_600_000_000n],
    ["2026-01-01T01:30:00+01:30", 1_767_225_600_000_000n],
    ["2025-12-31T19:00:00-05:00", 1_767_225_600_000_000n],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000_000n],
    ["0001-01-01T00:00:00Z", MOMENT_US_MIN],
    ["9999-12-31T23:59:59.999999Z", MOMENT_US_MAX],
    ["0000-12-31T23:59:59Z", MOMENT_US_MIN - 1_000_000n],
    ["9999-12-31T23:59:59-01:00", MOMENT_US_MAX + 3_600_000_000n - 999_999n],
  ])("reads %s", (text, want) => {
    expect(microsFromMoment(text)).toBe(want);
  });

  test.each([
    "",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-1-1T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00,5Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+01:60",
    "2026-01-01T00:00:00+0100",
    "+2026-01-01T00:00:00Z",
    "12026-01-01T00:00:00Z",
    "２０２６-01-01T00:00:00Z",
    " 2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z\n",
  ])("refuses %j", (text) => {
    expect(microsFromMoment(text)).toBeUndefined();
    expect(fast(text)).toBeNaN();
  });

  test("agrees with Date.parse() on milliseconds of any year", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0001-01-01T00:00:00Z"),
          max: new Date("9999-12-31T23:59:59.999Z"),
          noInvalidDate: true,
        }),
        (date) => {
          expect(microsFromMoment(date.toISOString())).toBe(BigInt(date.getTime()) * 1_000n);
        },
      ),
      propertyParameters(500),
    );
  });
});

describe("momentFromMicros()", () => {
  test.each([
    [0n, "1970-01-01T00:00:00.000Z"],
    [-1n, "1969-12-31T23:59:59.999999Z"],
    [1_767_225_600_120_000n, "2026-01-01T00:00:00.120Z"],
    [1_767_225_600_000_001n, "2026-01-01T00:00:00.000001Z"],
    [MOMENT_US_MIN, "0001-01-01T00:00:00.000Z"],
    [MOMENT_US_MAX, "9999-12-31T23:59:59.999999Z"],
    [MOMENT_US_MIN - 1n, undefined],
    [MOMENT_US_MAX + 1n, undefined],
  ])("writes %s", (us, want) => {
    expect(momentFromMicros(us)).toBe(want);
  });

  test("keeps every microsecond on the way there and back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: MOMENT_US_MIN, max: MOMENT_US_MAX }), (us) => {
        expect(microsFromMoment(momentFromMicros(us) ?? "")).toBe(us);
      }),
      propertyParameters(500),
    );
  });
});

describe("microsFromBytes()", () => {
  test("agrees with microsFromMoment() where it does not leave it the work", () => {
    const digits = fc.stringMatching(/^\d{0,8}$/);
    const near = fc.bigInt({ min: -86_400_000_000n * 400n, max: 9_007_199_254_740_991n * 2n });
    fc.assert(
      fc.property(near, digits, (us, fraction) => {
        const text = `${(momentFromMicros(us) ?? "").slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
        const read = fast(text);
        if (Number.isNaN(read)) return;
        expect(BigInt(read)).toBe(microsFromMoment(text));
      }),
      propertyParameters(500),
    );
  });

  test("does the work for moments as JavaScript writes them", () => {
    for (const text of [
      "2026-01-01T00:00:00.123Z",
      "1970-01-01T00:00:00Z",
      "2254-12-31T23:59:59.999999Z",
      "2024-02-29T12:34:56.7Z",
    ]) {
      expect(fast(text)).toBe(Number(microsFromMoment(text)));
    }
  });
});
