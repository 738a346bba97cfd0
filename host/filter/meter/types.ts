/** Types of values and functions, and constant expressions: what several sections are made of. */
import type { ModuleLimits } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { type Reasons, Unreadable } from "./refusal.ts";

/** A function's type: a byte for each value. */
export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

/** Bytes of types that instrumented code needs by name. */
export const TYPE_I32 = 0x7f;
export const TYPE_FUNCTION = 0x60;
export const TYPE_FUNCREF = 0x70;
export const TYPE_EXTERNREF = 0x6f;

const LETTERS: ReadonlyMap<number, string> = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [TYPE_FUNCREF, "funcref"],
  [TYPE_EXTERNREF, "externref"],
]);

/** Constants, by opcode: the bits of a LEB128 number, or bytes as they are. */
const CONSTANT_BITS: ReadonlyMap<number, number> = new Map([
  [0x41, 32],
  [0x42, 64],
]);
const CONSTANT_BYTES: ReadonlyMap<number, number> = new Map([
  [0x43, 4],
  [0x44, 8],
]);
const PREFIX_VECTOR = 0xfd;
const VECTOR_CONST = 12;
const REF_NULL = 0xd0;
const REF_FUNC = 0xd2;
const END = 0x0b;

/** Whether a byte stands for a type of values. */
export function isValueType(byte: number): boolean {
  return LETTERS.has(byte);
}

/** Reads a type of values. */
export function valueType(reader: Reader): number {
  const { at } = reader;
  const byte = reader.u8();
  if (!isValueType(byte)) throw new Unreadable(at, `type ${hex(byte)} is not allowed`);
  return byte;
}

/** Reads a type of references. */
export function referenceType(reader: Reader): number {
  const { at } = reader;
  const byte = reader.u8();
  if (byte !== TYPE_FUNCREF && byte !== TYPE_EXTERNREF)
    throw new Unreadable(at, `reference type ${hex(byte)} is not allowed`);
  return byte;
}

/** Reads a function's type. */
export function functionType(reader: Reader, limits: ModuleLimits, reasons: Reasons): FunctionType {
  const { at } = reader;
  const form = reader.u8();
  if (form !== TYPE_FUNCTION) throw new Unreadable(at, `type form ${hex(form)} is not allowed, only functions`);
  const list = (what: string, limit: number): number[] => {
    const from = reader.at;
    const count = reader.u32();
    reasons.limit("section type", from, what, count, limit);
    // Each takes a byte, so that a count beyond the section ends there.
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push(valueType(reader));
    return found;
  };
  return { params: list("parameters of a type", limits.params), results: list("results of a type", limits.results) };
}

/** As reasons write a type: `(i32, i32) → i32`. */
export function typeText({ params, results }: FunctionType): string {
  const list = (types: readonly number[]): string => types.map((type) => LETTERS.get(type)).join(", ");
  return `(${list(params)}) → ${results.length === 1 ? list(results) : `(${list(results)})`}`;
}

/** Whether two types are the same. */
export function isSameType(left: FunctionType, right: FunctionType): boolean {
  return typeText(left) === typeText(right);
}

/**
 * Reads a constant expression: one constant. Longer ones and those that read globals are understood by some engines only, and a
 * module is to be taken by all or by none.
 *
 * @returns The function that it refers to, if it does.
 */
export function constantExpression(reader: Reader): number | undefined {
  const { at } = reader;
  const opcode = reader.u8();
  let refersTo: number | undefined;
  if (opcode === REF_NULL) referenceType(reader);
  else if (opcode === REF_FUNC) refersTo = reader.u32();
  else if (CONSTANT_BITS.has(opcode)) reader.signed(CONSTANT_BITS.get(opcode) as number);
  else if (CONSTANT_BYTES.has(opcode)) reader.skip(CONSTANT_BYTES.get(opcode) as number);
  else if (opcode === PREFIX_VECTOR && reader.u32() === VECTOR_CONST) reader.skip(16);
  else throw new Unreadable(at, `a constant cannot begin with ${hex(opcode)}`);
  if (reader.u8() !== END) throw new Unreadable(at, "a constant expression has more than one constant");
  return refersTo;
}

/** As reasons write a byte. */
export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
