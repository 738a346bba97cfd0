/**
 * The syntax tree of an expression: what parse.ts makes, compile.ts turns into bytecode and evaluate.ts walks.
 *
 * Nodes never change once made. Each knows its place in the source, so that whoever explains a decision can show the very
 * words that made it.
 */
import type { Value } from "./value.ts";

/** What every node has. */
export interface Place {
  /** First character in the source, in UTF-16 units. */
  readonly start: number;
  /** Behind the last one. */
  readonly end: number;
  /** Levels of the tree from here down, 1 for a leaf; limits.expressionDepth bounds it, and so the readers' recursion. */
  readonly depth: number;
}

/** A constant. Never missing. */
export interface Literal extends Place {
  readonly kind: "literal";
  readonly value: Exclude<Value, undefined>;
}

/** An attribute or field of the event, or an attribute of the sink. */
export interface Name extends Place {
  readonly kind: "name";
  readonly scope: "event" | "sink";
  /** In lower case: names are not case-sensitive. */
  readonly name: string;
}

/** `EXISTS name`. */
export interface Exists extends Place {
  readonly kind: "exists";
  readonly name: Name;
}

/** `age(sink.name)`. */
export interface Age extends Place {
  readonly kind: "age";
  readonly name: Name;
}

/** `NOT x` and `-x`. */
export interface Unary extends Place {
  readonly kind: "not" | "negate";
  readonly operand: Expression;
}

/** Words of a comparison; `<>` is `!=`. */
export type ComparisonOperator = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** `x = y` and the like. */
export interface Comparison extends Place {
  readonly kind: "comparison";
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** Signs of arithmetic. */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";

/** `x + y` and the like. */
export interface Arithmetic extends Place {
  readonly kind: "arithmetic";
  readonly operator: ArithmeticOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `a AND b AND c`: one node for all operands in a row, two at least; a node for each pair would be deep for nothing. */
export interface Logic extends Place {
  readonly kind: "and" | "or" | "xor";
  readonly operands: readonly Expression[];
}

/** `x LIKE 'pattern'`. */
export interface Like extends Place {
  readonly kind: "like";
  readonly negated: boolean;
  readonly operand: Expression;
  readonly pattern: string;
}

/** `x IN (a, b)`. */
export interface In extends Place {
  readonly kind: "in";
  readonly negated: boolean;
  readonly operand: Expression;
  readonly elements: readonly Expression[];
}

/** `x BETWEEN low AND high`. */
export interface Between extends Place {
  readonly kind: "between";
  readonly negated: boolean;
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
}

/** `x IS NULL`. */
export interface IsNull extends Place {
  readonly kind: "null";
  readonly negated: boolean;
  readonly operand: Expression;
}

/** `LENGTH(x)` and the like. Functions that are not there, which only the pure language takes, are calls too. */
export interface Call extends Place {
  readonly kind: "call";
  /** In upper case. */
  readonly name: string;
  readonly arguments: readonly Expression[];
}

/** Any node. */
export type Expression =
  | Literal
  | Name
  | Exists
  | Age
  | Unary
  | Comparison
  | Arithmetic
  | Logic
  | Like
  | In
  | Between
  | IsNull
  | Call;

/** Direct parts of a node, in the order in which they stand. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case "literal":
    case "name":
      return [];
    case "exists":
    case "age":
      return [node.name];
    case "and":
    case "or":
    case "xor":
      return node.operands;
    case "comparison":
    case "arithmetic":
      return [node.left, node.right];
    case "in":
      return [node.operand, ...node.elements];
    case "between":
      return [node.operand, node.low, node.high];
    case "call":
      return node.arguments;
    default:
      return [node.operand];
  }
}

/** Whether the result of a tree is a division's own. */
export function isDivision(tree: Expression): boolean {
  return tree.kind === "arithmetic" && (tree.operator === "/" || tree.operator === "%");
}
