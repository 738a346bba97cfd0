/**
 * `sluice condition ls·show·set`: what the system measures, and what others tell it.
 */
import { listed, request, type Target } from "./client.ts";
import { figure, pad, printable } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import type { AttributeValue } from "./values.ts";

/** The condition resource as far as it is shown; docs/http.md has all of it. */
interface ConditionLike {
  readonly name: string;
  readonly kind: string;
  readonly value: AttributeValue | null;
  readonly at: string;
}

const COLUMNS: readonly Column[] = [
  { title: "CONDITION", shrinks: true },
  { title: "KIND" },
  { title: "VALUE", shrinks: true },
  { title: "SINCE" },
];

/** Width of the names of settings in `show`. */
const NAME_WIDTH = 12;

/** Prints every condition, as a table or one JSON resource per line. */
export async function conditionLs(
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const found: ConditionLike[] = [];
  for await (const condition of listed(target, "/v1/conditions")) {
    if (options.json === true) terminal.print(JSON.stringify(condition));
    else found.push(condition as ConditionLike);
    terminal.progress(() => `${figure(found.length)} conditions`);
  }
  terminal.progress(undefined);
  if (options.json === true) return;
  if (found.length === 0) {
    terminal.print("no conditions; PUT /v1/conditions/NAME makes one");
    return;
  }
  const rows = found.map(({ name, kind, value, at }) => [printable(name), printable(kind), valueText(value), at]);
  for (const line of linesFromTable(COLUMNS, rows, terminal.style, terminal.width)) terminal.print(line);
}

/** Prints one condition. */
export async function conditionShow(
  name: string,
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "GET", `/v1/conditions/${encodeURIComponent(name)}`);
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return;
  }
  const { name: called, value, at, ...settings } = body as ConditionLike;
  const say = (label: string, text: string): void => {
    terminal.print(`${pad(label, NAME_WIDTH)}${text}`);
  };
  say("condition", printable(called));
  say("value", valueText(value));
  say("since", printable(at));
  for (const [label, setting] of Object.entries(settings))
    say(label, printable(typeof setting === "object" ? JSON.stringify(setting) : String(setting)));
}

/** Sets conditions, or adds to them, and prints what they are then. */
export async function conditionSet(
  values: Readonly<Record<string, AttributeValue>>,
  options: { readonly json?: boolean; readonly add?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const wanted = Object.entries(values).map(([name, value]) => [name, options.add === true ? { add: value } : value]);
  const { body } = await request(target, "PATCH", "/v1/conditions", { body: { values: Object.fromEntries(wanted) } });
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return;
  }
  const { values: read } = body as { readonly values: Readonly<Record<string, ConditionLike>> };
  for (const [name, { value }] of Object.entries(read)) terminal.print(`${printable(name)} is ${valueText(value)}`);
}

function valueText(value: AttributeValue | null): string {
  if (value === null) return "-";
  return typeof value === "string" ? printable(JSON.stringify(value)) : String(value);
}
