/** What a service counts, as metrics: `eventsTotal` becomes the counter `sluice_events_total`, `sessions` a gauge. */
import { HISTOGRAM_DEPTH, HISTOGRAM_LATENESS, HISTOGRAM_WAIT } from "../../core-wasm/mailbox/abi.ts";
import { counterNames, noCounters, type RouteCounters } from "../filter/bound.ts";
import { type Stage, stages } from "../filter/schema.ts";
import type { Metrics } from "../metrics.ts";
import { histogramBounds, QUARTERS_PER_MS } from "../session/history.ts";
import { snakeFromCamel } from "./module-metrics.ts";
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

const MS_PER_SECOND = 1_000;

/** Registers the histograms of what leaves inboxes. The core keeps them, since the start of it. */
export function registerInboxMetrics(metrics: Metrics, { inboxes }: Pick<ControlService, "inboxes">): void {
  const add = (name: string, help: string, histogram: number, unit: number): void => {
    const bounds = histogramBounds.map((bound) => bound * unit);
    metrics.histogramOf(name, help, bounds, () => {
      const counted = inboxes.histogram(histogram);
      return counted && { counts: counted.counts, sum: counted.sum * unit };
    });
  };
  const seconds = 1 / QUARTERS_PER_MS / MS_PER_SECOND;
  add("inbox_wait_seconds", "How long delivered events had waited in their inbox", HISTOGRAM_WAIT, seconds);
  add("inbox_depth_events", "Events that an inbox had when it was drained", HISTOGRAM_DEPTH, 1);
  add("deadline_lateness_seconds", "How late events were whose deadline was missed", HISTOGRAM_LATENESS, seconds);
}
