/** What conditions of kind `host` are told: one sampler for all of them, which runs while there are some. */
import type { Clock } from "../clock.ts";
import { SluiceError } from "../errors.ts";
import type { DefinitionOf } from "./schema.ts";

/** What a condition of kind `host` may tell. */
type Metric = DefinitionOf<"host">["metric"];

/** One look at the machine; `loop_lag_ms` is the most since the last one. */
export interface MachineLoad {
  readonly cpu: number;
  readonly memory: number;
  readonly loop_lag_ms: number;
}

/** Samples the machine every second until it is stopped. */
export type SampleMachine = (onSample: (load: MachineLoad) => void, clock: Clock) => () => void;

/** Tells conditions what the host is up to. */
export class HostSampler {
  readonly #clock: Clock;
  readonly #sample: SampleMachine | undefined;
  readonly #sockets: () => number;
  readonly #listeners = new Set<{ readonly metric: Metric; readonly write: (value: number) => void }>();
  #stop: (() => void) | undefined;

  /**
   * @param sample Undefined where nobody can look at the machine.
   * @param sockets How many connections there are.
   */
  constructor(clock: Clock, sample: SampleMachine | undefined, sockets: () => number) {
    this.#clock = clock;
    this.#sample = sample;
    this.#sockets = sockets;
  }

  /**
   * Writes a metric with every sample.
   *
   * @returns Ends it.
   * @throws {SluiceError} `not_supported` where nobody can look at the machine.
   */
  subscribe(metric: Metric, write: (value: number) => void): () => void {
    if (this.#sample === undefined)
      throw new SluiceError("not_supported", "This host cannot look at its machine, it was not told how", {
        value: metric,
      });
    const listener = { metric, write };
    this.#listeners.add(listener);
    this.#stop ??= this.#sample((load) => this.#tell(load), this.#clock);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  #tell(load: MachineLoad): void {
    const values = { cpu: load.cpu, memory: load.memory, loopLag: load.loop_lag_ms, sockets: this.#sockets() };
    for (const { metric, write } of this.#listeners) write(values[metric]);
  }
}
