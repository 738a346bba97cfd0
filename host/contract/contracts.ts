/**
 * The contracts of this host: definitions, actions and history here, evaluation in the core.
 *
 * Whatever changes conditions asks for a pass at the end of the loop's turn. Passes follow one another until nothing is marked any
 * more; contracts that mark one another for ever are given up for this turn, and told.
 */
import { RECEIPTS_OFFSET, RESULT_COUNT, RESULT_STATUS, RESULT_VALUE } from "../../core-wasm/abi.ts";
import { CONTRACT_EVALUATIONS, CONTRACT_HITS, CONTRACT_TRIGGERS, PASS_HANDLERS } from "../../core-wasm/contract/abi.ts";
import type { ConditionChange, Conditions } from "../condition/conditions.ts";
import { readValue } from "../condition/read-value.ts";
import type { ConditionValue } from "../condition/schema.ts";
import { type CoreHolder, isTrap, placeScratch } from "../core/instance.ts";
import { SluiceError, sluiceErrorFrom } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { type CompiledContract, compileContract } from "./compile.ts";
import type { ActionDefinition, ContractDefinition } from "./schema.ts";

/** Values of conditions, as a contract calls them. */
export type Snapshot = Readonly<Record<string, ConditionValue | null>>;

/** A change of a contract's path. */
export interface Transition {
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

/** What happened to a contract's definition, told after it did. */
export interface ContractDefined {
  readonly type: "created" | "updated" | "removed";
  readonly name: string;
  readonly definition: ContractDefinition;
}

/** What became of published events. */
export type PublishOutcome = ReadonlyArray<{ readonly problem: SluiceError } | { readonly id: string }>;

/** What {@link Contracts} needs. */
export interface ContractsSettings {
  readonly holder: CoreHolder;
  readonly conditions: Conditions;
  readonly log: Log;
  /** Publishes as the host's own source. */
  readonly publish: (channel: string, event: NonNullable<ActionDefinition["publish"]>["event"]) => PublishOutcome;
  /** Runs something at the end of the loop's turn. */
  readonly defer: (run: () => void) => void;
  /** Deals with a trap of the core. */
  readonly onTrap: (error: Error) => SluiceError;
}

interface Contract {
  readonly name: string;
  readonly definition: ContractDefinition;
  readonly compiled: CompiledContract;
  handle: number;
  /** Numbers of the active regions. */
  path: readonly number[];
  noRegion: boolean;
  /** Counted before this definition, or this core: by counter, by path of a region. */
  before: { triggers: number; evaluations: number; hits: ReadonlyMap<string, number> };
  readonly history: Transition[];
  failures: number;
  lastFailure: ContractView["lastFailure"];
}

/** All contracts of one host. */
export class Contracts {
  readonly #settings: ContractsSettings;
  readonly #byName = new Map<string, Contract>();
  readonly #byHandle = new Map<number, Contract>();
  readonly #listeners = new Set<(change: ContractDefined) => void>();
  #scheduled = false;
  /** Passes since nothing was marked. */
  #restless = 0;
  #running = false;
  /** How often contracts marked one another for ever. */
  oscillations = 0;

  constructor(settings: ContractsSettings) {
    this.#settings = settings;
    settings.conditions.onWrite(() => this.#schedule());
    settings.conditions.usedBy((condition) =>
      [...this.#byName.values()]
        .filter(({ compiled }) => compiled.conditions.some(({ name }) => name === condition))
        .map(({ name }) => `contract ${name}`),
    );
  }

  /** How many there are. */
  get count(): number {
    return this.#byName.size;
  }

  /** Names of all contracts, in the order of their creation. */
  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** The definition of a contract; undefined where there is none. */
  definition(name: string): ContractDefinition | undefined {
    return this.#byName.get(name)?.definition;
  }

  /** A contract with its state, as the last pass has left it. @throws {SluiceError} `contract_unknown`. */
  read(name: string): ContractView {
    const contract = this.#known(name);
    const { definition, compiled, failures, lastFailure } = contract;
    return this.#guarded(() => ({
      name,
      definition,
      path: this.#namesOf(contract),
      status: contract.noRegion ? "no_region" : "active",
      hits: Object.fromEntries(this.#hits(contract)),
      triggers: this.#counter(contract, CONTRACT_TRIGGERS) + contract.before.triggers,
      evaluations: this.#counter(contract, CONTRACT_EVALUATIONS) + contract.before.evaluations,
      snapshot: this.#snapshot(contract),
      warnings: compiled.warnings,
      failures,
      lastFailure,
    }));
  }

  /** Its last transitions, the newest last. @throws {SluiceError} `contract_unknown`. */
  history(name: string): readonly Transition[] {
    return this.#known(name).history;
  }

