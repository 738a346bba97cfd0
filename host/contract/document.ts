/**
 * Contracts as people write them: what {@link ContractDefinition} has, and beside it `extends` and conditions of their own.
 * resolve.ts makes the one of the other.
 */
import { z } from "zod";
import { CONTRACT_DEPTH_MAX, CONTRACT_REGIONS_MAX } from "../../core-wasm/contract/abi.ts";
import { CONDITION_INPUTS_MAX } from "../../core-wasm/expression/code.ts";
import { checkWith, errorFromIssues, list, refuse, resourceName } from "../check.ts";
import { type ConditionDefinition, conditionFromJson, conditionSchema } from "../condition/schema.ts";
import { SluiceError } from "../errors.ts";
import { assertAction } from "./action-schema.ts";
import { ContractProblems } from "./problems.ts";
import { aliasName, beyond, contractSchema, type RegionDefinition, regionFields, regionName } from "./schema.ts";

/** A condition that the contract only uses. */
const usedSchema = z.strictObject({
  use: resourceName,
  observed: z.boolean().optional().describe("Whether a change of it marks this contract; else as the condition says"),
});

/** What GET shows beside the document: taken and forgotten, so that an answer can be changed and sent back. */
export const shown = [
  "path",
  "status",
  "hits",
  "triggers",
  "evaluations",
  "snapshot",
  "region",
  "warnings",
  "failures",
  "lastFailure",
  "resolved",
] as const;

const outerRegion = z
  .strictObject({
    ...regionFields,
    before: regionName.optional().describe("Of a region that the base has not: stands before that one"),
    after: regionName.optional().describe("Of a region that the base has not: stands behind that one"),
  })
  .meta({ id: "ContractOuterRegion" });

const { conditions: _conditions, regions: _regions, order, ...fields } = contractSchema.shape;
const given = z.strictObject({
  ...fields,
  extends: resourceName
    .nullable()
    .optional()
    .describe("A contract whose conditions, regions and transitions it has, too"),
  remove: list(z.string(), CONTRACT_REGIONS_MAX).optional().describe("Regions of the base that it has not"),
  exit: regionFields.exit,
  order: order
    .unwrap()
    .optional()
    .describe("In which order transitions of one change are carried out; else as the base, or nested"),
});

/** As PUT reads it: what a condition is decides which of two schemas tells what is wrong with it. */
const documentSchema = given.extend({
  conditions: z
    .record(aliasName, z.unknown())
    .default({})
    .check((checked) => {
      if (Object.keys(checked.value).length > CONDITION_INPUTS_MAX)
        refuse(checked, "limit_reached", `limit is ${CONDITION_INPUTS_MAX}`, {
          limit: CONDITION_INPUTS_MAX,
          names: true,
        });
    }),
  regions: z.array(outerRegion).default([]),
});

/** As it is published. */
export const publishedSchema = given
  .extend({
    conditions: z
      .record(aliasName, z.union([usedSchema, conditionSchema]))
      .default({})
      .describe("Names within the contract: of other conditions, or of its own, which come and go with it"),
    regions: z.array(outerRegion).default([]).describe("In order: the first that holds is active"),
  })
  .meta({ id: "Contract" });

/** A condition of a document. */
export type DocumentCondition =
  | { readonly use: string; readonly observed?: boolean | undefined }
  /** Its own. */
  | ConditionDefinition;

/** A region at the top of a document: it may say where it stands among those of the base. */
export interface OuterRegion extends RegionDefinition {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** A contract as it was written. */
export type ContractDocument = Readonly<
  Omit<z.output<typeof documentSchema>, "name" | "conditions" | "regions"> & {
    readonly conditions: Readonly<Record<string, DocumentCondition>>;
    readonly regions: readonly OuterRegion[];
  }
>;

/** A contract as PUT takes it. */
export type ContractInput = z.input<typeof publishedSchema>;

/**
 * Reads a contract resource.
 *
 * @param name The one in the address; a `name` in the resource must be the same.
 * @throws {ContractProblems} with everything that is wrong: `unknown_field`, `invalid_value`, `not_supported`, `limit_reached`.
 */
export function documentFromJson(value: unknown, name: string): ContractDocument {
  assertSize(value);
  const problems = new ContractProblems();
  const result = documentSchema.safeParse(withoutShown(value), { reportInput: true });
  if (!result.success) {
    for (const issue of sorted(result.error.issues)) problems.add(issue.path, errorFromIssues([issue], []));
    throw problems.error();
  }
  const { name: called, conditions, order: said, ...rest } = result.data;
  if (called !== undefined && called !== name)
    problems.add(
      ["name"],
      new SluiceError("invalid_value", `Cannot take name "${called.slice(0, 64)}", the address says "${name}"`, {
        value: called.slice(0, 128),
        limit: name,
      }),
    );
  for (const [transition, { do: actions }] of rest.transitions.entries()) {
    for (const [index, action] of actions.entries()) {
      const path = ["transitions", transition, "do", index];
      problems.attempt(path, () => assertAction(action, path));
    }
  }
  const read: Record<string, DocumentCondition> = {};
  for (const [alias, one] of Object.entries(conditions)) {
    const path = ["conditions", alias];
    problems.attempt(path, () => {
      read[alias] = isOwn(one) ? conditionFromJson(one, alias) : checkWith(usedSchema, one, path);
    });
  }
  problems.assertNone();
  // What a base says stands where the document says nothing.
  const order = typeof rest.extends === "string" ? said : (said ?? "nested");
  return Object.freeze({ ...rest, conditions: Object.freeze(read), ...(order === undefined ? {} : { order }) });
}

/** Whether a condition of a document is its own. */
export function isOwn(one: unknown): one is ConditionDefinition {
  return typeof one === "object" && one !== null && "kind" in one;
}

/** Misspelt names come first: they cause the others. */
function sorted(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const isUnknown = ({ code }: z.core.$ZodIssue): boolean => code === "unrecognized_keys";
  return [...issues.filter(isUnknown), ...issues.filter((issue) => !isUnknown(issue))];
}

function withoutShown(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([field]) => !(shown as readonly string[]).includes(field)));
}

/** Before a megabyte of regions becomes as many complaints. */
function assertSize(value: unknown): void {
  let count = 0;
  let deepest = 0;
  const walk = (one: unknown, depth: number): void => {
    const regions = typeof one === "object" && one !== null && "regions" in one ? one.regions : undefined;
    if (!Array.isArray(regions)) return;
    count += regions.length;
    deepest = Math.max(deepest, depth);
    for (const region of regions) walk(region, depth + 1);
  };
  walk(value, 1);
  if (count > CONTRACT_REGIONS_MAX) throw beyond("regions", count, CONTRACT_REGIONS_MAX);
  if (deepest > CONTRACT_DEPTH_MAX) throw beyond("levels of regions", deepest, CONTRACT_DEPTH_MAX);
}
