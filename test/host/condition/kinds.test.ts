/**
 * Goal: durations, quantiles, counters that are booleans, the time, and values that expire by calls tell what they say they tell,
 * and refuse what they cannot take.
 */
import { describe, expect, test } from "vitest";
import { createTestConditions } from "./support.ts";

describe("duration", () => {
  test("is that of the last call, between start and stop", () => {
    const { put, value, set, clock } = createTestConditions();
    put("call", { kind: "duration" });
    expect(value("call")).toBeUndefined();
    set({ call: "start" });
    clock.advance(35);
    expect(value("call")).toBeUndefined();
    set({ call: "stop" });
    expect(value("call")).toBe(35);
    set({ call: "start" });
    clock.advance(10);
    // A call that never came back does not count.
    set({ call: "start" });
    clock.advance(5);
    expect(value("call")).toBe(35);
    set({ call: "stop" });
    expect(value("call")).toBe(5);
  });

  test("is written by those who measure themselves", () => {
    const { put, value, set, add } = createTestConditions();
    put("call", { kind: "duration" });
    set({ call: 12.5 });
    expect(value("call")).toBe(12.5);
    expect(() => set({ call: "stop" })).toThrow("no call was started");
    for (const wrong of ["begin", true, -1])
      expect(() => set({ call: wrong })).toThrow('"start", "stop" or milliseconds');
    expect(() => add("call", 1)).toThrow('Cannot add to "call"');
    expect(value("call")).toBe(12.5);
  });
});

describe("quantile", () => {
  test("is that of the samples in the window, and of none without a value", () => {
    const { put, value, add, set, clock } = createTestConditions();
    put("p50", { kind: "quantile", q: 0.5, windowMs: 1_000, agilityMs: 100 });
    put("p99", { kind: "quantile" });
    expect([value("p50"), value("p99")]).toEqual([undefined, undefined]);
    for (let i = 1; i <= 100; i++) for (const name of ["p50", "p99"]) add(name, i);
    expect([value("p50"), value("p99")]).toEqual([50, 99]);
    clock.advance(1_100);
    expect([value("p50"), value("p99")]).toEqual([undefined, 99]);
    expect(() => set({ p50: 1 })).toThrow('Cannot set "p50"');
  });
});

test("a counter of type boolean is true once it has come to 0", () => {
  const { put, value, set, add } = createTestConditions();
  put("warm", { kind: "counter", type: "boolean", initial: -3 });
  const seen = [value("warm")];
  for (let i = 0; i < 3; i++) {
    add("warm", 1);
    seen.push(value("warm"));
  }
  expect(seen).toEqual([false, false, false, true]);
  set({ warm: -1 });
  expect(value("warm")).toBe(false);
  expect(() => set({ warm: true })).toThrow("it must be a number");
});

test("time is that of the service clock", () => {
  const { put, value, clock } = createTestConditions();
  put("now", { kind: "time", agilityMs: 100 });
  const first = value("now") as number;
  clock.advance(250);
  expect(value("now")).toBe(first + 200);
});

test("timer is set back", () => {
  const { put, value, set, clock } = createTestConditions();
  put("t", { kind: "timer", agilityMs: 50 });
  clock.advance(100);
  set({ t: 0 });
  expect(value("t")).toBe(0);
  clock.advance(50);
  set({ t: 1_000 });
  clock.advance(50);
  expect(value("t")).toBe(1_050);
  expect(() => set({ t: -1 })).toThrow("it must be milliseconds");
});

test("expiring by calls goes back after as many, counted from the last write", () => {
  const { put, value, set, add } = createTestConditions();
  put("mode", { kind: "expiring", initial: "full", calls: 2 });
  add("mode", 1);
  set({ mode: "eco" });
  add("mode", 1);
  set({ mode: "eco" });
  add("mode", 1);
  expect(value("mode")).toBe("eco");
  add("mode", 1);
  expect(value("mode")).toBe("full");
  expect(() => put("both", { kind: "expiring", ms: 1, calls: 1 })).toThrow("one of ms and calls");
  expect(() => put("none", { kind: "expiring" })).toThrow("one of ms and calls");
});

