/**
 * What type the value of an expression has whatever the event is, so that one that makes no sense where it stands is refused
 * when it is set, and not found out by a sink that gets nothing.
 */

import * as code from "../../core-wasm/expression/code.ts";
import type * as ast from "./ast.ts";
import { unfit } from "./failure.ts";
import { functionFor } from "./functions.ts";
import { fieldOf, specVersionName } from "./names.ts";

/** A type of values; whole numbers are numbers. A value of any of them may be missing. */
export type StaticType = "boolean" | "number" | "text";

/**
 * The type of an expression's value, where it has one.
 *
 * @returns Undefined where the event or the sink decides: attributes may have any type.
 */
export function staticType(tree: ast.Expression): StaticType | undefined {
  switch (tree.kind) {
    case "literal":
      return typeof tree.value === "boolean" ? "boolean" : typeof tree.value === "string" ? "text" : "number";
    case "name":
      return typeOfName(tree);
    case "age":
    case "negate":
    case "arithmetic":
      return "number";
    case "call":
      // A function that is not there gives FALSE in the pure language; the other has refused it by now.
      return functionFor(tree.name, tree.arguments.length)?.gives ?? "boolean";
    default:
      return "boolean";
  }
}

function typeOfName({ scope, name }: ast.Name): StaticType | undefined {
  if (scope === "sink") return undefined;
  if (name === specVersionName) return "text";
  const field = fieldOf(name);
  if (field === code.FIELD_ATTRIBUTE) return undefined;
  return field === code.FIELD_PRIORITY ? "number" : "text";
}

const asked: { readonly [Type in StaticType]: string } = {
  boolean: "something that is true or false",
  number: "a number",
  text: "a text",
};

/**
 * Refuses an expression whose value can never be of one of the types that are wanted where it stands.
 *
 * @param source What `tree` was read from.
 * @throws {SluiceError} `expression` with line, column and what was expected.
 */
export function assertType(source: string, tree: ast.Expression, ...wanted: readonly StaticType[]): void {
  const type = staticType(tree);
  if (type === undefined || wanted.includes(type)) return;
  throw unfit(
    source,
    tree.start,
    tree.end,
    type,
    wanted.map((one) => asked[one]),
  );
}
