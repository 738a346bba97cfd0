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
  const node = { ...draft, depth: 1 } as unknown as Node;
  let depth = 1;
  for (const child of childrenOf(node)) depth = Math.max(depth, child.depth + 1);
  if (depth > depthMax) throw beyond(`nests ${depth} levels deep`, depth, depthMax, source, draft.start);
  return Object.freeze({ ...node, depth }) as unknown as Node;
}
