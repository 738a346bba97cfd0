/**
 * The conditions of this host: names and definitions here, values in cells of the core.
 *
 * The definitions outlive a core: after a restart every cell is made again, with the value that it had.
 */
import { CONDITION_LEVELS_MAX } from "../../core-wasm/condition/abi.ts";
import { type Core, type CoreHolder, isTrap, placeScratch, placeText } from "../core/instance.ts";
import { isSluiceError, SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Feed } from "./feed.ts";
import { createFeed, type FeedContext } from "./feeds.ts";
import { assertKinds, definitionFrom } from "./kinds.ts";
import { Leases } from "./leases.ts";
import { assertMonitors } from "./monitor.ts";
import { type AskedCondition, compileOver, conditionMissing, type ReadOver, readOver } from "./over.ts";
import { readValue } from "./read-value.ts";
import { builtInKinds, type ConditionDefinition, type ConditionValue } from "./schema.ts";

/** A condition as others see it. */
export interface ConditionView {
  readonly name: string;
  readonly definition: ConditionDefinition;
  /** The contract that it comes and goes with, where it is one of a contract's own. */
  readonly owner?: string | undefined;
}

/** A condition and its value. */
export interface ConditionReading extends ConditionView {
  readonly value: ConditionValue;
  /** When it was written last, ms on the service clock; of an expression, when one of its inputs was. */
  readonly at: number;
  /** Sessions that keep it; undefined where it has no lease. */
  readonly holders: number | undefined;
  /** Why it could not be looked at of late; its value is as old as `at` says then. */
  readonly problem: string | undefined;
}

/** What is to become of a condition. */
export type ConditionChange = { readonly value: boolean | number | string } | { readonly add: number };

/** What happened to a condition's definition, told after it did. */
export interface ConditionDefined {
  readonly type: "created" | "updated" | "removed";
  readonly condition: ConditionView;
}

/** What {@link Conditions} needs. */
export interface ConditionsSettings extends FeedContext {
  readonly holder: CoreHolder;
  /** Deals with a trap of the core. Returns what the caller is to hear. */
  readonly onTrap: (error: Error) => SluiceError;
}

interface Condition extends ConditionView {
  definition: ConditionDefinition;
  number: number;
  feed: Feed;
  /** What was written last; an expression's value is in the core alone. */
  written: ConditionValue;
  at: number;
  /** Of an expression: names of its inputs, in the order of their indexes, and the program. */
  inputs: readonly string[];
  program: Uint8Array<ArrayBuffer> | undefined;
}

/** All conditions of one host. Every change is in the core when the call returns. */
export class Conditions {
  readonly #settings: ConditionsSettings;
  readonly #byName = new Map<string, Condition>();
  readonly #listeners = new Set<(change: ConditionDefined) => void>();
  /** Hears that something was written. */
  #onWrite: () => void = () => {};
  readonly #leases: Leases;
  /** Who beside other conditions depends on one. */
  #usedBy: (name: string) => readonly string[] = () => [];

  constructor(settings: ConditionsSettings) {
    assertKinds(settings.kinds ?? {});
    this.#settings = settings;
    this.#leases = new Leases(settings.clock, (name) => this.#expire(name));
  }

  /** How many there are. */
  get count(): number {
    return this.#byName.size;
  }

