/**
 * What one filter module may be, before anything of it runs.
 *
 * Each bound is there because something else grows with it: the engine's compiler, its validator, or the memory of the host.
 */

/** Bounds of one module. All count inclusively: a value equal to the limit is allowed. */
export interface ModuleLimits {
  /** Bytes as uploaded. What is larger is not looked at. */
  readonly uploadBytes: number;
  /** Bytes without custom sections, which are stripped: names and debug information make up most of many builds. */
  readonly moduleBytes: number;
  /** Custom sections, all stripped; `sluice.manifest` is handed back. */
  readonly customSections: number;
  /** Types of functions. */
  readonly types: number;
  /** Parameters of one function type. */
  readonly params: number;
  /** Results of one function type. */
  readonly results: number;
  /** Functions that it asks of the host. */
  readonly imports: number;
  /** Names that it exports. */
  readonly exports: number;
  /** Functions defined by the module. */
  readonly functions: number;
  /** Global variables and constants. */
  readonly globals: number;
  /** Tables of references. */
  readonly tables: number;
  /** Elements that one table may have at any time; its declared maximum is lowered to it. */
  readonly tableElements: number;
  /** Segments that fill tables. */
  readonly elementSegments: number;
  /** Segments that fill memory. */
  readonly dataSegments: number;
  /** Pages of 64 KiB that memory may start with. */
  readonly memoryPages: number;
  /** Pages that memory may grow to; the declared maximum is lowered to it. Never above 256, whatever a manifest asks for. */
  readonly memoryPagesMax: number;
  /** Bytes of one function's body. */
  readonly bodyBytes: number;
  /** Locals of one function, parameters included. */
  readonly locals: number;
  /** Values that one function may have on its operand stack: compilers copy their view of it at every branch. */
  readonly operands: number;
  /** Blocks within one another. */
  readonly nesting: number;
  /** Targets of one `br_table`. */
  readonly branchTargets: number;
  /** Weight of one function, the work of compiling it: fuel cannot bound it, since it is done before the function runs. */
  readonly functionWeight: number;
  /** Weight of all functions together. */
  readonly moduleWeight: number;
  /** Reasons that one refusal tells; the rest is counted. */
  readonly reasons: number;
}

/** No limit lets memory grow beyond that many pages of 64 KiB, 16 MiB. */
export const MEMORY_PAGES_CAP = 256;

/** The defaults. */
export const moduleLimits: ModuleLimits = Object.freeze({
  uploadBytes: 8_388_608,
  moduleBytes: 1_048_576,
  customSections: 256,
  types: 1_000,
  params: 32,
  results: 4,
  imports: 32,
  exports: 256,
  functions: 5_000,
  globals: 1_000,
  tables: 2,
  tableElements: 10_000,
  elementSegments: 256,
  dataSegments: 1_024,
  memoryPages: 16,
  memoryPagesMax: 64,
  bodyBytes: 131_072,
  locals: 1_000,
  operands: 1_000,
  nesting: 256,
  branchTargets: 4_096,
  functionWeight: 50_000,
  moduleWeight: 200_000,
  reasons: 32,
});
