/**
 * What `sluice pub` makes of text, files and JSON events: the bytes of one event.
 */
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { toBinary } from "@bufbuild/protobuf";
import { EVENT_BYTES_MAX } from "../../core-wasm/abi.ts";
import { EventSchema } from "../gen/sluice/v1/event_pb.ts";
import { eventFromJson } from "../socket/json/event.ts";
import { type JsonPath, readJson } from "../socket/json/reader.ts";
import { CliError, messageOf } from "./failure.ts";
import type { AttributeValue } from "./values.ts";

/** What every event of a command gets unless its own JSON says otherwise. */
export interface EventOptions {
  readonly type?: string;
  readonly source?: string;
  readonly subject?: string;
  readonly attr?: Readonly<Record<string, AttributeValue>>;
  readonly priority?: number;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly key?: string;
  readonly contentType?: string;
}

/** A whole JSON event, or data bytes with their media type (absent: JSON). */
export type Payload = { readonly event: unknown } | { readonly data?: Uint8Array; readonly contentType?: string };

/** The type of events that are given none: the field may not be empty, and a newcomer should not need to know. */
export const TYPE_DEFAULT = "message";

/**
 * The data of a single event: `text`, or the bytes of `file` ("-": all of `input`), or none.
 *
 * @throws {CliError} where the file cannot be read or is larger than an event may be.
 */
export async function payloadOf(
  text: string | undefined,
  file: string | undefined,
  options: EventOptions,
  input: Readable,
): Promise<Payload> {
  if (text !== undefined) return payloadFromText(text, options);
  if (file === undefined) return {};
  try {
    return payloadFromBytes(file === "-" ? await allOf(input) : await readFile(file), options);
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(`cannot read --file ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** Valid JSON is sent as JSON, byte for byte as it was typed; anything else is text/plain. */
export function payloadFromText(text: string, options: EventOptions): Payload {
  return payloadFromBytes(Buffer.from(text, "utf8"), options);
}

/**
 * One JSON event as text. Its data is kept as it is written, so that big numbers survive.
 *
 * @throws {SluiceError} `malformed` and what else readJson() refuses.
 */
export function payloadFromJson(text: string): Payload {
  const read = readJson(text, isData);
  if (!read.ok) throw read.error;
  return { event: read.value };
}

function isData(path: JsonPath): boolean {
  return path.length === 1 && path[0] === "data";
}

/**
 * Merges the options under the event's own fields and encodes it (schemas/sluice/v1/event.proto).
 *
 * @throws {CliError} for a value that is no JSON object or an event above EVENT_BYTES_MAX; SluiceError for its fields.
 */
export function eventBytes(payload: Payload, options: EventOptions): Uint8Array {
  const given = "event" in payload ? payload.event : {};
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const shown = JSON.stringify(given).slice(0, 60);
    throw new CliError(`${shown} is not a JSON event, for example {"type":"greeting","data":"hello"}`);
  }
  const read = eventFromJson(merged(given as Record<string, unknown>, options));
  if (!read.ok) throw read.error;
  const event = read.value;
  if (!("event" in payload)) {
    if (payload.data !== undefined) event.data = payload.data;
    if (payload.contentType !== undefined) event.dataContentType = payload.contentType;
  }
  const bytes = toBinary(EventSchema, event);
  if (bytes.length > EVENT_BYTES_MAX) {
    throw new CliError(`the event has ${bytes.length} bytes, the limit is ${EVENT_BYTES_MAX} [event_too_large]`);
  }
  return bytes;
}

function merged(own: Readonly<Record<string, unknown>>, options: EventOptions): Record<string, unknown> {
  const fields: Record<string, unknown> = { type: options.type ?? TYPE_DEFAULT };
  if (options.source !== undefined) fields["source"] = options.source;
  if (options.subject !== undefined) fields["subject"] = options.subject;
  if (options.priority !== undefined) fields["priority"] = options.priority;
  if (options.key !== undefined) fields["key"] = options.key;
  // An event says one of the two; its own moment wins over the command's duration.
  if (options.ttl !== undefined && !("deliverBy" in own)) fields["ttlMs"] = options.ttl;
  Object.assign(fields, own);
  if (options.attr !== undefined) {
    fields["attributes"] = { ...options.attr, ...(own["attributes"] as Record<string, unknown> | undefined) };
  }
  return fields;
}

function payloadFromBytes(data: Buffer, options: EventOptions): Payload {
  if (options.contentType !== undefined) return { data, contentType: options.contentType };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    return { data, contentType: "application/octet-stream" };
  }
  try {
    JSON.parse(text);
    return { data };
  } catch {
    return { data, contentType: "text/plain" };
  }
}

/** Whole input as one payload, refused beyond the size of an event instead of buffered. */
async function allOf(input: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > EVENT_BYTES_MAX)
      throw new CliError(`the input has ${bytes} bytes or more, an event takes ${EVENT_BYTES_MAX}`);
  }
  return Buffer.concat(chunks);
}
