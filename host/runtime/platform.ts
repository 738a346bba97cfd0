/**
 * What differs between runtimes. Each has one file of a few lines beside this one; nobody asks which runtime it is on, the
 * entry that was chosen says so (`imports` and `exports` in package.json).
 */

import type { StartWorker } from "../filter/registry/admitter.ts";

/** One runtime, as far as a host can tell. */
export interface Platform {
  /** Name and version, for `GET /v1/info`: "node 20.20.2". */
  readonly name: string;
  /** Sets up the engine for a process that is a host and nothing else; an application that embeds one keeps its settings. */
  tune(): void;
  /**
   * Begins to measure this process.
   *
   * @returns Reads the counters by name; those that only grow end in "Total".
   */
  createStatistics(): () => Readonly<Record<string, number>>;
  /** Finds what starts workers that admit filter modules; undefined where there are none: modules are not taken then. */
  findWorkers(): StartWorker | undefined;
}
