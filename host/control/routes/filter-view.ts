/** Filter modules as resources: what GET shows of a version, of a name, and of what a module said. */
import { z } from "@hono/zod-openapi";
import { ABI } from "../../filter/registry/view.ts";
import { moduleCountersSchema } from "../module-metrics.ts";

const names = z.array(z.string());

/** A version. */
export const versionSchema = z
  .object({
    name: z.string(),
    digest: z.string().openapi({ description: "SHA-256 of what was uploaded" }),
    version: z.int().openapi({ description: "Counts the contents of this name, from 1" }),
    current: z.boolean().openapi({ description: "Whether bindings without a digest mean it" }),
    uploadedAt: z.iso.datetime(),
    bytes: z.int().openapi({ description: "As uploaded, custom sections included" }),
    abi: z.literal(ABI),
    exports: names,
    hooks: z.array(z.enum(["in", "out"])).openapi({ description: "Stages that it may be bound to" }),
    attrs: names.openapi({ description: "Attributes of events that it is shown" }),
    payload: z
      .string()
      .openapi({ description: "How much of the payload it is shown: `none`, `full`, or `head:` and bytes" }),
    sinkAttrs: names.openapi({ description: "Attributes of sinks that it is shown" }),
    onError: z.enum(["pass", "drop", "divert"]).openapi({ description: "Where a binding does not say" }),
    config: z.record(z.string(), z.unknown()).openapi({ description: "Where a binding gives none" }),
    weight: z.number().openapi({ description: "What its functions may take to compile, of `limits.moduleWeight`" }),
    limits: z.record(z.string(), z.number()).openapi({ description: "What it may cost, by name" }),
  })
  .meta({ id: "FilterVersion" });

/** A name. */
export const filterSchema = versionSchema
  .extend({
    versions: z.int().openapi({ description: "How many there are" }),
    uses: names.openapi({ description: "Where any of them is bound; the first few" }),
    counters: moduleCountersSchema.openapi({ description: "What all of them did" }),
  })
  .meta({ id: "FilterModule" });

/** What a module said. */
export const logSchema = z.object({
  data: z.array(
    z.object({
      at: z.iso.datetime(),
      version: z.int(),
      level: z.enum(["debug", "info", "warn", "error"]),
      text: z.string(),
    }),
  ),
  next: z.null(),
});
