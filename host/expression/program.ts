/** Assembles programs: operations with their operands, constants and names once each, texts behind the code. */
import * as code from "../../core-wasm/expression/code.ts";
import { beyond } from "./failure.ts";
import type { ExpressionLimits } from "./reader.ts";
import type { Value } from "./value.ts";

/** A constant of a program. */
type Constant = Exclude<Value, undefined>;

/** Where a jump has to be told its target: offset of its operand. */
export type Jump = number;

/** Effects of operations on the depth of the stack, where they are not none. Jumps and calls are dealt with apart. */
const effects: ReadonlyMap<number, number> = new Map([
  ...[code.OP_CONSTANT, code.OP_NAME, code.OP_EXISTS, code.OP_AGE, code.OP_FAIL].map((op) => [op, 1] as const),
  ...[code.OP_EQUAL, code.OP_NOT_EQUAL, code.OP_LESS, code.OP_LESS_EQUAL].map((op) => [op, -1] as const),
  ...[code.OP_GREATER, code.OP_GREATER_EQUAL, code.OP_XOR, code.OP_NIP].map((op) => [op, -1] as const),
  ...[code.OP_ADD, code.OP_SUBTRACT, code.OP_MULTIPLY, code.OP_DIVIDE].map((op) => [op, -1] as const),
  ...[code.OP_REMAINDER, code.OP_JUMP_FALSE, code.OP_JUMP_TRUE].map((op) => [op, -1] as const),
  ...[code.OP_BETWEEN, code.OP_NOT_BETWEEN].map((op) => [op, -2] as const),
]);

/** One program in the making. */
export class ProgramBuilder {
  readonly #limits: ExpressionLimits;
  readonly #code: number[] = [];
  /** By type and bits, so that 1, 1.0, TRUE and '1' stay apart. */
  readonly #constants = new Map<string, Constant>();
  readonly #indexes = new Map<string, number>();
  readonly #names: { readonly scope: number; readonly field: number; readonly name: string }[] = [];
  #depth = 0;
  #depthMost = 0;

  readonly #conditions: ReadonlyMap<string, number> | undefined;

  /** @param conditions Where names are conditions: the index of each. */
  constructor(limits: ExpressionLimits, conditions?: ReadonlyMap<string, number>) {
    this.#limits = limits;
    this.#conditions = conditions;
  }

  /** The index of a name that is a condition; undefined where names are the event's. */
  conditionOf(name: string): number | undefined {
    return this.#conditions?.get(name);
  }

  /** Adds an operation without operands, or with operands of one byte each. */
  operation(op: number, ...operands: number[]): void {
    this.#code.push(op, ...operands);
    this.#grow(effects.get(op) ?? 0);
  }

  /** Pushes a constant. */
  constant(value: Constant): void {
    this.#indexed(code.OP_CONSTANT, this.#constantIndex(value));
  }

  /** Adds an operation on a name. */
  name(op: number, scope: number, field: number, name: string): void {
    const key = `name:${scope}:${name}`;
    let index = this.#indexes.get(key);
    if (index === undefined) {
      index = this.#names.length;
      const max = this.#limits.expressionNames;
      if (index === max) throw beyond(`asks for more than ${max} names`, index + 1, max);
      this.#names.push({ scope, field, name });
      this.#indexes.set(key, index);
    }
    this.#indexed(op, index);
  }

  /** Adds OP_LIKE or OP_NOT_LIKE. */
  like(op: number, pattern: string): void {
    this.#indexed(op, this.#constantIndex(pattern));
  }

  /** Adds OP_CALL. */
  call(callee: number, count: number): void {
    this.#code.push(code.OP_CALL, callee, count);
    this.#grow(1 - count);
  }

  /** Adds a jump forward whose target comes later, by {@link land}. */
  jump(op: number): Jump {
    this.#indexed(op, 0);
    return this.#code.length - 2;
  }

  /** Has a jump lead here. */
  land(jump: Jump): void {
    const skip = this.#code.length - (jump + 2);
    this.#code[jump] = skip & 255;
    this.#code[jump + 1] = skip >> 8;
  }

