/** What is shown of a version: what its uploader said of it and what the host found out, without the module itself. */
import type { ModuleHook, ModuleLimits, OnError } from "../module/spec.ts";
import type { FilterVersion } from "./registry.ts";

/** What modules are written against; what the host calls them by is in their exports. */
export const ABI = "sluice-filter/1";

/** A version, as resources and embedding applications have it. */
export interface FilterVersionView {
  readonly name: string;
  /** `sha256:` and the SHA-256 of what was uploaded in hex. */
  readonly digest: string;
  /** Counts the contents of its name, from 1. */
  readonly version: number;
  /** Whether bindings without a digest mean it. */
  readonly current: boolean;
  /** RFC 3339. */
  readonly uploadedAt: string;
  /** As uploaded, custom sections included. */
  readonly bytes: number;
  readonly abi: typeof ABI;
  readonly exports: string[];
  readonly hooks: ModuleHook[];
  readonly attrs: string[];
  /** `none`, `full`, or `head:` and bytes. */
  readonly payload: string;
  readonly sinkAttrs: string[];
  readonly onError: OnError;
  readonly config: Record<string, unknown>;
  /** What its functions may take to compile. */
  readonly weight: number;
  /** What it may cost, by name. */
  readonly limits: Record<keyof ModuleLimits, number>;
}

/** A name: its current version, and what is said of all. */
export interface FilterNameView extends FilterVersionView {
  /** How many there are. */
  readonly versions: number;
  /** Where any of them is bound; the first few. */
  readonly uses: string[];
}

/** Shows a version; all of it is copied. */
export function versionView(
  { name, digest, version, uploadedAt, bytes, spec }: FilterVersion,
  current: boolean,
): FilterVersionView {
  const { hooks, attrs, payload, sinkAttrs, onError, config, limits } = spec.manifest;
  return {
    name,
    digest,
    version,
    current,
    uploadedAt: new Date(uploadedAt).toISOString(),
    bytes,
    abi: ABI,
    exports: [...spec.exports],
    hooks: [...hooks],
    attrs: [...attrs],
    payload: typeof payload === "string" ? payload : `head:${payload.headBytes}`,
    sinkAttrs: [...sinkAttrs],
    onError,
    config: { ...config },
    weight: spec.weight,
    limits: { ...limits },
  };
}
