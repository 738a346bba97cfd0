/** Who decides about events that wait in the core: filter modules, and in tests a decider of the host's own. */
import type { DecideBatch } from "../core/decider.ts";
import { Binder } from "../filter/module/binder.ts";
import { coreDeciders, decideByModule } from "../filter/module/core.ts";
import type { ModuleSource } from "../filter/module/source.ts";
import { type Decider, decideWaiting } from "./decider.ts";
import type { Engine } from "./engine.ts";

/** See the head of this file. */
export class Deciding {
  /** Modules at work; undefined where this host takes none. */
  readonly modules: Binder | undefined;
  /** Whether a channel has had the decider. */
  hasDecider = false;
  readonly #engine: Pick<Engine, "core" | "clocks" | "log">;
  readonly #decider: Decider | undefined;

  /** @param decider Asked about what no module is bound for. */
  constructor(
    engine: Pick<Engine, "core" | "clocks" | "log">,
    source: ModuleSource | undefined,
    decider: Decider | undefined,
  ) {
    this.#engine = engine;
    this.#decider = decider;
    if (source === undefined) return;
    this.modules = new Binder({
      deciders: () => coreDeciders(engine),
      source,
      clocks: engine.clocks,
      log: engine.log,
      settle: () => this.decide(engine.clocks.service.now()),
      seed: () => crypto.getRandomValues(new Uint32Array(1))[0] as number,
    });
  }

  /** Whether anything may wait. */
  get isNeeded(): boolean {
    return this.hasDecider || this.modules?.isUsed === true;
  }

  /** Has everything decided that waits. @param now Of the service clock. */
  decide(now: number): void {
    const { core, log } = this.#engine;
    decideWaiting(core, this.#decide, now, (fault) => log.error("decider failed, its events go to all", { ...fault }));
    this.modules?.rollBack();
  }

  readonly #decide = (batch: DecideBatch): number | undefined => {
    return (this.modules && decideByModule(this.modules, batch)) ?? this.#decider?.(batch);
  };
}
