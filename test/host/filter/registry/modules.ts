/** Filter modules for tests of what is done with them: each decides the same of every event. */
import { createHash } from "node:crypto";
import { withManifest } from "../../../../host/filter/registry/sections.ts";
import { filterOf } from "../meter/assemble.ts";

/** Every event to nobody, to all candidates, or to whoever a word of that number means. */
export type Constant = "drop" | "all" | number;

/** How a module is made. */
export interface ModuleOptions {
  readonly hooks?: readonly ("in" | "out")[];
  readonly decision?: Constant;
  /** Code of the hook, where it decides nothing so simple. */
  readonly code?: string;
  /** Put into the module as its custom section. */
  readonly manifest?: object;
  /** Makes it another content, which decides the same. */
  readonly salt?: number;
}

/** Four arenas of 16 KiB. */
const arena = "local.get 0 i32.const 14 i32.shl";

/** Code of a hook that writes `word` for each event. */
const hookCode = (word: number): string =>
  `block void loop void local.get 4 local.get 1 i32.ge_u br_if 1
   local.get 2 local.get 4 i32.const 2 i32.shl i32.add i32.const ${word} i32.store 0
   local.get 4 i32.const 1 i32.add local.set 4 br 0 end end local.get 1`;

/** A module as a toolchain would leave it. */
export function moduleWith(options: ModuleOptions = {}): Uint8Array {
  const { hooks = ["out"], decision = "all", manifest, salt = 0 } = options;
  const bytes = filterOf({
    globals: [{ type: "i", init: `i32.const ${salt}` }],
    functions: [
      { type: "ii:i", code: arena, exports: ["sluice_arena"] },
      {
        type: "iiii:i",
        locals: "i",
        code: options.code ?? hookCode(typeof decision === "number" ? decision : Number(decision === "all")),
        exports: hooks.map((hook) => `sluice_${hook}`),
      },
    ],
  });
  return manifest === undefined ? bytes : withManifest(bytes, new TextEncoder().encode(JSON.stringify(manifest)));
}

/** The digest of a content, as the host says it. */
export function digestOf(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
