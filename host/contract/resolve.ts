/**
 * From a contract as it was written to what it means: bases are laid under it, and its own conditions get names in the host.
 *
 * A base is taken whole: conditions, regions, transitions. What the contract has under the same name stands in place of the base's.
 */
import type { ConditionDefinition } from "../condition/schema.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ActionDefinition } from "./action-schema.ts";
import type { Places } from "./compile.ts";
import { type ContractDocument, isOwn, type OuterRegion } from "./document.ts";
import { ContractProblems, contradiction } from "./problems.ts";
import type { ContractDefinition, RegionDefinition, TransitionDefinition } from "./schema.ts";

/** What a document means. */
export interface ResolvedContract {
  readonly definition: ContractDefinition;
  /** Its own conditions by their names in the host, those of bases included: each contract has some of its own. */
  readonly own: ReadonlyMap<string, ConditionDefinition>;
  /** Where the parts of the definition stand in the document. */
  readonly places: Places;
  /** What may be meant otherwise. */
  readonly warnings: readonly string[];
}

/** A document whose bases are laid under it. */
type Whole = Pick<ContractDocument, "conditions" | "select" | "exit" | "order" | "regions" | "transitions">;

/**
 * Resolves a document.
 *
 * @param find Documents of other contracts.
 * @throws {ContractError} `contradiction` with the circle that it would close, for a base that is not there, and for what `remove`,
 *   `before` and `after` do not find; `limit_reached` for too many bases.
 */
export function resolveDocument(
  name: string,
  document: ContractDocument,
  find: (name: string) => ContractDocument | undefined,
): ResolvedContract {
  const warnings: string[] = [];
  const chain = basesOf(name, document, find);
  let whole: Whole = { conditions: {}, regions: [], transitions: [] } as unknown as Whole;
  for (const [index, one] of chain.entries()) whole = laid(whole, one, index === 0, one === document ? warnings : []);
  const problems = new ContractProblems();
  if (whole.regions.length === 0)
    problems.add(
      ["regions"],
      new SluiceError("invalid_value", "Cannot take regions with 0 entries, there must be at least 1", { limit: 1 }),
    );
  problems.assertNone();
  const { select, exit, order = "nested", regions } = whole;
  const names = new Map(Object.keys(whole.conditions).map((alias) => [alias, nameOf(name, alias, whole)]));
  const conditions = Object.entries(whole.conditions).map(([alias, one]) => [
    alias,
    {
      use: names.get(alias) as string,
      ...(isOwn(one) || one.observed === undefined ? {} : { observed: one.observed }),
    },
  ]);
  const definition: ContractDefinition = {
    conditions: Object.fromEntries(conditions),
    ...(select === undefined ? {} : { select }),
    ...(exit === undefined ? {} : { exit }),
    order,
    regions: [...regions],
    transitions: whole.transitions.map((transition) => withNames(transition, names)),
  };
  const own = Object.entries(whole.conditions).flatMap(([alias, one]): [string, ConditionDefinition][] =>
    isOwn(one) ? [[names.get(alias) as string, amongOwn(alias, one, names)]] : [],
  );
  return { definition, own: new Map(own), places: placesIn(document, whole), warnings };
}

/** What a contract calls one of its own conditions is behind the last dot: no two contracts can mean the same. */
function nameOf(contract: string, alias: string, { conditions }: Whole): string {
  const one = conditions[alias];
  return one === undefined || isOwn(one) ? `${contract}.${alias}` : one.use;
}

/** An expression among a contract's own conditions may call the others as the contract does. */
function amongOwn(alias: string, one: ConditionDefinition, names: ReadonlyMap<string, string>): ConditionDefinition {
  const others = [...names].filter(([other]) => other !== alias);
  if (one.kind !== "expression" || others.length === 0) return one;
  return { ...one, use: { ...Object.fromEntries(others), ...one.use } };
}

/** `set` says conditions as the contract calls them, too. */
function withNames(transition: TransitionDefinition, names: ReadonlyMap<string, string>): TransitionDefinition {
  const named = (action: ActionDefinition): ActionDefinition => {
    if (action.set === undefined) return action;
    const set = Object.entries(action.set).map(([name, value]) => [names.get(name) ?? name, value]);
    return { ...action, set: Object.fromEntries(set) };
  };
  return { ...transition, do: transition.do.map(named) };
}

/** The document and its bases, the outermost first. */
function basesOf(
  name: string,
  document: ContractDocument,
  find: (name: string) => ContractDocument | undefined,
): ContractDocument[] {
  const chain = [document];
  const names = [name];
  const problems = new ContractProblems();
  for (let base = document.extends ?? undefined; base !== undefined; ) {
    const found = base === name ? document : find(base);
    if (names.includes(base)) {
      const circle = [...names.slice(names.indexOf(base)), base].join(" -> ");
      problems.add(["extends"], contradiction(`Cannot extend "${base}", that is a circle: ${circle}`, circle));
    } else if (found === undefined) {
      problems.add(["extends"], contradiction(`Cannot extend "${base}", there is no such contract`, base));
    } else if (chain.length > limits.contractBases) {
      const { contractBases: limit } = limits;
      const error = new SluiceError(
        "limit_reached",
        `Cannot extend "${base}", limit is ${limit} contracts one upon another`,
        {
          value: base,
          limit,
        },
      );
      problems.add(["extends"], error);
    } else {
      chain.unshift(found);
      names.push(base);
      base = found.extends ?? undefined;
      continue;
    }
    throw problems.error();
  }
  return chain;
}

