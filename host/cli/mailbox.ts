/**
 * `sluice mailbox ls·show·hold·release·drain`: what waits where, and an operator's hand on it.
 */
import { listed, request, type Target } from "./client.ts";
import { CliError } from "./failure.ts";
import { figure, pad, printable } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface QuantilesLike {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** The mailbox resource as far as it is shown; docs/http.md has all of it. */
interface MailboxLike {
  readonly id: string;
  readonly kind?: string;
  readonly ordering?: string;
  readonly overflow?: string;
  readonly late?: string;
  readonly serviceMs?: number | null;
  readonly select?: {
    readonly mode?: string;
    readonly events?: number;
    readonly bytes?: number;
    readonly delayMs?: number;
  };
  readonly capacityEvents?: number;
  readonly capacityBytes?: number;
  readonly ack?: string;
  readonly attempts?: number;
  readonly redeliverMs?: number;
  readonly deadLetter?: string | null;
  readonly held?: boolean;
  readonly unacknowledged?: number;
  readonly polls?: number;
  readonly depth?: { readonly events?: number; readonly bytes?: number };
  readonly history?: { readonly waitMs: QuantilesLike; readonly depth: QuantilesLike } | null;
  readonly joins?: readonly JoinLike[];
}

interface JoinLike {
  readonly channel: string;
  readonly member: string;
  readonly role?: string;
  readonly where?: string;
  readonly deadlines?: {
    readonly met: number;
    readonly missed: number;
    readonly dropped: number;
    readonly violations: number;
  };
}

/** Ids stay whole: the other verbs take them. */
const COLUMNS: readonly Column[] = [
  { title: "MAILBOX" },
  { title: "KIND", shrinks: true },
  { title: "WAITING", right: true },
  { title: "BYTES", right: true },
  { title: "UNACKED", right: true },
  { title: "ORDERING", shrinks: true },
  { title: "STATE" },
];

const LATE_TEXTS: Readonly<Record<string, string>> = {
  channel: "as their channel says",
  deliver: "delivered",
  drop: "dropped",
  divert: "go where their channel diverts to",
};

/** Width of the names of settings in `show`. */
const NAME_WIDTH = 16;

/** Prints every mailbox, as a table or one JSON resource per line. */
export async function mailboxLs(
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const found: MailboxLike[] = [];
  for await (const mailbox of listed(target, "/v1/inboxes")) {
    if (options.json === true) terminal.print(JSON.stringify(mailbox));
    else found.push(mailbox as MailboxLike);
    terminal.progress(() => `${figure(found.length)} mailboxes`);
  }
  terminal.progress(undefined);
  if (options.json === true) return;
  if (found.length === 0) {
    terminal.print("no mailboxes: nobody is connected, and no inbox was made; try: sluice sub CHANNEL");
    return;
  }
  const rows = found.map((mailbox) => [
    printable(mailbox.id),
    printable(mailbox.kind ?? ""),
    figure(mailbox.depth?.events ?? 0),
    figure(mailbox.depth?.bytes ?? 0),
    figure(mailbox.unacknowledged ?? 0),
    printable(mailbox.ordering ?? ""),
    mailbox.held === true ? "held" : "open",
  ]);
  for (const line of linesFromTable(COLUMNS, rows, terminal.style, terminal.width)) terminal.print(line);
}

/** Prints one mailbox with its settings and joins. */
export async function mailboxShow(
  id: string,
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "GET", pathOf(id));
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return;
  }
  printMailbox(body as MailboxLike, terminal);
}

/** Holds a mailbox, or lets it go. */
export async function mailboxHold(
  id: string,
  held: boolean,
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "PATCH", pathOf(id), {
    body: { held },
    headers: { "content-type": "application/merge-patch+json" },
  });
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return;
  }
  const { depth } = body as MailboxLike;
  terminal.print(`${printable(id)} is ${held ? "held" : "released"}, ${figure(depth?.events ?? 0)} events wait in it`);
}

/** Discards what waits in a mailbox. */
export async function mailboxDrain(
  id: string,
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "DELETE", `${pathOf(id)}/events`);
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return;
  }
  const { discarded } = body as { readonly discarded?: number };
  terminal.print(
    `discarded ${figure(discarded ?? 0)} events of ${printable(id)}; they are counted, and its owner is told`,
  );
}

/** @throws {CliError} a usage error where there is none: its path would be that of all mailboxes. */
function pathOf(id: string): string {
  if (id === "") throw new CliError("give the id of a mailbox; see: sluice mailbox ls", { exitCode: 2 });
  return `/v1/inboxes/${encodeURIComponent(id)}`;
}

function printMailbox(mailbox: MailboxLike, terminal: Terminal): void {
  const { depth, ack } = mailbox;
  const say = (name: string, value: string): void => {
    terminal.print(`${pad(name, NAME_WIDTH)}${value}`);
  };
  say("mailbox", printable(mailbox.id));
  say("kind", printable(mailbox.kind ?? ""));
  say("state", mailbox.held === true ? "held" : "open");
  say("waiting", `${figure(depth?.events ?? 0)} events, ${figure(depth?.bytes ?? 0)} bytes`);
  say("capacity", `${figure(mailbox.capacityEvents ?? 0)} events, ${figure(mailbox.capacityBytes ?? 0)} bytes`);
  say("overflow", printable(mailbox.overflow ?? ""));
  say("ordering", printable(mailbox.ordering ?? ""));
  say("late events", LATE_TEXTS[mailbox.late ?? ""] ?? printable(mailbox.late ?? ""));
  if (typeof mailbox.serviceMs === "number") say("service", `${mailbox.serviceMs} ms for an event`);
  if (mailbox.select !== undefined) say("batches", batchesText(mailbox.select));
  say("ack", printable(ack ?? ""));
  if (ack === "explicit") {
    say("unacknowledged", figure(mailbox.unacknowledged ?? 0));
    say("redelivery", `after ${figure(mailbox.redeliverMs ?? 0)} ms, ${figure(mailbox.attempts ?? 0)} attempts`);
    say("dead letters", printable(mailbox.deadLetter ?? "dropped"));
  }
  const { history } = mailbox;
  if (history) {
    say("waited", `${quantilesText(history.waitMs, " ms")}, of ${figure(history.waitMs.count)} events`);
    say("was deep", `${quantilesText(history.depth, "")}, in ${figure(history.depth.count)} drains`);
  }
  for (const { channel, member, role, where, deadlines } of mailbox.joins ?? []) {
    say("joined", `${printable(channel)} as ${printable(role ?? "sink")} ${printable(member)}`);
    if (where) say("", `where ${printable(where)}`);
    if (deadlines === undefined) continue;
    const { met, missed, dropped, violations } = deadlines;
    say("", `deadlines: ${figure(met)} met, ${figure(missed)} missed, ${figure(dropped)} dropped`);
    if (violations > 0) say("", `windows: ${figure(violations)} violations`);
  }
}

function batchesText({ mode, events = 0, bytes = 0, delayMs = 0 }: NonNullable<MailboxLike["select"]>): string {
  const most = mode === "single" ? "one event" : `up to ${figure(events)} events or ${figure(bytes)} bytes`;
  return delayMs === 0 ? most : `${most}, after ${delayMs} ms at the latest`;
}

function quantilesText({ p50, p90, p99 }: QuantilesLike, unit: string): string {
  return `half up to ${p50}${unit}, 90 % ${p90}${unit}, 99 % ${p99}${unit}`;
}
