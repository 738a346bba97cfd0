/**
 * Options of a service.
 */
import { describe, expect, test } from "vitest";
import { limits } from "../../host/limits.ts";
import { createHostId, createSecret, resolveOptions, type ServiceOptionsInput } from "../../host/options.ts";

describe("resolveOptions()", () => {
  test("fills in what is absent, and the store is at most a quarter of the memory", () => {
    expect(resolveOptions()).toMatchObject({
      memoryBytes: limits.memoryBytes,
      storeBytes: limits.storeBytes,
      implicitChannels: true,
      joins: limits.joins,
      frameMs: limits.frameMs,
      epoch: 1,
    });
    expect(resolveOptions({ memoryBytes: 40_000_000 }).storeBytes).toBe(10_000_000);
    expect(resolveOptions({ joins: undefined }).joins).toBe(limits.joins);
    expect(Object.isFrozen(resolveOptions())).toBe(true);
  });

  const wrong: readonly ServiceOptionsInput[] = [
    { connections: 0 },
    { connections: 1.5 },
    { joins: Number.NaN },
    { frameMs: -1 },
    { stallMs: 3_600_001 },
    { pingMs: Number.POSITIVE_INFINITY },
    { epoch: 0 },
    { epoch: 2 ** 53 },
    { storeBytes: 1_000 },
    { memoryBytes: 3 * 2 ** 30 },
    { hostId: "No!" },
    { hostId: "" },
  ];
  test.each(wrong)("%j is refused with option, value and range", (input) => {
    const [[name, value]] = Object.entries(input) as [[string, unknown]];
    expect(() => resolveOptions(input)).toThrow(
      expect.objectContaining({ code: "invalid_value", value, message: expect.stringContaining(name) }),
    );
  });

  test("a memory that is too small is a clear error", () => {
    expect(() => resolveOptions({ memoryBytes: 20_000_000 })).toThrow(
      expect.objectContaining({
        code: "memory_too_small",
        value: 20_000_000,
        message: expect.stringMatching(/20000000 bytes .* at least \d+/),
      }),
    );
  });
});

test("createHostId() gives 12 characters that differ", () => {
  const ids = new Set(Array.from({ length: 1_000 }, createHostId));
  expect(ids.size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^[a-z0-9]{12}$/);
});

test("createSecret() gives 128 bits that differ", () => {
  const secrets = new Set(Array.from({ length: 1_000 }, createSecret));
  expect(secrets.size).toBe(1_000);
  for (const secret of secrets) expect(secret).toMatch(/^[a-z0-9]{28,}$/);
});
