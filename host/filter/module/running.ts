/**
 * A revision of a module at work on a channel, with one configuration: its instance, and what is done when that fails.
 *
 * Every event of a batch gets a decision, whatever the module does: what it decided before it failed counts, the first event
 * without a decision gets what `onError` says, the rest is run again on a new instance.
 */
import type { Clock, Clocks } from "../../clock.ts";
import type { Log } from "../../log.ts";
import type { ModuleBatch, SinkTable } from "./batch.ts";
import { Breaker } from "./breaker.ts";
import { Budget } from "./budget.ts";
import { type Counting, FaultLog, type ModuleCounters, noModuleCounters } from "./counters.ts";
import { type Decisions, onErrorWords } from "./decisions.ts";
import { faultOf, ModuleFault } from "./fault.ts";
import { type Answer, type InstanceSettings, ModuleInstance } from "./instance.ts";
import { ModuleLog } from "./log.ts";
import type { InstancePool } from "./pool.ts";
import type { ModuleSource, ModuleVersion } from "./source.ts";
import type { ModuleHook, ModuleLimits, OnError } from "./spec.ts";

/** How one stage wants the module to be run. */
export interface RunOptions {
  readonly hook: ModuleHook;
  readonly onError: OnError;
  /** Of one call; absent: what the limits say. */
  readonly fuel?: number | undefined;
}

/** What all modules at work share. */
export interface RunningDeps {
  readonly clocks: Clocks;
  readonly log: Log;
  readonly pool: InstancePool;
  readonly source: Pick<ModuleSource, "log">;
  /** A u32 for each instance's random numbers. */
  readonly seed: () => number;
  /** Hears that a revision was let alone because of its faults. */
  readonly onOpen?: (running: RunningModule) => void;
}

/** What an instance of a dry run begins with. */
export interface Bearings extends Omit<InstanceSettings, "log" | "usage"> {
  /** By which it is timed. */
  readonly real: Clock;
  /** How long ago the state was saved; undefined: there is none. */
  readonly stateAgeMs: number | undefined;
}

/** How often state is saved while events come, and how old it may be to be used after a fault. */
const SAVE_EVERY_MS = 5_000;
const STATE_AGE_MS = 10_000;

/** See the head of this file. */
export class RunningModule {
  readonly version: ModuleVersion;
  /** Moment of the service clock at which it was bound. */
  readonly since: number;
  readonly breaker: Breaker;
  readonly faults: FaultLog;
  /** What `intern` was told; numbers are the places in it, from 1. */
  readonly interned = new Map<string, number>();
  readonly #deps: RunningDeps;
  readonly #config: Uint8Array;
  readonly #log: ModuleLog;
  readonly #budget: Budget;
  readonly #counting: Counting = noModuleCounters();
  readonly #indices: number[] = [];
  #instance: ModuleInstance | undefined = undefined;
  #instanceBytes = 0;
  /** What was saved last, and when. */
  #state: Uint8Array | undefined = undefined;
  #stateAt = Number.NEGATIVE_INFINITY;
  /** Whether something runs within the module; after a call that was cut short, until the next one. */
  #within = false;
  #ended = false;

