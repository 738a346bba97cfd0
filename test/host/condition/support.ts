/** Conditions over a real core, with a machine and channels that a test makes up. */
import { Conditions, type ConditionsSettings } from "../../../host/condition/conditions.ts";
import { HostSampler, type MachineLoad } from "../../../host/condition/host-sampler.ts";
import type { ChannelFigures, FilterFigures, InboxFigures } from "../../../host/condition/measured.ts";
import { type ConditionValue, conditionFromJson } from "../../../host/condition/schema.ts";
import { type Core, type CoreHolder, createCore } from "../../../host/core/instance.ts";
import { waitQuantile } from "../../../host/session/history.ts";
import { coreModule } from "../../core-wasm/harness.ts";
import { ManualClock } from "../support/service.ts";

/** Conditions under test. */
export interface TestConditions {
  readonly holder: CoreHolder;
  readonly conditions: Conditions;
  readonly clock: ManualClock;
  readonly channels: Map<string, ChannelFigures>;
  /** By id; all of them are sinks of every channel. */
  readonly inboxes: Map<string, InboxFigures>;
  readonly filters: Map<string, FilterFigures>;
  /** Looks at the machine; undefined while nobody wants to know. */
  sample(load: MachineLoad): void;
  readonly isSampling: boolean;
  /** Defines a condition as JSON would. */
  put(name: string, definition: object): boolean;
  value(name: string): ConditionValue;
  set(values: Readonly<Record<string, boolean | number | string>>): void;
  add(name: string, amount: number): void;
  /** A new core, as after a trap. */
  restart(): void;
}

function makeCore(epoch: number): Core {
  return createCore(coreModule(), { memoryBytes: 96 * 2 ** 20, storeBytes: 2 ** 20, epoch });
}

/** Makes a host's conditions. */
export function createTestConditions(input: Partial<ConditionsSettings> = {}): TestConditions {
  const clock = new ManualClock();
  const channels = new Map<string, ChannelFigures>();
  const inboxes = new Map<string, InboxFigures>();
  const filters = new Map<string, FilterFigures>();
  const holder = { core: makeCore(1) };
  let onSample: ((load: MachineLoad) => void) | undefined;
  const sampler = new HostSampler(
    clock,
    (listener) => {
      onSample = listener;
      return () => {
        onSample = undefined;
      };
    },
    () => 3,
  );
  const conditions = new Conditions({
    holder,
    clock,
    sampler,
    channel: (name) => channels.get(name),
    inboxesOf: () => inboxes.values(),
    inbox: (id) => inboxes.get(id),
    filter: (name) => filters.get(name),
    waitQuantile,
    onTrap: (error) => {
      throw error;
    },
    ...input,
  });
  return {
    holder,
    conditions,
    clock,
    channels,
    inboxes,
    filters,
    sample: (load) => onSample?.(load),
    get isSampling() {
      return onSample !== undefined;
    },
    put: (name, definition) => conditions.put(name, conditionFromJson(definition, name)),
    value: (name) => conditions.read(name).value,
    set: (values) => conditions.change(Object.entries(values).map(([name, value]) => [name, { value }] as const)),
    add: (name, amount) => conditions.change([[name, { add: amount }]]),
    restart() {
      holder.core = makeCore(holder.core.epoch + 1);
      conditions.restore();
    },
  };
}
