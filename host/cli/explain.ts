/**
 * `sluice explain`: who would get an event, who would not, and why. Nothing is published.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../gen/sluice/v1/event_pb.ts";
import { textFromEvent } from "../socket/json/event.ts";
import { channelPath, request, type Target } from "./client.ts";
import { CliError } from "./failure.ts";
import { ageText } from "./members.ts";
import { type EventOptions, eventBytes, payloadFromJson, payloadOf } from "./payload.ts";
import { figure, printable, type Style } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** How one event is given: whole, or by its parts. */
export interface ExplainedEventOptions extends EventOptions {
  readonly data?: string;
  readonly file?: string;
  /** A whole JSON event. */
  readonly event?: string;
}

/** The options of the command. */
export interface ExplainOptions extends ExplainedEventOptions {
  /** Member that would submit it. */
  readonly as?: string;
  readonly json?: boolean;
}

/** What is shown of a sink; the HTTP reference has all of it. */
interface SinkLike {
  readonly member: string;
  readonly verdict: string;
  readonly stage: string | null;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly expression?: { readonly text: string; readonly missing: readonly string[] };
  readonly rank: number | null;
  readonly route?: {
    readonly of: string;
    readonly stage: string;
    readonly index: number;
    readonly summary: string;
    readonly value: number | null;
    readonly charge: number | null;
    readonly ageMs: number | null;
    readonly selections: number;
  };
  readonly inbox: { readonly id: string | null; readonly depth: number; readonly position: number | null };
}

/** A filter module that was asked. */
interface ModuleLike {
  readonly of: string;
  readonly stage: string;
  readonly name: string;
  readonly version: number;
  readonly decision: string | null;
  readonly candidates: number;
  readonly chosen: number;
  readonly unasked?: string;
  readonly fault?: { readonly cause: string; readonly text: string };
  readonly failed: boolean;
  readonly fuel: number;
  readonly approximate: boolean;
  readonly stateAgeMs: number | null;
  readonly log: ReadonlyArray<{ readonly level: string; readonly text: string }>;
}

interface PageLike {
  readonly data: readonly SinkLike[];
  readonly modules: readonly ModuleLike[];
  readonly next: string | null;
  readonly sinks: number;
  readonly refused?: { readonly detail: string; readonly code: string };
}

const HEAD: readonly Column[] = [{ title: "SINK" }, { title: "INBOX", shrinks: true }, { title: "VERDICT" }];
const WHY: Column = { title: "WHY", wraps: true };

/** How sinks stood in the route that decided; a column is there where it says something of one of them. */
const STANDING: ReadonlyArray<{ readonly column: Column; readonly cell: (sink: SinkLike) => string }> = [
  { column: { title: "RANK", right: true }, cell: ({ rank }) => (rank === null ? "" : figure(rank)) },
  { column: { title: "VALUE", right: true }, cell: ({ route }) => numberText(route?.value) },
  { column: { title: "CHARGE", right: true }, cell: ({ route }) => (route?.charge ? numberText(route.charge) : "") },
  {
    column: { title: "AGE", right: true },
    cell: ({ route }) => (route === undefined || route.ageMs === null ? "" : ageText(route.ageMs)),
  },
  {
    column: { title: "CHOSEN", right: true },
    cell: ({ route }) => (route?.selections ? figure(route.selections) : ""),
  },
];

/**
 * Prints one line per sink, and one per filter module that was asked.
 *
 * @returns Whether somebody would get the event.
 * @throws {CliError} for two events at once, a host that refuses, or none at all.
 */
export async function explain(
  channel: string,
  options: ExplainOptions,
  target: Target,
  terminal: Terminal,
): Promise<boolean> {
  const event = await eventFromOptions(options, terminal);
  const as = options.as === undefined ? "" : `&as=${encodeURIComponent(options.as)}`;
  const sinks: SinkLike[] = [];
  let page: PageLike;
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { body } = await request(target, "POST", `${channelPath(channel)}/explain?limit=1000${as}${next}`, {
      body: event,
    });
    page = body as PageLike;
    for (const sink of page.data) {
      if (options.json === true) terminal.print(JSON.stringify(sink));
      else sinks.push(sink);
    }
    cursor = page.next;
  } while (cursor !== null);
  if (options.json !== true) print(sinks, page, terminal);
  else for (const asked of page.modules) terminal.print(JSON.stringify({ asked }));
  return page.sinks > 0;
}