/** Lays a document upon what it extends. */
function laid(base: Whole, document: ContractDocument, isFirst: boolean, warnings: string[]): Whole {
  const problems = new ContractProblems();
  const regions = isFirst ? [...document.regions] : regionsUpon(base, document, problems);
  if (isFirst) assertAlone(document, problems);
  problems.assertNone();
  return {
    conditions: { ...base.conditions, ...document.conditions },
    select: document.select ?? base.select,
    exit: document.exit ?? base.exit,
    order: document.order ?? base.order,
    regions,
    transitions: transitionsUpon(base, document, regions, warnings),
  };
}

/** Without a base there is nothing that could be removed, or before which a region could stand. */
function assertAlone({ remove = [], regions }: ContractDocument, problems: ContractProblems): void {
  if (remove.length > 0) problems.add(["remove"], contradiction("Cannot remove regions, there is no base", "remove"));
  for (const [index, { before, after }] of regions.entries())
    if (before !== undefined || after !== undefined)
      problems.add(
        ["regions", index],
        contradiction("Cannot place a region by before or after, there is no base", before ?? after ?? ""),
      );
}

function regionsUpon(base: Whole, document: ContractDocument, problems: ContractProblems): OuterRegion[] {
  const regions = removed(base.regions, document.remove ?? [], problems);
  const indexOf = (name: string): number => regions.findIndex((region) => region.name === name);
  /** Where the next region stands that does not say where: in their order, before all of the base. */
  let first = 0;
  for (const [index, region] of document.regions.entries()) {
    const { before, after } = region;
    const place = ["regions", index];
    const at = indexOf(region.name);
    const beside = before ?? after;
    if (before !== undefined && after !== undefined) {
      problems.add(place, contradiction(`Cannot place "${region.name}" before one and after another`, region.name));
    } else if (beside !== undefined) {
      if (at !== -1) regions.splice(at, 1);
      const found = indexOf(beside);
      if (found === -1)
        problems.add(place, contradiction(`Cannot place "${region.name}", there is no region "${beside}"`, beside));
      else regions.splice(before === undefined ? found + 1 : found, 0, region);
    } else if (at !== -1) regions[at] = region;
    else regions.splice(first++, 0, region);
  }
  return regions;
}

/** A name means a region at the top, `outer/inner` one within another. */
function removed(base: readonly OuterRegion[], names: readonly string[], problems: ContractProblems): OuterRegion[] {
  let regions: readonly RegionDefinition[] = base;
  for (const [index, name] of names.entries()) {
    const without = withoutRegion(regions, name.split("/"));
    if (without === undefined)
      problems.add(["remove", index], contradiction(`Cannot remove "${name}", the base has no such region`, name));
    else regions = without;
  }
  return [...regions];
}

function withoutRegion(
  regions: readonly RegionDefinition[],
  [name, ...rest]: readonly string[],
): readonly RegionDefinition[] | undefined {
  const at = regions.findIndex((region) => region.name === name);
  const region = regions[at];
  if (region === undefined) return undefined;
  if (rest.length === 0) return regions.filter((one) => one !== region);
  const inner = withoutRegion(region.regions ?? [], rest);
  if (inner === undefined) return undefined;
  return regions.map((one) => (one === region ? { ...region, regions: inner } : one));
}

/** Those of the base first, but for pairs that the document has, too, and for regions that are no more. */
function transitionsUpon(
  base: Whole,
  document: ContractDocument,
  regions: readonly RegionDefinition[],
  warnings: string[],
): TransitionDefinition[] {
  const names = new Set(["*"]);
  const gather = (all: readonly RegionDefinition[]): void => {
    for (const region of all) {
      names.add(region.name);
      gather(region.regions ?? []);
    }
  };
  gather(regions);
  const kept = base.transitions.filter(({ from, to }) => {
    if (document.transitions.some((one) => one.from === from && one.to === to)) return false;
    if (names.has(from) && names.has(to)) return true;
    warnings.push(`The transition from "${from}" to "${to}" of the base has no regions here: it is left out`);
    return false;
  });
  return [...kept, ...document.transitions];
}

/** What a base has given is told by its name. */
function placesIn(document: ContractDocument, whole: Whole): Places {
  const isOwnRegion = new Map<RegionDefinition, number>(document.regions.map((region, index) => [region, index]));
  const own = whole.transitions.length - document.transitions.length;
  return {
    region: (region) => {
      const index = isOwnRegion.get(region);
      return index === undefined ? ["extends", region.name] : ["regions", index];
    },
    transition: ({ from, to }, index) => (index < own ? ["extends", `${from}->${to}`] : ["transitions", index - own]),
  };
}
