/**
 * Goal: conditions with a lease go when nobody keeps them, and begin anew where something depends on them.
 */
import { describe, expect, test } from "vitest";
import { contractFromJson } from "../../../host/contract/schema.ts";
import { contractsOver } from "../contract/support.ts";
import { createTestConditions } from "./support.ts";

describe("a lease", () => {
  test("ends after the last write, or the last time it was defined", () => {
    const { put, set, clock, conditions } = createTestConditions();
    put("x", { kind: "value", leaseMs: 100 });
    clock.advance(90);
    set({ x: 1 });
    clock.advance(90);
    put("x", { kind: "value", leaseMs: 100 });
    clock.advance(90);
    expect(conditions.read("x")).toMatchObject({ value: 1, holders: 0 });
    clock.advance(10);
    expect(conditions.get("x")).toBeUndefined();
  });

  test("is kept by every session that has set it, until the last of them is over", () => {
    const { put, clock, conditions } = createTestConditions();
    put("x", { kind: "counter", leaseMs: 100 });
    conditions.change([["x", { add: 1 }]], 1);
    conditions.change([["x", { add: 1 }]], 2);
    conditions.change([["x", { add: 1 }]], 2);
    expect(conditions.read("x")).toMatchObject({ value: 3, holders: 2 });
    clock.advance(1_000);
    conditions.release(1);
    clock.advance(1_000);
    expect(conditions.read("x").holders).toBe(1);
    conditions.release(2);
    conditions.release(2);
    clock.advance(99);
    expect(conditions.get("x")).toBeDefined();
    clock.advance(1);
    expect(conditions.get("x")).toBeUndefined();
  });

  test("has a condition begin anew where something depends on it, and go once nothing does", () => {
    const world = createTestConditions();
    const { put, value, clock, conditions } = world;
    put("x", { kind: "value", initial: 5, leaseMs: 100 });
    put("double", { kind: "expression", expression: "x * 2" });
    const contracts = contractsOver(world);
    contracts.put("c", contractFromJson({ regions: [{ name: "high", when: "x > 6" }, { name: "low" }] }, "c"));
    conditions.change([["x", { value: 7 }]], 1);
    expect([contracts.evaluate("c"), value("double")]).toEqual([["high"], 14]);
    conditions.release(1);
    clock.advance(100);
    contracts.run();
    expect([contracts.read("c").path, value("double")]).toEqual([["low"], 10]);
    conditions.remove("double");
    clock.advance(100);
    expect(conditions.get("x")).toBeDefined();
    expect(() => conditions.remove("x")).toThrow("contract c depends on it");
    contracts.remove("c");
    clock.advance(100);
    expect(conditions.get("x")).toBeUndefined();
  });

  test("is given up by a definition without one", () => {
    const { put, clock, conditions } = createTestConditions();
    put("x", { kind: "value", leaseMs: 100 });
    conditions.change([["x", { value: 1 }]], 1);
    put("x", { kind: "value" });
    conditions.release(1);
    clock.advance(1_000);
    expect(conditions.read("x").holders).toBeUndefined();
  });

  test("goes on in a new core, whose sessions are others", () => {
    const { put, clock, conditions, restart } = createTestConditions();
    put("x", { kind: "value", leaseMs: 100 });
    conditions.change([["x", { value: 1 }]], 1);
    restart();
    expect(conditions.read("x")).toMatchObject({ value: 1, holders: 0 });
    clock.advance(100);
    expect(conditions.count).toBe(0);
  });

  test.each([0, -1, 9, 1e12, "100", Number.NaN])("of %s ms is refused", (leaseMs) => {
    const { put, conditions } = createTestConditions();
    expect(() => put("x", { kind: "value", leaseMs })).toThrow("leaseMs");
    expect(conditions.count).toBe(0);
  });
});
