/** From tree to bytecode; what the machine does with it stands in core-wasm/expression/code.ts. */
import * as code from "../../core-wasm/expression/code.ts";
import { limits as defaults } from "../limits.ts";
import * as ast from "./ast.ts";
import type { Dialect } from "./dialect.ts";
import { functionFor } from "./functions.ts";
import { fieldOf, specVersion, specVersionName } from "./names.ts";
import { parse } from "./parse.ts";
import { ProgramBuilder } from "./program.ts";
import type { ExpressionLimits } from "./reader.ts";

/** An expression that is ready to be given to the core. */
export interface CompiledExpression {
  /** As it was written. */
  readonly source: string;
  readonly dialect: Dialect;
  readonly tree: ast.Expression;
  /** For the core's expressionAdd(). The same expression, however it is spaced, always gives the same bytes. */
  readonly program: Uint8Array<ArrayBuffer>;
}

/**
 * Reads and compiles an expression.
 *
 * @throws {SluiceError} `expression` or `limit_reached`, as parse() and compile() do.
 */
export function compileExpression(
  source: string,
  dialect: Dialect = "sluice",
  limits: ExpressionLimits = defaults,
): CompiledExpression {
  const tree = parse(source, dialect, limits);
  return Object.freeze({ source, dialect, tree, program: compile(tree, dialect, limits) });
}

/**
 * Compiles a tree.
 *
 * @param conditions Of expressions over conditions: the index of each name.
 * @throws {SluiceError} `limit_reached` where it has too many constants or names, or needs more stack than there is.
 */
export function compile(
  tree: ast.Expression,
  dialect: Dialect,
  limits: ExpressionLimits = defaults,
  conditions?: ReadonlyMap<string, number>,
): Uint8Array<ArrayBuffer> {
  const builder = new ProgramBuilder(limits, conditions);
  emit(builder, tree);
  // A division by zero is missing to what contains it; as the result of the whole it is the zero value.
  if (dialect === "cesql" && ast.isDivision(tree)) builder.operation(code.OP_TO_INTEGER);
  return builder.finish(dialect === "cesql");
}

const comparisons: { readonly [Operator in ast.ComparisonOperator]: number } = {
  "=": code.OP_EQUAL,
  "!=": code.OP_NOT_EQUAL,
  "<": code.OP_LESS,
  "<=": code.OP_LESS_EQUAL,
  ">": code.OP_GREATER,
  ">=": code.OP_GREATER_EQUAL,
};
const arithmetics: { readonly [Operator in ast.ArithmeticOperator]: number } = {
  "+": code.OP_ADD,
  "-": code.OP_SUBTRACT,
  "*": code.OP_MULTIPLY,
  "/": code.OP_DIVIDE,
  "%": code.OP_REMAINDER,
};

function emit(to: ProgramBuilder, node: ast.Expression): void {
  switch (node.kind) {
    case "literal":
      return to.constant(node.value);
    case "name":
      return emitName(to, code.OP_NAME, node);
    case "exists":
      return emitName(to, code.OP_EXISTS, node.name);
    case "age":
      return emitName(to, code.OP_AGE, node.name);
    case "not":
      emit(to, node.operand);
      return to.operation(code.OP_NOT);
    case "negate":
      emit(to, node.operand);
      return to.operation(code.OP_NEGATE);
    case "comparison":
      emit(to, node.left);
      emit(to, node.right);
      return to.operation(comparisons[node.operator]);
    case "arithmetic":
      emit(to, node.left);
      emit(to, node.right);
      return to.operation(arithmetics[node.operator]);
    case "xor":
      return emitXor(to, node);
    case "and":
    case "or":
      return emitLogic(to, node);
    case "like":
      emit(to, node.operand);
      return to.like(node.negated ? code.OP_NOT_LIKE : code.OP_LIKE, node.pattern);
    case "in":
      return emitIn(to, node);
    case "between":
      emit(to, node.operand);
      emit(to, node.low);
      emit(to, node.high);
      return to.operation(node.negated ? code.OP_NOT_BETWEEN : code.OP_BETWEEN);
    case "null":
      return emitNull(to, node);
    case "call":
      return emitCall(to, node);
  }
}

function emitName(to: ProgramBuilder, op: number, { scope, name }: ast.Name): void {
  if (to.conditionOf(name) !== undefined) to.name(op, code.SCOPE_CONDITION, code.FIELD_ATTRIBUTE, name);
  else if (scope === "sink") to.name(op, code.SCOPE_SINK, code.FIELD_ATTRIBUTE, name);
  else if (name !== specVersionName) to.name(op, code.SCOPE_EVENT, fieldOf(name), name);
  else to.constant(op === code.OP_EXISTS ? true : specVersion);
}

/** One jump per operand but the last, all to the end: what decides stays on the stack. */
function emitLogic(to: ProgramBuilder, node: ast.Logic): void {
  const jump = node.kind === "and" ? code.OP_JUMP_FALSE : code.OP_JUMP_TRUE;
  const jumps = node.operands.slice(0, -1).map((operand) => {
    emit(to, operand);
    return to.jump(jump);
  });
  const last = node.operands.at(-1) as ast.Expression;
  emit(to, last);
  if (!isBoolean(last)) to.operation(code.OP_TO_BOOLEAN);
  for (const one of jumps) to.land(one);
}

function emitXor(to: ProgramBuilder, node: ast.Logic): void {
  node.operands.forEach((operand, index) => {
    emit(to, operand);
    if (index > 0) to.operation(code.OP_XOR);
  });
}

function emitIn(to: ProgramBuilder, node: ast.In): void {
  emit(to, node.operand);
  const jumps = node.elements.flatMap((element, index) => {
    emit(to, element);
    to.operation(code.OP_IN_EQUAL);
    return index < node.elements.length - 1 ? [to.jump(code.OP_JUMP_TRUE)] : [];
  });
  for (const one of jumps) to.land(one);
  if (node.negated) to.operation(code.OP_IN_NOT);
  to.operation(code.OP_NIP);
}

/** Of a name, whether it is there: to ask is no error. */
function emitNull(to: ProgramBuilder, { operand, negated }: ast.IsNull): void {
  if (operand.kind === "name") emitName(to, code.OP_EXISTS, operand);
  else {
    emit(to, operand);
    to.operation(code.OP_IS_MISSING);
  }
  if (negated !== (operand.kind === "name")) to.operation(code.OP_NOT);
}

function emitCall(to: ProgramBuilder, node: ast.Call): void {
  const count = node.arguments.length;
  const meaning = functionFor(node.name, count);
  // Only the pure language gets here without one; the arguments of a call that nobody answers are not looked at.
  if (meaning === undefined) return to.operation(code.OP_FAIL, code.ERROR_MISSING_FUNCTION);
  for (const argument of node.arguments) emit(to, argument);
  if (meaning.operation !== undefined) to.operation(meaning.operation);
  else to.call(meaning.call as number, count);
}

/** Whether a node gives a boolean whatever the event is. */
function isBoolean(node: ast.Expression): boolean {
  switch (node.kind) {
    case "literal":
      return typeof node.value === "boolean";
    case "name":
    case "age":
    case "negate":
    case "arithmetic":
      return false;
    case "call":
      return functionFor(node.name, node.arguments.length)?.operation === code.OP_TO_BOOLEAN;
    default:
      return true;
  }
}
