/** What contracts do, as metrics: by name for the oldest of them, in one for the rest, so that no scrape grows without end. */
import type { ContractTotals } from "../contract/contract.ts";
import { limits } from "../limits.ts";
import type { MetricSample, Metrics } from "../metrics.ts";
import { snakeFromCamel } from "./module-metrics.ts";
import type { ControlService } from "./service.ts";

const help: Readonly<Record<keyof ContractTotals, string>> = {
  triggers: "How often contracts were marked",
  evaluations: "Evaluations of contracts",
  transitions: "How often contracts have moved",
  failures: "Actions of contracts that failed",
};
/** No name has a bracket. */
const REST = "(others)";

/** Registers them. */
export function registerContractMetrics(metrics: Metrics, { contracts }: Pick<ControlService, "contracts">): void {
  let snapshot: ReadonlyMap<string, ContractTotals> = new Map();
  for (const [index, name] of (Object.keys(help) as (keyof ContractTotals)[]).entries()) {
    metrics.counter(`contract_${snakeFromCamel(name)}_total`, help[name], () => {
      // The first of them reads all, so one text shows one moment.
      if (index === 0) snapshot = bounded(contracts.totals());
      return Array.from(
        snapshot,
        ([contract, totals]): MetricSample => ({ labels: { contract }, value: totals[name] }),
      );
    });
  }
}

function bounded(all: Iterable<readonly [string, ContractTotals]>): Map<string, ContractTotals> {
  const kept = new Map<string, ContractTotals>();
  for (const [name, totals] of all) {
    const label = kept.size < limits.contractMetrics || kept.has(name) ? name : REST;
    const { triggers = 0, evaluations = 0, transitions = 0, failures = 0 } = kept.get(label) ?? {};
    kept.set(label, {
      triggers: triggers + totals.triggers,
      evaluations: evaluations + totals.evaluations,
      transitions: transitions + totals.transitions,
      failures: failures + totals.failures,
    });
  }
  return kept;
}
