/** A value that the core has just told. */
import { RESULT_AT, RESULT_BYTES_AT, RESULT_NUMBER_HIGH, RESULT_NUMBER_LOW, RESULT_TYPE } from "../../core-wasm/abi.ts";
import { TYPE_BOOLEAN, TYPE_NUMBER, TYPE_TEXT } from "../../core-wasm/expression/code.ts";
import type { Core } from "../core/instance.ts";
import type { ConditionValue } from "./schema.ts";

const decoder = new TextDecoder();
const words = new Uint32Array(2);
const float = new Float64Array(words.buffer);

/** Reads it, after conditionRead() or contractValue(). @returns Undefined where there is none, or none that a number can say. */
export function readValue(core: Core): ConditionValue {
  const { result, bytes } = core.views;
  const type = result[RESULT_TYPE];
  const low = result[RESULT_NUMBER_LOW] as number;
  if (type === TYPE_BOOLEAN) return low !== 0;
  if (type === TYPE_TEXT) {
    const at = result[RESULT_AT] as number;
    return decoder.decode(bytes.subarray(at, at + (result[RESULT_BYTES_AT] as number)));
  }
  if (type !== TYPE_NUMBER) return undefined;
  words.set([low, result[RESULT_NUMBER_HIGH] as number]);
  return Number.isFinite(float[0]) ? float[0] : undefined;
}
