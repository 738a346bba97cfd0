/**
 * What a host knows of an uploaded filter module before it runs: its manifest, and the limits it was admitted under.
 *
 * The numbers are part of the contract with authors of filters: a module that fits today is not refused tomorrow. Each
 * limit has its unit at the end of its name; counts of things have none.
 */

/** What a module may ask to be called with, by the end of its export's name. */
export type ModuleHook = "in" | "out";

/** What becomes of an event that a module failed to decide. */
export type OnError = "pass" | "drop" | "divert";

/** How much of the payload a module gets to see: nothing, the first bytes, or all of it. */
export type PayloadProjection = "none" | "full" | { readonly headBytes: number };

/** What a module may cost, at admission and while it runs. */
export interface ModuleLimits {
  // --- Of the file ---
  /** Uploaded, custom sections included: debug information is stripped here and need not be before. */
  readonly uploadBytes: number;
  /** Without custom sections. */
  readonly moduleBytes: number;
  readonly functions: number;
  /** Code of one function. */
  readonly functionBytes: number;
  /** Of one function, parameters included: engines initialise each on entry. */
  readonly locals: number;
  readonly params: number;
  readonly results: number;
  /** Blocks within blocks: validators recurse or keep a stack. */
  readonly nesting: number;
  /** Targets of one `br_table`. */
  readonly branchTargets: number;
  /** (params + locals + 4) × control instructions of one function: what its first call may take to compile, which no fuel covers. */
  readonly functionWeight: number;
  /** The same of all functions. */
  readonly moduleWeight: number;
  readonly types: number;
  readonly imports: number;
  readonly exports: number;
  readonly globals: number;
  readonly tables: number;
  readonly tableElements: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
  readonly customSections: number;
  // --- While it runs ---
  /** Pages of 64 KiB at the start. */
  readonly memoryPages: number;
  /** Pages that it may grow to; `memory.grow` answers −1 beyond. */
  readonly memoryPagesMax: number;
  /** One event as the module sees it, payload included. */
  readonly recordBytes: number;
  readonly batchEvents: number;
  readonly batchBytes: number;
  /** Columns of the sink table, and attributes of an event. */
  readonly attributes: number;
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
  uploadBytes: 8_388_608,
  moduleBytes: 1_048_576,
  functions: 5_000,
  functionBytes: 131_072,
  locals: 1_000,
  params: 32,
  results: 4,
  nesting: 256,
  branchTargets: 4_096,
  functionWeight: 50_000,
  moduleWeight: 200_000,
  types: 1_000,
  imports: 32,
  exports: 256,
  globals: 1_000,
  tables: 2,
  tableElements: 10_000,
  elementSegments: 256,
  dataSegments: 1_024,
  customSections: 256,
  memoryPages: 16,
  memoryPagesMax: 64,
  recordBytes: 65_536,
  batchEvents: 256,
  batchBytes: 262_144,
  attributes: 64,
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

/** What no manifest can raise a limit to; the others stand as they are. */
export const memoryPagesHardMax = 256;

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
