/** Where modules come from, as those who run them see it. */
import type { Stage } from "../schema.ts";
import type { ModuleLogLevel } from "./log.ts";
import type { ModuleSpec } from "./spec.ts";

/** An admitted revision, compiled. */
export interface ModuleVersion {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  /** As the instrumenter left it. */
  readonly module: WebAssembly.Module;
  readonly spec: ModuleSpec;
}

/** All modules of a host. */
export interface ModuleSource {
  /**
   * The revision that a binding means.
   *
   * @param digest Undefined: the one that is current.
   * @throws {SluiceError} `filter_unknown`; `invalid_value` where it lacks the hook of the stage.
   */
  bindable(name: string, digest: string | undefined, stage: Stage): ModuleVersion;
  /** Calls when another revision of a name has become current. */
  onRevision(hear: (name: string) => void): void;
  /** Makes the revision current again that was so before; those who follow the name hear of it as of any other. */
  rollback(name: string, reason: string): ModuleVersion | undefined;
  /** A line that a module said. */
  log(name: string, line: { readonly level: ModuleLogLevel; readonly text: string; readonly version: number }): void;
}
