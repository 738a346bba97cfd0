/**
 * What an operator says about a channel: the schema of PUT, the merge of PATCH, the full resource of GET.
 *
 * The schema has the whole shape of the surface. Fields whose feature this version lacks are taken at their neutral
 * value, so that what GET shows can be PUT back, and refused as `not_supported` at any other.
 */
import { z } from "zod";
import { type Checked, checkWith, list, refuse, word } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { type Binding, type BindingJson, bindingFromInput, bindingJson } from "../filter/route.ts";
import { filtersSchema, type Stage } from "../filter/schema.ts";
import { limits } from "../limits.ts";

/** Of `of` consecutive deadlines, `periodMs` apart, `lose` may be missed. */
export interface DeliveryWindow {
  readonly lose: number;
  readonly of: number;
  readonly periodMs: number;
}

/** A channel's own settings, resolved: every default is filled in. */
export interface ChannelDefinition {
  /** Event types that it takes; none: any. Without duplicates. */
  readonly types: readonly string[];
  /** `single`: one source at a time. */
  readonly source: "many" | "single";
  readonly delivery: {
    /** Of events that say none, 0 to 9. */
    readonly priority: number;
    /** Of events that say neither `deliverBy` nor `ttlMs`; null: they keep. */
    readonly ttlMs: number | null;
    /** What happens to an event whose moment has passed before it leaves the inbox. */
    readonly late: "deliver" | "drop" | "divert";
    /** What becomes of an event for which no sink is left. */
    readonly empty: "drop" | "hold" | "divert";
    /** The channel for events that are diverted; null: none. */
    readonly divertTo: string | null;
    /** What its streams may miss; null: best effort. */
    readonly window: DeliveryWindow | null;
  };
  /**
   * Whether a session's own sinks receive what it publishes; undefined where nobody said, see {@link echoOf}.
   */
  readonly echo: boolean | undefined;
  readonly store: {
    /** How many of its last events it keeps in memory, for late joiners and recovery; 0: none. */
    readonly events: number;
  };
  /** Who gets an event, by the stage that asks; null: all that match. */
  readonly filters: Filters;
}

/** The filters of a channel. */
export type Filters = { readonly [Name in Stage]: Binding | null };

/** The JSON resource: the definition and the neutral values of what this version lacks. */
export interface ChannelResource extends Omit<ChannelDefinition, "filters" | "echo"> {
  readonly name: string;
  readonly delivery: ChannelDefinition["delivery"];
  readonly echo?: boolean;
  readonly presence: false;
  readonly store: ChannelDefinition["store"] & { readonly durable: false };
  readonly filters: { readonly [Name in Stage]: BindingJson | null };
  /** Contracts that lay something over it, the topmost last. */
  readonly governedBy: readonly string[];
}

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,254}$/;
const nameRule = "it must be a letter, digit or _ and then letters, digits and . _ / -";

/** The schema of a channel's name inside of a frame; see {@link assertChannelName}. */
export const channelName = z.string().check(checkChannelName);

/** The check of {@link channelName}, for schemas that take something else beside it. */
export function checkChannelName(checked: Checked<string>): void {
  const limit = limits.channelNameBytes;
  if (checked.value.length > limit) refuse(checked, "channel_name", `limit is ${limit} characters`, { limit });
  else if (!namePattern.test(checked.value)) refuse(checked, "channel_name", nameRule, { limit });
}

/** The schema of an event type in a list of types. */
export const typeName = word(limits.typeBytes, "type_too_long");

/** Whether a channel can have that name. */
export function isChannelName(name: string): boolean {
  return namePattern.test(name);
}

/**
 * Checks a channel's name: `[A-Za-z0-9_]`, then up to 254 of `[A-Za-z0-9._/-]`.
 *
 * @throws {SluiceError} `channel_name`.
 */
export function assertChannelName(name: string): void {
  if (namePattern.test(name)) return;
  const shown = JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
  const limit = limits.channelNameBytes;
  const why = name.length > limit ? `it has ${name.length} characters, limit is ${limit}` : nameRule;
  throw new SluiceError("channel_name", `Cannot name a channel ${shown}, ${why}`, {
    value: name.slice(0, 2 * limit),
    limit,
  });
}

