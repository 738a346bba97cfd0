/** Contracts over the conditions of a test, which are evaluated when the test says so and act on conditions only. */
import type { Governable } from "../../../host/channel/overlays.ts";
import { Contracts } from "../../../host/contract/contracts.ts";
import { Governing } from "../../../host/contract/governing.ts";
import { silentLog } from "../../../host/log.ts";
import type { TestConditions } from "../condition/support.ts";

/** Nothing is governed here. */
const nothing: Governable = {
  prepare: () => ({ commit: () => () => {}, end: () => {} }),
  preview: () => ({}),
  release: () => {},
};

/** Makes them; their core never fails. */
export function contractsOver({ holder, conditions }: TestConditions): Contracts {
  return new Contracts({
    holder,
    conditions,
    log: silentLog,
    governing: new Governing({ channel: nothing, inbox: nothing }, silentLog),
    publish: () => [],
    later: () => () => {},
    defer: () => {},
    onTrap: (error) => {
      throw error;
    },
  });
}
