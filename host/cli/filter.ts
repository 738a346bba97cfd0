/**
 * `sluice channel filter`: who gets the events of a channel: shown, bound and taken away.
 */
import { caretLines } from "../expression/caret.ts";
import { FilterExpressionError } from "../filter/place.ts";
import { bindingFromJson } from "../filter/route.ts";
import { stages } from "../filter/schema.ts";
import { channelPath, request, type Target } from "./client.ts";
import { CliError, lineFromReason } from "./failure.ts";
import { digestFrom } from "./module.ts";
import { bindingFrom, type FilterOptions, flagOf } from "./route-options.ts";
import { counted, figure, printable, wrapped } from "./style.ts";
import type { Terminal } from "./terminal.ts";

/** The filter resource as far as it is shown. */
interface FilterLike {
  readonly summary: string;
  readonly module?: string;
  readonly counters: readonly CountersLike[];
}

interface CountersLike {
  readonly route: string;
  readonly events: number;
  readonly sinks: number;
  readonly nobody: number;
  readonly duplicates: number;
  readonly evicted: number;
  readonly unanswered: number;
  readonly keys: number;
}

/**
 * Shows the filters of a channel, or binds or unbinds one.
 *
 * @param stage `in` or `out`; undefined shows both.
 * @throws {CliError} for a usage that contradicts itself, an expression that cannot be (with a caret), a host that refuses.
 */
export async function channelFilter(
  channel: string,
  stage: string | undefined,
  options: FilterOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  if (stage !== undefined && !stages.some((known) => known === stage))
    throw new CliError(`there is no stage "${printable(stage)}"; it is in or out`, { exitCode: 2 });
  const binding = await bindingFrom(options, terminal.stdin, (name, version) => digestFrom(name, version, target));
  if (binding === undefined && options.none !== true) return show(channel, stage, options, target, terminal);
  if (stage === undefined) throw new CliError("say which filter is meant: in or out", { exitCode: 2 });
  const path = `${channelPath(channel)}/filters/${stage}`;
  if (options.none === true) {
    if (binding !== undefined) throw new CliError("give --none or a filter, not both", { exitCode: 2 });
    return unbind(channel, stage, path, options, target, terminal);
  }
  assertRoutes(binding, terminal);
  const { status, body } = await request(target, "PUT", path, { body: binding });
  if (options.json === true) return void terminal.print(JSON.stringify(body));
  const verb = terminal.style.green(status === 201 ? "bound" : "replaced");
  terminal.print(`${verb} the ${stage} filter of ${terminal.style.bold(printable(channel))}`);
  for (const line of linesOf(body as FilterLike, terminal, false)) terminal.print(line);
}

async function unbind(
  channel: string,
  stage: string,
  path: string,
  options: FilterOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  let unbound = true;
  await request(target, "DELETE", path).catch((reason: unknown) => {
    // Somebody was faster, or there never was one: that is what was asked for.
    if (!(reason instanceof CliError) || reason.code !== "not_found") throw reason;
    unbound = false;
  });
  if (options.json === true) return void terminal.print(JSON.stringify({ channel, stage, unbound }));
  const name = printable(channel);
  terminal.print(unbound ? `unbound the ${stage} filter of ${name}` : `no ${stage} filter of ${name} was bound`);
}

async function show(
  channel: string,
  stage: string | undefined,
  options: FilterOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { style } = terminal;
  for (const one of stage === undefined ? (["out", "in"] as const) : [stage]) {
    const path = `${channelPath(channel)}/filters/${one}`;
    const found = await request(target, "GET", path).catch((reason: unknown) => {
      if (!(reason instanceof CliError) || reason.code !== "not_found") throw reason;
      return undefined;
    });
    if (options.json === true) {
      if (found !== undefined) terminal.print(JSON.stringify(found.body));
      continue;
    }
    const head = `${style.bold(printable(channel))} ${one}`;
    if (found === undefined) terminal.print(`${head}: no filter, all candidates get events`);
    else {
      terminal.print(`${head}:`);
      for (const line of linesOf(found.body as FilterLike, terminal, true)) terminal.print(line);
    }
  }
}

/** Routes with their numbers, and what each has done, below. */
function linesOf({ counters, module, summary }: FilterLike, terminal: Terminal, isCounted: boolean): string[] {
  if (module !== undefined) return [`  ${printable(summary)}`];
  const digits = String(counters.length).length;
  return counters.flatMap((one, index) => {
    const number = String(index + 1).padStart(digits);
    const indent = " ".repeat(digits + 4);
    const [first = "", ...rest] = wrapped(printable(one.route), (terminal.width ?? Infinity) - indent.length);
    const lines = [`  ${number}  ${first}`, ...rest.map((line) => `${indent}${line}`)];
    if (!isCounted) return lines;
    const told = wrapped(countersText(one), (terminal.width ?? Infinity) - indent.length);
    return [...lines, ...told.map((line) => `${indent}${terminal.style.dim(line)}`)];
  });
}

function countersText(counters: CountersLike): string {
  const { events, sinks, nobody, duplicates, unanswered, keys, evicted } = counters;
  const told = [
    `${counted(events, "event")} to ${counted(sinks, "sink")}`,
    nobody === 0 ? "" : `${figure(nobody)} to nobody`,
    duplicates === 0 ? "" : counted(duplicates, "duplicate"),
    unanswered === 0 ? "" : `${figure(unanswered)} unanswered`,
    keys === 0 ? "" : `${counted(keys, "key")} kept`,
    evicted === 0 ? "" : `${figure(evicted)} evicted`,
  ];
  return told.filter((part) => part !== "").join(", ");
}

/** @throws {CliError} a usage error, after the line of the expression and a caret where one is at fault. */
function assertRoutes(binding: unknown, terminal: Terminal): void {
  // What modules are is for the host to say: it may have them.
  if (typeof binding === "object" && binding !== null && "module" in binding) return;
  try {
    bindingFromJson(binding);
  } catch (reason) {
    if (!(reason instanceof FilterExpressionError))
      throw new CliError(lineFromReason(reason), { exitCode: 2, cause: reason });
    const { line, column, field, expression } = reason;
    if (line !== undefined && column !== undefined) terminal.error(`${caretLines(expression, { line, column })}\n`);
    const told = lineFromReason(reason).replace(field, flagOf(field));
    throw new CliError(told, { exitCode: 2, code: reason.code });
  }
}
