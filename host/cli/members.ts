/**
 * `sluice members`: who is in a channel, with live attributes and how old they are; and setting them from outside.
 */
import { channelPath, listed, request, type Target } from "./client.ts";
import { CliError } from "./failure.ts";
import { figure, printable } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { type AttributeValue, attributeFromText } from "./values.ts";

/** The member resource as far as it is shown. */
interface MemberLike {
  readonly member: string;
  readonly role: string;
  readonly implicit?: boolean;
  readonly inbox: string | null;
  readonly outbox?: { readonly held?: boolean; readonly depth?: { readonly events?: number } };
  readonly where?: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly ageMs?: Readonly<Record<string, number>>;
}

/** The options of the command. */
export interface MembersOptions {
  readonly json?: boolean;
  /** A member, then attributes. */
  readonly set?: readonly string[];
  /** A member, then names. */
  readonly unset?: readonly string[];
}

const COLUMNS: readonly Column[] = [
  { title: "MEMBER" },
  { title: "ROLE" },
  { title: "INBOX", shrinks: true },
  { title: "OUTBOX" },
  { title: "ATTRIBUTES", shrinks: true },
  { title: "WHERE", shrinks: true },
];

/**
 * Prints the members of a channel, or changes attributes of one and prints it.
 *
 * @throws {CliError} for attributes that are none, a member or channel that is not there.
 */
export async function members(
  channel: string,
  options: MembersOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const path = `${channelPath(channel)}/members`;
  const change = changeFrom(options);
  const found: MemberLike[] = [];
  if (change !== undefined) {
    const { body } = await request(target, "PATCH", `${path}/${encodeURIComponent(change.member)}`, {
      body: { attributes: change.attributes },
      headers: { "content-type": "application/merge-patch+json" },
    });
    found.push(body as MemberLike);
  } else {
    for await (const member of listed(target, path)) {
      if (options.json === true) terminal.print(JSON.stringify(member));
      else found.push(member as MemberLike);
      terminal.progress(() => `${figure(found.length)} members`);
    }
    terminal.progress(undefined);
    if (options.json === true) return;
  }
  if (options.json === true) terminal.print(JSON.stringify(found[0]));
  else if (found.length === 0) terminal.print("nobody is there");
  else for (const line of linesFromTable(COLUMNS, found.map(row), terminal.style, terminal.width)) terminal.print(line);
}

function row(member: MemberLike): string[] {
  const { role, implicit, inbox, outbox, where, attributes, ageMs } = member;
  return [
    member.member,
    implicit === true ? `${role} (implicit)` : role,
    inbox ?? "in the host",
    outboxText(outbox),
    printable(attributesText(attributes, ageMs)),
    printable(where ?? "-"),
  ];
}

/** What waits to leave: `12`, or `12 held`; of a sink, which has none, a dash. */
function outboxText(outbox: MemberLike["outbox"]): string {
  if (outbox === undefined) return "-";
  return figure(outbox.depth?.events ?? 0) + (outbox.held === true ? " held" : "");
}

/** Those that were set together have their age once, behind the last: `load=0.2 zone=eu (12 s) up=true (3 min)`. */
function attributesText(attributes: MemberLike["attributes"], ageMs: MemberLike["ageMs"] = {}): string {
  const byAge = new Map<string, string[]>();
  for (const [name, value] of Object.entries(attributes)) {
    const age = ageMs[name] === undefined ? "" : ` (${ageText(ageMs[name])})`;
    byAge.set(age, [...(byAge.get(age) ?? []), `${name}=${String(value)}`]);
  }
  return Array.from(byAge, ([age, told]) => told.join(" ") + age).join(" ") || "-";
}

/** 250 as "250 ms", 90,000 as "90 s", beyond two minutes in minutes, beyond two hours in hours. */
export function ageText(ms: number): string {
  if (ms < 1_000) return `${figure(ms)} ms`;
  if (ms < 10_000) return `${figure(ms / 1_000, 1)} s`;
  if (ms < 120_000) return `${figure(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${figure(ms / 60_000)} min` : `${figure(ms / 3_600_000)} h`;
}

/** What is to be changed; undefined where nothing is. */
function changeFrom({
  set = [],
  unset = [],
}: MembersOptions): { member: string; attributes: Record<string, AttributeValue | null> } | undefined {
  if (set.length === 0 && unset.length === 0) return undefined;
  const [member = unset[0] ?? "", ...texts] = set;
  const [other = member, ...names] = unset;
  if (other !== member) throw new CliError(`give one member, not both ${member} and ${other}`, { exitCode: 2 });
  let attributes: Record<string, AttributeValue | null> = {};
  try {
    for (const text of texts) attributes = attributeFromText(text, attributes as Record<string, AttributeValue>);
  } catch (reason) {
    throw new CliError(`--set: ${(reason as Error).message.replace(/\.$/, "")}`, { exitCode: 2, cause: reason });
  }
  for (const name of names) attributes[name] = null;
  if (Object.keys(attributes).length === 0) {
    throw new CliError("nothing to change; give a member and attributes: --set m3 load=0.2, --unset m3 load", {
      exitCode: 2,
    });
  }
  return { member, attributes };
}
