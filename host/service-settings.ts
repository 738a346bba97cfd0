/** What a service is made of: everything that differs between runtimes, embedding applications and tests. */
import type { Clocks } from "./clock.ts";
import type { SampleMachine } from "./condition/host-sampler.ts";
import type { ConditionKinds } from "./condition/kinds.ts";
import type { MonitorSources } from "./condition/monitor.ts";
import type { FilterRegistry } from "./filter/registry/registry.ts";
import type { Log } from "./log.ts";
import type { ServiceOptionsInput } from "./options.ts";
import type { Decider } from "./session/decider.ts";

/** What a service is made of. */
export interface ServiceSettings {
  /** Compiled `core.wasm`. */
  readonly module: WebAssembly.Module;
  readonly options?: ServiceOptionsInput;
  readonly clocks: Clocks;
  readonly log: Log;
  /** Runs something after the input that this turn of the event loop still brings; a timer of 0 ms where absent. */
  readonly defer?: (run: () => void) => void;
  /** Decides who gets the events of channels with a decider. */
  readonly decider?: Decider;
  /** Filter modules; without it there are none. */
  readonly filters?: FilterRegistry;
  /** Hears of each new epoch, so that it can be kept. */
  readonly onEpoch?: (epoch: number) => void;
  /** Looks at the machine, for conditions of kind `host`; without it there are none. */
  readonly sampleMachine?: SampleMachine;
  /** What conditions of kind `monitor` may read; without it there are none. */
  readonly monitors?: MonitorSources;
  /** Kinds of conditions that the application adds. */
  readonly conditionKinds?: ConditionKinds;
  /** What the runtime counts, by name, to be told with the service's own statistics. */
  readonly statistics?: () => Readonly<Record<string, number>>;
  /** The core failed too often: the process should end. */
  readonly onFatal?: (error: Error) => void;
}
