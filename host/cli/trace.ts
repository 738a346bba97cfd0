/**
 * `sluice trace`: publishes one event and prints when it passed which stage.
 */
import { channelPath, request, type Target } from "./client.ts";
import { type ExplainedEventOptions, eventFromOptions } from "./explain.ts";
import { figure, pad, printable } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** The options of the command. */
export interface TraceOptions extends ExplainedEventOptions {
  /** How long to wait for the sinks, ms. */
  readonly wait?: number;
  readonly json?: boolean;
}

/** The trace, as far as it is shown; the HTTP reference has all of it. */
interface TraceLike {
  readonly id: string;
  readonly channel: string;
  readonly sequence: number;
  readonly sinks: number;
  readonly submittedAt: string;
  readonly encodedMs: number;
  readonly queuedMs: number;
  readonly complete: boolean;
  readonly deliveries: ReadonlyArray<{
    readonly inbox: string | null;
    readonly kind: string;
    readonly drainedMs: number;
    readonly writtenMs: number | null;
    readonly acknowledgedMs: number | null;
  }>;
}

const COLUMNS: readonly Column[] = [
  { title: "INBOX", shrinks: true },
  { title: "KIND" },
  { title: "DRAINED", right: true },
  { title: "WRITTEN", right: true },
  { title: "ACKNOWLEDGED", right: true },
];
const NAME_WIDTH = 11;

/**
 * Publishes and prints.
 *
 * @returns Whether all selected sinks have the event.
 * @throws {CliError} for an event that is none, a host that refuses, or none at all.
 */
export async function trace(
  channel: string,
  options: TraceOptions,
  target: Target,
  terminal: Terminal,
): Promise<boolean> {
  const wait = options.wait === undefined ? "" : `?waitMs=${options.wait}`;
  const event = await eventFromOptions(options, terminal);
  const { body } = await request(target, "POST", `${channelPath(channel)}/trace${wait}`, { body: event });
  const found = body as TraceLike;
  if (options.json === true) terminal.print(JSON.stringify(body));
  else print(found, terminal);
  return found.complete;
}

function print(found: TraceLike, terminal: Terminal): void {
  const { sequence, sinks, deliveries } = found;
  const say = (name: string, value: string): void => {
    terminal.print(pad(name, NAME_WIDTH) + value);
  };
  say("event", `${printable(found.id)} on ${printable(found.channel)}`);
  say("submitted", found.submittedAt);
  say("encoded", time(found.encodedMs));
  if (sequence === 0) say("waits", "in its outbox: a sink blocks");
  else say("queued", `${time(found.queuedMs)}, stored as ${figure(sequence)}, for ${figure(sinks)} sinks`);
  if (deliveries.length > 0) {
    const rows = deliveries.map(({ inbox, kind, drainedMs, writtenMs, acknowledgedMs }) => [
      printable(inbox ?? "-"),
      printable(kind),
      time(drainedMs),
      time(writtenMs),
      time(acknowledgedMs),
    ]);
    for (const line of linesFromTable(COLUMNS, rows, terminal.style, terminal.width)) terminal.print(line);
  }
  const written = deliveries.filter(({ writtenMs }) => writtenMs !== null).length;
  terminal.print(`${figure(written)} of ${figure(sinks)} have it`);
}

function time(ms: number | null): string {
  return ms === null ? "-" : `${figure(ms, 3)} ms`;
}
