/**
 * Modules from parts and text: what no compiler would write, down to the byte.
 *
 * Instructions are written as in the text format, flat: `local.get 0 i32.const 1 i32.add`. Names come from the instrumenter's own
 * tables; that they stand for the right bytes shows in engines taking and running what is made.
 */
import {
  bulkOpcodes,
  type Immediate,
  type Opcode,
  opcodes,
  PREFIX_BULK,
  PREFIX_VECTOR,
} from "../../../../host/filter/meter/opcodes.ts";
import { vectorOpcodes } from "../../../../host/filter/meter/vector-opcodes.ts";

/** A function. */
export interface FunctionPart {
  /** Letters of parameters, a colon, letters of results: `iiii:i`. i i32, l i64, f f32, d f64, v v128, r funcref, e externref. */
  readonly type: string;
  /** Letters of locals. */
  readonly locals?: string;
  /** Without the last `end`. */
  readonly code?: string;
  /** Names under which it is exported. */
  readonly exports?: readonly string[];
  /** In place of all but the type: bytes of the body without their length. */
  readonly raw?: readonly number[];
}

/** A module. What is left out is not there, but for what the ABI asks, see {@link filterOf}. */
export interface ModuleParts {
  readonly imports?: readonly { readonly module: string; readonly name: string; readonly type: string }[];
  readonly functions?: readonly FunctionPart[];
  /** Letters of types that blocks and indirect calls name, in front of all others. */
  readonly types?: readonly string[];
  /** Flags, least, most. */
  readonly tables?: readonly { readonly type?: string; readonly min: number; readonly max?: number }[];
  readonly memory?: { readonly min: number; readonly max?: number };
  readonly globals?: readonly { readonly type: string; readonly isMutable?: boolean; readonly init: string }[];
  readonly exports?: readonly { readonly name: string; readonly kind: number; readonly index: number }[];
  readonly start?: number;
  /** Active, of table 0. */
  readonly elements?: readonly { readonly offset: number; readonly functions: readonly number[] }[];
  /** Active with an offset, else passive. */
  readonly data?: readonly { readonly offset?: number; readonly bytes: readonly number[] }[];
  readonly customs?: readonly { readonly name: string; readonly bytes: readonly number[] }[];
  /** Sections as they are, by number: in place of those that the parts would give. */
  readonly sections?: Readonly<Record<number, readonly number[]>>;
}

const TYPES: Readonly<Record<string, number>> = { i: 0x7f, l: 0x7e, f: 0x7d, d: 0x7c, v: 0x7b, r: 0x70, e: 0x6f };
const MEMORY = 2;
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

/** By name: the bytes, and what follows them. */
const BY_NAME = new Map<string, { readonly bytes: readonly number[]; readonly opcode: Opcode }>();
for (const [prefix, table] of [
  [undefined, opcodes],
  [PREFIX_BULK, bulkOpcodes],
  [PREFIX_VECTOR, vectorOpcodes],
] as const) {
  for (const opcode of table) {
    if (opcode === undefined || BY_NAME.has(opcode.name)) continue;
    BY_NAME.set(opcode.name, { opcode, bytes: prefix === undefined ? [opcode.code] : [prefix, ...u32(opcode.code)] });
  }
}

/** A module that the ABI lets pass: memory, marker, arena and an IN hook are added where they are missing. */
export function filterOf(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { functions = [], memory = { min: 1 }, exports = [] } = parts;
  const has = (name: string): boolean =>
    functions.some((one) => one.exports?.includes(name)) || exports.some((one) => one.name === name);
  const added: FunctionPart[] = [];
  const add = (name: string, type: string, code: string): void => {
    if (!has(name)) added.push({ type, code, exports: [name] });
  };
  add("sluice_abi_1", ":", "");
  add("sluice_arena", "ii:i", "i32.const 1024");
  if (!has("sluice_out")) add("sluice_in", "iiii:i", "local.get 1");
  const memoryExport = has("memory") ? [] : [{ name: "memory", kind: MEMORY, index: 0 }];
  return moduleOf({ ...parts, memory, functions: [...functions, ...added], exports: [...memoryExport, ...exports] });
}

/** A module of parts, and of nothing else. */
export function moduleOf(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { imports = [], functions = [], tables = [], memory, globals = [], elements = [], data = [] } = parts;
  const types = [...(parts.types ?? [])];
  const typeOf = (type: string): number => {
    if (!types.includes(type)) types.push(type);
    return types.indexOf(type);
  };
  const exports = [
    ...(parts.exports ?? []),
    ...functions.flatMap((one, index) =>
      (one.exports ?? []).map((name) => ({ name, kind: 0, index: imports.length + index })),
    ),
  ];
  const made: Record<number, readonly number[]> = {};
  const list = (id: number, entries: readonly (readonly number[])[]): void => {
    if (entries.length > 0) made[id] = vector(entries);
  };
  list(
    2,
    imports.map(({ module, name, type }) => [...text(module), ...text(name), 0, ...u32(typeOf(type))]),
  );
  list(
    3,
    functions.map(({ type }) => u32(typeOf(type))),
  );
  list(
    4,
    tables.map(({ type = "r", min, max }) => [...lettersOf(type), ...extent(min, max)]),
  );
  if (memory !== undefined) made[5] = [1, ...extent(memory.min, memory.max)];
  list(
    6,
    globals.map(({ type, isMutable, init }) => [...lettersOf(type), isMutable ? 1 : 0, ...codeOf(init), 0x0b]),
  );
  list(
    7,
    exports.map(({ name, kind, index }) => [...text(name), kind, ...u32(index)]),
  );
  if (parts.start !== undefined) made[8] = u32(parts.start);
  list(
    9,
    elements.map((one) => [0, 0x41, ...s32(one.offset), 0x0b, ...vector(one.functions.map(u32))]),
  );
  if (data.length > 0) made[12] = u32(data.length);
  list(
    10,
    functions.map(({ locals = "", code = "", raw }) => {
      const groups = vector(lettersOf(locals).map((type) => [1, type]));
      return sized(raw ?? [...groups, ...codeOf(code, typeOf), 0x0b]);
    }),
  );
  list(
    11,
    data.map(({ offset, bytes }) =>
      offset === undefined ? [1, ...sized(bytes)] : [0, 0x41, ...s32(offset), 0x0b, ...sized(bytes)],
    ),
  );
  list(
    1,
    types.map((type) => {
      const [params = "", results = ""] = type.split(":");
      return [0x60, ...sized(lettersOf(params)), ...sized(lettersOf(results))];
    }),
  );
  Object.assign(made, parts.sections);
  const customs = (parts.customs ?? []).flatMap(({ name, bytes }) => [0, ...sized([...text(name), ...bytes])]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...customs,
    ...ORDER.flatMap((id) => (made[id] === undefined ? [] : [id, ...sized(made[id])])),
  ]);
}

