/** A registry that keeps nothing on disk, and admits whatever the instrumenter takes. */
import { instrument } from "../../../../host/filter/meter/index.ts";
import type { ModuleManifest } from "../../../../host/filter/module/spec.ts";
import { FilterRegistry } from "../../../../host/filter/registry/registry.ts";
import { manifestOf } from "./kit.ts";

/** Makes one. `manifest`: of all its modules. */
export function memoryRegistry(manifest: Partial<ModuleManifest> = {}): FilterRegistry {
  const kept = new Map<string, Uint8Array>();
  return new FilterRegistry({
    async admit(bytes) {
      const { bytes: instrumented, weight, exports } = instrument(bytes);
      return { module: new WebAssembly.Module(instrumented), manifest: manifestOf(manifest), weight, exports };
    },
    store: {
      write: async (digest, bytes) => void kept.set(digest, bytes),
      read: async (digest) => kept.get(digest) ?? new Uint8Array(0),
      remove: async (digest) => void kept.delete(digest),
      sweep: async () => {},
      put() {},
      settled: async () => {},
    },
    now: () => 0,
  });
}
