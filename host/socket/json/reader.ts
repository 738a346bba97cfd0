/**
 * Reads JSON text into values, stricter than JSON.parse: what two readers might understand differently is refused.
 *
 * - a name twice in one object is `malformed` (JSON.parse keeps the last, others the first);
 * - a lone surrogate is `not_utf8`: it could not be written as UTF-8 again;
 * - a number beyond a double (1e400) is `invalid_value`: JSON.parse would say Infinity;
 * - nesting beyond limits.jsonDepth is `limit_reached`.
 *
 * Objects have no prototype, so `__proto__` and `constructor` are names like any other. The payload of an event is not
 * read but kept as {@link RawJson}; of the rules above only nesting holds in it.
 */
import { bytesFromText, textFromPath } from "../../check.ts";
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import * as scan from "./scan.ts";

/** What JSON text can say. Objects are without prototype. */
export type JsonValue = null | boolean | number | string | RawJson | JsonValue[] | { [name: string]: JsonValue };

/** Either what a decoder of foreign input made, or why it could not. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: SluiceError };

/** JSON text that is carried as it is. */
export class RawJson {
  /** UTF-8, one valid JSON value. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Names and indexes from the root to a value. */
export type JsonPath = readonly (string | number)[];

/** Says whether the value at a path is kept as text. */
export type RawAt = (path: JsonPath) => boolean;

/**
 * Reads one JSON text.
 *
 * @param text A string, or UTF-8 bytes. Bytes that are not UTF-8 are refused.
 * @param rawAt Which values to keep as text; none where absent.
 * @returns The value, or `malformed`, `not_utf8`, `invalid_value`, `limit_reached`.
 */
export function readJson(text: string | Uint8Array, rawAt: RawAt = () => false): Read<JsonValue> {
  const bytes = typeof text === "string" ? bytesFromText(text) : text;
  if (bytes === undefined || !isUtf8(bytes)) {
    return { ok: false, error: new SluiceError("not_utf8", "Cannot read JSON that is not UTF-8") };
  }
  const reader = new Reader(bytes, rawAt);
  try {
    return { ok: true, value: reader.document() };
  } catch (thrown) {
    if (thrown instanceof SluiceError) return { ok: false, error: thrown };
    throw thrown;
  }
}

// `ignoreBOM` keeps the mark, so that it is seen and refused like any other byte that is not JSON.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether [at, end) is UTF-8. ASCII, the usual case, is told without decoding. */
export function isUtf8(bytes: Uint8Array, at = 0, end = bytes.length): boolean {
  let index = at;
  while (index < end && (bytes[index] as number) < 0x80) index += 1;
  if (index === end) return true;
  try {
    decoder.decode(bytes.subarray(index, end));
    return true;
  } catch {
    return false;
  }
}

/** Recursive, which is safe because limits.jsonDepth bounds it; throws SluiceError, caught by readJson(). */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #rawAt: RawAt;
  readonly #path: (string | number)[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, rawAt: RawAt) {
    this.#bytes = bytes;
    this.#rawAt = rawAt;
  }

  document(): JsonValue {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#bytes.length) this.#fail(this.#at);
    return value;
  }

  /** One value; the white space before it is taken already. */
  #value(): JsonValue {
    const bytes = this.#bytes;
    if (this.#path.length > 0 && this.#rawAt(this.#path)) {
      const at = this.#at;
      this.#advance(scan.skipValue(bytes, at, bytes.length, this.#path.length));
      return new RawJson(bytes.slice(at, this.#at));
    }
    switch (bytes[this.#at]) {
      case scan.BRACE_OPEN:
        return this.#object();
      case scan.BRACKET_OPEN:
        return this.#array();
      case scan.QUOTE:
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(): { [name: string]: JsonValue } {
    this.#enter();
    const object: { [name: string]: JsonValue } = Object.create(null);
    if (this.#closes(scan.BRACE_CLOSE)) return object;
    for (;;) {
      if (this.#bytes[this.#at] !== scan.QUOTE) this.#fail(this.#at);
      const name = this.#string();
      this.#path.push(name);
      if (name in object)
        this.#refuse("malformed", `has "${textFromPath(this.#path)}" twice`, textFromPath(this.#path));
      this.#space();
      if (this.#bytes[this.#at] !== scan.COLON) this.#fail(this.#at);
      this.#at += 1;
      this.#space();
      object[name] = this.#value();
      this.#path.pop();
      if (this.#closes(scan.BRACE_CLOSE)) return object;
      this.#comma();
    }
  }

  #array(): JsonValue[] {
    this.#enter();
    const array: JsonValue[] = [];
    if (this.#closes(scan.BRACKET_CLOSE)) return array;
    for (;;) {
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
      if (this.#closes(scan.BRACKET_CLOSE)) return array;
      this.#comma();
    }
  }

  #string(): string {
    const at = this.#at;
    this.#advance(scan.skipString(this.#bytes, at, this.#bytes.length));
    // Walked over, so JSON.parse can only succeed; it knows the escapes.
    const text: string = JSON.parse(decoder.decode(this.#bytes.subarray(at, this.#at)));
    if (bytesFromText(text) === undefined)
      this.#refuse("not_utf8", "has a lone surrogate, which UTF-8 cannot say", textFromPath(this.#path));
    return text;
  }

  #scalar(): boolean | number | null {
    const at = this.#at;
    this.#advance(scan.skipValue(this.#bytes, at, this.#bytes.length, 0));
    const text = decoder.decode(this.#bytes.subarray(at, this.#at));
    const value: boolean | number | null = JSON.parse(text);
    if (typeof value === "number" && !Number.isFinite(value)) {
      this.#refuse(
        "invalid_value",
        `has the number ${text.slice(0, 32)}, limit is ${Number.MAX_VALUE}`,
        text.slice(0, 256),
        Number.MAX_VALUE,
      );
    }
    return value;
  }

  /** Takes the opening bracket. Every container around it, and it itself once it has members, is one step of the path. */
  #enter(): void {
    if (this.#path.length >= limits.jsonDepth) this.#tooDeep();
    this.#at += 1;
  }

  /** Takes the closing bracket, if it is there. */
  #closes(bracket: number): boolean {
    this.#space();
    if (this.#bytes[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  /** Between two members or entries there is a comma and nothing else. */
  #comma(): void {
    if (this.#bytes[this.#at] !== scan.COMMA) this.#fail(this.#at);
    this.#at += 1;
    this.#space();
  }

  #space(): void {
    this.#at = scan.skipSpace(this.#bytes, this.#at, this.#bytes.length);
  }

  #advance(to: number): void {
    if (to < 0) this.#fail(~to);
    this.#at = to;
  }

  /** Says which byte cannot be, or that the text ends too early. */
  #fail(at: number): never {
    const byte = this.#bytes[at];
    if (byte === undefined) return this.#refuse("malformed", `ends too early, after ${at} bytes`, at);
    // A payload that nests too deep fails at an opening bracket, like some text that is no JSON: count to tell them apart.
    const opens = byte === scan.BRACE_OPEN || byte === scan.BRACKET_OPEN;
    if (opens && this.#path.length + openBrackets(this.#bytes, this.#at, at) >= limits.jsonDepth) this.#tooDeep();
    const shown =
      byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `0x${byte.toString(16).padStart(2, "0")}`;
    return this.#refuse("malformed", `has ${shown} at byte ${at}, where it cannot be`, at);
  }

  #tooDeep(): never {
    const depth = limits.jsonDepth + 1;
    return this.#refuse("limit_reached", `nests ${depth} deep, limit is ${limits.jsonDepth}`, depth, limits.jsonDepth);
  }

  #refuse(
    code: "malformed" | "not_utf8" | "invalid_value" | "limit_reached",
    why: string,
    value: unknown,
    limit?: unknown,
  ): never {
    throw new SluiceError(code, `Cannot read JSON that ${why}`, { value, limit });
  }
}

/** Brackets that are open at `end`, strings left out. */
function openBrackets(bytes: Uint8Array, at: number, end: number): number {
  let open = 0;
  let index = at;
  while (index < end) {
    const byte = bytes[index] as number;
    if (byte === scan.QUOTE) {
      index = scan.skipString(bytes, index, end);
      if (index < 0) break;
      continue;
    }
    if (byte === scan.BRACE_OPEN || byte === scan.BRACKET_OPEN) open += 1;
    if (byte === scan.BRACE_CLOSE || byte === scan.BRACKET_CLOSE) open -= 1;
    index += 1;
  }
  return open;
}
