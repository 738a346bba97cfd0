/** Expressions over conditions: what they ask for, and the program for the core. */
import { CONDITION_INPUTS_MAX } from "../../core-wasm/expression/code.ts";
import { SluiceError } from "../errors.ts";
import type * as ast from "../expression/ast.ts";
import { childrenOf } from "../expression/ast.ts";
import { compile } from "../expression/compile.ts";
import { unexpected } from "../expression/failure.ts";
import { parse } from "../expression/parse.ts";
import { positionOf } from "../expression/position.ts";
import { assertType, type StaticType } from "../expression/static-type.ts";
import { limits } from "../limits.ts";

/** A condition that an expression asks for, and where. */
export interface AskedCondition {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** An expression that is read and not compiled yet. */
export interface ReadOver {
  readonly source: string;
  readonly tree: ast.Expression;
  /** Each once, in the order in which they are first asked for. */
  readonly asked: readonly AskedCondition[];
}

/**
 * Reads an expression whose names are conditions.
 *
 * @param wanted What its value must be able to be.
 * @throws {SluiceError} `expression` with line, column and what was expected, also for attributes of sinks; `limit_reached`.
 */
export function readOver(source: string, ...wanted: readonly StaticType[]): ReadOver {
  const tree = parse(source, "sluice", limits);
  // A name alone may have any type, also where it is called as a field of events is.
  if (wanted.length > 0 && tree.kind !== "name") assertType(source, tree, ...wanted);
  const asked = new Map<string, AskedCondition>();
  collect(source, tree, asked);
  if (asked.size > CONDITION_INPUTS_MAX)
    throw new SluiceError(
      "limit_reached",
      `The expression asks for ${asked.size} conditions, limit is ${CONDITION_INPUTS_MAX}`,
      { value: asked.size, limit: CONDITION_INPUTS_MAX },
    );
  return { source, tree, asked: [...asked.values()] };
}

/** An expression asks for a condition that is not there. */
export function conditionMissing(source: string, { name, start }: AskedCondition): SluiceError {
  const position = positionOf(source, start);
  return new SluiceError(
    "expression",
    `Cannot take the expression at line ${position.line}, column ${position.column}: there is no condition "${name}"`,
    { value: name, ...position, expected: ["a condition that is there"] },
  );
}

/** Compiles it. @param indexes Of every condition that it asks for. */
export function compileOver({ tree }: ReadOver, indexes: ReadonlyMap<string, number>): Uint8Array<ArrayBuffer> {
  return compile(tree, "sluice", limits, indexes);
}

/** Recursion is bounded by the depth of the tree. */
function collect(source: string, node: ast.Expression, asked: Map<string, AskedCondition>): void {
  if (node.kind === "name") {
    if (node.scope === "sink") throw unexpected(source, node.start, node.end, ["a condition"]);
    if (!asked.has(node.name)) asked.set(node.name, { name: node.name, start: node.start, end: node.end });
  }
  for (const child of childrenOf(node)) collect(source, child, asked);
}
