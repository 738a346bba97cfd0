/** What a service counts, as metrics: `eventsTotal` becomes the counter `sluice_events_total`, `sessions` a gauge. */
import { counterNames, noCounters, type RouteCounters } from "../filter/bound.ts";
import { type Stage, stages } from "../filter/schema.ts";
import type { Metrics } from "../metrics.ts";
import type { ControlService } from "./service.ts";

/** Registers every statistic of the service under its name in snake case. */
export function registerServiceMetrics(metrics: Metrics, service: Pick<ControlService, "statistics">): void {
  const names = Object.keys(service.statistics());
  let snapshot: Readonly<Record<string, number>> = {};
  names.forEach((name, index) => {
    const read = () => {
      // The first of them is read first, so one text shows one moment and asks the core once.
      if (index === 0) snapshot = service.statistics();
      return snapshot[name] ?? Number.NaN;
    };
    const metric = snakeFromCamel(name);
    if (name.endsWith("Total"))
      metrics.counter(metric, `Statistic ${name}, since the start of the host or of its core`, read);
    else metrics.gauge(metric, `Statistic ${name}, at this moment`, read);
  });
}

function snakeFromCamel(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const filterHelp: { readonly [Name in keyof RouteCounters]: string } = {
  events: "Events that routes of channels decided",
  sinks: "Sinks that routes of channels selected",
  nobody: "Events that routes of channels selected nobody for",
  duplicates: "Events whose key a unique route had seen",
  evicted: "Keys that routes forgot for want of room",
  unanswered: "Responses to what nobody is known to have asked",
  keys: "Keys that routes remember now",
};

/** Registers what the filters of all channels count, by stage: there are two of those, and a hundred thousand channels. */
export function registerFilterMetrics(metrics: Metrics, { channels }: Pick<ControlService, "channels">): void {
  const { filterTotals } = channels;
  const samples = (read: (stage: Stage) => number) => () =>
    stages.map((stage) => ({ labels: { stage }, value: read(stage) }));
  const help = "Filters that are bound to channels";
  metrics.gauge(
    "filters",
    help,
    samples((stage) => filterTotals.count(stage)),
  );
  let snapshot: { readonly [Name in Stage]: RouteCounters } = { in: noCounters, out: noCounters };
  counterNames.forEach((name, index) => {
    const read = () => {
      // As above: the first of them reads all.
      if (index === 0) snapshot = { in: filterTotals.read("in"), out: filterTotals.read("out") };
      return stages.map((stage) => ({ labels: { stage }, value: snapshot[stage][name] }));
    };
    if (name === "keys") metrics.gauge("filter_keys", filterHelp[name], read);
    else metrics.counter(`filter_${name}_total`, filterHelp[name], read);
  });
}
