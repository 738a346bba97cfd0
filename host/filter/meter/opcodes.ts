/**
 * Every instruction that a filter module may have: its bytes, what follows them, what it does to the height of the operand stack, and
 * what it costs. What stands in no row is refused.
 *
 * Rows follow the index of instructions of the specification; names in one row have consecutive opcodes, "-" is one that does not exist.
 */

/** What follows an opcode. */
export type Immediate =
  | "none"
  | "block"
  | "label"
  | "labels"
  | "function"
  | "indirect"
  | "index"
  | "indexes"
  | "memory"
  | "memories"
  | "indexMemory"
  | "address"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "types"
  | "reference"
  | "lane"
  | "lanes"
  | "addressLane"
  | "v128";

/** Operands that a price grows with, see costs.ts. */
export type Charge = "bytes" | "elements" | "pages";

/** One instruction. */
export interface Opcode {
  readonly name: string;
  /** The byte, or the number behind the prefix. */
  readonly code: number;
  readonly immediate: Immediate;
  /** Values that it leaves on the stack less those that it takes; of calls and blocks, without those of their type. */
  readonly net: number;
  readonly cost: number;
  /** It reads memory at an address of its own. */
  readonly isLoad: boolean;
  /** Present: `cost` is 0, and a helper takes the price of the length on top of the stack. */
  readonly charge?: Charge;
}

/** By code. */
export type OpcodeTable = readonly (Opcode | undefined)[];

type Row = readonly [first: number, immediate: Immediate, net: number, cost: number, names: string, charge?: Charge];

/** Prefixes of numbers that stand in tables of their own. */
export const PREFIX_BULK = 0xfc;
export const PREFIX_VECTOR = 0xfd;

const COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const COMPARE_FLOAT = "eq ne lt gt le ge";
const DIVIDE = "div_s div_u rem_s rem_u";
const BITS = "and or xor shl shr_s shr_u rotl rotr";

