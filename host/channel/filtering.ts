/**
 * The filters of one channel in the core: which handle counts what, and changes that are all or nothing.
 *
 * Handles belong to the core once they are bound; it gives them back when others are bound in their place.
 */
import { EMPTY_DIVERT, EMPTY_DROP, EMPTY_HOLD } from "../../core-wasm/abi.ts";
import type { Core, CoreHolder } from "../core/instance.ts";
import { SluiceError } from "../errors.ts";
import { bindChannel, noCounters, type RouteCounters, routeCounters, sumOf } from "../filter/bound.ts";
import type { PreparedModule } from "../filter/module/binder.ts";
import { type Binding, type ModuleBinding, sameBinding } from "../filter/route.ts";
import { type Stage, stages } from "../filter/schema.ts";
import type { ChannelDefinition, Filters } from "./definition.ts";

/** What is bound on a stage, and the handle that counts it. */
interface Bound {
  readonly binding: Binding;
  /** 0 for a module. */
  readonly handle: number;
  /** Ends the use of a module. */
  readonly module: BoundModule | undefined;
}

/** A module that decides about the events of a channel. */
export interface BoundModule {
  /** It decides no more, from the next event on. */
  end(): void;
}

/** What has modules decide; a host without it takes routes only. */
export interface ModuleBinder {
  /** Starts a module that is about to be bound. @throws {SluiceError} as {@link ModuleBinder.bind}. */
  prepare(channel: number, stage: Stage, binding: ModuleBinding): PreparedModule;
  /**
   * Has a module decide from the next event on.
   *
   * @param channel Its number in the present core.
   * @throws {SluiceError} where there is no such module, or it lacks the hook; nothing has changed then.
   */
  bind(channel: number, stage: Stage, binding: ModuleBinding): BoundModule;
}

/** See the head of this file. */
export class Filtering {
  readonly #holder: CoreHolder;
  readonly #bound: { [Name in Stage]: Bound | null } = { in: null, out: null };
  readonly #channel: number;
  readonly #totals: FilterTotals;
  readonly #modules: ModuleBinder | undefined;
  /** Modules that the next change of filters needs. */
  readonly #prepared = new Map<Stage, PreparedModule & { readonly identity: string }>();

  /**
   * @param channel Its number in the present core, where nothing is bound to it yet.
   * @param totals Where what it counted is kept when it is bound no more.
   * @param modules Undefined: modules are refused.
   */
  constructor(holder: CoreHolder, channel: number, totals: FilterTotals, modules: ModuleBinder | undefined) {
    this.#holder = holder;
    this.#channel = channel;
    this.#totals = totals;
    this.#modules = modules;
    totals.add(this);
  }

  /** Whether something is bound on a stage. */
  has(stage: Stage): boolean {
    return this.#bound[stage] !== null;
  }

  /** The channel is going: what was counted is kept. */
  end(): void {
    for (const stage of stages) {
      this.#totals.retire(stage, this.counters(stage));
      this.#bound[stage]?.module?.end();
    }
    this.#totals.remove(this);
  }

