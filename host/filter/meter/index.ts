/**
 * The instrumenter: takes a stranger's WebAssembly, refuses what a filter may not be, and makes the rest count what it does.
 *
 * No JavaScript engine can stop a function that runs. So every function and every turn of a loop takes from a counter, the *fuel*,
 * and traps where it is spent. The module is looked at first by the scan here, which is linear and bounded, then by the engine, whose
 * validation is a stranger's to slow down, and what is written is validated once more. Whatever goes wrong is a refusal.
 *
 * A pure function of its arguments: usable on the main thread, in a worker, and in the command line.
 */
import { HOOKS, type Hook, hookOf } from "./abi.ts";
import { emitModule } from "./emit-module.ts";
import { type ModuleLimits, moduleLimits } from "./limits.ts";
import { ModuleRefused, Reasons } from "./refusal.ts";
import { bodiesOf, settleCosts, weightOf } from "./scan-code.ts";
import { declarationsOf } from "./scan-module.ts";
import { sectionsOf } from "./sections.ts";

export { ABI_MAJORS, type Hook } from "./abi.ts";
export { COSTS, METER_VERSION, type Rate } from "./costs.ts";
export { MEMORY_PAGES_CAP, type ModuleLimits, moduleLimits } from "./limits.ts";
export { ModuleRefused } from "./refusal.ts";

/** An instrumented module, and what there is to know of it. */
export interface Instrumented {
  /**
   * The module. Beside its own exports it has, for each hook X that it exports, `$sluice_X(fuel: i32, …arguments)`; if it has a start
   * function, `$sluice_start(fuel)`, to be called once before all else; and `$sluice_fuel() → i32`, what the last call left. That is
   * negative if and only if the call ended because its fuel was spent. After any other trap it is what was left at some time
   * before: take the whole allowance for spent. Its own exports must not be called: they run on what fuel happens to be left.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Content of the custom section `sluice.manifest`. */
  readonly manifest: Uint8Array | undefined;
  readonly hooks: Readonly<Record<Exclude<Hook, "arena">, boolean>>;
  /** It must be started through `$sluice_start`. */
  readonly hasStart: boolean;
  /** As "module.name". */
  readonly imports: readonly string[];
  /** Names of the original's exports. */
  readonly exports: readonly string[];
  /** Of compiling all functions, see weight.ts. */
  readonly weight: number;
  /** Of the heaviest function. */
  readonly functionWeight: number;
  /** Functions that it defines. */
  readonly functions: number;
  /** Pages of 64 KiB: to start with, and at most. */
  readonly memoryPages: number;
  readonly memoryPagesMax: number;
  /** Bytes of custom sections, which are gone. */
  readonly strippedBytes: number;
}

/**
 * Instruments a module.
 *
 * @param upload Not kept and not changed; a copy is worked on, so that it may be shared memory that somebody writes to.
 * @throws {ModuleRefused} And nothing else, with all reasons that were found.
 */
export function instrument(upload: Uint8Array, limits: ModuleLimits = moduleLimits): Instrumented {
  try {
    return instrumentCopy(upload, limits);
  } catch (error) {
    if (error instanceof ModuleRefused) throw error;
    // Not expected; but a stranger's bytes must not be able to end more than their own upload.
    throw new ModuleRefused([`The module cannot be instrumented: ${error instanceof Error ? error.message : error}`]);
  }
}

function instrumentCopy(upload: Uint8Array, limits: ModuleLimits): Instrumented {
  const reasons = new Reasons(limits.reasons);
  reasons.limit("module", 0, "bytes", upload.length, limits.uploadBytes);
  reasons.settle();
  const bytes = new Uint8Array(upload);
  const sections = sectionsOf(bytes, limits, reasons);
  const declared = declarationsOf(bytes, sections, limits, reasons);
  const bodies = bodiesOf(bytes, sections, declared, limits, reasons);
  reasons.settle();
  validate(bytes, "The engine refuses the module");
  settleCosts(declared.imports.length, bodies);
  const instrumented = emitModule(bytes, sections, declared, bodies);
  validate(instrumented, "The engine refuses the module as instrumented, which is a fault of this program");
  const { imports, exports, memory, start } = declared;
  const hooks = new Set(exports.map(({ name }) => hookOf(name)));
  return Object.freeze({
    bytes: instrumented,
    manifest: sections.manifest,
    hooks: Object.freeze(
      Object.fromEntries(
        (Object.keys(HOOKS) as Hook[]).filter((hook) => hook !== "arena").map((hook) => [hook, hooks.has(hook)]),
      ),
    ) as Instrumented["hooks"],
    hasStart: start !== undefined,
    imports: Object.freeze(imports.map(({ module, name }) => `${module}.${name}`)),
    exports: Object.freeze(exports.map(({ name }) => name)),
    weight: weightOf(bodies),
    functionWeight: bodies.reduce((most, { weight }) => Math.max(most, weight), 0),
    functions: bodies.length,
    memoryPages: memory?.min ?? 0,
    memoryPagesMax: memory?.max ?? 0,
    strippedBytes: sections.customBytes,
  });
}

/** Holds that the engine takes it; where not, compiling tells why. */
function validate(bytes: Uint8Array<ArrayBuffer>, what: string): void {
  if (WebAssembly.validate(bytes)) return;
  let why = "it does not say why";
  try {
    new WebAssembly.Module(bytes);
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  throw new ModuleRefused([`${what}: ${why}`]);
}
