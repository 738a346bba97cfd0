/**
 * From text to tokens. Never fails: what is no token of the language becomes one that the parser has no use for, so that the
 * first error in the order of reading is the one that is told.
 */
import type { Dialect } from "./dialect.ts";

/**
 * - `word`: names, keywords, functions; which of these is the parser's business, since keywords that this project added
 *   are names elsewhere
 * - `fraction`: a number with a point or an exponent
 * - `open`: a text that is never closed
 * - `stray`: a character that begins no token
 */
export type TokenKind = "word" | "whole" | "fraction" | "text" | "symbol" | "open" | "stray" | "end";

/** One token of a source. */
export interface Token {
  readonly kind: TokenKind;
  /** As written; of words in upper case, as keywords are compared. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const SPACE = /[ \t\r\n]+/y;
const SYMBOL = /!=|<>|<=|>=|[()=<>+\-*/%,.]/y;
const TEXT = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"/y;
const WORD = /[A-Za-z][A-Za-z0-9_]*/y;
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
/** Names of CloudEvents may begin with a digit, and the pure language has no numbers with which they could be confused. */
const CESQL_WORD = /\d*[A-Za-z][A-Za-z0-9_]*/y;
const WHOLE = /^\d+$/;

/** All tokens of an expression, the last of kind `end`. */
export function tokensOf(source: string, dialect: Dialect): readonly Token[] {
  const tokens: Token[] = [];
  const word = dialect === "cesql" ? CESQL_WORD : WORD;
  let at = 0;
  const matches = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const add = (kind: TokenKind, text: string, shown = text): void => {
    tokens.push({ kind, text: shown, start: at, end: at + text.length });
    at += text.length;
  };
  while (true) {
    at += matches(SPACE)?.length ?? 0;
    if (at === source.length) break;
    const name = matches(word);
    const number = name === undefined ? matches(NUMBER) : undefined;
    const text = matches(TEXT);
    const symbol = matches(SYMBOL);
    if (name !== undefined) add("word", name, name.toUpperCase());
    // Before symbols: ".5" is a number.
    else if (number !== undefined) add(WHOLE.test(number) ? "whole" : "fraction", number);
    else if (text !== undefined) add("text", text);
    else if (symbol !== undefined) add("symbol", symbol);
    else if (source[at] === "'" || source[at] === '"') add("open", source.slice(at));
    else add("stray", String.fromCodePoint(source.codePointAt(at) as number));
  }
  tokens.push({ kind: "end", text: "", start: at, end: at });
  return tokens;
}

/**
 * What a text token stands for. Only quotes are escaped, by `\` or by doubling; any other `\` stands for itself, so that
 * patterns keep their `\%` and `\_`.
 */
export function textOf(token: Token): string {
  const quote = token.text.slice(0, 1);
  return token.text
    .slice(1, -1)
    .replace(/\\([\s\S])|''|""/g, (found: string, escaped: string | undefined) =>
      escaped === quote || found === quote + quote ? quote : found,
    );
}