  /**
   * @param config JSON as UTF-8.
   * @param state Of the revision before.
   */
  constructor(version: ModuleVersion, config: Uint8Array, deps: RunningDeps, state?: Uint8Array) {
    const { clocks, source } = deps;
    this.version = version;
    this.#deps = deps;
    this.#config = config;
    this.since = clocks.service.now();
    this.breaker = new Breaker(clocks.service);
    this.faults = new FaultLog(clocks.service);
    this.#budget = new Budget(clocks.real);
    this.#log = new ModuleLog(clocks.service, version.spec.manifest.limits, (level, text) =>
      source.log(version.name, { level, text, version: version.version }),
    );
    this.#keep(state);
  }

  /** What was counted so far. */
  get counters(): ModuleCounters {
    const { lines, dropped } = this.#log;
    return {
      ...this.#counting,
      faults: { ...this.#counting.faults },
      openings: this.breaker.openings,
      logLines: lines,
      logDropped: dropped,
      live: this.#instance === undefined ? 0 : 1,
      memoryBytes: this.#instanceBytes,
    };
  }

  /**
   * Makes the instance now, so that whoever binds the module hears what is wrong with it. State that it cannot bear is left.
   *
   * @throws {SluiceError} `limit_reached` where there is no room for another.
   * @returns The fault of its start; it is counted.
   */
  start(): ModuleFault | undefined {
    this.#deps.pool.assertRoom();
    const hasState = this.#fresh() !== undefined;
    const fault = this.#guarded(() => void this.#ready());
    return fault !== undefined && hasState ? this.#guarded(() => void this.#ready()) : fault;
  }

  /** Decides every event of a batch. */
  decide(batch: ModuleBatch, options: RunOptions, decisions: Decisions): void {
    decisions.begin(batch);
    const word = onErrorWords[options.onError];
    this.#count(batch, decisions);
    let { records, count } = batch;
    let indices: readonly number[] | undefined;
    for (;;) {
      if (!this.breaker.allows()) {
        this.#counting.skipped += this.#letAlone(decisions, word);
        return;
      }
      if (!this.#budget.allows()) {
        this.#counting.throttled += this.#letAlone(decisions, word);
        return;
      }
      const fault = this.#attempt(records, count, batch.table, options, decisions, indices);
      if (fault === undefined) break;
      const first = decisions.firstOpen();
      if (first < batch.count) {
        decisions.set(first, word);
        this.#counting.failed++;
      }
      if (decisions.firstOpen() === batch.count) break;
      records = decisions.openRecords(this.#indices);
      indices = this.#indices;
      count = indices.length;
    }
    this.#counting.sinksOut += decisions.chosen;
  }

  /** The state as it is now, or was saved last where saving fails; undefined where there is none. */
  save(): Uint8Array | undefined {
    const instance = this.#instance;
    if (instance?.saves === true) this.#guarded(() => this.#saveFrom(instance));
    return this.#fresh();
  }

  /** What keeps it from being asked now, so that `onError` decides; undefined where nothing does. Looking changes nothing. */
  get rest(): { readonly cause: "resting" | "budget"; readonly text: string } | undefined {
    if (!this.breaker.allows()) return { cause: "resting", text: "It has failed too often, and is let alone" };
    if (!this.#budget.allows()) return { cause: "budget", text: "It has used up what it may compute in a second" };
    return undefined;
  }

  /** What an instance of a dry run begins with: nothing of it is shared with the one at work. */
  get bearings(): Bearings {
    const { clocks, seed } = this.#deps;
    const state = this.#state;
    return {
      clock: clocks.service,
      real: clocks.real,
      config: this.#config,
      seed: seed(),
      interned: new Map(this.interned),
      state,
      stateAgeMs: state && clocks.service.now() - this.#stateAt,
    };
  }

  /** Lets go of the instance; nothing is to be decided by this any more, unless it is started again. */
  end(): void {
    this.#ended = true;
    this.#discard();
  }

  #count(batch: ModuleBatch, decisions: Decisions): void {
    for (let index = 0; index < batch.count; index++) this.#counting.sinksIn += decisions.candidates(index);
  }

  /** Decides what waits without the module, which misses what changes meanwhile. */
  #letAlone(decisions: Decisions, word: number): number {
    this.#instance?.forgetTable();
    this.#counting.sinksOut += decisions.chosen;
    return decisions.setOpen(word);
  }

  /** One call with the events that wait. */
  #attempt(
    records: Uint8Array,
    count: number,
    table: SinkTable,
    { hook, fuel }: RunOptions,
    decisions: Decisions,
    indices: readonly number[] | undefined,
  ): ModuleFault | undefined {
    const { real } = this.#deps.clocks;
    const startedAt = real.now();
    const fuelBefore = this.#counting.fuel;
    const fault = this.#guarded(() => {
      const instance = this.#ready();
      this.#counting.calls++;
      this.#counting.events += count;
      const given = callFuel(this.version.spec.manifest.limits, count, fuel);
      const answer = instance.call(hook, records, count, table, given);
      const wrong = takeAnswer(answer, count, decisions, indices);
      this.#measure(instance);
      if (answer.fault !== undefined) throw answer.fault;
      if (wrong !== undefined) throw wrong;
      this.#assertFits();
      this.#saveSometimes(instance);
    });
    const ms = real.now() - startedAt;
    this.#counting.ns += ms * 1_000_000;
    this.#budget.spend(this.#counting.fuel - fuelBefore, ms);
    if (fault === undefined) this.breaker.succeeded();
    return fault;
  }

  /**
   * Runs something within the module. After a fault its instance is gone.
   *
   * @throws what is no fault of the module's. Where the host's own stack ends here that may cut anything short, so what was left
   *   half way is found out when it is run next.
   */
  #guarded(run: () => void): ModuleFault | undefined {
    if (this.#within)
      this.#failed(new ModuleFault("stack", "It was called where there was no stack left for its host"));
    this.#within = true;
    let fault: ModuleFault | undefined;
    try {
      run();
    } catch (error) {
      fault = error instanceof RangeError ? faultOf(error, 0) : (error as ModuleFault);
      if (!(fault instanceof ModuleFault)) throw error;
      this.#failed(fault);
    }
    this.#within = false;
    return fault;
  }

  #failed(fault: ModuleFault): void {
    const { name, version } = this.version;
    this.#discard();
    this.#counting.faults[fault.cause]++;
    if (this.faults.take(fault))
      this.#deps.log.warn("filter module failed", { filter: name, version, cause: fault.cause, text: fault.message });
    if (!this.breaker.failed()) return;
    this.#deps.log.warn("filter module is let alone", { filter: name, version, openings: this.breaker.openings });
    this.#deps.onOpen?.(this);
  }

  #ready(): ModuleInstance {
    if (this.#instance !== undefined) return this.#instance;
    if (this.#ended) throw new ModuleFault("init", "It is bound no more");
    const state = this.#fresh();
    // Unless all goes well it is not tried again: it may be the state that the module cannot bear.
    this.#state = undefined;
    const { clocks, seed } = this.#deps;
    const { module, spec } = this.version;
    const instance = ModuleInstance.create(module, spec, {
      clock: clocks.service,
      config: this.#config,
      seed: seed(),
      log: this.#log,
      usage: this.#counting,
      interned: this.interned,
      state,
    });
    this.#state = state;
    this.#instance = instance;
    this.#deps.pool.instances++;
    this.#counting.instances++;
    if (instance.restored === 0) this.#counting.restored++;
    this.#measure(instance);
    this.#assertFits();
    return instance;
  }

  /**
   * To be called whenever its memory may have grown: so the one that takes too much fails, and not whoever is asked next.
   *
   * @throws {ModuleFault} `memory`.
   */
  #assertFits(): void {
    if (this.#deps.pool.overfull)
      throw new ModuleFault("memory", `Its memory of ${this.#instanceBytes} bytes is too much for this host`);
  }

  #measure({ memoryBytes }: { readonly memoryBytes: number }): void {
    this.#deps.pool.bytes += memoryBytes - this.#instanceBytes;
    this.#instanceBytes = memoryBytes;
  }

  #discard(): void {
    if (this.#instance === undefined) return;
    this.#instance = undefined;
    this.#deps.pool.instances--;
    this.#measure({ memoryBytes: 0 });
  }

  #saveSometimes(instance: ModuleInstance): void {
    if (instance.saves && this.#deps.clocks.service.now() - this.#stateAt >= SAVE_EVERY_MS) this.#saveFrom(instance);
  }

  #saveFrom(instance: ModuleInstance): void {
    const state = instance.save();
    this.#measure(instance);
    this.#assertFits();
    this.#keep(state);
  }

  #keep(state: Uint8Array | undefined): void {
    if (state === undefined) return;
    this.#state = state;
    this.#stateAt = this.#deps.clocks.service.now();
  }

  /** What was saved, unless that is too long ago to be true. */
  #fresh(): Uint8Array | undefined {
    return this.#deps.clocks.service.now() - this.#stateAt < STATE_AGE_MS ? this.#state : undefined;
  }
}

/** Fuel of a call with so many events, or as much as the binding says. */
export function callFuel({ callFuel, eventFuel, callFuelMax }: ModuleLimits, count: number, asked?: number): number {
  return Math.min(callFuelMax, asked ?? callFuel + eventFuel * count);
}

/** Copies the decisions out that make sense. @returns The first that does not, where the call itself went well. */
export function takeAnswer(
  { words, length, fault }: Answer,
  count: number,
  decisions: Decisions,
  indices: readonly number[] | undefined,
): ModuleFault | undefined {
  let wrong: ModuleFault | undefined;
  for (let place = 0; place < Math.min(count, words.length); place++) {
    const index = indices === undefined ? place : (indices[place] as number);
    const text = decisions.take(index, words, count, length, place);
    if (text !== undefined && fault === undefined)
      wrong ??= new ModuleFault("bad-output", `Its decision of event ${place} of ${count} is none: ${text}`);
  }
  return wrong;
}