describe("what is measured", () => {
  const figures = { id: "i1", events: 3, bytes: 90, unacknowledged: 2, missed: 4, waits: [0, 10] };

  test("an inbox, while there is one", () => {
    const { put, value, inboxes, clock } = createTestConditions();
    const metrics = ["depth", "bytes", "unacknowledged", "missed", "waitP99"];
    for (const metric of metrics) put(metric.toLowerCase(), { kind: "inbox", inbox: "i1", metric });
    const seen = () => metrics.map((metric) => value(metric.toLowerCase()));
    expect(seen()).toEqual([undefined, undefined, undefined, undefined, undefined]);
    inboxes.set("i1", figures);
    clock.advance(1_000);
    expect(seen().slice(0, 4)).toEqual([3, 90, 2, 4]);
    const first = value("waitp99") as number;
    expect(first).toBeGreaterThan(0);
    // Nothing was delivered, and something waits: it is as it was.
    clock.advance(1_000);
    expect(value("waitp99")).toBe(first);
    inboxes.set("i1", { ...figures, waits: [0, 10, 0, 0, 0, 0, 5] });
    clock.advance(1_000);
    expect(value("waitp99")).toBeGreaterThan(first);
    inboxes.set("i1", { ...figures, events: 0, waits: [0, 10, 0, 0, 0, 0, 5] });
    clock.advance(1_000);
    expect(value("waitp99")).toBe(0);
    inboxes.delete("i1");
    clock.advance(1_000);
    expect(seen()).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  test("a channel, by the inboxes of its sinks together", () => {
    const { put, value, inboxes, channels, clock } = createTestConditions();
    for (const metric of ["depth", "missed"]) put(metric, { kind: "channel", channel: "c", metric });
    put("wait", { kind: "channel", channel: "c", metric: "waitP99" });
    inboxes.set("i1", figures);
    inboxes.set("i2", { ...figures, id: "i2" });
    clock.advance(1_000);
    expect([value("depth"), value("missed"), value("wait")]).toEqual([undefined, undefined, undefined]);
    channels.set("c", { sinks: 2, events: 1, dropped: 0 });
    clock.advance(1_000);
    expect([value("depth"), value("missed")]).toEqual([6, 8]);
    expect(value("wait")).toBeGreaterThan(0);
  });

  test("a filter module: its failures, and what an event costs", () => {
    const { put, value, filters, clock } = createTestConditions();
    put("traps", { kind: "filter", filter: "f", metric: "traps", pollMs: 100 });
    put("time", { kind: "filter", filter: "f", metric: "timeUs", pollMs: 100 });
    const seen = () => [value("traps"), value("time")];
    expect(seen()).toEqual([undefined, undefined]);
    filters.set("f", { faults: 1, events: 10, us: 50 });
    clock.advance(100);
    expect(seen()).toEqual([1, undefined]);
    filters.set("f", { faults: 2, events: 20, us: 80 });
    clock.advance(100);
    expect(seen()).toEqual([2, 3]);
    clock.advance(100);
    expect(seen()).toEqual([2, 3]);
  });
});

describe("what cannot be", () => {
  test.each([
    [{ kind: "quantile", q: 1.01 }, "q"],
    [{ kind: "quantile", q: -0.1 }, "q"],
    [{ kind: "quantile", q: "0.5" }, "q"],
    [{ kind: "quantile", q: Number.NaN }, "q"],
    [{ kind: "quantile", windowMs: 0 }, "windowMs"],
    [{ kind: "quantile", windowMs: 1e12 }, "windowMs"],
    [{ kind: "window", windowMs: 0 }, "windowMs"],
    [{ kind: "rate", windowMs: -5 }, "windowMs"],
    [{ kind: "average", tauMs: 0 }, "tauMs"],
    [{ kind: "timer", agilityMs: 0 }, "agilityMs"],
    [{ kind: "counter", initial: Number.POSITIVE_INFINITY }, "initial"],
    [{ kind: "counter", type: "string" }, "type"],
    [{ kind: "expiring", ms: 0 }, "ms"],
    [{ kind: "expiring", calls: 1.5 }, "calls"],
    [{ kind: "expiring", calls: 1e18 }, "calls"],
    [{ kind: "duration", unit: "s" }, "unit"],
    [{ kind: "channel", channel: "c", metric: "speed" }, "metric"],
    [{ kind: "inbox", inbox: "", metric: "depth" }, "inbox"],
    [{ kind: "inbox", inbox: "i", metric: "depth", pollMs: 0 }, "pollMs"],
    [{ kind: "filter", filter: "No Name", metric: "traps" }, "filter"],
  ])("%o is refused by its field", (definition, field) => {
    const { put, conditions } = createTestConditions();
    expect(() => put("x", definition)).toThrow(field);
    expect(conditions.count).toBe(0);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%d is nowhere taken", (wrong) => {
    const { put, value, set, add } = createTestConditions();
    put("v", { kind: "value" });
    put("d", { kind: "duration" });
    for (const kind of ["counter", "window", "rate", "average", "quantile", "timer"]) {
      put(kind, { kind });
      const before = value(kind);
      expect(() => add(kind, wrong)).toThrow(`Cannot take ${wrong} for "${kind}"`);
      expect(value(kind)).toBe(before);
    }
    expect(() => set({ v: wrong })).toThrow(`Cannot take ${wrong} for "v"`);
    expect(() => set({ d: wrong })).toThrow(`Cannot take ${wrong} for "d"`);
  });

  test("no sum becomes infinite", () => {
    const { put, value, set, add } = createTestConditions();
    put("n", { kind: "counter" });
    set({ n: Number.MAX_VALUE });
    add("n", Number.MAX_SAFE_INTEGER);
    expect(value("n")).toBe(Number.MAX_VALUE);
    expect(() => add("n", Number.MAX_VALUE)).toThrow("within ±9007199254740991");
  });
});
