/**
 * Conditions as they are written: a kind, and what each kind takes.
 *
 * What GET shows can be PUT back: `value` and `at`, which nobody sets there, are let pass.
 */
import { z } from "zod";
import { CONDITION_TEXT_BYTES_MAX } from "../../core-wasm/condition/abi.ts";
import { checkWith, resourceName, text, word } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What a condition may hold; undefined: it has no value. */
export type ConditionValue = boolean | number | string | undefined;

/** A value as it is written. */
export const scalarSchema = z.union([z.boolean(), z.number(), text(CONDITION_TEXT_BYTES_MAX)]);

const ms = (least: number) => z.number().min(least).max(limits.conditionMs);
const head = {
  name: z.string().optional().describe("As in the address"),
  observed: z.boolean().default(true).describe("Whether a change of it sets off what depends on it"),
  leaseMs: ms(10)
    .optional()
    .describe("It goes that long after the last write or PUT, or the end of the last session that has set it"),
  value: scalarSchema.nullable().optional().describe("As it is now; nobody sets it here"),
  at: z.string().optional().describe("When it became so; nobody sets it here"),
  problem: z.string().optional().describe("Why it could not be looked at of late; nobody sets it here"),
  holders: z.int().optional().describe("Sessions that keep it, where it has a lease; nobody sets it here"),
};

