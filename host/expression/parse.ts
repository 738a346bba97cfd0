/**
 * The parser: precedence climbing over the grammar of CloudEvents SQL, with what the default dialect adds.
 *
 * Precedence is the specification's, from the tightest: calls; NOT and -; LIKE and IN; * / %; + -; comparisons; AND, OR and
 * XOR, which are equal and go from left to right. The additions BETWEEN and IS NULL rank as comparisons. Their words are
 * keywords only where an operator can stand, so that every name of the pure language stays one.
 */
import { limits as defaults } from "../limits.ts";
import type * as ast from "./ast.ts";
import type { Dialect } from "./dialect.ts";
import { beyond, unexpected } from "./failure.ts";
import { functionNames, functionOf } from "./functions.ts";
import { type Token, textOf } from "./lexer.ts";
import { numberOf } from "./numerals.ts";
import { type ExpressionLimits, Reader } from "./reader.ts";

const LOGIC = 1;
const COMPARISON = 2;
const SUM = 3;
const PRODUCT = 4;
const MATCH = 5;

/** Words that are never names, in any dialect. */
const RESERVED: ReadonlySet<string> = new Set(["AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE"]);
const COMPARISONS: ReadonlyMap<string, ast.ComparisonOperator> = new Map([
  ["=", "="],
  ["!=", "!="],
  ["<>", "!="],
  ["<", "<"],
  ["<=", "<="],
  [">", ">"],
  [">=", ">="],
]);
const LOGIC_KINDS: ReadonlyMap<string, ast.Logic["kind"]> = new Map([
  ["AND", "and"],
  ["OR", "or"],
  ["XOR", "xor"],
]);
const OPERAND = ["a name", "a constant", "a function", '"("', "NOT", '"-"', "EXISTS"];
const OPERATOR = "an operator";

const encoder = new TextEncoder();

/**
 * Reads an expression.
 *
 * @throws {SluiceError} `expression` with place and what was expected; `limit_reached` where it is too long or too deep,
 * passes too many arguments, or has a name that no attribute can have.
 */
export function parse(source: string, dialect: Dialect, limits: ExpressionLimits = defaults): ast.Expression {
  // A text has at least as many bytes as UTF-16 units: a megabyte is refused unread.
  const bytes = source.length > limits.expressionBytes ? source.length : encoder.encode(source).length;
  if (bytes > limits.expressionBytes) throw beyond(`is ${bytes} bytes long`, bytes, limits.expressionBytes);
  const half = source.isWellFormed() ? -1 : source.search(/\p{Surrogate}/u);
  if (half >= 0) throw unexpected(source, half, half + 1, ["whole characters"]);
  return new Parser(source, dialect, limits).whole();
}

class Parser extends Reader {
  whole(): ast.Expression {
    const expression = this.#expression(LOGIC);
    if (this.token.kind !== "end") throw this.unexpected([OPERATOR, "the end"]);
    return expression;
  }

  // --- Operators ---

