/** The functions of the language: how many arguments each takes, and what the machine does for it. */
import * as code from "../../core-wasm/expression/code.ts";

/** One function. */
export interface FunctionMeaning {
  /** In upper case. */
  readonly name: string;
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** Type of what it gives, where that is not missing. */
  readonly gives: "boolean" | "number" | "text";
  /** FUNCTION_… of OP_CALL, or an operation of its own: casts. */
  readonly call?: number;
  readonly operation?: number;
}

type Gives = FunctionMeaning["gives"];

function calls(name: string, gives: Gives, call: number, least: number, most = least): FunctionMeaning {
  return { name, gives, call, argumentsMin: least, argumentsMax: most };
}

function casts(name: string, gives: Gives, operation: number): FunctionMeaning {
  return { name, gives, operation, argumentsMin: 1, argumentsMax: 1 };
}

const table: readonly FunctionMeaning[] = [
  calls("ABS", "number", code.FUNCTION_ABS, 1),
  casts("BOOL", "boolean", code.OP_TO_BOOLEAN),
  calls("CONCAT", "text", code.FUNCTION_CONCAT, 0, code.EXPRESSION_ARGUMENTS_MAX),
  calls("CONCAT_WS", "text", code.FUNCTION_CONCAT_WS, 1, code.EXPRESSION_ARGUMENTS_MAX),
  casts("INT", "number", code.OP_TO_INTEGER),
  calls("LEFT", "text", code.FUNCTION_LEFT, 2),
  calls("LENGTH", "number", code.FUNCTION_LENGTH, 1),
  calls("LOWER", "text", code.FUNCTION_LOWER, 1),
  calls("RIGHT", "text", code.FUNCTION_RIGHT, 2),
  casts("STRING", "text", code.OP_TO_TEXT),
  calls("SUBSTRING", "text", code.FUNCTION_SUBSTRING, 2, 3),
  calls("TRIM", "text", code.FUNCTION_TRIM, 1),
  calls("UPPER", "text", code.FUNCTION_UPPER, 1),
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