const kindSchemas = [
  z.strictObject({
    kind: z.literal("value").describe("Holds what is written to it"),
    type: z.enum(["boolean", "number", "string"]).optional().describe("Of its values; that of `initial`, else number"),
    initial: scalarSchema.optional(),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("counter").describe("A number that is added to, and may be set"),
    type: z
      .enum(["number", "boolean"])
      .default("number")
      .describe("boolean: whether it has come to 0; begun at -3, it is true after 3"),
    initial: z.number().default(0),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("window").describe("What was added within a window that slides"),
    windowMs: ms(1).default(5_000),
    agilityMs: ms(10).default(200).describe("How often it looks for what has left the window"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("rate").describe("What was added within a window, per second"),
    windowMs: ms(1).default(5_000),
    agilityMs: ms(10).default(200).describe("As of a window"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("average").describe("Exponentially weighted moving average of the samples that are added"),
    tauMs: ms(1).default(5_000).describe("After so long a sample counts by 1/e"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("quantile").describe("A quantile of the samples that were added within a window that slides"),
    q: z.number().min(0).max(1).default(0.99).describe("The share of samples that are no larger"),
    windowMs: ms(1).default(5_000),
    agilityMs: ms(10).default(200).describe("As of a window"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("duration").describe("How long the last call took, in ms: written, or between `start` and `stop`"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("time").describe("Milliseconds since 1970 on the service clock"),
    agilityMs: ms(10).default(1_000).describe("How often it moves on"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("timer").describe("Milliseconds since something was added to it, or it was made"),
    agilityMs: ms(10).default(200).describe("How often it moves on"),
    ...head,
  }),
  z.strictObject({
    kind: z
      .literal("expiring")
      .describe("Holds what is written to it for a while, or some calls, then `initial` again"),
    initial: scalarSchema.default(""),
    ms: ms(1).optional().describe("For so long; this or `calls`"),
    calls: z
      .int()
      .min(1)
      .max(limits.conditionCalls)
      .optional()
      .describe("Until as many have been added, one for each call"),
    ...head,
  }),
  z.strictObject({
    kind: z
      .literal("monitor")
      .describe("What a URL or a file says, where the operator allows it: a JSON number, boolean or string"),
    url: text(limits.monitorTargetBytes).optional().describe("http:// or https://; this or `path`"),
    path: text(limits.monitorTargetBytes).optional().describe("Of a file of the host, absolute"),
    pollMs: ms(100).default(5_000).describe("How often it is looked at"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("host").describe("What this machine and this host are up to, sampled once a second"),
    metric: z
      .enum(["cpu", "memory", "loopLag", "sockets"])
      .describe("Fractions 0 to 1 of cpu and memory, ms by which the event loop was late at most, connections"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("channel").describe("What goes on on a channel; without a value while there is none of that name"),
    channel: word(limits.channelNameBytes, "channel_name"),
    metric: z
      .enum(["rate", "dropped", "depth", "waitP99", "missed"])
      .describe(
        "Events per second, events that its sinks have lost, what waits in the inboxes of its sinks, ms that 99 % of their deliveries since the last look waited at most, deadlines missed",
      ),
    pollMs: ms(10).default(1_000).describe("How often it is looked at"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("inbox").describe("What goes on in an inbox; without a value while there is none"),
    inbox: z.string().min(1).max(128),
    metric: z
      .enum(["depth", "bytes", "unacknowledged", "waitP99", "missed"])
      .describe("Events and bytes that wait, deliveries without acknowledgement, and as of a channel"),
    pollMs: ms(10).default(1_000).describe("How often it is looked at"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("filter").describe("What a filter module does; without a value until it is bound"),
    filter: resourceName,
    metric: z.enum(["traps", "timeUs"]).describe("How often it has failed, or µs per event since the last look"),
    pollMs: ms(10).default(1_000).describe("How often it is looked at"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("members").describe("How many sinks a channel has"),
    channel: word(limits.channelNameBytes, "channel_name"),
    pollMs: ms(10).default(200).describe("How often it is looked at"),
    ...head,
  }),
  z.strictObject({
    kind: z.literal("expression").describe("Follows from other conditions"),
    expression: text(limits.expressionBytes).describe("In which names are conditions, or those of `use`"),
    use: z
      .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), resourceName)
      .optional()
      .describe("Names for conditions whose own an expression cannot say"),
    ...head,
  }),
] as const;

/** The condition resource as PUT takes it. */
export const conditionSchema = z.discriminatedUnion("kind", kindSchemas);

/** What all kinds take, and fields of any other name. */
export const headSchema = z.looseObject(head);

/** Kinds that every host has. */
export const builtInKinds: readonly string[] = kindSchemas.map((schema) => schema.shape.kind.value);

/** A condition as it was defined. */
export type ConditionDefinition = z.output<typeof conditionSchema>;
/** The definition of one kind. */
export type DefinitionOf<Kind extends ConditionDefinition["kind"]> = Extract<ConditionDefinition, { kind: Kind }>;

/**
 * Reads a condition resource.
 *
 * @param name The one in the address; a `name` in the resource must be the same.
 * @returns The definition, without what is shown only.
 * @throws {SluiceError} `unknown_field`, `invalid_value`, `contradiction`.
 */
export function conditionFromJson(value: unknown, name: string): ConditionDefinition {
  const checked = checkWith(conditionSchema, value);
  assertNamed(checked.name, name);
  const { name: _name, value: _value, at: _at, holders: _holders, problem: _problem, ...definition } = checked;
  if (definition.kind === "value") assertInitial(definition);
  if (definition.kind === "expiring" && (definition.ms === undefined) === (definition.calls === undefined))
    throw new SluiceError("contradiction", `Cannot take "${name}", one of ms and calls says when it expires`, {
      value: name,
      limit: ["ms", "calls"],
    });
  if (definition.kind === "monitor" && (definition.url === undefined) === (definition.path === undefined))
    throw new SluiceError("contradiction", `Cannot take "${name}", one of url and path says what to look at`, {
      value: name,
      limit: ["url", "path"],
    });
  return Object.freeze(definition);
}

/** @throws {SluiceError} `invalid_value` where a resource has another name than its address. */
export function assertNamed(given: string | undefined, name: string): void {
  if (given === undefined || given === name) return;
  throw new SluiceError(
    "invalid_value",
    `Cannot take name ${JSON.stringify(given.slice(0, 64))}, the address says "${name}"`,
    { value: given.slice(0, 128), limit: name },
  );
}

/** What a condition of kind `value` begins with. */
export function initialOf({ type, initial }: DefinitionOf<"value">): boolean | number | string {
  if (initial !== undefined) return initial;
  return type === "boolean" ? false : type === "string" ? "" : 0;
}

function assertInitial(definition: DefinitionOf<"value">): void {
  const { type, initial } = definition;
  if (type === undefined || initial === undefined || typeof initial === type) return;
  throw new SluiceError("invalid_value", `Cannot take initial ${JSON.stringify(initial)}, it must be a ${type}`, {
    value: initial,
    limit: type,
  });
}
