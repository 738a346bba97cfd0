/**
 * Making a core, statuses as errors, and counting of calls.
 */

import { describe, expect, test } from "vitest";
import * as abi from "../../../core-wasm/abi.ts";
import { countCrossings } from "../../../host/core/crossings.ts";
import {
  ARGUMENTS_AT,
  ARGUMENTS_BYTES,
  createCore,
  isTrap,
  placeText,
  placeTypes,
  SCRATCH_AT,
} from "../../../host/core/instance.ts";
import { errorFromStatus } from "../../../host/core/status.ts";
import { counterFromWords } from "../../../host/core/views.ts";
import { codes } from "../../../host/errors.ts";
import { coreModule } from "../../core-wasm/harness.ts";

const settings = { memoryBytes: 64 * 2 ** 20, storeBytes: 8 * 2 ** 20, epoch: 3 };

/** `(module (memory (export "memory") 1) (func (export "abiVersion") (result i32) i32.const 99))`. */
const otherCore = new WebAssembly.Module(
  Uint8Array.from([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 23, 2, 6, 109, 101, 109, 111,
    114, 121, 2, 0, 10, 97, 98, 105, 86, 101, 114, 115, 105, 111, 110, 0, 0, 10, 7, 1, 5, 0, 65, 227, 0, 11,
  ]),
);

describe("createCore()", () => {
  test("grows the memory once, before any view", () => {
    const core = createCore(coreModule(), settings);
    expect(core.views.bytes.length).toBe(settings.memoryBytes);
    expect(core.exports.memory.buffer.byteLength).toBe(settings.memoryBytes);
    expect(core.epoch).toBe(3);
    expect(core.views.landing.byteOffset).toBe(abi.LANDING_OFFSET);
  });

  test.each([0, 1_000_000, abi.REGIONS_END])("says how much it needs where it gets %i bytes", (memoryBytes) => {
    expect(() => createCore(coreModule(), { ...settings, memoryBytes })).toThrow(
      expect.objectContaining({
        code: "memory_too_small",
        value: memoryBytes,
        message: expect.stringContaining(String(memoryBytes)),
      }),
    );
  });

  test("says so where the store does not fit the memory", () => {
    expect(() =>
      createCore(coreModule(), { memoryBytes: abi.REGIONS_END + 2 ** 20, storeBytes: 8 * 2 ** 20, epoch: 1 }),
    ).toThrow(expect.objectContaining({ code: "memory_too_small", limit: expect.any(Number) }));
  });

  test("refuses a binary of another ABI, and one that wants something of the host", () => {
    expect(() => createCore(otherCore, settings)).toThrow(new RegExp(`ABI 99.*ABI ${abi.ABI_VERSION}`));
    const importing = new WebAssembly.Module(
      Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 101, 1, 102, 0, 0]),
    );
    expect(() => createCore(importing, settings)).toThrow(/imports f/);
  });
});

describe("places", () => {
  test("text is put as UTF-8 and cut at a character", () => {
    const core = createCore(coreModule(), settings);
    const { at, bytes } = placeText(core, "ä".repeat(ARGUMENTS_BYTES));
    expect(at).toBe(ARGUMENTS_AT);
    expect(bytes).toBe(ARGUMENTS_BYTES - (ARGUMENTS_BYTES % 2));
    expect(new TextDecoder("utf-8", { fatal: true }).decode(core.views.bytes.subarray(at, at + bytes))).toMatch(/^ä+$/);
  });

  test("types are put with their lengths, least byte first", () => {
    const core = createCore(coreModule(), settings);
    const long = "t".repeat(256);
    const at = placeTypes(core, ["ab", long]);
    expect(at).toBe(SCRATCH_AT);
    expect([...core.views.bytes.subarray(at, at + 7)]).toEqual([2, 0, 97, 98, 0, 1, 116]);
  });
});

describe("errorFromStatus()", () => {
  const statuses = Object.entries(abi).filter(([name]) => name.startsWith("STATUS_") && name !== "STATUS_OK") as [
    string,
    number,
  ][];

  test.each(statuses)("%s has a code and a sentence with its own words", (_name, status) => {
    const error = errorFromStatus(status, 77, 88);
    expect(codes).toHaveProperty(error.code);
    expect(error.message.length).toBeGreaterThan(15);
    expect(error.message).not.toMatch(/undefined|NaN|does not know|\.$/);
  });

  test("values and limits are told where they mean something", () => {
    expect(errorFromStatus(abi.STATUS_NO_CREDIT, 5, 0)).toMatchObject({ code: "no_credit", limit: 0 });
    expect(errorFromStatus(abi.STATUS_NO_CREDIT, 5, 0).value).toBeUndefined();
    expect(errorFromStatus(abi.STATUS_EVENT_TOO_LARGE, 5, 4)).toMatchObject({
      value: 5,
      limit: 4,
      message: expect.stringMatching(/5.*4/),
    });
    expect(errorFromStatus(abi.STATUS_MEMBER_UNKNOWN, 5, 0)).toMatchObject({ value: "m5" });
    expect(errorFromStatus(9_999, 0, 0)).toMatchObject({ code: "internal" });
  });
});

describe("isTrap()", () => {
  test("knows the engine's errors from ours", () => {
    const core = createCore(coreModule(), settings);
    let trap: unknown;
    try {
      core.exports.controlPush(1, 0xffff_0000, 1_000_000);
      core.exports.connectionOpen(0, 0xffff_ff00, 256);
    } catch (error) {
      trap = error;
    }
    expect(isTrap(trap)).toBe(true);
    expect(isTrap(new TypeError("ours"))).toBe(false);
    expect(isTrap(new RangeError("Invalid array length"))).toBe(false);
  });
});

describe("countCrossings()", () => {
  test("counts calls by name until it is reset", () => {
    const core = createCore(coreModule(), settings);
    const counted = countCrossings(core.exports);
    counted.exports.abiVersion();
    counted.exports.statistic(0);
    counted.exports.statistic(1);
    core.exports.abiVersion();
    expect(counted.read()).toEqual({ total: 3, calls: { abiVersion: 1, statistic: 2 } });
    expect(counted.exports.memory).toBe(core.exports.memory);
    counted.reset();
    expect(counted.read().total).toBe(0);
  });
});

test.each([
  [0, 0, 0],
  [1, 0, 1],
  [0, 1, 4_294_967_296],
  [0xffff_ffff, 0x1f_ffff, Number.MAX_SAFE_INTEGER],
])("counterFromWords(%i, %i)", (low, high, want) => {
  expect(counterFromWords(low, high)).toBe(want);
});
