/** Contracts over the conditions of a test, which are evaluated when the test says so and act on conditions only. */
import { Contracts } from "../../../host/contract/contracts.ts";
import { silentLog } from "../../../host/log.ts";
import type { TestConditions } from "../condition/support.ts";

/** Makes them; their core never fails. */
export function contractsOver({ holder, conditions }: TestConditions): Contracts {
  return new Contracts({
    holder,
    conditions,
    log: silentLog,
    publish: () => [],
    defer: () => {},
    onTrap: (error) => {
      throw error;
    },
  });
}
