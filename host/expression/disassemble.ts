/** Writes a program down for people: golden tests and debugging. Never given to peers. */
import * as code from "../../core-wasm/expression/code.ts";
import { type Value, valueText } from "./value.ts";

/** What follows an operation: the index of a constant or name, a distance, a function with its arguments, error bits. */
type Operand = "none" | "constant" | "name" | "jump" | "call" | "errors";

const operations: ReadonlyMap<number, readonly [name: string, operand: Operand]> = new Map([
  [code.OP_CONSTANT, ["CONSTANT", "constant"]],
  [code.OP_NAME, ["NAME", "name"]],
  [code.OP_EXISTS, ["EXISTS", "name"]],
  [code.OP_IS_MISSING, ["IS_MISSING", "none"]],
  [code.OP_AGE, ["AGE", "name"]],
  [code.OP_NOT, ["NOT", "none"]],
  [code.OP_NEGATE, ["NEGATE", "none"]],
  [code.OP_TO_BOOLEAN, ["TO_BOOLEAN", "none"]],
  [code.OP_TO_INTEGER, ["TO_INTEGER", "none"]],
  [code.OP_TO_TEXT, ["TO_TEXT", "none"]],
  [code.OP_EQUAL, ["EQUAL", "none"]],
  [code.OP_NOT_EQUAL, ["NOT_EQUAL", "none"]],
  [code.OP_LESS, ["LESS", "none"]],
  [code.OP_LESS_EQUAL, ["LESS_EQUAL", "none"]],
  [code.OP_GREATER, ["GREATER", "none"]],
  [code.OP_GREATER_EQUAL, ["GREATER_EQUAL", "none"]],
  [code.OP_ADD, ["ADD", "none"]],
  [code.OP_SUBTRACT, ["SUBTRACT", "none"]],
  [code.OP_MULTIPLY, ["MULTIPLY", "none"]],
  [code.OP_DIVIDE, ["DIVIDE", "none"]],
  [code.OP_REMAINDER, ["REMAINDER", "none"]],
  [code.OP_XOR, ["XOR", "none"]],
  [code.OP_JUMP_FALSE, ["JUMP_FALSE", "jump"]],
  [code.OP_JUMP_TRUE, ["JUMP_TRUE", "jump"]],
  [code.OP_LIKE, ["LIKE", "constant"]],
  [code.OP_NOT_LIKE, ["NOT_LIKE", "constant"]],
  [code.OP_IN_EQUAL, ["IN_EQUAL", "none"]],
  [code.OP_NIP, ["NIP", "none"]],
  [code.OP_IN_NOT, ["IN_NOT", "none"]],
  [code.OP_BETWEEN, ["BETWEEN", "none"]],
  [code.OP_NOT_BETWEEN, ["NOT_BETWEEN", "none"]],
  [code.OP_CALL, ["CALL", "call"]],
  [code.OP_FAIL, ["FAIL", "errors"]],
  [code.OP_END, ["END", "none"]],
]);

const functions: ReadonlyMap<number, string> = new Map([
  [code.FUNCTION_LENGTH, "LENGTH"],
  [code.FUNCTION_CONCAT, "CONCAT"],
  [code.FUNCTION_CONCAT_WS, "CONCAT_WS"],
  [code.FUNCTION_LOWER, "LOWER"],
  [code.FUNCTION_UPPER, "UPPER"],
  [code.FUNCTION_TRIM, "TRIM"],
  [code.FUNCTION_LEFT, "LEFT"],
  [code.FUNCTION_RIGHT, "RIGHT"],
  [code.FUNCTION_SUBSTRING, "SUBSTRING"],
  [code.FUNCTION_ABS, "ABS"],
]);

const operandBytes: { readonly [Kind in Operand]: number } = {
  none: 0,
  constant: 2,
  name: 2,
  jump: 2,
  call: 2,
  errors: 1,
};

/**
 * A head line, then a line per operation: its offset in the code, its name, and what its operand stands for. Jumps show the
 * offset they lead to; names of fields of the event are followed by the field's number.
 *
 * @throws {RangeError} where the bytes end too early; they are those of a program otherwise.
 */
export function disassemble(program: Uint8Array): string {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const constants = view.getUint16(4, true);
  const namesAt = code.EXPRESSION_HEADER_BYTES + constants * code.EXPRESSION_CONSTANT_BYTES;
  const codeAt = namesAt + view.getUint16(6, true) * code.EXPRESSION_NAME_BYTES;
  const codeEnd = codeAt + view.getUint32(8, true);
  const dialect = view.getUint8(1) === code.EXPRESSION_CESQL ? "cesql" : "sluice";
  const lines = [`version ${view.getUint8(0)}, ${dialect}, stack ${view.getUint8(2)}`];
  for (let at = codeAt; at < codeEnd; ) {
    const [name, kind] = operations.get(view.getUint8(at)) ?? ["?", "none"];
    const next = at + 1 + operandBytes[kind];
    const shown = kind === "none" ? "" : operandText(view, kind, at + 1, next - codeAt, namesAt);
    lines.push(`${String(at - codeAt).padStart(4)}  ${shown === "" ? name : `${name.padEnd(13)} ${shown}`}`);
    at = next;
  }
  return lines.join("\n");
}

function operandText(view: DataView, kind: Operand, at: number, next: number, namesAt: number): string {
  switch (kind) {
    case "constant":
      return constantText(view, view.getUint16(at, true));
    case "name":
      return nameText(view, namesAt + view.getUint16(at, true) * code.EXPRESSION_NAME_BYTES);
    case "jump":
      return `→ ${next + view.getUint16(at, true)}`;
    case "call":
      return `${functions.get(view.getUint8(at)) ?? "?"}/${view.getUint8(at + 1)}`;
    default:
      return `errors ${view.getUint8(at)}`;
  }
}

function constantText(view: DataView, index: number): string {
  const at = code.EXPRESSION_HEADER_BYTES + index * code.EXPRESSION_CONSTANT_BYTES;
  let value: Value;
  const type = view.getUint8(at);
  if (type === code.TYPE_BOOLEAN) value = view.getUint8(at + 8) !== 0;
  else if (type === code.TYPE_INTEGER) value = view.getBigInt64(at + 8, true);
  else if (type === code.TYPE_NUMBER) value = view.getFloat64(at + 8, true);
  else if (type === code.TYPE_TEXT) value = textAt(view, view.getUint32(at + 8, true), view.getUint32(at + 12, true));
  return valueText(value);
}

function nameText(view: DataView, at: number): string {
  const name = textAt(view, view.getUint32(at + 4, true), view.getUint16(at + 2, true));
  const field = view.getUint8(at + 1);
  if (view.getUint8(at) === code.SCOPE_SINK) return `sink.${name}`;
  return field === code.FIELD_ATTRIBUTE ? name : `${name} (field ${field})`;
}

function textAt(view: DataView, offset: number, bytes: number): string {
  if (offset + bytes > view.byteLength) throw new RangeError(`A text ends at ${offset + bytes} of ${view.byteLength}`);
  return new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(view.buffer, view.byteOffset + offset, bytes));
}