/** Takes what `schema` takes, but refuses all but `neutral`: the feature behind it is not in this version. */
function notYet<Schema extends z.ZodType>(schema: Schema, neutral: z.output<Schema>, feature: string) {
  return schema
    .check((checked: Checked<z.output<Schema>>) => {
      if (JSON.stringify(checked.value) === JSON.stringify(neutral)) return;
      refuse(checked, "not_supported", `this version has no ${feature}, only ${JSON.stringify(neutral)} is taken`, {
        limit: neutral,
        names: true,
      });
    })
    .default(neutral as never);
}

/** Shortest time between two deadlines of a window: clocks of hosts are hardly finer than that. */
const PERIOD_MS_MIN = 0.01;

/** How events of the channel are delivered. */
const deliverySchema = z.strictObject({
  priority: z
    .number()
    .check((checked) => {
      if (Number.isInteger(checked.value) && checked.value >= 0 && checked.value <= 9) return;
      refuse(checked, "priority_out_of_range", "it must be a whole number from 0 to 9", { limit: 9 });
    })
    .meta({ type: "integer", minimum: 0, maximum: 9, default: 4 })
    .default(4)
    .describe("Of events that say none; higher is more urgent"),
  ttlMs: z
    .int()
    .min(1)
    .max(limits.durationMs)
    .nullable()
    .default(null)
    .describe("Time to live of events that say neither `ttlMs` nor `deliverBy`; null: they keep"),
  late: z
    .enum(["deliver", "drop", "divert"])
    .default("deliver")
    .describe(
      "What becomes of an event whose moment has passed before it leaves the inbox; `divert`: it goes to `divertTo`",
    ),
  divertTo: channelName.nullable().default(null).describe("The channel for what is diverted"),
  window: z
    .strictObject({
      lose: z.int().min(0).max(limits.windowDeadlines),
      of: z.int().min(1).max(limits.windowDeadlines),
      periodMs: z.number().min(PERIOD_MS_MIN).max(limits.windowPeriodMs),
    })
    .nullable()
    .default(null)
    .describe("Of `of` consecutive deadlines, `periodMs` apart, `lose` may be missed, in inboxes ordered by `window`"),
  empty: z
    .enum(["drop", "hold", "divert"])
    .default("drop")
    .describe(
      `What becomes of an event for which no sink is left; \`hold\`: up to ${limits.emptyHeld} wait for one to qualify, ` +
        "`divert`: it goes to `divertTo`",
    ),
});

/** What GET shows besides the definition. PUT takes and ignores it, so that what was got can be put back. */
const readOnly = {
  sinks: z.int().min(0).optional().describe("Read only: present sinks"),
  sources: z.int().min(0).optional().describe("Read only: present sources"),
  sequence: z.int().min(0).optional().describe("Read only: events sequenced in this epoch"),
  stored: z.int().min(0).optional().describe("Read only: events that the store holds now"),
  governedBy: z
    .array(z.string())
    .max(limits.contracts)
    .optional()
    .describe("Read only: contracts that lay something over it, the topmost last"),
  overlay: z.record(z.string(), z.unknown()).optional().describe("Read only: what they lay over it, as it is in force"),
};

/** The channel resource as PUT takes it: every field may be absent. `name`, if given, is compared with the address. */
export const channelSchema = z.strictObject({
  name: z.string().optional().describe("As in the address"),
  types: list(typeName, limits.types)
    .meta({ items: { type: "string" } })
    .default([])
    .describe("Event types that it takes; none: any"),
  source: z.enum(["many", "single"]).default("many").describe("`single`: one source at a time, a second is refused"),
  delivery: deliverySchema.prefault({}),
  echo: z
    .boolean()
    .optional()
    .describe("Whether a session's own sinks receive what it publishes; absent: unless an OUT filter is bound"),
  presence: notYet(z.boolean(), false, "presence events").describe("Not yet: events about members that come and go"),
  store: z
    .strictObject({
      events: z
        .int()
        .min(0)
        .max(limits.storeEvents)
        .default(0)
        .describe("How many of its last events it keeps in memory, for late joiners and recovery"),
      durable: notYet(z.boolean(), false, "stores on disk").describe("Not yet: keeps them on disk"),
    })
    .prefault({}),
  filters: filtersSchema.prefault({}).describe("Who gets an event; see the routes of `/filters`"),
  ...readOnly,
});

