/**
 * The verifier: a program that passes cannot read or jump outside of itself, ends always (jumps go forward only), and never
 * needs more stack than it says. Whatever bytes come in, it reads none beyond them.
 *
 * One pass over the code keeps the depth of the stack per operation; a jump writes down the depth with which its target
 * must be met, in a table of one byte per byte of code.
 */
import { STATUS_OK } from "../abi";
import { utf8Valid } from "../event/utf8";
import {
  CONDITION_INPUTS_MAX,
  EXPRESSION_ARGUMENTS_MAX,
  EXPRESSION_CESQL,
  EXPRESSION_CODE_BYTES_MAX,
  EXPRESSION_CONSTANT_BYTES,
  EXPRESSION_HEADER_BYTES,
  EXPRESSION_NAME_BYTES,
  EXPRESSION_STACK_MAX,
  EXPRESSION_VERSION,
  FIELDS,
  FUNCTION_CONCAT,
  FUNCTION_CONCAT_WS,
  FUNCTION_LEFT,
  FUNCTION_RIGHT,
  FUNCTION_SUBSTRING,
  FUNCTIONS,
  OP_ADD,
  OP_AGE,
  OP_BETWEEN,
  OP_CALL,
  OP_CONSTANT,
  OP_END,
  OP_EQUAL,
  OP_EXISTS,
  OP_FAIL,
  OP_GREATER_EQUAL,
  OP_IN_EQUAL,
  OP_IN_NOT,
  OP_IS_MISSING,
  OP_JUMP_FALSE,
  OP_JUMP_TRUE,
  OP_LIKE,
  OP_NAME,
  OP_NEGATE,
  OP_NIP,
  OP_NOT,
  OP_NOT_BETWEEN,
  OP_NOT_LIKE,
  OP_REMAINDER,
  OP_TO_BOOLEAN,
  OP_TO_INTEGER,
  OP_TO_TEXT,
  OP_XOR,
  SCOPE_CONDITION,
  SCOPE_EVENT,
  SCOPE_SINK,
  TYPE_BOOLEAN,
  TYPE_TEXT,
} from "./code";

/** What is wrong, as RESULT_VALUE of STATUS_EXPRESSION. */
const HEADER: u32 = 1;
const CONSTANT: u32 = 2;
const NAME: u32 = 3;
const OPERATION: u32 = 4;
const OPERAND: u32 = 5;
const JUMP: u32 = 6;
const STACK: u32 = 7;
const END: u32 = 8;

/** Depth + 1 with which a jump reaches each byte of code, 0: none does. Others use this room between two programs. */
export const depthsAt: u32 = <u32>memory.data(32768);
if (EXPRESSION_CODE_BYTES_MAX > 32767) ERROR("No room for the depths of the code");

let programAt: u32 = 0;
let programBytes: u32 = 0;
let constants: u32 = 0;
let names: u32 = 0;

/** STATUS_OK, or what is wrong with the program at [at, at + bytes). */
export function programVerify(at: u32, bytes: u32): u32 {
  programAt = at;
  programBytes = bytes;
  if (bytes < EXPRESSION_HEADER_BYTES || load<u8>(at) !== EXPRESSION_VERSION) return HEADER;
  if (load<u8>(at, 1) > EXPRESSION_CESQL || load<u8>(at, 3) !== 0) return HEADER;
  constants = load<u16>(at, 4);
  names = load<u16>(at, 6);
  const codeBytes = load<u32>(at, 8);
  const before = EXPRESSION_HEADER_BYTES + constants * EXPRESSION_CONSTANT_BYTES + names * EXPRESSION_NAME_BYTES;
  if (codeBytes > EXPRESSION_CODE_BYTES_MAX || before > bytes || codeBytes > bytes - before) return HEADER;
  for (let i: u32 = 0; i < constants; i++) {
    if (!constantValid(at + EXPRESSION_HEADER_BYTES + i * EXPRESSION_CONSTANT_BYTES)) return CONSTANT;
  }
  const namesAt = at + EXPRESSION_HEADER_BYTES + constants * EXPRESSION_CONSTANT_BYTES;
  for (let i: u32 = 0; i < names; i++) {
    const name = namesAt + i * EXPRESSION_NAME_BYTES;
    if (!nameValid(name)) return NAME;
  }
  const stack = <u32>load<u8>(at, 2);
  if (stack === 0 || stack > EXPRESSION_STACK_MAX) return STACK;
  return codeVerify(at + before, codeBytes, stack, namesAt);
}

function constantValid(constant: u32): bool {
  const type = <u32>load<u8>(constant);
  if (load<u64>(constant) >> 8 !== 0) return false;
  if (type < TYPE_BOOLEAN || type > TYPE_TEXT) return false;
  if (type === TYPE_BOOLEAN) return load<u64>(constant, 8) <= 1;
  return type !== TYPE_TEXT || textWithin(load<u32>(constant, 8), load<u32>(constant, 12));
}

