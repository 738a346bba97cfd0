/** How a contract looks: its regions as a tree, what was seen of its conditions, and why it moved. */
import { columnsOf, counted, cut, figure, pad, printable, type Style, wrapped } from "./style.ts";

/** A region as it is written. */
interface RegionLike {
  readonly name: string;
  readonly when?: string;
  readonly exit?: string;
  readonly select?: string;
  readonly regions?: readonly RegionLike[];
}

/** The contract resource as far as it is shown; docs/http.md has all of it. */
export interface ContractLike {
  readonly name: string;
  readonly extends?: string | null;
  readonly regions?: readonly RegionLike[];
  readonly resolved?: { readonly regions: readonly RegionLike[]; readonly conditions?: Conditions };
  readonly conditions?: Conditions;
  readonly path: readonly string[];
  readonly status: string;
  readonly hits: Readonly<Record<string, number>>;
  readonly triggers: number;
  readonly evaluations: number;
  readonly failures: number;
  readonly lastFailure: { readonly action: string; readonly code: string; readonly detail: string } | null;
  readonly snapshot: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}
type Conditions = Readonly<Record<string, { readonly use?: string }>>;

/** A transition as the host tells it. */
export interface TransitionLike {
  readonly number: number;
  readonly at: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly handlers: readonly string[];
  readonly why: {
    readonly region: string;
    readonly when: string | null;
    readonly values: Readonly<Record<string, unknown>>;
  };
}

/** Names of regions as they nest. */
export function pathText(path: readonly string[]): string {
  return path.length === 0 ? "-" : printable(path.join("/"));
}

/** One line for a transition: when, from where to where, what was carried out, and why. */
export function lineFromTransition({ at, from, to, handlers, why }: TransitionLike): string {
  const carried = handlers.length === 0 ? "" : ` [${printable(handlers.join(", "))}]`;
  return `${printable(at)} ${pathText(from)} -> ${pathText(to)}${carried} ${whyText(why)}`;
}

/** Which predicate moved it, and what it was seen with. */
export function whyText({ region, when, values }: TransitionLike["why"]): string {
  const seen = seenText(values);
  const rule = when === null ? `${region} holds where nothing before it does` : `${region} holds: ${when}`;
  return printable(`since ${rule}${seen === "" ? "" : ` with ${seen}`}`);
}

/** Values of conditions, in one line. */
export function seenText(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${printable(name)}=${valueText(value)}`)
    .join(" ");
}

/** Lines of the whole picture, at most `width` columns wide. */
export function linesFromContract(
  contract: ContractLike,
  last: TransitionLike | undefined,
  style: Style,
  columns = 80,
): string[] {
  // Some terminals say that they have none.
  const width = columns < 20 ? 80 : columns;
  const isBehind = contract.status === "no_region";
  const state = isBehind
    ? style.yellow(`${pathText(contract.path)}, nothing holds now`)
    : style.green(pathText(contract.path));
  const based = typeof contract.extends === "string" ? style.dim(` extends ${printable(contract.extends)}`) : "";
  const lines = [`${style.bold(printable(contract.name))}${based}  ${state}`, ...regionLines(contract, style, width)];
  const conditions = conditionLines(contract, style, width);
  if (conditions.length > 0) lines.push(style.dim("conditions, as last seen"), ...conditions);
  if (last !== undefined) {
    lines.push(
      style.dim("last transition"),
      ...hung(`${printable(last.at)} ${pathText(last.from)} -> ${pathText(last.to)}`, width),
    );
    lines.push(...hung(whyText(last.why), width));
  }
  const { triggers, evaluations, failures, lastFailure } = contract;
  const sums = [counted(triggers, "trigger"), counted(evaluations, "evaluation"), counted(failures, "failure")].join(
    ", ",
  );
  lines.push(style.dim(cut(sums, width)));
  if (lastFailure !== null) {
    const { action, code, detail } = lastFailure;
    lines.push(...hung(printable(`${action} failed: ${detail} [${code}]`), width).map(style.red));
  }
  for (const warning of contract.warnings) lines.push(...hung(printable(warning), width).map(style.yellow));
  return lines;
}

/** Lines of a text that is under something. */
export function hung(text: string, width: number): string[] {
  return wrapped(text, width - 2).map((line) => cut(`  ${line}`, width));
}

interface Row {
  readonly label: string;
  readonly rule: string;
  readonly hits: string;
  readonly isActive: boolean;
}

function regionLines(contract: ContractLike, style: Style, width: number): string[] {
  const rows: Row[] = [];
  const add = (regions: readonly RegionLike[], outer: readonly string[], ranked: string | undefined): void => {
    for (const region of regions) {
      const path = [...outer, region.name];
      const isActive = path.every((name, level) => contract.path[level] === name);
      const until = region.exit === undefined ? "" : ` until ${region.exit}`;
      const rule = ranked === undefined ? (region.when ?? "else") : `${ranked} of ${region.when ?? "-"}`;
      rows.push({
        label: `${"  ".repeat(outer.length)}${isActive ? "*" : "-"} ${printable(region.name)}`,
        rule: printable(rule + until),
        hits: figure(contract.hits[path.join("/")] ?? 0),
        isActive,
      });
      const { select = "first" } = region;
      add(region.regions ?? [], path, select === "first" ? undefined : select);
    }
  };
  add(contract.resolved?.regions ?? contract.regions ?? [], [], undefined);
  const hits = Math.max(4, ...rows.map((row) => row.hits.length));
  const label = Math.min(Math.max(...rows.map((row) => columnsOf(row.label)), 6), Math.floor(width / 2));
  const rule = Math.max(8, width - label - hits - 4);
  const widest = Math.min(rule, Math.max(4, ...rows.map((row) => columnsOf(row.rule))));
  const head = style.dim(`${pad("REGION", label)}  ${pad("WHEN", widest)}  ${pad("HITS", hits, true)}`);
  const body = rows.map((row) => {
    const line = `${pad(cut(row.label, label), label)}  ${pad(cut(row.rule, widest), widest)}  ${pad(row.hits, hits, true)}`;
    return row.isActive ? style.green(line) : line;
  });
  return [head, ...body];
}

function conditionLines(contract: ContractLike, style: Style, width: number): string[] {
  const conditions = contract.resolved?.conditions ?? contract.conditions ?? {};
  const names = Object.keys(contract.snapshot);
  const label = Math.min(Math.max(0, ...names.map(columnsOf)), Math.floor(width / 2));
  return names.map((name) => {
    const own = conditions[name];
    const whole = own === undefined || own.use === name ? "" : (own.use ?? `${contract.name}.${name}`);
    const called = cut(printable(whole), Math.max(8, Math.floor(width / 2) - 6));
    const value = cut(valueText(contract.snapshot[name]), Math.max(8, width - label - columnsOf(called) - 6));
    return `  ${pad(cut(printable(name), label), label)}  ${value}${called === "" ? "" : style.dim(`  ${called}`)}`;
  });
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  return typeof value === "string" ? printable(JSON.stringify(value)) : String(value);
}
