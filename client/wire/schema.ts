/**
 * Protobuf by tables, for all frames but publish and deliver: those are rare, and a table costs a few bytes where a function for
 * each costs hundreds. A test compares the tables with schemas/sluice/v1/frame.proto.
 */
import type { AttributeValue } from "../../host/interface.ts";
import { readDouble, readEnd, readLength, readText, readVarint, readZigzag, skipField } from "./reader.ts";
import type { Writer } from "./writer.ts";

/**
 * What a field holds: a text, a whole number to 2^53, a double, microseconds, a map of attributes, one of doubles (clients write it only),
 * any JSON value, a JSON object, or a part with fields of its own.
 */
export type Kind =
  | "text"
  | "uint"
  | "bool"
  | "double"
  | "micros"
  | "attributes"
  | "amounts"
  | "json"
  | "struct"
  | Fields;

/** A field: its number, what it holds, and whether there are several. */
export type Field = readonly [number: number, kind: Kind, several?: true];

/** Fields by their names in the JSON form. */
export interface Fields {
  readonly [name: string]: Field;
}

/** Writes the fields of a part that are there; undefined ones are not. */
export function writeFields(writer: Writer, fields: Fields, part: object): void {
  const values = part as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    const value = values[name];
    if (value === undefined) continue;
    const [number, kind, several] = fields[name] as Field;
    if (several === undefined) writeField(writer, number, kind, value);
    else for (const one of value as readonly unknown[]) writeField(writer, number, kind, one);
  }
}

function writeField(writer: Writer, number: number, kind: Kind, value: unknown): void {
  if (kind === "attributes") return writeAttributes(writer, number, value as Readonly<Record<string, AttributeValue>>);
  if (kind === "amounts") return writeAmounts(writer, number, value as Readonly<Record<string, number>>);
  if (kind === "text") {
    writer.varint(number * 8 + 2);
    return writer.text(String(value));
  }
  if (kind === "uint" || kind === "bool") {
    writer.varint(number * 8);
    return writer.varint(Number(value));
  }
  if (kind === "double" || kind === "micros") {
    writer.varint(number * 8 + 1);
    return kind === "double" ? writer.double(value as number) : writer.fixed64(value as bigint);
  }
  writer.varint(number * 8 + 2);
  const start = writer.open();
  if (kind === "json") writeJson(writer, value);
  else if (kind === "struct") writeStruct(writer, value as object);
  else writeFields(writer, kind, value as object);
  writer.close(start);
}

/** Attributes as a map; null and undefined are left out. */
export function writeAttributes(
  writer: Writer,
  number: number,
  attributes: Readonly<Record<string, AttributeValue | null | undefined>>,
): void {
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined || value === null) continue;
    writer.varint(number * 8 + 2);
    const entry = writer.open();
    writer.varint(10);
    writer.text(name);
    writer.varint(18);
    const start = writer.open();
    if (typeof value === "boolean") {
      writer.varint(8);
      writer.varint(value ? 1 : 0);
    } else if (typeof value === "string") {
      writer.varint(26);
      writer.text(value);
    } else if (Number.isSafeInteger(value)) {
      // A whole number in zigzag form, as JSON numbers arrive at a host.
      writer.varint(32);
      writer.zigzag(value);
    } else {
      writer.varint(17);
      writer.double(value);
    }
    writer.close(start);
    writer.close(entry);
  }
}

/** A map of doubles. */
function writeAmounts(writer: Writer, number: number, amounts: Readonly<Record<string, number>>): void {
  for (const name in amounts) {
    writer.varint(number * 8 + 2);
    const entry = writer.open();
    writer.varint(10);
    writer.text(name);
    writer.varint(17);
    writer.double(amounts[name] as number);
    writer.close(entry);
  }
}

/** google.protobuf.Struct. */
function writeStruct(writer: Writer, object: object): void {
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    writer.varint(10);
    const entry = writer.open();
    writer.varint(10);
    writer.text(name);
    writer.varint(18);
    const start = writer.open();
    writeJson(writer, value);
    writer.close(start);
    writer.close(entry);
  }
}

/** google.protobuf.Value. */
function writeJson(writer: Writer, value: unknown): void {
  if (typeof value === "number") {
    writer.varint(17);
    writer.double(value);
  } else if (typeof value === "string") {
    writer.varint(26);
    writer.text(value);
  } else if (typeof value === "boolean") {
    writer.varint(32);
    writer.varint(value ? 1 : 0);
  } else if (typeof value === "object" && value !== null) {
    writer.varint(Array.isArray(value) ? 50 : 42);
    const start = writer.open();
    if (Array.isArray(value)) {
      for (const one of value) {
        writer.varint(10);
        const item = writer.open();
        writeJson(writer, one);
        writer.close(item);
      }
    } else writeStruct(writer, value);
    writer.close(start);
  } else {
    writer.varint(8);
    writer.varint(0);
  }
}

