/** A syntax tree in one line, for tests: every operator with its operands in parentheses. */
import type { Expression } from "../../../host/expression/ast.ts";
import { valueText } from "../../../host/expression/value.ts";

/** Such as `(and (= type 'a') (not b))`. */
export function shape(node: Expression): string {
  const not = "negated" in node && node.negated ? "not-" : "";
  switch (node.kind) {
    case "literal":
      return valueText(node.value);
    case "name":
      return node.scope === "sink" ? `sink.${node.name}` : node.name;
    case "exists":
    case "age":
      return `(${node.kind} ${shape(node.name)})`;
    case "not":
    case "negate":
      return `(${node.kind} ${shape(node.operand)})`;
    case "comparison":
    case "arithmetic":
      return `(${node.operator} ${shape(node.left)} ${shape(node.right)})`;
    case "and":
    case "or":
    case "xor":
      return `(${[node.kind, ...node.operands.map(shape)].join(" ")})`;
    case "like":
      return `(${not}like ${shape(node.operand)} ${valueText(node.pattern)})`;
    case "in":
      return `(${not}in ${[node.operand, ...node.elements].map(shape).join(" ")})`;
    case "between":
      return `(${not}between ${[node.operand, node.low, node.high].map(shape).join(" ")})`;
    case "null":
      return `(${not}null ${shape(node.operand)})`;
    case "call":
      return `(${[node.name, ...node.arguments.map(shape)].join(" ")})`;
  }
}
