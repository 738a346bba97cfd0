/**
 * What a host knows of an uploaded filter module before it runs: its manifest, and the limits it was admitted under.
 *
 * The numbers are part of the contract with authors of filters: a module that fits today is not refused tomorrow. Each
 * limit has its unit at the end of its name; counts of things have none.
 */
import { DECIDER_ATTRIBUTES_MAX, DECIDER_COLUMNS_MAX } from "../../../core-wasm/filter/abi.ts";
import { type ModuleLimits as FileLimits, moduleLimits as fileLimits } from "../meter/limits.ts";

/** What a module may ask to be called with, by the end of its export's name. */
export type ModuleHook = "in" | "out";

/** What becomes of an event that a module failed to decide. */
export type OnError = "pass" | "drop" | "divert";

/** How much of the payload a module gets to see: nothing, the first bytes, or all of it. */
export type PayloadProjection = "none" | "full" | { readonly headBytes: number };

/** What a module may be, and what it may cost while it runs. */
export interface ModuleLimits extends FileLimits {
  /** One event as the module sees it, payload included. */
  readonly recordBytes: number;
  readonly batchEvents: number;
  readonly batchBytes: number;
  /** Attributes of an event, and columns of the sink table: as many as the core takes. */
  readonly attributes: number;
  readonly sinkAttributes: number;
  /** Of one call with a batch: this much and so much per event, up to `callFuelMax`. */
  readonly callFuel: number;
  readonly eventFuel: number;
  readonly callFuelMax: number;
  /** Of `init`, `restore` and the start function, each: they run once per instance. */
  readonly initFuel: number;
  /** Of one call of `sluice_sinks`, `sluice_arena` and `sluice_save`: they run between batches. */
  readonly sinksFuel: number;
  /** What `save` may hand over. */
  readonly stateBytes: number;
  readonly configBytes: number;
  readonly logBytesPerMinute: number;
  readonly logLinesPerBatch: number;
}

/** The limits of a module that asks for nothing else. */
export const moduleLimits: ModuleLimits = Object.freeze({
  ...fileLimits,
  recordBytes: 65_536,
  batchEvents: 256,
  batchBytes: 262_144,
  attributes: DECIDER_ATTRIBUTES_MAX,
  sinkAttributes: DECIDER_COLUMNS_MAX,
  callFuel: 100_000,
  eventFuel: 10_000,
  callFuelMax: 2_000_000,
  initFuel: 20_000_000,
  sinksFuel: 1_000_000,
  stateBytes: 65_536,
  configBytes: 65_536,
  logBytesPerMinute: 65_536,
  logLinesPerBatch: 100,
});

/** What a module says of itself, checked, with every default filled in. */
export interface ModuleManifest {
  /** Not empty; the module exports each of them. */
  readonly hooks: readonly ModuleHook[];
  /** Attributes of events, in the order of the slots of a record. */
  readonly attrs: readonly string[];
  readonly payload: PayloadProjection;
  /** Attributes of sinks, in the order of the columns of the sink table. */
  readonly sinkAttrs: readonly string[];
  /** {@link moduleLimits}, lowered or raised as the manifest asks and the host allows. */
  readonly limits: ModuleLimits;
  /** Where a binding does not say. */
  readonly onError: OnError;
  /** Where a binding gives none. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** An admitted revision of a filter module. */
export interface ModuleSpec {
  readonly name: string;
  /** Revision: 1, 2, 3 … of its name. */
  readonly version: number;
  /** `sha256:` and the SHA-256 of the uploaded bytes in hex. */
  readonly digest: string;
  readonly manifest: ModuleManifest;
  /** What the functions weigh together, see {@link ModuleLimits.moduleWeight}. */
  readonly weight: number;
  /** Names that the uploaded module exported. */
  readonly exports: readonly string[];
}
