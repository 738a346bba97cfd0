/** An event, and the sink that it may go to, as the evaluator asks for them. */
import * as code from "../../core-wasm/expression/code.ts";
import type { Event, Value as ValueMessage } from "../gen/sluice/v1/event_pb.ts";
import type { Value } from "./value.ts";

/** Everything that an expression can ask for. Missing is undefined. */
export interface ExpressionView {
  /** A field of the event, FIELD_…, as the event has it: an absent one is missing, whatever stands for it. */
  field(field: number): Value;
  /** An attribute of the event. */
  attribute(name: string): Value;
  /** A live attribute of the sink. */
  sinkAttribute(name: string): Value;
  /** Milliseconds since that attribute was set. */
  sinkAgeMs(name: string): number | undefined;
}

/** What a view says of a sink. */
export interface SinkView {
  readonly attributes: { readonly [name: string]: ValueMessage };
  ageMs?(name: string): number | undefined;
}

/** A view of an event as it is stored, and of a sink's attributes, if there is one. */
export function viewOf(event: Event, sink?: SinkView): ExpressionView {
  return {
    field: (field) => fieldValue(event, field),
    attribute: (name) => attributeValue(event.attributes, name),
    sinkAttribute: (name) => (sink === undefined ? undefined : attributeValue(sink.attributes, name)),
    sinkAgeMs: (name) => sink?.ageMs?.(name),
  };
}

function attributeValue(attributes: { readonly [name: string]: ValueMessage }, name: string): Value {
  return Object.hasOwn(attributes, name) ? attributes[name]?.kind.value : undefined;
}

function fieldValue(event: Event, field: number): Value {
  switch (field) {
    case code.FIELD_ID:
      return textValue(event.id);
    case code.FIELD_SOURCE:
      return textValue(event.source);
    case code.FIELD_TYPE:
      return textValue(event.type);
    case code.FIELD_SUBJECT:
      return textValue(event.subject);
    case code.FIELD_TIME:
      return momentValue(event.timeUs);
    case code.FIELD_PRIORITY:
      return event.priority === undefined ? undefined : BigInt(event.priority);
    case code.FIELD_DELIVER_BY:
      return momentValue(event.deliverByUs);
    case code.FIELD_KEY:
      return textValue(event.key);
    case code.FIELD_DATA_CONTENT_TYPE:
      return textValue(event.dataContentType);
    default:
      return undefined;
  }
}

/** An empty text is an absent one, as in all of the schema's fields without presence. */
function textValue(text: string): Value {
  return text === "" ? undefined : text;
}

/** RFC 3339 in UTC, with milliseconds, or microseconds where they are not 0. */
function momentValue(timeUs: bigint | undefined): Value {
  if (timeUs === undefined) return undefined;
  const micros = ((timeUs % 1000n) + 1000n) % 1000n;
  const text = new Date(Number((timeUs - micros) / 1000n)).toISOString();
  return micros === 0n ? text : `${text.slice(0, -1)}${String(micros).padStart(3, "0")}Z`;
}
