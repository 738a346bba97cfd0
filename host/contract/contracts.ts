/**
 * The contracts of this host: definitions, actions and history here, evaluation in the core.
 *
 * Whatever changes conditions asks for a pass at the end of the loop's turn. Passes follow one another until nothing is marked any
 * more; contracts that mark one another for ever are given up for this turn, and told.
 */
import { RESULT_COUNT } from "../../core-wasm/abi.ts";
import type { ConditionDefinition } from "../condition/schema.ts";
import { type Core, type CoreHolder, isTrap } from "../core/instance.ts";
import { SluiceError } from "../errors.ts";
import type { FilterUse } from "../filter/registry/registry.ts";
import { limits } from "../limits.ts";
import { Actions, type ActionTargets } from "./actions.ts";
import { compileContract } from "./compile.ts";
import {
  type Contract,
  type ContractTotals,
  type ContractView,
  carriedPath,
  countedOf,
  namesOf,
  snapshotOf,
  type Transition,
  totalsOf,
  viewOf,
} from "./contract.ts";
import { giveContract } from "./give.ts";
import { type KeptContract, keptOf, overlayFrom } from "./kept.ts";
import { modulesOf, noOverlay, overlayKept } from "./overlay.ts";
import { type Plan, planOf, type Told, toldBy } from "./plan.ts";
import type { ContractDefinition } from "./schema.ts";

/** What happened to a contract's definition, told after it did. */
export interface ContractDefined {
  readonly type: "created" | "updated" | "removed";
  readonly name: string;
  readonly definition: ContractDefinition;
}

/** A contract has moved, told when its `sync` transitions have been carried out. */
export interface ContractMoved {
  readonly name: string;
  readonly transition: Transition;
  /** What its transitions call back, in their order, those of `async` ones too. */
  readonly callbacks: readonly Callback[];
}

/** A name that observers of a contract are told. */
export interface Callback {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** What {@link Contracts} needs. */
export interface ContractsSettings extends ActionTargets {
  readonly holder: CoreHolder;
  /** Runs something at the end of the loop's turn. */
  readonly defer: (run: () => void) => void;
  /** Deals with a trap of the core. */
  readonly onTrap: (error: Error) => SluiceError;
}

/** All contracts of one host. */
export class Contracts {
  readonly #settings: ContractsSettings;
  readonly #actions: Actions;
  readonly #byName = new Map<string, Contract>();
  readonly #byHandle = new Map<number, Contract>();
  readonly #listeners = new Set<(change: ContractDefined) => void>();
  readonly #movedListeners = new Set<(moved: ContractMoved) => void>();
  /** Hears of everything that {@link kept} gives otherwise, but for counters. */
  #onState: () => void = () => {};
  /** How many there ever were. */
  #ever = 0;
  #scheduled = false;
  /** Passes since nothing was marked. */
  #restless = 0;
  #running = false;
  #paused = false;
  /** How often contracts marked one another for ever. */
  oscillations = 0;

  constructor(settings: ContractsSettings) {
    this.#settings = settings;
    this.#actions = new Actions(settings, () => this.#onState());
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
    return this.#guarded(() => viewOf(this.#core, contract));
  }

  /** Where a contract is. @throws {SluiceError} `contract_unknown`. */
  state(name: string): Pick<ContractView, "path" | "status"> {
    const contract = this.#known(name);
    return { path: namesOf(contract), status: contract.noRegion ? "no_region" : "active" };
  }

  /** Tells a contract from others that have had its name. @throws {SluiceError} `contract_unknown`. */
  serial(name: string): number {
    return this.#known(name).order;
  }

