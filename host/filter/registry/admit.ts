/**
 * Looks at one module: instrumented, compiled, and run once. This is what happens in the worker, so it loads nothing that this
 * does not take; the manifest comes to it as it was read.
 */
import { instrument, ModuleRefused } from "../meter/index.ts";
import { type ModuleHook, type ModuleManifest, moduleLimits } from "../module/spec.ts";
import { dryRun } from "./dry-run.ts";

/** What a manifest says before anybody knows what the module exports. */
export type ManifestInput = Omit<ModuleManifest, "hooks"> & { readonly hooks: readonly ModuleHook[] | undefined };

/** What the worker is asked. */
export interface AdmissionRequest {
  /** The module as it was uploaded. */
  readonly bytes: Uint8Array;
  /** Undefined: it cannot be; the module is only looked at for what else is wrong. */
  readonly manifest: ManifestInput | undefined;
}

/** What the host gets to know of a module that may run. */
export interface Admitted {
  /** Instrumented and compiled. */
  readonly module: WebAssembly.Module;
  readonly manifest: ModuleManifest;
  /** Of all functions, see ModuleLimits. */
  readonly weight: number;
  /** Names that the uploaded module exports. */
  readonly exports: readonly string[];
}

/** What the worker answers, once per request: what may run, or every reason why not. */
export type AdmissionAnswer = { readonly admitted: Admitted } | { readonly reasons: readonly string[] };

const hookNames: readonly ModuleHook[] = ["in", "out"];

/** Looks at a module. Never throws: whatever goes wrong with one is a refusal of it. */
export async function admit({ bytes, manifest }: AdmissionRequest): Promise<AdmissionAnswer> {
  try {
    const { hooks, exports, weight, bytes: instrumented } = instrument(bytes, manifest?.limits ?? moduleLimits);
    if (manifest === undefined) return { reasons: [] };
    const exported = hookNames.filter((hook) => hooks[hook]);
    const reasons = hookReasons(manifest, exported);
    if (reasons.length > 0) return { reasons };
    const whole = { ...manifest, hooks: manifest.hooks ?? exported };
    const module = await WebAssembly.compile(instrumented);
    dryRun(module, whole);
    return { admitted: { module, manifest: whole, weight, exports } };
  } catch (thrown) {
    return { reasons: reasonsOf(thrown) };
  }
}

/** What is wrong with the hooks that a manifest promises, or with a module that has none. */
function hookReasons({ hooks }: ManifestInput, exported: readonly ModuleHook[]): readonly string[] {
  if (exported.length === 0) return ["Cannot find a hook, the module exports neither sluice_in nor sluice_out"];
  return (hooks ?? [])
    .filter((hook) => !exported.includes(hook))
    .map((hook) => `Cannot take manifest.hooks with "${hook}", the module exports no sluice_${hook}`);
}

function reasonsOf(thrown: unknown): readonly string[] {
  if (thrown instanceof ModuleRefused) return thrown.reasons;
  return [thrown instanceof Error ? thrown.message : "It failed without a word"];
}
