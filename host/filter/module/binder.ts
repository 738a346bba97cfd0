/**
 * All modules of a host at work: which stands where, and what becomes of those that follow a name when it gets another
 * revision.
 *
 * A switch happens between batches: what waits is decided first, then the core is given another handle, so every event is
 * decided by exactly one revision. State goes from the one to the next.
 */
import type { Clocks } from "../../clock.ts";
import { isStackEnd } from "../../core/instance.ts";
import { SluiceError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { ModuleBinding } from "../route.ts";
import type { Stage } from "../schema.ts";
import { KIND_ALL, type ModuleBatch } from "./batch.ts";
import { Budget } from "./budget.ts";
import { ModuleTotals } from "./counters.ts";
import { Decisions, onErrorWords } from "./decisions.ts";
import { InstancePool } from "./pool.ts";
import { type RunningDeps, RunningModule, type RunOptions } from "./running.ts";
import { type Asked, askScratch } from "./scratch.ts";
import { type Deciders, Seat, type Target } from "./seat.ts";
import type { ModuleSource, ModuleVersion } from "./source.ts";

/** How long after a switch the revision before is kept, and comes back where the new one fails. */
const ROLLBACK_MS = 60_000;

/** What a binder needs of its host. */
export interface BinderSettings {
  /** The present core. */
  readonly deciders: () => Deciders;
  readonly source: ModuleSource;
  readonly clocks: Clocks;
  readonly log: Log;
  /** Has everything decided that waits for a module. */
  readonly settle: () => void;
  readonly pool?: InstancePool;
  /** A u32 that cannot be guessed. */
  readonly seed: () => number;
}

/** A batch, and whom the core asks about it. */
export interface BoundBatch extends ModuleBatch {
  readonly handle: number;
  readonly stage: Stage;
}

/** A module bound to a stage. */
export interface BoundModule {
  /** It decides no more, from the next event on. */
  end(): void;
}

/** A module that has been started for a stage, and decides nothing there yet. */
export interface PreparedModule {
  /** Has it decide from the next event on. @throws {SluiceError} `store_full`, `limit_reached`, `too_many_sinks`. */
  bind(): BoundModule;
  /** No more of it is needed than what was bound. */
  end(): void;
}

/** One binding, and the seat it has now. */
interface Use extends BoundModule {
  readonly binding: ModuleBinding;
  readonly stage: Stage;
  readonly target: Target;
  seat: Seat;
  /** The seat before the last switch, while there is a way back. */
  previous: Seat | undefined;
  /** Stops the timer that gives that one up. */
  keep: () => void;
  switchedAt: number;
}

/** See the head of this file. */
export class Binder {
  readonly pool: InstancePool;
  /** Revisions of all modules that were bound, whether or not they still are. */
  readonly totals = new ModuleTotals();
  readonly #settings: BinderSettings;
  readonly #deps: RunningDeps;
  readonly #decisions = new Decisions();
  /** Of all dry runs together. */
  readonly #dryBudget: Budget;
  readonly #seats = new Map<string, Seat>();
  readonly #byHandle = new Map<number, Seat>();
  /** What decides at each place: by target and stage. */
  readonly #uses = new Map<string, Use>();
  /** Seats that are about to be taken, by how many. */
  readonly #preparing = new Map<Seat, number>();
  /** Modules whose new revision failed; it is taken back once no batch is under way. */
  readonly #failed = new Set<RunningModule>();
  #rollingBack = false;

  constructor(settings: BinderSettings) {
    this.#settings = settings;
    this.pool = settings.pool ?? new InstancePool();
    const { clocks, log, source, seed } = settings;
    this.#dryBudget = new Budget(clocks.real);
    this.#deps = { clocks, log, source, seed, pool: this.pool, onOpen: (running) => void this.#failed.add(running) };
    source.onRevision((name) => this.#switchAll(name));
  }

  /** Whether anything is bound. */
  get isUsed(): boolean {
    return this.#uses.size > 0;
  }

  /** How many bindings, those of members included, use a revision now. */
  uses(name: string, digest: string): number {
    let count = 0;
    for (const { seat } of this.#uses.values()) {
      const { version } = seat.running;
      if (version.name === name && version.digest === digest) count++;
    }
    return count;
  }

  /**
   * Has a module decide about the events of a channel, from the next one on.
   *
   * @param channel Its number in the present core.
   * @throws {SluiceError} as {@link ModuleSource.bindable}; `invalid_value` where the module does not start; `limit_reached`, `store_full`,
   *   `too_many_sinks`. Nothing has changed then.
   */
  bind(channel: number, stage: Stage, binding: ModuleBinding): BoundModule {
    return this.#bind({ channel, member: 0 }, stage, binding);
  }

  /** The same for the events of one source; `member`: its number. */
  bindMember(channel: number, member: number, stage: Stage, binding: ModuleBinding): BoundModule {
    return this.#bind({ channel, member }, stage, binding);
  }

  /** Starts a module for a channel, which decides nothing yet. @throws {SluiceError} as {@link Binder.bind}. */
  prepare(channel: number, stage: Stage, binding: ModuleBinding): PreparedModule {
    return this.#prepare({ channel, member: 0 }, stage, binding);
  }

  #bind(target: Target, stage: Stage, binding: ModuleBinding): BoundModule {
    const prepared = this.#prepare(target, stage, binding);
    try {
      return prepared.bind();
    } finally {
      prepared.end();
    }
  }

  #prepare(target: Target, stage: Stage, binding: ModuleBinding): PreparedModule {
    const version = this.#settings.source.bindable(binding.module, binding.digest, stage);
    this.#settings.settle();
    const before = this.#uses.get(placeOf(target, stage));
    const isSame = before?.binding.module === binding.module;
    const seat = this.#seatFor(target, binding, version, isSame ? before?.seat : undefined);
    this.#preparing.set(seat, (this.#preparing.get(seat) ?? 0) + 1);
    let ended = false;
    return {
      bind: () => this.#take(target, stage, binding, seat),
      end: () => {
        if (ended) return;
        ended = true;
        const rest = (this.#preparing.get(seat) ?? 1) - 1;
        if (rest > 0) this.#preparing.set(seat, rest);
        else this.#preparing.delete(seat);
        this.#tidy(seat);
      },
    };
  }

  /** Puts a seat at a place, and whatever was there away. */
  #take(target: Target, stage: Stage, binding: ModuleBinding, seat: Seat): BoundModule {
    const place = placeOf(target, stage);
    const before = this.#uses.get(place);
    this.#attach(seat, stage);
    const use: Use = {
      binding,
      stage,
      target,
      seat,
      previous: undefined,
      keep: () => {},
      switchedAt: Number.NEGATIVE_INFINITY,
      end: () => this.#end(use),
    };
    this.#uses.set(place, use);
    if (before !== undefined) this.#leave(before);
    return use;
  }

  /**
   * Decides every event of a batch.
   *
   * @returns The decisions, valid until the next call: `used` of its `words`.
   */
  decide(batch: BoundBatch): Decisions {
    const seat = this.#byHandle.get(batch.handle);
    const use = seat && this.#uses.get(placeOf(seat.target, batch.stage));
    const decisions = this.#decisions;
    if (seat === undefined || use === undefined) {
      decisions.begin(batch);
      decisions.setOpen(KIND_ALL);
    } else this.#decideBy(seat, batch, optionsOf(use, seat, batch.stage));
    return decisions;
  }

  /** @throws {RangeError} where the stack ends: nothing is decided, the batch comes again. */
  #decideBy(seat: Seat, batch: BoundBatch, options: RunOptions): void {
    const decisions = this.#decisions;
    try {
      seat.running.decide(batch, options, decisions);
      seat.tellInterned();
    } catch (error) {
      if (isStackEnd(error)) throw error;
      // A fault of the host's own. It must not let through what the module would have dropped.
      decisions.setOpen(onErrorWords[options.onError]);
      this.#settings.log.error("filter module could not be asked", { filter: seat.running.version.name, error });
    }
  }

  /** Has the module of a batch asked in a dry run, which it does not notice; undefined where none is bound for it. */
  explain(batch: BoundBatch): Asked | undefined {
    const seat = this.#byHandle.get(batch.handle);
    const use = seat && this.#uses.get(placeOf(seat.target, batch.stage));
    if (seat === undefined || use === undefined) return undefined;
    const deps = { pool: this.pool, budget: this.#dryBudget };
    return askScratch(seat.running, batch, optionsOf(use, seat, batch.stage), deps);
  }

  /** To be called when no batch is under way: takes revisions back that failed soon after they were given. */
  rollBack(): void {
    if (this.#failed.size === 0) return;
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const running of failed) {
      if (!this.#isNew(running)) continue;
      const { name, version } = running.version;
      const reason = running.faults.records[0]?.text ?? "it failed";
      this.#rollingBack = true;
      try {
        const back = this.#settings.source.rollback(name, reason);
        if (back === undefined) continue;
        this.totals.of(running.version).rollbacks++;
        this.#settings.log.warn("filter module rolled back", { filter: name, from: version, to: back.version, reason });
      } finally {
        this.#rollingBack = false;
      }
    }
  }

  /** Whether a handle of the core's is a module's. */
  knows(handle: number): boolean {
    return this.#byHandle.has(handle);
  }

  /** Ends everything: a new core knows nothing of all this. */
  clear(): void {
    for (const use of this.#uses.values()) use.keep();
    for (const { running } of this.#byHandle.values()) {
      this.totals.retire(running);
      running.end();
    }
    this.#seats.clear();
    this.#byHandle.clear();
    this.#uses.clear();
    this.#failed.clear();
    this.#preparing.clear();
  }

  /** Whether a revision is one that a binding which follows its name was given not long ago. */
  #isNew(running: RunningModule): boolean {
    const now = this.#settings.clocks.service.now();
    return [...this.#uses.values()].some(
      ({ seat, previous, switchedAt }) =>
        seat.running === running && previous !== undefined && now - switchedAt < ROLLBACK_MS,
    );
  }

  /** All that follow a name get the revision that is current now. */
  #switchAll(name: string): void {
    for (const use of this.#uses.values()) {
      if (use.binding.module !== name || use.binding.digest !== undefined) continue;
      try {
        this.#switch(use);
      } catch (error) {
        this.#settings.log.error("filter module stays as it is", { filter: name, channel: use.target.channel, error });
      }
    }
  }

  #switch(use: Use): void {
    const version = this.#settings.source.bindable(use.binding.module, undefined, use.stage);
    const before = use.seat;
    if (before.running.version.digest === version.digest) return;
    this.#settings.settle();
    const back = this.#rollingBack && use.previous?.running.version.digest === version.digest;
    const seat = back ? (use.previous as Seat) : this.#seatFor(use.target, use.binding, version, before);
    this.#attach(seat, use.stage);
    this.#forgetPrevious(use);
    use.seat = seat;
    use.switchedAt = this.#settings.clocks.service.now();
    this.totals.of(version).switches++;
    // Nobody goes back to what was just taken back.
    if (!back) {
      use.previous = before;
      before.kept++;
      use.keep = this.#settings.clocks.service.setTimer(() => this.#forgetPrevious(use), ROLLBACK_MS);
    }
    before.stages.delete(use.stage);
    this.#tidy(before);
  }

  /** The seat of a revision with a configuration; a new one begins with the state of `before`. */
  #seatFor(target: Target, binding: ModuleBinding, version: ModuleVersion, before: Seat | undefined): Seat {
    const config = configOf(binding, version);
    const key = [target.channel, target.member, version.name, version.digest, new TextDecoder().decode(config)].join(
      "\n",
    );
    const known = this.#seats.get(key);
    // One that is only kept has the state of another time.
    if (known !== undefined && (known.stages.size > 0 || this.#preparing.has(known))) return known;
    const running = new RunningModule(version, config, this.#deps, before?.running.save());
    const fault = running.start();
    if (fault !== undefined) {
      this.totals.retire(running);
      const code = fault.cause === "memory" ? "limit_reached" : "invalid_value";
      throw new SluiceError(code, `Cannot bind "${version.name}", it does not start: ${fault.message}`, {
        value: version.name,
      });
    }
    try {
      const seat = new Seat(this.#settings.deciders(), key, target, running);
      this.totals.add(running);
      this.#seats.set(key, seat);
      this.#byHandle.set(seat.handle, seat);
      return seat;
    } catch (error) {
      running.end();
      throw error;
    }
  }

  #attach(seat: Seat, stage: Stage): void {
    try {
      this.#settings.deciders().bind(seat.target, stage, seat.handle);
    } catch (error) {
      this.#tidy(seat);
      throw error;
    }
    seat.stages.add(stage);
  }

  #end(use: Use): void {
    const place = placeOf(use.target, use.stage);
    // Otherwise another has taken its place already.
    if (this.#uses.get(place) !== use) return;
    this.#settings.settle();
    this.#uses.delete(place);
    this.#settings.deciders().bind(use.target, use.stage, 0);
    this.#leave(use);
  }

  /** A binding that decides no more lets go of its seats. */
  #leave(use: Use): void {
    this.#forgetPrevious(use);
    // The binding that follows may have the same.
    if (this.#uses.get(placeOf(use.target, use.stage))?.seat !== use.seat) use.seat.stages.delete(use.stage);
    this.#tidy(use.seat);
  }

  #forgetPrevious(use: Use): void {
    const { previous } = use;
    if (previous === undefined) return;
    use.keep();
    use.previous = undefined;
    previous.kept--;
    this.#tidy(previous);
  }

  #tidy(seat: Seat): void {
    if (seat.isUsed || this.#preparing.has(seat) || this.#byHandle.get(seat.handle) !== seat) return;
    this.totals.retire(seat.running);
    if (this.#seats.get(seat.key) === seat) this.#seats.delete(seat.key);
    this.#byHandle.delete(seat.handle);
    seat.end();
  }
}

/** What `sluice_init` gets: JSON as UTF-8. */
function configOf({ config }: ModuleBinding, { spec }: ModuleVersion): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(config ?? spec.manifest.config));
}

function optionsOf({ binding }: Use, { running }: Seat, hook: Stage): RunOptions {
  return { hook, onError: binding.onError ?? running.version.spec.manifest.onError, fuel: binding.fuel };
}

function placeOf({ channel, member }: Target, stage: Stage): string {
  return `${channel} ${member} ${stage}`;
}
