/**
 * Contracts as JSON Schema, for editors: https://json-schema.org/draft/2020-12/schema
 *
 * It says what a single field may be. Whether expressions can be read, names are there and regions can be reached is the host's to
 * tell, as `PUT` and `plan` do.
 */
import { z } from "zod";
import { actionFields, actionKinds } from "./action-schema.ts";
import { publishedSchema, shown } from "./document.ts";

let made: Readonly<Record<string, unknown>> | undefined;

/** The schema of a contract document. It is the same as long as the process lives. */
export function contractJsonSchema(): Readonly<Record<string, unknown>> {
  if (made !== undefined) return made;
  // What GET shows may stay in a document that is sent back.
  const state = shown.map((name) => [name, z.unknown().optional().describe("Shown by the host: taken and forgotten")]);
  const schema = z.toJSONSchema(publishedSchema.extend(Object.fromEntries(state)), {
    // The input of what is checked in two steps is anything at all; the output is what it must look like.
    io: "output",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      if (def.type !== "object") return;
      // What has a default is there at last, and nobody has to write it.
      const { shape } = def as z.core.$ZodObjectDef;
      const { required = [] } = jsonSchema;
      jsonSchema.required = required.filter((name) => shape[name]?._zod.optin === undefined);
      if (jsonSchema.required.length === 0) delete jsonSchema.required;
      if (zodSchema !== actionFields) return;
      jsonSchema.oneOf = actionKinds.map((kind) => ({ required: [kind] }));
      Object.assign(jsonSchema, { dependentRequired: { data: ["callback"] } });
    },
  });
  // Parts that are described by hand are named as OpenAPI has them.
  const text = JSON.stringify({ title: "Sluice contract", ...schema }).replaceAll("#/components/schemas/", "#/$defs/");
  made = JSON.parse(text) as Readonly<Record<string, unknown>>;
  return made;
}
