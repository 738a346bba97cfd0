/**
 * What a CloudEvent 1.0 is made of, and which of its members have a place of their own in a native event.
 *
 * Three documented or obvious extensions say what a native field says, so they are that field in both directions; every
 * other extension is an attribute. Source: CloudEvents 1.0.2, spec.md §Context Attributes and extensions/{expirytime,
 * partitioning}.md.
 */
import { z } from "zod";
import { refuse, text, word } from "../../check.ts";
import { limits } from "../../limits.ts";
import { base64Text, checkPayload, priority } from "../json/schema/event.ts";
import { moment } from "../json/schema/parts.ts";

/** The only version there is; 0.3 has other names and is not taken. */
export const SPEC_VERSION = "1.0";

/** Headers can say text only, so a digit stands for the number. */
const priorityOrText = z.preprocess(
  (value) => (typeof value === "string" && /^\d{1,3}$/.test(value) ? Number(value) : value),
  priority,
);

/**
 * A CloudEvent without its extensions; those are checked as attributes.
 *
 * `type` is asked for by its own code, like a native event's.
 */
export const cloudEventSchema = z
  .strictObject({
    specversion: z.literal(SPEC_VERSION),
    id: word(limits.eventBytes),
    source: word(limits.eventBytes),
    type: text(limits.typeBytes, "type_too_long").optional(),
    subject: text(limits.eventBytes).optional(),
    time: moment.optional(),
    datacontenttype: text(limits.eventBytes).optional().describe("`dataContentType`"),
    dataschema: text(limits.eventBytes).optional().describe("The attribute `dataschema`"),
    data: z.unknown().optional(),
    data_base64: base64Text.optional().describe("`dataBase64`"),
    priority: priorityOrText.optional(),
    partitionkey: text(limits.keyBytes, "key_too_long").optional().describe("`key`"),
    expirytime: moment.optional().describe("`deliverBy`"),
  })
  .check((checked) => {
    const event = checked.value;
    if (event.type === undefined || event.type === "") {
      refuse(checked, "type_missing", "it must not be empty", { path: ["type"], value: undefined });
    }
    checkPayload(checked, event.data, event.data_base64, event.datacontenttype ?? "", payloadNames);
  });

const payloadNames = { data: "data", base64: "data_base64", mediaType: "datacontenttype" } as const;

/** What the schema gives. */
export type CloudEventJson = z.output<typeof cloudEventSchema>;

/** Members that are not attributes of the native event. */
export const cloudEventNames: ReadonlySet<string> = new Set(Object.keys(cloudEventSchema.shape));
