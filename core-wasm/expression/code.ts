/**
 * The bytecode of expressions, as host and core agree on it. Compiles both as AssemblyScript and as TypeScript; imports
 * nothing. The host compiles to it (host/expression/), the core verifies and runs it.
 *
 *   0   u8  EXPRESSION_VERSION
 *   1   u8  flags: EXPRESSION_CESQL
 *   2   u8  stack slots it needs, at most EXPRESSION_STACK_MAX
 *   3   u8  0
 *   4   u16 constants        6  u16 names
 *   8   u32 bytes of code
 *   12  constants, 16 bytes each: u8 TYPE_…, 7 × 0, then f64 | i64 | u64 0 or 1 | u32 offset, u32 bytes of a text
 *       names, 8 bytes each: u8 SCOPE_…, u8 FIELD_…, u16 bytes, u32 offset of the text
 *       code
 *       texts: UTF-8, where the offsets (from the beginning of the program) point
 *
 * Values on the stack have a type: missing, boolean, whole number (64 bits), number (64-bit floating point), text. Every
 * operation is total: it gives a value, and may add to the errors. "Missing" stands for an attribute that is not there; a
 * comparison, LIKE, IN or BETWEEN with it is false (also in its NOT form), arithmetic and functions with it are missing in
 * the default dialect and the zero value of their result in the CESQL one. Where a cast fails, the default dialect goes on
 * with "missing" and the CESQL one with the zero value of the type. All 16-bit operands are little-endian.
 */

export const EXPRESSION_VERSION: u32 = 1;
/** The pure language of CloudEvents SQL 1.0: whole numbers have 32 bits. */
export const EXPRESSION_CESQL: u32 = 1;
export const EXPRESSION_STACK_MAX: u32 = 64;
export const EXPRESSION_HEADER_BYTES: u32 = 12;
export const EXPRESSION_CONSTANT_BYTES: u32 = 16;
export const EXPRESSION_NAME_BYTES: u32 = 8;
/** Of a whole program. */
export const EXPRESSION_BYTES_MAX: u32 = 65536;
export const EXPRESSION_CODE_BYTES_MAX: u32 = 32767;
export const EXPRESSION_ARGUMENTS_MAX: u32 = 32;
/** Scratch for the texts that one evaluation makes. */
export const EXPRESSION_SCRATCH_BYTES: u32 = 65536;

// --- Types of values ---

export const TYPE_MISSING: u32 = 0;
export const TYPE_BOOLEAN: u32 = 1;
export const TYPE_INTEGER: u32 = 2;
export const TYPE_NUMBER: u32 = 3;
export const TYPE_TEXT: u32 = 4;

// --- Names ---

/** Of the event. */
export const SCOPE_EVENT: u32 = 0;
/** A live attribute of the sink. */
export const SCOPE_SINK: u32 = 1;
/** A condition: it has no text, and the offset is its index among the inputs of what is evaluated. */
export const SCOPE_CONDITION: u32 = 2;
/** Conditions that one expression, or one contract, may ask for. */
export const CONDITION_INPUTS_MAX: u32 = 64;

/** The name is looked up among the attributes. All others: a field of the event, and where that is absent, the attributes. */
export const FIELD_ATTRIBUTE: u32 = 0;
export const FIELD_ID: u32 = 1;
export const FIELD_SOURCE: u32 = 2;
export const FIELD_TYPE: u32 = 3;
export const FIELD_SUBJECT: u32 = 4;
/** As RFC 3339 text in UTC with milliseconds, or microseconds where they are not 0. */
export const FIELD_TIME: u32 = 5;
/** 4 where the event says none. */
export const FIELD_PRIORITY: u32 = 6;
/** As FIELD_TIME. */
export const FIELD_DELIVER_BY: u32 = 7;
export const FIELD_KEY: u32 = 8;
export const FIELD_DATA_CONTENT_TYPE: u32 = 9;
export const FIELDS: u32 = 10;

// --- Operations: u8, then operands ---

/** u16 constant: pushes it. */
export const OP_CONSTANT: u32 = 0x01;
/** u16 name: pushes its value; missing adds ERROR_MISSING. In CESQL numbers, and whole ones beyond 32 bits, are texts. */
export const OP_NAME: u32 = 0x02;
/** u16 name: pushes whether it is there; `id`, `source`, `type` and `priority` always are. */
export const OP_EXISTS: u32 = 0x03;
/** Pops a value, pushes whether it is missing. */
export const OP_IS_MISSING: u32 = 0x04;
/** u16 name with SCOPE_SINK: pushes milliseconds since that attribute was set; missing as OP_NAME. */
export const OP_AGE: u32 = 0x05;
/** Casts to boolean and negates. Missing: true by default (missing casts to false), false in CESQL. A whole number in
 *  CESQL: ERROR_CAST and true, as the conformance kit has it. */
