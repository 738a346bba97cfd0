/**
 * The configuration of a binding: what `{ "module": …, "config": { … } }` says, in place of the default of the manifest. Filters need
 * names and values; whatever else JSON can hold is skipped.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const SPACE = 0x20;

/** See the head of this file. */
export class Config {
  private readonly names: string[] = [];
  /** As they are written: texts still in quotes. */
  private readonly values: string[] = [];
  private at: i32 = 0;

  /** @param json An object; the host has made it, so it is one. */
  constructor(private json: string) {
    if (this.next() === BRACE_OPEN) this.members();
  }

  /** Notes names and values; stops at the first thing that is not what it should be. */
  private members(): void {
    this.at++;
    while (this.next() === QUOTE) {
      const name = unquoted(this.value());
      if (this.next() !== COLON) return;
      this.at++;
      this.next();
      this.names.push(name);
      this.values.push(this.value());
      if (this.next() !== COMMA) return;
      this.at++;
    }
  }

  /** Whether something is configured, null included. */
  has(name: string): bool {
    return this.names.includes(name);
  }

  /** A number, `otherwise` where it is missing or none. */
  number(name: string, otherwise: f64): f64 {
    const value = this.find(name);
    const first = value.length === 0 ? 0 : value.charCodeAt(0);
    return first === 0x2d || (first >= 0x30 && first <= 0x39) ? parseFloat(value) : otherwise;
  }

  /** A boolean, `otherwise` where it is missing or none. */
  boolean(name: string, otherwise: bool): bool {
    const value = this.find(name);
    return value === "true" ? true : value === "false" ? false : otherwise;
  }

  /** A text, `otherwise` where it is missing or none. */
  text(name: string, otherwise: string): string {
    const value = this.find(name);
    return value.length > 1 && value.charCodeAt(0) === QUOTE ? unquoted(value) : otherwise;
  }

  private find(name: string): string {
    const index = this.names.indexOf(name);
    return index === -1 ? "" : this.values[index];
  }

  /** The next character that is no white space, 0 at the end. */
  private next(): i32 {
    while (this.at < this.json.length && this.json.charCodeAt(this.at) <= SPACE) this.at++;
    return this.at < this.json.length ? this.json.charCodeAt(this.at) : 0;
  }

  /** Passes over a value; returns it as it is written. */
  private value(): string {
    const from = this.at;
    let depth = 0;
    for (; this.at < this.json.length; this.at++) {
      const character = this.json.charCodeAt(this.at);
      if (character === QUOTE) this.passText();
      else if (character === BRACE_OPEN || character === BRACKET_OPEN) depth++;
      else if (character === BRACE_CLOSE || character === BRACKET_CLOSE) {
        if (depth === 0) break;
        depth--;
      } else if (depth === 0 && (character === COMMA || character === COLON || character <= SPACE)) break;
    }
    return this.json.slice(from, this.at);
  }

  /** Leaves `at` on the closing quote. */
  private passText(): void {
    for (this.at++; this.at < this.json.length; this.at++) {
      const character = this.json.charCodeAt(this.at);
      if (character === BACKSLASH) this.at++;
      else if (character === QUOTE) return;
    }
  }
}

/** A text of JSON without its quotes and escapes. */
function unquoted(text: string): string {
  let plain = "";
  let from = 1;
  const end = text.length - 1;
  for (let at = 1; at < end; at++) {
    if (text.charCodeAt(at) !== BACKSLASH) continue;
    plain += text.slice(from, at);
    const escaped = text.charAt(++at);
    if (escaped === "u") {
      plain += String.fromCharCode(<i32>parseInt(text.slice(at + 1, at + 5), 16));
      at += 4;
    } else if (escaped === "n") plain += "\n";
    else if (escaped === "t") plain += "\t";
    else if (escaped === "r") plain += "\r";
    else if (escaped === "b") plain += "\b";
    else if (escaped === "f") plain += "\f";
    else plain += escaped;
    from = at + 1;
  }
  return plain + text.slice(from, end);
}
