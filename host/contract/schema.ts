/** Contracts as they are written: regions, what holds of each, and what is to be done between them. */
import { z } from "zod";
import { CONTRACT_TRANSITIONS_MAX } from "../../core-wasm/contract/abi.ts";
import { CONDITION_INPUTS_MAX } from "../../core-wasm/expression/code.ts";
import { checkWith, list, refuse, resourceName, text } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import { actionSchema, assertAction } from "./action-schema.ts";

/** The name of a region. */
export const regionName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/)
  .describe("1 to 64 of letters, digits and . _ -");
const expression = text(limits.expressionBytes);

const transitionSchema = z.strictObject({
  from: z.string().describe("A region, or `*`"),
  to: z.string().describe("A region, or `*`"),
  mode: z
    .enum(["sync", "async"])
    .default("sync")
    .describe("Before the path is told and anything else is evaluated, or behind all that"),
  do: list(actionSchema, 16).default([]),
  retry: z
    .strictObject({
      attempts: z.int().min(1).max(limits.contractRetries),
      delayMs: z.int().min(1).max(limits.contractRetryMs),
    })
    .optional()
    .describe("How often what fails is tried again, and after which time; twice as long after each. Absent: never"),
});

/** A region as it is written. */
export interface RegionDefinition {
  readonly name: string;
  readonly when?: string | undefined;
  readonly exit?: string | undefined;
  readonly select?: "first" | "max" | "min" | undefined;
  readonly regions?: readonly RegionDefinition[] | undefined;
}

const select = z.enum(["first", "max", "min"]).optional();
/** What may be said of a region wherever it stands. */
export const regionFields = {
  name: regionName,
  when: expression.optional().describe("When it is active; without it: always. A number where `select` is max or min"),
  exit: expression.optional().describe("Once active, it stays so until this holds"),
  select: select.describe("Which child is active: the first that holds, or that with the largest or smallest `when`"),
  regions: z.array(z.lazy((): z.ZodType<RegionDefinition> => regionSchema)).optional(),
};
const regionSchema: z.ZodType<RegionDefinition> = z.strictObject(regionFields).meta({ id: "ContractRegion" });
/** What a contract calls a condition. */
export const aliasName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/);

/** The contract resource as PUT takes it. */
export const contractSchema = z.strictObject({
  name: z.string().optional().describe("As in the address"),
  conditions: z
    .record(aliasName, z.strictObject({ use: resourceName, observed: z.boolean().optional() }))
    .default({})
    .check((checked) => {
      if (Object.keys(checked.value).length > CONDITION_INPUTS_MAX)
        refuse(checked, "limit_reached", `limit is ${CONDITION_INPUTS_MAX}`, {
          limit: CONDITION_INPUTS_MAX,
          names: true,
        });
    })
    .describe("Names within the contract; a condition's own needs none. `observed`: else as the condition says"),
  select,
  exit: regionFields.exit,
  regions: z.array(regionSchema).min(1),
  order: z
    .enum(["nested", "listed"])
    .default("nested")
    .describe("In which order transitions of one change are carried out"),
  transitions: list(transitionSchema, CONTRACT_TRANSITIONS_MAX).default([]),
});

/** A contract as it was defined. */
export type ContractDefinition = Omit<z.output<typeof contractSchema>, "name">;
/** One of its transitions. */
export type TransitionDefinition = ContractDefinition["transitions"][number];
/**
 * Reads a contract resource.
 *
 * @param name The one in the address; a `name` in the resource must be the same.
 * @throws {SluiceError} `unknown_field`, `invalid_value`, `contradiction`, `expression`, `limit_reached`.
 */
export function contractFromJson(value: unknown, name: string): ContractDefinition {
  const { name: called, ...definition } = checkWith(contractSchema, value);
  for (const [transition, { do: actions }] of definition.transitions.entries())
    for (const [index, action] of actions.entries()) assertAction(action, ["transitions", transition, "do", index]);
  if (called === undefined || called === name) return Object.freeze(definition);
  throw new SluiceError("invalid_value", `Cannot take name "${called.slice(0, 64)}", the address says "${name}"`, {
    value: called.slice(0, 128),
    limit: name,
  });
}

/** A contract is too large. */
export function beyond(what: string, value: number, limit: number): SluiceError {
  return new SluiceError("limit_reached", `Cannot take a contract with ${value} ${what}, limit is ${limit}`, {
    value,
    limit,
  });
}
