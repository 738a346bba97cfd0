/** The functions of the language: how many arguments each takes, and what the machine does for it. */
import * as code from "../../core-wasm/expression/code.ts";

/** One function. */
export interface FunctionMeaning {
  /** In upper case. */
  readonly name: string;
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** FUNCTION_… of OP_CALL, or an operation of its own: casts. */
  readonly call?: number;
  readonly operation?: number;
}

function calls(name: string, call: number, argumentsMin: number, argumentsMax = argumentsMin): FunctionMeaning {
  return { name, call, argumentsMin, argumentsMax };
}

function casts(name: string, operation: number): FunctionMeaning {
  return { name, operation, argumentsMin: 1, argumentsMax: 1 };
}

const table: readonly FunctionMeaning[] = [
  calls("ABS", code.FUNCTION_ABS, 1),
  casts("BOOL", code.OP_TO_BOOLEAN),
  calls("CONCAT", code.FUNCTION_CONCAT, 0, code.EXPRESSION_ARGUMENTS_MAX),
  calls("CONCAT_WS", code.FUNCTION_CONCAT_WS, 1, code.EXPRESSION_ARGUMENTS_MAX),
  casts("INT", code.OP_TO_INTEGER),
  calls("LEFT", code.FUNCTION_LEFT, 2),
  calls("LENGTH", code.FUNCTION_LENGTH, 1),
  calls("LOWER", code.FUNCTION_LOWER, 1),
  calls("RIGHT", code.FUNCTION_RIGHT, 2),
  casts("STRING", code.OP_TO_TEXT),
  calls("SUBSTRING", code.FUNCTION_SUBSTRING, 2, 3),
  calls("TRIM", code.FUNCTION_TRIM, 1),
  calls("UPPER", code.FUNCTION_UPPER, 1),
];

const byName: ReadonlyMap<string, FunctionMeaning> = new Map(table.map((one) => [one.name, one]));

/** All names, in alphabetical order. */
export const functionNames: readonly string[] = Object.freeze(table.map(({ name }) => name));

/** A function by its name in upper case. */
export function functionOf(name: string): FunctionMeaning | undefined {
  return byName.get(name);
}

/** The function that a call with so many arguments means; absent: it cannot be dispatched. */
export function functionFor(name: string, count: number): FunctionMeaning | undefined {
  const found = byName.get(name);
  return found !== undefined && count >= found.argumentsMin && count <= found.argumentsMax ? found : undefined;
}
