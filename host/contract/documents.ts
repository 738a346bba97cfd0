/**
 * The contracts of this host as they were written. Whatever changes them goes through here: bases are resolved, conditions of
 * their own come and go with them, and contracts.ts gets what follows from that.
 *
 * A change is whole or nothing: where one of the contracts that extend a replaced one could not be, none is replaced.
 */
import type { Conditions } from "../condition/conditions.ts";
import type { ConditionDefinition } from "../condition/schema.ts";
import { isSluiceError, SluiceError } from "../errors.ts";
import { compileContract } from "./compile.ts";
import type { Contracts } from "./contracts.ts";
import type { ContractDocument } from "./document.ts";
import { ContractProblems } from "./problems.ts";
import { type ResolvedContract, resolveDocument } from "./resolve.ts";

/** What happened to a contract, told after it did. */
export interface ContractWritten {
  readonly type: "created" | "updated" | "removed";
  readonly name: string;
  readonly document: ContractDocument;
}

interface Written {
  readonly document: ContractDocument;
  readonly resolved: ResolvedContract;
}

/** What {@link ContractDocuments} stands upon. */
export interface DocumentsSettings {
  readonly contracts: Contracts;
  readonly conditions: Conditions;
}

/** See the head of this file. */
export class ContractDocuments {
  readonly #contracts: Contracts;
  readonly #conditions: Conditions;
  readonly #byName = new Map<string, Written>();
  readonly #listeners = new Set<(change: ContractWritten) => void>();
  /** Documents that are about to be put, where several come at once. */
  #coming: ReadonlyMap<string, ContractDocument> = new Map();

  constructor({ contracts, conditions }: DocumentsSettings) {
    this.#contracts = contracts;
    this.#conditions = conditions;
  }

  /** A contract as it was written; undefined where there is none. */
  get(name: string): ContractDocument | undefined {
    return this.#byName.get(name)?.document;
  }

  /** What is said of a contract beside its state: what its bases bring, and what may be meant otherwise. */
  resolved(name: string): Pick<ResolvedContract, "definition" | "warnings"> | undefined {
    return this.#byName.get(name)?.resolved;
  }

  /**
   * Creates or replaces a contract, with its own conditions; those that are defined as before keep their values. What extends it is
   * made anew.
   *
   * @returns Whether it is new.
   * @throws {ContractError} as resolveDocument() and compileContract(). {SluiceError} `contract_in_use` where one that extends it could
   *   not be then; `condition_in_use` for a condition of its own whose name another has; `limit_reached`.
   */
  put(name: string, document: ContractDocument): boolean {
    const resolved = this.#resolve(name, document);
    const derived = this.#above(name).map((above): [string, Written] => [above, this.#anew(above, name, document)]);
    const created = this.#give(name, { document, resolved });
    for (const [above, written] of derived) this.#give(above, written);
    return created;
  }

  /**
   * Removes a contract and its own conditions.
   *
   * @returns Whether it was there.
   * @throws {SluiceError} `contract_in_use` where others extend it; `condition_in_use` where others ask for a condition of its own.
   */
  remove(name: string): boolean {
    const written = this.#byName.get(name);
    if (written === undefined) return false;
    const above = this.#above(name);
    if (above.length > 0)
      throw inUse(`Cannot remove "${name}", ${above.slice(0, 4).join(", ")} extends it`, name, above);
    this.#assertUnused(name, [...written.resolved.own.keys()]);
    this.#contracts.remove(name);
    this.#byName.delete(name);
    this.#drop([...written.resolved.own.keys()]);
    this.#tell("removed", name, written.document);
    return true;
  }

  /**
   * Puts several at once, as at the start: each may extend one that comes behind it.
   *
   * @throws What {@link put} throws, with the contract it is about.
   */
  putAll(documents: ReadonlyMap<string, ContractDocument>, failed: (name: string, cause: unknown) => Error): void {
    this.#coming = documents;
    try {
      for (const [name, document] of documents) {
        try {
          this.#give(name, { document, resolved: this.#resolve(name, document) });
        } catch (cause) {
          throw failed(name, cause);
        }
      }
    } finally {
      this.#coming = new Map();
    }
  }

  /**
   * What a document would mean, without a change.
   *
   * @throws {ContractError} as {@link put}, but for what depends on others.
   */
  preview(name: string, document: ContractDocument): Pick<ResolvedContract, "definition" | "own"> {
    return this.#resolve(name, document);
  }

