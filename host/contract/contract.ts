/** One contract: what was said of it, where it is, and what the core counts of it. */
import { CONTRACT_EVALUATIONS, CONTRACT_HITS, CONTRACT_TRIGGERS } from "../../core-wasm/contract/abi.ts";
import { readValue } from "../condition/read-value.ts";
import type { ConditionValue } from "../condition/schema.ts";
import type { Core } from "../core/instance.ts";
import type { CompiledContract } from "./compile.ts";
import type { Overlay } from "./overlay.ts";
import type { ContractDefinition } from "./schema.ts";

/** Values of conditions, as a contract calls them. */
export type Snapshot = Readonly<Record<string, ConditionValue | null>>;

/** A change of a contract's path. */
export interface Transition {
  /** Counts the transitions of a contract, from 1. */
  readonly number: number;
  /** ms on the service clock. */
  readonly at: number;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Transitions that were carried out, in their order, such as `normal->degraded`. */
  readonly handlers: readonly string[];
  /** What moved it: the outermost region that was entered, what holds of it, and the values that it was seen with. */
  readonly why: { readonly region: string; readonly when: string | null; readonly values: Snapshot };
}

/** A contract as others see it. */
export interface ContractView {
  readonly name: string;
  readonly definition: ContractDefinition;
  readonly path: readonly string[];
  readonly status: "active" | "no_region";
  /** By path of a region, such as `normal/idle`: evaluations in which it was active. */
  readonly hits: Readonly<Record<string, number>>;
  readonly triggers: number;
  readonly evaluations: number;
  readonly snapshot: Snapshot;
  readonly warnings: readonly string[];
  /** Actions that failed, and the last of them. */
  readonly failures: number;
  readonly lastFailure: { readonly action: string; readonly code: string; readonly detail: string } | null;
}

/** A contract of this host. */
export interface Contract {
  readonly name: string;
  readonly definition: ContractDefinition;
  readonly compiled: CompiledContract;
  handle: number;
  /** Numbers of the active regions. */
  path: readonly number[];
  noRegion: boolean;
  /** Counted before this definition, or this core: by counter, by path of a region. */
  before: Counted;
  readonly history: Transition[];
  failures: number;
  lastFailure: ContractView["lastFailure"];
  /** Its place among all contracts, which those that replace it keep. */
  readonly order: number;
  /** What its transitions have laid over channels and inboxes. */
  overlay: Overlay;
  /** What they have set, by condition. */
  readonly values: Map<string, boolean | number | string>;
  /** Ends of the times after which something that failed is tried again. */
  readonly retries: Set<() => void>;
}

/** Counters by what is counted, those of before included. */
export interface Counted {
  readonly triggers: number;
  readonly evaluations: number;
  readonly hits: ReadonlyMap<string, number>;
}

/** Names of the active regions, outer to inner. */
export function namesOf({ path, compiled }: Pick<Contract, "path" | "compiled">): string[] {
  return path.map((number) => compiled.regions[number]?.name ?? "");
}

/** What was counted of a contract, without its regions. */
export interface ContractTotals {
  readonly triggers: number;
  readonly evaluations: number;
  readonly transitions: number;
  readonly failures: number;
}

/** What was counted since the contract was created. */
export function totalsOf({ exports }: Core, { handle, before, history, failures }: Contract): ContractTotals {
  return {
    triggers: exports.contractCounter(handle, CONTRACT_TRIGGERS) + before.triggers,
    evaluations: exports.contractCounter(handle, CONTRACT_EVALUATIONS) + before.evaluations,
    transitions: history.at(-1)?.number ?? 0,
    failures,
  };
}

/** What was counted since the contract was created. One call into the core for each region: for requests. */
export function countedOf(core: Core, contract: Contract): Counted {
  const { handle, compiled, before } = contract;
  const hits = new Map<string, number>();
  compiled.regions.forEach(({ path }, number) => {
    if (number > 0)
      hits.set(path, core.exports.contractCounter(handle, CONTRACT_HITS + number) + (before.hits.get(path) ?? 0));
  });
  const { triggers, evaluations } = totalsOf(core, contract);
  return { triggers, evaluations, hits };
}

/** What the last evaluation has seen. */
export function snapshotOf(core: Core, { handle, compiled }: Contract): Snapshot {
  const values = compiled.conditions.map(({ alias }, index): [string, ConditionValue | null] => {
    core.exports.contractValue(handle, index);
    return [alias, readValue(core) ?? null];
  });
  return Object.fromEntries(values);
}

/** A contract with its state, as others see it. */
export function viewOf(core: Core, contract: Contract): ContractView {
  const { name, definition, compiled, failures, lastFailure } = contract;
  const { hits, triggers, evaluations } = countedOf(core, contract);
  return {
    name,
    definition,
    path: namesOf(contract),
    status: contract.noRegion ? "no_region" : "active",
    hits: Object.fromEntries(hits),
    triggers,
    evaluations,
    snapshot: snapshotOf(core, contract),
    warnings: compiled.warnings,
    failures,
    lastFailure,
  };
}

/** As much of a path as there still is. Where a region has got children, the next evaluation finds which of them. */
export function carriedPath({ regions }: CompiledContract, names: readonly string[]): number[] {
  const path: number[] = [];
  let parent = 0;
  for (const name of names) {
    const next = regions[parent]?.children.find((child) => regions[child]?.name === name);
    if (next === undefined) return [];
    path.push(next);
    parent = next;
  }
  return path;
}
