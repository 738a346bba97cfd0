/** Contracts of an embedded host: what `/v1/contracts` has, as calls. */
import { checkWith, resourceName } from "../../check.ts";
import type { ContractView } from "../../contract/contract.ts";
import { type ContractDocument, type ContractInput, documentFromJson } from "../../contract/document.ts";
import type { ContractObserver, RegionState } from "../../contract/observers.ts";
import type { Plan } from "../../contract/plan.ts";
import type { Service } from "../../service.ts";

/** A contract as it was written, and where it is. */
export interface ContractResource extends Omit<ContractView, "definition"> {
  readonly document: ContractDocument;
  /** What it means with its bases. */
  readonly definition: ContractView["definition"];
}

/** What a plan takes otherwise than it is. */
export interface ContractPlanOptions {
  /** A contract in place of the one that is there. */
  readonly contract?: ContractInput;
  /** Values of conditions. */
  readonly values?: Readonly<Record<string, boolean | number | string>>;
}

/** Contracts of an embedded host. Every call throws `invalid_value` for a name that cannot be one. */
export interface Contracts {
  /**
   * Creates or replaces a contract, with conditions of its own; what extends it is made anew.
   *
   * @returns Whether it is new.
   * @throws {SluiceError} with everything that is wrong as `reasons`: `unknown_field`, `invalid_value`, `expression`,
   *   `contradiction`, `limit_reached`; `contract_in_use`, `condition_in_use`.
   */
  put(name: string, contract: ContractInput): boolean;
  /** One of them. @throws {SluiceError} `contract_unknown`. */
  get(name: string): ContractResource;
  /** All of them, by name. */
  list(): ContractResource[];
  /** Removes a contract. @throws {SluiceError} `contract_unknown`, `contract_in_use`, `condition_in_use`. */
  remove(name: string): void;
  /** Evaluates a contract now, and tells where it is then. @throws {SluiceError} `contract_unknown`. */
  evaluate(name: string): RegionState;
  /** Tells what a contract would do; nothing happens. @throws {SluiceError} as put(), and `contract_unknown`, `condition_unknown`. */
  plan(name: string, options?: ContractPlanOptions): Plan;
  /**
   * Has somebody told of a contract's transitions, from within the pass that makes them.
   *
   * @returns What ends that.
   * @throws {SluiceError} `contract_unknown`; `limit_reached`.
   */
  observe(name: string, observer: ContractObserver): () => void;
}

/** Makes the face of a service's contracts. */
export function embeddedContracts(service: Pick<Service, "contracts" | "contractDocuments" | "regions">): Contracts {
  const { contracts, contractDocuments: documents, regions } = service;
  const nameOf = (name: string): string => checkWith(resourceName, name, ["contract"]);
  const resourceOf = (name: string): ContractResource => {
    const view = contracts.read(name);
    const { warnings = [] } = documents.resolved(name) ?? {};
    const document = documents.get(name) ?? (view.definition as ContractDocument);
    return { ...view, document, warnings: [...warnings, ...view.warnings] };
  };
  return {
    put: (name, contract) => documents.put(nameOf(name), documentFromJson(contract, name)),
    get: (name) => resourceOf(nameOf(name)),
    list: () => contracts.names().sort().map(resourceOf),
    remove(name) {
      contracts.read(nameOf(name));
      documents.remove(name);
    },
    evaluate: (name) => regions.evaluate(nameOf(name)),
    plan(name, { contract, values = {} } = {}) {
      const known = nameOf(name);
      const coming = contract === undefined ? undefined : documents.preview(known, documentFromJson(contract, known));
      return contracts.plan(known, coming?.definition, values, coming?.own);
    },
    observe: (name, observer) => regions.add(nameOf(name), observer),
  };
}
