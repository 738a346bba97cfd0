/**
 * `sluice channel ls·create·show·update·rm`: channels as resources of the control plane.
 */
import { bindingFromJson } from "../filter/route.ts";
import { bindingSummary } from "../filter/summary.ts";
import { channelPath, listed, request, type Target } from "./client.ts";
import { CliError } from "./failure.ts";
import { figure, pad, printable, wrapped } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import type { WindowText } from "./values.ts";

/** The channel resource as far as it is shown; docs/operating.md has all of it. */
interface ChannelLike {
  readonly name: string;
  readonly types?: readonly string[];
  readonly source?: string;
  readonly echo?: boolean;
  readonly delivery?: {
    readonly priority?: number;
    readonly ttlMs?: number | null;
    readonly late?: string;
    readonly empty?: string;
    readonly divertTo?: string | null;
    readonly window?: { readonly lose: number; readonly of: number; readonly periodMs: number } | null;
  };
  readonly filters?: { readonly in?: unknown; readonly out?: unknown };
  readonly sinks?: number;
  readonly sources?: number;
  readonly sequence?: number;
}

/** Settings as given on the command line; what is absent is left to the host (create) or as it is (update). */
export interface ChannelOptions {
  readonly type?: readonly string[];
  readonly anyType?: boolean;
  readonly source?: string;
  readonly priority?: number;
  /** Milliseconds. */
  readonly ttl?: number | "none";
  readonly late?: string;
  readonly echo?: boolean;
  readonly empty?: string;
  readonly divertTo?: string;
  readonly window?: WindowText | "none";
  readonly json?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "CHANNEL", shrinks: true },
  { title: "SINKS", right: true },
  { title: "SOURCES", right: true },
  { title: "EVENTS", right: true },
  { title: "TYPES", shrinks: true },
];

/** Prints every channel, as a table or one JSON resource per line. */
export async function channelLs(
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const channels: ChannelLike[] = [];
  for await (const channel of listed(target, "/v1/channels")) {
    if (options.json === true) terminal.print(JSON.stringify(channel));
    else channels.push(channel as ChannelLike);
    terminal.progress(() => `${figure(channels.length)} channels`);
  }
  terminal.progress(undefined);
  if (options.json === true) return;
  if (channels.length === 0) {
    terminal.print("no channels yet; make one: sluice channel create NAME, or just publish: sluice pub NAME hello");
    return;
  }
  const rows = channels.map((channel) => [
    printable(channel.name),
    figure(channel.sinks ?? 0),
    figure(channel.sources ?? 0),
    figure(channel.sequence ?? 0),
    printable((channel.types ?? []).join(",") || "any"),
  ]);
  for (const line of linesFromTable(COLUMNS, rows, terminal.style, terminal.width)) terminal.print(line);
}

/**
 * Creates a channel.
 *
 * @throws {CliError} where it exists: changing one is `update`, so that a typo changes nothing.
 */
export async function channelCreate(
  name: string,
  options: ChannelOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const creation = { body: settingsFrom(options), headers: { "if-none-match": "*" } };
  const { body } = await request(target, "PUT", channelPath(name), creation).catch((reason: unknown) => {
    if (!(reason instanceof CliError) || reason.code !== "precondition_failed") throw reason;
    throw new CliError(
      `"${printable(name)}" exists already; change it with: sluice channel update ${printable(name)}`,
      {
        code: "channel_exists",
      },
    );
  });
  told(body as ChannelLike, "created", options, terminal);
}

/** Prints one channel. */
export async function channelShow(
  name: string,
  options: ChannelOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "GET", channelPath(name));
  if (options.json === true) terminal.print(JSON.stringify(body));
  else show(body as ChannelLike, terminal);
}

/** Changes what is given and leaves the rest. */
export async function channelUpdate(
  name: string,
  options: ChannelOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const settings = settingsFrom(options);
  if (Object.keys(settings).length === 0) {
    throw new CliError(
      "nothing to change; give at least one of --type, --any-type, --source, --priority, --ttl, --late, --echo, --no-echo, --empty, --divert-to, --window",
      { exitCode: 2 },
    );
  }
  const { body } = await request(target, "PATCH", channelPath(name), {
    body: settings,
    headers: { "content-type": "application/merge-patch+json" },
  });
  told(body as ChannelLike, "updated", options, terminal);
}