  /**
   * Creates a contract, or replaces one: its place in the order, its counters, and the path where the regions are still there, stay.
   *
   * @returns Whether it is new.
   * @throws {SluiceError} as compileContract(); `limit_reached`.
   */
  put(name: string, definition: ContractDefinition): boolean {
    const { conditions } = this.#settings;
    const present = this.#byName.get(name);
    if (present === undefined && this.count >= limits.contracts)
      throw new SluiceError("limit_reached", `Cannot create contract "${name}", limit is ${limits.contracts}`, {
        value: name,
        limit: limits.contracts,
      });
    const compiled = compileContract(definition, (condition) => conditions.get(condition) !== undefined);
    this.#guarded(() => {
      const contract: Contract = {
        name,
        definition,
        compiled,
        handle: 0,
        path: present === undefined ? [] : carriedPath(compiled, this.#namesOf(present)),
        noRegion: false,
        before: present === undefined ? { triggers: 0, evaluations: 0, hits: new Map() } : this.#counted(present),
        history: present?.history ?? [],
        failures: present?.failures ?? 0,
        lastFailure: present?.lastFailure ?? null,
      };
      this.#give(contract, present?.handle ?? 0);
      if (present !== undefined) this.#byHandle.delete(present.handle);
      this.#byHandle.set(contract.handle, contract);
      this.#byName.set(name, contract);
    });
    this.#tell(present === undefined ? "created" : "updated", name, definition);
    this.#schedule();
    return present === undefined;
  }

  /** Removes a contract. Returns whether it was there. */
  remove(name: string): boolean {
    const contract = this.#byName.get(name);
    if (contract === undefined) return false;
    this.#byName.delete(name);
    this.#byHandle.delete(contract.handle);
    this.#guarded(() => this.#settings.holder.core.exports.contractRemove(contract.handle));
    this.#tell("removed", name, contract.definition);
    return true;
  }

  /** Marks a contract, has passes run until nothing is marked, and gives its path. @throws {SluiceError} `contract_unknown`. */
  evaluate(name: string): readonly string[] {
    const contract = this.#known(name);
    this.#guarded(() => this.#settings.holder.core.exports.contractMark(contract.handle));
    this.run();
    return this.#namesOf(contract);
  }

  /** Runs passes until nothing is marked, or contracts do not come to rest: then the next turn goes on. */
  run(): void {
    if (this.#running || this.count === 0) return;
    this.#running = true;
    try {
      for (let passes = 0; passes < limits.contractPasses; passes++) {
        if (this.#guarded(() => this.#pass()) === 0) {
          this.#restless = 0;
          return;
        }
        if (++this.#restless === limits.contractPasses) this.#warn();
      }
      this.#schedule();
    } finally {
      this.#running = false;
    }
  }

  /** Gives every contract to a new core, with the path that it had. */
  restore(): void {
    this.#byHandle.clear();
    for (const contract of this.#byName.values()) {
      // What the former core has counted is gone with it.
      this.#give(contract, 0);
      this.#byHandle.set(contract.handle, contract);
    }
    this.#schedule();
  }

  /** Calls back after every change of a definition. Returns what ends that. */
  onChange(listener: (change: ContractDefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #schedule(): void {
    if (this.#scheduled || this.#running || this.count === 0) return;
    this.#scheduled = true;
    this.#settings.defer(() => {
      this.#scheduled = false;
      this.run();
    });
  }

  /** One round over all contracts. Returns how many are marked again. */
  #pass(): number {
    const { holder } = this.#settings;
    const putOff: (() => void)[] = [];
    for (;;) {
      const { exports, views } = holder.core;
      const handle = exports.contractsNext();
      if (handle === 0) {
        const marked = views.result[RESULT_COUNT] as number;
        if (putOff.length === 0) return marked;
        for (const act of putOff.splice(0)) act();
        // What those have changed is looked at in the next pass.
        return 1;
      }
      const contract = this.#byHandle.get(handle);
      if (contract !== undefined) this.#moved(contract, putOff);
    }
  }

  /** Takes over what the core tells of a contract, and carries out its transitions. */
  #moved(contract: Contract, putOff: (() => void)[]): void {
    const { result, words } = this.#settings.holder.core.views;
    const at = RECEIPTS_OFFSET >>> 2;
    const path = [...words.subarray(at, at + (result[RESULT_VALUE] as number))];
    const handlersAt = at + PASS_HANDLERS;
    const fired = [...words.subarray(handlersAt, handlersAt + (result[RESULT_COUNT] as number))];
    contract.noRegion = result[RESULT_STATUS] === 1;
    const level = path.findIndex((region, index) => region !== contract.path[index]);
    if (level === -1 && path.length === contract.path.length) return;
    const from = this.#namesOf(contract);
    contract.path = path;
    const { transitions } = contract.definition;
    const fires = fired.flatMap((index) => transitions[index] ?? []);
    const region = contract.compiled.regions[path[level] ?? 0];
    contract.history.push({
      at: this.#settings.conditions.now(),
      from,
      to: this.#namesOf(contract),
      handlers: fires.map((one) => `${one.from}->${one.to}`),
      why: { region: region?.path ?? "", when: region?.when?.source ?? null, values: this.#snapshot(contract) },
    });
    if (contract.history.length > limits.contractHistory) contract.history.shift();
    for (const { mode, do: actions } of fires) {
      const act = (): void => {
        for (const action of actions) this.#act(contract, action);
      };
      if (mode === "sync") act();
      else putOff.push(act);
    }
  }

  /** Carries out one action; where that fails it is told on the contract, and the others go on. */
  #act(contract: Contract, { set, publish }: ActionDefinition): void {
    const { conditions, log } = this.#settings;
    try {
      if (set !== undefined) {
        conditions.change(
          Object.entries(set).map(([name, value]): readonly [string, ConditionChange] => [name, { value }]),
        );
      }
      if (publish === undefined) return;
      for (const result of this.#settings.publish(publish.channel, publish.event))
        if ("problem" in result) throw result.problem;
    } catch (thrown) {
      if (isTrap(thrown)) throw thrown;
      const { code, message } = sluiceErrorFrom(thrown);
      contract.failures++;
      contract.lastFailure = { action: set === undefined ? "publish" : "set", code, detail: message };
      log.warn("action of a contract failed", { contract: contract.name, code, detail: message });
    }
  }

  #warn(): void {
    this.oscillations++;
    this.#settings.log.warn("contracts do not come to rest", { passes: this.#restless });
  }

