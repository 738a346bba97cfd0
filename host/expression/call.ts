/** Functions. A missing argument makes the result missing, in CESQL the zero value of its type. */
import * as code from "../../core-wasm/expression/code.ts";
import { absolute } from "./arithmetic.ts";
import { type Present, type Run, toNumeric, toText, toWhole, zero } from "./cast.ts";
import { cased, substring, trimmed } from "./text.ts";
import type { Value } from "./value.ts";

/** Functions whose arguments but the first are whole numbers. */
const positional: ReadonlySet<number> = new Set([code.FUNCTION_LEFT, code.FUNCTION_RIGHT, code.FUNCTION_SUBSTRING]);

/** Calls FUNCTION_… `callee` with as many arguments as it takes. */
export function call(run: Run, callee: number, values: readonly Value[]): Value {
  const none = callee === code.FUNCTION_LENGTH || callee === code.FUNCTION_ABS ? zero(run, 0n) : zero(run, "");
  if (values.includes(undefined)) return none;
  const cast: Present[] = [];
  for (const value of values as readonly Present[]) {
    const one = argument(run, callee, value, cast.length);
    if (one === undefined) return none;
    cast.push(one);
  }
  const [first, second, third] = cast;
  switch (callee) {
    case code.FUNCTION_ABS:
      return absolute(run, first as bigint | number);
    case code.FUNCTION_LENGTH:
      return BigInt([...(first as string)].length);
    case code.FUNCTION_CONCAT:
      return cast.join("");
    case code.FUNCTION_CONCAT_WS:
      return cast.slice(1).join(first as string);
    case code.FUNCTION_LOWER:
      return cased(first as string, "lower");
    case code.FUNCTION_UPPER:
      return cased(first as string, "upper");
    case code.FUNCTION_TRIM:
      return trimmed(first as string);
    case code.FUNCTION_SUBSTRING:
      return substring(first as string, second as bigint, third as bigint | undefined) ?? failed(run, "");
    default:
      return part(run, callee === code.FUNCTION_LEFT, first as string, second as bigint);
  }
}

function argument(run: Run, callee: number, value: Present, index: number): Present | undefined {
  if (callee === code.FUNCTION_ABS) return toNumeric(run, value);
  return index > 0 && positional.has(callee) ? toWhole(run, value) : toText(value);
}

/** The first or last characters; the whole text and an error where fewer than none are asked for. */
function part(run: Run, left: boolean, text: string, count: bigint): string {
  if (count < 0n) return failed(run, text);
  const characters = [...text];
  if (count >= BigInt(characters.length)) return text;
  const taken = Number(count);
  return (left ? characters.slice(0, taken) : characters.slice(characters.length - taken)).join("");
}

function failed(run: Run, value: string): string {
  run.errors |= code.ERROR_FUNCTION;
  return value;
}
