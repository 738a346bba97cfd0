/**
 * The evaluator: walks the tree and says what an expression is of an event, slowly and plainly. It is what the machine of the
 * core is tested against, and what can explain a decision; no hot event meets it.
 */
import * as code from "../../core-wasm/expression/code.ts";
import { arithmetic, negated } from "./arithmetic.ts";
import * as ast from "./ast.ts";
import { call } from "./call.ts";
import {
  isTrue,
  type Present,
  type Run,
  seenBy,
  textOrder,
  toBoolean,
  toNumeric,
  toText,
  toWhole,
  zero,
} from "./cast.ts";
import type { Dialect } from "./dialect.ts";
import { functionFor } from "./functions.ts";
import { fieldOf, presentFields, specVersion, specVersionName } from "./names.ts";
import { like } from "./text.ts";
import type { Value } from "./value.ts";
import type { ExpressionView } from "./view.ts";

/** What came out. */
export interface Evaluation {
  readonly value: Value;
  /** ERROR_… bits of everything that went wrong on the way. */
  readonly errors: number;
}

/** Of an event that says none. */
const PRIORITY = 4n;

/** Evaluates a tree of any size that parse() gives; never throws. */
export function evaluate(tree: ast.Expression, view: ExpressionView, dialect: Dialect = "sluice"): Evaluation {
  const run: Run = { dialect, errors: 0 };
  let value = new Evaluator(run, view).value(tree);
  if (value === undefined && ast.isDivision(tree)) value = zero(run, 0n);
  return { value, errors: run.errors };
}

class Evaluator {
  readonly #run: Run;
  readonly #view: ExpressionView;

  constructor(run: Run, view: ExpressionView) {
    this.#run = run;
    this.#view = view;
  }

