/** Makes nodes of the tree: frozen, with their depth, and never deeper than readers can follow. */
import type { Expression, Place } from "./ast.ts";
import { childrenOf } from "./ast.ts";
import { beyond } from "./failure.ts";

/** A node without what is computed; distributes over the kinds. */
type Draft<Node> = Node extends Place ? Omit<Node, "depth"> : never;

/**
 * A node of the given parts.
 *
 * @param source For the error: where the tree became too deep.
 * @throws {SluiceError} `limit_reached` where it is deeper than `depthMax`.
 */
export function nodeOf<Node extends Expression>(source: string, depthMax: number, draft: Draft<Node>): Node {
  // The draft becomes the node: it is nobody else's, and parsing makes thousands of them.
  const node = draft as unknown as Node & { depth: number };
  node.depth = 1;
  for (const child of childrenOf(node)) if (child.depth >= node.depth) node.depth = child.depth + 1;
  const { depth } = node;
  if (depth > depthMax) throw beyond(`nests ${depth} levels deep`, depth, depthMax, source, draft.start);
  return Object.freeze(node);
}
