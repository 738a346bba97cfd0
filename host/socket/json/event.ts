/**
 * Events: native JSON ↔ protobuf, for every plane that speaks JSON.
 *
 * `data` travels as it came: JSON text is carried byte by byte, never parsed and written again, so that big numbers,
 * spacing and the order of members survive. A text media type carries the text, anything else `dataBase64`; so does JSON
 * by its media type that is no JSON by its bytes, because one broken publisher must not break its readers.
 */
import { create } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { bytesFromText, checkWith } from "../../check.ts";
import { sluiceErrorFrom } from "../../errors.ts";
import { type Event, EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { mediaForm } from "./media.ts";
import { microsFromMoment, momentFromMicros } from "./moment.ts";
import { isUtf8, RawJson, type Read } from "./reader.ts";
import { isJsonValue } from "./scan.ts";
import { type EventJson, eventSchema, textOfData } from "./schema/event.ts";
import { integerFromBigint, scalarsFromValues, valuesFromScalars } from "./value.ts";
import { type JsonTree, plainFromTree, textFromTree } from "./write.ts";

/**
 * Reads one JSON event.
 *
 * @param value What readJson() or JSON.parse() made.
 * @returns The event, or `unknown_field`, `type_missing`, `priority_out_of_range`, `attribute_name`, `invalid_value` …
 */
export function eventFromJson(value: unknown): Read<Event> {
  try {
    return { ok: true, value: eventFromChecked(checkWith(eventSchema, value)) };
  } catch (thrown) {
    return { ok: false, error: sluiceErrorFrom(thrown) };
  }
}

/** The event as a plain object for printing and comparing. Numbers beyond doubles in `data` are rounded. */
export function jsonFromEvent(event: Event): EventJson {
  return plainFromTree(treeFromEvent(event)) as EventJson;
}

/** The event as JSON text; `data` byte by byte as it was published. */
export function textFromEvent(event: Event): string {
  return textFromTree(treeFromEvent(event));
}

/** Makes the protobuf form of what the schema has let pass. */
export function eventFromChecked(json: EventJson): Event {
  const event = create(EventSchema, {
    id: json.id ?? "",
    source: json.source ?? "",
    type: json.type ?? "",
    subject: json.subject ?? "",
    key: json.key ?? "",
    dataContentType: json.dataContentType ?? "",
    attributes: valuesFromScalars(json.attributes ?? {}),
  });
  if (json.time !== undefined) event.timeUs = microsFromMoment(json.time) as bigint;
  if (json.priority !== undefined) event.priority = json.priority;
  if (json.deliverBy !== undefined) event.deliverByUs = microsFromMoment(json.deliverBy) as bigint;
  if (json.ttlMs !== undefined) event.ttlMs = BigInt(json.ttlMs);
  if (json.data !== undefined) event.data = bytesFromData(json.data, event.dataContentType);
  else if (json.dataBase64 !== undefined) event.data = base64Decode(json.dataBase64);
  return event;
}

/** The members of the JSON form, in the order in which they are written. */
export function treeFromEvent(event: Event): JsonTree {
  const { timeUs, deliverByUs, ttlMs } = event;
  return {
    id: event.id || undefined,
    source: event.source || undefined,
    type: event.type || undefined,
    subject: event.subject || undefined,
    time: timeUs === undefined ? undefined : momentFromMicros(timeUs),
    priority: event.priority,
    deliverBy: deliverByUs === undefined ? undefined : momentFromMicros(deliverByUs),
    // The core has resolved it into `deliverBy` by then; told twice it could not be published again.
    ttlMs: ttlMs === undefined || deliverByUs !== undefined ? undefined : integerFromBigint(ttlMs),
    key: event.key || undefined,
    attributes: scalarsFromValues(event.attributes),
    dataContentType: event.dataContentType || undefined,
    ...treeFromData(event.data, event.dataContentType),
  };
}

function bytesFromData(data: unknown, mediaType: string): Uint8Array {
  if (mediaForm(mediaType) !== "json") return bytesFromText(textOfData(data) as string) as Uint8Array;
  if (data instanceof RawJson) return data.bytes;
  // JSON.stringify escapes lone surrogates, so this is UTF-8 whatever the value.
  return new TextEncoder().encode(JSON.stringify(data));
}

function treeFromData(data: Uint8Array | undefined, mediaType: string): { data?: JsonTree; dataBase64?: string } {
  if (data === undefined) return {};
  const form = mediaForm(mediaType);
  if (form === "json" && isJsonValue(data, 0, data.length) && isUtf8(data)) return { data: new RawJson(data) };
  if (form === "text" && isUtf8(data)) return { data: new TextDecoder("utf-8", { ignoreBOM: true }).decode(data) };
  return { dataBase64: base64Encode(data) };
}
