/**
 * Bodies of HTTP publishes: JSON → encoded events, one by one.
 *
 * A body that is no JSON, or more events than one publish may have, is refused as a whole. An event that is wrong is an
 * entry that says why, and those beside it are published.
 */
import { toBinary } from "@bufbuild/protobuf";
import { checkWith } from "../../check.ts";
import { SluiceError, sluiceErrorFrom } from "../../errors.ts";
import { type Event, EventSchema } from "../../gen/sluice/v1/event_pb.ts";
import { limits } from "../../limits.ts";
import { eventFromChecked } from "./event.ts";
import { FieldReader } from "./proto.ts";
import { PublishReader } from "./publish.ts";
import { type JsonPath, type JsonValue, type RawAt, type Read, readJson } from "./reader.ts";
import { BRACKET_OPEN, skipSpace } from "./scan.ts";
import { eventSchema } from "./schema/event.ts";

/** An encoded Event, or what is wrong with this one. */
export type BodyEntry = Uint8Array | SluiceError;

/** What a body publishes. */
export interface BodyEvents {
  /** In their order. Bytes are valid until the next body is read. */
  readonly entries: readonly BodyEntry[];
  /** Whether the body was an array: one event and an array of one are answered differently. */
  readonly many: boolean;
}

/** Makes an event of one JSON value. `path` is where it stands in the body, for errors. Throws a SluiceError. */
export type EventConverter = (value: JsonValue, path: JsonPath) => Event;

/** Which bodies are taken: an object, an array, or either. */
export type BodyShape = "one" | "many" | "either";

/** Reads bodies of native events; one serves all requests, because reading is synchronous. */
export function createBodyReader(): (body: Uint8Array) => Read<BodyEvents> {
  const fast = createFastBodyReader();
  return (body) => {
    const value = fast(body);
    return value === undefined ? readEntries(body, "either", nativeEvent) : { ok: true, value };
  };
}

/** The same for bodies that are plainly native events; undefined for all others. */
export function createFastBodyReader(): (body: Uint8Array) => BodyEvents | undefined {
  const publishes = new PublishReader();
  const fields = new FieldReader();
  return (body) => {
    const written = publishes.events(body);
    if (written === undefined) return undefined;
    const many = body[skipSpace(body, 0, body.length)] === BRACKET_OPEN;
    return { entries: slices(fields, written.bytes), many };
  };
}

/** The value of each field: all are `Publish.events`, as PublishReader wrote them. */
function slices(fields: FieldReader, bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  fields.start(bytes, 0);
  while (fields.at < bytes.length) {
    fields.at += 1;
    const size = fields.varint();
    entries.push(bytes.subarray(fields.at, fields.at + size));
    fields.at += size;
  }
  return entries;
}

/**
 * Reads a body by way of values, which says what is wrong with an event.
 *
 * @param convert Called for each event.
 */
export function readEntries(body: Uint8Array, shape: BodyShape, convert: EventConverter): Read<BodyEvents> {
  const read = readJson(body, rawAt);
  if (!read.ok) return read;
  const { value } = read;
  if (!Array.isArray(value)) {
    if (shape === "many") return { ok: false, error: wrongShape("an array of events") };
    return { ok: true, value: { entries: [encodedEntry(() => convert(value, []))], many: false } };
  }
  if (shape === "one") return { ok: false, error: wrongShape("one event, an array has a media type of its own") };
  if (value.length > limits.publishEvents) return { ok: false, error: tooMany(value.length) };
  const entries = value.map((entry, index) => encodedEntry(() => convert(entry, [index])));
  return { ok: true, value: { entries, many: true } };
}

/** The payloads of the events are carried as text. */
const rawAt: RawAt = (path) =>
  path[path.length - 1] === "data" && (path.length === 1 || (path.length === 2 && typeof path[0] === "number"));

function nativeEvent(value: JsonValue, path: JsonPath): Event {
  return eventFromChecked(checkWith(eventSchema, value, path));
}

/** Encodes what `make` makes; what it throws is the entry. */
export function encodedEntry(make: () => Event): BodyEntry {
  try {
    return toBinary(EventSchema, make());
  } catch (thrown) {
    return sluiceErrorFrom(thrown);
  }
}

function wrongShape(wanted: string): SluiceError {
  return new SluiceError("invalid_value", `Cannot take this body, it must be ${wanted}`);
}

function tooMany(count: number): SluiceError {
  return new SluiceError("invalid_value", `Cannot take ${count} events at once, limit is ${limits.publishEvents}`, {
    value: count,
    limit: limits.publishEvents,
  });
}