  /** All conditions, in the order of their creation. */
  list(): ConditionView[] {
    return [...this.#byName.values()];
  }

  get(name: string): ConditionView | undefined {
    return this.#byName.get(name);
  }

  /** A condition with its value. @throws {SluiceError} `condition_unknown`. */
  read(name: string): ConditionReading {
    const condition = this.#known(name);
    const isWritten = condition.program === undefined;
    const value = isWritten ? condition.written : this.#guarded(() => this.#readCell(condition));
    const holders = this.#leases.holders(name);
    const { definition, feed } = condition;
    return { name, definition, value, at: this.#writtenAt(condition), holders, problem: feed.problem?.() };
  }

  /** Reads a condition resource of a kind that this host has, its application's included. @throws {SluiceError} as definitionFrom(). */
  definitionFrom(value: unknown, name: string): ConditionDefinition {
    return definitionFrom(this.#settings.kinds ?? {}, value, name);
  }

  /**
   * Creates a condition, or replaces one that is defined otherwise; one that is defined so already keeps its value.
   *
   * @param owner The contract that it is one of.
   * @returns Whether it is new.
   * @throws {SluiceError} `limit_reached`, `not_supported`, `forbidden`; of an expression `expression` with the place of what cannot be,
   *   `contradiction` where it would follow from itself; `condition_in_use` where somebody else owns it.
   */
  put(name: string, definition: ConditionDefinition, owner?: string): boolean {
    const present = this.#byName.get(name);
    if (present !== undefined && present.owner !== owner)
      throw new SluiceError("condition_in_use", `Cannot replace "${name}", it is one of contract "${present.owner}"`, {
        value: name,
      });
    if (present !== undefined && JSON.stringify(present.definition) === JSON.stringify(definition)) {
      this.#leases.renew(name);
      return false;
    }
    if (present === undefined && this.count >= limits.conditions) throw tooMany(name, this.count);
    if (definition.kind === "monitor") assertMonitors(name, this.#monitorsBeside(present));
    const over = this.#over(name, definition);
    this.#guarded(() => this.#define(name, definition, over, present, owner));
    this.#leases.define(name, definition.leaseMs);
    return present === undefined;
  }

  /**
   * Removes a condition.
   *
   * @returns Whether it was there.
   * @throws {SluiceError} `condition_in_use` where others depend on it.
   */
  remove(name: string): boolean {
    const condition = this.#byName.get(name);
    if (condition === undefined) return false;
    const users = this.usersOf(name);
    if (users.length > 0) {
      const shown = users.slice(0, 4).join(", ");
      throw new SluiceError("condition_in_use", `Cannot remove "${name}", ${shown} depends on it`, {
        value: name,
        limit: users.slice(0, 16),
      });
    }
    condition.feed.end?.();
    this.#leases.end(name);
    this.#byName.delete(name);
    this.#guarded(() => this.#core.exports.conditionRemove(condition.number));
    this.#tell("removed", condition);
    return true;
  }

  /**
   * Changes conditions: all of them, or none where one cannot be. Nobody sees one changed and another not.
   *
   * @param session Number of the session that does; it keeps conditions with a lease from then on, until release().
   * @throws {SluiceError} `condition_unknown`; `invalid_value` for what a condition cannot hold, or where nobody writes it;
   *   `limit_reached` for more than limits.conditionsChanged.
   */
  change(changes: ReadonlyArray<readonly [name: string, change: ConditionChange]>, session?: number): void {
    if (changes.length > limits.conditionsChanged)
      throw new SluiceError(
        "limit_reached",
        `Cannot change ${changes.length} conditions at once, limit is ${limits.conditionsChanged}`,
        { value: changes.length, limit: limits.conditionsChanged },
      );
    const steps = changes.map(([name, change]) => stepOf(this.#known(name), change));
    for (const step of steps) step();
    for (const [name] of changes) this.#leases.renew(name, session);
  }

  /** A session is over: conditions with a lease that nobody else keeps go when that ends. */
  release(session: number): void {
    this.#leases.release(session);
  }

  /** Makes every cell again in a new core. */
  restore(): void {
    const { exports } = this.#core;
    for (const condition of this.#byName.values()) condition.number = exports.conditionAdd();
    for (const condition of this.#byName.values()) writeCell(this.#core, condition.number, condition.written);
    for (const condition of this.#byName.values()) this.#express(condition);
    this.#leases.abandon();
  }

  /** Calls back after every change of a definition. Returns what ends that. */
  onChange(listener: (change: ConditionDefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Has somebody hear of every write, often many in one turn. */
  onWrite(hear: () => void): void {
    this.#onWrite = hear;
  }

  /** Has somebody asked who else depends on a condition, before it is removed. */
  usedBy(users: (name: string) => readonly string[]): void {
    this.#usedBy = users;
  }

  /** The moment on the service clock, ms. */
  now(): number {
    return this.#settings.clock.now();
  }

  /** The number of its cell in the present core; 0 where there is no such condition. */
  numberOf(name: string): number {
    return this.#byName.get(name)?.number ?? 0;
  }

  /** Makes a cell that nobody else knows, for a trial; it is given back by its number. @throws {SluiceError} `limit_reached`. */
  addCell(value: ConditionValue): number {
    const number = this.#guarded(() => this.#core.exports.conditionAdd());
    if (number === 0) throw tooMany("", this.count);
    this.#guarded(() => writeCell(this.#core, number, value));
    return number;
  }

  /** What a condition would have at once if it were made now; undefined for one that follows from others. Nothing is read for it. */
  firstValue(definition: ConditionDefinition): ConditionValue {
    if (definition.kind === "monitor" || !builtInKinds.includes(definition.kind)) return undefined;
    let first: ConditionValue;
    const feed = createFeed(
      definition,
      (value) => {
        first = value;
      },
      this.#settings,
    );
    feed.end?.();
    return first;
  }

  /** Gives such a cell back. */
  removeCell(number: number): void {
    this.#core.exports.conditionRemove(number);
  }

  /** Names of conditions that follow from one, and of whatever else depends on it. */
  usersOf(name: string): string[] {
    return [...this.#byName.values()]
      .filter(({ inputs }) => inputs.includes(name))
      .map((user) => user.name)
      .concat(this.#usedBy(name));
  }

  /** Stops all timers. */
  close(): void {
    this.#leases.close();
    for (const { feed } of this.#byName.values()) feed.end?.();
  }

  /** Nobody keeps a condition any more. */
  #expire(name: string): void {
    const condition = this.#byName.get(name);
    if (condition === undefined) return;
    try {
      if (this.usersOf(name).length === 0) this.remove(name);
      else if (condition.program === undefined)
        this.#guarded(() => this.#define(name, condition.definition, undefined, condition, condition.owner));
    } catch (error) {
      // A timer has nobody to tell; what failed is looked at again when the lease ends once more.
      if (!isSluiceError(error)) throw error;
    }
  }

  get #core(): Core {
    return this.#settings.holder.core;
  }

  #known(name: string): Condition {
    const condition = this.#byName.get(name);
    if (condition !== undefined) return condition;
    const shown = name.slice(0, 128);
    throw new SluiceError("condition_unknown", `There is no condition "${shown}"`, { value: shown });
  }

  #monitorsBeside(present: Condition | undefined): number {
    let count = 0;
    for (const one of this.#byName.values()) if (one !== present && one.definition.kind === "monitor") count++;
    return count;
  }

  /** Of an expression: what it asks for, checked to be there and not to follow from it. */
  #over(name: string, definition: ConditionDefinition): { read: ReadOver; inputs: string[] } | undefined {
    if (definition.kind !== "expression") return undefined;
    const { expression, use = {} } = definition;
    const read = readOver(expression);
    const inputs = read.asked.map((asked) => {
      const input = Object.hasOwn(use, asked.name) ? (use[asked.name] as string) : asked.name;
      const known = this.#byName.get(input);
      if (input === name || (known !== undefined && this.#follows(known, name)))
        throw new SluiceError("contradiction", `Cannot define "${name}" by "${input}", that follows from it itself`, {
          value: input,
          limit: name,
        });
      if (known === undefined) throw conditionMissing(expression, { ...asked, name: input } satisfies AskedCondition);
      return input;
    });
    return { read, inputs };
  }

  /** Whether a condition follows from one of that name; circles are refused, so this ends. */
  #follows(from: Condition, name: string, seen = new Set<string>()): boolean {
    return from.inputs.some((input) => {
      if (input === name) return true;
      if (seen.has(input)) return false;
      seen.add(input);
      const next = this.#byName.get(input);
      return next !== undefined && this.#follows(next, name, seen);
    });
  }

  #define(
    name: string,
    definition: ConditionDefinition,
    over: { read: ReadOver; inputs: string[] } | undefined,
    present: Condition | undefined,
    owner: string | undefined,
  ): void {
    const { exports } = this.#core;
    const number = present?.number ?? exports.conditionAdd();
    if (number === 0) throw tooMany(name, this.count);
    const made: Condition = {
      name,
      definition,
      owner,
      number,
      feed: {},
      written: undefined,
      at: this.#settings.clock.now(),
      inputs: over?.inputs ?? [],
      program: over && compileOver(over.read, indexesOf(over.read)),
    };
    try {
      this.#express(made);
      made.feed = createFeed(definition, (value) => this.#write(made, value), this.#settings);
    } catch (error) {
      // What was there stays as it was.
      if (present === undefined) exports.conditionRemove(number);
      else {
        this.#express(present);
        writeCell(this.#core, number, present.written);
      }
      throw error;
    }
    present?.feed.end?.();
    this.#byName.set(name, made);
    this.#onWrite();
    this.#tell(present === undefined ? "created" : "updated", made);
  }

  /** Tells the core what an expression follows from, or that a condition is none. */
  #express({ name, number, program, inputs }: Condition): void {
    const core = this.#core;
    const { exports } = core;
    if (program === undefined) {
      exports.conditionExpression(number, 0, 0, 0);
      return;
    }
    const expression = exports.expressionAdd(placeScratch(core, program), program.length);
    const numbers = Uint32Array.from(inputs, (input) => this.#byName.get(input)?.number ?? 0);
    const at = placeScratch(core, new Uint8Array(numbers.buffer));
    if (expression !== 0 && exports.conditionExpression(number, expression, at, numbers.length) === 1) return;
    exports.expressionRelease(expression);
    throw new SluiceError(
      "limit_reached",
      `Cannot define "${name}", expressions stand more than ${CONDITION_LEVELS_MAX} above one another, or memory is used up`,
      { value: name, limit: CONDITION_LEVELS_MAX },
    );
  }

  #write(condition: Condition, value: ConditionValue): void {
    condition.written = value;
    condition.at = this.#settings.clock.now();
    this.#onWrite();
    try {
      writeCell(this.#core, condition.number, value);
    } catch (error) {
      if (!isTrap(error)) throw error;
      // The next core has been given what was written, and timers have nobody to tell.
      this.#settings.onTrap(error);
    }
  }

  #readCell({ number }: Condition): ConditionValue {
    this.#core.exports.conditionRead(number);
    return readValue(this.#core);
  }

  #writtenAt(condition: Condition, seen = new Set<Condition>()): number {
    let { at } = condition;
    for (const input of condition.inputs) {
      const from = this.#byName.get(input);
      if (from === undefined || seen.has(from)) continue;
      seen.add(from);
      at = Math.max(at, this.#writtenAt(from, seen));
    }
    return at;
  }

  #guarded<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      throw isTrap(error) ? this.#settings.onTrap(error) : error;
    }
  }

  #tell(type: ConditionDefined["type"], condition: ConditionView): void {
    for (const listener of this.#listeners) listener({ type, condition });
  }
}

/** What carries a change out, once it is known that it can be. */
function stepOf({ name, definition, feed }: Condition, change: ConditionChange): () => void {
  if ("add" in change) {
    const { add } = feed;
    if (add !== undefined) {
      const most = limits.conditionAmount;
      assertNumber(name, change.add, most);
      return () => add(change.add);
    }
  } else {
    const { put, assertTakes } = feed;
    if (typeof change.value === "number") assertNumber(name, change.value, Number.MAX_VALUE);
    assertTakes?.(change.value);
    if (put !== undefined) return () => put(change.value);
  }
  const verb = "add" in change ? "add to" : "set";
  const [value] = Object.values(change);
  throw new SluiceError("invalid_value", `Cannot ${verb} "${name}", a condition of kind "${definition.kind}"`, {
    value,
    limit: definition.kind,
  });
}

/** Binary frames can say numbers that are none, and sums must not become so. */
function assertNumber(name: string, value: number, most: number): void {
  if (Math.abs(value) <= most) return;
  throw new SluiceError("invalid_value", `Cannot take ${value} for "${name}", it must be a number within ±${most}`, {
    value: String(value),
    limit: most,
  });
}

function indexesOf({ asked }: ReadOver): Map<string, number> {
  return new Map(asked.map(({ name }, index) => [name, index]));
}

function writeCell(core: Core, number: number, value: ConditionValue): void {
  const { exports } = core;
  if (typeof value === "number") exports.conditionNumber(number, value);
  else if (typeof value === "boolean") exports.conditionBoolean(number, value ? 1 : 0);
  else if (value === undefined) exports.conditionMissing(number);
  else {
    const { at, bytes } = placeText(core, value);
    exports.conditionText(number, at, bytes);
  }
}

function tooMany(name: string, count: number): SluiceError {
  return new SluiceError(
    "limit_reached",
    `Cannot create condition "${name}", this host has ${count}, limit is ${limits.conditions}`,
    { value: name, limit: limits.conditions },
  );
}
