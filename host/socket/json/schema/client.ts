/**
 * Frames from client to host: one kind each, and an optional `ref`.
 *
 * They are complete: a field whose feature this version lacks is read here like any other, and it is for the session to
 * refuse it, because only the session knows what its host can do.
 */
import { z } from "zod";
import { channelName, typeName } from "../../../channel/definition.ts";
import { joinable } from "../../../channel/pattern.ts";
import { type Checked, list, refuse, resourceName, text, word } from "../../../check.ts";
import { limits } from "../../../limits.ts";
import { eventsSchema } from "./event.ts";
import {
  anyJson,
  attributeChanges,
  attributes,
  conditionAmounts,
  conditionValues,
  count,
  durationMs,
  member,
  moment,
  uint32,
} from "./parts.ts";

/** How deliveries are grouped. */
export const selectSchema = z.strictObject({
  mode: z.enum(["batch", "single"]).optional().describe("`single`: one event at a time"),
  events: uint32.min(1).optional().describe("Events in one batch at most"),
  bytes: uint32.min(1).optional().describe("Bytes after which a batch ends"),
  delayMs: uint32.optional().describe("How long the first of a batch waits for more"),
});

/** Settings of an inbox; what is absent stays as it is. */
export const inboxSchema = z.strictObject({
  ordering: z
    .enum(["fifo", "lifo", "priority", "deadline", "priority+deadline", "window", "time"])
    .optional()
    .describe("Which waiting event leaves first"),
  capacityEvents: count.min(1).optional().describe("Events that may wait in it"),
  capacityBytes: count.min(1).optional().describe("Bytes that may wait in it"),
  overflow: z
    .enum(["drop-oldest", "drop-newest", "drop-lowest", "reject", "block", "disconnect", "keep-latest"])
    .optional()
    .describe("What happens when it is full"),
  select: selectSchema.optional(),
  stallMark: z
    .number()
    .optional()
    .describe("With `overflow: block`: the share of its capacity from which on publishers wait; 0.5 where absent"),
  releaseMark: z.number().optional().describe("And down to which they do; 0.25 where absent"),
  late: z
    .enum(["channel", "deliver", "drop", "divert"])
    .optional()
    .describe("What becomes of late events, over what their channels say; `channel`: as those say"),
  serviceMs: z
    .number()
    .min(0)
    .optional()
    .describe("Time that its owner takes for one event, for admission and windows; 0: unknown"),
  ack: z.enum(["none", "explicit"]).optional().describe("`explicit`: deliveries are kept until they are acknowledged"),
  redeliverMs: durationMs
    .optional()
    .describe("After which time without an acknowledgement a delivery is made again; twice as long after each"),
  attempts: uint32.optional().describe("How often one event is delivered at most"),
  deadLetter: channelName.optional().describe("The channel for what was delivered that often in vain"),
  idleMs: durationMs.optional().describe("Time without use after which an inbox that is polled ends"),
  held: z.boolean().optional().describe("Whether it is paused: nothing leaves it"),
});

/** Settings of the outbox of a source; what is absent stays as it is. */
export const outboxSchema = z.strictObject({
  ordering: z
    .enum(["fifo", "lifo", "priority", "deadline", "priority+deadline", "window", "time"])
    .optional()
    .describe("Which waiting event leaves first"),
  capacityEvents: count.min(1).optional().describe("Events that may wait in it, the source's credit"),
  capacityBytes: count.min(1).optional().describe("Bytes that may wait in it, as they were published"),
  overflow: z
    .enum(["drop-oldest", "drop-newest", "drop-lowest", "reject", "block", "disconnect", "keep-latest"])
    .optional()
    .describe("What happens when it is full; `block`: what comes beyond the credit is refused"),
  held: z.boolean().optional().describe("Whether it is paused: nothing leaves it"),
});

/** What a binding holds is for the filter to check; here it only must not nest too deep for protobuf. */
const filtersSchema = z.strictObject({ in: anyJson.optional(), out: anyJson.optional() });

