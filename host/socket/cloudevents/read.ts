/**
 * CloudEvents → protobuf events: from the JSON format and from header fields.
 *
 * | CloudEvents | native | |
 * |---|---|---|
 * | id, source, type, subject, time | the same | id and source must be there |
 * | datacontenttype, data, data_base64 | dataContentType, data, dataBase64 | JSON passes byte by byte |
 * | partitionkey, expirytime, priority | key, deliverBy, priority | extensions that have a field |
 * | dataschema, every other extension | attributes | boolean, number or string |
 */
import { checkWith, textFromPath } from "../../check.ts";
import { SluiceError } from "../../errors.ts";
import type { Event } from "../../gen/sluice/v1/event_pb.ts";
import { eventFromChecked } from "../json/event.ts";
import { type JsonPath, type JsonValue, RawJson } from "../json/reader.ts";
import { attributes as attributesSchema, type ScalarValue } from "../json/schema/parts.ts";
import { textFromHeader } from "./header.ts";
import { type CloudEventJson, cloudEventNames, cloudEventSchema } from "./schema.ts";

/** In front of the name of an attribute, in header fields. */
export const HEADER_PREFIX = "ce-";

/**
 * Reads one event of the JSON format, or one entry of a batch.
 *
 * @param value What readJson() made, with `data` kept as text.
 * @param path Where it stands in the body, for errors.
 * @throws {SluiceError} for the first thing that is wrong, naming the member as CloudEvents calls it.
 */
export function eventFromCloudEvent(value: JsonValue, path: JsonPath): Event {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof RawJson) {
    const shown = typeof value === "object" ? textFromPath(path) : value;
    throw new SluiceError("invalid_value", "Cannot take this as a CloudEvent, it must be an object", { value: shown });
  }
  const { known, extensions } = partsOf(Object.entries(value));
  const checked = checkWith(cloudEventSchema, known, path);
  return eventFromChecked(nativeFrom(checked, checkWith(attributesSchema, extensions, path)));
}

/**
 * Reads one event in binary mode: header fields and a body.
 *
 * @param headers Fields by name; only those that begin with `ce-` are looked at. Their values are text, and extensions stay
 *   so: binary mode has no types.
 * @param contentType Of the body, "" where it is absent.
 * @param body The payload as it is; empty: there is none.
 * @throws {SluiceError} as above; `malformed` for a value whose percent-encoding is no UTF-8.
 */
export function eventFromHeaders(
  headers: Iterable<readonly [string, string]>,
  contentType: string,
  body: Uint8Array,
): Event {
  const members: [string, JsonValue][] = [];
  for (const [field, value] of headers) {
    const name = field.toLowerCase();
    if (name.startsWith(HEADER_PREFIX)) members.push([name.slice(HEADER_PREFIX.length), textFromHeader(name, value)]);
  }
  const twice = members.find(([name]) => name === "datacontenttype" || name === "data" || name === "data_base64");
  if (twice !== undefined) {
    const field = HEADER_PREFIX + twice[0];
    throw new SluiceError("unknown_field", `Cannot take the field ${field}, the body and its Content-Type say it`, {
      value: field,
    });
  }
  if (contentType !== "") members.push(["datacontenttype", contentType]);
  const { known, extensions } = partsOf(members);
  const checked = checkWith(cloudEventSchema, known, ["headers"]);
  const event = eventFromChecked(nativeFrom(checked, checkWith(attributesSchema, extensions, ["headers"])));
  if (body.length > 0) event.data = body;
  return event;
}

/** Tells members that have a place of their own from extensions. A member that is null is absent (JSON format §2.2). */
function partsOf(members: Iterable<readonly [string, JsonValue]>) {
  const known: Record<string, JsonValue> = {};
  // No prototype: `__proto__` is a name like any other, and one that is refused.
  const extensions: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of members) {
    if (value === null && name !== "data") continue;
    if (cloudEventNames.has(name)) known[name] = value;
    else extensions[name] = value;
  }
  return { known, extensions };
}

function nativeFrom(event: CloudEventJson, extensions: Readonly<Record<string, ScalarValue>>) {
  const { datacontenttype, dataschema, data_base64, partitionkey, expirytime, specversion: _, ...same } = event;
  return {
    ...same,
    dataContentType: datacontenttype,
    dataBase64: data_base64,
    key: partitionkey,
    deliverBy: expirytime,
    attributes: dataschema === undefined ? extensions : { ...extensions, dataschema },
  };
}