/** Removes channels, one after the other; the first that is refused ends the command. */
export async function channelRm(
  names: readonly string[],
  options: ChannelOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  for (const name of names) {
    await request(target, "DELETE", channelPath(name));
    terminal.print(
      options.json === true
        ? JSON.stringify({ name, removed: true })
        : `removed ${terminal.style.bold(printable(name))}`,
    );
  }
}

function settingsFrom(options: ChannelOptions): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  if (options.type !== undefined && options.anyType === true)
    throw new CliError("give --type or --any-type, not both", { exitCode: 2 });
  if (options.type !== undefined) settings["types"] = options.type;
  if (options.anyType === true) settings["types"] = [];
  if (options.source !== undefined) settings["source"] = options.source;
  if (options.echo !== undefined) settings["echo"] = options.echo;
  const delivery: Record<string, unknown> = {};
  if (options.priority !== undefined) delivery["priority"] = options.priority;
  if (options.ttl !== undefined) delivery["ttlMs"] = options.ttl === "none" ? null : options.ttl;
  if (options.late !== undefined) delivery["late"] = options.late;
  if (options.empty !== undefined) delivery["empty"] = options.empty;
  if (options.divertTo !== undefined) delivery["divertTo"] = options.divertTo === "none" ? null : options.divertTo;
  if (options.window !== undefined) delivery["window"] = options.window === "none" ? null : options.window;
  if (Object.keys(delivery).length > 0) settings["delivery"] = delivery;
  return settings;
}

function told(channel: ChannelLike, verb: string, options: ChannelOptions, terminal: Terminal): void {
  if (options.json === true) terminal.print(JSON.stringify(channel));
  else terminal.print(`${terminal.style.green(verb)} ${terminal.style.bold(printable(channel.name))}`);
}

function show(channel: ChannelLike, terminal: Terminal): void {
  const { style } = terminal;
  const { delivery } = channel;
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["types", printable((channel.types ?? []).join(", ") || "any")],
    [
      "sources",
      `${figure(channel.sources ?? 0)} now, ${channel.source === "single" ? "a single one allowed" : "many allowed"}`,
    ],
    ["sinks", `${figure(channel.sinks ?? 0)} now`],
    ["events", `${figure(channel.sequence ?? 0)} since this host started`],
    ["priority", String(delivery?.priority ?? 4)],
    ["ttl", delivery?.ttlMs == null ? "none" : `${figure(delivery.ttlMs)} ms`],
    ["window", windowText(delivery)],
    ["late events", lateText(delivery)],
    ["nobody left", nobodyText(delivery)],
    ["out filter", filterText(channel.filters?.out)],
    ["in filter", filterText(channel.filters?.in)],
    [
      "echo",
      channel.echo === false
        ? "no: a session does not get what it published"
        : "yes: a session gets what it published, too",
    ],
  ];
  terminal.print(style.bold(printable(channel.name)));
  const indent = 14;
  for (const [name, value] of rows) {
    const [first = "", ...rest] = wrapped(value, (terminal.width ?? Number.POSITIVE_INFINITY) - indent);
    terminal.print(`  ${style.dim(pad(name, indent - 2))}${first}`);
    for (const line of rest) terminal.print(" ".repeat(indent) + line);
  }
}

function windowText(delivery: ChannelLike["delivery"]): string {
  if (delivery?.window == null) return "none";
  const { lose, of, periodMs } = delivery.window;
  return `a deadline every ${periodMs} ms, ${figure(lose)} of ${figure(of)} may be missed`;
}

function nobodyText(delivery: ChannelLike["delivery"]): string {
  if (delivery?.empty === "hold") return "events wait for a sink to qualify";
  if (delivery?.empty === "divert") return `events go to ${printable(delivery.divertTo ?? "?")}`;
  return "events are dropped";
}

function lateText(delivery: ChannelLike["delivery"]): string {
  if (delivery?.late === "divert") return `go to ${printable(delivery.divertTo ?? "?")}`;
  return delivery?.late === "drop" ? "dropped" : "delivered";
}

/** A filter in a line; one that this command line does not understand, of another version, is only named. */
function filterText(filter: unknown): string {
  if (filter === null || filter === undefined) return "none";
  try {
    return printable(bindingSummary(bindingFromJson(filter)));
  } catch {
    return "bound; see: sluice channel show --json";
  }
}