  /** What was counted of each, in the order of their creation. */
  totals(): (readonly [name: string, totals: ContractTotals])[] {
    return this.#guarded(() => Array.from(this.#byName, ([name, one]) => [name, totalsOf(this.#core, one)] as const));
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
    const { conditions, governing } = this.#settings;
    const present = this.#byName.get(name);
    if (present === undefined && this.count >= limits.contracts)
      throw new SluiceError("limit_reached", `Cannot create contract "${name}", limit is ${limits.contracts}`, {
        value: name,
        limit: limits.contracts,
      });
    this.#guarded(() => {
      const contract = this.#made(name, definition, present);
      this.#ever = Math.max(this.#ever, contract.order);
      contract.handle = giveContract(this.#core, conditions, contract, present?.handle ?? 0);
      if (present !== undefined) {
        this.#actions.cancel(present);
        this.#byHandle.delete(present.handle);
      }
      this.#byHandle.set(contract.handle, contract);
      this.#byName.set(name, contract);
      if (present !== undefined) governing.give(contract, present.overlay, contract.overlay);
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
    this.#actions.cancel(contract);
    this.#guarded(() => {
      this.#core.exports.contractRemove(contract.handle);
      this.#settings.governing.release(contract, contract.overlay);
    });
    this.#tell("removed", name, contract.definition);
    return true;
  }