function nameValid(name: u32): bool {
  const scope = <u32>load<u8>(name);
  const field = <u32>load<u8>(name, 1);
  if (scope > SCOPE_CONDITION || field >= FIELDS || (scope !== SCOPE_EVENT && field !== 0)) return false;
  if (scope === SCOPE_CONDITION) return load<u16>(name, 2) === 0 && load<u32>(name, 4) < CONDITION_INPUTS_MAX;
  return textWithin(load<u32>(name, 4), load<u16>(name, 2));
}

function textWithin(offset: u32, bytes: u32): bool {
  return offset <= programBytes && bytes <= programBytes - offset && utf8Valid(programAt + offset, bytes);
}

/** Values that the operation under look takes and gives. */
export let takes: u32 = 0;
export let gives: u32 = 0;

function codeVerify(code: u32, bytes: u32, stack: u32, namesAt: u32): u32 {
  memory.fill(depthsAt, 0, bytes + 1);
  let depth: u32 = 0;
  let offset: u32 = 0;
  while (offset < bytes) {
    const met = <u32>load<u8>(depthsAt + offset);
    if (met !== 0 && met !== depth + 1) return JUMP;
    const op = <u32>load<u8>(code + offset);
    const size = operationBytes(op);
    if (size === 0) return OPERATION;
    if (size > bytes - offset) return OPERAND;
    // Nobody may jump into the middle of an operation.
    for (let i: u32 = 1; i < size; i++) if (load<u8>(depthsAt + offset + i) !== 0) return JUMP;
    const at = code + offset;
    if (!operandValid(op, at, namesAt)) return OPERAND;
    if (takes > depth) return STACK;
    if (op === OP_END) return depth === 1 && offset + 1 === bytes ? STATUS_OK : END;
    if (op === OP_JUMP_FALSE || op === OP_JUMP_TRUE) {
      const target = offset + size + load<u16>(at, 1);
      if (target >= bytes) return JUMP;
      const before = <u32>load<u8>(depthsAt + target);
      // The jump keeps the value that it looked at; going on pops it.
      if (before !== 0 && before !== depth + 1) return JUMP;
      store<u8>(depthsAt + target, <u8>(depth + 1));
    }
    depth = depth - takes + gives;
    if (depth > stack) return STACK;
    offset += size;
  }
  return END;
}

/** Bytes of an operation with its operands; 0: there is no such one. Sets takes and gives; those of calls come later. */
export function operationBytes(op: u32): u32 {
  gives = 1;
  takes = 0;
  if (op === OP_CONSTANT || op === OP_NAME || op === OP_EXISTS || op === OP_AGE) return 3;
  takes = 1;
  if (op === OP_IS_MISSING || op === OP_NOT || op === OP_NEGATE) return 1;
  if (op === OP_TO_BOOLEAN || op === OP_TO_INTEGER || op === OP_TO_TEXT) return 1;
  if (op === OP_LIKE || op === OP_NOT_LIKE) return 3;
  if (op === OP_JUMP_FALSE || op === OP_JUMP_TRUE) {
    gives = 0;
    return 3;
  }
  if (op === OP_END) return 1;
  takes = 2;
  if ((op >= OP_EQUAL && op <= OP_GREATER_EQUAL) || (op >= OP_ADD && op <= OP_REMAINDER)) return 1;
  if (op === OP_XOR || op === OP_NIP) return 1;
  gives = 2;
  if (op === OP_IN_EQUAL || op === OP_IN_NOT) return 1;
  takes = 3;
  gives = 1;
  if (op === OP_BETWEEN || op === OP_NOT_BETWEEN) return 1;
  takes = 0;
  if (op === OP_FAIL) return 2;
  return op === OP_CALL ? 3 : 0;
}

function operandValid(op: u32, at: u32, namesAt: u32): bool {
  if (op === OP_CONSTANT) return load<u16>(at, 1) < constants;
  if (op === OP_LIKE || op === OP_NOT_LIKE) {
    const index = <u32>load<u16>(at, 1);
    return (
      index < constants &&
      load<u8>(programAt + EXPRESSION_HEADER_BYTES + index * EXPRESSION_CONSTANT_BYTES) === TYPE_TEXT
    );
  }
  if (op === OP_NAME || op === OP_EXISTS) return load<u16>(at, 1) < names;
  if (op === OP_AGE) {
    const index = <u32>load<u16>(at, 1);
    return index < names && load<u8>(namesAt + index * EXPRESSION_NAME_BYTES) === SCOPE_SINK;
  }
  if (op !== OP_CALL) return true;
  takes = load<u8>(at, 2);
  return callValid(load<u8>(at, 1), takes);
}

function callValid(callee: u32, count: u32): bool {
  if (callee === 0 || callee >= FUNCTIONS || count > EXPRESSION_ARGUMENTS_MAX) return false;
  if (callee === FUNCTION_CONCAT) return true;
  if (callee === FUNCTION_CONCAT_WS) return count >= 1;
  if (callee === FUNCTION_LEFT || callee === FUNCTION_RIGHT) return count === 2;
  if (callee === FUNCTION_SUBSTRING) return count === 2 || count === 3;
  return count === 1;
}