  value(node: ast.Expression): Value {
    switch (node.kind) {
      case "literal":
        return node.value;
      case "name":
        return this.#noted(this.#name(node));
      case "exists":
        return this.#exists(node.name);
      case "age":
        return this.#noted(this.#view.sinkAgeMs(node.name.name));
      case "not":
        return this.#not(this.value(node.operand));
      case "negate":
        return negated(this.#run, this.value(node.operand));
      case "comparison":
        return this.#compare(node.operator, this.value(node.left), this.value(node.right)) === true;
      case "arithmetic":
        return arithmetic(this.#run, node.operator, this.value(node.left), this.value(node.right));
      case "and":
        return node.operands.every((operand) => isTrue(this.#run, this.value(operand)));
      case "or":
        return node.operands.some((operand) => isTrue(this.#run, this.value(operand)));
      case "xor":
        return this.#xor(node.operands);
      case "like":
        return this.#like(node);
      case "in":
        return this.#in(node);
      case "between":
        return this.#between(node);
      case "null":
        return this.#isNull(node.operand) !== node.negated;
      case "call":
        return this.#call(node);
    }
  }

  // --- Names ---

  #noted(value: Value): Value {
    if (value === undefined) this.#run.errors |= code.ERROR_MISSING;
    return value;
  }

  #name({ scope, name }: ast.Name): Value {
    if (scope === "sink") return seenBy(this.#run.dialect, this.#view.sinkAttribute(name));
    if (name === specVersionName) return specVersion;
    const field = fieldOf(name);
    const value = this.#view.field(field) ?? this.#view.attribute(name);
    return seenBy(this.#run.dialect, field === code.FIELD_PRIORITY ? (value ?? PRIORITY) : value);
  }

  #exists(node: ast.Name): boolean {
    const { scope, name } = node;
    return (scope === "event" && presentFields.has(fieldOf(name))) || this.#name(node) !== undefined;
  }

  // --- Logic ---

  #not(value: Value): boolean {
    if (this.#run.dialect === "sluice") return !isTrue(this.#run, value);
    // The conformance kit has NOT of a whole number as a cast that fails, although BOOL() casts it.
    if (typeof value === "bigint") this.#run.errors |= code.ERROR_CAST;
    return typeof value === "bigint" || (value !== undefined && !isTrue(this.#run, value));
  }

  #xor(operands: readonly ast.Expression[]): boolean {
    let value = this.value(operands[0] as ast.Expression);
    for (const operand of operands.slice(1)) {
      const other = this.value(operand);
      const different = isTrue(this.#run, value) !== isTrue(this.#run, other);
      value = different && !(this.#run.dialect === "cesql" && (value === undefined || other === undefined));
    }
    return value as boolean;
  }

  // --- Comparisons ---

  /** x operator y, x cast to the type of y; undefined: nothing can be said, and the opposite is not true either. */
  #compare(operator: ast.ComparisonOperator, x: Value, y: Value): boolean | undefined {
    if (x === undefined || y === undefined) return undefined;
    const isEquality = operator === "=" || operator === "!=";
    // The pure language orders whole numbers only.
    if (this.#run.dialect === "cesql" && !isEquality) return this.#compareNumeric(operator, x, y);
    if (typeof y === "string") return verdict(operator, textOrder(toText(x), y));
    if (typeof y !== "boolean") return this.#compareNumeric(operator, x, y);
    const left = toBoolean(this.#run, x);
    return left === undefined ? undefined : verdict(operator, Number(left) - Number(y));
  }

  #compareNumeric(operator: ast.ComparisonOperator, x: Present, y: Present): boolean | undefined {
    const left = toNumeric(this.#run, x);
    if (left === undefined) return undefined;
    const right = toNumeric(this.#run, y);
    if (right === undefined) return undefined;
    if (typeof left === "bigint" && typeof right === "bigint") {
      return verdict(operator, left === right ? 0 : left < right ? -1 : 1);
    }
    const [a, b] = [Number(left), Number(right)];
    // A NaN is neither less, nor equal, nor more, nor something else than that.
    if (Number.isNaN(a) || Number.isNaN(b)) return false;
    return verdict(operator, a === b ? 0 : a < b ? -1 : 1);
  }

  #like({ operand, pattern, negated: isNegated }: ast.Like): boolean {
    const value = this.value(operand);
    return value !== undefined && like(toText(value), pattern) !== isNegated;
  }

  #in({ operand, elements, negated: isNegated }: ast.In): boolean {
    const x = this.value(operand);
    const found = elements.some((element) => this.#equalAs(x, this.value(element)));
    return x !== undefined && found !== isNegated;
  }

  /** Whether y, cast to the type of x, equals it. */
  #equalAs(x: Value, y: Value): boolean {
    return this.#compare("=", y, x) === true;
  }

  #between({ operand, low, high, negated: isNegated }: ast.Between): boolean {
    const [x, least, most] = [this.value(operand), this.value(low), this.value(high)];
    if (x === undefined || least === undefined || most === undefined) return false;
    const above = this.#compare(">=", x, least);
    if (above === undefined) return false;
    const below = this.#compare("<=", x, most);
    return below !== undefined && (above && below) !== isNegated;
  }

  #isNull(operand: ast.Expression): boolean {
    return operand.kind === "name" ? !this.#exists(operand) : this.value(operand) === undefined;
  }

  // --- Functions ---

  #call({ name, arguments: nodes }: ast.Call): Value {
    const meaning = functionFor(name, nodes.length);
    if (meaning === undefined) {
      this.#run.errors |= code.ERROR_MISSING_FUNCTION;
      return false;
    }
    const values = nodes.map((node) => this.value(node));
    if (meaning.call !== undefined) return call(this.#run, meaning.call, values);
    const [value] = values;
    if (meaning.operation === code.OP_TO_BOOLEAN) return isTrue(this.#run, value);
    if (meaning.operation === code.OP_TO_TEXT) return value === undefined ? zero(this.#run, "") : toText(value);
    return value === undefined ? zero(this.#run, 0n) : toWhole(this.#run, value);
  }
}

function verdict(operator: ast.ComparisonOperator, order: number): boolean {
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}
