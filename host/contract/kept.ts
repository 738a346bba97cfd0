/**
 * What is kept of a contract from one start of its host to the next, beside its definition: where it was, what it lay over channels,
 * which values it had set, and what was counted.
 *
 * What lay over inboxes is not: those end with the host. Names come as pairs, since any may be one that objects have already.
 */
import { z } from "zod";
import { list, resourceName } from "../check.ts";
import type { Conditions } from "../condition/conditions.ts";
import type { Core } from "../core/instance.ts";
import { limits } from "../limits.ts";
import { type Contract, countedOf, namesOf, type Snapshot } from "./contract.ts";
import type { Overlay } from "./overlay.ts";

const value = z.union([z.boolean(), z.number(), z.string()]);
const pairs = <Value extends z.ZodType>(of: Value) => list(z.tuple([z.string(), of]), limits.channels);
const names = z.array(z.string()).readonly();

/** As the file has it. */
export const keptContractSchema = z.strictObject({
  name: resourceName,
  path: names,
  channels: pairs(z.looseObject({})),
  /** Of conditions that still are as the contract has set them. */
  values: pairs(value),
  triggers: z.number().min(0),
  evaluations: z.number().min(0),
  hits: pairs(z.number().min(0)),
  failures: z.number().min(0),
  lastFailure: z.strictObject({ action: z.string(), code: z.string(), detail: z.string() }).nullable(),
  /** Its last transition: those that follow are numbered on from it. */
  last: z
    .strictObject({
      number: z.int().min(1),
      at: z.number(),
      from: names,
      to: names,
      handlers: names,
      why: z.strictObject({
        region: z.string(),
        when: z.string().nullable(),
        values: z.record(z.string(), value.nullable()),
      }),
    })
    .optional(),
});

/** See the head of this file. */
export type KeptContract = z.output<typeof keptContractSchema>;

/** What is to be kept of a contract now; undefined before it was anywhere. */
export function keptOf(core: Core, conditions: Conditions, contract: Contract): KeptContract | undefined {
  const { name, overlay, values, failures, lastFailure, history } = contract;
  if (contract.path.length === 0) return undefined;
  const { triggers, evaluations, hits } = countedOf(core, contract);
  const last = history.at(-1);
  return {
    name,
    path: namesOf(contract),
    channels: [...overlay.channel].map(([channel, patch]) => [channel, { ...patch }]),
    // What somebody has set otherwise since is not the contract's.
    values: [...values].filter(
      ([condition, set]) => conditions.get(condition) !== undefined && conditions.read(condition).value === set,
    ),
    triggers,
    evaluations,
    hits: [...hits],
    failures,
    lastFailure,
    ...(last === undefined ? {} : { last: { ...last, why: { ...last.why, values: written(last.why.values) } } }),
  };
}

/** What was missing is null, as in JSON. */
function written(values: Snapshot): Record<string, boolean | number | string | null> {
  return Object.fromEntries(Object.entries(values).map(([name, seen]) => [name, seen ?? null]));
}

/** What lay over channels, as contracts have it. */
export function overlayFrom({ channels }: KeptContract): Overlay {
  return { channel: new Map(channels), inbox: new Map() };
}