/** Instructions of one byte. */
export const opcodes: OpcodeTable = tableOf([
  [0x00, "none", 0, 1, "unreachable nop"],
  [0x02, "block", 0, 0, "block loop"],
  [0x04, "block", -1, 1, "if"],
  [0x05, "none", 0, 0, "else"],
  [0x0b, "none", 0, 0, "end"],
  [0x0c, "label", 0, 1, "br"],
  [0x0d, "label", -1, 1, "br_if"],
  [0x0e, "labels", -1, 4, "br_table"],
  [0x0f, "none", 0, 1, "return"],
  [0x10, "function", 0, 4, "call"],
  [0x11, "indirect", -1, 8, "call_indirect"],
  [0x12, "function", 0, 4, "return_call"],
  [0x13, "indirect", -1, 8, "return_call_indirect"],
  [0x1a, "none", -1, 1, "drop"],
  [0x1b, "none", -2, 1, "select"],
  [0x1c, "types", -2, 1, "select"],
  [0x20, "index", 1, 1, "local.get"],
  [0x21, "index", -1, 1, "local.set"],
  [0x22, "index", 0, 1, "local.tee"],
  [0x23, "index", 1, 1, "global.get"],
  [0x24, "index", -1, 1, "global.set"],
  [0x25, "index", 0, 4, "table.get"],
  // Storing a reference tells the collector: dearer than any other store.
  [0x26, "index", -2, 20, "table.set"],
  // A load may wait for memory; a store need not.
  [0x28, "address", 0, 4, withPrefix("", "i32.load i64.load f32.load f64.load")],
  [0x2c, "address", 0, 4, withPrefix("i32.", "load8_s load8_u load16_s load16_u")],
  [0x30, "address", 0, 4, withPrefix("i64.", "load8_s load8_u load16_s load16_u load32_s load32_u")],
  [0x36, "address", -2, 2, "i32.store i64.store f32.store f64.store"],
  [0x3a, "address", -2, 2, "i32.store8 i32.store16 i64.store8 i64.store16 i64.store32"],
  [0x3f, "memory", 1, 1, "memory.size"],
  [0x40, "memory", 0, 0, "memory.grow", "pages"],
  [0x41, "i32", 1, 1, "i32.const"],
  [0x42, "i64", 1, 1, "i64.const"],
  [0x43, "f32", 1, 1, "f32.const"],
  [0x44, "f64", 1, 1, "f64.const"],
  [0x45, "none", 0, 1, "i32.eqz"],
  [0x46, "none", -1, 1, withPrefix("i32.", COMPARE)],
  [0x50, "none", 0, 1, "i64.eqz"],
  [0x51, "none", -1, 1, withPrefix("i64.", COMPARE)],
  [0x5b, "none", -1, 1, withPrefix("f32.", COMPARE_FLOAT)],
  [0x61, "none", -1, 1, withPrefix("f64.", COMPARE_FLOAT)],
  [0x67, "none", 0, 1, withPrefix("i32.", "clz ctz popcnt")],
  [0x6a, "none", -1, 1, withPrefix("i32.", "add sub mul")],
  [0x6d, "none", -1, 8, withPrefix("i32.", DIVIDE)],
  [0x71, "none", -1, 1, withPrefix("i32.", BITS)],
  [0x79, "none", 0, 1, withPrefix("i64.", "clz ctz popcnt")],
  [0x7c, "none", -1, 1, withPrefix("i64.", "add sub mul")],
  [0x7f, "none", -1, 12, withPrefix("i64.", DIVIDE)],
  [0x83, "none", -1, 1, withPrefix("i64.", BITS)],
  [0x8b, "none", 0, 1, withPrefix("f32.", "abs neg ceil floor trunc nearest")],
  [0x91, "none", 0, 10, "f32.sqrt"],
  [0x92, "none", -1, 1, withPrefix("f32.", "add sub mul")],
  [0x95, "none", -1, 8, "f32.div"],
  [0x96, "none", -1, 1, withPrefix("f32.", "min max copysign")],
  [0x99, "none", 0, 1, withPrefix("f64.", "abs neg ceil floor trunc nearest")],
  [0x9f, "none", 0, 10, "f64.sqrt"],
  [0xa0, "none", -1, 1, withPrefix("f64.", "add sub mul")],
  [0xa3, "none", -1, 8, "f64.div"],
  [0xa4, "none", -1, 1, withPrefix("f64.", "min max copysign")],
  [0xa7, "none", 0, 1, "i32.wrap_i64"],
  [0xa8, "none", 0, 1, withPrefix("i32.trunc_", "f32_s f32_u f64_s f64_u")],
  [0xac, "none", 0, 1, "i64.extend_i32_s i64.extend_i32_u"],
  [0xae, "none", 0, 1, withPrefix("i64.trunc_", "f32_s f32_u f64_s f64_u")],
  [0xb2, "none", 0, 1, withPrefix("f32.", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64")],
  [0xb7, "none", 0, 1, withPrefix("f64.", "convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32")],
  [0xbc, "none", 0, 1, "i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64"],
  [0xc0, "none", 0, 1, "i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s"],
  [0xd0, "reference", 1, 1, "ref.null"],
  [0xd1, "none", 0, 1, "ref.is_null"],
  [0xd2, "index", 1, 6, "ref.func"],
]);

/** Instructions behind {@link PREFIX_BULK}. */
export const bulkOpcodes: OpcodeTable = tableOf([
  [0, "none", 0, 2, withPrefix("i32.trunc_sat_", "f32_s f32_u f64_s f64_u")],
  [4, "none", 0, 2, withPrefix("i64.trunc_sat_", "f32_s f32_u f64_s f64_u")],
  [8, "indexMemory", -3, 0, "memory.init", "bytes"],
  [9, "index", 0, 2, "data.drop"],
  [10, "memories", -3, 0, "memory.copy", "bytes"],
  [11, "memory", -3, 0, "memory.fill", "bytes"],
  [12, "indexes", -3, 0, "table.init", "elements"],
  [13, "index", 0, 2, "elem.drop"],
  [14, "indexes", -3, 0, "table.copy", "elements"],
  [15, "index", -1, 0, "table.grow", "elements"],
  [16, "index", 1, 2, "table.size"],
  [17, "index", -3, 0, "table.fill", "elements"],
]);

/** Every name of a list with something before it. */
export function withPrefix(prefix: string, names: string): string {
  return names
    .split(" ")
    .map((name) => (name === "-" ? name : `${prefix}${name}`))
    .join(" ");
}

/**
 * Makes a table of rows.
 *
 * @throws {Error} Where two rows claim one code: rows are written by hand.
 */
export function tableOf(rows: readonly Row[]): OpcodeTable {
  const table: (Opcode | undefined)[] = new Array(256).fill(undefined);
  for (const [first, immediate, net, cost, names, charge] of rows) {
    names.split(" ").forEach((name, index) => {
      const code = first + index;
      if (name === "-") return;
      if (table[code] !== undefined)
        throw new Error(`Two instructions have the code ${code}: ${table[code].name}, ${name}`);
      const isLoad = name.includes(".load");
      table[code] = Object.freeze({
        name,
        code,
        immediate,
        net,
        cost,
        isLoad,
        ...(charge === undefined ? {} : { charge }),
      });
    });
  }
  return Object.freeze(table);
}
