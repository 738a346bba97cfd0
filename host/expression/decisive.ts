/** Why an expression does not hold: the very words that decided. */
import { ERROR_MISSING } from "../../core-wasm/expression/code.ts";
import * as ast from "./ast.ts";
import type { Dialect } from "./dialect.ts";
import { evaluate } from "./evaluate.ts";
import { type Position, positionOf } from "./position.ts";
import type { ExpressionView } from "./view.ts";

/** The part of an expression that made it false. */
export interface Decisive extends Position {
  /** As it stands in the source. */
  readonly text: string;
  /** Attributes that it asks for and that are not there, such as `load` or `sink.load`. */
  readonly missing: readonly string[];
}

/**
 * Finds the smallest part that made an expression false: of an AND the first operand that is false, and so on down. Of an OR
 * all operands had to be false, so it is the OR itself.
 *
 * @param tree Of `source`; it does not hold of the view.
 */
export function decisiveOf(source: string, tree: ast.Expression, view: ExpressionView, dialect: Dialect): Decisive {
  let node = tree;
  while (node.kind === "and") {
    const failed = node.operands.find((operand) => evaluate(operand, view, dialect).value !== true);
    if (failed === undefined) break;
    node = failed;
  }
  return {
    ...positionOf(source, node.start),
    text: source.slice(node.start, node.end),
    missing: [...new Set(missingOf(node, view, dialect))],
  };
}

/** Recursion is bounded by the depth of the tree. */
function missingOf(node: ast.Expression, view: ExpressionView, dialect: Dialect): string[] {
  if (node.kind === "name") {
    const isMissing = (evaluate(node, view, dialect).errors & ERROR_MISSING) !== 0;
    return isMissing ? [node.scope === "sink" ? `sink.${node.name}` : node.name] : [];
  }
  // Asking whether a name is there is not asking for it.
  if (node.kind === "exists" || node.kind === "null") return [];
  return ast.childrenOf(node).flatMap((child) => missingOf(child, view, dialect));
}
