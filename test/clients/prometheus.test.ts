/**
 * Goal: `/metrics` is what a Prometheus server reads. Method: a parser that was ported from Prometheus' own client reads a
 * real host's answer after real traffic; the names follow https://prometheus.io/docs/practices/naming/.
 */
import parsePrometheusTextFormat from "parse-prometheus-text-format";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly { readonly value?: string; readonly labels?: Readonly<Record<string, string>> }[];
}

let host: RunningHost;
let families: readonly Family[];
let text: string;
beforeAll(async () => {
  host = await startHost();
  const post = (body: unknown) =>
    fetch(`${host.url}/v1/channels/measured/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  await post([{ type: "a" }, { type: "b" }, { type: "c" }]);
  await post({ typ: "a" });
  const answer = await fetch(`${host.url}/metrics`);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  text = await answer.text();
  families = parsePrometheusTextFormat(text) as readonly Family[];
});
afterAll(() => stopHost(host));

const sampleOf = (name: string): number => Number(families.find((family) => family.name === name)?.metrics[0]?.value);

describe("a foreign Prometheus parser", () => {
  test("reads every line: nothing is left over, nothing comes twice", () => {
    const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const parsed = families.filter(({ type }) => type !== "HISTOGRAM").flatMap(({ metrics }) => metrics);
    expect(parsed).toHaveLength(samples.filter((line) => !/_(bucket|sum|count)[ {]/.test(line)).length);
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
    expect(families.length).toBeGreaterThan(20);
    expect(text.endsWith("\n")).toBe(true);
  });

  test("finds a type and a help text with every family, and names as they should be", () => {
    for (const { name, help, type } of families) {
      expect(["COUNTER", "GAUGE", "HISTOGRAM"], name).toContain(type);
      expect(help, name).toMatch(/^[A-Z].{8,}[^.]$/);
      expect(name).toMatch(/^sluice_[a-z][a-z0-9_]*$/);
      expect(name.endsWith("_total"), name).toBe(type === "COUNTER");
      // Base units only.
      expect(name).not.toMatch(/_(ms|milliseconds|us|kib|mib|kilobytes|megabytes|percent)(_|$)/);
    }
  });

  test("reads the values", () => {
    expect(sampleOf("sluice_events_total")).toBe(3);
    expect(sampleOf("sluice_channels")).toBe(1);
    expect(sampleOf("sluice_sessions")).toBe(0);
    expect(sampleOf("sluice_resident_bytes")).toBeGreaterThan(2 ** 20);
    const answers = families.find(({ name }) => name === "sluice_http_answers_total");
    expect(answers?.metrics).toContainEqual({ value: "1", labels: { status: "400" } });
    for (const { metrics } of families) for (const { value = "0" } of metrics) expect(Number(value)).not.toBeNaN();
  });
});
