/** What the parser stands on: tokens with a place to read at, the bounds of its recursion, and nodes with their places. */
import type { Limits } from "../limits.ts";
import type * as ast from "./ast.ts";
import type { Dialect } from "./dialect.ts";
import { beyond, unexpected } from "./failure.ts";
import { type Token, tokensOf } from "./lexer.ts";
import { nodeOf } from "./nodes.ts";

/** What bounds an expression. */
export type ExpressionLimits = Pick<
  Limits,
  | "expressionBytes"
  | "expressionDepth"
  | "expressionArguments"
  | "expressionConstants"
  | "expressionNames"
  | "attributeNameBytes"
>;

/** A stretch of the source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Reads the tokens of one expression. */
export class Reader {
  readonly source: string;
  readonly limits: ExpressionLimits;
  readonly #tokens: readonly Token[];
  /** Whether additions to the pure language are understood. */
  readonly isExtended: boolean;
  /** Index of the token to be read. */
  at = 0;
  /** Of operands in parentheses, with these: what contains them has all of them. */
  readonly #extents = new Map<object, Span>();
  /** Parentheses and prefixes that are open: the depth of the parser's own recursion. */
  #open = 0;

  constructor(source: string, dialect: Dialect, limits: ExpressionLimits) {
    this.source = source;
    this.limits = limits;
    this.isExtended = dialect === "sluice";
    this.#tokens = tokensOf(source, dialect);
  }

  // --- Tokens ---

  /** The token to be read. */
  get token(): Token {
    // The last token is the end, and nobody goes beyond it.
    return this.#tokens[this.at] as Token;
  }

  /** The one behind it, unless it is the last. */
  get following(): Token | undefined {
    return this.#tokens[this.at + 1];
  }

  advance(count = 1): void {
    this.at += count;
  }

  isWord(text: string): boolean {
    return this.token.kind === "word" && this.token.text === text;
  }

  isSymbol(text: string): boolean {
    return this.token.kind === "symbol" && this.token.text === text;
  }

  /** Takes a symbol, which must stand here; `others` are what could stand here as well. */
  take(symbol: string, ...others: string[]): Token {
    const token = this.token;
    if (!this.isSymbol(symbol)) throw this.unexpected([...others, `"${symbol}"`]);
    this.advance();
    return token;
  }

  /** The refusal of the token to be read. */
  unexpected(expected: readonly string[]): Error {
    return unexpected(this.source, this.token.start, this.token.end, expected);
  }

  // --- Recursion ---

  /** Goes one level down. */
  enter(): void {
    const max = this.limits.expressionDepth;
    if (++this.#open <= max) return;
    throw beyond(`nests ${this.#open} levels deep`, this.#open, max, this.source, this.token.start);
  }

  /** Comes back from it. */
  leave(): void {
    this.#open--;
  }

  // --- Nodes ---

  /** Makes a node; its depth is computed and bounded. */
  node<Node extends ast.Expression>(draft: Parameters<typeof nodeOf<Node>>[2]): Node {
    return nodeOf<Node>(this.source, this.limits.expressionDepth, draft);
  }

  /** Notes the parentheses around an operand. */
  enclose(node: ast.Expression, extent: Span): void {
    this.#extents.set(node, extent);
  }

  /** Where an operand stands, with its parentheses. */
  extent(part: Span): Span {
    return this.#extents.get(part) ?? part;
  }

  /** From one part to another, with their parentheses. */
  span(first: Span, last: Span): Span {
    return { start: this.extent(first).start, end: this.extent(last).end };
  }
}
