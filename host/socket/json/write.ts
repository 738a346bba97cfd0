/**
 * Writes JSON text. Besides what JSON.stringify knows it takes {@link RawJson}, which goes out as it is, and bigints,
 * which go out as their digits.
 */
import { RawJson } from "./reader.ts";

/** What can be written. Members that are undefined are left out. */
export type JsonTree =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | RawJson
  | readonly JsonTree[]
  | { readonly [name: string]: JsonTree };

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** JSON text of a tree, without white space but what raw parts bring. Numbers that are not finite become null. */
export function textFromTree(tree: JsonTree): string {
  if (tree === undefined) return "null";
  if (tree === null || typeof tree !== "object")
    return typeof tree === "bigint" ? tree.toString() : JSON.stringify(tree);
  if (tree instanceof RawJson) return decoder.decode(tree.bytes);
  if (isArray(tree)) return `[${tree.map(textFromTree).join(",")}]`;
  const members = Object.entries(tree).filter((member) => member[1] !== undefined);
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${textFromTree(value)}`).join(",")}}`;
}

/** The tree as JSON.parse would give it back: raw parts parsed, bigints as numbers. */
export function plainFromTree(tree: JsonTree): unknown {
  return JSON.parse(textFromTree(tree));
}

/** Array.isArray() does not narrow readonly arrays. */
function isArray(tree: object): tree is readonly JsonTree[] {
  return Array.isArray(tree);
}
