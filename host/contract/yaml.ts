/**
 * Contracts as YAML (1.2, core schema, which JSON is a part of): one document, read with bounds, and written.
 *
 * What a text can grow to is bounded by its size, its depth and its aliases. Depth is looked at between the two steps of the reader: the
 * first keeps a stack of its own, the second one that of the machine, which a hostile text must not use up.
 */
import { Composer, type CST, type Document, LineCounter, Parser, stringify, visit } from "yaml";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Locate, TextPlace } from "./problems.ts";

/** A text read. */
export interface YamlRead {
  readonly value: unknown;
  /** Where something stands in the text; what is not there itself stands where its nearest parent does. */
  readonly locate: Locate;
}

/** A map and the list in it are two. */
const TOKEN_DEPTH_MAX = 2 * limits.jsonDepth;

/**
 * Reads one document.
 *
 * @throws {SluiceError} `malformed` with line and column; `limit_reached` for what is too large, too deep or grows by its aliases.
 */
export function readYaml(text: string): YamlRead {
  const { contractYamlChars } = limits;
  if (text.length > contractYamlChars)
    throw tooMuch(`Cannot take ${text.length} characters of YAML`, text.length, contractYamlChars);
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  assertShallow(tokens);
  // Its own search for keys that come twice takes a minute where keys are many, and tags mean nothing here.
  const composer = new Composer({ prettyErrors: false, stringKeys: true, uniqueKeys: false, resolveKnownTags: false });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (document === undefined || second !== undefined)
    throw malformed("Cannot read the YAML, a contract is one document");
  const at = (offset: number): TextPlace => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  assertReadable(document, at);
  const value = contentOf(document);
  assertGrown(value);
  return { value, locate: (path) => placeOf(document, path, at) };
}

/** Writes a document. */
export function yamlFrom(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 120 });
}

function assertShallow(tokens: readonly CST.Token[]): void {
  const waiting: [token: CST.Token, depth: number][] = tokens.map((token) => [token, 0]);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [token, depth] = next;
    if (depth > TOKEN_DEPTH_MAX)
      throw tooMuch("Cannot take YAML that is nested so deeply", limits.jsonDepth + 1, limits.jsonDepth);
    if ("value" in token && token.value !== undefined) waiting.push([token.value, depth + 1]);
    for (const { key, value } of "items" in token ? token.items : []) {
      if (key) waiting.push([key, depth + 1]);
      if (value !== undefined) waiting.push([value, depth + 1]);
    }
  }
}

function assertReadable(document: Document.Parsed, at: (offset: number) => TextPlace): void {
  const fail = (what: string, offset: number): never => {
    const place = at(offset);
    throw malformed(`Cannot read the YAML at line ${place.line}, column ${place.column}: ${what}`, place);
  };
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) fail(fault.message.replace(/\.$/, ""), fault.pos[0]);
  visit(document, {
    Map: (_key, map) => {
      const keys = new Set<string>();
      for (const { key } of map.items) {
        const name = String(key);
        if (keys.has(name))
          fail(`there are two of "${name.slice(0, 64)}"`, (key as { range?: number[] }).range?.[0] ?? 0);
        keys.add(name);
      }
    },
  });
}

function contentOf(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: limits.contractYamlAliases });
  } catch (thrown) {
    if (!(thrown instanceof ReferenceError)) throw thrown;
    if (thrown.message.startsWith("Unresolved")) throw malformed(`Cannot read the YAML: ${thrown.message}`);
    throw tooMuch("Cannot take YAML with so many aliases", "aliases", limits.contractYamlAliases);
  }
}

/** An alias may stand for a lot, and for what it is in. */
function assertGrown(value: unknown): void {
  let count = 0;
  const walk = (one: unknown, depth: number): void => {
    if (++count > limits.contractYamlChars)
      throw tooMuch("Cannot take YAML that grows so large by its aliases", count, limits.contractYamlChars);
    if (depth > limits.jsonDepth) throw tooMuch("Cannot take YAML that is nested so deeply", depth, limits.jsonDepth);
    if (typeof one === "object" && one !== null) for (const inner of Object.values(one)) walk(inner, depth + 1);
  };
  walk(value, 0);
}

function placeOf(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  at: (offset: number) => TextPlace,
): TextPlace | undefined {
  for (let length = path.length; length >= 0; length--) {
    const within = path.slice(0, length);
    const node: unknown = length === 0 ? document.contents : document.getIn(within, true);
    const found = node as { range?: readonly number[] | null } | null | undefined;
    if (found?.range) return at(found.range[0] as number);
  }
  return undefined;
}

function malformed(message: string, place: Partial<TextPlace> = {}): SluiceError {
  return new SluiceError("malformed", message, { value: "YAML", ...place });
}

function tooMuch(message: string, value: unknown, limit: number): SluiceError {
  return new SluiceError("limit_reached", `${message}, limit is ${limit}`, { value, limit });
}
