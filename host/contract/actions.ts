/**
 * Carries out what transitions do: what governs channels and inboxes first and in one go, then values and events in their order.
 *
 * What fails is told on the contract. It is tried again where its transition says so, until the contract moves on.
 */
import type { ConditionChange, Conditions } from "../condition/conditions.ts";
import { isTrap } from "../core/instance.ts";
import { type SluiceError, sluiceErrorFrom } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { ActionDefinition } from "./action-schema.ts";
import type { Contract } from "./contract.ts";
import type { Governing } from "./governing.ts";
import type { KeptContract } from "./kept.ts";
import { governs, type Overlay, overlayAfter } from "./overlay.ts";
import type { TransitionDefinition } from "./schema.ts";

/** What became of published events. */
export type PublishOutcome = ReadonlyArray<{ readonly problem: SluiceError } | { readonly id: string }>;

/** What actions act on. */
export interface ActionTargets {
  readonly conditions: Conditions;
  readonly log: Log;
  readonly governing: Governing;
  /** Publishes as the host's own source. */
  readonly publish: (channel: string, event: NonNullable<ActionDefinition["publish"]>["event"]) => PublishOutcome;
  /** Calls back after a time on the service clock. Returns what prevents that. */
  readonly later: (run: () => void, delayMs: number) => () => void;
}

/** An action, and what its transition says of another attempt. */
interface Step {
  readonly action: ActionDefinition;
  readonly retry: TransitionDefinition["retry"];
}

/** See the head of this file. */
export class Actions {
  readonly #targets: ActionTargets;
  readonly #onDone: () => void;

  /** @param onDone Hears of a contract that has come to lay something else over things, or has set values. */
  constructor(targets: ActionTargets, onDone: () => void) {
    this.#targets = targets;
    this.#onDone = onDone;
  }

  /** Carries out some transitions of a contract. Never throws but for a trap. */
  carryOut(contract: Contract, transitions: readonly TransitionDefinition[]): void {
    const steps = transitions.flatMap(({ do: actions, retry }) => actions.map((action) => ({ action, retry })));
    const governing = steps.filter(({ action }) => governs(action) !== undefined);
    if (governing.length > 0) this.#govern(contract, governing, 0);
    for (const step of steps) this.#act(contract, step, 0);
  }

  /**
   * Has a contract lay over things and set what it did when it was kept, each by itself: what cannot be is told as a failure.
   *
   * @param values By condition, as it had set them.
   */
  resume(contract: Contract, overlay: Overlay, values: KeptContract["values"]): void {
    const { conditions, governing } = this.#targets;
    for (const [name, patch] of overlay.channel) {
      const channel = new Map([...contract.overlay.channel, [name, patch]]);
      const failure = governing.change(contract, contract.overlay, { ...contract.overlay, channel });
      if (failure === undefined) contract.overlay = { ...contract.overlay, channel };
      else this.#tell(contract, "configure", failure.error);
    }
    for (const [name, value] of values) {
      try {
        conditions.change([[name, { value }]]);
        contract.values.set(name, value);
      } catch (thrown) {
        if (isTrap(thrown)) throw thrown;
        this.#tell(contract, "set", sluiceErrorFrom(thrown));
      }
    }
  }

  /** Nothing that failed is tried again. */
  cancel({ retries }: Contract): void {
    for (const end of retries) end();
    retries.clear();
  }

  /** @param attempts How many there were before. */
  #govern(contract: Contract, steps: readonly Step[], attempts: number): void {
    const after = overlayAfter(
      contract.overlay,
      steps.map(({ action }) => action),
    );
    const failure = this.#targets.governing.change(contract, contract.overlay, after);
    if (failure === undefined) {
      contract.overlay = after;
      this.#onDone();
      return;
    }
    const isAbout = ({ action }: Step): boolean => {
      const said = governs(action);
      return said?.kind === failure.kind && said.name === failure.name;
    };
    const step = steps.find(isAbout) ?? (steps[0] as Step);
    this.#failed(contract, step, failure.error, attempts, () => this.#govern(contract, steps, attempts + 1));
  }

  #act(contract: Contract, step: Step, attempts: number): void {
    const { conditions, publish: publishTo } = this.#targets;
    const { set, publish } = step.action;
    try {
      if (set !== undefined) {
        conditions.change(
          Object.entries(set).map(([name, value]): readonly [string, ConditionChange] => [name, { value }]),
        );
        for (const [name, value] of Object.entries(set)) contract.values.set(name, value);
        this.#onDone();
      }
      if (publish === undefined) return;
      for (const result of publishTo(publish.channel, publish.event)) if ("problem" in result) throw result.problem;
    } catch (thrown) {
      if (isTrap(thrown)) throw thrown;
      this.#failed(contract, step, sluiceErrorFrom(thrown), attempts, () => this.#act(contract, step, attempts + 1));
    }
  }

  /** Tells of a failure on the contract, and sees to another attempt where one is wanted. */
  #failed(contract: Contract, step: Step, error: SluiceError, attempts: number, again: () => void): void {
    const action = Object.keys(step.action).find((kind) => kind !== "data") ?? "";
    this.#tell(contract, action, error);
    if (step.retry === undefined || attempts >= step.retry.attempts) return;
    const delayMs = Math.min(limits.contractRetryMs, step.retry.delayMs * 2 ** attempts);
    const end = this.#targets.later(() => {
      contract.retries.delete(end);
      again();
    }, delayMs);
    contract.retries.add(end);
  }

  #tell(contract: Contract, action: string, { code, message: detail }: SluiceError): void {
    contract.failures++;
    contract.lastFailure = { action, code, detail };
    this.#targets.log.warn("action of a contract failed", { contract: contract.name, action, code, detail });
  }
}
