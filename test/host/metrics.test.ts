import { describe, expect, test } from "vitest";
import { createMetrics } from "../../host/metrics.ts";

describe("createMetrics()", () => {
  test("writes counters, gauges and labels in the text format of Prometheus", () => {
    const metrics = createMetrics();
    metrics.counter("events_total", "Events taken", () => 3);
    metrics.gauge("load", "Load", () => [
      { labels: { core: "0" }, value: 0.5 },
      { labels: { core: "1", zone: "eu" }, value: Number.POSITIVE_INFINITY },
    ]);
    expect(metrics.text()).toBe(
      [
        "# HELP sluice_events_total Events taken",
        "# TYPE sluice_events_total counter",
        "sluice_events_total 3",
        "# HELP sluice_load Load",
        "# TYPE sluice_load gauge",
        'sluice_load{core="0"} 0.5',
        'sluice_load{core="1",zone="eu"} +Inf',
        "",
      ].join("\n"),
    );
  });

  test("escapes help and label values", () => {
    const metrics = createMetrics();
    metrics.gauge("a", 'back\\slash\nbreak "quote"', () => [{ labels: { name: 'x"\\\ny' }, value: 1 }]);
    expect(metrics.text()).toContain('# HELP sluice_a back\\\\slash\\nbreak "quote"\n');
    expect(metrics.text()).toContain('sluice_a{name="x\\"\\\\\\ny"} 1');
  });

  test("counts observations into cumulative buckets", () => {
    const metrics = createMetrics();
    const wait = metrics.histogram("wait_seconds", "Waits", [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 2, Number.NaN]) wait.observe(value);
    expect(metrics.text().split("\n").slice(2)).toEqual([
      'sluice_wait_seconds_bucket{le="0.1"} 2',
      'sluice_wait_seconds_bucket{le="1"} 3',
      'sluice_wait_seconds_bucket{le="+Inf"} 4',
      "sluice_wait_seconds_sum 2.65",
      "sluice_wait_seconds_count 4",
      "",
    ]);
  });

  test("reads when asked and not before", () => {
    const metrics = createMetrics();
    let reads = 0;
    metrics.gauge("reads", "Reads", () => ++reads);
    expect(reads).toBe(0);
    expect(metrics.text()).toContain("sluice_reads 1\n");
    expect(metrics.text()).toContain("sluice_reads 2\n");
  });

  test("leaves out what cannot be read, and keeps the rest", () => {
    const metrics = createMetrics();
    metrics.gauge("broken", "Broken", () => {
      throw new Error("gone");
    });
    metrics.gauge("whole", "Whole", () => 1);
    expect(metrics.text()).not.toContain("broken");
    expect(metrics.text()).toContain("sluice_whole 1\n");
  });

  test("refuses bad names, names that are taken, counters without _total and bounds that do not ascend", () => {
    const metrics = createMetrics();
    metrics.gauge("a", "A", () => 1);
    expect(() => metrics.gauge("a", "A", () => 1)).toThrow('"a" twice');
    expect(() => metrics.gauge("A-b", "A", () => 1)).toThrow('"A-b"');
    expect(() => metrics.counter("events", "A", () => 1)).toThrow('"events" without _total');
    expect(() => metrics.histogram("h", "H", [1, 1])).toThrow(RangeError);
    expect(() => metrics.histogram("h", "H", [Number.NaN])).toThrow(RangeError);
  });

  test("is empty where nothing is registered", () => {
    expect(createMetrics().text()).toBe("");
  });
});
