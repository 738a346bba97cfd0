/**
 * Where a module stands in the core: a handle for one revision with one configuration, and what runs behind it.
 *
 * Both stages of a channel share a seat where they bind the same; the filters that a source brings have seats of their own.
 */
import type { Stage } from "../schema.ts";
import type { RunningModule } from "./running.ts";
import type { ModuleManifest } from "./spec.ts";

/** Whose events a module decides about. */
export interface Target {
  /** Number of the channel. */
  readonly channel: number;
  /** Number of the source that brings the filter; 0: it is the channel's. */
  readonly member: number;
}

/** The core, as far as modules concern it. A restart makes another. */
export interface Deciders {
  /** Says what a module wants to see. @returns Its handle. @throws {SluiceError} `store_full`, `limit_reached`. */
  add(manifest: ModuleManifest): number;
  /** Gives a constant of the module's the next number. */
  intern(handle: number, text: string): void;
  /**
   * Has a handle asked at a stage, 0: none.
   *
   * @throws {SluiceError} `store_full`, `limit_reached`, `too_many_sinks`; what was there stays then.
   */
  bind(target: Target, stage: Stage, handle: number): void;
  /** Gives a handle back. */
  release(handle: number): void;
}

/** See the head of this file. */
export class Seat {
  /** Tells apart what may not share an instance. */
  readonly key: string;
  readonly target: Target;
  readonly running: RunningModule;
  /** Of the core. */
  readonly handle: number;
  /** Stages that it decides. */
  readonly stages = new Set<Stage>();
  /** How many may come back to it: those that have just been given another revision. */
  kept = 0;
  readonly #deciders: Deciders;
  #told = 0;

  /** @throws {SluiceError} `store_full`, `limit_reached`; there is nothing of it in the core then. */
  constructor(deciders: Deciders, key: string, target: Target, running: RunningModule) {
    this.#deciders = deciders;
    this.key = key;
    this.target = target;
    this.running = running;
    this.handle = deciders.add(running.version.spec.manifest);
    this.tellInterned();
  }

  /** Whether anybody needs it. */
  get isUsed(): boolean {
    return this.stages.size > 0 || this.kept > 0;
  }

  /** Has the core number what the module has numbered since it was asked last. */
  tellInterned(): void {
    const { interned: texts } = this.running;
    if (texts.size === this.#told) return;
    for (const text of [...texts.keys()].slice(this.#told)) this.#deciders.intern(this.handle, text);
    this.#told = texts.size;
  }

  /** Gives the handle back and ends what runs. */
  end(): void {
    this.running.end();
    this.#deciders.release(this.handle);
  }
}
