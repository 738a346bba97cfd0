/**
 * A filter in one line that a person can read: what tables, `channel show` and explanations call it.
 *
 *   request: 2 best by sink.load where sink.load < 0.8, unique by key for 5 s
 *   module least-loaded@1f3a9c2e
 */
import type * as ast from "../expression/ast.ts";
import type { CompiledExpression } from "../expression/compile.ts";
import { limits } from "../limits.ts";
import type { Binding, ModuleBinding, Route } from "./route.ts";

/** Of a digest as people are shown it: of 64 versions two begin alike once in two million. */
const DIGEST_DIGITS = 8;

/** All routes of a binding; those beyond limits.summaryRoutes are counted. */
export function bindingSummary({ routes, module }: Binding): string {
  if (module !== undefined) return moduleSummary(module);
  const shown = routes.slice(0, limits.summaryRoutes).map(routeSummary);
  const more = routes.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** `least-loaded@1f3a9c2e, drop on errors`: of a digest as much as tells versions apart. */
function moduleSummary({ module, digest, onError }: ModuleBinding): string {
  const version = digest === undefined ? "" : `@${shortDigest(digest)}`;
  return `module ${module}${version}${onError === undefined ? "" : `, ${onError} on errors`}`;
}

/** The first digits of a digest, for people. */
export function shortDigest(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + DIGEST_DIGITS);
}

/** One route. */
export function routeSummary(route: Route): string {
  const { when, where, per, unique, reply } = route;
  const parts = [
    [choiceOf(route), per && `per ${textOf(per)}`, where && `where ${textOf(where)}`].filter(Boolean).join(" "),
    route.charge === 0 ? undefined : `each choice costs ${route.charge}`,
    Number.isFinite(route.maxAgeMs) ? `those within ${durationText(route.maxAgeMs)} first` : undefined,
    unique && `unique by ${textOf(unique.by)} for ${durationText(unique.withinMs)}`,
    reply && `replies (${textOf(reply.response)}) to who asked within ${durationText(reply.withinMs)}`,
  ];
  const text = parts.filter((part) => part !== undefined).join(", ");
  return when === undefined ? text : `${whenText(when)}: ${text}`;
}

/** 5000 as "5 s", 250 as "250 ms". */
export function durationText(ms: number): string {
  return ms >= 1_000 && Number.isInteger(ms / 100) ? `${ms / 1_000} s` : `${ms} ms`;
}

/** How many, and which. */
function choiceOf({ limit, choose, orderBy, descending }: Route): string {
  if (limit === 0) return "nobody";
  const count = limit === undefined ? "all" : typeof limit === "number" ? String(limit) : `(${textOf(limit)})`;
  if (choose === "tied") return `${count} tied`;
  if (choose === "hash") return `${count} by hash of the key`;
  // Where all get it there is nothing to choose.
  if (limit === undefined) return "all";
  if (choose === "random") return `${count} at random`;
  if (orderBy === undefined) return `${count} in turn`;
  return `${count} best by ${descending ? "highest " : ""}${textOf(orderBy)}`;
}

/** `type = 'request'` is what most routes ask: the type alone says it. */
function whenText(when: CompiledExpression): string {
  const type = typeIn(when.tree);
  return type ?? textOf(when);
}

function typeIn(tree: ast.Expression): string | undefined {
  if (tree.kind !== "comparison" || tree.operator !== "=") return undefined;
  const { left, right } = tree;
  const isType = left.kind === "name" && left.scope === "event" && left.name === "type";
  return isType && right.kind === "literal" && typeof right.value === "string" && /^[\w./-]+$/.test(right.value)
    ? right.value
    : undefined;
}

/** On one line, and cut where it is long. */
function textOf({ source }: CompiledExpression): string {
  const line = source.trim().replaceAll(/\s*\n\s*/g, " ");
  const characters = [...line];
  const max = limits.summaryExpression;
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join("")}…`;
}
