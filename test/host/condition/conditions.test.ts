/**
 * Goal: each kind of condition tells what it says it tells, and a change is whole or not at all.
 */
import { describe, expect, test } from "vitest";
import { createTestConditions } from "./support.ts";

describe("value", () => {
  test("holds what is written, of one type", () => {
    const { put, value, set } = createTestConditions();
    put("on", { kind: "value", type: "boolean" });
    put("x", { kind: "value" });
    put("mode", { kind: "value", initial: "eco" });
    expect([value("on"), value("x"), value("mode")]).toEqual([false, 0, "eco"]);
    set({ on: true, x: 1.5, mode: "naïve" });
    expect([value("on"), value("x"), value("mode")]).toEqual([true, 1.5, "naïve"]);
    expect(() => set({ x: 2, mode: 1 })).toThrow(/it must be a string/);
    // All of them or none.
    expect(value("x")).toBe(1.5);
    expect(() => put("y", { kind: "value", type: "number", initial: "1" })).toThrow(/it must be a number/);
  });

  test("keeps its value where it is defined so already, and begins anew where it is not", () => {
    const { put, value, set } = createTestConditions();
    expect(put("x", { kind: "value", initial: 1 })).toBe(true);
    set({ x: 2 });
    expect(put("x", { kind: "value", initial: 1 })).toBe(false);
    expect(value("x")).toBe(2);
    put("x", { kind: "value", initial: 3 });
    expect(value("x")).toBe(3);
  });
});

describe("kinds that are added to", () => {
  test("counter counts, and is set", () => {
    const { put, value, set, add } = createTestConditions();
    put("n", { kind: "counter", initial: -2 });
    add("n", 1);
    add("n", 2.5);
    expect(value("n")).toBe(1.5);
    set({ n: 0 });
    expect(value("n")).toBe(0);
  });

  test("window forgets what is older than it, as often as it looks", () => {
    const { put, value, add, clock } = createTestConditions();
    put("w", { kind: "window", windowMs: 1000, agilityMs: 100 });
    add("w", 1);
    clock.advance(550);
    add("w", 2);
    expect(value("w")).toBe(3);
    clock.advance(450);
    // Just as old as the window is long: still in it.
    expect(value("w")).toBe(3);
    clock.advance(100);
    expect(value("w")).toBe(2);
    clock.advance(449);
    expect(value("w")).toBe(2);
    clock.advance(101);
    expect(value("w")).toBe(0);
  });

  test("window keeps few entries, however much comes", () => {
    const { put, value, add, clock } = createTestConditions();
    put("w", { kind: "window", windowMs: 10_240, agilityMs: 100 });
    for (let i = 0; i < 20_480; i++) {
      add("w", 1);
      clock.advance(1);
    }
    expect(value("w")).toBeGreaterThan(10_100);
    expect(value("w")).toBeLessThan(10_400);
  });

  test("rate is per second", () => {
    const { put, value, add, clock } = createTestConditions();
    put("r", { kind: "rate", windowMs: 2000 });
    add("r", 5);
    expect(value("r")).toBe(2.5);
    clock.advance(2200);
    expect(value("r")).toBe(0);
  });

  test("average moves towards its samples, the more so the longer the last is ago", () => {
    const { put, value, add, clock } = createTestConditions();
    put("a", { kind: "average", tauMs: 1000 });
    expect(value("a")).toBeUndefined();
    add("a", 10);
    expect(value("a")).toBe(10);
    clock.advance(1000);
    add("a", 20);
    expect(value("a")).toBeCloseTo(20 - 10 / Math.E, 9);
  });

  test("timer says how long ago the last one was", () => {
    const { put, value, add, clock } = createTestConditions();
    put("t", { kind: "timer", agilityMs: 50 });
    clock.advance(120);
    expect(value("t")).toBe(100);
    add("t", 1);
    expect(value("t")).toBe(0);
    clock.advance(30);
    expect(value("t")).toBe(30);
  });

  test("nobody sets them, and nobody adds to others", () => {
    const { put, set, add } = createTestConditions();
    put("r", { kind: "rate" });
    put("v", { kind: "value" });
    expect(() => set({ r: 1 })).toThrow('Cannot set "r", a condition of kind "rate"');
    expect(() => add("v", 1)).toThrow('Cannot add to "v", a condition of kind "value"');
    expect(() => set({ other: 1 })).toThrow('There is no condition "other"');
  });
});

test("expiring goes back to its initial value, counted from the last write", () => {
  const { put, value, set, clock } = createTestConditions();
  put("e", { kind: "expiring", initial: "calm", ms: 100 });
  set({ e: "alarm" });
  clock.advance(60);
  set({ e: "alarm" });
  clock.advance(60);
  expect(value("e")).toBe("alarm");
  clock.advance(40);
  expect(value("e")).toBe("calm");
});