  /**
   * Starts the modules that {@link set} is going to need for these filters.
   *
   * @returns Gives up those that it did not need.
   * @throws {SluiceError} as {@link ModuleBinder.bind}.
   */
  prepare(filters: Filters): () => void {
    const end = (): void => {
      for (const prepared of this.#prepared.values()) prepared.end();
      this.#prepared.clear();
    };
    try {
      for (const stage of stages) {
        const wanted = filters[stage];
        if (wanted?.module === undefined || sameBinding(this.#bound[stage]?.binding ?? null, wanted)) continue;
        const prepared = this.#binder(wanted.module).prepare(this.#channel, stage, wanted.module);
        this.#prepared.set(stage, { ...prepared, identity: wanted.identity });
      }
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /**
   * Binds what is not bound yet and unbinds what is not wanted any more.
   *
   * @throws {SluiceError} `store_full`, `limit_reached`, and as {@link ModuleBinder.bind}; then all is as it was.
   */
  set(filters: Filters): void {
    const before = this.#bound.out;
    this.#setStage("out", filters.out);
    try {
      this.#setStage("in", filters.in);
    } catch (error) {
      this.#setStage("out", before?.binding ?? null);
      throw error;
    }
  }

  /** What is counted of each route of a stage. */
  counters(stage: Stage): readonly RouteCounters[] {
    const bound = this.#bound[stage];
    if (bound === null) return [];
    const { core } = this.#holder;
    return bound.binding.routes.map((_route, index) => routeCounters(core, bound.handle, index));
  }

  #setStage(stage: Stage, wanted: Binding | null): void {
    const bound = this.#bound[stage];
    if (sameBinding(bound?.binding ?? null, wanted)) return;
    // The core forgets it with what was bound.
    const counted = this.counters(stage);
    // First what may be refused, so that what was bound stays then.
    const module = wanted?.module && this.#bindModule(stage, wanted.module, wanted.identity);
    const hasRoutes = wanted !== null && module === undefined;
    const handle = bindChannel(this.#holder.core, this.#channel, stage, hasRoutes ? wanted : null);
    bound?.module?.end();
    this.#totals.retire(stage, counted);
    this.#bound[stage] = wanted === null ? null : { binding: wanted, handle, module };
  }

  #bindModule(stage: Stage, binding: ModuleBinding, identity: string): BoundModule {
    const prepared = this.#prepared.get(stage);
    if (prepared?.identity === identity) return prepared.bind();
    return this.#binder(binding).bind(this.#channel, stage, binding);
  }

  #binder({ module }: ModuleBinding): ModuleBinder {
    if (this.#modules !== undefined) return this.#modules;
    throw new SluiceError("not_supported", `Cannot bind the module "${module}", this host has routes only`, {
      value: "module",
    });
  }
}

/** What the filters of all channels have counted since the core was started, those that are bound no more included. */
export class FilterTotals {
  readonly #filtering = new Set<Filtering>();
  #retired: { [Name in Stage]: RouteCounters } = { in: noCounters, out: noCounters };

  /** Filters that are bound now, by stage. */
  count(stage: Stage): number {
    let count = 0;
    for (const filtering of this.#filtering) if (filtering.has(stage)) count++;
    return count;
  }

  /** One call into the core per counter of each route: ask as often as a scraper does. */
  read(stage: Stage): RouteCounters {
    const all = [this.#retired[stage]];
    for (const filtering of this.#filtering) all.push(...filtering.counters(stage));
    return sumOf(all);
  }

  /** Begins anew, with a new core. */
  clear(): void {
    this.#filtering.clear();
    this.#retired = { in: noCounters, out: noCounters };
  }

  /** Counts these, too. */
  add(filtering: Filtering): void {
    this.#filtering.add(filtering);
  }

  /** The reverse. */
  remove(filtering: Filtering): void {
    this.#filtering.delete(filtering);
  }

  /** Keeps what is not bound any more; of the keys nothing is left. */
  retire(stage: Stage, counters: readonly RouteCounters[]): void {
    if (counters.length > 0) this.#retired[stage] = { ...sumOf([this.#retired[stage], ...counters]), keys: 0 };
  }
}

const policies: { readonly [Name in ChannelDefinition["delivery"]["empty"]]: number } = {
  drop: EMPTY_DROP,
  hold: EMPTY_HOLD,
  divert: EMPTY_DIVERT,
};

/**
 * Tells the core what becomes of events that nobody is selected for, and where late ones go.
 *
 * @param divertTo Number of a channel; 0 where there is none: such events are dropped and counted.
 * @returns A status.
 */
export function emptyPolicy(
  core: Core,
  channel: number,
  empty: ChannelDefinition["delivery"]["empty"],
  divertTo: number,
): number {
  if (empty === "divert" && divertTo === 0) return core.exports.channelEmpty(channel, EMPTY_DROP, 0);
  return core.exports.channelEmpty(channel, policies[empty], divertTo);
}
