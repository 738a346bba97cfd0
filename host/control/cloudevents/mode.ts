/**
 * How the body of a publish carries its events, by its header fields.
 *
 * | Content-Type | mode |
 * |---|---|
 * | application/cloudevents-batch+json | CloudEvents, batch |
 * | application/cloudevents+json | CloudEvents, structured |
 * | whatever else, with `ce-…` fields | CloudEvents, binary: the body is the payload |
 * | application/json | native: one event or an array |
 *
 * Source: CloudEvents 1.0.2, bindings/http-protocol-binding.md §3.
 */
import { eventFromCloudEvent, eventFromHeaders } from "../../socket/cloudevents/read.ts";
import { type BodyEvents, createBodyReader, encodedEntry, readEntries } from "../../socket/json/body.ts";
import { assertMediaType, assertNoEncoding, type ControlContext } from "../request.ts";

/** Media types of CloudEvents. */
export const STRUCTURED_TYPE = "application/cloudevents+json";
export const BATCH_TYPE = "application/cloudevents-batch+json";

/** A content mode. */
export type EventMode = "native" | "structured" | "batch" | "binary";

const bodyTypes = ["application/json", STRUCTURED_TYPE, BATCH_TYPE];

/**
 * Tells the mode of a request.
 *
 * A page of another origin can send neither of these media types nor a `ce-` field without asking first.
 *
 * @throws {SluiceError} `media_type`, other formats of CloudEvents included.
 */
export function eventModeOf(context: ControlContext): EventMode {
  const { req } = context;
  const type = req.header("content-type") ?? "";
  // The usual case first: it is on the way of every published event.
  const isNative = type === "application/json";
  if (!isNative && type.toLowerCase().startsWith("application/cloudevents")) {
    assertMediaType(context, bodyTypes);
    return type.toLowerCase().startsWith(BATCH_TYPE) ? "batch" : "structured";
  }
  if (req.header("ce-specversion") !== undefined || req.header("ce-id") !== undefined) {
    assertNoEncoding(context);
    return "binary";
  }
  if (!isNative || req.header("content-encoding") !== undefined) assertMediaType(context, bodyTypes);
  return "native";
}

/** Reads the events of a body in a mode. Throws a SluiceError where it is refused as a whole. */
export type EventsReader = (context: ControlContext, mode: EventMode, body: Uint8Array) => BodyEvents;

/** Makes a reader; it keeps its buffer from request to request. */
export function createEventsReader(): EventsReader {
  const readNative = createBodyReader();
  return (context, mode, body) => {
    if (mode === "binary") {
      const type = context.req.header("content-type") ?? "";
      const entry = encodedEntry(() => eventFromHeaders(context.req.raw.headers.entries(), type, body));
      return { entries: [entry], many: false };
    }
    const read =
      mode === "native" ? readNative(body) : readEntries(body, mode === "batch" ? "many" : "one", eventFromCloudEvent);
    if (!read.ok) throw read.error;
    return read.value;
  };
}
