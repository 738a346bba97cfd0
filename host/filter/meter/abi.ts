/** The ABI `sluice-filter/1` as far as a module's imports and exports show it. */
import type { Reasons } from "./refusal.ts";
import { type FunctionType, isSameType, TYPE_I32, typeText } from "./types.ts";

/** Majors of the ABI that this host speaks. */
export const ABI_MAJORS: readonly number[] = Object.freeze([1]);

/** What a module may export for the host to call. */
export type Hook = "arena" | "in" | "out" | "sinks" | "init" | "save" | "restore";

const TYPE_F64 = 0x7c;

function typeOf(params: number, ...results: number[]): FunctionType {
  return Object.freeze({ params: Object.freeze(new Array(params).fill(TYPE_I32)), results: Object.freeze(results) });
}

/** Exports `sluice_NAME`, all with 32-bit integers only. */
export const HOOKS: Readonly<Record<Hook, FunctionType>> = Object.freeze({
  arena: typeOf(2, TYPE_I32),
  in: typeOf(4, TYPE_I32),
  out: typeOf(4, TYPE_I32),
  sinks: typeOf(3),
  init: typeOf(2, TYPE_I32),
  save: typeOf(2, TYPE_I32),
  restore: typeOf(2, TYPE_I32),
});

/** Imports by "module.name". A map, so that `__proto__` and its kin are names as any other. */
const IMPORTS: ReadonlyMap<string, FunctionType> = new Map([
  ["sluice.log", typeOf(3)],
  ["sluice.now", typeOf(0, TYPE_F64)],
  ["sluice.rand", typeOf(0, TYPE_I32)],
  ["sluice.intern", typeOf(2, TYPE_I32)],
  // AssemblyScript calls it where an assertion fails.
  ["env.abort", typeOf(4)],
]);

const PREFIX = "sluice_";
/** Of exports that the instrumenter adds. */
const RESERVED = "$sluice";
const MARKER = /^sluice_abi_(?<major>\d{1,9})(_\d{1,9})?$/;

/** An import. */
export interface Import {
  readonly module: string;
  readonly name: string;
  /** Undefined where it could not be read. */
  readonly type: FunctionType | undefined;
  /** Offset in the upload. */
  readonly at: number;
}

/** An export. */
export interface Export {
  readonly name: string;
  /** 0 function, 1 table, 2 memory, 3 global. */
  readonly kind: number;
  readonly index: number;
  readonly at: number;
  /** Of a function whose type is known. */
  readonly type: FunctionType | undefined;
}

export const EXPORT_FUNCTION = 0;
export const EXPORT_MEMORY = 2;

/** Notes imports that the host does not give. */
export function checkImports(imports: readonly Import[], reasons: Reasons): void {
  for (const { module, name, type, at } of imports) {
    const full = shown(`${module}.${name}`);
    const wanted = IMPORTS.get(`${module}.${name}`);
    if (wanted === undefined)
      reasons.add("section import", at, `${full} is not given to filters, only ${[...IMPORTS.keys()].join(", ")}`);
    else if (type !== undefined && !isSameType(type, wanted))
      reasons.add("section import", at, `${full} has type ${typeText(type)}, the host gives ${typeText(wanted)}`);
  }
}

/**
 * Notes what the ABI asks of exports and is not there, or is of the wrong kind.
 *
 * @param areAll Whether these are all: else nothing is missed among them.
 */
export function checkExports(exports: readonly Export[], areAll: boolean, reasons: Reasons): void {
  const majors = new Set<number>();
  const found = new Set<string>();
  let hasMemory = false;
  for (const { name, kind, at, type } of exports) {
    const wrong = (what: string): void => reasons.add("section export", at, what);
    if (found.has(name)) wrong(`${shown(name)} is exported twice`);
    found.add(name);
    if (name.startsWith(RESERVED)) wrong(`${shown(name)} begins with ${RESERVED}, which is the host's`);
    if (name === "memory" && kind === EXPORT_MEMORY) hasMemory = true;
    if (kind === EXPORT_FUNCTION) majors.add(Number(MARKER.exec(name)?.groups?.["major"]));
    const hook = hookOf(name);
    if (hook === undefined) continue;
    if (kind !== EXPORT_FUNCTION) wrong(`${name} must be a function`);
    else if (type !== undefined && !isSameType(type, HOOKS[hook]))
      wrong(`${name} has type ${typeText(type)}, the ABI has ${typeText(HOOKS[hook])}`);
  }
  if (!areAll) return;
  majors.delete(Number.NaN);
  if (!ABI_MAJORS.some((major) => majors.has(major))) {
    const spoken = majors.size === 0 ? "none" : [...majors].join(", ");
    reasons.say(
      `exports: no function sluice_abi_1; this host speaks ABI ${ABI_MAJORS.join(", ")}, the module ${spoken}`,
    );
  }
  if (!hasMemory) reasons.say('exports: no memory named "memory"');
  if (!found.has("sluice_arena")) reasons.say("exports: no sluice_arena");
  if (!found.has("sluice_in") && !found.has("sluice_out"))
    reasons.say("exports: no hook, neither sluice_in nor sluice_out");
}

/** The hook that an export is, by its name. */
export function hookOf(name: string): Hook | undefined {
  const hook = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
  return Object.hasOwn(HOOKS, hook) ? (hook as Hook) : undefined;
}

/** A name as it may stand in a message: of bounded length, and without what a terminal would obey. */
export function shown(name: string): string {
  const characters = [...name];
  return JSON.stringify(characters.length <= 64 ? name : `${characters.slice(0, 64).join("")}…`);
}