/** What an operator who says nothing gets. */
export const defaultDefinition: ChannelDefinition = definitionFromJson({});

/**
 * Reads a channel resource, as PUT sends it; what is absent gets its default.
 *
 * @param name The channel that it is about; a `name` in it must be the same.
 * @throws {SluiceError} `unknown_field`, `invalid_value`, `not_supported` and the codes of single fields.
 */
export function definitionFromJson(value: unknown, name?: string): ChannelDefinition {
  const input = checkWith(channelSchema, value);
  if (input.name !== undefined && name !== undefined && input.name !== name) {
    throw new SluiceError(
      "invalid_value",
      `Cannot take name ${JSON.stringify(input.name.slice(0, 64))}, the address says "${name}"`,
      {
        value: input.name.slice(0, limits.channelNameBytes),
        limit: name,
      },
    );
  }
  const { empty, late, divertTo, window } = input.delivery;
  assertWindow(window);
  assertDiversion({ empty, late }, divertTo, name);
  return Object.freeze({
    types: Object.freeze([...new Set(input.types)]),
    source: input.source,
    delivery: Object.freeze({
      priority: input.delivery.priority,
      ttlMs: input.delivery.ttlMs,
      late,
      empty,
      divertTo,
      window: window && Object.freeze(window),
    }),
    echo: input.echo,
    store: Object.freeze({ events: input.store.events }),
    filters: Object.freeze({
      in: input.filters.in && bindingFromInput(input.filters.in, ["filters", "in"]),
      out: input.filters.out && bindingFromInput(input.filters.out, ["filters", "out"]),
    }),
  });
}

/**
 * A definition of whoever embeds a host: whole ones as they are, one that leaves things out, as only JavaScript can, is read like
 * the resource of a request.
 *
 * @throws {SluiceError} as {@link definitionFromJson}.
 */
export function completed(definition: ChannelDefinition, name: string): ChannelDefinition {
  return isWhole(definition) ? definition : definitionFromJson(definition, name);
}

/** Cheap, because nearly all are; what a whole one holds was checked when it was made. */
function isWhole(value: Partial<ChannelDefinition> | null): boolean {
  if (!isObject(value)) return false;
  const { types, source, delivery, store, filters } = value as Partial<ChannelDefinition>;
  if (!Array.isArray(types) || source === undefined || filters === undefined || store?.events === undefined)
    return false;
  if (delivery === undefined) return false;
  const { priority, ttlMs, late, empty, divertTo } = delivery;
  return ![priority, ttlMs, late, empty, divertTo].includes(undefined as never);
}

/** @throws {SluiceError} `contradiction`: nowhere to divert to, or back to where the event comes from. */
function assertDiversion(
  policies: Readonly<Record<"empty" | "late", string>>,
  divertTo: string | null,
  name: string | undefined,
): void {
  for (const [field, policy] of Object.entries(policies)) {
    if (policy === "divert" && divertTo === null)
      throw new SluiceError("contradiction", `Cannot take delivery.${field} "divert" without delivery.divertTo`, {
        value: [`delivery.${field}`, "delivery.divertTo"],
      });
  }
  if (divertTo !== null && divertTo === name)
    throw new SluiceError("contradiction", `Cannot divert events of "${name}" to itself`, {
      value: "delivery.divertTo",
    });
}

/** @throws {SluiceError} `contradiction`: who may lose more deadlines than there are. */
function assertWindow(window: DeliveryWindow | null): void {
  if (window === null || window.lose <= window.of) return;
  throw new SluiceError("contradiction", `Cannot lose ${window.lose} of ${window.of} deadlines in delivery.window`, {
    value: ["delivery.window.lose", "delivery.window.of"],
  });
}

/** Whether a session's own sinks receive what it publishes: an OUT filter decides among the others, unless somebody said. */
export function echoOf({ echo, filters }: Pick<ChannelDefinition, "echo" | "filters">): boolean {
  return echo ?? filters.out === null;
}

