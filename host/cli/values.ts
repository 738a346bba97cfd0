/**
 * Reads what people type: addresses, sizes, attributes, numbers. Every refusal names the option, the value and the rule.
 *
 * commander calls these with the raw text and turns the thrown error into a usage error (exit 2).
 */
import { InvalidArgumentError } from "commander";

/** A value of an event's or member's attribute, as in the JSON form. */
export type AttributeValue = boolean | number | string;

/** A delivery window, as the JSON of a channel has it. */
export interface WindowText {
  readonly lose: number;
  readonly of: number;
  readonly periodMs: number;
}

/** Host and port to listen on. Port 0 asks the system for a free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
/** Suffixes are powers of 1024 in every spelling, because memory is bought that way; unsuffixed numbers are bytes. */
const UNITS: Readonly<Record<string, number>> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/**
 * `host:port`, `[v6]:port` or a bare port (then on 127.0.0.1, because a wider door should be asked for by name).
 *
 * @throws {InvalidArgumentError} naming the text.
 */
export function addressFromText(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]:|([^:[\]\s]+):|:)?(\d{1,5})$/.exec(text.trim());
  if (match === null) throw new InvalidArgumentError(`"${text}" is not HOST:PORT, for example 127.0.0.1:7480.`);
  const port = Number(match[3]);
  if (port > PORT_MAX) throw new InvalidArgumentError(`Port ${port} is above ${PORT_MAX}.`);
  return { host: match[1] ?? match[2] ?? "127.0.0.1", port };
}

/**
 * Origins as browsers send them, separated by commas: `https://app.example.org`, without a path.
 *
 * @throws {InvalidArgumentError} naming the one that is none: it would never match, and pages would be refused all the same.
 */
export function originsFromText(text: string): readonly string[] {
  return text.split(",").map((part) => {
    const origin = part.trim();
    if (/^https?:\/\//.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin) return origin;
    throw new InvalidArgumentError(`"${origin}" is not an origin, for example https://app.example.org.`);
  });
}

/**
 * A size such as `512MiB`, `2g` or `1048576`, in bytes.
 *
 * @throws {InvalidArgumentError} for anything else, and for sizes that are not a whole number of bytes.
 */
export function bytesFromText(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:(k|m|g)(?:i?b)?|b)?$/i.exec(text.trim());
  if (match === null) throw new InvalidArgumentError(`"${text}" is not a size, for example 512MiB, 2GiB or 1048576.`);
  const bytes = Number(match[1]) * (UNITS[(match[2] ?? "").toLowerCase()] ?? 1);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError(`"${text}" is not a whole number of bytes.`);
  return bytes;
}

/**
 * Makes a reader of whole numbers within inclusive bounds.
 *
 * @throws {InvalidArgumentError} from the reader, naming value and bound.
 */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`"${text}" is not a whole number.`);
    }
    if (value < min) throw new InvalidArgumentError(`${value} is below the least, ${min}.`);
    if (value > max) throw new InvalidArgumentError(`${value} is above the limit, ${max}.`);
    return value;
  };
}

/**
 * A delivery window such as `1/4@10`: one of four deadlines, which are 10 ms apart, may be missed; or `none`. What is out of range is
 * the host's to refuse, which says the limits.
 *
 * @throws {InvalidArgumentError} for anything else.
 */
export function windowFromText(text: string): WindowText | "none" {
  if (text === "none") return text;
  const match = /^(\d{1,15})\/(\d{1,15})@(\d{1,15}(?:\.\d{1,6})?)$/.exec(text);
  if (match === null) {
    throw new InvalidArgumentError(`"${text.slice(0, 64)}" is not LOSE/OF@MS, for example 1/4@10, and not "none".`);
  }
  return { lose: Number(match[1]), of: Number(match[2]), periodMs: Number(match[3]) };
}

/**
 * Collects one repeatable `name=value` into the attributes gathered so far.
 *
 * `true` and `false` become booleans and plain decimals become numbers, because routes and filters compare them by type;
 * `name:=text` keeps the text a string (`zone:=42`). The host checks the name against its own rule.
 *
 * @throws {InvalidArgumentError} where there is no `=`, or the name comes twice with different values.
 */
export function attributeFromText(
  text: string,
  gathered: Readonly<Record<string, AttributeValue>> = {},
): Record<string, AttributeValue> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(`"${text}" is not NAME=VALUE.`);
  const literal = text[at - 1] === ":";
  const name = text.slice(0, literal ? at - 1 : at);
  if (name === "") throw new InvalidArgumentError(`"${text}" has no name before "=".`);
  const raw = text.slice(at + 1);
  const value = literal ? raw : valueFromText(raw);
  if (Object.hasOwn(gathered, name) && gathered[name] !== value) {
    throw new InvalidArgumentError(`"${name}" is given twice, as ${String(gathered[name])} and ${raw}.`);
  }
  return { ...gathered, [name]: value };
}

/** Collects a repeatable option into a list, in the order given. */
export function collect(text: string, gathered: readonly string[] = []): string[] {
  return [...gathered, text];
}

function valueFromText(raw: string): AttributeValue {
  if (raw === "true") return true;
  if (raw === "false") return false;
  // Leading zeros and huge digits stay text: "007" and a 20-digit id would lose something as a number.
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(raw)) {
    const value = Number(raw);
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
  }
  return raw;
}
