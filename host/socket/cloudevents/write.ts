/**
 * Protobuf events → CloudEvents 1.0: the JSON format, and header fields with a body.
 *
 * What CloudEvents cannot say is said as nearly as it can: a number that is no 32-bit integer becomes its text, and an
 * attribute whose name has an underscore, or is one of CloudEvents' own, gets a name that is free (see read.ts for the rest).
 */
import type { Event } from "../../gen/sluice/v1/event_pb.ts";
import { treeFromEvent } from "../json/event.ts";
import { JSON_MEDIA_TYPE } from "../json/media.ts";
import { RawJson } from "../json/reader.ts";
import { type JsonTree, textFromTree } from "../json/write.ts";
import { headerFromText } from "./header.ts";
import { HEADER_PREFIX } from "./read.ts";
import { cloudEventNames, SPEC_VERSION } from "./schema.ts";

/** An event to be written; `id` is what the receiver is to see, derived where the source gave none. */
export interface IdentifiedEvent {
  readonly event: Event;
  readonly id: string;
}

/** An event in binary mode. */
export interface CloudEventMessage {
  /** Names in lower case; values are printable ASCII. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Largest Integer of CloudEvents; it has 32 bits. */
const INTEGER_MAX = 2_147_483_647;
/** A value that can be a Content-Type: whatever else a publisher wrote there must not reach a header. */
const mediaTypePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[\x20-\x7e]+$/;

/** One event in the JSON format. The text may have line breaks, where `data` was published with some. */
export function cloudEventText({ event, id }: IdentifiedEvent): string {
  const native = treeFromEvent(event) as Readonly<Record<string, JsonTree>>;
  const mediaType = event.dataContentType || (native["data"] === undefined ? undefined : JSON_MEDIA_TYPE);
  const { data, dataBase64 } = native;
  return textFromTree({ ...contextOf(event, id), datacontenttype: mediaType, data, data_base64: dataBase64 });
}

/** A batch: an array of the above. */
export function cloudEventBatch(events: readonly IdentifiedEvent[]): string {
  return `[${events.map(cloudEventText).join(",")}]`;
}

/** One event in binary mode: the body is the payload, byte by byte. */
export function cloudEventMessage({ event, id }: IdentifiedEvent): CloudEventMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(contextOf(event, id))) {
    if (value !== undefined) headers[HEADER_PREFIX + name] = headerFromText(String(value));
  }
  if (event.data !== undefined) headers["content-type"] = contentTypeOf(event);
  return { headers, body: (event.data ?? new Uint8Array(0)) as Uint8Array<ArrayBuffer> };
}

/** Without a media type the payload is JSON if it can be read as such, and bytes otherwise. */
function contentTypeOf(event: Event): string {
  if (mediaTypePattern.test(event.dataContentType)) return event.dataContentType;
  const { data } = treeFromEvent(event) as Readonly<Record<string, JsonTree>>;
  const isJson = event.dataContentType === "" && data instanceof RawJson;
  return isJson ? JSON_MEDIA_TYPE : "application/octet-stream";
}

type Scalar = boolean | number | string | bigint;

/** Everything but the payload and its media type, in the order in which it is written. */
function contextOf(event: Event, id: string): Record<string, Scalar | undefined> {
  const native = treeFromEvent(event) as Readonly<Record<string, JsonTree>>;
  const text = (name: string) => native[name] as string | undefined;
  const context: Record<string, Scalar | undefined> = Object.assign(Object.create(null), {
    specversion: SPEC_VERSION,
    id,
    source: text("source"),
    type: text("type"),
    subject: text("subject"),
    time: text("time"),
    priority: native["priority"] as number | undefined,
    partitionkey: text("key"),
    expirytime: text("deliverBy"),
  });
  const attributes = Object.entries((native["attributes"] ?? {}) as Readonly<Record<string, Scalar>>);
  // Names that need no change first, so that none of them loses its own to one that does.
  const taken = new Set(attributes.map(([name]) => name).filter(isFree));
  for (const [name, value] of attributes) context[isFree(name) ? name : freeName(name, taken)] = shown(value);
  return context;
}

/** Whether an attribute keeps its name. `dataschema` is CloudEvents' own and kept as an attribute (read.ts). */
function isFree(name: string): boolean {
  return name === "dataschema" || (!cloudEventNames.has(name) && !name.includes("_"));
}

/** The name without underscores; where that is taken, with the first number from 2 that makes it free. */
function freeName(name: string, taken: Set<string>): string {
  const plain = name.replaceAll("_", "");
  let free = plain;
  for (let count = 2; taken.has(free) || cloudEventNames.has(free); count += 1) free = `${plain}${count}`;
  taken.add(free);
  return free;
}

function shown(value: Scalar): Scalar {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "number") return value;
  return Number.isInteger(value) && Math.abs(value) <= INTEGER_MAX ? value : String(value);
}