/** The definition with another filter. */
export function withFilter(definition: ChannelDefinition, stage: Stage, binding: Binding | null): ChannelDefinition {
  return Object.freeze({ ...definition, filters: Object.freeze({ ...definition.filters, [stage]: binding }) });
}

/** Fields of a channel resource: only those that somebody gave. */
export type ChannelFields = Readonly<Record<string, unknown>>;

/**
 * Reads a channel resource like {@link definitionFromJson}; what is absent is taken from `defaults`, and only then from the
 * host's own.
 *
 * @param defaults What templates say about a channel of that name; undefined for nothing.
 */
export function definitionFromFields(value: unknown, name: string, defaults: ChannelFields | undefined) {
  // By itself first: what templates say must not make up for what is wrong with it.
  const definition = definitionFromJson(value, name);
  return defaults === undefined ? definition : definitionFromJson(overlay(defaults, value as ChannelFields), name);
}

/**
 * Applies a JSON merge patch (RFC 7396) to a channel: null gives a field its default back.
 *
 * @param defaults What templates say about a channel of that name; undefined for nothing.
 * @throws {SluiceError} as {@link definitionFromJson}, for the patched whole.
 */
export function definitionFromPatch(
  name: string,
  current: ChannelDefinition,
  patch: unknown,
  defaults?: ChannelFields,
): ChannelDefinition {
  const merged = mergePatch(withoutReplaced(channelKept(name, current), patch), patch);
  return definitionFromFields(unbound(merged, patch), name, defaults);
}

/**
 * Lays fields over others: objects field by field, everything else as a whole. Unlike in a merge patch, null is a value.
 *
 * @param over Of limits.jsonDepth at most.
 */
export function overlay(base: ChannelFields, over: ChannelFields): ChannelFields {
  const merged: Record<string, unknown> = Object.assign(Object.create(null), base);
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isObject(below) && isObject(value) && !isBinding(value) ? overlay(below, value) : value;
  }
  return merged;
}

/** The full resource of a channel, as GET shows it: with the echo that is in force. */
export function channelResource(name: string, definition: ChannelDefinition): ChannelResource {
  return channelKept(name, { ...definition, echo: echoOf(definition) });
}

/** The resource to keep and to build on: what nobody said stays unsaid. */
export function channelKept(name: string, definition: ChannelDefinition): ChannelResource {
  const { echo, filters } = definition;
  return {
    name,
    types: definition.types,
    source: definition.source,
    delivery: definition.delivery,
    ...(echo === undefined ? {} : { echo }),
    presence: false,
    store: { ...definition.store, durable: false },
    filters: { in: filters.in && bindingJson(filters.in), out: filters.out && bindingJson(filters.out) },
    governedBy: [],
  };
}

/**
 * A channel without the filters that a patch replaces: a filter is one thing, and a `route` laid over `routes`, or settings of
 * one module over those of another, would be two.
 */
function withoutReplaced(channel: ChannelResource, patch: unknown): ChannelFields {
  if (!isObject(patch) || !isObject(patch["filters"])) return { ...channel };
  const replaced = Object.entries(patch["filters"]).filter(([, binding]) => isObject(binding) && isBinding(binding));
  return {
    ...channel,
    filters: { ...channel.filters, ...Object.fromEntries(replaced.map(([stage]) => [stage, null])) },
  };
}

/** A patched channel in which null has unbound a filter: it takes away the one of a template, too. */
function unbound(merged: unknown, patch: unknown): unknown {
  if (!isObject(merged) || !isObject(patch) || !isObject(patch["filters"])) return merged;
  const nulls = Object.entries(patch["filters"]).filter(([_stage, binding]) => binding === null);
  const filters = isObject(merged["filters"]) ? merged["filters"] : {};
  return { ...merged, filters: { ...filters, ...Object.fromEntries(nulls) } };
}

/** What a filter may be said by. */
const bindingForms = ["routes", "route", "module"];

/** Whether an object says what a filter is. No other object of a channel has such fields. */
function isBinding(value: ChannelFields): boolean {
  return bindingForms.some((form) => Object.hasOwn(value, form));
}

/** A JSON merge patch applied: RFC 7396 §2. Recursion is bounded by limits.jsonDepth of the reader; results have no prototype to meddle with. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = Object.assign(Object.create(null), isObject(target) ? target : {});
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