  /** Filter modules that contracts name, whether or not they are bound now. */
  *moduleUses(): Generator<FilterUse> {
    for (const { name, definition } of this.#byName.values())
      for (const action of definition.transitions.flatMap((one) => one.do))
        for (const use of modulesOf(action)) yield { where: `${use.stage} filter of contract ${name}`, ...use };
  }

  /** Marks a contract, has passes run until nothing is marked, and gives its path. @throws {SluiceError} `contract_unknown`. */
  evaluate(name: string): readonly string[] {
    const contract = this.#known(name);
    this.#guarded(() => this.#core.exports.contractMark(contract.handle));
    this.run();
    return namesOf(contract);
  }

  /** Whether passes run only by step(). */
  get paused(): boolean {
    return this.#paused;
  }

  /** Has passes wait, or lets them go on: what was marked meanwhile is looked at then. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#schedule();
  }

  /**
   * Runs so many passes, paused or not; fewer where nothing is marked before.
   *
   * @returns How many there were.
   */
  step(passes: number): number {
    if (this.#running) return 0;
    this.#running = true;
    let done = 0;
    try {
      for (let marked = 1; done < passes && marked > 0; done++) marked = this.#guarded(() => this.#pass());
    } finally {
      this.#running = false;
    }
    this.#schedule();
    return done;
  }

  /**
   * Tells what a contract would do. What is marked is evaluated first, as at the end of the turn; nothing else happens.
   *
   * @param definition What would be put in its place; undefined: as it is.
   * @param own Conditions that would come with it: those that are not there, or are defined otherwise, have their first values.
   * @param values Of conditions, by the contract's or by their own names, in place of those that they have.
   * @throws {SluiceError} as put(); `contract_unknown` where there is neither; `condition_unknown` for a value that it does not ask for;
   *   `contradiction` while evaluation is paused.
   */
  plan(
    name: string,
    definition: ContractDefinition | undefined,
    values: Readonly<Record<string, boolean | number | string>>,
    own: ReadonlyMap<string, ConditionDefinition> = new Map(),
  ): Plan {
    const { conditions, governing } = this.#settings;
    if (this.#paused)
      throw new SluiceError("contradiction", "Cannot plan while the evaluator is paused: a plan would run a pass", {
        value: name,
      });
    this.run();
    const present = definition === undefined ? this.#known(name) : this.#byName.get(name);
    const trial = this.#made(name, definition ?? (present as Contract).definition, present, own);
    const cells = new Map<string, number>();
    return this.#guarded(() => {
      try {
        for (const [asked, value] of Object.entries(values)) {
          const used = trial.compiled.conditions.find((one) => one.alias === asked || one.name === asked);
          if (used === undefined)
            throw new SluiceError("condition_unknown", `Contract "${name}" does not ask for "${asked}"`, {
              value: asked,
            });
          cells.set(used.name, conditions.addCell(value));
        }
        for (const { name: used } of trial.compiled.conditions) {
          const made = cells.has(used) ? undefined : own.get(used);
          if (made !== undefined && JSON.stringify(conditions.get(used)?.definition) !== JSON.stringify(made))
            cells.set(used, conditions.addCell(conditions.firstValue(made)));
        }
        const cellOf = (condition: string): number => cells.get(condition) ?? conditions.numberOf(condition);
        trial.handle = giveContract(
          this.#core,
          { get: (condition) => conditions.get(condition), numberOf: cellOf },
          trial,
          0,
        );
        const told = this.#told(trial.handle);
        const now = { path: present === undefined ? [] : namesOf(present), overlay: present?.overlay ?? noOverlay };
        return planOf(this.#core, governing, trial, told, now);
      } finally {
        if (trial.handle !== 0) this.#core.exports.contractRemove(trial.handle);
        for (const cell of cells.values()) conditions.removeCell(cell);
      }
    });
  }

  /** What the core tells of one contract in a pass; undefined where neither its path nor its status changes. */
  #told(handle: number): Told | undefined {
    const putOff: (() => void)[] = [];
    let told: Told | undefined;
    for (let next = -1; next !== 0; ) {
      next = this.#core.exports.contractsNext();
      if (next === handle) told = toldBy(this.#core);
      // Of contracts that do not come to rest.
      const other = this.#byHandle.get(next);
      if (other !== undefined) this.#moved(other, putOff);
    }
    for (const act of putOff) act();
    return told;
  }

  /** A contract with the state of the one that it replaces, not given to the core yet. */
  #made(
    name: string,
    definition: ContractDefinition,
    present: Contract | undefined,
    own: ReadonlyMap<string, ConditionDefinition> = new Map(),
  ): Contract {
    const { conditions } = this.#settings;
    const isThere = (condition: string): boolean => own.has(condition) || conditions.get(condition) !== undefined;
    const compiled = compileContract(definition, isThere);
    const path = present === undefined ? [] : carriedPath(compiled, namesOf(present));
    const actions = path.length === 0 ? [] : definition.transitions.flatMap((one) => one.do);
    return {
      name,
      definition,
      compiled,
      handle: 0,
      path,
      noRegion: false,
      before: present === undefined ? { triggers: 0, evaluations: 0, hits: new Map() } : countedOf(this.#core, present),
      history: present?.history ?? [],
      failures: present?.failures ?? 0,
      lastFailure: present?.lastFailure ?? null,
      order: present?.order ?? this.#ever + 1,
      // What it still speaks of, and nothing where it begins anew.
      overlay: overlayKept(present?.overlay ?? noOverlay, actions),
      values: new Map(present?.values),
      retries: new Set(),
    };
  }

  /** Runs passes until nothing is marked, or contracts do not come to rest: then the next turn goes on. Not while it is paused. */
  run(): void {
    if (this.#running || this.#paused || this.count === 0) return;
    this.#running = true;
    let rests = false;
    try {
      for (let passes = 0; passes < limits.contractPasses && !rests; passes++) {
        rests = this.#guarded(() => this.#pass()) === 0;
        if (rests) this.#restless = 0;
        else if (++this.#restless === limits.contractPasses) this.#warn();
      }
    } finally {
      this.#running = false;
    }
    if (!rests) this.#schedule();
  }

  /** Gives every contract to a new core, with the path that it had. */
  restore(): void {
    this.#byHandle.clear();
    for (const contract of this.#byName.values()) {
      // What the former core has counted is gone with it.
      contract.handle = giveContract(this.#core, this.#settings.conditions, contract, 0);
      this.#byHandle.set(contract.handle, contract);
    }
    this.#schedule();
  }

  /** What is to be kept of contracts for the next start of this host, as it is now. */
  kept(): KeptContract[] {
    const { conditions } = this.#settings;
    return this.#guarded(() =>
      [...this.#byName.values()].flatMap((contract) => keptOf(this.#core, conditions, contract) ?? []),
    );
  }

  /**
   * Has a contract go on from where it was when it was kept, before it is evaluated for the first time: no transition is carried out for that.
   * What is not there any more, it does not lay anything over, and tells that as a failure.
   */
  resume(kept: KeptContract): void {
    const contract = this.#byName.get(kept.name);
    const path = contract === undefined ? [] : carriedPath(contract.compiled, kept.path);
    if (contract === undefined || path.length === 0) return;
    const { triggers, evaluations, failures, lastFailure, last } = kept;
    contract.path = path;
    contract.before = { triggers, evaluations, hits: new Map(kept.hits) };
    Object.assign(contract, { failures, lastFailure });
    if (last !== undefined) contract.history.push(last);
    this.#guarded(() => {
      this.#byHandle.delete(contract.handle);
      contract.handle = giveContract(this.#core, this.#settings.conditions, contract, contract.handle);
      this.#byHandle.set(contract.handle, contract);
      this.#actions.resume(
        contract,
        overlayKept(
          overlayFrom(kept),
          contract.definition.transitions.flatMap((one) => one.do),
        ),
        kept.values,
      );
    });
  }

  /** Calls back when what is to be kept has changed. There is one such listener. */
  onState(listener: () => void): void {
    this.#onState = listener;
  }

  /** Calls back after every change of a definition. Returns what ends that. */
  onChange(listener: (change: ContractDefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back after every change of a path. Returns what ends that. */
  onMoved(listener: (moved: ContractMoved) => void): () => void {
    this.#movedListeners.add(listener);
    return () => this.#movedListeners.delete(listener);
  }

  get #core(): Core {
    return this.#settings.holder.core;
  }

  #schedule(): void {
    if (this.#scheduled || this.#running || this.#paused || this.count === 0) return;
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
    const { path, fired, noRegion } = toldBy(this.#core);
    contract.noRegion = noRegion;
    const level = path.findIndex((region, index) => region !== contract.path[index]);
    if (level === -1 && path.length === contract.path.length) return;
    const from = namesOf(contract);
    contract.path = path;
    const { transitions } = contract.definition;
    const fires = fired.flatMap((index) => transitions[index] ?? []);
    const region = contract.compiled.regions[path[level] ?? 0];
    const transition: Transition = {
      number: (contract.history.at(-1)?.number ?? 0) + 1,
      at: this.#settings.conditions.now(),
      from,
      to: namesOf(contract),
      handlers: fires.map((one) => `${one.from}->${one.to}`),
      why: { region: region?.path ?? "", when: region?.when?.source ?? null, values: snapshotOf(this.#core, contract) },
    };
    contract.history.push(transition);
    if (contract.history.length > limits.contractHistory) contract.history.shift();
    this.#onState();
    // What was to be tried again was meant for where the contract is no more.
    this.#actions.cancel(contract);
    const behind = fires.filter(({ mode }) => mode === "async");
    if (behind.length > 0) putOff.push(() => this.#actions.carryOut(contract, behind));
    this.#actions.carryOut(
      contract,
      fires.filter(({ mode }) => mode === "sync"),
    );
    if (this.#movedListeners.size === 0) return;
    const callbacks = fires.flatMap(({ do: actions }) =>
      actions.flatMap(({ callback: name, data }) => (name === undefined ? [] : [{ name, data }])),
    );
    for (const listener of this.#movedListeners) listener({ name: contract.name, transition, callbacks });
  }

  #warn(): void {
    this.oscillations++;
    this.#settings.log.warn("contracts do not come to rest", { passes: this.#restless });
  }

  #known(name: string): Contract {
    const contract = this.#byName.get(name);
    if (contract !== undefined) return contract;
    throw new SluiceError("contract_unknown", `There is no contract "${name}"`, { value: name });
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
