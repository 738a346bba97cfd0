/**
 * `sluice explain`: who would get an event, who would not, and why. Nothing is published.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { EventSchema } from "../gen/sluice/v1/event_pb.ts";
import { textFromEvent } from "../socket/json/event.ts";
import { channelPath, request, type Target } from "./client.ts";
import { CliError } from "./failure.ts";
import { type EventOptions, eventBytes, payloadFromJson, payloadOf } from "./payload.ts";
import { figure, printable, type Style } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** The options of the command. */
export interface ExplainOptions extends EventOptions {
  readonly data?: string;
  readonly file?: string;
  /** A whole JSON event. */
  readonly event?: string;
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
  readonly inbox: { readonly id: string | null; readonly depth: number; readonly position: number | null };
}

interface PageLike {
  readonly data: readonly SinkLike[];
  readonly next: string | null;
  readonly sinks: number;
  readonly refused?: { readonly detail: string; readonly code: string };
}

const COLUMNS: readonly Column[] = [
  { title: "SINK" },
  { title: "INBOX", shrinks: true },
  { title: "VERDICT" },
  { title: "WHY", shrinks: true },
];

/**
 * Prints one line per sink.
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
  if (options.event !== undefined && (options.data !== undefined || options.file !== undefined))
    throw new CliError("give the event once: as --event, or its parts", { exitCode: 2 });
  const payload =
    options.event === undefined
      ? await payloadOf(options.data, options.file, options, terminal.stdin)
      : payloadFromJson(options.event);
  const event = JSON.parse(textFromEvent(fromBinary(EventSchema, eventBytes(payload, options))));
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
  return page.sinks > 0;
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
  const rows = sinks.map((sink) => [sink.member, sink.inbox.id ?? "-", coloured(sink.verdict, style), why(sink)]);
  for (const line of linesFromTable(COLUMNS, rows, style, terminal.width)) terminal.print(line);
  terminal.print(`${figure(page.sinks)} of ${figure(sinks.length)} would get it`);
}

function why({ stage, reason, detail, expression, inbox }: SinkLike): string {
  if (reason === null) return inbox.depth === 0 ? "" : `${figure(inbox.depth)} wait before it`;
  const words = expression === undefined ? (detail ?? "") : `does not hold: ${expression.text}`;
  const missing = expression?.missing.length ? ` (${expression.missing.join(", ")} missing)` : "";
  return printable(`${stage ?? ""} ${reason}: ${words}${missing}`);
}

function coloured(verdict: string, style: Style): string {
  if (verdict === "delivered") return style.green(verdict);
  return verdict === "rejected" || verdict === "dropped" ? style.red(verdict) : style.dim(verdict);
}
