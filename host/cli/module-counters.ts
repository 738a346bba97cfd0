/** What a filter module did, in lines for people. */
import { figure } from "./style.ts";

/** The counters of a module as far as they are shown. */
export interface ModuleCountersLike {
  readonly calls: number;
  readonly events: number;
  readonly ns: number;
  readonly fuel: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly sinksIn: number;
  readonly sinksOut: number;
  readonly failed: number;
  readonly skipped: number;
  readonly throttled: number;
  readonly live: number;
  readonly memoryBytes: number;
}

/** Titles and values; none where nothing is counted. */
export function countersLines(counters: ModuleCountersLike | undefined): [string, string][] {
  if (counters === undefined) return [];
  const { calls, events, ns, fuel, faults, sinksIn, sinksOut, failed, skipped, throttled, live, memoryBytes } =
    counters;
  const each = (total: number): number => (events === 0 ? 0 : total / events);
  const causes = Object.entries(faults).filter(([, count]) => count > 0);
  const told = causes.map(([cause, count]) => `${figure(count)} ${cause}`).join(", ");
  const lines: [string, string][] = [
    ["events", `${figure(events)} in ${figure(calls)} calls`],
    ["sinks", `${figure(sinksIn)} candidates, ${figure(sinksOut)} chosen`],
    ["per event", `${figure(each(ns))} ns, ${figure(each(fuel))} fuel`],
    ["faults", told === "" ? "none" : told],
  ];
  const undecided = failed + skipped + throttled;
  if (undecided > 0)
    lines.push([
      "undecided",
      `${figure(undecided)} events: ${figure(failed)} it failed on, ${figure(skipped)} while let alone, ${figure(throttled)} over its budget`,
    ]);
  lines.push(["memory", `${figure(memoryBytes / 1_024)} KiB in ${figure(live)} instance${live === 1 ? "" : "s"}`]);
  return lines;
}
