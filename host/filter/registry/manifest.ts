/**
 * The manifest of a module: what it is to be shown and told, as JSON in the custom section `sluice.manifest`.
 *
 * A module without one sees events without attributes and without payload, and is called by the hooks that it exports.
 */
import { z } from "zod";
import { errorFromIssues, list, refuse } from "../../check.ts";
import { MEMORY_PAGES_CAP } from "../meter/limits.ts";
import { type ModuleLimits, moduleLimits } from "../module/spec.ts";
import type { ManifestInput } from "./admit.ts";

const ATTRIBUTE = /^[a-z][a-z0-9_]{0,63}$/;
/** Far more than names of 128 attributes and a config of the largest size take. */
const BYTES_MAX = 131_072;
/** Of what a complaint says of many. */
const REASONS_MAX = 32;

/** Names of attributes, each once. */
const names = (most: number) =>
  list(z.string().regex(ATTRIBUTE, { error: "A name must match [a-z][a-z0-9_]{0,63}" }), most).check((checked) => {
    const twice = checked.value.find((name, index) => checked.value.indexOf(name) !== index);
    if (twice !== undefined) refuse(checked, "invalid_value", `it names ${twice} twice`);
  });

/** A limit that may only be lowered; of memory there may be more than a module gets that asks for nothing. */
const lowered = (name: keyof ModuleLimits, max: number = moduleLimits[name]) =>
  z.int().min(1).max(max).default(moduleLimits[name]);

const limitsSchema = z.strictObject({
  memoryPages: lowered("memoryPages", MEMORY_PAGES_CAP),
  memoryPagesMax: lowered("memoryPagesMax", MEMORY_PAGES_CAP),
  recordBytes: lowered("recordBytes"),
  batchEvents: lowered("batchEvents"),
  batchBytes: lowered("batchBytes"),
  callFuel: lowered("callFuel"),
  eventFuel: lowered("eventFuel"),
  callFuelMax: lowered("callFuelMax"),
  stateBytes: lowered("stateBytes"),
});

const HEAD = /^head:([1-9]\d{0,5})$/;

const manifestSchema = z.strictObject({
  hooks: z
    .array(z.enum(["in", "out"]))
    .min(1)
    .max(2)
    .optional(),
  attrs: names(moduleLimits.attributes).default([]),
  payload: z
    .string()
    .check((checked) => {
      const bytes = Number(HEAD.exec(checked.value)?.[1] ?? Number.NaN);
      if (checked.value === "none" || checked.value === "full" || bytes <= moduleLimits.recordBytes) return;
      refuse(
        checked,
        "invalid_value",
        `it must be none, full or head: and a number of bytes up to ${moduleLimits.recordBytes}`,
      );
    })
    .default("none"),
  sinkAttrs: names(moduleLimits.sinkAttributes).default([]),
  limits: limitsSchema.prefault({}),
  onError: z.enum(["pass", "drop", "divert"]).default("pass"),
  config: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Reads a manifest.
 *
 * @param bytes JSON; undefined where there is none.
 * @returns What it says, or everything that is wrong with it.
 */
export function manifestFrom(bytes: Uint8Array | undefined): ManifestInput | { readonly reasons: readonly string[] } {
  const json = jsonFrom(bytes);
  if ("reason" in json) return { reasons: [json.reason] };
  const read = manifestSchema.safeParse(json.value, { reportInput: true });
  if (!read.success) {
    const found = read.error.issues
      .slice(0, REASONS_MAX)
      .map((issue) => errorFromIssues([issue], ["manifest"]).message);
    return { reasons: [...new Set(found)] };
  }
  const { hooks, payload, limits, ...rest } = read.data;
  const head = HEAD.exec(payload)?.[1];
  return {
    ...rest,
    hooks: hooks && [...new Set(hooks)],
    payload: head === undefined ? (payload as "none" | "full") : { headBytes: Number(head) },
    limits: Object.freeze({ ...moduleLimits, ...limits }),
  };
}

function jsonFrom(bytes: Uint8Array | undefined): { readonly value: unknown } | { readonly reason: string } {
  if (bytes === undefined) return { value: {} };
  if (bytes.length > BYTES_MAX)
    return { reason: `Cannot take a manifest of ${bytes.length} bytes, limit is ${BYTES_MAX}` };
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) };
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `, ${cause.message}` : ", it is not UTF-8";
    return { reason: `Cannot read the manifest as JSON${why}` };
  }
}