  /** Calls back after every change of a document. Returns what ends that. */
  onChange(listener: (change: ContractWritten) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves and compiles, so that everything that is wrong is known before anything changes. */
  #resolve(name: string, document: ContractDocument, also?: readonly [string, ContractDocument]): ResolvedContract {
    const find = (base: string): ContractDocument | undefined =>
      base === also?.[0] ? also[1] : (this.get(base) ?? this.#coming.get(base));
    const resolved = resolveDocument(name, document, find);
    const problems = new ContractProblems();
    for (const [own] of resolved.own) {
      const present = this.#conditions.get(own);
      if (present !== undefined && present.owner !== name)
        problems.add(
          ["conditions", own.slice(own.lastIndexOf(".") + 1)],
          new SluiceError("condition_in_use", `Cannot make condition "${own}", there is one of that name`, {
            value: own,
          }),
        );
    }
    problems.assertNone();
    const isCondition = (condition: string): boolean =>
      resolved.own.has(condition) || this.#conditions.get(condition) !== undefined;
    compileContract(resolved.definition, isCondition, resolved.places);
    return resolved;
  }

  #anew(above: string, base: string, document: ContractDocument): Written {
    const written = this.#byName.get(above) as Written;
    try {
      return { document: written.document, resolved: this.#resolve(above, written.document, [base, document]) };
    } catch (thrown) {
      if (!isSluiceError(thrown)) throw thrown;
      throw inUse(`Cannot replace "${base}", "${above}" could not extend it: ${thrown.message}`, base, [above]);
    }
  }

  #give(name: string, written: Written): boolean {
    const former = this.#byName.get(name);
    const { own, definition } = written.resolved;
    const gone = [...(former?.resolved.own.keys() ?? [])].filter((condition) => !own.has(condition));
    this.#assertUnused(name, gone);
    const undo = this.#makeOwn(name, own);
    let created: boolean;
    try {
      created = this.#contracts.put(name, definition);
    } catch (error) {
      undo();
      throw error;
    }
    this.#byName.set(name, written);
    this.#drop(gone);
    this.#tell(created ? "created" : "updated", name, written.document);
    return created;
  }

  /** Makes its own conditions, in an order in which each expression finds what it asks for. Returns what takes them back. */
  #makeOwn(owner: string, own: ReadonlyMap<string, ConditionDefinition>): () => void {
    const done: (() => void)[] = [];
    const undo = (): void => {
      for (const step of done.reverse()) step();
    };
    let waiting = [...own];
    while (waiting.length > 0) {
      const failed: [string, ConditionDefinition][] = [];
      let first: unknown;
      for (const [name, definition] of waiting) {
        const former = this.#conditions.get(name)?.definition;
        try {
          this.#conditions.put(name, definition, owner);
          done.push(() => {
            if (former === undefined) this.#conditions.remove(name);
            else this.#conditions.put(name, former, owner);
          });
        } catch (error) {
          first ??= error;
          failed.push([name, definition]);
        }
      }
      if (failed.length === waiting.length) {
        undo();
        const problems = new ContractProblems();
        const alias = (failed[0]?.[0] ?? "").slice(owner.length + 1);
        problems.attempt(["conditions", alias], () => {
          throw first;
        });
        throw problems.error();
      }
      waiting = failed;
    }
    return undo;
  }

  /** @throws {SluiceError} `condition_in_use` for a condition of a contract that somebody else asks for. */
  #assertUnused(owner: string, names: readonly string[]): void {
    for (const name of names) {
      const users = this.#conditions
        .usersOf(name)
        .filter((user) => user !== `contract ${owner}` && this.#conditions.get(user)?.owner !== owner);
      if (users.length > 0)
        throw new SluiceError(
          "condition_in_use",
          `Cannot remove "${name}", ${users.slice(0, 4).join(", ")} depends on it`,
          {
            value: name,
            limit: users.slice(0, 16),
          },
        );
    }
  }

  /** Nobody asks for them any more but each other. */
  #drop(names: readonly string[]): void {
    for (let waiting = [...names]; waiting.length > 0; ) {
      const [free = waiting[0] as string] = waiting.filter((name) => this.#conditions.usersOf(name).length === 0);
      this.#conditions.remove(free);
      waiting = waiting.filter((name) => name !== free);
    }
  }

  /** Contracts that extend one, or one that does; each behind those that it extends. */
  #above(name: string): string[] {
    const found: string[] = [];
    const gather = (base: string): void => {
      for (const [above, { document }] of this.#byName) {
        if (document.extends !== base || above === name || found.includes(above)) continue;
        found.push(above);
        gather(above);
      }
    };
    gather(name);
    return found;
  }

  #tell(type: ContractWritten["type"], name: string, document: ContractDocument): void {
    for (const listener of this.#listeners) listener({ type, name, document });
  }
}

function inUse(message: string, name: string, above: readonly string[]): SluiceError {
  return new SluiceError("contract_in_use", message, { value: name, limit: above.slice(0, 16) });
}