describe("what is sampled", () => {
  test("host is looked at only while somebody wants to know", () => {
    const world = createTestConditions();
    const { put, value, sample, conditions } = world;
    put("cpu", { kind: "host", metric: "cpu" });
    put("sockets", { kind: "host", metric: "sockets" });
    expect([value("cpu"), world.isSampling]).toEqual([undefined, true]);
    sample({ cpu: 0.5, memory: 0.25, loop_lag_ms: 2 });
    expect([value("cpu"), value("sockets")]).toEqual([0.5, 3]);
    conditions.remove("cpu");
    put("sockets", { kind: "host", metric: "loopLag" });
    sample({ cpu: 0.5, memory: 0.25, loop_lag_ms: 2 });
    expect([value("sockets"), world.isSampling]).toEqual([2, true]);
    conditions.remove("sockets");
    expect(world.isSampling).toBe(false);
  });

  test("channel and members have no value while there is no such channel", () => {
    const { put, value, channels, clock } = createTestConditions();
    put("rate", { kind: "channel", channel: "c", metric: "rate" });
    put("dropped", { kind: "channel", channel: "c", metric: "dropped" });
    put("sinks", { kind: "members", channel: "c" });
    expect([value("rate"), value("dropped"), value("sinks")]).toEqual([undefined, undefined, undefined]);
    channels.set("c", { sinks: 2, events: 100, dropped: 7 });
    clock.advance(1000);
    expect([value("rate"), value("dropped"), value("sinks")]).toEqual([0, 7, 2]);
    channels.set("c", { sinks: 2, events: 150, dropped: 7 });
    clock.advance(1000);
    expect(value("rate")).toBe(50);
    // Another channel of that name begins anew.
    channels.set("c", { sinks: 0, events: 3, dropped: 0 });
    clock.advance(1000);
    expect(value("rate")).toBe(0);
    channels.delete("c");
    clock.advance(1000);
    expect([value("rate"), value("sinks")]).toEqual([undefined, undefined]);
  });
});

describe("expression", () => {
  test("follows from others, through several levels", () => {
    const { put, value, set } = createTestConditions();
    put("a", { kind: "value", initial: 1 });
    put("web.latency", { kind: "value", initial: 3 });
    put("sum", { kind: "expression", expression: "a + latency", use: { latency: "web.latency" } });
    put("half", { kind: "expression", expression: "sum / 2" });
    put("high", { kind: "expression", expression: "half >= 2.0 AND a > 0" });
    put("word", { kind: "expression", expression: "CONCAT('n', LEFT(STRING(half), 1))" });
    expect([value("sum"), value("half"), value("high")]).toEqual([4, 2, true]);
    expect(value("word")).toBe("n2");
    set({ a: 0, "web.latency": 1 });
    expect([value("sum"), value("half"), value("high"), value("word")]).toEqual([1, 0.5, false, "n0"]);
  });

  test("is without a value where that cannot be said", () => {
    const { put, value } = createTestConditions();
    put("a", { kind: "value" });
    put("never", { kind: "average" });
    put("quotient", { kind: "expression", expression: "1.5 / a" });
    put("more", { kind: "expression", expression: "never + 1" });
    expect([value("quotient"), value("more")]).toEqual([undefined, undefined]);
  });

  test("that is replaced is followed by what follows from it", () => {
    const { put, value, set } = createTestConditions();
    put("a", { kind: "value", initial: 1 });
    put("b", { kind: "value", initial: 2 });
    put("x", { kind: "expression", expression: "a" });
    put("y", { kind: "expression", expression: "x * 10" });
    put("deep", { kind: "expression", expression: "b + 1" });
    put("x", { kind: "expression", expression: "deep + a" });
    expect(value("y")).toBe(40);
    set({ b: 3 });
    expect(value("y")).toBe(50);
    put("x", { kind: "value", initial: 7 });
    expect(value("y")).toBe(70);
  });

  test("may not follow from itself, from what is not there, or be in use when it goes", () => {
    const { put, value, conditions } = createTestConditions();
    put("a", { kind: "value", initial: 1 });
    put("x", { kind: "expression", expression: "a" });
    put("y", { kind: "expression", expression: "x" });
    expect(() => put("x", { kind: "expression", expression: "y" })).toThrow(/follows from it itself/);
    expect(() => put("z", { kind: "expression", expression: "z + 1" })).toThrow(/follows from it itself/);
    expect(() => put("z", { kind: "expression", expression: "a +\n nothing" })).toThrow(
      'line 2, column 2: there is no condition "nothing"',
    );
    expect(() => put("z", { kind: "expression", expression: "sink.a" })).toThrow(/expected a condition/);
    expect(() => put("z", { kind: "expression", expression: "a +" })).toThrow(/line 1, column 4/);
    expect(() => conditions.remove("a")).toThrow('Cannot remove "a", x depends on it');
    expect(value("x")).toBe(1);
    conditions.remove("y");
    conditions.remove("x");
    expect(conditions.remove("a")).toBe(true);
    expect(conditions.count).toBe(0);
  });

  test("stands at most 16 above one another, and what was there stays", () => {
    const { put, value } = createTestConditions();
    put("c0", { kind: "value", initial: 1 });
    for (let i = 1; i <= 16; i++) put(`c${i}`, { kind: "expression", expression: `c${i - 1} + 1` });
    expect(value("c16")).toBe(17);
    expect(() => put("c17", { kind: "expression", expression: "c16" })).toThrow(/more than 16/);
    expect(() => put("c1", { kind: "expression", expression: "c0 + x" })).toThrow(/no condition "x"/);
    put("x", { kind: "value", initial: 100 });
    put("deep", { kind: "expression", expression: "x" });
    expect(() => put("c1", { kind: "expression", expression: "deep" })).toThrow(/more than 16/);
    expect([value("c1"), value("c16")]).toEqual([2, 17]);
  });
});

test("a new core has all of them, with their values", () => {
  const { put, value, set, restart, clock } = createTestConditions();
  put("x", { kind: "value" });
  put("y", { kind: "expression", expression: "x + 1" });
  put("t", { kind: "timer" });
  set({ x: 4 });
  restart();
  expect([value("x"), value("y")]).toEqual([4, 5]);
  set({ x: 5 });
  clock.advance(200);
  expect([value("y"), value("t")]).toEqual([6, 200]);
});
