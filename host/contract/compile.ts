/** From a contract as it is written to the words that the core takes (core-wasm/contract/abi.ts). */
import {
  CONTRACT_DEPTH_MAX,
  CONTRACT_REGIONS_MAX,
  SELECT_FIRST,
  SELECT_MAX,
  SELECT_MIN,
} from "../../core-wasm/contract/abi.ts";
import { CONDITION_INPUTS_MAX } from "../../core-wasm/expression/code.ts";
import { compileOver, conditionMissing, type ReadOver, readOver } from "../condition/over.ts";
import { SluiceError } from "../errors.ts";
import type { ContractDefinition, RegionDefinition } from "./schema.ts";

/** A region, numbered as in the core: 0 is the root. */
export interface Region {
  readonly name: string;
  /** Names from the outermost inwards, joined by `/`. */
  readonly path: string;
  readonly parent: number;
  readonly when: ReadOver | undefined;
  readonly exit: ReadOver | undefined;
  readonly select: number;
  readonly children: number[];
}

/** A condition that a contract asks for. */
export interface UsedCondition {
  /** As the contract calls it. */
  readonly alias: string;
  readonly name: string;
  /** Undefined: as the condition says. */
  readonly observed: boolean | undefined;
}

/** A contract that can be given to the core. */
export interface CompiledContract {
  readonly regions: readonly Region[];
  readonly conditions: readonly UsedCondition[];
  /** By transition: regions that are left and entered, 0: any. */
  readonly transitions: ReadonlyArray<readonly [from: number, to: number]>;
  /** What may be meant otherwise. */
  readonly warnings: readonly string[];
  /** Programs by region, in pairs: `when`, `exit`. */
  readonly programs: ReadonlyArray<Uint8Array<ArrayBuffer> | undefined>;
}

const selections = { first: SELECT_FIRST, max: SELECT_MAX, min: SELECT_MIN };

/**
 * Compiles a contract.
 *
 * @param isCondition Whether there is a condition of that name.
 * @throws {SluiceError} `expression` with the place of what cannot be; `contradiction` for regions that can never be active, two of one
 *   name, and transitions between regions that are not there; `limit_reached`.
 */
export function compileContract(
  definition: ContractDefinition,
  isCondition: (name: string) => boolean,
): CompiledContract {
  const regions: Region[] = [];
  const warnings: string[] = [];
  const root = { name: "", regions: definition.regions, select: definition.select };
  addRegion(regions, root, -1, "", 0, warnings);
  const conditions = usedConditions(definition, regions, isCondition);
  const indexes = new Map(conditions.map(({ alias }, index) => [alias, index]));
  const programs = regions.flatMap(({ when, exit }) =>
    [when, exit].map((read) => (read === undefined ? undefined : compileOver(read, indexes))),
  );
  const transitions = definition.transitions.map(({ from, to }, index) => pairOf(regions, from, to, index));
  return { regions, conditions, transitions, warnings, programs };
}

function addRegion(
  regions: Region[],
  given: RegionDefinition,
  parent: number,
  path: string,
  depth: number,
  warnings: string[],
): number {
  const number = regions.length;
  if (number > CONTRACT_REGIONS_MAX) throw beyond("regions", CONTRACT_REGIONS_MAX);
  if (depth > CONTRACT_DEPTH_MAX) throw beyond("levels of regions", CONTRACT_DEPTH_MAX);
  const { select = "first", regions: children = [] } = given;
  const isRanked = parent >= 0 && regions[parent]?.select !== SELECT_FIRST;
  const region: Region = {
    name: given.name,
    path,
    parent,
    when: given.when === undefined ? undefined : readOver(given.when, isRanked ? "number" : "boolean"),
    exit: given.exit === undefined ? undefined : readOver(given.exit, "boolean"),
    select: selections[select],
    children: [],
  };
  if (isRanked && region.when === undefined)
    throw contradiction(`Region "${path}" needs a "when", its parent selects by it`, path);
  regions.push(region);
  const names = new Set<string>();
  let always: string | undefined;
  for (const child of children) {
    const childPath = path === "" ? child.name : `${path}/${child.name}`;
    if (names.has(child.name)) throw contradiction(`There are two regions "${childPath}"`, childPath);
    names.add(child.name);
    if (always !== undefined)
      throw contradiction(`Region "${childPath}" can never be active, "${always}" before it always is`, childPath);
    if (select === "first" && child.when === undefined) always = childPath;
    region.children.push(addRegion(regions, child, number, childPath, depth + 1, warnings));
  }
  if (children.length > 0 && select === "first" && always === undefined)
    warnings.push(
      `No region ${path === "" ? "at the top" : `within "${path}"`} is active always: the path may stay behind`,
    );
  return number;
}

function usedConditions(
  { conditions }: ContractDefinition,
  regions: readonly Region[],
  isCondition: (name: string) => boolean,
): UsedCondition[] {
  const used = new Map<string, UsedCondition>();
  for (const [alias, { use, observed }] of Object.entries(conditions)) {
    if (!isCondition(use)) throw new SluiceError("condition_unknown", `There is no condition "${use}"`, { value: use });
    used.set(alias, { alias, name: use, observed });
  }
  for (const read of regions.flatMap(({ when, exit }) => [when, exit])) {
    for (const asked of read?.asked ?? []) {
      if (used.has(asked.name)) continue;
      if (!isCondition(asked.name)) throw conditionMissing(read?.source ?? "", asked);
      used.set(asked.name, { alias: asked.name, name: asked.name, observed: undefined });
    }
  }
  if (used.size > CONDITION_INPUTS_MAX) throw beyond("conditions", CONDITION_INPUTS_MAX);
  return [...used.values()];
}

/** The regions of a transition: both of one level, the outermost where several are called so. */
function pairOf(regions: readonly Region[], from: string, to: string, index: number): readonly [number, number] {
  const place = `transitions[${index}]`;
  if (from === "*" && to === "*") throw contradiction(`Cannot take ${place}, one of its regions must be named`, place);
  const named = (name: string): number[] =>
    name === "*" ? [0] : regions.flatMap((region, number) => (number > 0 && region.name === name ? [number] : []));
  const pairs = named(from).flatMap((left) =>
    named(to)
      .filter((entered) => left === 0 || entered === 0 || regions[left]?.parent === regions[entered]?.parent)
      .map((entered) => [left, entered] as const),
  );
  const outer = pairs.filter(([left, entered]) => regions[left || entered]?.parent === 0);
  const [found, second] = outer.length > 0 ? outer : pairs;
  if (found !== undefined && second === undefined) return found;
  const why = found === undefined ? "there are no such regions of one level" : "several regions are called so";
  throw contradiction(`Cannot take ${place} from "${from}" to "${to}", ${why}`, place);
}

function contradiction(message: string, value: string): SluiceError {
  return new SluiceError("contradiction", message, { value });
}

function beyond(what: string, limit: number): SluiceError {
  return new SluiceError("limit_reached", `A contract has at most ${limit} ${what}`, { value: limit + 1, limit });
}
