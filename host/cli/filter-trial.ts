/**
 * `sluice filter test`: a module in a host of its own, with real sinks and the real core but no sockets, so that what is seen here is
 * what a host would do. Time stands still but for what `afterMs` says.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { definitionFromJson } from "../channel/definition.ts";
import { createClocks, createManualClock } from "../clock.ts";
import { admit } from "../filter/registry/admit.ts";
import { createAdmitter } from "../filter/registry/admitter.ts";
import { FilterRegistry, type FilterStore } from "../filter/registry/registry.ts";
import { createLog } from "../log.ts";
import { loadCore } from "../runtime/node/module.ts";
import { createService, type Service } from "../service.ts";
import type { AttributeValue } from "../session/subscription.ts";
import { eventFromJson } from "../socket/json/codec.ts";
import { CliError } from "./failure.ts";
import { filterAt, jsonOf } from "./filter-folder.ts";
import { figure, printable } from "./style.ts";
import { linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const CHANNEL = "trial";
const SINKS_MAX = 4_096;
const EVENTS_MAX = 10_000;
/** Of one `afterMs`: a module cannot set any, so these are the host's own. */
const TIMERS_MAX = 100_000;

/** One event of events.json. */
interface Trial {
  /** As it would be published. */
  readonly event: Readonly<Record<string, unknown>>;
  /** Names of sinks; absent: whatever comes is right. */
  readonly expect?: readonly string[];
  /** How long after the one before it comes. */
  readonly afterMs?: number;
}

