/** Filter modules of an embedded host: what `/v1/filters` is to others, with the same rules and the same refusals. */
import { checkWith, resourceName } from "../../check.ts";
import { SluiceError } from "../../errors.ts";
import { countersView, type NameCounters, totalsByName } from "../../filter/module/name-totals.ts";
import type { FilterLogLine } from "../../filter/registry/log-ring.ts";
import { filtersOf } from "../../filter/registry/registry.ts";
import { contentOf } from "../../filter/registry/sections.ts";
import type { FilterNameView, FilterVersionView } from "../../filter/registry/view.ts";
import { digestSchema } from "../../filter/schema.ts";
import type { Service } from "../../service.ts";

/** A filter module: its current version, where it is bound, and what all its versions did. */
export interface FilterModule extends FilterNameView {
  readonly counters: NameCounters;
}

/** A version that was just uploaded. */
export interface UploadedFilter extends FilterVersionView {
  /** Whether its content is new to its name; else the version that has it is current again. */
  readonly created: boolean;
}

/** What an upload may say besides its bytes. */
export interface UploadOptions {
  /** What `sluice.manifest` of the module would say; the two are made one content, of which the digest is taken. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/**
 * Filter modules of an embedded host.
 *
 * Everything but `list` throws or rejects with `not_supported` where the runtime has no workers to look at modules, and
 * `invalid_value` for names and digests that cannot be.
 */
export interface Filters {
  /**
   * Uploads a module and makes it the current version of its name. It is looked at, compiled and tried in a worker; bindings
   * that follow the name switch to it between two events.
   *
   * @param bytes At most 8 MiB; they are copied before this returns.
   * @throws {SluiceError} rejects with `module_refused` with every reason, `body_too_large`, `contradiction`, `filter_in_use`,
   *   `limit_reached`, `rate_limited`.
   */
  put(name: string, bytes: Uint8Array | ArrayBuffer, options?: UploadOptions): Promise<UploadedFilter>;
  /** All of them, by name. */
  list(): FilterModule[];
  /** One of them. @throws {SluiceError} `filter_unknown`. */
  get(name: string): FilterModule;
  /** All versions, the newest first. @throws {SluiceError} `filter_unknown`. */
  versions(name: string): FilterVersionView[];
  /** What was uploaded as a version. @throws {SluiceError} rejects with `filter_unknown`. */
  content(name: string, digest: string): Promise<Uint8Array>;
  /**
   * Makes the version current again that was so before, or the one of a digest.
   *
   * @throws {SluiceError} `filter_unknown`; `filter_in_use` where it lacks a hook that a binding needs.
   */
  rollback(name: string, digest?: string): FilterVersionView;
  /**
   * Removes a module with all its versions, or one of them; with the last one goes the name.
   *
   * @throws {SluiceError} rejects with `filter_unknown`; `filter_in_use` where it is bound.
   */
  remove(name: string, digest?: string): Promise<void>;
  /** What it said of late, and what was said of it, the oldest line first. @throws {SluiceError} `filter_unknown`. */
  logs(name: string): FilterLogLine[];
}

/** Makes the face of a service's filter modules. */
export function embeddedFilters({ filters, modules }: Pick<Service, "filters" | "modules">): Filters {
  const nameOf = (name: string): string => checkWith(resourceName, name, ["filter"]);
  const digestOf = (digest: string): string => checkWith(digestSchema, digest, ["digest"]);
  const moduleOf = (name: string, totals = totalsByName(modules)): FilterModule => ({
    ...filtersOf(filters).viewOfName(name),
    counters: countersView(totals.get(name)),
  });
  return {
    async put(name, bytes, { manifest } = {}) {
      const registry = filtersOf(filters);
      const known = nameOf(name);
      const json = manifest && new TextEncoder().encode(JSON.stringify(manifest));
      const { created, version } = await registry.put(known, contentOf(bytesFrom(bytes), json));
      return { ...registry.view(version), created };
    },
    list() {
      const totals = totalsByName(modules);
      const names = filters?.list().map(({ name }) => name) ?? [];
      return names.sort().map((name) => moduleOf(name, totals));
    },
    get: (name) => moduleOf(nameOf(name)),
    versions(name) {
      const registry = filtersOf(filters);
      registry.get(nameOf(name));
      const newestFirst = [...registry.versions(name)].sort((one, other) => other.version - one.version);
      return newestFirst.map((version) => registry.view(version));
    },
    content: async (name, digest) => (await filtersOf(filters).content(nameOf(name), digestOf(digest))).slice(),
    rollback(name, digest) {
      const registry = filtersOf(filters);
      return registry.view(registry.goBack(nameOf(name), digest && digestOf(digest)));
    },
    async remove(name, digest) {
      const registry = filtersOf(filters);
      await (digest === undefined
        ? registry.remove(nameOf(name))
        : registry.removeVersion(nameOf(name), digestOf(digest)));
    },
    logs: (name) => [...filtersOf(filters).lines(nameOf(name))],
  };
}

/** @throws {SluiceError} `invalid_value` for what is no bytes, as callers without types may have it. */
function bytesFrom(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (bytes instanceof ArrayBuffer) return new Uint8Array(bytes);
  throw new SluiceError(
    "invalid_value",
    "Cannot take a module that is no bytes, it must be a Uint8Array or an ArrayBuffer",
    {
      value: typeof bytes,
    },
  );
}
