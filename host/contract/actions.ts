/** What transitions do. */
import type { ConditionChange, Conditions } from "../condition/conditions.ts";
import { isTrap } from "../core/instance.ts";
import { type SluiceError, sluiceErrorFrom } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Contract } from "./contract.ts";
import type { ActionDefinition } from "./schema.ts";

/** What became of published events. */
export type PublishOutcome = ReadonlyArray<{ readonly problem: SluiceError } | { readonly id: string }>;

/** What actions act on. */
export interface ActionTargets {
  readonly conditions: Conditions;
  readonly log: Log;
  /** Publishes as the host's own source. */
  readonly publish: (channel: string, event: NonNullable<ActionDefinition["publish"]>["event"]) => PublishOutcome;
}

/** Carries out one action; where that fails it is told on the contract, and the others go on. */
export function carryOut(targets: ActionTargets, contract: Contract, { set, publish }: ActionDefinition): void {
  try {
    if (set !== undefined) {
      targets.conditions.change(
        Object.entries(set).map(([name, value]): readonly [string, ConditionChange] => [name, { value }]),
      );
    }
    if (publish === undefined) return;
    for (const result of targets.publish(publish.channel, publish.event)) if ("problem" in result) throw result.problem;
  } catch (thrown) {
    if (isTrap(thrown)) throw thrown;
    const { code, message } = sluiceErrorFrom(thrown);
    contract.failures++;
    contract.lastFailure = { action: set === undefined ? "publish" : "set", code, detail: message };
    targets.log.warn("action of a contract failed", { contract: contract.name, code, detail: message });
  }
}
