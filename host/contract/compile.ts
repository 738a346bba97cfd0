/** From a contract as it is written to the words that the core takes (core-wasm/contract/abi.ts). */
import {
  CONTRACT_DEPTH_MAX,
  CONTRACT_REGIONS_MAX,
  SELECT_FIRST,
  SELECT_MAX,
  SELECT_MIN,
} from "../../core-wasm/contract/abi.ts";
import { CONDITION_INPUTS_MAX } from "../../core-wasm/expression/code.ts";
import { textFromPath } from "../check.ts";
import { compileOver, conditionMissing, type ReadOver, readOver } from "../condition/over.ts";
import { ContractProblems, contradiction } from "./problems.ts";
import { beyond, type ContractDefinition, type RegionDefinition, type TransitionDefinition } from "./schema.ts";

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

/** Where a definition's parts stand in the document that it was made of; undefined: in another one, of which it has them. */
export interface Places {
  region(outer: RegionDefinition, index: number): readonly PropertyKey[];
  transition(transition: TransitionDefinition, index: number): readonly PropertyKey[];
}

const asWritten: Places = {
  region: (_region, index) => ["regions", index],
  transition: (_transition, index) => ["transitions", index],
};

/** What is gathered on the way. */
interface Draft {
  readonly regions: Region[];
  /** Where each of them stands. */
  readonly places: (readonly PropertyKey[])[];
  readonly warnings: string[];
  readonly problems: ContractProblems;
  readonly outer: Places;
}

/**
 * Compiles a contract.
 *
 * @param isCondition Whether there is a condition of that name.
 * @throws {ContractError} with everything that is wrong: `expression` with the place of what cannot be; `contradiction` for regions that
 *   can never be active, two of one name, conditions that are not there, and transitions between regions that are not there;
 *   `limit_reached`.
 */
export function compileContract(
  definition: ContractDefinition,
  isCondition: (name: string) => boolean,
  outer: Places = asWritten,
): CompiledContract {
  const problems = new ContractProblems();
  const draft: Draft = { regions: [], places: [], warnings: [], problems, outer };
  const { regions: children, select, exit } = definition;
  addRegion(draft, { name: "", regions: children, select, exit }, -1, "", 0, []);
  const { regions, warnings } = draft;
  const conditions = usedConditions(definition, draft, isCondition);
  const transitions = definition.transitions.map((transition, index) => {
    const place = outer.transition(transition, index);
    let pair: readonly [number, number] = [0, 0];
    problems.attempt(place, () => {
      pair = pairOf(regions, transition.from, transition.to, textFromPath(place));
    });
    return pair;
  });
  problems.assertNone();
  const indexes = new Map(conditions.map(({ alias }, index) => [alias, index]));
  const programs = regions.flatMap(({ when, exit: until }) =>
    [when, until].map((read) => (read === undefined ? undefined : compileOver(read, indexes))),
  );
  return { regions, conditions, transitions, warnings, programs };
}

function addRegion(
  draft: Draft,
  given: RegionDefinition,
  parent: number,
  path: string,
  depth: number,
  place: readonly PropertyKey[],
): number {
  const { regions, problems } = draft;
  const number = regions.length;
  if (number > CONTRACT_REGIONS_MAX) throw beyond("regions", number, CONTRACT_REGIONS_MAX);
  if (depth > CONTRACT_DEPTH_MAX) throw beyond("levels of regions", depth, CONTRACT_DEPTH_MAX);
  const { select = "first", regions: children = [] } = given;
  const isRanked = parent >= 0 && regions[parent]?.select !== SELECT_FIRST;
  const read = (field: "when" | "exit", wanted: "boolean" | "number"): ReadOver | undefined => {
    const source = given[field];
    let made: ReadOver | undefined;
    if (source !== undefined)
      problems.attempt([...place, field], () => {
        made = readOver(source, wanted);
      });
    return made;
  };
  const region: Region = {
    name: given.name,
    path,
    parent,
    when: read("when", isRanked ? "number" : "boolean"),
    exit: read("exit", "boolean"),
    select: selections[select],
    children: [],
  };
  if (isRanked && given.when === undefined)
    problems.add(place, contradiction(`Region "${path}" needs a "when", its parent selects by it`, path));
  regions.push(region);
  draft.places.push(place);
  const names = new Set<string>();
  let always: string | undefined;
  for (const [index, child] of children.entries()) {
    const childPath = path === "" ? child.name : `${path}/${child.name}`;
    const childPlace = depth === 0 ? draft.outer.region(child, index) : [...place, "regions", index];
    const isTwice = names.has(child.name);
    if (isTwice) problems.add(childPlace, contradiction(`There are two regions "${childPath}"`, childPath));
    else if (always !== undefined)
      problems.add(
        childPlace,
        contradiction(`Region "${childPath}" can never be active, "${always}" before it always is`, childPath),
      );
    names.add(child.name);
    if (select === "first" && child.when === undefined) always ??= childPath;
    region.children.push(addRegion(draft, child, number, childPath, depth + 1, childPlace));
  }
  if (children.length > 0 && select === "first" && always === undefined)
    draft.warnings.push(
      `No region ${path === "" ? "at the top" : `within "${path}"`} is active always: the path may stay behind`,
    );
  return number;
}

function usedConditions(
  { conditions }: ContractDefinition,
  { regions, places, problems }: Draft,
  isCondition: (name: string) => boolean,
): UsedCondition[] {
  const used = new Map<string, UsedCondition>();
  for (const [alias, { use, observed }] of Object.entries(conditions)) {
    if (!isCondition(use))
      problems.add(["conditions", alias, "use"], contradiction(`There is no condition "${use}"`, use));
    used.set(alias, { alias, name: use, observed });
  }
  for (const [number, region] of regions.entries()) {
    for (const field of ["when", "exit"] as const) {
      for (const asked of region[field]?.asked ?? []) {
        if (used.has(asked.name)) continue;
        used.set(asked.name, { alias: asked.name, name: asked.name, observed: undefined });
        if (!isCondition(asked.name))
          problems.add([...(places[number] ?? []), field], conditionMissing(region[field]?.source ?? "", asked));
      }
    }
  }
  if (used.size > CONDITION_INPUTS_MAX)
    problems.add(["conditions"], beyond("conditions", used.size, CONDITION_INPUTS_MAX));
  return [...used.values()];
}

/** The regions of a transition: both of one level, the outermost where several are called so. */
function pairOf(regions: readonly Region[], from: string, to: string, place: string): readonly [number, number] {
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