/** The event that options give, as JSON. @throws {CliError} for one that is none, or given twice. */
export async function eventFromOptions(options: ExplainedEventOptions, terminal: Terminal): Promise<object> {
  if (options.event !== undefined && (options.data !== undefined || options.file !== undefined))
    throw new CliError("give the event once: as --event, or its parts", { exitCode: 2 });
  const payload =
    options.event === undefined
      ? await payloadOf(options.data, options.file, options, terminal.stdin)
      : payloadFromJson(options.event);
  return JSON.parse(textFromEvent(fromBinary(EventSchema, eventBytes(payload, options))));
}

function print(sinks: readonly SinkLike[], page: PageLike, terminal: Terminal): void {
  const { style } = terminal;
  if (page.refused !== undefined) {
    terminal.print(`${style.red("refused")}: ${printable(page.refused.detail)} [${page.refused.code}]`);
    return;
  }
  if (sinks.length === 0) {
    terminal.print("nobody is subscribed");
    return;
  }
  const standing = STANDING.filter(({ cell }) => sinks.some((sink) => cell(sink) !== ""));
  const rows = sinks.map((sink) => [
    sink.member,
    sink.inbox.id ?? "-",
    coloured(sink.verdict, style),
    ...standing.map(({ cell }) => cell(sink)),
    why(sink),
  ]);
  const columns = [...HEAD, ...standing.map(({ column }) => column), WHY];
  for (const line of linesFromTable(columns, rows, style, terminal.width)) terminal.print(line);
  for (const line of new Set(sinks.flatMap(routeLine))) terminal.print(printable(line));
  for (const line of page.modules.flatMap(moduleLines)) terminal.print(printable(line));
  terminal.print(`${figure(page.sinks)} of ${figure(sinks.length)} would get it`);
}

/** The route that decided, below the table: it is the same for many sinks, and long. */
function routeLine({ route }: SinkLike): string[] {
  if (route === undefined) return [];
  const { of, stage, index, summary } = route;
  return [`route ${index + 1} of the ${of === "source" ? "source's own " : ""}${stage} filter: ${summary}`];
}

/** What a module decided, why not by itself, and what it said. */
function moduleLines(module: ModuleLike): string[] {
  const { of, stage, name, version, unasked, fault, fuel, approximate, stateAgeMs, log } = module;
  const state = stateAgeMs === null ? "state that it begins with" : `its state of ${ageText(stateAgeMs)} ago`;
  const head = `module ${name} ${version} of the ${of === "source" ? "source's own " : ""}${stage} filter`;
  return [
    `${head}: ${unasked ?? `${decisionText(module)}, ${figure(fuel)} fuel${approximate ? `, by ${state}` : ""}`}`,
    ...(fault === undefined ? [] : [`  ${fault.cause}: ${fault.text}`]),
    ...log.map(({ level, text }) => `  ${level} ${text}`),
  ];
}

function decisionText({ decision, candidates, chosen, failed }: ModuleLike): string {
  const by = failed ? "by onError " : "";
  if (decision === "divert") return `${by}to the channel that it diverts to`;
  if (decision === "drop") return `${by}to nobody`;
  return `${by}to ${figure(chosen)} of ${figure(candidates)}`;
}

/** As few digits as tell it from its neighbours. */
function numberText(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(Number(value.toPrecision(6)));
}

function why({ stage, reason, detail, expression, inbox }: SinkLike): string {
  const before = (inbox.position ?? inbox.depth + 1) - 1;
  if (reason === null) return before === 0 ? "" : `${figure(before)} wait before it`;
  const words = expression === undefined ? (detail ?? "") : `does not hold: ${expression.text}`;
  const missing = expression?.missing.length ? ` (${expression.missing.join(", ")} missing)` : "";
  return printable(`${stage ?? ""} ${reason}: ${words}${missing}`);
}

function coloured(verdict: string, style: Style): string {
  if (verdict === "delivered") return style.green(verdict);
  return verdict === "rejected" || verdict === "dropped" ? style.red(verdict) : style.dim(verdict);
}
