/**
 * The sinks of a route in the order in which it prefers them, kept on change: choosing the n best of a thousand looks at n
 * of them. A treap: a search tree by the key, a heap by a random priority, which keeps it as deep as chance makes trees
 * (Aragon and Seidel, Randomized Search Trees).
 *
 *   key: freshness, badness, selections, join order; the smallest is preferred
 */
import { mix64 } from "../memory/random";

/** Of a ranking attribute: set within the route's `maxAgeMs`, set before that, or not there (or no number). */
export const FRESH: u32 = 0;
export const STALE: u32 = 1;
export const UNKNOWN: u32 = 2;

/** A sink's place in the tree of one route. */
@unmanaged
export class RankNode {
  badness: f64;
  /** What badness is made of: the value of the ranking expression, and when its attributes were set, ms. */
  value: f64;
  setMs: f64;
  freshness: u32;
  selections: u32;
  order: u32;
  member: u32;
  left: u32;
  right: u32;
  parent: u32;
  priority: u32;
  /** Address of the Route. */
  route: u32;
  /** The member's next node. */
  nextOfMember: u32;
}

function nodeAt(at: u32): RankNode {
  return changetype<RankNode>(at);
}

/** Whether a is preferred to b. No two nodes of a tree are equal: the join order decides. */
export function preferred(a: RankNode, b: RankNode): bool {
  if (a.freshness !== b.freshness) return a.freshness < b.freshness;
  if (a.badness !== b.badness) return a.badness < b.badness;
  if (a.selections !== b.selections) return a.selections < b.selections;
  return a.order < b.order;
}

/** Puts `child` where `old` hangs below `parent`; returns the root. */
function rehang(root: u32, parent: u32, old: u32, child: u32): u32 {
  if (child !== 0) nodeAt(child).parent = parent;
  if (parent === 0) return child;
  if (nodeAt(parent).left === old) nodeAt(parent).left = child;
  else nodeAt(parent).right = child;
  return root;
}

/** Turns a child over its parent; returns the root. */
function rotateUp(root: u32, at: u32): u32 {
  const node = nodeAt(at);
  const above = node.parent;
  const parent = nodeAt(above);
  root = rehang(root, parent.parent, above, at);
  if (parent.left === at) {
    parent.left = node.right;
    if (node.right !== 0) nodeAt(node.right).parent = above;
    node.right = above;
  } else {
    parent.right = node.left;
    if (node.left !== 0) nodeAt(node.left).parent = above;
    node.left = above;
  }
  parent.parent = at;
  return root;
}

/** Inserts a node whose key is set; returns the root. */
export function treeInsert(root: u32, at: u32): u32 {
  const node = nodeAt(at);
  node.left = node.right = node.parent = 0;
  // By join order and route, so that equal runs build equal trees.
  node.priority = <u32>mix64(((<u64>node.order) << 32) | node.route);
  if (root === 0) return at;
  let above = root;
  while (true) {
    const left = preferred(node, nodeAt(above));
    const next = left ? nodeAt(above).left : nodeAt(above).right;
    if (next !== 0) {
      above = next;
      continue;
    }
    if (left) nodeAt(above).left = at;
    else nodeAt(above).right = at;
    break;
  }
  node.parent = above;
  while (node.parent !== 0 && nodeAt(node.parent).priority < node.priority) root = rotateUp(root, at);
  return root;
}

/** Takes a node out; returns the root. */
export function treeRemove(root: u32, at: u32): u32 {
  const node = nodeAt(at);
  while (node.left !== 0 && node.right !== 0) {
    const left = nodeAt(node.left).priority > nodeAt(node.right).priority;
    root = rotateUp(root, left ? node.left : node.right);
  }
  return rehang(root, node.parent, at, node.left !== 0 ? node.left : node.right);
}

/** The preferred node, 0 in an empty tree. */
export function treeFirst(root: u32): u32 {
  if (root === 0) return 0;
  while (nodeAt(root).left !== 0) root = nodeAt(root).left;
  return root;
}

/** The node after this one, 0 where it is the last. */
export function treeNext(at: u32): u32 {
  if (nodeAt(at).right !== 0) return treeFirst(nodeAt(at).right);
  let above = nodeAt(at).parent;
  while (above !== 0 && nodeAt(above).right === at) {
    at = above;
    above = nodeAt(at).parent;
  }
  return above;
}

function treePrevious(at: u32): u32 {
  let below = nodeAt(at).left;
  if (below !== 0) {
    while (nodeAt(below).right !== 0) below = nodeAt(below).right;
    return below;
  }
  let above = nodeAt(at).parent;
  while (above !== 0 && nodeAt(above).left === at) {
    at = above;
    above = nodeAt(at).parent;
  }
  return above;
}

/** The first node that is not fresh, 0 where all are. */
export function treeFirstStale(root: u32): u32 {
  let found: u32 = 0;
  while (root !== 0) {
    if (nodeAt(root).freshness !== FRESH) {
      found = root;
      root = nodeAt(root).left;
    } else {
      root = nodeAt(root).right;
    }
  }
  return found;
}

/** Puts a node that can only have become less preferred where it belongs; returns the root. */
export function treeFallen(root: u32, at: u32): u32 {
  const next = treeNext(at);
  if (next === 0 || preferred(nodeAt(at), nodeAt(next))) return root;
  return treeInsert(treeRemove(root, at), at);
}

/** Puts a node whose key has changed where it belongs; returns the root. Most changes leave the order as it is. */
export function treeMoved(root: u32, at: u32): u32 {
  const next = treeNext(at);
  if (next === 0 || preferred(nodeAt(at), nodeAt(next))) {
    const previous = treePrevious(at);
    if (previous === 0 || preferred(nodeAt(previous), nodeAt(at))) return root;
  }
  return treeInsert(treeRemove(root, at), at);
}
