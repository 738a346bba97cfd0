/** Values of CloudEvents header fields. Source: CloudEvents 1.0.2, bindings/http-protocol-binding.md §3.1.3.2. */
import { SluiceError } from "../../errors.ts";

const quoted = /^"((?:[^"\\]|\\.)*)"$/;
const encoded = /(?:%[0-9A-Fa-f]{2})+/g;
/** What may stand in a field as it is: printable ASCII but space, double quote and percent. */
const special = /[^\x21\x23\x24\x26-\x7e]+/gu;
const encoder = new TextEncoder();

/**
 * The text that a field's value stands for: quotes as older senders put them are taken off, then %XX are bytes of UTF-8.
 *
 * @param name Of the field, for the error.
 * @throws {SluiceError} `malformed` where those bytes are no UTF-8.
 */
export function textFromHeader(name: string, value: string): string {
  const inner = quoted.exec(value)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? value;
  if (!inner.includes("%")) return inner;
  try {
    return inner.replaceAll(encoded, (bytes) => decodeURIComponent(bytes));
  } catch (cause) {
    throw new SluiceError("malformed", `Cannot read the header ${name}, its percent-encoding is no UTF-8`, {
      value: value.slice(0, 256),
      cause,
    });
  }
}

/** The reverse: ASCII that no header can be broken by. Lone surrogates become U+FFFD. */
export function headerFromText(text: string): string {
  return text.replaceAll(special, (part) =>
    Array.from(encoder.encode(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
