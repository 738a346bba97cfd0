/** Where the parts of a program lie; the drawing is in code.ts. */
import { EXPRESSION_CONSTANT_BYTES, EXPRESSION_HEADER_BYTES, EXPRESSION_NAME_BYTES } from "./code";

/** Address of a constant of the program that lies at `program`. */
export function constantAt(program: u32, index: u32): u32 {
  return program + EXPRESSION_HEADER_BYTES + index * EXPRESSION_CONSTANT_BYTES;
}

/** Address of a name. */
export function nameAt(program: u32, index: u32): u32 {
  return constantAt(program, load<u16>(program, 4)) + index * EXPRESSION_NAME_BYTES;
}

/** Address of its code. */
export function codeAt(program: u32): u32 {
  return nameAt(program, load<u16>(program, 6));
}
