/**
 * Who is told of the transitions of contracts: sessions, streams of server-sent events, and the application around a host.
 *
 * An observer that throws is a fault of the host's and is told in the log; the others hear all the same.
 */
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Contracts } from "./contracts.ts";

/** Where a contract is. */
export interface RegionState {
  /** The active regions, outer to inner. */
  readonly path: readonly string[];
  readonly status: "active" | "no_region";
  /** Of a transition: what was carried out. */
  readonly handlers?: readonly string[];
  /** What that calls back: told once for each of several. */
  readonly callback?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** What an observer of one contract hears. It must not wait: contracts are evaluated while it does. */
export interface ContractObserver {
  /** The path has changed; told when `sync` transitions have been carried out, once for each callback of them. */
  moved(state: RegionState): void;
  /** The contract is gone, or the host ends. Nothing is told behind this. */
  ended(reason: "removed" | "drain"): void;
}

/** The observers of all contracts of one host. */
export class ContractObservers {
  readonly #contracts: Contracts;
  readonly #log: Log;
  readonly #byContract = new Map<string, Set<ContractObserver>>();
  /** How many there are. */
  count = 0;

  constructor(contracts: Contracts, log: Log) {
    this.#contracts = contracts;
    this.#log = log;
    contracts.onMoved(({ name, transition, callbacks }) => {
      if (!this.#byContract.has(name)) return;
      const state = { ...contracts.state(name), path: transition.to, handlers: transition.handlers };
      const states =
        callbacks.length === 0 ? [state] : callbacks.map((one) => ({ ...state, callback: one.name, data: one.data }));
      for (const one of states) this.#tell(name, (observer) => observer.moved(one));
    });
    contracts.onChange(({ type, name }) => {
      if (type === "removed") this.#end(name, "removed");
    });
  }

  /** Where a contract is. @throws {SluiceError} `contract_unknown`. */
  state(name: string): RegionState {
    return this.#contracts.state(name);
  }

  /** Evaluates a contract, and tells where it is then. @throws {SluiceError} `contract_unknown`. */
  evaluate(name: string): RegionState {
    this.#contracts.evaluate(name);
    return this.#contracts.state(name);
  }

  /**
   * Has somebody told of a contract's transitions.
   *
   * @returns What ends that; called twice it does nothing.
   * @throws {SluiceError} `contract_unknown`; `limit_reached` beyond limits.contractObservers of this host.
   */
  add(name: string, observer: ContractObserver): () => void {
    this.#contracts.state(name);
    if (this.count >= limits.contractObservers)
      throw new SluiceError(
        "limit_reached",
        `Cannot observe contract "${name}", this host has ${limits.contractObservers} observers, limit is that`,
        { value: name, limit: limits.contractObservers },
      );
    const observers = this.#byContract.get(name) ?? new Set();
    this.#byContract.set(name, observers.add(observer));
    this.count++;
    return () => {
      if (!observers.delete(observer)) return;
      this.count--;
      if (observers.size === 0 && this.#byContract.get(name) === observers) this.#byContract.delete(name);
    };
  }

  /** The host ends: nobody is told any more. */
  close(): void {
    for (const name of [...this.#byContract.keys()]) this.#end(name, "drain");
  }

  #end(name: string, reason: "removed" | "drain"): void {
    const observers = this.#byContract.get(name);
    if (observers === undefined) return;
    this.#byContract.delete(name);
    this.count -= observers.size;
    const told = [...observers];
    observers.clear();
    for (const observer of told) this.#guarded(name, () => observer.ended(reason));
  }

  #tell(name: string, tell: (observer: ContractObserver) => void): void {
    for (const observer of [...(this.#byContract.get(name) ?? [])]) this.#guarded(name, () => tell(observer));
  }

  #guarded(contract: string, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#log.error("observer of a contract failed", { contract, error });
    }
  }
}