/** One instruction of a text. */
export interface Instruction {
  readonly opcode: Opcode;
  /** As it stands in the text. */
  readonly source: string;
  /** What follows its name. */
  readonly words: readonly string[];
}

/** Words that follow a name, where it is not one. */
const WORDS: Partial<Record<Immediate, number>> = {
  none: 0,
  memory: 0,
  memories: 0,
  indexes: 2,
  addressLane: 2,
  lanes: 16,
  v128: 16,
};

/**
 * Cuts a text into instructions.
 *
 * Blocks take `void`, a letter, or a type as `ii:i`; indirect calls take such a type and no table; `br_table` takes `0,1,2`.
 */
export function instructionsOf(source: string): Instruction[] {
  const words = source.split(/\s+/).filter((word) => word !== "");
  const found: Instruction[] = [];
  for (let at = 0; at < words.length; ) {
    const name = words[at] as string;
    const opcode = BY_NAME.get(name)?.opcode;
    if (opcode === undefined) throw new Error(`There is no instruction ${JSON.stringify(name)}`);
    const end = at + 1 + (WORDS[opcode.immediate] ?? 1);
    if (end > words.length) throw new Error(`Something is missing behind ${name}`);
    found.push({ opcode, source: words.slice(at, end).join(" "), words: words.slice(at + 1, end) });
    at = end;
  }
  return found;
}

/** Bytes of instructions. `typeOf` gives numbers of types; without it they are to be written as numbers. */
export function codeOf(source: string, typeOf: (type: string) => number = Number): number[] {
  return instructionsOf(source).flatMap(({ opcode, words }) => [
    ...(BY_NAME.get(opcode.name)?.bytes ?? []),
    ...immediateOf(opcode.immediate, words, typeOf),
  ]);
}

function immediateOf(immediate: Immediate, words: readonly string[], typeOf: (type: string) => number): number[] {
  const [word = "", second = ""] = words;
  switch (immediate) {
    case "none":
      return [];
    case "block":
      return word === "void" ? [0x40] : word.includes(":") ? s32(typeOf(word)) : lettersOf(word);
    case "labels": {
      const labels = word.split(",").map(Number);
      return [...u32(labels.length - 1), ...labels.flatMap(u32)];
    }
    case "indirect":
      return [...u32(typeOf(word)), 0];
    case "label":
    case "function":
    case "index":
      return u32(Number(word));
    case "indexes":
      return [...u32(Number(word)), ...u32(Number(second))];
    case "indexMemory":
      return [...u32(Number(word)), 0];
    case "memory":
      return [0];
    case "memories":
      return [0, 0];
    case "address":
      return [0, ...u32(Number(word))];
    case "addressLane":
      return [0, ...u32(Number(word)), Number(second)];
    case "i32":
      return s32(Number(word));
    case "i64":
      return s64(BigInt(word));
    case "f32":
      return [...new Uint8Array(Float32Array.of(Number(word)).buffer)];
    case "f64":
      return [...new Uint8Array(Float64Array.of(Number(word)).buffer)];
    case "types":
      return sized(lettersOf(word));
    case "reference":
      return lettersOf(word);
    case "lane":
    case "lanes":
    case "v128":
      return words.map(Number);
  }
}

/** An unsigned LEB128 number. */
export function u32(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  for (; rest > 0x7f; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return [...out, rest];
}

/** A signed LEB128 number of 32 bits. */
export function s32(value: number): number[] {
  return s64(BigInt(value | 0));
}

/** A signed LEB128 number of 64 bits. */
export function s64(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 63n || rest < -64n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest & 0x7fn)];
}

/** Bytes behind their number. */
export function sized(bytes: readonly number[]): number[] {
  return [...u32(bytes.length), ...bytes];
}

/** Entries behind their number. */
export function vector(entries: readonly (readonly number[])[]): number[] {
  return [...u32(entries.length), ...entries.flat()];
}

/** A text behind its length. */
export function text(value: string): number[] {
  return sized([...new TextEncoder().encode(value)]);
}

function lettersOf(letters: string): number[] {
  return [...letters].map((letter) => {
    const type = TYPES[letter];
    if (type === undefined) throw new Error(`There is no type ${JSON.stringify(letter)}`);
    return type;
  });
}

function extent(min: number, max: number | undefined): number[] {
  return max === undefined ? [0, ...u32(min)] : [1, ...u32(min), ...u32(max)];
}