  /** Has the core take a contract in place of another, 0: of none. @throws {SluiceError} `limit_reached`. */
  #give(contract: Contract, replaces: number): void {
    const { holder, conditions } = this.#settings;
    const { core } = holder;
    const { exports } = core;
    const { compiled, definition, path } = contract;
    const programs = compiled.programs.map((program) =>
      program === undefined ? 0 : exports.expressionAdd(placeScratch(core, program), program.length),
    );
    const words = Uint32Array.from([
      compiled.conditions.length,
      compiled.regions.length,
      compiled.transitions.length,
      definition.order === "listed" ? 1 : 0,
      path.length,
      ...compiled.conditions.flatMap(({ name, observed }) => {
        const isObserved = observed ?? conditions.get(name)?.definition.observed ?? true;
        return [conditions.numberOf(name), isObserved ? 1 : 0];
      }),
      ...compiled.regions.flatMap(({ children, parent, select }, number) => {
        const siblings = compiled.regions[parent]?.children ?? [];
        const next = siblings[siblings.indexOf(number) + 1] ?? 0;
        return [children[0] ?? 0, next, programs[number * 2] ?? 0, programs[number * 2 + 1] ?? 0, select];
      }),
      ...compiled.transitions.flat(),
      ...path,
    ]);
    const isWhole = compiled.programs.every((program, index) => program === undefined || programs[index] !== 0);
    const at = placeScratch(core, new Uint8Array(words.buffer));
    contract.handle = isWhole ? exports.contractAdd(at, words.length * 4, replaces) : 0;
    if (contract.handle !== 0) return;
    for (const program of programs) exports.expressionRelease(program);
    throw new SluiceError("store_full", `Cannot keep contract "${contract.name}", memory is used up`);
  }

  #known(name: string): Contract {
    const contract = this.#byName.get(name);
    if (contract !== undefined) return contract;
    throw new SluiceError("contract_unknown", `There is no contract "${name}"`, { value: name });
  }

  #namesOf({ path, compiled }: Contract): string[] {
    return path.map((number) => compiled.regions[number]?.name ?? "");
  }

  #counter({ handle }: Contract, counter: number): number {
    return this.#settings.holder.core.exports.contractCounter(handle, counter);
  }

  #hits(contract: Contract): Map<string, number> {
    const { regions } = contract.compiled;
    const hits = new Map<string, number>();
    regions.forEach(({ path }, number) => {
      const counted = this.#counter(contract, CONTRACT_HITS + number) + (contract.before.hits.get(path) ?? 0);
      if (number > 0) hits.set(path, counted);
    });
    return hits;
  }

  #counted(contract: Contract): Contract["before"] {
    const { before } = contract;
    return {
      triggers: this.#counter(contract, CONTRACT_TRIGGERS) + before.triggers,
      evaluations: this.#counter(contract, CONTRACT_EVALUATIONS) + before.evaluations,
      hits: this.#hits(contract),
    };
  }

  #snapshot({ handle, compiled }: Contract): Snapshot {
    const { core } = this.#settings.holder;
    const values = compiled.conditions.map(({ alias }, index): [string, ConditionValue | null] => {
      core.exports.contractValue(handle, index);
      return [alias, readValue(core) ?? null];
    });
    return Object.fromEntries(values);
  }

  #guarded<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      throw isTrap(error) ? this.#settings.onTrap(error) : error;
    }
  }

  #tell(type: ContractDefined["type"], name: string, definition: ContractDefinition): void {
    for (const listener of this.#listeners) listener({ type, name, definition });
  }
}

/** As much of a path as there still is. Where a region has got children, the next evaluation finds which of them. */
function carriedPath({ regions }: CompiledContract, names: readonly string[]): number[] {
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
