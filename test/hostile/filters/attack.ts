/** What a hostile module is to this suite: bytes that a stranger uploads, and what has to come of it. */
import { type FunctionPart, filterOf, type ModuleParts } from "../../host/filter/meter/assemble.ts";

/** One module. */
export interface Attack {
  readonly name: string;
  /** Made when it is needed: some are large. */
  readonly bytes: () => Uint8Array<ArrayBuffer>;
  /** Refused at upload: what the reasons must have said, each by one of them. Absent: taken, and contained when it runs. */
  readonly reasons?: readonly RegExp[];
  /** The same, taken by the dry run: it sends everything to all, and does its worst from a later call on. */
  readonly sleeper?: () => Uint8Array<ArrayBuffer>;
  /** How a call of its hook ends: its fuel is spent, it traps in another way, or nothing happens. */
  readonly ends?: "fuel" | "trap" | "well";
}

/** Items by index. */
export function many<Item>(count: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

/** A filter that is refused. */
export function refused(name: string, parts: ModuleParts, ...reasons: RegExp[]): Attack {
  return { name, bytes: () => filterOf(parts), reasons };
}

/** Bytes that are refused. */
export function refusedBytes(name: string, bytes: () => ArrayLike<number>, ...reasons: RegExp[]): Attack {
  return { name, bytes: () => Uint8Array.from(bytes()), reasons };
}

/** A filter that is taken: its hook does something. */
export function contained(name: string, ends: "fuel" | "trap" | "well", code: string, parts: ModuleParts = {}): Attack {
  return {
    name,
    ends,
    bytes: () => filterOf({ ...parts, functions: withHook(code, parts) }),
    sleeper: () => filterOf(sleeperOf(code, parts)),
  };
}

/** Calls in which a sleeper behaves: more than the dry run makes. */
export const CALLS_ASLEEP = 8;

function sleeperOf(code: string, parts: ModuleParts): ModuleParts {
  const { globals = [], functions = [] } = parts;
  const calls = globals.length;
  const toAll =
    "block void loop void local.get 4 local.get 1 i32.ge_u br_if 1 " +
    "local.get 2 local.get 4 i32.const 2 i32.shl i32.add i32.const 1 i32.store 0 " +
    "local.get 4 i32.const 1 i32.add local.set 4 br 0 end end local.get 1 return";
  const asleep =
    `global.get ${calls} i32.const 1 i32.add global.set ${calls} ` +
    `global.get ${calls} i32.const ${CALLS_ASLEEP} i32.le_u if void ${toAll} end`;
  // Room for each kind, so that it is not found out by its arenas.
  const arena = {
    type: "ii:i",
    code: "local.get 0 i32.const 17 i32.shl i32.const 1024 i32.add",
    exports: ["sluice_arena"],
  };
  return {
    memory: { min: 16 },
    ...parts,
    globals: [...globals, { type: "i", isMutable: true, init: "i32.const 0" }],
    functions: withHook(`${asleep} ${code}`, { functions: [...functions, arena] }),
  };
}

/** The functions of some parts, and an IN hook with that code behind them. */
export function withHook(code: string, { functions = [] }: ModuleParts): readonly FunctionPart[] {
  return [...functions, { type: "iiii:i", locals: "iild", code, exports: ["sluice_in"] }];
}