  /** An expression whose operators bind at least as tightly as `least`. */
  #expression(least: number): ast.Expression {
    let left = this.#prefix();
    while (true) {
      const next = this.#infix(left, least);
      if (next === undefined) return left;
      left = next;
    }
  }

  /** The operator that stands here, with what belongs to it on the right; undefined where none does that binds so tightly. */
  #infix(left: ast.Expression, least: number): ast.Expression | undefined {
    const { kind, text } = this.token;
    const logic = kind === "word" ? LOGIC_KINDS.get(text) : undefined;
    if (logic !== undefined && least <= LOGIC) return this.#logic(left, logic, text);
    const comparison = kind === "symbol" ? COMPARISONS.get(text) : undefined;
    if (comparison !== undefined && least <= COMPARISON) {
      this.advance();
      const right = this.#expression(COMPARISON + 1);
      return this.node<ast.Comparison>({
        kind: "comparison",
        operator: comparison,
        left,
        right,
        ...this.span(left, right),
      });
    }
    const isSum = kind === "symbol" && (text === "+" || text === "-");
    const isProduct = kind === "symbol" && (text === "*" || text === "/" || text === "%");
    if ((isSum && least <= SUM) || (isProduct && least <= PRODUCT)) {
      this.advance();
      const right = this.#expression(isSum ? SUM + 1 : PRODUCT + 1);
      const operator = text as ast.ArithmeticOperator;
      return this.node<ast.Arithmetic>({ kind: "arithmetic", operator, left, right, ...this.span(left, right) });
    }
    return kind === "word" ? this.#wordOperator(left, least) : undefined;
  }

  /** All operands in a row that the same word joins. */
  #logic(first: ast.Expression, kind: ast.Logic["kind"], word: string): ast.Expression {
    const operands = [first];
    while (this.isWord(word)) {
      this.advance();
      operands.push(this.#expression(LOGIC + 1));
    }
    return this.node<ast.Logic>({ kind, operands, ...this.span(first, operands.at(-1) as ast.Expression) });
  }

  /** LIKE, IN, BETWEEN and IS, with their NOT. */
  #wordOperator(left: ast.Expression, least: number): ast.Expression | undefined {
    const from = this.at;
    const negated = this.isWord("NOT");
    if (negated) this.advance();
    if (this.isWord("LIKE") && least <= MATCH) return this.#like(left, negated);
    if (this.isWord("IN") && least <= MATCH) return this.#in(left, negated);
    const between = this.isExtended && this.isWord("BETWEEN");
    if (between && least <= COMPARISON) return this.#between(left, negated);
    // One that binds less tightly is for a caller further out.
    const later = between || this.isWord("LIKE") || this.isWord("IN");
    if (negated && !later) throw this.unexpected(["LIKE", "IN", ...(this.isExtended ? ["BETWEEN"] : [])]);
    this.at = from;
    if (!negated && this.isExtended && this.isWord("IS") && least <= COMPARISON) return this.#isNull(left);
    return undefined;
  }

  #like(operand: ast.Expression, negated: boolean): ast.Expression {
    this.advance();
    const token = this.token;
    if (token.kind !== "text") throw this.unexpected(token.kind === "open" ? [closing(token)] : ["a text constant"]);
    this.advance();
    return this.node<ast.Like>({
      kind: "like",
      negated,
      operand,
      pattern: textOf(token),
      ...this.span(operand, token),
    });
  }

  #in(operand: ast.Expression, negated: boolean): ast.Expression {
    this.advance();
    this.take("(");
    this.enter();
    const elements = [this.#expression(LOGIC)];
    while (this.isSymbol(",")) {
      this.advance();
      elements.push(this.#expression(LOGIC));
    }
    this.leave();
    const end = this.take(")", OPERATOR, '","');
    return this.node<ast.In>({ kind: "in", negated, operand, elements, ...this.span(operand, end) });
  }

  #between(operand: ast.Expression, negated: boolean): ast.Expression {
    this.advance();
    const low = this.#expression(SUM);
    if (!this.isWord("AND")) throw this.unexpected(["AND", OPERATOR]);
    this.advance();
    const high = this.#expression(SUM);
    return this.node<ast.Between>({ kind: "between", negated, operand, low, high, ...this.span(operand, high) });
  }

  #isNull(operand: ast.Expression): ast.Expression {
    this.advance();
    const negated = this.isWord("NOT");
    if (negated) this.advance();
    const token = this.token;
    if (!this.isWord("NULL")) throw this.unexpected(negated ? ["NULL"] : ["NULL", "NOT NULL"]);
    this.advance();
    return this.node<ast.IsNull>({ kind: "null", negated, operand, ...this.span(operand, token) });
  }

  // --- Operands ---

  #prefix(): ast.Expression {
    const token = this.token;
    if (token.kind === "word") return this.#word(token);
    if (token.kind === "whole" || token.kind === "fraction") return this.#number(token, "");
    if (token.kind === "text") {
      this.advance();
      return this.node<ast.Literal>({ kind: "literal", value: textOf(token), start: token.start, end: token.end });
    }
    if (this.isSymbol("(")) return this.#group();
    if (this.isSymbol("-") || this.isSymbol("+")) return this.#sign(token);
    throw this.unexpected(token.kind === "open" ? [closing(token)] : OPERAND);
  }

  #group(): ast.Expression {
    const { start } = this.token;
    this.advance();
    this.enter();
    const inner = this.#expression(LOGIC);
    this.leave();
    const { end } = this.take(")", OPERATOR);
    this.enclose(inner, { start, end });
    return inner;
  }

  /** A sign in front of digits belongs to the number, so that the smallest one can be written. */
  #sign(sign: Token): ast.Expression {
    this.advance();
    const next = this.token;
    if (next.kind === "whole" || next.kind === "fraction") return this.#number(next, sign.text, sign.start);
    if (sign.text === "+") throw this.unexpected(["a number"]);
    this.enter();
    const operand = this.#prefix();
    this.leave();
    return this.node<ast.Unary>({ kind: "negate", operand, start: sign.start, end: this.extent(operand).end });
  }

  #number(token: Token, sign: string, start = token.start): ast.Expression {
    const number = numberOf(sign + token.text, this.isExtended ? "sluice" : "cesql");
    if (typeof number === "object") throw unexpected(this.source, start, token.end, [number.expected]);
    this.advance();
    return this.node<ast.Literal>({ kind: "literal", value: number, start, end: token.end });
  }

  #word(token: Token): ast.Expression {
    const { text, start, end } = token;
    if (text === "TRUE" || text === "FALSE") {
      this.advance();
      return this.node<ast.Literal>({ kind: "literal", value: text === "TRUE", start, end });
    }
    if (text === "NOT") {
      this.advance();
      this.enter();
      const operand = this.#prefix();
      this.leave();
      return this.node<ast.Unary>({ kind: "not", operand, start, end: this.extent(operand).end });
    }
    if (text === "EXISTS") {
      this.advance();
      const name = this.#name(["a name"]);
      return this.node<ast.Exists>({ kind: "exists", name, start, end: name.end });
    }
    const next = this.following;
    if (RESERVED.has(text) || next?.kind !== "symbol" || next.text !== "(") return this.#name(OPERAND);
    return this.isExtended && text === "AGE" ? this.#age() : this.#call(token);
  }

  /** A name of the event, or `sink.NAME`. */
  #name(expected: readonly string[]): ast.Name {
    const first = this.token;
    if (first.kind !== "word" || RESERVED.has(first.text)) throw this.unexpected(expected);
    this.advance();
    if (this.isExtended && first.text === "SINK" && this.isSymbol(".")) {
      this.advance();
      const second = this.token;
      // Behind the point even keywords are names.
      if (second.kind !== "word") throw this.unexpected(["the name of an attribute"]);
      this.advance();
      return this.#nameNode("sink", second, first.start);
    }
    // The pure language has underscores in names of functions only.
    if (!this.isExtended && first.text.includes("_")) throw this.unexpected(['"("']);
    return this.#nameNode("event", first, first.start);
  }

  #nameNode(scope: ast.Name["scope"], token: Token, start: number): ast.Name {
    const max = this.limits.attributeNameBytes;
    const bytes = token.text.length;
    if (bytes > max) throw beyond(`has a name of ${bytes} bytes`, bytes, max, this.source, token.start);
    return this.node<ast.Name>({ kind: "name", scope, name: token.text.toLowerCase(), start, end: token.end });
  }

  #age(): ast.Expression {
    const { start } = this.token;
    this.advance(2);
    const at = this.token;
    const name = this.#name(["sink.NAME"]);
    if (name.scope !== "sink") throw unexpected(this.source, at.start, at.end, ["sink.NAME"]);
    const { end } = this.take(")");
    return this.node<ast.Age>({ kind: "age", name, start, end });
  }

  /** A call. By default it must fit its function; the pure language finds out when it runs. */
  #call({ text: name, start, end: nameEnd }: Token): ast.Expression {
    const known = functionOf(name);
    if (known === undefined && this.isExtended) {
      throw unexpected(this.source, start, nameEnd, [...functionNames, "AGE"]);
    }
    const least = this.isExtended ? (known?.argumentsMin ?? 0) : 0;
    const most = this.isExtended ? (known?.argumentsMax ?? 0) : Number.POSITIVE_INFINITY;
    this.advance(2);
    this.enter();
    const values: ast.Expression[] = [];
    while (values.length > 0 || !(this.isSymbol(")") && least === 0)) {
      values.push(this.#expression(LOGIC));
      const count = values.length;
      if (count < least && !this.isSymbol(",")) throw this.unexpected([OPERATOR, '","']);
      if (!this.isSymbol(",")) break;
      this.#argumentsCheck(count + 1);
      if (count >= most) throw this.unexpected([OPERATOR, '")"']);
      this.advance();
    }
    this.leave();
    const { end } = this.take(")", OPERATOR, ...(values.length < most ? ['","'] : []));
    return this.node<ast.Call>({ kind: "call", name, arguments: values, start, end });
  }

  #argumentsCheck(count: number): void {
    const max = this.limits.expressionArguments;
    if (count > max) throw beyond(`passes ${count} arguments`, count, max, this.source, this.token.start);
  }
}

/** What an open text lacks. */
function closing(token: Token): string {
  return `a text that ends with ${token.text.slice(0, 1)}`;
}