  /**
   * Ends the program.
   *
   * @throws {SluiceError} `limit_reached` where it needs more stack or bytes than the machine has.
   */
  finish(cesql: boolean): Uint8Array<ArrayBuffer> {
    this.operation(code.OP_END);
    const stack = this.#depthMost;
    if (stack > code.EXPRESSION_STACK_MAX) {
      throw beyond(`needs ${stack} values at a time`, stack, code.EXPRESSION_STACK_MAX);
    }
    const codeBytes = this.#code.length;
    if (codeBytes > code.EXPRESSION_CODE_BYTES_MAX) {
      throw beyond(`needs ${codeBytes} bytes of code`, codeBytes, code.EXPRESSION_CODE_BYTES_MAX);
    }
    const constantsAt = code.EXPRESSION_HEADER_BYTES;
    const namesAt = constantsAt + this.#constants.size * code.EXPRESSION_CONSTANT_BYTES;
    const codeAt = namesAt + this.#names.length * code.EXPRESSION_NAME_BYTES;
    const texts = new Texts(codeAt + codeBytes);
    const constants = [...this.#constants.values()].map((value) =>
      typeof value === "string" ? { value, text: texts.place(value) } : { value },
    );
    // What a condition is called says its user: alike programs are kept once.
    const names = this.#names.map((name) => ({
      ...name,
      text: texts.place(name.scope === code.SCOPE_CONDITION ? "" : name.name),
    }));
    if (texts.end > code.EXPRESSION_BYTES_MAX) {
      throw beyond(`needs ${texts.end} bytes of bytecode`, texts.end, code.EXPRESSION_BYTES_MAX);
    }
    const bytes = new Uint8Array(texts.end);
    const view = new DataView(bytes.buffer);
    bytes.set([code.EXPRESSION_VERSION, cesql ? code.EXPRESSION_CESQL : 0, stack]);
    view.setUint16(4, constants.length, true);
    view.setUint16(6, names.length, true);
    view.setUint32(8, codeBytes, true);
    constants.forEach(({ value, text }, index) => {
      const at = constantsAt + index * code.EXPRESSION_CONSTANT_BYTES;
      view.setUint8(at, typeCode(value));
      if (typeof value === "bigint") view.setBigInt64(at + 8, value, true);
      else if (typeof value === "number") view.setFloat64(at + 8, value, true);
      else if (typeof value === "boolean") view.setUint8(at + 8, value ? 1 : 0);
      else {
        view.setUint32(at + 8, text?.at ?? 0, true);
        view.setUint32(at + 12, text?.bytes ?? 0, true);
      }
    });
    names.forEach(({ name, scope, field, text }, index) => {
      const at = namesAt + index * code.EXPRESSION_NAME_BYTES;
      view.setUint8(at, scope);
      view.setUint8(at + 1, field);
      view.setUint16(at + 2, text.bytes, true);
      view.setUint32(at + 4, scope === code.SCOPE_CONDITION ? (this.conditionOf(name) ?? 0) : text.at, true);
    });
    bytes.set(this.#code, codeAt);
    texts.write(bytes);
    return bytes;
  }

  #constantIndex(value: Constant): number {
    const key = constantKey(value);
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#constants.size;
    const max = this.#limits.expressionConstants;
    if (index === max) throw beyond(`has more than ${max} constants`, index + 1, max);
    this.#constants.set(key, value);
    this.#indexes.set(key, index);
    return index;
  }

  #indexed(op: number, index: number): void {
    this.#code.push(op, index & 255, index >> 8);
    this.#grow(effects.get(op) ?? 0);
  }

  #grow(effect: number): void {
    this.#depth += effect;
    this.#depthMost = Math.max(this.#depthMost, this.#depth);
  }
}

function typeCode(value: Constant): number {
  if (typeof value === "bigint") return code.TYPE_INTEGER;
  if (typeof value === "number") return code.TYPE_NUMBER;
  return typeof value === "boolean" ? code.TYPE_BOOLEAN : code.TYPE_TEXT;
}

function constantKey(value: Constant): string {
  return `${typeof value}:${Object.is(value, -0) ? "-0" : value}`;
}

const encoder = new TextEncoder();
const ASCII = /^[\0-\x7f]*$/;

/** UTF-8 of a text. Nearly all are short ASCII, for which a loop is faster than to call the encoder. */
function utf8Of(text: string): Uint8Array {
  if (text.length > 64 || !ASCII.test(text)) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** Texts behind the code, each once. */
class Texts {
  readonly #placed = new Map<string, { readonly at: number; readonly bytes: number; readonly utf8: Uint8Array }>();
  end: number;

  constructor(begin: number) {
    this.end = begin;
  }

  place(text: string): { readonly at: number; readonly bytes: number } {
    const known = this.#placed.get(text);
    if (known !== undefined) return known;
    const utf8 = utf8Of(text);
    const placed = { at: this.end, bytes: utf8.length, utf8 };
    this.#placed.set(text, placed);
    this.end += utf8.length;
    return placed;
  }

  write(program: Uint8Array): void {
    for (const { at, utf8 } of this.#placed.values()) program.set(utf8, at);
  }
}