export const OP_NOT: u32 = 0x08;
/** Casts to a number and negates. */
export const OP_NEGATE: u32 = 0x09;
/** Casts; missing to boolean is false in both dialects, to the others it is missing (default) or the zero value (CESQL). */
export const OP_TO_BOOLEAN: u32 = 0x0a;
/** Whole number. By default a number is cut towards 0, and a text may be written as a number with a fraction. */
export const OP_TO_INTEGER: u32 = 0x0b;
export const OP_TO_TEXT: u32 = 0x0c;

/** Pop y, then x; cast x to the type of y (a whole number and a number compare as numbers); push a boolean. Texts order by
 *  their bytes by default; in CESQL ordering casts both to whole numbers. Booleans order false before true by default. */
export const OP_EQUAL: u32 = 0x10;
export const OP_NOT_EQUAL: u32 = 0x11;
export const OP_LESS: u32 = 0x12;
export const OP_LESS_EQUAL: u32 = 0x13;
export const OP_GREATER: u32 = 0x14;
export const OP_GREATER_EQUAL: u32 = 0x15;

/** Pop y, then x; cast both to numbers. Two whole numbers give a whole one; beyond 64 bits a number by default, beyond 32
 *  bits the low 32 bits and ERROR_MATH in CESQL. Division and remainder by 0: ERROR_MATH and missing in both, 0 as the
 *  result of a whole CESQL program, which its compiler then ends with OP_TO_INTEGER. */
export const OP_ADD: u32 = 0x18;
export const OP_SUBTRACT: u32 = 0x19;
export const OP_MULTIPLY: u32 = 0x1a;
export const OP_DIVIDE: u32 = 0x1b;
export const OP_REMAINDER: u32 = 0x1c;

/** Pops two, casts both to boolean. */
export const OP_XOR: u32 = 0x20;
/** u16 bytes to skip from the next operation on: casts the top to boolean; if false, skips and keeps it, else pops it. */
export const OP_JUMP_FALSE: u32 = 0x21;
/** The same for true. */
export const OP_JUMP_TRUE: u32 = 0x22;
/** u16 constant, a text: pops x, casts it to text, pushes whether it matches: `%` any characters, `_` one, `\` escapes. */
export const OP_LIKE: u32 = 0x23;
export const OP_NOT_LIKE: u32 = 0x24;
/** Pops y, casts it to the type of x below, which stays; pushes whether they are equal. */
export const OP_IN_EQUAL: u32 = 0x25;
/** Removes what lies below the top. */
export const OP_NIP: u32 = 0x26;
/** With x below and a boolean on top: negates the boolean unless x is missing. */
export const OP_IN_NOT: u32 = 0x27;
/** Pops high, low and x; pushes whether low <= x <= high, or its negation; false where one is missing. */
export const OP_BETWEEN: u32 = 0x28;
export const OP_NOT_BETWEEN: u32 = 0x29;
/** u8 FUNCTION_…, u8 arguments: pops them, pushes the result. */
export const OP_CALL: u32 = 0x30;
/** u8 error bits: adds them and pushes false: what could not be dispatched. */
export const OP_FAIL: u32 = 0x31;
/** Ends; exactly one value is on the stack. The last operation and nowhere else. */
export const OP_END: u32 = 0x3f;

// --- Functions, with the number of arguments they take. Characters are code points. ---

/** 1 */
export const FUNCTION_LENGTH: u32 = 1;
/** 0 … EXPRESSION_ARGUMENTS_MAX */
export const FUNCTION_CONCAT: u32 = 2;
/** 1 … EXPRESSION_ARGUMENTS_MAX */
export const FUNCTION_CONCAT_WS: u32 = 3;
/** 1; of letters that have one other-case letter of one code point (simple case mapping). */
export const FUNCTION_LOWER: u32 = 4;
/** 1 */
export const FUNCTION_UPPER: u32 = 5;
/** 1 */
export const FUNCTION_TRIM: u32 = 6;
/** 2 */
export const FUNCTION_LEFT: u32 = 7;
/** 2 */
export const FUNCTION_RIGHT: u32 = 8;
/** 2 or 3 */
export const FUNCTION_SUBSTRING: u32 = 9;
/** 1 */
export const FUNCTION_ABS: u32 = 10;
export const FUNCTIONS: u32 = 11;

// --- Errors, bits ---

export const ERROR_MATH: u32 = 1;
export const ERROR_CAST: u32 = 2;
export const ERROR_MISSING: u32 = 4;
export const ERROR_FUNCTION: u32 = 8;
export const ERROR_MISSING_FUNCTION: u32 = 16;
/** No scratch left for a text: the result is missing, or "" in CESQL. */
export const ERROR_SCRATCH: u32 = 32;
