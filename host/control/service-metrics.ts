/** What a service counts, as metrics: `eventsTotal` becomes the counter `sluice_events_total`, `sessions` a gauge. */
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
