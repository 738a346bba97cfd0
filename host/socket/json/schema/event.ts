/** The native JSON event, as clients send it; what a host delivers fits it too. */
import { z } from "zod";
import { bytesFromText, type Checked, list, refuse, text } from "../../../check.ts";
import { limits } from "../../../limits.ts";
import { mediaForm } from "../media.ts";
import { RawJson } from "../reader.ts";
import { QUOTE } from "../scan.ts";
import { attributes, durationMs, moment } from "./parts.ts";

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** Canonical base64 of RFC 4648 §4: padded, no line breaks, no stray bits, so that one payload has one text. */
export const base64Text = z
  .string()
  .check((checked) => {
    if (!base64.test(checked.value)) refuse(checked, "invalid_value", "it must be padded base64 (RFC 4648 §4)");
  })
  .meta({ contentEncoding: "base64" });

/** Out of range is a code of its own, because the core has one for binary publishers too. */
export const priority = z
  .number()
  .check((checked) => {
    if (Number.isInteger(checked.value) && checked.value >= 0 && checked.value <= 9) return;
    refuse(checked, "priority_out_of_range", "it must be a whole number from 0 to 9", { limit: 9 });
  })
  .meta({ type: "integer", minimum: 0, maximum: 9 });

/**
 * One event. An empty text counts as absent, so `type` is optional here and asked for by checkEvent(), which refuses it by
 * its own code. Texts have no limit but that of the event, as in binary; what the core compares or hashes has its own.
 */
export const eventSchema = z
  .strictObject({
    id: text(limits.eventBytes)
      .optional()
      .describe("Of the source's choice; absent: made of host, epoch, channel, sequence"),
    source: text(limits.eventBytes).optional().describe("Where it comes from; absent: the session"),
    type: text(limits.typeBytes, "type_too_long").optional().describe("What kind of event it is; must be there"),
    subject: text(limits.eventBytes).optional().describe("What it is about, within the source"),
    time: moment.optional().describe("When it happened; absent: the moment of acceptance"),
    priority: priority.optional().describe("Higher is more urgent; absent: the channel's"),
    deliverBy: moment.optional().describe("The moment after which delivery is useless"),
    ttlMs: durationMs.optional().describe("The same from now on; instead of `deliverBy`"),
    key: text(limits.keyBytes, "key_too_long").optional().describe("Correlates events; `cancel` withdraws by it"),
    attributes: attributes.optional().describe("What filters look at, beside the payload; at most 64"),
    dataContentType: text(limits.eventBytes).optional().describe("Media type of `data`; absent: JSON"),
    data: z.unknown().optional().describe("The payload: any JSON, or a string where the media type is another text"),
    dataBase64: base64Text.optional().describe("A payload of bytes, instead of `data`"),
  })
  .check(checkEvent);

/** What the schema gives. */
export type EventJson = z.output<typeof eventSchema>;

/** How the OpenAPI document names {@link eventSchema}; the entries of a list are not looked at where it is made. */
const eventRef = { $ref: "#/components/schemas/Event" };

/** Events of one publish. */
export const eventsSchema = list(eventSchema, limits.publishEvents).meta({ items: eventRef });

/** What concerns more than one member. */
function checkEvent(checked: Checked<EventJson>): void {
  const event = checked.value;
  if (event.type === undefined || event.type === "") {
    refuse(checked, "type_missing", "it must not be empty", { path: ["type"], value: undefined });
  }
  if (event.deliverBy !== undefined && event.ttlMs !== undefined) {
    refuse(checked, "invalid_value", "deliverBy says it already", { path: ["ttlMs"], value: event.ttlMs });
  }
  checkPayload(checked, event.data, event.dataBase64, event.dataContentType ?? "", nativeNames);
}

/** How a format calls the members that make up the payload. */
export interface PayloadNames {
  readonly data: string;
  readonly base64: string;
  readonly mediaType: string;
}

const nativeNames: PayloadNames = { data: "data", base64: "dataBase64", mediaType: "dataContentType" };

/** Checks that the payload is told once, and as its media type wants it; for every JSON format of events. */
export function checkPayload<Value>(
  checked: Checked<Value>,
  data: unknown,
  base64Data: string | undefined,
  mediaType: string,
  names: PayloadNames,
): void {
  if (data === undefined) return;
  if (base64Data !== undefined) {
    refuse(checked, "invalid_value", `${names.data} says it already`, { path: [names.base64], value: base64Data });
  }
  if (mediaForm(mediaType) === "json") return;
  const content = textOfData(data);
  if (content === undefined) {
    refuse(checked, "invalid_value", `it must be a string where ${names.mediaType} is ${mediaType}`, {
      path: [names.data],
      value: data instanceof RawJson ? {} : data,
    });
  } else if (bytesFromText(content) === undefined) {
    refuse(checked, "not_utf8", "it has a lone surrogate, which UTF-8 cannot say", {
      path: [names.data],
      value: content,
    });
  }
}

/** The text in `data`; undefined where it is no string. */
export function textOfData(data: unknown): string | undefined {
  const value: unknown =
    data instanceof RawJson && data.bytes[0] === QUOTE ? JSON.parse(new TextDecoder().decode(data.bytes)) : data;
  return typeof value === "string" ? value : undefined;
}
