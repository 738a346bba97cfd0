/** `sluice contract plan`: what a contract would do, or one that is not there yet; nothing happens. */
import { request, type Target } from "./client.ts";
import { contractPath } from "./contract.ts";
import { documentsOf } from "./contract-file.ts";
import { hung, pathText, seenText } from "./contract-tree.ts";
import { columnsOf, pad, printable, type Style } from "./style.ts";
import type { Terminal } from "./terminal.ts";
import type { AttributeValue } from "./values.ts";

/** A plan as the host tells it; docs/http.md has all of it. */
export interface PlanLike {
  readonly path: { readonly from: readonly string[]; readonly to: readonly string[] };
  readonly status: string;
  readonly handlers: readonly string[];
  readonly actions: ReadonlyArray<Readonly<Record<string, unknown>>>;
  readonly governs: ReadonlyArray<{
    readonly kind: string;
    readonly name: string;
    readonly changes: ReadonlyArray<{ readonly field: string; readonly from: unknown; readonly to: unknown }>;
    readonly problem?: { readonly code: string; readonly detail: string };
  }>;
  readonly snapshot: Readonly<Record<string, unknown>>;
}

/** What is a file and not a name: a name has no slash, and one that ends so is written as one of a file's. */
const FILE = /^-$|\/|\.(ya?ml|json)$/i;

/**
 * Prints what a contract of the host would do, or each of a file if it were put.
 *
 * @throws {CliError} where the host refuses a contract or a value.
 */
export async function contractPlan(
  what: string,
  options: {
    readonly name?: string;
    readonly json?: boolean;
    readonly set?: Readonly<Record<string, AttributeValue>>;
  },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const asked = FILE.test(what)
    ? (await documentsOf(what, options, terminal)).map(({ name, value }) => ({ name, contract: value }))
    : [{ name: what, contract: undefined }];
  for (const [index, { name, contract }] of asked.entries()) {
    const { body } = await request(target, "POST", `${contractPath(name)}/plan`, {
      body: { ...(contract === undefined ? {} : { contract }), values: options.set ?? {} },
    });
    if (options.json === true) {
      terminal.print(JSON.stringify(body));
      continue;
    }
    if (index > 0) terminal.print("");
    for (const line of linesFromPlan(name, body as PlanLike, terminal.style, terminal.width)) terminal.print(line);
  }
}

/** Lines of a plan, at most `columns` wide but for its head. */
export function linesFromPlan(
  name: string,
  { path: { from, to }, status, handlers, actions, governs, snapshot }: PlanLike,
  style: Style,
  columns = 80,
): string[] {
  // Some terminals say that they have none.
  const width = columns < 20 ? 80 : columns;
  const isBehind = status === "no_region";
  const stays = pathText(from) === pathText(to);
  const way = stays ? `stays in ${pathText(to)}` : `${pathText(from)} -> ${pathText(to)}`;
  const told = isBehind ? style.yellow(`${way}, nothing would hold`) : style.green(way);
  const lines = [`${style.bold(printable(name))}  ${told}`];
  const add = (title: string, body: readonly string[]): void => {
    if (body.length > 0) lines.push(style.dim(title), ...body);
  };
  add("decided by", Object.keys(snapshot).length === 0 ? [] : hung(seenText(snapshot), width));
  add(
    "handlers",
    handlers.flatMap((handler) => hung(printable(handler), width)),
  );
  add(
    "actions, in their order",
    actions.flatMap((action) => hung(printable(actionText(action)), width)),
  );
  for (const { kind, name: governed, changes, problem } of governs) {
    const widest = Math.min(Math.max(...changes.map(({ field }) => columnsOf(field)), 0), Math.floor(width / 2));
    add(`what would be in force of ${kind} ${printable(governed)}`, [
      ...changes.flatMap((change) => hung(printable(changeText(change, widest)), width)),
      ...(problem === undefined
        ? []
        : hung(printable(`cannot be: ${problem.detail} [${problem.code}]`), width).map(style.red)),
      ...(problem === undefined && changes.length === 0 ? ["  nothing else than now"] : []),
    ]);
  }
  if (actions.length === 0) lines.push("nothing would be done");
  return lines;
}

function actionText({ mode, ...action }: Readonly<Record<string, unknown>>): string {
  const said = Object.entries(action).map(
    ([verb, what]) => `${verb} ${typeof what === "string" ? what : JSON.stringify(what)}`,
  );
  return `${said.join(" ")}${mode === "async" ? " (async)" : ""}`;
}

function changeText({ field, from, to }: PlanLike["governs"][number]["changes"][number], widest: number): string {
  const text = (value: unknown): string => (value === null ? "-" : JSON.stringify(value));
  return `${pad(field, widest)}  ${text(from)} -> ${text(to)}`;
}