/** What a client may say, by kind. */
export const clientKinds = {
  publish: z.strictObject({
    channel: channelName,
    events: eventsSchema,
    number: count.optional(),
  }),
  credit: z.strictObject({ events: count.optional(), bytes: count.optional() }),
  ack: z
    .strictObject({ through: count.optional(), numbers: list(count, limits.listEntries).optional() })
    .check((checked) => {
      const { through, numbers } = checked.value;
      if (through === undefined && numbers === undefined)
        refuse(checked, "invalid_value", "it must have through or numbers");
    }),
  update: z.strictObject({
    member,
    attributes: attributeChanges.optional(),
    remove: list(text(limits.attributeNameBytes, "attribute_name"), limits.listEntries).optional(),
    outbox: outboxSchema.optional().describe("Of a source: settings of its outbox"),
  }),
  cancel: z.strictObject({ channel: channelName, key: word(limits.keyBytes, "key_too_long"), at: moment.optional() }),
  hello: z.strictObject({
    client: text(limits.clientNameBytes).optional(),
    token: text(limits.tokenBytes).optional(),
    inbox: inboxSchema.optional(),
    session: text(limits.tokenBytes).optional(),
    received: count.optional(),
    lingerMs: durationMs.optional(),
  }),
  join: z.strictObject({
    channel: joinable.describe("A channel; for a sink also a pattern of names"),
    role: z.enum(["sink", "source", "both"]).optional(),
    attributes: attributes.optional().describe("Live attributes of the member"),
    where: text(limits.expressionBytes).optional().describe("Only events of which this expression holds"),
    types: list(typeName, limits.types)
      .meta({ items: { type: "string" } })
      .optional()
      .describe("Event types wanted; none: any"),
    filters: filtersSchema
      .optional()
      .describe("Filters that a source's own events pass before the channel's: bindings, as of `/filters`"),
    piggyback: list(text(limits.attributeNameBytes, "attribute_name"), limits.attributes)
      .meta({ items: { type: "string" } })
      .optional()
      .describe("Names of attributes: what an event of this source says of them becomes its own live attribute, too"),
    dialect: z.enum(["", "cesql"]).optional().describe("Of `where`: `cesql` is the pure CloudEvents SQL"),
    misses: z.boolean().optional().describe("Tells this source of deadlines that its events miss"),
    rate: z.number().positive().optional().describe("Declared events per second, for admission"),
    after: z
      .strictObject({ epoch: count, sequence: count })
      .optional()
      .describe("The last event that it has seen of the channel; a store replays what came after"),
    replay: z.boolean().optional().describe("false: nothing of what the channel stores"),
    outbox: outboxSchema.optional().describe("Of a source: settings of its outbox"),
  }),
  leave: z.strictObject({ member }),
  inbox: inboxSchema,
  set: z.strictObject({
    values: conditionValues.optional(),
    add: conditionAmounts.optional().describe("What is added to counters, windows and rates; samples"),
  }),
  evaluate: z.strictObject({ contract: resourceName }),
  observe: z.strictObject({ contract: resourceName, stop: z.boolean().optional().describe("Ends that instead") }),
  ping: z.strictObject({}),
};

/** Names of the kinds that a client sends. */
export type ClientKind = keyof typeof clientKinds;

/** One frame from a client. */
export const clientFrameSchema = z
  .strictObject({ ref: uint32.optional(), ...optional(clientKinds) })
  .check(exactlyOne(["ref"]));

/** What the schema gives. */
export type ClientFrameJson = z.output<typeof clientFrameSchema>;

/** Every member optional; which one is there is for {@link exactlyOne} to say. */
export function optional<Kinds extends Record<string, z.ZodType>>(
  kinds: Kinds,
): { [Kind in keyof Kinds]: z.ZodOptional<Kinds[Kind]> } {
  const entries = Object.entries(kinds).map(([kind, schema]) => [kind, schema.optional()]);
  return Object.fromEntries(entries) as { [Kind in keyof Kinds]: z.ZodOptional<Kinds[Kind]> };
}

/** Refuses frames with no kind or with two; `beside` are the members that are no kinds. */
export function exactlyOne(beside: readonly string[]) {
  return (checked: Checked<object>): void => {
    const kinds = Object.keys(checked.value).filter((name) => !beside.includes(name));
    if (kinds.length === 1) return;
    const rule = kinds.length === 0 ? "it must have one" : `limit is 1: ${kinds.slice(0, 4).join(", ")}`;
    refuse(checked, "frame_kind", rule, { value: kinds, limit: 1, subject: `a frame of ${kinds.length} kinds` });
  };
}