/** Reads the fields of a part; those that are absent are undefined, several absent ones are none. Unknown ones are passed over. */
export function readFields<Part>(fields: Fields, bytes: Uint8Array, from: number, end: number): Part {
  const part: Record<string, unknown> = {};
  const names = Object.keys(fields);
  for (let at = from; at < end; ) {
    const tag = readVarint(bytes, at, end);
    at = readEnd;
    const name = names.find((one) => (fields[one] as Field)[0] === tag >>> 3);
    const next = skipField(bytes, at, end, tag & 7);
    if (name !== undefined) {
      const [, kind, several] = fields[name] as Field;
      if (kind === "attributes") {
        const [key, value] = readEntry(bytes, tailOf(bytes, at, next), next, readAttribute);
        part[name] = { ...(part[name] as object | undefined), [key]: value };
      } else {
        const value = readField(kind, bytes, at, next);
        if (several === undefined) part[name] = value;
        else part[name] = [...((part[name] as readonly unknown[] | undefined) ?? []), value];
      }
    }
    at = next;
  }
  return part as Part;
}

function readField(kind: Kind, bytes: Uint8Array, at: number, end: number): unknown {
  if (kind === "uint") return readVarint(bytes, at, end);
  if (kind === "bool") return readVarint(bytes, at, end) !== 0;
  if (kind === "double") return readDouble(bytes, at);
  const from = tailOf(bytes, at, end);
  if (kind === "text") return readText(bytes, from, end);
  if (kind === "json") return readJson(bytes, from, end);
  return typeof kind === "object" ? readFields(kind, bytes, from, end) : readStruct(bytes, from, end);
}

/** Behind the length of a part that ends there. */
function tailOf(bytes: Uint8Array, at: number, end: number): number {
  readLength(bytes, at, end);
  return readEnd;
}

/** One entry of a map from texts. */
export function readEntry<Value>(
  bytes: Uint8Array,
  from: number,
  end: number,
  readValue: (bytes: Uint8Array, at: number, end: number) => Value,
): [string, Value | undefined] {
  let name = "";
  let value: Value | undefined;
  for (let at = from; at < end; ) {
    const tag = readVarint(bytes, at, end);
    const next = skipField(bytes, readEnd, end, tag & 7);
    if (tag === 10 || tag === 18) {
      // The tag is one byte, so its length begins behind it.
      const start = tailOf(bytes, at + 1, next);
      if (tag === 10) name = readText(bytes, start, next);
      else value = readValue(bytes, start, next);
    }
    at = next;
  }
  return [name, value];
}

/** The value of an attribute; undefined where it has a kind that is not known, or that JSON cannot say. */
export function readAttribute(bytes: Uint8Array, at: number, end: number): AttributeValue | undefined {
  switch (bytes[at]) {
    case 8:
      return bytes[at + 1] !== 0;
    case 17: {
      const number = readDouble(bytes, at + 1);
      return Number.isFinite(number) ? number : undefined;
    }
    case 26:
      return readText(bytes, tailOf(bytes, at + 1, end), end);
    case 32:
      return readZigzag(bytes, at + 1, end);
    default:
      return undefined;
  }
}

function readJson(bytes: Uint8Array, at: number, end: number): unknown {
  switch (bytes[at]) {
    case 17:
      return readDouble(bytes, at + 1);
    case 26:
      return readText(bytes, tailOf(bytes, at + 1, end), end);
    case 32:
      return bytes[at + 1] !== 0;
    case 42:
      return readStruct(bytes, tailOf(bytes, at + 1, end), end);
    case 50:
      return (
        readFields<{ list?: unknown[] }>({ list: [1, "json", true] }, bytes, tailOf(bytes, at + 1, end), end).list ?? []
      );
    default:
      return null;
  }
}

function readStruct(bytes: Uint8Array, from: number, end: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let at = from; at < end; ) {
    const tag = readVarint(bytes, at, end);
    const next = skipField(bytes, readEnd, end, tag & 7);
    if (tag === 10) {
      const [name, value] = readEntry(bytes, tailOf(bytes, at + 1, next), next, readJson);
      Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
    }
    at = next;
  }
  return object;
}