/** A sink of events.json. */
interface TrialSink {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** What events.json says. */
interface Trials {
  readonly sinks: readonly TrialSink[];
  readonly config: Readonly<Record<string, unknown>> | undefined;
  readonly events: readonly Trial[];
}

/** What became of one event. */
interface Outcome {
  readonly got: readonly string[];
  readonly fuel: number;
  readonly said: readonly string[];
  /** Why the module did not decide it; `onError` did then. */
  readonly failed?: string;
  /** Undefined where nothing was expected, and the module did not fail. */
  readonly isRight: boolean | undefined;
}

/** Tries a module. Returns whether all expectations were met and nothing failed. */
export async function filterTest(
  path: string,
  options: { readonly events?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<boolean> {
  const { bytes } = await filterAt(path);
  const file = options.events ?? eventsBeside(path);
  const trials = trialsFrom(file);
  const outcomes = await runTrials(bytes, trials);
  if (options.json === true) {
    for (const outcome of outcomes) terminal.print(JSON.stringify(outcome));
  } else {
    print(trials, outcomes, terminal);
  }
  return outcomes.every(({ isRight }) => isRight !== false);
}

function eventsBeside(path: string): string {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  // A module lies in build/, and what it is tried with beside its source.
  const places = [folder, dirname(folder)].map((one) => join(one, "events.json"));
  return places.find((one) => existsSync(one)) ?? join(folder, "events.json");
}

/** Reads sinks and events. @throws {CliError} naming what is wrong. */
function trialsFrom(file: string): Trials {
  if (!existsSync(file)) throw new CliError(`there is no ${file}; say which sinks and events to try with --events`);
  const { sinks, events, config, ...rest } = jsonOf(file);
  const [other] = Object.keys(rest);
  if (other !== undefined) throw new CliError(`${file}: "${other}" is not known; there are sinks, events and config`);
  if (!Array.isArray(sinks) || sinks.length > SINKS_MAX)
    throw new CliError(`${file}: "sinks" must be a list of at most ${SINKS_MAX}`);
  if (!Array.isArray(events) || events.length > EVENTS_MAX)
    throw new CliError(`${file}: "events" must be a list of at most ${EVENTS_MAX}`);
  for (const [index, sink] of sinks.entries())
    if (typeof sink?.name !== "string") throw new CliError(`${file}: sinks[${index}] has no name`);
  for (const [index, one] of events.entries()) assertTrial(`${file}: events[${index}]`, one, sinks);
  return { sinks, events, config: config as Trials["config"] };
}

function assertTrial(where: string, trial: Partial<Trial> | null, sinks: readonly TrialSink[]): void {
  if (typeof trial?.event !== "object" || trial.event === null) throw new CliError(`${where} has no event`);
  const { expect, afterMs } = trial;
  if (afterMs !== undefined && !(Number.isFinite(afterMs) && afterMs >= 0))
    throw new CliError(`${where}.afterMs is ${JSON.stringify(afterMs)}, it must be a number from 0 on`);
  if (expect === undefined) return;
  if (!Array.isArray(expect)) throw new CliError(`${where}.expect must be a list of names of sinks`);
  const unknown = expect.find((name) => !sinks.some((sink) => sink.name === name));
  if (unknown !== undefined) throw new CliError(`${where}.expect names ${JSON.stringify(unknown)}, which is no sink`);
}

/** Sends every event through the module, one at a time. @throws {SluiceError} where the module is refused. */
async function runTrials(bytes: Uint8Array, { sinks, events, config }: Trials): Promise<Outcome[]> {
  const { real } = createClocks();
  const clock = createManualClock(real.now());
  const filters = new FilterRegistry({
    admit: createAdmitter(
      (onAnswer) => ({ post: (request) => void admit(request).then(onAnswer), terminate: () => {} }),
      real,
    ),
    store: unkept,
    now: () => real.now(),
  });
  const { version } = await filters.put(CHANNEL, bytes);
  const warnings: string[] = [];
  const service = createService({
    module: await loadCore(),
    clocks: { real, service: clock },
    log: createLog({ level: "warn", sink: (line) => warnings.push(line), now: () => real.now() }),
    filters,
  });
  try {
    const binding = { module: CHANNEL, ...(config === undefined ? {} : { config }) };
    const { hooks } = version.spec.manifest;
    service.channels.put(
      CHANNEL,
      definitionFromJson({ filters: Object.fromEntries(hooks.map((hook) => [hook, binding])) }),
    );
    const advance = (ms: number): void => void clock.advance(ms, TIMERS_MAX);
    return trace(service, sinks, events, { advance, filters, warnings });
  } finally {
    service.close();
  }
}

function trace(
  service: Service,
  sinks: readonly TrialSink[],
  events: readonly Trial[],
  host: {
    readonly advance: (ms: number) => void;
    readonly filters: FilterRegistry;
    /** Lines of its log; taken as they are read. */
    readonly warnings: string[];
  },
): Outcome[] {
  const { advance, filters, warnings } = host;
  let got: string[] = [];
  for (const { name, attributes } of sinks)
    service.subscribe(CHANNEL, {
      onEvents: (deliveries) => void got.push(...deliveries.map(() => name)),
      ...(attributes === undefined ? {} : { attributes }),
    });
  let lines = 0;
  return events.map(({ event, expect, afterMs }, index) => {
    if (afterMs !== undefined) advance(afterMs);
    const read = eventFromJson(event);
    if (!read.ok) throw read.error;
    const before = countersOf(service);
    const [result] = service.publish(CHANNEL, [read.value]);
    if (result !== undefined && "problem" in result) throw new CliError(`events[${index}]: ${result.problem.message}`);
    service.flush();
    const all = filters.lines(CHANNEL);
    const said = all.slice(lines).map(({ text }) => text);
    lines = all.length;
    const names = got;
    got = [];
    const after = countersOf(service);
    const failed = after.undecided > before.undecided ? faultIn(warnings.splice(0)) : undefined;
    const isRight = failed === undefined ? expect && isSame(names, expect) : false;
    const outcome = { index, got: names, fuel: after.fuel - before.fuel, said, isRight };
    return failed === undefined ? outcome : { ...outcome, failed };
  });
}

/** Fuel that modules have used so far, and events that they did not decide. */
function countersOf(service: Service): { readonly fuel: number; readonly undecided: number } {
  const sum = { fuel: 0, undecided: 0 };
  for (const { counters } of service.modules?.totals.read() ?? []) {
    sum.fuel += counters.fuel;
    sum.undecided += counters.failed + counters.skipped + counters.throttled;
  }
  return sum;
}

/** What the log says of the module's failure; the first of them are there. */
function faultIn(lines: readonly string[]): string {
  const texts = lines.map((line) => (JSON.parse(line) as { readonly text?: string }).text);
  return texts.find((text) => text !== undefined) ?? "It failed too often before, and was let alone";
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return [...some].sort().join("\n") === [...others].sort().join("\n");
}

function print({ events }: Trials, outcomes: readonly Outcome[], terminal: Terminal): void {
  const rows = outcomes.map(({ got, fuel, isRight }, index) => {
    const { event, expect } = events[index] as Trial;
    const names = printable(got.join(", ") || "nobody");
    return [
      isRight === undefined ? " " : isRight ? terminal.style.green("ok") : terminal.style.red("no"),
      printable(String(event["type"] ?? "")),
      figure(fuel),
      isRight === false ? `${names}, expected ${printable(expect?.join(", ") || "nobody")}` : names,
    ];
  });
  const columns = [
    { title: "" },
    { title: "TYPE", shrinks: true },
    { title: "FUEL", right: true },
    { title: "GOES TO", wraps: true },
  ];
  for (const line of linesFromTable(columns, rows, terminal.style, terminal.width)) terminal.print(line);
  for (const [index, { said, failed }] of outcomes.entries()) {
    for (const line of said) terminal.print(`event ${index + 1} had it say: ${printable(line)}`);
    if (failed !== undefined) terminal.print(`event ${index + 1} made it fail, onError decided: ${printable(failed)}`);
  }
  const wrong = outcomes.filter(({ isRight }) => isRight === false).length;
  const most = Math.max(0, ...outcomes.map(({ fuel }) => fuel));
  terminal.print(
    `${figure(outcomes.length)} events, ${wrong === 0 ? "all as expected" : `${figure(wrong)} not as expected`}; at most ${figure(most)} fuel for one (the first pays for the start of the module, too)`,
  );
}

/** Nothing of a trial is kept. */
const unkept: FilterStore = {
  write: async () => {},
  read: () => Promise.reject(new Error("Nothing is kept")),
  remove: async () => {},
  sweep: async () => {},
  put: () => {},
  settled: async () => {},
};
