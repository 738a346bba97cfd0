/**
 * The JSON of a channel filter: what a binding and its routes may say, before anybody looks at what it means.
 *
 * Whether there is such a module is not asked here: a definition may be read before anybody uploaded it.
 */
import { z } from "zod";
import { list, refuse, resourceName, text } from "../check.ts";
import { limits } from "../limits.ts";
import { moduleLimits } from "./module/spec.ts";

/** Where a filter stands: before the events leave this host, or before they reach its inboxes. */
export const stages = ["in", "out"] as const;
/** One of them. */
export type Stage = (typeof stages)[number];
/** The same from outside. */
export const stageSchema = z.enum(stages);

/** Ways to choose among the sinks that qualify. */
export const chooses = ["best", "random", "tied", "hash"] as const;

/** Null says the same as nothing: merge patches and printed resources have it. */
const expression = () => text(limits.expressionBytes, "limit_reached").nullish();

/** Milliseconds, fractions too, and never so many that a deadline leaves what a moment can say. */
const span = () => z.number().positive().max(limits.durationMs);

/** How many keys are remembered. */
const keys = () => z.int().min(1).max(limits.routeKeys);

const uniqueSchema = z.strictObject({
  by: text(limits.expressionBytes, "limit_reached")
    .nullish()
    .meta({ default: "key" })
    .describe("What two events must have in common to count as one; an event without it always passes"),
  withinMs: span().nullish().meta({ default: 5_000 }).describe("How long the first one is remembered"),
  maxKeys: keys().nullish().meta({ default: 100_000 }).describe("How many are; the oldest goes first"),
});

const replySchema = z.strictObject({
  response: text(limits.expressionBytes, "limit_reached").describe("Which events are responses"),
  withinMs: span().nullish().meta({ default: 60_000 }).describe("How long it is remembered who asked"),
  maxKeys: keys().nullish().meta({ default: 100_000 }).describe("How many are; the oldest goes first"),
});

/** One rule. */
export const routeSchema = z
  .strictObject({
    when: expression().describe("Of which events it decides; absent: of all that get here"),
    where: expression().describe("Which sinks qualify; may name `sink.NAME`"),
    orderBy: expression().describe("What ranks them, the smallest first; those without it come last"),
    descending: z.boolean().nullish().meta({ default: false }).describe("The largest first"),
    limit: z
      .union([z.number().min(0).max(limits.routeLimit), text(limits.expressionBytes, "limit_reached")], {
        error: `It must be a number from 0 to ${limits.routeLimit}, or an expression`,
      })
      .nullish()
      .describe("How many get the event, as a number or an expression; absent: all that qualify; 0: nobody"),
    choose: z
      .enum(chooses)
      .nullish()
      .meta({ default: "best" })
      .describe(
        "`best` by `orderBy`, else in turn; `random`; `tied`: at random, 2 unless `limit` says otherwise; `hash`: the same " +
          "for the same key, 1 unless `limit` says otherwise",
      ),
    per: expression().describe("The limit counts within each group of sinks with the same value of this"),
    charge: z
      .number()
      .min(0)
      .nullish()
      .meta({ default: 0 })
      .describe("Added to a sink's rank for each time it was chosen since its last update"),
    maxAgeMs: span().nullish().describe("Sinks whose rank is older come after those whose is fresh"),
    unique: uniqueSchema.nullish().describe("Lets the first event of a key through"),
    reply: replySchema.nullish().describe("Sends a response only to the session whose event had its key"),
    dialect: z.enum(["cesql"]).nullish().describe("Of its expressions: `cesql` is the pure CloudEvents SQL"),
  })
  .meta({ id: "Route" });

/** What it gives. */
export type RouteInput = z.output<typeof routeSchema>;

/** A digest of an uploaded module. */
export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, { error: "It must be sha256: and 64 hexadecimal digits in lower case" });

/** What only a binding of a filter module says. */
const moduleFields = {
  module: resourceName.optional().describe("An uploaded filter module, instead of routes"),
  digest: digestSchema
    .nullish()
    .describe("Which of its versions; absent: the current one, and from then on whichever is"),
  config: z
    .record(z.string(), z.unknown())
    .check((checked) => {
      const bytes = new TextEncoder().encode(JSON.stringify(checked.value)).length;
      const limit = moduleLimits.configBytes;
      if (bytes > limit) refuse(checked, "limit_reached", `it has ${bytes} bytes, limit is ${limit}`, { limit });
    })
    .nullish()
    .describe("What it is told when it starts; absent: what its manifest says"),
  onError: z
    .enum(["pass", "drop", "divert"])
    .nullish()
    .describe("What becomes of an event that it fails on; absent: what its manifest says, else `pass`"),
  fuel: z
    .int()
    .min(1)
    .max(moduleLimits.callFuelMax)
    .nullish()
    .describe("How much it may compute in one call; absent: what the host gives"),
};

/** Names of the fields that need a module. */
export const moduleSettings = ["digest", "config", "onError", "fuel"] as const;

/** Routes or a module on a stage. */
export const bindingSchema = z
  .strictObject({
    routes: list(routeSchema, limits.routes)
      .meta({ items: { $ref: "#/components/schemas/Route" } })
      .optional()
      .describe("Rules; the first whose `when` holds decides"),
    route: routeSchema.optional().describe("The same where there is one"),
    ...moduleFields,
  })
  .meta({ id: "Binding" });

/** What it gives. */
export type BindingInput = z.output<typeof bindingSchema>;
/** What it takes. */
export type FilterInput = z.input<typeof bindingSchema>;

/** What is bound on a stage; a union and no nullable object, so that descriptions refer to it and do not repeat it. */
export const boundSchema = z.union([bindingSchema, z.null()]);

/** The filters of a channel, or those that a join brings for its member's own events. */
export const filtersSchema = z.strictObject({
  in: boundSchema.default(null).describe("Before the inboxes of each host"),
  out: boundSchema.default(null).describe("Once per event, over all candidate sinks"),
});
