/** What filter modules do, as metrics and as a resource: per name, because there are 64 of those and many more versions. */
import { z } from "@hono/zod-openapi";
import { noModuleCounters } from "../filter/module/counters.ts";
import { faultCauses } from "../filter/module/fault.ts";
import { type NameTotals, totalsByName } from "../filter/module/name-totals.ts";
import type { MetricSample, Metrics } from "../metrics.ts";
import type { ControlService } from "./service.ts";

/** Counters that are numbers, by their name, with what they count. */
const help = {
  calls: "Batches that filter modules were called with",
  events: "Events that filter modules were asked about",
  ns: "Nanoseconds that filter modules took",
  fuel: "Fuel that filter modules used",
  sinksIn: "Candidates of the events that filter modules were asked about",
  sinksOut: "Sinks that filter modules chose",
  failed: "Events that onError decided because a filter module failed on them",
  skipped: "Events that onError decided while a filter module was let alone after failing",
  throttled: "Events that onError decided because a filter module was over its budget",
  instances: "Instances of filter modules that were made",
  restored: "Instances of filter modules that began with the state of another",
  openings: "Times that a filter module was let alone after failing",
  logLines: "Lines that filter modules said",
  logDropped: "Lines of filter modules beyond their limits",
} as const;

/** Of what there is now. */
const gauges = {
  live: "Instances of filter modules",
  memoryBytes: "Bytes of memory of instances of filter modules",
} as const;

const count = z.number().min(0);
const described = (texts: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, count.openapi({ description: text })]));

/** What is counted of a filter module, as its resource shows it. */
export const moduleCountersSchema = z
  .object({
    ...described(help),
    ...described(gauges),
    faults: z.record(z.string(), count).openapi({ description: "How it failed, by cause" }),
    switches: count.openapi({ description: "Bindings that went over to another version" }),
    rollbacks: count.openapi({ description: "Versions that were taken back because they failed" }),
  })
  .meta({ id: "ModuleCounters" });

/** Registers them. What was uploaded and never bound has zeros. */
export function registerModuleMetrics(metrics: Metrics, service: Pick<ControlService, "filters" | "modules">): void {
  let snapshot: ReadonlyMap<string, NameTotals> = new Map();
  const samples = (read: (totals: NameTotals) => number) => (): MetricSample[] =>
    Array.from(snapshot, ([filter, totals]) => ({ labels: { filter }, value: read(totals) }));
  const [first, ...others] = Object.keys(help) as (keyof typeof help)[];
  const calls = samples(({ counters }) => counters[first as "calls"]);
  metrics.counter("module_calls_total", help.calls, () => {
    // The first of them reads all, so one text shows one moment.
    const none = { counters: noModuleCounters(), switches: 0, rollbacks: 0 };
    const uploaded = (service.filters?.list() ?? []).map(({ name }): [string, NameTotals] => [name, none]);
    snapshot = new Map([...uploaded, ...totalsByName(service.modules)]);
    return calls();
  });
  for (const name of others)
    metrics.counter(
      `module_${snakeFromCamel(name)}_total`,
      help[name],
      samples(({ counters }) => counters[name]),
    );
  metrics.counter("module_faults_total", "Failures of filter modules", () =>
    Array.from(snapshot, ([filter, { counters }]) =>
      faultCauses.map((cause) => ({ labels: { filter, cause }, value: counters.faults[cause] })),
    ).flat(),
  );
  metrics.counter(
    "module_switches_total",
    "Bindings that went over to another version",
    samples((one) => one.switches),
  );
  metrics.counter(
    "module_rollbacks_total",
    "Versions taken back because they failed",
    samples((one) => one.rollbacks),
  );
  for (const [name, text] of Object.entries(gauges))
    metrics.gauge(
      `module_${snakeFromCamel(name)}`,
      text,
      samples(({ counters }) => counters[name as keyof typeof gauges]),
    );
}

/** eventsTotal as events_total. */
export function snakeFromCamel(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
